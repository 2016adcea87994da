"""Print where a file came from: the processes, files and connections behind it, as a tree.

    provcap why /tmp/report.txt --log audit.log
    provcap why pid:231 --log audit.log --depth 3
    provcap why /etc/motd --log audit.log --all --follow control

A target is a path, pid:NUMBER, disc:LABEL or a cf:... identifier. docs/reference/why.md explains
the tree.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from provcap.cli import partial
from provcap.formats.text import text_of
from provcap.graph import queries, text, words
from provcap.graph.ingest import load_all
from provcap.graph.losses import completeness, is_complete
from provcap.graph.model import Graph
from provcap.graph.titles import clean
from provcap.graph.tree import DEFAULT_DEPTH, Line, Options, grow

TARGET = "path, pid:NUMBER, disc:LABEL or cf:... identifier"
SUMMARY = "print where a file came from"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this command."""
    add = parser.add_argument
    add("target", help=TARGET)
    add(
        "--log",
        action="append",
        required=True,
        help="W3C log (may end in .gz), - for standard input; repeated: logs of several boots",
    )
    add("--depth", type=depth, default=DEFAULT_DEPTH, help="levels to show (default %(default)s)")
    add("--all", action="store_true", help="show libraries, system files and environment too")
    add(
        "--follow",
        action="append",
        default=[],
        choices=("control", "naming", "influence"),
        help="follow relations of this class too (may be repeated)",
    )
    add("--json", action="store_true", help="print one JSON object")
    add("--ascii", action="store_true", help="draw the branches in ASCII")
    add("--intact", action="store_true", help="use what is there of a cut log")


def run(args: argparse.Namespace) -> int:
    """Print the tree; returns the exit status."""
    graph = load_all(args.log, intact_only=args.intact)
    args.target = as_recorded(args.target)
    nodes = queries.resolve(graph, args.target)
    flows = queries.ANCESTRY_FLOWS | {words.FLOWS[name] for name in args.follow}
    lines = grow(graph, nodes, Options(args.depth, args.all, flows))
    if args.json:
        print(json.dumps(_data(graph, args.target, lines), indent=2))
        return partial.status("why", graph, args.intact)
    _print_tree(lines, args.ascii)
    print(f"\n{clean(completeness(graph))}")
    _mention_others(graph, args.target)
    _mention_new_name(graph, args.target, nodes)
    return partial.status("why", graph, args.intact)


def depth(word: str) -> int:
    """Read a number from 1 up."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number from 1 up")
    return int(word)


def as_recorded(target: str) -> str:
    """Recorded paths begin at the root: a file that is here under a relative one is meant."""
    path = os.path.abspath(target) if os.path.exists(target) else target  # noqa: PTH100, PTH110
    foreign = any("\udc80" <= letter <= "\udcff" for letter in path)  # not UTF-8: bytes in Python
    return text_of(os.fsencode(path)) if foreign else path


def _data(graph: Graph, target: str, lines: Sequence[Line]) -> dict[str, object]:
    return {
        "target": target,
        "complete": is_complete(graph),
        "completeness": completeness(graph),
        "lines": text.as_data(lines),
    }


def _print_tree(lines: Sequence[Line], ascii_only: bool) -> None:
    encoding = sys.stdout.encoding or "ascii"
    ascii_only = ascii_only or not encoding.lower().startswith("utf")
    if not sys.stdout.isatty():
        printed = text.plain(lines, ascii_only)
        print(printed.encode(encoding, "backslashreplace").decode(encoding))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for row in text.pieces(lines, ascii_only):
        # Text takes no markup: a name cannot colour the screen
        console.print(Text.assemble(*row), soft_wrap=True)


def _mention_others(graph: Graph, target: str) -> None:
    """Say that a path stood for several files in turn, which one was shown, and how to ask on."""
    if target.startswith(("pid:", "disc:", "cf:")):
        return
    first, *nodes = queries.find(graph, target)
    known = graph.file_keys.get(graph.object_of[first])
    others = [
        graph.identifiers[node]
        for node in nodes
        if known is None or graph.file_keys.get(graph.object_of[node]) != known
    ]
    if others:
        names = ", ".join(others[:5])
        print(f"{len(others)} earlier file(s) had this name: ask for {clean(names)}")


def _mention_new_name(graph: Graph, target: str, nodes: Sequence[int]) -> None:
    """Say what a file is called now if the name that was asked for is no longer its own."""
    if target.startswith(("pid:", "disc:", "cf:")):
        return
    obj = graph.object_of[nodes[0]]
    now = [name for name in graph.names(obj) if graph.has_name(obj, name)]
    if now and target not in now:
        print(f"{clean(target)} is now {clean(now[0])}")
