"""Say what a program does, beside what the kernel sees, while a recording is made.

    provcap disclose activity "nightly training" seed=7
    provcap disclose entity "measurements of May" rows=81000
    provcap disclose used ACTIVITY ENTITY
    provcap disclose --file steps.jsonl

Words: entity, activity, agent NAME [KEY=VALUE...]; and with the ids that these print: used ACTIVITY
ENTITY, generated ENTITY ACTIVITY, informed ACTIVITY INFORMANT, derived ENTITY SOURCE, influenced
ONE OTHER, associated ACTIVITY AGENT. "self" is the process that discloses.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from provcap import disclose
from provcap.disclose import NODES, RELATIONS
from provcap.errors import UsageError

SUMMARY = "say what a program does, beside what the kernel sees of it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this command."""
    add_connection(parser)
    parser.add_argument(
        "--file", metavar="FILE", help="requests in JSON: one a line, or one list; - for input"
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="what is disclosed")


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Declare where the recorder is, and of which process a disclosure is."""
    parser.add_argument(
        "--socket",
        metavar="PATH",
        help=f"of the recorder (default ${disclose.VARIABLE}, else {disclose.DEFAULT_SOCKET})",
    )
    parser.add_argument(
        "--for",
        dest="whose",
        choices=("parent", "self"),
        default="parent",
        help="the process that started this command (default), or this command itself",
    )


def connected(args: argparse.Namespace) -> disclose.Session:
    """A session as the options ask for it."""
    return disclose.connect(args.socket, for_parent=args.whose == "parent")


def run(args: argparse.Namespace) -> int:
    """Disclose; ids on standard output, one a line."""
    if bool(args.words) == (args.file is not None):
        raise UsageError("either words or --file: provcap disclose entity NAME [KEY=VALUE...]")
    lines = _lines(args.file) if args.file is not None else [_request(args.words)]
    with connected(args) as session:
        for id in disclose.play(session, lines):
            print(id, flush=True)
    return 0


def _request(words: list[str]) -> dict[str, Any]:
    word, *rest = words
    if word in NODES:
        if not rest:
            raise UsageError(f"provcap disclose {word} NAME [KEY=VALUE...]")
        return {"do": word, "name": rest[0], "attributes": dict(map(_attribute, rest[1:]))}
    if word not in RELATIONS:
        raise UsageError(f'"{word}" is none of {", ".join((*NODES, *RELATIONS))}')
    ends = RELATIONS[word][1]
    if len(rest) != len(ends):
        raise UsageError(f"provcap disclose {word} {' '.join(ends).upper()}")
    return {"do": word, **dict(zip(ends, rest, strict=True))}


def _attribute(word: str) -> tuple[str, Any]:
    """``KEY=VALUE``: a whole number is one, everything else is text."""
    key, equals, value = word.partition("=")
    if not equals:
        raise UsageError(f"{word!r} is not KEY=VALUE")
    try:
        return key, int(value) if str(int(value)) == value else value
    except ValueError:
        return key, value


def _lines(name: str) -> Iterator[Mapping[str, Any]]:
    """The requests of a file: a JSON list, or one object a line as they come."""
    if name == "-":
        yield from _requests(sys.stdin, "standard input")
        return
    try:
        with Path(name).open(encoding="utf-8") as file:
            yield from _requests(file, name)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from error


def _requests(lines: Any, source: str) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        whole = line if not line.lstrip().startswith("[") else line + lines.read()
        try:
            value = json.loads(whole)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{source}:{number}: no JSON ({error})") from error
        found = value if isinstance(value, list) else [value]
        if not all(isinstance(one, dict) for one in found):
            raise UsageError(f"{source}:{number}: a request is a JSON object")
        yield from found
