"""Says who records: the identity of this machine and boot, its clock and its uname."""

import os
import time
from pathlib import Path

from provcap.records import Origin


def origin() -> Origin:
    """Who records: identity of this machine and boot, its clock, its uname."""
    name = os.uname()
    machine = {
        "sysname": name.sysname,
        "nodename": name.nodename,
        "release": name.release,
        "version": name.version,
        "machine": name.machine,
        "domainname": _text("/proc/sys/kernel/domainname"),
    }
    offset = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return Origin(
        boot_id=_number("/proc/sys/kernel/random/boot_id"),
        machine_id=_number("/etc/machine-id"),
        wall_offset_ns=offset,
        machine=machine,
    )


def _number(path: str) -> int:
    """First 32 bits of an identity that is written in hexadecimal; 0 if there is none."""
    digits = _text(path).replace("-", "")[:8]
    try:
        return int(digits, 16)
    except ValueError:
        return 0


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
