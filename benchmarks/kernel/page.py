"""Writes the reference page of a measurement, and shows the same tables on a terminal.

Public: :func:`page`, :func:`show`, :func:`summary`, :func:`subset`.
"""

from collections.abc import Iterator, Mapping

from benchmarks.kernel.ceilings import CEILINGS
from benchmarks.kernel.figures import Figure
from benchmarks.kernel.results import Results
from benchmarks.show import Table, markdown, wrapped
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

**The recorder is stopped while a phase is timed**, and drains the rings between phases: there is
one CPU, and what the recorder takes of it would be counted with the operation.
[Reader](#reader) has what it takes, and what some operations take with the recorder awake; of those
only the ones that go on for 100 ms are long enough for that.

*Base* is without any program. *Unfiltered* and *shipped* are whole-system capture without filters
and with those that CamFlow ships (directory, inode_unknown, char, envp; provcap sets none by
itself). *Floor* is what attaching and the look-ups of the programs that are called take, and a bare
record of 64 bytes for each that is sent, each as measured by itself. *ProvBPF* is that system
ported to the same kernel, measured once in the same kind of guest, with a ring that nobody drains;
*CamFlow* what its successors published of it, in wall-clock time on another machine.
"""


def page(results: Results, tables: list[Table]) -> str:
    """The whole page."""
    parts = [_HEAD, _made_with(results), "", summary(results), ""]
    for table in tables:
        parts += [f"## {table.title}\n", f"{wrapped(table.about)}\n", *markdown(table), ""]
    return "\n".join(parts)


def show(results: Results, tables: list[Table], known: Mapping[str, Figure]) -> None:
    """Print the tables: drawn on a terminal, aligned columns otherwise."""
    show_tables(tables)
    print("\n".join(["", *subset(results, known), summary(results)]))


def subset(results: Results, known: Mapping[str, Figure]) -> Iterator[str]:
    """What a measurement leaves out, for people; nothing if it is whole."""
    played = len(results.modes.get("base", {}))
    if results.programs:
        yield (
            f"A quick measurement: {played} of {len(known)} operations, with {results.programs} of"
            " the capture's programs loaded and no other. Nothing here is of the whole capture."
        )


def summary(results: Results) -> str:
    """One sentence on losses, one on ceilings."""
    judged = [ceiling for ceiling in CEILINGS if ceiling.limit is not None]
    met = [found for ceiling in judged if (found := ceiling.met(results)) is not None]
    lost = ", ".join(results.lost) or "nothing"
    absent = "".join(f" Not measured: {mode} ({why})." for mode, why in results.without.items())
    told = f"{sum(met)} of {len(met)} ceilings met"
    if len(met) < len(judged):
        told = (
            f"Of {len(judged)} ceilings {len(met)} were measured, and {sum(met)} of those are met"
        )
    return f"Lost in the same run: {lost}. {told}.{absent}"


def _made_with(results: Results) -> str:
    return f"Linux {results.kernel}, one CPU, `lsm=bpf`; object compiled by {results.compiler}."
