"""Runs a command on this kernel and records the whole system meanwhile.

    provcap record --out results -- make all

writes results/audit.raw and results/audit.log. The kernel must have BPF in its LSM list; "provcap
doctor" says so, and "provcap vm run" does the same in a guest where it has not.
"""

import argparse
import mmap
from pathlib import Path

from provcap.cli.words import add_command, command_of
from provcap.services.record import DEFAULT_RING_BYTES, Settings, record
from provcap.services.replay import write_log

SUMMARY = "record a command on this machine, which must be able to load BPF LSM programs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe ``provcap record``."""
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("provcap-out"),
        metavar="DIR",
        help="folder for results, what is there is replaced (default %(default)s)",
    )
    parser.add_argument("--raw", action="store_true", help="leave audit.raw as it is: no audit.log")
    parser.add_argument(
        "--ring-size",
        type=_ring_bytes,
        default=DEFAULT_RING_BYTES,
        metavar="BYTES",
        help="of one CPU, a power of two of pages (default %(default)s)",
    )
    parser.add_argument(
        "--compress-edge",
        choices=("true", "false"),
        default="true",
        help="false: record every operation, also what the graph already has",
    )
    add_command(parser)


def run(args: argparse.Namespace) -> int:
    """Record; the status is the command's."""
    command = command_of(args, "provcap record")
    settings = Settings(ring_bytes=args.ring_size, edge_compression=args.compress_edge == "true")
    raw = args.out / "audit.raw"
    status = record(command, raw, settings)
    if not args.raw:
        write_log(args.out)
    return status


def _ring_bytes(word: str) -> int:
    """Asked here, before a recording that is there already is replaced."""
    number = int(word) if word.isdecimal() else 0
    if number < mmap.PAGESIZE or number & (number - 1):
        raise argparse.ArgumentTypeError(
            f"{word!r} is not a power of two of at least {mmap.PAGESIZE}"
        )
    return number
