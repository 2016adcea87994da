"""Opens what a mark is for: a file by its path, a process by its number.

The descriptors refer to the object without opening it: no content is read, no device is started.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from provcap.errors import SetupError, UsageError

_SHOWN = 200  # characters of a path in a message
_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
    stat.S_IFIFO: "pipe",
    stat.S_IFLNK: "link",
}


@contextlib.contextmanager
def opened_file(path: str) -> Iterator[int]:
    """An O_PATH descriptor of the file, symbolic links followed.

    SetupError if there is no such file, or if it is of a kind that cannot be marked.
    """
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except ValueError as error:
        raise UsageError(f"{path!r} is no path: {error}") from error
    except OSError as error:
        raise SetupError(f"{_short(path)}: {error.strerror}") from error
    try:
        _require_markable(fd, path)
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def opened_process(word: str) -> Iterator[int]:
    """A pidfd of the process; UsageError if it is no number, SetupError if there is none."""
    if not (word.isascii() and word.isdecimal() and 0 < len(word) < 10 and int(word)):
        raise UsageError(f'expected the number of a process, got "{word}"')
    try:
        fd = os.pidfd_open(int(word))
    except OSError as error:
        raise SetupError(_no_process(int(word), error)) from error
    try:
        yield fd
    finally:
        os.close(fd)


def kind_of(fd: int) -> str:
    """The node type of the file behind a descriptor.

    Asking also shows the file to the capture, which gives it a node if it had none.
    """
    return _KINDS.get(stat.S_IFMT(os.fstat(fd).st_mode), "inode_unknown")


def require_lasting(fd: int, path: str) -> None:
    """SetupError if the kernel makes the file's inode anew at will: a mark would soon be gone."""
    if _file_system(fd) == "proc":
        raise SetupError(
            f"{path}: cannot be marked: the kernel makes the files of /proc anew, and a mark would "
            "be lost without a word (mark the process that uses it)"
        )


def _file_system(fd: int) -> str:
    """The type of the file system behind a descriptor, empty if it is mounted nowhere."""
    facts = Path(f"/proc/self/fdinfo/{fd}").read_text().split()
    mount = facts[facts.index("mnt_id:") + 1]
    for line in Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
        if line.split(maxsplit=1)[0] == mount:
            return line.partition(" - ")[2].split()[0]
    return ""


def _require_markable(fd: int, path: str) -> None:
    """A mark belongs to an inode, so the inode must stand for this file alone."""
    target = str(Path(f"/proc/self/fd/{fd}").readlink())
    if target.startswith("anon_inode:"):
        raise SetupError(
            f"{path}: cannot be marked: {target} shares its inode with unrelated descriptors "
            "(mark the process that uses it)"
        )
    if stat.S_ISSOCK(os.fstat(fd).st_mode):
        raise SetupError(
            f"{path}: a socket cannot be marked by its path (mark the process that uses it)"
        )


def _no_process(pid: int, error: OSError) -> str:
    if error.errno == errno.ESRCH:
        return f"there is no process {pid}"
    if error.errno in (errno.EINVAL, errno.ENOENT):
        return f"{pid} is a thread, not a process (Tgid in /proc/{pid}/status names its process)"
    return f"process {pid}: {error.strerror}"


def _short(path: str) -> str:
    """A path as a message shows it: an empty one is seen, a very long one is cut."""
    return f"{path[:_SHOWN]}..." if len(path) > _SHOWN else path or "''"
