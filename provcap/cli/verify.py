"""Check that a recording is acyclic and has no dangling end.

    provcap verify audit.log

Exit status: 0 if every check passed, 1 if one failed. docs/reference/verify.md explains each check.
"""

import argparse

from provcap.cli import partial
from provcap.graph.checks import Report, edge_text, verify
from provcap.graph.ingest import load
from provcap.graph.model import Graph
from provcap.graph.titles import clean

SUMMARY = "check that a recording is acyclic and has no dangling end"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this command."""
    parser.add_argument("log", help="W3C log (may end in .gz), - for standard input")
    parser.add_argument(
        "--intact", action="store_true", help="skip what cannot be read; it still counts as failed"
    )


def run(args: argparse.Namespace) -> int:
    """Print the report; returns the exit status."""
    graph = load(args.log, intact_only=args.intact)
    report = verify(graph)
    for line in _lines(graph, report):
        print(clean(line))
    cut = partial.status("verify", graph, args.intact)
    return cut if report.passed else 1


def _lines(graph: Graph, report: Report) -> list[str]:
    checked = f"({report.edge_count} edges checked)"
    lines = [f"acyclic: {'no' if report.cycle else 'yes'} {checked}"]
    lines += [f"  {edge_text(graph, edge)}" for edge in report.cycle]
    for finding in report.findings:
        lines.append(f"{finding.name}: {finding.failures}")
        lines += [f"  {example}" for example in finding.examples]
        if (more := finding.failures - len(finding.examples)) > 0:
            lines.append(f"  ... and {more} more")
    return lines
