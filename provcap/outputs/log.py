"""Appends messages to a file, whole lines only: what was recorded stays readable."""

import os
import stat
from pathlib import Path

from provcap.errors import OutputError

DEFAULT = "provenance.log"


class Log:
    """A file that only grows, readable by its owner alone.

    If a message cannot be written whole (disk full), what came of it is cut off again, so that the
    file ends with the last whole message.
    """

    def __init__(self, path: Path) -> None:
        """Opens or makes the file; OutputError if that is not possible."""
        self.name = str(path)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY
        try:
            self._fd = os.open(path, flags, 0o600)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}") from error
        self._begin_line()

    def write(self, message: bytes) -> None:
        """Append one message that ends with a newline; OutputError says what was kept."""
        _write_whole(self._fd, message, self.name)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _begin_line(self) -> None:
        """A file that someone else left in the middle of a line is continued on a new one."""
        size = _regular_size(self._fd)
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            _write_whole(self._fd, b"\n", self.name)


class StandardOutput:
    """The standard output of the process; BrokenPipeError comes through if its reader left."""

    def write(self, message: bytes) -> None:
        """Write one message."""
        _write_whole(1, message, "standard output")

    def close(self) -> None:
        """It stays open: it is not ours."""


def open_output(target: str | None = None) -> Log | StandardOutput:
    """The file of that path, or standard output for ``-``."""
    return StandardOutput() if target == "-" else Log(Path(target or DEFAULT))


def _write_whole(fd: int, message: bytes, name: str) -> None:
    start, rest = _regular_size(fd), memoryview(message)
    try:
        while rest:
            rest = rest[os.write(fd, rest) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        written = len(message) - len(rest)
        raise OutputError(_undo(fd, start, written, name, error)) from error


def _undo(fd: int, start: int | None, written: int, name: str, error: OSError) -> str:
    """Cut a half-written message off; returns what to tell the user."""
    reason = f"cannot write {name}: {error.strerror}"
    if start is None or os.fstat(fd).st_size != start + written:
        return f"{reason}; the last line may be incomplete"
    os.ftruncate(fd, start)
    return f"{reason}; its {start} bytes up to the last whole line were kept"


def _regular_size(fd: int) -> int | None:
    """Bytes of a regular file, None for anything else."""
    status = os.fstat(fd)
    return status.st_size if stat.S_ISREG(status.st_mode) else None
