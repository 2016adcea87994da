"""Runs a command on this kernel and records the whole system meanwhile.

    provcap record --out results -- make all

    provcap record --record-address out:10.0.0.0/8:80 --content-bytes 256 -- curl http://10.1.2.3/

writes results/audit.raw and results/audit.log. The kernel must have BPF in its LSM list; "provcap
doctor" says so, and "provcap vm run" does the same in a guest where it has not.
"""

import argparse
from pathlib import Path

from provcap.cli.recording import add_options, settings
from provcap.cli.words import add_command, command_of
from provcap.services.record import record
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
    add_options(parser)
    add_command(parser)


def run(args: argparse.Namespace) -> int:
    """Record; the status is the command's."""
    command = command_of(args, "provcap record")
    status = record(command, args.out / "audit.raw", settings(args))
    if not args.raw:
        write_log(args.out)
    return status
