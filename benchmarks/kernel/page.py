"""Writes the reference page of a measurement, and shows the same tables on a terminal.

Public: :func:`page`, :func:`show`.
"""

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.kernel.ceilings import CEILINGS
from benchmarks.kernel.results import Results
from benchmarks.kernel.tables import Table

_HEAD = """# Performance

What capture costs in the kernel, in **instructions of the guest**: it runs on an emulated CPU on
which one instruction takes one nanosecond, so that no load of the host changes the result. Measured
and written by

    make bench-kernel

The same again, compared with what is stored: `make bench-kernel CHECK=1`; fewer operations, in less
time: `make bench-kernel QUICK=1`. How it is measured, where the instructions go and what would save
some of them: [cost](../explanation/cost.md).

*Base* is without any program. *Unfiltered* and *shipped* are whole-system capture without filters
and with the shipped ones (directory, inode_unknown, char, envp). *Floor* is the least that eBPF
programs at the same hooks can add. *ProvBPF* is that system ported to the same kernel, measured
once in the same kind of guest, with a ring that nobody drains; *CamFlow* what its successors
published of it, in wall-clock time on another machine.
"""


def page(results: Results, tables: list[Table]) -> str:
    """The whole page."""
    parts = [_HEAD, _made_with(results), "", summary(results), ""]
    for table in tables:
        parts += [f"## {table.title}\n", f"{table.about}\n", *_markdown(table), ""]
    return "\n".join(parts)


def show(results: Results, tables: list[Table]) -> None:
    """Print the tables: drawn on a terminal, aligned columns otherwise."""
    console = Console() if sys.stdout.isatty() else None
    for table in tables:
        if console:
            console.print(_rich(table))
        else:
            print(f"\n{table.title}. {table.about}")
            print("\n".join(_plain(table)))
    print(f"\n{summary(results)}")


def summary(results: Results) -> str:
    """One sentence on losses, one on ceilings."""
    met = [found for ceiling in CEILINGS if (found := ceiling.met(results)) is not None]
    lost = ", ".join(results.lost) or "nothing"
    absent = "".join(f" Not measured: {mode} ({why})." for mode, why in results.without.items())
    return f"Lost in the same run: {lost}. {sum(met)} of {len(met)} ceilings met.{absent}"


def _made_with(results: Results) -> str:
    return f"Linux {results.kernel}, one CPU, `lsm=bpf`; object compiled by {results.compiler}."


def _markdown(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(table.head)} |"
    yield "|---" + "|---:" * (len(table.head) - 1) + "|"
    yield from (f"| {' | '.join(row)} |" for row in table.rows)


def _plain(table: Table) -> Iterator[str]:
    rows = [list(table.head), *([cell.replace("`", "") for cell in row] for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [f"{first:<{widths[0]}}"]
        cells += [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join(cells).rstrip()


def _rich(table: Table) -> RichTable:
    drawn = RichTable(title=f"{table.title}. {table.about}", title_justify="left")
    for place, name in enumerate(table.head):
        drawn.add_column(name, justify="right" if place else "left")
    for row in table.rows:
        cells = [cell.replace("`", "") for cell in row]
        drawn.add_row(*(f"[red]{cell}" if cell == "not met" else cell for cell in cells))
    return drawn
