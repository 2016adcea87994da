"""What several commands read from their command line in the same way."""

import argparse
import shlex
import shutil

from provcap.errors import CommandNotFound, UsageError


def add_command(parser: argparse.ArgumentParser) -> None:
    """Everything behind ``--`` is the user's command."""
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND...")


def command_of(args: argparse.Namespace, usage: str, path: str | None = None) -> list[str]:
    """The user's command; UsageError if there is none, CommandNotFound if it cannot be found.

    ``path`` is where to look for it (default: ``$PATH``).
    """
    command: list[str] = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        raise UsageError(f"no command: {usage} [options] -- COMMAND...")
    if not shutil.which(command[0], path=path):
        raise CommandNotFound(f"no such command: {shlex.quote(command[0])}")
    return command
