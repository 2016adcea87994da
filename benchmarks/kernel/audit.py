"""Runs auditd in the guest, with rules for the system calls that the workload makes.

Public: :func:`fetch` (on the host), :func:`running` (in the guest), :data:`CALLS`.
"""

import contextlib
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from provcap.errors import GuestError
from provcap.vm.apt import Apt

ROOT = Path(__file__).resolve().parents[2]
TREE = ROOT / "build" / "bench" / "audit"
PACKAGES = ["auditd", "libauparse0", "libwrap0"]
CALLS = (
    *("read", "write", "pread", "pwrite", "open", "openat", "stat", "fstat", "newfstatat"),
    *("mmap", "unlink", "unlinkat", "rename", "pipe", "socketpair", "sendto", "recvfrom"),
    *("connect", "accept", "fork", "vfork", "clone", "execve", "exit_group"),
)
"""What capture records, too; ``close`` and ``munmap`` say nothing."""
_WAITING = 20000  # records that the kernel keeps for the daemon
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")


def fetch() -> Path:
    """auditd out of Debian's package, unpacked once; raises ``SetupError`` if it cannot be had."""
    if not TREE.is_dir():
        TREE.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=TREE.parent) as work:
            Apt().unpack(PACKAGES, Path(work)).rename(TREE)
    return TREE


@contextlib.contextmanager
def running() -> Iterator[int]:
    """Process number of the daemon; within the block every system call of ``CALLS`` is audited.

    Raises ``GuestError`` if the kernel audits nothing, or if anything was lost.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = _configured(Path(folder))
        daemon = subprocess.Popen(
            [TREE / "sbin/auditd", "-n", "-s", "enable", "-c", config], env=_environment()
        )
        try:
            time.sleep(2)
            words = [word for call in CALLS for word in ("-S", call)]
            _control("-b", str(_WAITING))
            _control("-a", "always,exit", "-F", "arch=b64", *words)
            _control("--reset-lost")  # what the kernel had to say before somebody listened
            yield daemon.pid
            time.sleep(2)  # what waits is written
            _require_whole(_control("-s"))
            if not (Path(folder) / "audit.log").stat().st_size:
                raise GuestError("auditd ran and wrote nothing: the guest audits nothing")
        finally:
            _control("-D")
            _control("-e", "0")
            daemon.terminate()
            daemon.wait()


def _configured(folder: Path) -> Path:
    """A configuration that waits for no disk."""
    settings = {
        "log_file": folder / "audit.log",
        "log_format": "RAW",
        "flush": "NONE",
        "max_log_file": 4000,
        "max_log_file_action": "IGNORE",
        "num_logs": 0,
        "space_left": 2,
        "admin_space_left": 1,
        "disk_full_action": "IGNORE",
        "disk_error_action": "IGNORE",
    }
    text = "".join(f"{name} = {value}\n" for name, value in settings.items())
    path = folder / "auditd.conf"
    path.write_text(text)
    path.chmod(0o640)
    return folder


def _environment() -> dict[str, str]:
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(str(TREE / name) for name in _LIBRARIES)}


def _control(*words: str) -> str:
    """What auditctl says; GuestError if it fails."""
    command = [str(TREE / "sbin/auditctl"), *words]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise GuestError(f"auditctl {' '.join(words)} failed: {said}")
    return done.stdout


def _require_whole(status: str) -> None:
    lost = re.search(r"^lost (\d+)", status, re.M)
    if not lost or lost[1] != "0":
        raise GuestError(f"audit lost {lost[1] if lost else 'an unknown number of'} records")
