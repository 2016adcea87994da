#!/usr/bin/env bash
# Sets a Debian machine up to build, test and run provcap: packages by name, and a Python
# environment in .venv. Run it as often as you like; it does only what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

PACKAGES=(
	clang-16 llvm-16 libbpf-dev libelf-dev bpftool make git             # the kernel object
	qemu-system-x86 qemu-system-common busybox-static wget kmod # guests
	gcc libc6-dev e2fsprogs btrfs-progs strace                  # the workload of the guest tests
	iproute2 util-linux python3-venv
	graphviz chromium chromium-driver # pictures, and the tests of their page
)

fail() {
	echo "setup: $*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		fail "need root to run: $* (run this once as root, or install sudo)"
	fi
}

missing_packages() {
	local name
	for name in "$@"; do
		dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || echo "$name"
	done
}

apt_lists_empty() {
	! compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null
}

install_packages() {
	command -v apt-get >/dev/null || fail "only Debian and its relatives are supported (no apt-get)"
	local missing
	mapfile -t missing < <(missing_packages "${PACKAGES[@]}")
	if [ "${#missing[@]}" -gt 0 ] || apt_lists_empty; then
		as_root apt-get -qq update ||
			fail "apt-get update failed: check the network and /etc/apt/sources.list"
	fi
	[ "${#missing[@]}" -gt 0 ] || return 0
	echo "setup: installing ${missing[*]}"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
		install "${missing[@]}" >/dev/null ||
		fail "apt-get install failed for: ${missing[*]} (Debian 12 has them all)"
}

pick_python() {
	local name
	for name in python3.13 python3.12 python3.11 python3; do
		if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
			2>/dev/null; then
			echo "$name"
			return
		fi
	done
	fail "no Python 3.11 or later with venv: apt-get install python3-venv"
}

make_environment() {
	local stamp=.venv/pyproject.stamp want
	want="$PWD $(sha256sum <pyproject.toml)"
	if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] &&
		.venv/bin/python -c 'import provcap, pytest' 2>/dev/null; then
		return
	fi
	echo "setup: making .venv"
	rm -rf .venv # a half-made or moved environment is not worth repairing
	"$(pick_python)" -m venv .venv || fail "cannot make .venv here: is the disk full?"
	.venv/bin/python -m pip install -q --disable-pip-version-check -e '.[test,graph]' ||
		fail "pip could not install provcap's Python packages: check the network"
	echo "$want" >"$stamp"
}

install_packages
make_environment
