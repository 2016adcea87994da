"""Runs a command to its exit status; an error that was raised on purpose becomes one line."""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable

from provcap.errors import ProvcapError

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def outcome(program: str, run: Callable[[], int]) -> int:
    """The status that ``run`` returns, or that of the error it ends with; ``program`` says it."""
    _require_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may not fit the encoding
    try:
        status = run()
        sys.stdout.flush()  # at exit it would be too late to say that it failed
        return status
    except ProvcapError as error:
        print(f"{program}: {_clean(str(error))}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        _drop_output()
        sys.stderr.close()  # the reader of our output went away: nothing left to say to it
        return 141
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            raise
        _drop_output()
        print(f"{program}: cannot write its output: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _require_streams() -> None:
    """Put what cannot be written to in the place of a standard output that the caller closed.

    So an answer that nobody gets is an error, and no file opened later becomes descriptor 1.
    """
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def _clean(message: str) -> str:
    """The message without what a name in it could do to a terminal; its lines stay lines."""
    from provcap.graph.titles import clean  # here, because most runs end without an error

    return "\n".join(map(clean, message.split("\n")))


def _drop_output() -> None:
    """Forget what could not be written, so that Python does not try again when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
