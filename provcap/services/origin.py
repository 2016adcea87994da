"""Says who records: the identity of this machine and boot, its clock, its uname, and provcap."""

import os
import sys
import time
from pathlib import Path

import provcap
from provcap.records import Origin
from provcap.services.identity import identity


def origin() -> Origin:
    """Who records: identity of this machine and boot, its clock, its uname, our version.

    A note goes to standard error if the numbers do not stay (docs/reference/identity.md).
    SetupError if the files that hold them are damaged.
    """
    name = os.uname()
    machine = {
        "sysname": name.sysname,
        "nodename": name.nodename,
        "release": name.release,
        "version": name.version,
        "machine": name.machine,
        "domainname": _text("/proc/sys/kernel/domainname"),
        "k_version": provcap.__version__,
        "l_version": provcap.__version__,
    }
    offset = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    who = identity()
    if who.note:
        print(f"provcap: {who.note}", file=sys.stderr)
    return Origin(
        boot_id=who.boot_id,
        machine_id=who.machine_id,
        wall_offset_ns=offset,
        machine=machine,
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
