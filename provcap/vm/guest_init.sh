#!/bin/busybox sh
# The first program of a guest. It runs from the initramfs, builds the root that layout.py planned
# out of the host's file system, and hands over to the agent. If anything fails it ends, which
# panics the guest: the host then shows this console.
set -e
bb=/bin/busybox

$bb mkdir -p /proc /dev /host /guest
$bb mount -t proc proc /proc
$bb mount -t devtmpfs dev /dev

modules=$(cd /modules && echo *.ko | $bb tr ' ' '\n' | $bb sort -n)
for module in $modules; do
	[ ! -e "/modules/$module" ] || $bb insmod "/modules/$module"
done

# Two views of one read-only mount: /guest becomes the root and gets covered,
# /host stays whole, so that pieces of it can be bound back over the covers.
$bb mount -t virtiofs -o ro host /host
$bb mount -o bind /host /guest
$bb mount -a -T /covers
$bb tar -x -p -f /skeleton.tar -C /guest
$bb mount -a -T /binds

cd /guest
$bb mount -o move /proc proc
$bb mount -o move /dev dev
$bb mkdir -p dev/pts dev/shm
$bb mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts dev/pts
$bb mount -t tmpfs -o mode=1777 shm dev/shm
$bb mount -t sysfs sys sys
$bb mount -t cgroup2 cgroup sys/fs/cgroup
$bb mount -t bpf -o mode=700 bpf sys/fs/bpf
$bb mount -t securityfs security sys/kernel/security
$bb mount -t tracefs tracing sys/kernel/tracing

[ ! -e run/provcap/modprobe ] || echo /run/provcap/modprobe >proc/sys/kernel/modprobe
$bb ip link set lo up
$bb hostname provcap-guest
. /start # sets $@ to the agent's command
exec $bb switch_root /guest "$@"
