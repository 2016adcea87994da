"""Turn a raw recording into another format.

    provcap replay results/audit.raw --format w3c

What is intact of a recording that was cut or damaged is written all the same, marked as incomplete;
the exit status is then not 0.
"""

import argparse
import sys
from pathlib import Path

from provcap.capture.losses import Losses
from provcap.errors import UsageError
from provcap.services.replay import replay_file

SUMMARY = "turn a raw recording into another format"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of the command."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the raw recording")
    parser.add_argument("--format", default="w3c", help="what to write (default: w3c)")
    parser.add_argument("--output", default="log", help="where to write (default: log, a file)")
    parser.add_argument(
        "--out", metavar="PATH", default="-", help="a new file (default: -, standard output)"
    )


def run(args: argparse.Namespace) -> int:
    """Replay and say on standard error what is missing.

    UsageError if the file has content: what is in it stays, and is not written twice.
    """
    target = Path(args.out)
    if target.is_file() and target.stat().st_size:
        raise UsageError(f"{target} is there already: remove it, or name another with --out")
    print(_summary(replay_file(args.file, args.format, args.output, args.out)), file=sys.stderr)
    return 0


def _summary(losses: Losses) -> str:
    words = [f"{losses.records} records"]
    if losses.complete:
        words.append("complete")
    return f"provcap replay: {', '.join((*words, *losses.words()))}"
