"""What a measurement found, as values: per mode and phase, and of the recording as a whole.

Public: :class:`Phase`, :class:`Volume`, :class:`Results`, :func:`parse`, :func:`added`,
:func:`sum_of_programs`, :func:`beyond`, :func:`probe_net`, :data:`ATTACHING`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

_BROKEN = 3
EMPTY_NET = 68.0
"""Nanoseconds that an empty program is said to take, where that was not measured."""
ATTACHING = 185.0
"""For each call of a program, where a limit is of the sum of programs, or nothing was measured."""


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
    events: float | None = None
    """How many of the records are events."""


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
    programs: int = 0
    """How many were loaded, if not all."""

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
    records, size, events = (part / times for part in volume[:3])
    return Phase(times, instructions, records, size, programs, events)


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
    return ATTACHING if cost is None else cost


def sum_of_programs(
    results: Results, mode: str, name: str, attaching: float | None = None
) -> float | None:
    """What all programs take in one repetition, each call with the cost of being attached.

    ``attaching``: what that is taken for; None: as measured, for each kind of program.
    """
    seen = results.phase(f"{mode}_programs", name)
    if seen is None:
        return None
    nets = sum(program.calls * program.net for program in seen.programs.values())
    return nets + sum_of_attaching(results, seen, attaching)


def sum_of_attaching(results: Results, phase: Phase, attaching: float | None = None) -> float:
    """What being attached costs in one repetition; ``attaching`` as above."""
    return sum(
        program.calls
        * (attach_cost(results, key.partition("/")[0]) if attaching is None else attaching)
        for key, program in phase.programs.items()
    )


def beyond(results: Results, probe: str, other: str, name: str = "pread") -> float | None:
    """What a probe adds to a phase beyond another one; None if either was not measured."""
    one, two = (results.phase(f"probe:{each}", name) for each in (probe, other))
    return one.instructions - two.instructions if one and two else None


def probe_net(results: Results, probe: str, name: str = "pread") -> float | None:
    """One call of the program of a probe; None if it was not measured."""
    phase = results.phase(f"probe:{probe}+stats", name)
    return next((program.net for program in phase.programs.values()), None) if phase else None


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
