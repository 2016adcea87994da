"""Runs a command to its exit status; an error that was raised on purpose becomes one line."""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable

from provcap.errors import ProvcapError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def outcome(program: str, run: Callable[[], int]) -> int:
    """The status that ``run`` returns, or that of the error it ends with; ``program`` says it."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may not fit the encoding
    try:
        status = run()
        if sys.stdout:
            sys.stdout.flush()  # at exit it would be too late to say that it failed
        return status
    except ProvcapError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        _drop_output()
        sys.stderr.close()  # the reader of our output went away: nothing left to say to it
        return 141
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:
            raise
        _drop_output()
        print(f"{program}: cannot write its output: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _drop_output() -> None:
    """Forget what could not be written, so that Python does not try again when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
