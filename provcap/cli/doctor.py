"""Say whether this machine can capture, and what to change if not.

    provcap doctor

Looks only: nothing is loaded, mounted or installed. Exit status 0 if a way is open, 1 if none is.
"""

import argparse

from provcap.services.doctor import Line, diagnose, gather

SUMMARY = "say whether this machine can capture, and what to change if not"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(args: argparse.Namespace) -> int:
    """Print the findings of both ways and what to run."""
    found = diagnose(gather())
    way = ""
    for line in found.lines:
        if line.way != way:
            way = line.way
            print(f"{way}:")
        print(_text(line))
    print(f"\n{found.conclusion}")
    return 0 if found.can_record or found.can_boot else 1


def _text(line: Line) -> str:
    fix = "" if line.ok or not line.fix else f"\n       {'':16} fix: {line.fix}"
    return f"  {'ok' if line.ok else 'no':<4} {line.subject:<16} {line.meaning}{fix}"
