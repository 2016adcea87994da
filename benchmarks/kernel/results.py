"""What a measurement found, as values: per mode and phase, and of the recording as a whole.

Public: :class:`Phase`, :class:`Volume`, :class:`Results`, :func:`parse`, :func:`added`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

_BROKEN = 3
EMPTY_NET = 68.0
"""Nanoseconds that an empty program is said to take, where that was not measured."""


class Program(NamedTuple):
    """One program in one phase, per repetition; ``net`` is of one call, clock reads taken out."""

    calls: float
    net: float


class Phase(NamedTuple):
    """One phase under one mode, per repetition; ``records`` and ``bytes`` None: not recorded."""

    times: int
    instructions: float
    records: float | None = None
    bytes: float | None = None
    programs: Mapping[str, Program] = {}


class Volume(NamedTuple):
    """What a recording holds in all, or in a stretch of it; bytes without the heads of the ring."""

    records: int
    bytes: int
    events: int
    texts: int
    text_bytes: int


class Results(NamedTuple):
    """Everything that one measurement found, and with what it was made."""

    kernel: str
    compiler: str
    modes: Mapping[str, Mapping[str, Phase]]
    sizes: Mapping[str, int] = {}
    """Record -> bytes, texts without what they say."""
    lost: tuple[str, ...] = ()
    """What is missing from the recording, for people; empty: nothing."""
    macro: Mapping[str, Mapping[str, float]] = {}
    """Mode -> command -> instructions, the least of several runs."""
    macro_volume: Volume | None = None
    without: Mapping[str, str] = {}
    """Mode -> why it could not be measured."""

    def phase(self, mode: str, name: str) -> Phase | None:
        """A phase under a mode, None if it was not measured."""
        return self.modes.get(mode, {}).get(name)


Line = Mapping[str, Any]
"""What the workload says of one phase in one round."""


def parse(text: str) -> list[Line]:
    """The lines of the workload, in order."""
    return [json.loads(line) for line in text.splitlines()]


def best_rounds(lines: Iterable[Line]) -> dict[tuple[str, str], Line]:
    """(mode, phase) -> its cheapest round but the first, which has only warmed up.

    What makes processes is dearer now and then by some per cent, and never cheaper.
    """
    best: dict[tuple[str, str], Line] = {}
    for line in lines:
        key = line["mode"], line["phase"]
        if key not in best or not best[key]["round"]:
            best[key] = line
        else:
            best[key] = min(best[key], line, key=lambda found: int(found["instructions"]))
    return best


def phase(line: Line, clock_reads: float, volume: Volume | None = None) -> Phase:
    """The line of a phase, per repetition; what was recorded meanwhile is in ``volume``."""
    times = int(line["times"])
    programs = {
        name: Program(runs / times, ns / runs - clock_reads)
        for name, (runs, ns) in line["programs"].items()
    }
    instructions = line["instructions"] / times
    if volume is None:
        return Phase(times, instructions, programs=programs)
    return Phase(times, instructions, volume.records / times, volume.bytes / times, programs)


def clock_reads(lines: Iterable[Line]) -> float:
    """What an empty program of the same run is said to take."""
    for line in lines:
        if line["mode"] == "probe:empty+stats":
            (counted,) = line["programs"].values()
            return float(counted[1] / counted[0])
    return EMPTY_NET


def added(results: Results, mode: str, name: str) -> float | None:
    """Instructions that a mode adds to a phase, None if either was not measured."""
    base, seen = results.phase("base", name), results.phase(mode, name)
    return seen.instructions - base.instructions if base and seen else None


def attach_cost(results: Results, kind: str) -> float:
    """What an empty program of this kind (``lsm``, ``fentry``, ``fexit``) adds to one call."""
    probe = {"fentry": "empty_entry", "fexit": "empty_exit"}.get(kind, "empty")
    cost = added(results, f"probe:{probe}", "pread")
    return 185.0 if cost is None else cost


def sum_of_programs(results: Results, mode: str, name: str) -> float | None:
    """What all programs take in one repetition, each call with the cost of being attached."""
    seen = results.phase(f"{mode}_programs", name)
    if seen is None:
        return None
    return sum(
        program.calls * (program.net + attach_cost(results, key.partition("/")[0]))
        for key, program in seen.programs.items()
    )


def beyond(results: Results, probe: str, other: str) -> float:
    """What a probe adds to ``pread`` beyond another one; 0 if either was not measured."""
    costs = [added(results, f"probe:{name}", "pread") for name in (probe, other)]
    return 0.0 if costs[0] is None or costs[1] is None else costs[0] - costs[1]


def dumps(results: Results) -> str:
    """The results as JSON, one line for each phase."""
    modes = {
        mode: {name: found._asdict() for name, found in phases.items()}
        for mode, phases in results.modes.items()
    }
    volume = results.macro_volume and results.macro_volume._asdict()
    value = _rounded(results._asdict() | {"modes": modes, "macro_volume": volume})
    return "".join(_lines(value)) + "\n"


def loads(text: str) -> Results:
    """The inverse of ``dumps``, but for what is rounded."""
    value = json.loads(text)
    modes = {
        mode: {name: _phase_of(found) for name, found in phases.items()}
        for mode, phases in value["modes"].items()
    }
    volume = value["macro_volume"]
    value |= {"modes": modes, "lost": tuple(value["lost"])}
    return Results(**value | {"macro_volume": Volume(**volume) if volume else None})


def _lines(value: Any, depth: int = 0) -> Iterator[str]:
    """Broken up as far as the phases, so that what changes shows in a line."""
    if depth == _BROKEN or not isinstance(value, dict) or not value:
        yield json.dumps(value)
        return
    for place, (name, part) in enumerate(value.items()):
        yield f"{',' if place else '{'}\n{' ' * depth}{json.dumps(name)}: "
        yield from _lines(part, depth + 1)
    yield "}"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 2)
    if isinstance(value, Mapping):
        return {name: _rounded(part) for name, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, tuple | list) else value


def _phase_of(value: Mapping[str, Any]) -> Phase:
    programs = {name: Program(*found) for name, found in value["programs"].items()}
    return Phase(**dict(value) | {"programs": programs})
