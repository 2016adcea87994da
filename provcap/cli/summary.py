"""Count the nodes, relations and losses of a recording.

    provcap summary audit.log
    provcap summary --json audit.log

docs/reference/losses.md explains what can be missing.
"""

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from provcap.cli import partial
from provcap.graph.counts import Counts, count
from provcap.graph.ingest import load
from provcap.graph.losses import arrived, completeness, is_complete
from provcap.graph.model import Graph
from provcap.graph.titles import clean
from provcap.vocabulary import HARMLESS, PARTIAL

SUMMARY = "count the nodes, relations and losses of a recording"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this command."""
    parser.add_argument("log", help="W3C log (may end in .gz), - for standard input")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--intact", action="store_true", help="use what is there of a cut log")


def run(args: argparse.Namespace) -> int:
    """Print the counts; returns the exit status."""
    graph = load(args.log, intact_only=args.intact)
    counts = count(graph)
    if args.json:
        print(json.dumps(_data(graph, counts), indent=2))
    else:
        for line in _lines(graph, counts):
            print(clean(line))
    return partial.status("summary", graph, args.intact)


def _data(graph: Graph, counts: Counts) -> dict[str, object]:
    return {
        "documents": graph.documents,
        "nodes": {k.kind: {"objects": k.objects, "versions": k.versions} for k in counts.kinds},
        "relations": dict(counts.relations),
        "losses": [loss._asdict() for loss in counts.losses],
        "records": arrived(graph),
        "complete": is_complete(graph),
        "completeness": completeness(graph),
        "damage": graph.damage,
        "first_ns": counts.first_ns,
        "last_ns": counts.last_ns,
    }


def _lines(graph: Graph, counts: Counts) -> Iterator[str]:
    total = f"{graph.object_count} objects, {graph.node_count} versions, {graph.edge_count} edges"
    yield f"{graph.source}: {total}, {graph.documents} documents"
    if counts.first_ns:
        yield f"from {_time(counts.first_ns)} to {_time(counts.last_ns)}"
    yield ""
    yield f"{'node type':<20} {'objects':>10} {'versions':>10}"
    yield from (f"{k.kind:<20} {k.objects:>10} {k.versions:>10}" for k in counts.kinds)
    yield ""
    yield f"{'relation':<20} {'edges':>10}"
    yield from (f"{name:<20} {edges:>10}" for name, edges in counts.relations)
    yield ""
    yield from _by_cpu(graph, counts)
    yield from _losses(counts)
    yield completeness(graph)


def _by_cpu(graph: Graph, counts: Counts) -> Iterator[str]:
    """What came from each CPU and what is known to be missing there."""
    found = arrived(graph)
    if not found:
        return
    yield f"{'CPU':<20} {'records':>10} {'lost':>10}"
    for cpu, records in found.items():
        mine = [loss for loss in counts.losses if loss.cpu == cpu and loss.cause not in HARMLESS]
        yield f"{cpu:<20} {records:>10} {sum(loss.records for loss in mine):>10}"
    yield ""


def _losses(counts: Counts) -> Iterator[str]:
    if counts.losses:
        yield f"{'lost, by cause':<30} {'CPU':>4} {'records':>10}"
    for loss in counts.losses:
        cpu = "all" if loss.cpu is None else str(loss.cpu)
        word = "in part" if loss.cause in PARTIAL else "no loss"
        why = f"  {word}: {HARMLESS[loss.cause]}" if loss.cause in HARMLESS else ""
        yield f"{loss.cause.replace('_', ' '):<30} {cpu:>4} {loss.records:>10}{why}"


def _time(at_ns: int) -> str:
    moment = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{at_ns % 1_000_000_000 // 1_000_000:03} UTC"
