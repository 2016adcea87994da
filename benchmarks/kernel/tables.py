"""Lays the results out as tables of words: operations, ceilings, programs, parts, volume.

Public: :func:`tables`.
"""

from collections.abc import Iterator, Mapping

from benchmarks.kernel.ceilings import CEILINGS, reader_per_record
from benchmarks.kernel.figures import Figure
from benchmarks.kernel.probes import NAMES
from benchmarks.kernel.results import Phase, Program, Results, added, sum_of_programs
from benchmarks.show import NOTHING, Table, number


def tables(results: Results, figures: Mapping[str, Figure]) -> list[Table]:
    """Everything that there is to show, in order; tables without rows are left out."""
    found = [
        _operations(results, figures),
        _ceilings(results),
        _macro(results),
        _programs(results, figures),
        _parts(results),
        _reader(results),
        _still(results, figures),
        _volume(results, figures),
    ]
    return [table for table in found if table.rows]


def _operations(results: Results, figures: Mapping[str, Figure]) -> Table:
    head = ["operation", "base", "unfiltered", "shipped", "%", "ceiling", "", "floor"]
    head += ["ProvBPF", "CamFlow", *(["auditd"] if "audit" in results.modes else [])]
    rows = []
    for name, figure in figures.items():
        base, cost = results.phase("base", name), added(results, "shipped", name)
        if base is None:
            continue
        share = NOTHING if cost is None else f"{cost / base.instructions:+.0%}"
        numbers = [base.instructions, added(results, "whole", name), cost]
        limit = figure.ceiling
        met = NOTHING if limit is None or cost is None else _met(cost <= limit)
        known = [number(limit), met, number(figure.floor), number(figure.provbpf)]
        known.append(figure.camflow)
        if "audit" in results.modes:
            known.append(number(added(results, "audit", name)))
        rows.append([figure.title, *map(number, numbers), share, *known])
    about = "Instructions of one repetition, and how many whole-system capture adds."
    return Table("Operations", about, head, rows)


def _ceilings(results: Results) -> Table:
    rows = []
    for ceiling in CEILINGS:
        found, met = ceiling.measure(results), ceiling.met(results)
        if found is None:
            continue
        limit = f"{ceiling.limit:,} {ceiling.unit}".strip()
        over = NOTHING if met else f"{found - ceiling.limit:+,.0f}"
        least = number(ceiling.least(results))
        rows.append([ceiling.title, limit, number(found), _met(bool(met)), over, least])
    about = (
        "Instructions, where nothing else is said. *Least* is what attaching, the look-ups of "
        "tasks and objects without which nothing can be decided, and the records take by "
        "themselves, measured with the programs of [Floor](#floor): no recorder of these semantics "
        "can be below it."
    )
    head = ["what", "ceiling", "measured", "", "over by", "least"]
    return Table("Ceilings", about, head, rows)


def _macro(results: Results) -> Table:
    base, seen = results.macro.get("base", {}), results.macro.get("shipped", {})
    rows = [
        [name, number(cost), number(seen[name] - cost), f"{seen[name] / cost - 1:+.1%}"]
        for name, cost in base.items()
        if name in seen
    ]
    about = "Whole commands with files in memory, shipped filters; the least of several runs."
    return Table("Macro set", about, ["command", "base", "added", "%"], rows)


def _programs(results: Results, figures: Mapping[str, Figure]) -> Table:
    """Every program that runs in an operation, the dearest first."""
    rows = []
    for name, figure in figures.items():
        phase = results.phase("shipped_programs", name)
        whole = results.phase("whole_programs", name)
        if phase is None:
            continue
        first = figure.title
        for program, unfiltered, ours in _ordered(phase, whole):
            rows.append(
                [first, f"`{program}`", f"{ours.calls:.2f}", f"{ours.net:,.0f}", unfiltered]
            )
            first = NOTHING
        total = sum_of_programs(results, "shipped", name)
        if not first:
            rows.append([NOTHING, "sum, attaching included", NOTHING, number(total), NOTHING])
    head = ["operation", "program", "calls", "net", "net, unfiltered"]
    about = (
        "Calls per repetition, and instructions of one call without attaching (shipped filters)."
    )
    return Table("Programs", about, head, rows)


def _ordered(phase: Phase, whole: Phase | None) -> Iterator[tuple[str, str, Program]]:
    """(program, net of one call without filters, the program) that ran once in ten or more."""
    dearest = sorted(phase.programs.items(), key=lambda item: -item[1].calls * max(item[1].net, 1))
    for name, program in dearest:
        if program.calls >= 0.1:
            other = whole.programs.get(name) if whole else None
            yield name, number(other.net if other else None), program


def _parts(results: Results) -> Table:
    """What attaching and single look-ups cost in the same guest."""
    rows = []
    for name, about in NAMES.items():
        total = added(results, f"probe:{name}", "pread")
        phase = results.phase(f"probe:{name}+stats", "pread")
        nets = [program.net for program in phase.programs.values()] if phase else []
        if total is not None:
            rows.append([about, number(total), number(nets[0] if nets else None)])
    about = "Single programs that record nothing, on the way of pread: what they add, and net."
    return Table("Floor", about, ["program", "added", "net"], rows)


def _reader(results: Results) -> Table:
    rows = [
        [ceiling.title, number(ceiling.measure(results))]
        for ceiling in CEILINGS
        if ceiling.title.startswith("wake-up") and ceiling.measure(results) is not None
    ]
    everything = reader_per_record(results)
    if everything is not None:
        rows.append(["all that it does with a record: drain it, write it", number(everything)])
    about = "What the recorder (in Python) takes from the same CPU, in none of the numbers above."
    return Table("Reader", about, ["what", "instructions"], rows)


def _still(results: Results, figures: Mapping[str, Figure]) -> Table:
    """What is left where nothing is recorded."""
    modes = ("opaque", "switched_off", "off")
    rows = []
    for name, figure in figures.items():
        found = [added(results, mode, name) for mode in modes]
        if found[0] is not None:
            rows.append([figure.title, *map(number, found)])
    head = ["operation", "opaque process", "switched off", "after capture"]
    return Table("Nothing recorded", "Instructions that are added all the same.", head, rows)


def _volume(results: Results, figures: Mapping[str, Figure]) -> Table:
    rows = []
    for name, figure in figures.items():
        found = [results.phase(mode, name) for mode in ("shipped", "whole")]
        if not all(found):
            continue
        cells = [
            f"{value:.2f}" if value is not None else NOTHING
            for phase in found
            if phase
            for value in (phase.records, phase.bytes)
        ]
        rows.append([figure.title, *cells])
    head = ["operation", "records", "bytes", "records, unfiltered", "bytes, unfiltered"]
    return Table("Records", "Of one repetition, without the 8 bytes of the ring.", head, rows)


def _met(is_met: bool) -> str:
    return "met" if is_met else "not met"
