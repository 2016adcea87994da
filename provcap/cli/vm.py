"""Runs a command in a guest kernel and records it there; this machine's kernel is left alone.

    provcap vm run --kernel 6.1 --out results -- make all

The guest sees this machine's files read-only, under the same names. What the command writes
vanishes with the guest, but for what it writes into the folder given with --out, where the
recording goes too.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console

from provcap.cli.recording import add_options
from provcap.cli.recording import words as words_of
from provcap.cli.words import add_command, command_of
from provcap.errors import RecordingError, SetupError
from provcap.services.replay import write_log
from provcap.vm import kernels
from provcap.vm.machine import Machine

SUMMARY = "run a command in a guest kernel and record it there"
DEFAULT_OUT = "provcap-out"
_KERNELS = """Lists the kernels that vm run knows by name, and which of them are here.

    provcap vm kernels
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe ``provcap vm run`` and ``provcap vm kernels``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="run|kernels")
    run_parser = actions.add_parser(
        "run",
        help="boot a kernel, run a command, record it",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = ", ".join(kernels.KNOWN)
    run_parser.add_argument("--kernel", default="6.12", help=f"{known}, or a path (default 6.12)")
    run_parser.add_argument(
        "--cpus",
        type=_positive,
        metavar="N",
        help="N at the same time (default: 2 that take turns)",
    )
    run_parser.add_argument(
        "--memory", type=_positive, default=2048, metavar="MIB", help="default 2048"
    )
    run_parser.add_argument(
        "--out", type=Path, metavar="DIR", help=f"folder for results (default {DEFAULT_OUT})"
    )
    run_parser.add_argument(
        "--kernel-arg", action="append", default=[], metavar="ARG", help="may be repeated"
    )
    run_parser.add_argument("--no-record", action="store_true", help="only run the command")
    add_options(run_parser)
    add_command(run_parser)
    actions.add_parser(
        "kernels",
        help="list the kernels that are known, and which are here",
        description=_KERNELS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run(args: argparse.Namespace) -> int:
    """Do what was asked; the status of ``vm run`` is the status of its command."""
    return _list_kernels() if args.action == "kernels" else _run(args)


def guest_command(command: list[str], out: Path, options: list[str]) -> list[str]:
    """What the guest runs so that ``command`` is recorded into ``out``/audit.raw."""
    python = [sys.executable, "-m", "provcap.cli.main"]
    return [*python, "record", f"--out={out}", "--raw", *options, "--", *command]


def guest_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The caller's, with the programs of this installation (provcap, camflow) found first."""
    here = str(Path(sys.executable).parent)
    return {**environment, "PATH": os.pathsep.join((here, environment.get("PATH", os.defpath)))}


def finish(out: Path) -> None:
    """Turn ``out``/audit.raw, as the guest left it, into ``out``/audit.log.

    A recording that the guest's death cut short is turned as far as it goes.
    """
    if not (out / "audit.raw").exists():
        return
    try:
        write_log(out)
    except RecordingError as error:
        print(f"provcap vm: {error}", file=sys.stderr)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def _list_kernels() -> int:
    for name, package in kernels.KNOWN.items():
        here = kernels.cached(name)
        state = f"cached: {here[-1].version}" if here else f"not fetched yet ({package})"
        print(f"{name:<6} {state}")
    return 0


def _run(args: argparse.Namespace) -> int:
    path = guest_environment(os.environ)["PATH"]
    command = command_of(args, "provcap vm run", path)
    out = None if args.no_record and not args.out else (args.out or Path(DEFAULT_OUT)).resolve()
    with _sigterm_as_exit(), progress() as report:
        try:
            return _in_guest(args, command, out, report)
        finally:
            if out and not args.no_record:
                report("turning the recording into audit.log")
                finish(out)


def _in_guest(
    args: argparse.Namespace, command: list[str], out: Path | None, report: Callable[[str], None]
) -> int:
    """Boot, run ``command``, show its output as it comes, end the guest; returns its status."""
    kernel = kernels.resolve(args.kernel, report)
    words = (
        command if args.no_record or out is None else guest_command(command, out, words_of(args))
    )
    with Machine(
        kernel,
        cpus=args.cpus,
        memory_mib=args.memory,
        share=_writable(out),
        kernel_args=args.kernel_arg,
        report=report,
    ) as machine:
        report("running" if args.no_record else "recording")
        result = machine.run(
            words,
            stdout=lambda data: _show(sys.stdout.fileno(), data, report),
            stderr=lambda data: _show(sys.stderr.fileno(), data, report),
            env=guest_environment(os.environ),
            timeout_s=None,
        )
    return result.status


def _writable(out: Path | None) -> Path | None:
    """``out``, made if absent; SetupError when it cannot be."""
    try:
        if out:
            out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"cannot make the folder {out}: {error.strerror}") from error
    return out


def _show(target: int, data: bytes, report: Callable[[str], None]) -> None:
    """Write ``data`` through to the caller's own output, past Python's buffers."""
    report("")  # the first output takes the progress line away
    while data:
        data = data[os.write(target, data) :]


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A function that shows the step that is under way, on a terminal only."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: None
        return
    with console.status("starting") as status:

        def report(step: str) -> None:
            if step:
                status.update(step)
                status.start()
            else:
                status.stop()

        yield report


@contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that the guest is ended in order."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
