"""Play small workloads in a guest and compare what is recorded with what is promised.

    provcap coverage
    provcap coverage --kernel 6.1 --only read --only read_refused
    provcap coverage --list

Each workload has its expected edges, written by hand; an edge that is not expected is wrong. The
status is 0 only if every promise is kept on every kernel. docs/reference/coverage.md has the last
result for all of them.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

from provcap.cli.vm import guest_command, progress
from provcap.coverage import flows as expectations
from provcap.coverage import page, player
from provcap.coverage.compare import Verdict, judge_all
from provcap.coverage.flows import Flow
from provcap.coverage.page import Results
from provcap.errors import OutputError, UsageError
from provcap.vm import kernels
from provcap.vm.machine import Machine

SUMMARY = "play small workloads in a guest and compare their edges with what is promised"
DEFAULT_KERNELS = ("6.12", "6.1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this command."""
    known = ", ".join(kernels.KNOWN)
    default = " and ".join(DEFAULT_KERNELS)
    parser.add_argument(
        "--kernel", action="append", help=f"{known}, or a path; may be repeated (default {default})"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="this workload; may be repeated"
    )
    parser.add_argument("--list", action="store_true", help="list the workloads, boot nothing")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the results there as JSON")
    parser.add_argument(
        "--page", type=Path, metavar="FILE", help="write the reference page, coverage.md"
    )


def run(args: argparse.Namespace) -> int:
    """Play and compare; 1 if a promise is not kept."""
    wanted = expectations.chosen(expectations.read(), args.only)
    if args.list:
        _print_list(wanted)
        return 0
    if args.page and args.only:
        raise UsageError("the page is of all workloads: leave out --only, or use --out FILE")
    with progress() as report:
        results = play(args.kernel or DEFAULT_KERNELS, wanted, report)
    _show(results)
    if args.out:
        _write(args.out, json.dumps(_data(results), indent=2) + "\n")
    if args.page:
        _write(args.page, page.page(results))
    return 0 if all(v.is_kept for verdicts in results.values() for v in verdicts) else 1


def play(
    names: Sequence[str], wanted: list[Flow], report: Callable[[str], None] = lambda step: None
) -> Results:
    """The verdicts of each kernel, by its version."""
    results = {}
    for name in names:
        kernel = kernels.resolve(name, report)
        with tempfile.TemporaryDirectory(prefix="provcap-coverage-") as folder:
            share = Path(folder)
            program = player.compile_program(share)
            with Machine(kernel, share=share, devices=player.DEVICES, report=report) as machine:
                report(f"playing {len(wanted)} workloads on {kernel.version}")
                recording = player.record(machine, program, [f.name for f in wanted], guest_command)
            results[kernel.version] = judge_all(wanted, recording, kernel.version)
    return results


def _print_list(wanted: list[Flow]) -> None:
    width = max(len(flow.name) for flow in wanted)
    for subject, group in groupby(wanted, lambda flow: flow.subject):
        print(f"{subject}:")
        for flow in group:
            print(f"  {flow.name:<{width}}  {flow.does}" + " (not yet)" * bool(flow.not_yet))


def _show(results: Results) -> None:
    if sys.stdout.isatty():
        Console().print(_table(results))
    else:
        for line in _lines(results):
            print(line)
    for line in _differences(results):
        print(line)
    for kernel, verdicts in results.items():
        print(page.summary(kernel, verdicts))


def _table(results: Results) -> Table:
    table = Table("workload", "what it does", *results)
    for row in zip(*results.values(), strict=True):
        cells = [f"[red]{page.result(v)}" if not v.is_kept else page.result(v) for v in row]
        table.add_row(row[0].flow.name, row[0].flow.does, *cells)
    return table


def _lines(results: Results) -> Iterator[str]:
    rows = [["workload", *results]]
    for row in zip(*results.values(), strict=True):
        rows.append([row[0].flow.name, *map(page.result, row)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _differences(results: Results) -> Iterator[str]:
    """What each broken promise is about, edge by edge."""
    for kernel, verdicts in results.items():
        for verdict in verdicts:
            if not verdict.is_kept:
                reason = f" ({verdict.reason})" if verdict.reason else ""
                yield f"\n{verdict.flow.name} on {kernel}: {verdict.state}{reason}"
                yield from (f"  missing    {edge}" for edge in verdict.missing)
                for edge in verdict.wrong:
                    yield f"  {'forbidden' if verdict.flow.forbids(edge) else 'wrong':<9}  {edge}"


def _data(results: Results) -> dict[str, dict[str, dict[str, object]]]:
    return {
        kernel: {verdict.flow.name: _facts(verdict) for verdict in verdicts}
        for kernel, verdicts in results.items()
    }


def _facts(verdict: Verdict) -> dict[str, object]:
    facts: dict[str, object] = verdict._asdict()
    del facts["flow"]
    return facts


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
