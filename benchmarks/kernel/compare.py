"""Compares two measurements: which operations cost more or less than before.

What capture adds is compared by itself, not together with the operation that it is added to: if
that takes a hundred times as much, everything could change within its tolerance.

Public: :class:`Move`, :func:`moves`, :func:`difference`.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from benchmarks.kernel.ceilings import REPEATS, mean_bytes
from benchmarks.kernel.figures import TOLERANCES, Figure
from benchmarks.kernel.results import Phase, Results, added, sum_of_programs

MODES = ("whole", "shipped")
"""Of these totals, records and programs are compared; of ``base`` totals alone."""
STILL = ("opaque", "switched_off", "off")
"""Nothing is recorded: what is left is compared."""
LEAST = 15.0
"""Instructions: what moves by less is spread over few repetitions, or a line of code."""
LEAST_BYTES = 4.0
"""Names have numbers in them; what is sent once is spread over the repetitions."""
_MACRO_REPEATS = 0.01
_OFTEN = 0.1  # calls per repetition: what runs less often is another's


class Move(NamedTuple):
    """One number that differs by more than repeated measurements do."""

    what: str
    mode: str
    before: float
    after: float

    def __str__(self) -> str:
        """One line for people."""
        change = self.after / self.before - 1 if self.before else float("inf")
        return f"{self.what}, {self.mode}: {self.before:,.0f} -> {self.after:,.0f} ({change:+.1%})"


def moves(before: Results, after: Results, figures: Mapping[str, Figure]) -> list[Move]:
    """Everything of ``after`` that ``before`` has, too, and that has moved."""
    return [
        *_bases(before, after, figures),
        *_added(before, after, figures),
        *_programs(before, after, figures),
        *_records(before, after),
        *_sizes(before, after),
        *_macro(before, after),
    ]


def difference(before: Results, after: Results) -> str:
    """What the two were made with, if that differs; counts are then not comparable."""
    pairs = [("kernel", before.kernel, after.kernel)]
    pairs += [("compiler", before.compiler, after.compiler)]
    return ", ".join(f"{what} {old} -> {new}" for what, old, new in pairs if old != new)


def _bases(before: Results, after: Results, figures: Mapping[str, Figure]) -> Iterator[Move]:
    """Without capture: what moves here has another cause."""
    for name, figure in figures.items():
        old, new = before.phase("base", name), after.phase("base", name)
        if old and new and _moved(old.instructions, new.instructions, figure.tolerance):
            yield Move(figure.title, "base", old.instructions, new.instructions)


def _added(before: Results, after: Results, figures: Mapping[str, Figure]) -> Iterator[Move]:
    """What a mode adds; of what repeats no better than that, the sum of its programs."""
    for name, figure in figures.items():
        base = before.phase("base", name)
        noise = REPEATS[figure.kind] * base.instructions / 2 if base else 0.0
        for mode in MODES if figure.summed else (*MODES, *STILL):
            old, new = (_cost(results, mode, name, figure.summed) for results in (before, after))
            least = LEAST if figure.summed else max(LEAST, noise)
            if None not in (old, new) and _moved(old or 0.0, new or 0.0, figure.tolerance, least):
                yield Move(f"added to {figure.title}", mode, old or 0.0, new or 0.0)


def _cost(results: Results, mode: str, name: str, summed: bool) -> float | None:
    return sum_of_programs(results, mode, name) if summed else added(results, mode, name)


def _programs(before: Results, after: Results, figures: Mapping[str, Figure]) -> Iterator[Move]:
    """One call of each program, and how often it is called."""
    for name, figure in figures.items():
        for mode in (f"{mode}_programs" for mode in (*MODES, "opaque")):
            old, new = before.phase(mode, name), after.phase(mode, name)
            if old and new:
                yield from _of_programs(figure, mode, old, new)


def _of_programs(figure: Figure, mode: str, before: Phase, after: Phase) -> Iterator[Move]:
    for program in {**before.programs, **after.programs}:
        old, new = before.programs.get(program), after.programs.get(program)
        calls = [found.calls if found else 0.0 for found in (old, new)]
        what = f"{program} in {figure.title}"
        if max(calls) < _OFTEN:
            continue
        if abs(calls[0] - calls[1]) >= _OFTEN:
            yield Move(f"calls of {what}", mode, *calls)
        if old and new and _moved(old.net, new.net, figure.tolerance, LEAST):
            yield Move(what, mode, old.net, new.net)


def _records(before: Results, after: Results) -> Iterator[Move]:
    """What an operation sends is exact, but for what happens once in many repetitions."""
    for mode in MODES:
        for name, new in after.modes.get(mode, {}).items():
            old = before.phase(mode, name)
            if not old or old.records is None or new.records is None:
                continue
            if abs(old.records - new.records) > 0.1:
                yield Move(f"records of {name}", mode, old.records, new.records)
            elif abs((old.bytes or 0) - (new.bytes or 0)) > LEAST_BYTES * max(1, new.records):
                yield Move(f"bytes of {name}", mode, old.bytes or 0, new.bytes or 0)


def _sizes(before: Results, after: Results) -> Iterator[Move]:
    """The fixed part of each record, and how many bytes an event of the macro set has."""
    for name, size in after.sizes.items():
        if before.sizes.get(name, size) != size:
            yield Move(f"bytes of a record: {name}", "all", before.sizes[name], size)
    old, new = mean_bytes(before), mean_bytes(after)
    if old is not None and new is not None and _moved(old, new, TOLERANCES["simple"]):
        yield Move("bytes per event of the macro set", "shipped", old, new)


def _macro(before: Results, after: Results) -> Iterator[Move]:
    """The commands without capture, and what is added to each."""
    for mode, commands in after.macro.items():
        for name, new in commands.items():
            old = before.macro.get(mode, {}).get(name)
            bases = [results.macro.get("base", {}).get(name) for results in (before, after)]
            if old is None or None in bases:
                continue
            of_base, least = (0.0, 0.0), 0.0
            if mode != "base":
                of_base = (bases[0] or 0.0, bases[1] or 0.0)
                least = _MACRO_REPEATS * of_base[0]
            costs = old - of_base[0], new - of_base[1]
            if _moved(*costs, TOLERANCES["macro"], least):
                yield Move(name if mode == "base" else f"added to {name}", mode, *costs)


def _moved(before: float, after: float, tolerance: float, least: float = 0.0) -> bool:
    return abs(after - before) > max(tolerance * abs(before), least)
