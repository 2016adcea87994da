"""What the measurement found, as values, and as the text that is stored.

Public: :class:`Scale`, :class:`Cost`, :func:`costs`, :func:`dumps`, :func:`loads`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from benchmarks.kernel.recording import Counted
from benchmarks.kernel.results import EMPTY_NET, Line, Results, best_rounds, phase, sum_of_programs


class Cost(NamedTuple):
    """One repetition of a phase: instructions, and records if it was recorded."""

    base: float
    recorded: float
    records: float

    @property
    def added(self) -> float:
        """What capture adds to one repetition."""
        return self.recorded - self.base


Costs = Mapping[str, Mapping[str, Cost]]
"""State or number of CPUs -> phase -> cost."""


class Scale(NamedTuple):
    """Everything that was measured, and with what."""

    kernel: str
    compiler: str
    crowd: Costs
    """By number of CPUs, and ``alone``."""
    aged: Costs
    """By state, see plan.py."""
    records: Mapping[str, int]
    """State -> records of the capture by then."""
    lost: tuple[str, ...] = ()
    summed: tuple[str, ...] = ()
    """Phases of ``aged`` whose added cost is the sum of the programs that ran."""
    crowd_summed: tuple[str, ...] = ()
    """The same of ``crowd``."""


def costs(lines: Iterable[Line], counted: Counted) -> dict[str, dict[str, Cost]]:
    """The costs by state; a state that has no base of its own has that of the first.

    Where the programs were timed one by one, what is added is their sum.

    ``counted``: the recording that all of them are in.
    """
    lines = list(lines)
    best, sums = _best(lines), _sums(lines)
    states = list(dict.fromkeys(state for _, state, _ in best))
    found: dict[str, dict[str, Cost]] = {state: {} for state in states}
    for (mode, state, name), line in best.items():
        if mode == "shipped":
            base = _each(best.get(("base", state, name)) or best["base", states[0], name])
            volume = counted.between(line["from_ns"], line["to_ns"])
            summed = sums.get((state, name))
            recorded = _each(line) if summed is None else base + summed
            found[state][name] = Cost(base, recorded, volume.records / line["times"])
    return found


def _sums(lines: Iterable[Line]) -> dict[tuple[str, str], float]:
    """(state, phase) -> the sum of its programs in the cheapest round but the first.

    A turn of another CPU in the middle of a program counts as its time, so more is never more.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for line in lines:
        if line["mode"] == "shipped_programs":
            rounds = found.setdefault((line["state"], line["phase"]), [])
            rounds.append(_programs(line["phase"], line))
    return {key: min(rounds[1:] or rounds) for key, rounds in found.items()}


def _programs(name: str, line: Line) -> float:
    """What all programs take in one repetition, with what being attached costs."""
    phases = {"shipped_programs": {name: phase(line, EMPTY_NET)}}
    return sum_of_programs(Results("", "", phases), "shipped", name) or 0.0


def _best(lines: Iterable[Line]) -> dict[tuple[str, str, str], Line]:
    """(mode, state, phase) -> its cheapest round but the first."""
    by_state: dict[str, list[Line]] = {}
    for line in lines:
        by_state.setdefault(line["state"], []).append(line)
    return {
        (mode, state, phase): line
        for state, some in by_state.items()
        for (mode, phase), line in best_rounds(some).items()
    }


def _each(line: Line) -> float:
    return float(line["instructions"]) / int(line["times"])


def dumps(found: Scale) -> str:
    """The results as JSON."""
    value = found._asdict()
    for name in ("crowd", "aged"):
        value[name] = {
            state: {phase: [round(part, 2) for part in cost] for phase, cost in phases.items()}
            for state, phases in value[name].items()
        }
    return json.dumps(value, indent=1) + "\n"


def loads(text: str) -> Scale:
    """The inverse of ``dumps``, but for what is rounded."""
    value: dict[str, Any] = json.loads(text)
    for name in ("crowd", "aged"):
        value[name] = {
            state: {phase: Cost(*cost) for phase, cost in phases.items()}
            for state, phases in value[name].items()
        }
    texts = {name: tuple(value[name]) for name in ("lost", "summed", "crowd_summed")}
    return Scale(**value | texts)
