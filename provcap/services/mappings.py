"""Opens every file that some process has mapped, so that the kernel side meets each once.

An iterator sees the mappings from before the capture but cannot look up the node of a file: that is
possible only in a security hook, and an open runs one (``keep_for_mappings`` in
kernel/hooks/file.bpf.c).
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")

#: What the kernel calls shared memory without a file; mapping it is no use of a file.
_ANONYMOUS = (b"/dev/zero (deleted)", b"/anon_hugepage (deleted)")


class Mapping(NamedTuple):
    """One line of /proc/PID/maps that names a file."""

    span: str
    """START-END, the name of its link in map_files."""
    file: tuple[bytes, bytes, bytes]
    """Device, inode number and path: a device alone does not part the volumes of btrfs."""


def open_mapped_files(proc: Path = PROC) -> int:
    """Open and close each mapped regular file once; returns how many there were.

    What cannot be opened is left out: the process may be gone, or its file system.
    """
    opened: set[tuple[bytes, bytes, bytes]] = set()
    for process in _processes(proc):
        for mapping in _mappings(process):
            if mapping.file not in opened and _open_once(process / "map_files" / mapping.span):
                opened.add(mapping.file)
    return len(opened)


def parse_maps(maps: bytes) -> Iterator[Mapping]:
    """The mappings of files in the text of /proc/PID/maps."""
    for line in maps.splitlines():
        span, _protection, _offset, device, inode, *path = line.split(None, 5)
        if inode != b"0" and path and path[0] not in _ANONYMOUS:
            # map_files leaves out the leading zeros that maps writes
            start, end = (int(address, 16) for address in span.split(b"-"))
            yield Mapping(f"{start:x}-{end:x}", (device, inode, path[0]))


def _processes(proc: Path) -> Iterator[Path]:
    return (path for path in proc.iterdir() if path.name.isdigit())


def _mappings(process: Path) -> list[Mapping]:
    """Of a process that has gone there are none."""
    with contextlib.suppress(OSError):
        return list(parse_maps((process / "maps").read_bytes()))
    return []


def _open_once(link: Path) -> bool:
    """Through the link the very file is reached, also one that is deleted or hidden by a mount."""
    with contextlib.suppress(OSError):
        if stat.S_ISREG(link.stat().st_mode):  # opening a device may do something
            os.close(os.open(link, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
            return True
    return False
