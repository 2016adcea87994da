"""Finds out whether KVM really runs a guest here; a /dev/kvm that exists may still not.

Public: :func:`works`.
"""

import os
import shutil
import subprocess
from pathlib import Path

from provcap.vm.kernels import cache_dir

PROBE_TIMEOUT_S = 8.0


def works(vmlinuz: Path) -> bool:
    """Whether KVM runs ``vmlinuz`` on this machine; found out once per boot of the machine."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    note = cache_dir() / f"kvm-{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
    try:
        return note.read_text() == "yes"
    except OSError:
        answer = _probe(vmlinuz)
    try:
        cache_dir().mkdir(parents=True, exist_ok=True)
        for old in cache_dir().glob("kvm-*"):
            old.unlink(missing_ok=True)
        note.write_text("yes" if answer else "no")
    except OSError:
        pass  # not kept: the next guest asks again
    return answer


def _probe(vmlinuz: Path) -> bool:
    """Boot ``vmlinuz`` without a root under KVM: it panics for want of one within a second or two.

    A guest that KVM cannot run prints nothing, and is ended after PROBE_TIMEOUT_S.
    """
    qemu = shutil.which("qemu-system-x86_64")
    if not qemu:
        return False
    command = [qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    command += ["-accel", "kvm", "-cpu", "host", "-m", "512", "-serial", "stdio"]
    command += ["-kernel", str(vmlinuz), "-append", "console=ttyS0 quiet panic=-1"]
    try:
        probe = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return b"Kernel panic" in probe.stdout
