"""Compares two measurements: which operations cost more or less than before.

Public: :class:`Move`, :func:`moves`.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from benchmarks.kernel.figures import TOLERANCES, Figure
from benchmarks.kernel.results import Results

MODES = ("base", "whole", "shipped")


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
    return [*_phases(before, after, figures), *_records(before, after), *_macro(before, after)]


def difference(before: Results, after: Results) -> str:
    """What the two were made with, if that differs; counts are then not comparable."""
    pairs = [("kernel", before.kernel, after.kernel)]
    pairs += [("compiler", before.compiler, after.compiler)]
    return ", ".join(f"{what} {old} -> {new}" for what, old, new in pairs if old != new)


def _phases(before: Results, after: Results, figures: Mapping[str, Figure]) -> Iterator[Move]:
    for name, figure in figures.items():
        for mode in MODES:
            old, new = before.phase(mode, name), after.phase(mode, name)
            if old and new and _moved(old.instructions, new.instructions, figure.tolerance):
                yield Move(figure.title, mode, old.instructions, new.instructions)


def _records(before: Results, after: Results) -> Iterator[Move]:
    """What an operation sends is exact, but for what happens once in many repetitions."""
    for mode in MODES:
        for name, new in after.modes.get(mode, {}).items():
            old = before.phase(mode, name)
            if not old or old.records is None or new.records is None:
                continue
            if abs(old.records - new.records) > 0.1:
                yield Move(f"records of {name}", mode, old.records, new.records)


def _macro(before: Results, after: Results) -> Iterator[Move]:
    for mode, commands in after.macro.items():
        for name, new in commands.items():
            old = before.macro.get(mode, {}).get(name)
            if old is not None and _moved(old, new, TOLERANCES["macro"]):
                yield Move(name, mode, old, new)


def _moved(before: float, after: float, tolerance: float) -> bool:
    return abs(after - before) > tolerance * before
