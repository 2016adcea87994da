#!/bin/sh
# Lays out in WORK what the operations need of the guest: file systems of several kinds, a module, an image to boot, a
# device.
#   sh setup.sh WORK IMAGE
set -e
work=$1
mkdir -m 755 "$work" "$work/disk" "$work/shared" "$work/mount"
cp "$2" "$work/vmlinuz"
truncate -s 32M "$work/disk.image" "$work/shared.image"
mkfs.ext4 -q "$work/disk.image"
mkfs.btrfs -q --mixed "$work/shared.image"
modprobe -a loop ext4 btrfs overlay vsock_loopback
mount "$(losetup --find --show "$work/disk.image")" "$work/disk"
mount "$(losetup --find --show "$work/shared.image")" "$work/shared"
mount -t tmpfs none "$work/mount"
mkdir "$work/mount/inner"
mount -t tmpfs none "$work/mount/inner"
mkdir "$work/mount/inner/deep"
touch "$work/mount/inner/deep/file"
# "insmod PATH", of a module that needs no other; it may be there from an earlier time
modprobe -r cordic
# shellcheck disable=SC2046
set -- $(modprobe --show-depends cordic)
case "$2" in *.xz) xz -dc "$2" ;; *) cat "$2" ;; esac >"$work/module.ko"
mkdir -p "$work/overlay" "$work/layers"
cd "$work/layers"
mkdir lower upper work
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none "$work/overlay"
# a driver that asks for firmware is told that a device which only QEMU knows is one of its own
modprobe -r jr3_pci # it may have been told before
modprobe jr3_pci
echo 1234 11e8 >/sys/bus/pci/drivers/jr3_pci/new_id
for device in /sys/bus/pci/devices/*; do
	[ "$(cat "$device/vendor" "$device/device" | tr '\n' ' ')" != "0x1234 0x11e8 " ] || ln -s "$device" "$work/board"
done
