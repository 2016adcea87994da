"""Writes the reference page of a measurement, and shows the same tables on a terminal.

Public: :func:`page`, :func:`show`.
"""

from benchmarks.kernel.ceilings import CEILINGS
from benchmarks.kernel.results import Results
from benchmarks.show import Table, markdown
from benchmarks.show import show as show_tables

_HEAD = """# Performance

What capture costs in the kernel, in **instructions of the guest**: it runs on an emulated CPU on
which one instruction takes one nanosecond, so that no load of the host changes the result. Measured
and written by

    make bench-kernel

The same again, compared with what is stored: `make bench-kernel CHECK=1`; fewer operations, in less
time: `make bench-kernel QUICK=1`. How it is measured, where the instructions go and what would save
some of them: [cost](../explanation/cost.md). Other pages have [how much is recorded](volume.md),
[whether the cost grows](scale.md) with CPUs, objects or time, and [the memory](kernel-memory.md)
that all of it takes.

*Base* is without any program. *Unfiltered* and *shipped* are whole-system capture without filters
and with those that CamFlow ships (directory, inode_unknown, char, envp; provcap sets none by
itself). *Floor* is the least that eBPF programs at the same hooks can add. *ProvBPF* is that system
ported to the same kernel, measured once in the same kind of guest, with a ring that nobody drains;
*CamFlow* what its successors published of it, in wall-clock time on another machine.
"""


def page(results: Results, tables: list[Table]) -> str:
    """The whole page."""
    parts = [_HEAD, _made_with(results), "", summary(results), ""]
    for table in tables:
        parts += [f"## {table.title}\n", f"{table.about}\n", *markdown(table), ""]
    return "\n".join(parts)


def show(results: Results, tables: list[Table]) -> None:
    """Print the tables: drawn on a terminal, aligned columns otherwise."""
    show_tables(tables)
    print(f"\n{summary(results)}")


def summary(results: Results) -> str:
    """One sentence on losses, one on ceilings."""
    met = [found for ceiling in CEILINGS if (found := ceiling.met(results)) is not None]
    lost = ", ".join(results.lost) or "nothing"
    absent = "".join(f" Not measured: {mode} ({why})." for mode, why in results.without.items())
    return f"Lost in the same run: {lost}. {sum(met)} of {len(met)} ceilings met.{absent}"


def _made_with(results: Results) -> str:
    return f"Linux {results.kernel}, one CPU, `lsm=bpf`; object compiled by {results.compiler}."
