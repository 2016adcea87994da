"""The ``provcap`` command: finds the module of the command word and hands it the rest.

Each command is one module of this folder with ``SUMMARY`` (one line), ``add_arguments(parser)``
and ``run(args) -> exit status``. Only the module that is asked for is imported, so start-up stays
quick.
"""

import argparse
import difflib
import importlib
import sys

import provcap
from provcap.cli.outcome import outcome
from provcap.cli.parser import Parser

COMMANDS = {
    "coverage": "play small workloads in a guest and compare their edges with what is promised",
    "disclose": "say what a program does, beside what the kernel sees of it",
    "doctor": "say whether this machine can capture, and what to change if not",
    "draw": "draw where something came from or went to, as SVG, PNG, HTML or dot",
    "log": "put a line of text into the recording that is being made",
    "record": "record a command on this machine, which must be able to load BPF LSM programs",
    "replay": "turn a raw recording into another format",
    "summary": "count the nodes, relations and losses of a recording",
    "verify": "check that a recording is acyclic and has no dangling end",
    "vm": "run a command in a guest kernel and record it there",
    "why": "print where a file came from",
}
EXAMPLES = (
    "provcap vm run --out results -- sh -c 'sort /etc/passwd > results/sorted'",
    "provcap why results/sorted --log results/audit.log",
)


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit status (an error is printed and gives its own status)."""
    words = sys.argv[1:] if argv is None else argv
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        print(f"provcap {provcap.__version__}")
        return 0
    name, rest = words[0], words[1:]
    if name not in COMMANDS:
        print(f"provcap: {_unknown(name)}", file=sys.stderr)
        return 2
    command = importlib.import_module(f"provcap.cli.{name}")
    parser = Parser(
        prog=f"provcap {name}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    args = parser.parse_args(rest)
    return outcome(f"provcap {name}", lambda: int(command.run(args)))


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    return (
        "usage: provcap COMMAND ...\n\n"
        + "\n".join(lines)
        + "\n\nprovcap COMMAND --help says more. To begin:\n\n"
        + "\n".join(f"  {example}" for example in EXAMPLES)
    )


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f' (did you mean "{close[0]}"?)' if close else " (provcap --help lists the commands)"
    return f'unknown command "{name}"{hint}'


if __name__ == "__main__":
    sys.exit(main())
