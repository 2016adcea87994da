"""The ``provcap`` command: finds the module of the command word and hands it the rest.

Each command is one module of this folder with ``SUMMARY`` (one line), ``add_arguments(parser)``
and ``run(args) -> exit status``. Only the module that is asked for is imported, so start-up stays
quick.
"""

import argparse
import contextlib
import difflib
import errno
import importlib
import io
import os
import sys

from provcap.errors import ProvcapError

COMMANDS = {
    "doctor": "say whether this machine can capture, and what to change if not",
    "record": "record a command on this machine, which must be able to load BPF LSM programs",
    "replay": "turn a raw recording into another format",
    "summary": "count the nodes, relations and losses of a recording",
    "verify": "check that a recording is acyclic and has no dangling end",
    "vm": "run a command in a guest kernel and record it there",
    "why": "print where a file came from",
}

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit status (an error is printed and gives its own status)."""
    words = sys.argv[1:] if argv is None else argv
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if words else 2
    name, rest = words[0], words[1:]
    if name not in COMMANDS:
        print(f"provcap: {_unknown(name)}", file=sys.stderr)
        return 2
    command = importlib.import_module(f"provcap.cli.{name}")
    parser = argparse.ArgumentParser(
        prog=f"provcap {name}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    args = parser.parse_args(rest)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may not fit the encoding
    try:
        status = int(command.run(args))
        if sys.stdout:
            sys.stdout.flush()  # at exit it would be too late to say that it failed
        return status
    except ProvcapError as error:
        print(f"provcap {name}: {error}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        _drop_output()
        sys.stderr.close()  # the reader of our output went away: nothing left to say to it
        return 141
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:
            raise
        _drop_output()
        print(f"provcap {name}: cannot write its output: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _drop_output() -> None:
    """Forget what could not be written, so that Python does not try again when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    return (
        "usage: provcap COMMAND ...\n\n"
        + "\n".join(lines)
        + "\n\nprovcap COMMAND --help says more."
    )


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f' (did you mean "{close[0]}"?)' if close else " (provcap --help lists the commands)"
    return f'unknown command "{name}"{hint}'


if __name__ == "__main__":
    sys.exit(main())
