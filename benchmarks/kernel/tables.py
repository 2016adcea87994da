"""Lays the results out as tables of words: operations, ceilings, programs, parts, volume.

Public: :func:`tables`.
"""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.kernel.ceilings import (
    CEILINGS,
    FIGURES,
    reader_per_record,
    records_per_second,
    unmet_operations,
    wake_up_per_record,
)
from benchmarks.kernel.figures import Figure, hooks
from benchmarks.kernel.least import least, look_ups
from benchmarks.kernel.probes import NAMES
from benchmarks.kernel.results import (
    Phase,
    Program,
    Results,
    added,
    attach_cost,
    probe_net,
    sum_of_programs,
)
from benchmarks.show import NOTHING, Table, number


def tables(results: Results, figures: Mapping[str, Figure]) -> list[Table]:
    """Everything that there is to show, in order; tables without rows are left out."""
    found = [
        _operations(results, figures),
        _ceilings(results),
        _macro(results),
        _stages(results, figures),
        _programs(results, figures),
        _parts(results),
        _reader(results),
        _awake(results, figures),
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
        known = [number(limit), met, number(least(results, "shipped", name))]
        known.append(number(figure.provbpf))
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
        unit = f" {ceiling.unit}" if ceiling.unit else NOTHING
        limit = NOTHING if ceiling.limit is None else f"{ceiling.limit:,}{unit}"
        over = number(None) if met is not False else f"{found - (ceiling.limit or 0):+,.0f}"
        judged = NOTHING if met is None else _met(met)
        parts = [number(ceiling.least(results)), number(ceiling.floor(results))]
        rows.append([ceiling.title, limit, number(found), judged, over, *parts])
        rows[-1].append(ceiling.why(results))
    head = ["what", "ceiling", "measured", "", "over by", "least"]
    head += ["least with these semantics", "so"]
    return Table("Ceilings", _CEILINGS, head, rows)


_CEILINGS = (
    "Instructions, where nothing else is said. *Least* is attaching, the look-ups of tasks and"
    " objects without which nothing can be decided, and bare records of 64 bytes, each measured"
    " with a program of [Floor](#floor). *Least with these semantics* has on top of it what an"
    " event has to know and to say, measured with programs that do this and nothing else: marks up"
    " to date, opaque, tracked, filtered, known already, three atomic steps, clock, number, one"
    " event of 72 bytes, remembered; other records as bare ones of their size, the storage of a"
    " new inode or task; no pipes, shared mappings, copies, names. Where it is above the ceiling,"
    " the ceiling cannot be met this way; where it is below, nothing here shows that it cannot. A"
    " sum with 185 for each call is what the ceiling is meant of; the row behind it has what"
    " attaching takes in fact. Rows without a ceiling are not judged."
)


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
    rows: list[list[str]] = []
    peers = hooks()
    for name, figure in figures.items():
        phase = results.phase("shipped_programs", name)
        whole = results.phase("whole_programs", name)
        if phase is None:
            continue
        first = figure.title
        for program, unfiltered, ours in _ordered(phase, whole):
            known = [number(look_ups(results, "shipped", program)), peers.get(program, NOTHING)]
            cells = [f"{ours.calls:.2f}", f"{ours.net:,.0f}", unfiltered, *known]
            rows.append([first, f"`{program}`", *cells])
            first = NOTHING
        total = sum_of_programs(results, "shipped", name)
        if not first:
            rows.append([NOTHING, "sum, attaching included", NOTHING, number(total)])
            rows[-1] += [NOTHING] * 3
    head = ["operation", "program", "calls", "net", "net, unfiltered", "floor", "ProvBPF"]
    about = (
        "Calls per repetition, and instructions of one call without attaching (shipped filters)."
        " *Floor* is what the look-ups of a call take without which it cannot tell whether there is"
        " anything to say. *ProvBPF* is what that system's programs take at the same hook, measured"
        " once in the same kind of guest."
    )
    return Table("Programs", about, head, rows, texts=2)


def _stages(results: Results, figures: Mapping[str, Figure]) -> Table:
    """Where the instructions of an operation go whose ceiling is not met: one row a program."""
    rows: list[list[str]] = []
    for name in unmet_operations(results):
        phase = results.phase("shipped_programs", name)
        if phase is not None:
            rows += _stages_of(results, figures[name].title, name, phase)
    head = ["operation", "program", "calls", "attaching", "net", "together", "%"]
    about = (
        "Of the operations whose ceiling is not met, all calls of one repetition together, shipped"
        " filters: which hook takes what. *Outside* is what is added beyond the programs: storage"
        " that the kernel frees by itself, and, where processes are made, mostly how far two plays"
        " of the same differ."
    )
    return Table("Stages", about, head, rows, texts=2)


def _stages_of(results: Results, title: str, name: str, phase: Phase) -> Iterator[list[str]]:
    total = sum_of_programs(results, "shipped", name) or 1.0
    for program, _, ours in _ordered(phase, None):
        attaching = ours.calls * attach_cost(results, program.partition("/")[0])
        net = ours.calls * ours.net
        numbers = [number(attaching), number(net), number(attaching + net)]
        share = f"{(attaching + net) / total:.0%}"
        yield [title, f"`{program}`", f"{ours.calls:.2f}", *numbers, share]
        title = NOTHING
    yield [
        NOTHING,
        _told_records(results.phase("shipped", name)),
        *[NOTHING] * 3,
        number(total),
        NOTHING,
    ]
    outside = (added(results, "shipped", name) or 0.0) - total
    yield [NOTHING, "outside", *[NOTHING] * 3, number(outside), NOTHING]


def _told_records(phase: Phase | None) -> str:
    """How many records of how many bytes a repetition sends, as far as that is known."""
    if phase is None or phase.records is None or phase.bytes is None:
        return "sum"
    events = NOTHING if phase.events is None else f", {phase.events:.2f} of them events"
    return f"sum; {phase.records:.2f} records{events}, {phase.bytes:,.0f} bytes"


def _ordered(phase: Phase, whole: Phase | None) -> Iterator[tuple[str, str, Program]]:
    """(program, net of one call without filters, the program) that ran once in ten or more."""
    dearest = sorted(phase.programs.items(), key=lambda item: -item[1].calls * max(item[1].net, 1))
    for name, program in dearest:
        if program.calls >= 0.1:
            other = whole.programs.get(name) if whole else None
            yield name, number(other.net if other else None), program


def _parts(results: Results) -> Table:
    """What attaching, single look-ups and the whole semantics cost in the same guest."""
    titles = {name: figure.title for name, figure in FIGURES.items()}
    rows = []
    for name, probe in NAMES.items():
        for phase in probe.phases:
            total = added(results, f"probe:{name}", phase)
            net = number(probe_net(results, name, phase))
            if total is not None:
                rows.append([probe.about, titles[phase], number(total), net])
    about = (
        "Single programs, attached alone, that nobody reads: what they add to an operation, and"
        " net of one call. *These semantics* is `benchmarks/kernel/semantics.bpf.c`, see"
        " [Ceilings](#ceilings)."
    )
    return Table("Floor", about, ["program", "on the way of", "added", "net"], rows, texts=2)


def _reader(results: Results) -> Table:
    """What the recorder takes; rates are of the phase whose records are drained meanwhile."""
    wake_up, everything = wake_up_per_record(results), reader_per_record(results)
    if wake_up is None or everything is None:
        return Table("Reader", NOTHING, ["what", "instructions"], [])
    rate = records_per_second(results)
    rows = [
        [f"waking up, over the {rate:,.0f} records of a second", number(wake_up)],
        ["each record more: drain it, write it", number(everything - wake_up)],
        ["both", number(everything)],
    ]
    about = (
        "What the recorder (in Python) takes from the same CPU for one record, in none of the"
        " numbers above: it is stopped while a phase is timed, and drains between phases. *Waking"
        " up* is what it takes a second where there is nothing to drain"
        f" ({number(wake_up * rate)} instructions), over the records that the same second has in"
        " a phase that does nothing but make them: with fewer records it is more for each."
    )
    return Table("Reader", about, ["what", "instructions of one record"], rows)


def _awake(results: Results, figures: Mapping[str, Figure]) -> Table:
    """The same operations with the reader stopped, and awake."""
    rows = []
    phases = results.modes.get("awake", {})
    for name, phase in phases.items():
        base = results.phase("base", name)
        if base is not None:
            costs = [added(results, mode, name) for mode in ("shipped", "awake")]
            rows.append(_awake_row(figures[name].title, base.instructions, costs, phase.records))
    base_macro, awake = results.macro.get("base", {}), results.macro.get("awake", {})
    for name in awake:
        macro = [results.macro[mode][name] - base_macro[name] for mode in ("shipped", "awake")]
        rows.append(_awake_row(name, base_macro[name], macro, None))
    shortest = min((phase.times * phase.instructions for phase in phases.values()), default=0.0)
    about = (
        "Shipped filters; what is added with the reader stopped, as everywhere else on this page,"
        " and with the reader awake on the same CPU. Operations are repeated for"
        f" {shortest / 1e6:.0f} ms or more, and it wakes up every 10 ms."
    )
    head = ["operation", "base", "reader stopped", "reader awake", "%", "records"]
    return Table("Reader awake", about, head, rows)


def _awake_row(
    title: str, base: float, costs: Sequence[float | None], records: float | None
) -> list[str]:
    share = NOTHING if costs[-1] is None else f"{costs[-1] / base:+.0%}"
    told = NOTHING if records is None else f"{records:.2f}"
    return [title, number(base), *map(number, costs), share, told]


def _still(results: Results, figures: Mapping[str, Figure]) -> Table:
    """What is left where nothing is recorded, of every operation that was measured so."""
    modes = ("opaque", "switched_off", "off")
    rows = []
    for name, figure in figures.items():
        found = [added(results, mode, name) for mode in modes]
        if any(cost is not None for cost in found):
            rows.append([figure.title, *map(number, found)])
    about = (
        "Instructions that are added all the same: by a process that is opaque; by capture that is"
        " switched off (`camflow -e false`), its programs still attached; after a capture has ended"
        " and the kernel has freed what was attached."
    )
    head = ["operation", "opaque process", "switched off, loaded", "capture ended"]
    return Table("Nothing recorded", about, head, rows)


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
