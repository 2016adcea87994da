"""Reads what the kernel says of its memory.

Public: :func:`parse_slabs`, :func:`parse_meminfo`, :func:`parse_fdinfo`, :class:`Snapshot`,
:func:`take`.
"""

import contextlib
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

SETTLE_S = 3.0
_SHRINK = Path("/sys/kernel/slab")


class Snapshot(NamedTuple):
    """Bytes in use at one moment."""

    slabs: Mapping[str, int]
    """Cache -> its live objects."""
    percpu: int


def parse_slabs(text: str) -> dict[str, int]:
    """Cache -> bytes of its live objects, from /proc/slabinfo; those without any are left out."""
    rows = (line.split() for line in text.splitlines() if line[:1] not in ("#", ""))
    sizes = {row[0]: int(row[1]) * int(row[3]) for row in rows if row[0] != "slabinfo"}
    return {name: size for name, size in sizes.items() if size}


def parse_meminfo(text: str) -> dict[str, int]:
    """Name -> bytes, from /proc/meminfo."""
    return {name: int(kib) << 10 for name, kib in re.findall(r"^(\S+): +(\d+) kB$", text, re.M)}


def parse_fdinfo(text: str) -> dict[str, int]:
    """Name -> number, from /proc/PID/fdinfo/FD; what is no decimal number is left out."""
    return {name: int(value) for name, value in re.findall(r"^(\w+):\s*(\d+)$", text, re.M)}


def take() -> Snapshot:
    """What is in use once that is freed which goes a grace period later."""
    time.sleep(SETTLE_S)
    for cache in _SHRINK.iterdir():  # else what is free on a CPU's own list counts as live
        with contextlib.suppress(OSError):
            (cache / "shrink").write_text("1")
    slabs = parse_slabs(Path("/proc/slabinfo").read_text())
    return Snapshot(slabs, parse_meminfo(Path("/proc/meminfo").read_text())["Percpu"])
