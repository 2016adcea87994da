"""Draw where something came from, or what came of it.

    provcap draw /tmp/report.txt --log audit.log --out report.html
    provcap draw /tmp/report.txt --log audit.log --out report.svg --direction both
    provcap draw --log audit.log --out all.png
    provcap draw pid:231 --log audit.log --format dot --versions | less

A target is a path, pid:NUMBER, disc:LABEL or a cf:... identifier; without one the whole recording
is drawn. docs/howto/draw-a-graph.md explains the picture.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from provcap.cli import partial
from provcap.cli.why import TARGET, as_recorded, depth
from provcap.errors import OutputError, RecordingError, UsageError
from provcap.graph import dot, html, queries
from provcap.graph.ingest import load
from provcap.graph.model import Graph
from provcap.graph.picture import DEFAULT_LIMIT, DIRECTIONS, FROM, Options, Picture, make
from provcap.graph.scope import NO_LIMIT
from provcap.graph.titles import clean

SUMMARY = "draw where something came from or went to, as SVG, PNG, HTML or dot"
FORMATS = ("svg", "png", "dot", "html")
_SUFFIXES = {f".{form}": form for form in FORMATS} | {".gv": "dot", ".htm": "html"}
_NO_SUFFIX = "it has no suffix that tells the format"
HTML_LIMIT = 500  # a page can be zoomed and searched
VERSIONS_LIMIT = 2000  # who wants it exact wants it whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this command."""
    add = parser.add_argument
    add("target", nargs="?", help=f"{TARGET} (default: everything)")
    add("--log", required=True, help="W3C log (may end in .gz), - for standard input")
    add("--format", choices=FORMATS, help="what to write (default: by the suffix of --out)")
    add("--out", metavar="FILE", help="file to write (default: standard output)")
    add("--depth", type=depth, help="steps from the target (default: all)")
    add("--direction", choices=DIRECTIONS, help="what it came from (default), what came of it")
    add("--control", action="store_true", help="draw what carries no content too: opens, look-ups")
    add("--libraries", action="store_true", help="draw each library and system file")
    add("--versions", action="store_true", help="draw each version: the exact, acyclic graph")
    add(
        "--max-nodes",
        type=depth,
        metavar="N",
        help="fold until so few are left (150, in a page 500)",
    )
    add("--intact", action="store_true", help="status 0 although the log is damaged")


def run(args: argparse.Namespace) -> int:
    """Draw; returns the exit status, which is not 0 if the log could be read only in part."""
    form = _form(args)
    options = _options(args, form)
    with _busy("reading the log") as say:
        graph = load(args.log, intact_only=True)
        if not graph.documents:
            raise RecordingError(graph.damage[0])
        say("laying the picture out")
        drawn = _draw(graph, args.target, options, form)
        _write(drawn, args.out, form)
    return _report(graph, args.intact)


def _form(args: argparse.Namespace) -> str:
    _keep_the_log(args)
    if args.format:
        return str(args.format)
    if not args.out:
        raise UsageError("what to draw? give --out picture.svg (.png, .html, .dot) or --format svg")
    suffix = Path(args.out).suffix
    if suffix.lower() not in _SUFFIXES:
        problem = f"no format is known by the suffix {suffix}" if suffix else _NO_SUFFIX
        known = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        raise UsageError(f"{args.out}: {problem}: give --format {known}")
    return _SUFFIXES[suffix.lower()]


def _keep_the_log(args: argparse.Namespace) -> None:
    """A picture is soon drawn again, a recording is not."""
    paths = [Path(path) for path in (args.out, args.log) if path and Path(path).exists()]
    if len(paths) == 2 and paths[0].samefile(paths[1]):
        raise UsageError(f"--out {args.out} is the log itself: give another file")


def _options(args: argparse.Namespace, form: str) -> Options:
    for name in ("depth", "direction"):
        if args.target is None and getattr(args, name):
            raise UsageError(f"--{name} needs a target: a {TARGET}")
    return Options(
        direction=args.direction or FROM,
        depth=args.depth or NO_LIMIT,
        control=args.control,
        libraries=args.libraries,
        versions=args.versions,
        limit=args.max_nodes or _limit(form, args.versions),
    )


def _limit(form: str, versions: bool) -> int:
    if versions:
        return VERSIONS_LIMIT
    return HTML_LIMIT if form == "html" else DEFAULT_LIMIT


def _draw(graph: Graph, target: str | None, options: Options, form: str) -> bytes:
    targets: list[int] = []
    if target is not None:
        target = as_recorded(target)
        targets = queries.resolve(graph, target)
        if options.direction != FROM and not target.startswith("cf:"):
            targets = queries.all_versions(graph, targets)
    picture, names = make(graph, targets, options, target or "")
    _check(picture)
    return html.render(graph, picture, names) if form == "html" else dot.render(picture, form)


def _check(picture: Picture) -> None:
    if not picture.nodes:
        raise UsageError("nothing to draw: no flow was recorded (--control draws opens too)")


def _write(drawn: bytes, out: str | None, form: str) -> None:
    if out is None or out == "-":
        if form == "png" and sys.stdout.isatty():
            raise UsageError("a PNG is not for a terminal: give --out picture.png")
        sys.stdout.buffer.write(drawn)
        return
    try:
        Path(out).write_bytes(drawn)
    except OSError as error:
        raise OutputError(f"{out}: {error.strerror or error}") from error


@contextmanager
def _busy(doing: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal what is going on; gives a function that changes the words."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{doing} ...") as status:
        yield lambda words: status.update(f"{words} ...")


def _report(graph: Graph, intact: bool) -> int:
    """Say what could not be read; the picture says so too."""
    for damage in graph.damage[:5]:
        print(f"provcap draw: {clean(damage)}; the picture is partial", file=sys.stderr)
    cut = partial.status("draw", graph, intact)
    return 1 if graph.damage and not intact else cut
