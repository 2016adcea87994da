"""Put a line of text into the recording, as something that the process was told.

    provcap log "epoch 1 done"
    make 2>&1 | provcap log

Without TEXT each line of standard input is one. The process that started this command is tracked
from now on; with --propagate, all that comes of it is.
"""

import argparse
import sys

from provcap.cli.disclose import add_connection, connected

SUMMARY = "put a line of text into the recording that is being made"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this command."""
    add_connection(parser)
    parser.add_argument(
        "--propagate", action="store_true", help="track all that comes of the process, too"
    )
    parser.add_argument("text", nargs="*", metavar="TEXT", help="the line (default: of input)")


def run(args: argparse.Namespace) -> int:
    """Log; nothing is printed."""
    lines = [" ".join(args.text)] if args.text else map(_line, sys.stdin)
    with connected(args) as session:
        for line in lines:
            if line:
                session.log(line, propagate=args.propagate)
    return 0


def _line(line: str) -> str:
    return line.rstrip("\n")
