"""Keeps a capture alive in the BPF file system: a tree that only its owner can enter.

    /sys/fs/bpf/provcap/maps/NAME
                        programs/KIND/NAME
                        links/NAME          one per attached program; with capture off, none

The map ``layout`` is pinned last and unpinned first: a tree without it is what a killed loader left
behind, and the next loader clears it.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from provcap.bpf.libbpf import call
from provcap.errors import KernelError, SetupError

BPFFS = Path("/sys/fs/bpf")
ROOT = BPFFS / "provcap"


class Pins:
    """The tree at ``root``; making one touches nothing."""

    def __init__(self, root: Path = ROOT) -> None:
        """``root`` must lie in a mounted BPF file system when something is pinned."""
        self.root = root
        self.maps, self.programs, self.links = root / "maps", root / "programs", root / "links"
        self.marker = self.maps / "layout"

    def complete(self) -> bool:
        """Whether a whole capture is pinned here; ``SetupError`` if that cannot be seen."""
        try:
            return self.marker.exists()
        except PermissionError as error:
            raise SetupError(f"cannot look into {self.root} (are you root?)") from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Make the root if needed and let one process at a time change the tree.

        Raises ``SetupError`` if that is impossible, ``KernelError`` if others may enter the root.
        """
        fd = self._lock()
        try:
            yield
        finally:
            os.close(fd)

    def link(self, name: str) -> Path:
        """Where the link of this program is pinned."""
        return self.links / name

    def program(self, kind: str, name: str) -> Path:
        """Where a program is pinned."""
        return self.programs / kind / name

    def attached(self) -> list[str]:
        """Names of the programs that have a link."""
        return _names(self.links)

    def pinned_programs(self) -> list[tuple[str, str]]:
        """(kind, name) of each program."""
        kinds = _names(self.programs)
        return [(kind, name) for kind in kinds for name in _names(self.programs / kind)]

    def clear(self) -> None:
        """Unpin everything; the kernel frees what nobody has open. Call it locked."""
        # Links first: nothing may run while its maps go. Then the marker, see above.
        _unlink([self.links / name for name in _names(self.links)])
        _unlink([self.marker])
        _unlink([self.programs / kind / name for kind, name in self.pinned_programs()])
        _unlink([self.maps / name for name in _names(self.maps)])
        kinds = [self.programs / kind for kind in _names(self.programs)]
        for folder in (*kinds, self.programs, self.maps, self.links):
            with contextlib.suppress(FileNotFoundError):
                folder.rmdir()
        with contextlib.suppress(OSError):
            self.root.rmdir()

    def _lock(self) -> int:
        """Descriptor of the locked root.

        ``clear`` removes the root, so the one that was locked may be gone by then: look again.
        """
        while True:
            _make_private(self.root)
            fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(fd, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(fd), self.root.stat()):
                    return fd
            os.close(fd)


def pin(fd: int, path: Path) -> None:
    """Pin what is behind ``fd``, making its private folder; raises ``CallError``."""
    missing = [folder for folder in (path.parent.parent, path.parent) if not folder.exists()]
    for folder in missing:
        _make_private(folder)
    call("bpf_obj_pin", fd, os.fsencode(path), about=str(path))


def pin_name(map_name: str) -> str:
    """Name of a map without what the BPF file system refuses: ``provcap.rodata`` is ``rodata``.

    That of one variable, ``.data.policy``, is ``policy``.
    """
    name = map_name.partition(".")[2] or map_name
    return name.removeprefix("data.").replace(".", "_")


def has_bpffs(mounts: str, at: Path = BPFFS) -> bool:
    """Whether ``mounts`` (text of /proc/self/mounts) has a BPF file system there."""
    entries = (line.split(" ") for line in mounts.splitlines())
    return any(words[1:3] == [str(at), "bpf"] for words in entries)


def require_bpffs(mounts: str, at: Path = BPFFS) -> None:
    """Raise ``SetupError`` unless ``mounts`` has a BPF file system there."""
    if not has_bpffs(mounts, at):
        raise SetupError(f"no BPF file system at {at} (run: mount -t bpf bpf {at})")


def _make_private(folder: Path) -> None:
    """Make the folder for its owner only; refuse one that another user made or may enter.

    The BPF file system usually lets everybody make folders in its root.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise SetupError(f"cannot make {folder}: {error.strerror} (are you root?)") from error
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise KernelError(f"{folder} belongs to or is open to another user (remove it: rmdir)")


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []
    except PermissionError as error:
        raise SetupError(f"cannot read {folder} (are you root?)") from error


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
