"""Lays out what the measurement found as a page of the reference.

Public: :func:`page`, :func:`growth`, :func:`verdicts`, :func:`grows`, :class:`Verdict`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from benchmarks import show
from benchmarks.kernel import figures
from benchmarks.maps import MapShape, map_shapes
from benchmarks.scale import shared
from benchmarks.scale.plan import ALONE, CPUS, CROWD, FEW, HOURS, MANY, STATES
from benchmarks.scale.results import Cost, Scale
from benchmarks.show import Page, Table, number
from provcap.bpf import loader

GROWN = 0.02, 0.01
"""As a part of what capture added before, and of the operation without capture: less is not told
from what the two differ by themselves."""
GROWN_FORK = 0.05
"""Of the operation, if it makes processes."""
GROWN_SUMMED = 0.1
"""As a part of what was added, where that is the sum of the programs that ran: they allocate, which
takes more or less by itself."""

_HEAD = """# Scale

Whether an operation costs more with more CPUs, with more objects alive, or the longer a capture
runs; in **instructions of the guest**, as on the page on [performance](performance.md), with
shipped filters. Measured and written by

    make bench-scale

with Linux {kernel}; object compiled by {compiler}.
Lost in the same run: nothing, or the numbers would have been refused.

{verdict}

*Grows* is by more than {part:.0%} of what capture added before, and by more than {base:.0%} of the
operation itself ({fork:.0%} if it makes processes); where the sum of programs is told, by more than
{summed:.0%} of that. `make bench-scale` fails then.
"""


def page(found: Scale) -> Page:
    """The whole page; raises ``SetupError`` if the object is not built."""
    shapes = map_shapes(loader.read_object(loader.find_object()))
    verdict = "\n".join(show.wrapped(f"- {line}", "  ") for line, _ in verdicts(found))
    head = _HEAD.format(
        kernel=found.kernel,
        compiler=found.compiler,
        verdict=verdict,
        part=GROWN[0],
        base=GROWN[1],
        fork=GROWN_FORK,
        summed=GROWN_SUMMED,
    )
    tables = [_crowd(found), _aged(found), _events(found), _shared(shapes)]
    return Page(head, tables)


def growth(before: Cost, after: Cost, kind: str = "simple") -> float | None:
    """By what part of it the added cost has grown; None if that is no more than measurements do.

    ``kind``: of the operation, as in figures.toml; ``summed``: only its programs were added up.
    """
    more = after.added - before.added
    part, of_base = GROWN
    if kind == "summed":
        part, of_base = GROWN_SUMMED, 0.0
    elif kind == "fork":
        of_base = GROWN_FORK
    if more <= max(part * before.added, of_base * before.base):
        return None
    return more / before.added if before.added > 0 else 1.0


class Verdict(NamedTuple):
    """On one thing that could make an operation dearer."""

    text: str
    grows: bool


def verdicts(found: Scale) -> Iterator[Verdict]:
    """Whether it grows with CPUs, with records made, with time, with files.

    One process was measured twice, in guests with one and with several CPUs; the dearer counts.
    """
    one, most = found.crowd[str(CPUS[0])], found.crowd[str(CPUS[-1])]
    one = {name: max(cost, found.crowd[ALONE][name], key=_added) for name, cost in one.items()}
    yield _verdict(f"From 1 to {CPUS[-1]} CPUs", one, most, CROWD, found.crowd_summed)
    titles = {name: figure.title for name, figure in figures.read().items()}
    known = titles, found.summed
    few, events = found.aged["few"], found.records["later"] - found.records["few"]
    yield _verdict(f"After {events:,} further records", few, found.aged["later"], *known)
    if "hours" in found.aged:
        yield _verdict(f"After {HOURS} hours more", few, found.aged["hours"], *known)
    yield _verdict(f"From {FEW:,} to {MANY:,} files met", few, found.aged["many"], *known)


def _added(cost: Cost) -> float:
    return cost.added


def grows(found: Scale) -> list[str]:
    """The verdicts that are bad."""
    return [verdict.text for verdict in verdicts(found) if verdict.grows]


def _verdict(
    what: str,
    before: Mapping[str, Cost],
    after: Mapping[str, Cost],
    titles: Mapping[str, str],
    summed: Sequence[str],
) -> Verdict:
    def kind(name: str) -> str:
        return "summed" if name in summed else "fork" if "fork" in name else "simple"

    grown = [
        f"{titles[name]} ({before[name].added:,.0f} -> {after[name].added:,.0f}, {part:+.0%})"
        for name in before
        if (part := growth(before[name], after[name], kind(name))) is not None
    ]
    if grown:
        return Verdict(f"{what} what capture adds **grows** for: {', '.join(grown)}.", True)
    return Verdict(f"{what} what capture adds **does not grow** for any operation.", False)


def _crowd(found: Scale) -> Table:
    states = [ALONE, *map(str, CPUS)]
    rows = [
        [
            title,
            *(number(found.crowd[state][name].base) for state in (states[1], states[-1])),
            *(number(found.crowd[state][name].added) for state in states),
            *_of_record([found.crowd[states[1]][name], found.crowd[states[-1]][name]]),
        ]
        for name, title in CROWD.items()
    ]
    about = (
        f"One process bound to each of 1, 2 or {CPUS[-1]} CPUs of a guest that has {CPUS[-1]}; all"
        " begin at the same moment and do the same as often, each with files of its own. The"
        " virtual CPUs take turns on one clock, which stands still for none of them, so the time"
        " that passes, over the operations of all, is the instructions of one operation, those"
        " of waiting in a loop for another CPU included. That the counter can be trusted there"
        " shows in the first row: a loop without a system call takes its two instructions on"
        " any number of CPUs. *Alone* is the same in a guest with one CPU; of it and of *1* the"
        " dearer is what more CPUs are compared with. *Per record* is"
        " what is added over the records that are made."
    )
    head = ["operation", "base, 1", f"base, {CPUS[-1]}", "added, alone"]
    head += [f"added, {cpus}" for cpus in CPUS]
    head += ["records", "per record, 1", f"per record, {CPUS[-1]}"]
    more = (
        f"{_about_crowd_forks(found)} Virtual CPUs that"
        " take turns are in each other's way only where a turn ends in the middle of something: an"
        " exchange that another CPU spoils, or a lock that it holds, is met less often than on"
        " real ones. And instructions say nothing of cache lines that move between CPUs. What"
        " could be fought over is in the list below."
    )
    return Table("CPUs", about, head, rows, more=more)


def _about_crowd_forks(found: Scale) -> str:
    """What is told of what makes processes, and why."""
    same = (
        "What makes processes differs by up to 5 % from one play to the next, with any number of"
        " CPUs: more than capture adds to it"
    )
    if not found.crowd_summed:
        return (
            f"{same}; and what the kernel does with a process a grace period after its end, records"
            " included, may come after the stretch."
        )
    return (
        f"{same}. So of a `fork` the sum of the programs that run is told, with 185 for being"
        " attached, in the cheapest of several rounds: when the turn of a virtual CPU ends in the"
        " middle of a program, the turns of the others count as its time. What the kernel itself"
        " waits for is not in that sum; it is in the mixture. Records that are made a grace period"
        " after the end of a process may come after the stretch."
    )


def _of_record(costs: Sequence[Cost]) -> Iterator[str]:
    """Records of one repetition, then what each of the costs is for one of them."""
    records = costs[0].records
    yield f"{records:.2f}"
    for cost in costs:
        yield number(cost.added / cost.records) if records >= 0.5 else ""


def _aged(found: Scale) -> Table:
    titles = {name: figure.title for name, figure in figures.read().items()}
    rows = [
        [
            titles[name],
            *(number(found.aged[state][name].base) for state in ("few", "many")),
            *(number(found.aged[state][name].added) for state in found.aged),
            *(f"{found.aged[state][name].records:.2f}" for state in found.aged),
        ]
        for name in found.aged["few"]
    ]
    states = "; ".join(f"*{state}* {STATES[state]}" for state in found.aged)
    about = (
        "The operations of the page on performance, on one CPU, in one capture that goes on:"
        f" {states}. The files are made and opened once while the capture runs, and all of them"
        " stay in the kernel's cache with their state; the operations are done at a few others."
        " Without capture the same is done, so that what the kernel itself takes with so many"
        f" files is not counted.{_about_forks(found)} A further name of a known file costs"
        " less in the first state than in the others, which are alike."
    )
    head = ["operation", "base, few", "base, many"]
    head += [f"{what}, {state}" for what in ("added", "records") for state in found.aged]
    return Table("Objects and time", about, head, rows)


def _about_forks(found: Scale) -> str:
    if not found.summed:
        return " A `fork` differs by up to 5 % from one play to the next: more than capture adds."
    return (
        " A `fork` differs by more than capture adds to it, so for processes the sum of the"
        " programs that run is told, with 185 for being attached."
    )


def _events(found: Scale) -> Table:
    rows = [[STATES[state], number(records)] for state, records in found.records.items()]
    about = "Records of the capture when the operations of a state began."
    return Table("How much had been recorded", about, ["state", "records"], rows)


def _shared(shapes: Sequence[MapShape]) -> Table:
    rows = [
        [f"`{name}`", written.whose, written.by, written.often]
        for name, written in shared.read().items()
    ]
    about = (
        "Every map of the object, with who writes to it and how often. There are no further"
        " variables that a program writes. Nothing that belongs to all CPUs is written by every"
        " hook, and nothing by one that says nothing new. Reading, writing, opening or naming a"
        " file that is met already and that nobody has mapped shared writes nothing of that kind,"
        " either. What does, by its row: a new edge into a file that is mapped shared (a counter"
        " of `machine`); an inode, a task or a socket that comes or goes (a lock of as many as"
        " there are CPUs, in the kernel's own code for local storage); a process that comes or"
        " goes (`free_memories`); one name in some 128 that enter the table of `names`."
    )
    head = ["map", "belongs to", "written by", "how often"]
    size = next(shape.value_bytes for shape in shapes if shape.name == "memories")
    more = (
        f"Entries of `memories` are {size} bytes, one behind the other, so on a cache line that"
        " two processes have in common is only what one of them writes when it shares memory;"
        " entries of the other maps have memory of their own. What hooks read in `machine` and what"
        " they write there is 64 bytes apart."
    )
    return Table("What is written, and by whom", about, head, rows, texts=4, more=more)
