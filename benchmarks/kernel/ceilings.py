"""The limits that the cost of capture is held against, each with how it is taken from the results.

Public: :class:`Ceiling`, :data:`CEILINGS`, :func:`unmet_operations`, :func:`reader_per_record`,
:func:`wake_up_per_record`, :func:`records_per_second`, :func:`mean_bytes`, :data:`REPEATS`.
"""

from collections.abc import Callable, Iterator
from statistics import median
from typing import NamedTuple

from benchmarks.kernel import figures
from benchmarks.kernel.least import least, least_with_semantics
from benchmarks.kernel.results import ATTACHING, Results, added, probe_net, sum_of_programs

FIGURES = figures.read()

Reading = Callable[[Results], float | None]


REPEATS = {"simple": 0.01, "fork": 0.05}
"""By what part of it two measurements of an operation differ, by kind."""


def _unknown(results: Results) -> float | None:
    return None


class Ceiling(NamedTuple):
    """One limit; ``measure`` gives None if the results do not have it."""

    title: str
    limit: float | None
    """None: shown beside others, and not judged."""
    unit: str
    measure: Reading
    least: Reading = _unknown
    """What the same programs, look-ups and records take by themselves."""
    floor: Reading = _unknown
    """The same, with all that these semantics have to know and say."""
    phase: str = ""
    """The operation, if it is one."""

    def met(self, results: Results) -> bool | None:
        """Whether the limit is kept; None: not measured, or there is none."""
        found = self.measure(results)
        if found is None or self.limit is None:
            return None
        return round(found, 1) <= self.limit

    def why(self, results: Results) -> str:
        """Whether a limit that is not met could be, as far as that is known; empty: it is met."""
        floor = self.floor(results)
        if self.limit is None or floor is None or self.met(results) is not False:
            return ""
        return "floor is above" if floor > self.limit else "not shown to be impossible"


def _added(mode: str, name: str) -> Reading:
    return lambda results: added(results, mode, name)


def _programs(mode: str, name: str, attaching: float | None) -> Reading:
    return lambda results: sum_of_programs(results, mode, name, attaching)


def _net(mode: str, name: str, program: str) -> Reading:
    """One call of this program."""

    def measure(results: Results) -> float | None:
        phase = results.phase(mode, name)
        found = phase.programs.get(program) if phase else None
        return found.net if found else None

    return measure


def _least(mode: str, name: str, attaching: float | None = None) -> Reading:
    return lambda results: least(results, mode, name, attaching)


def _floor(mode: str, name: str, attaching: float | None = None) -> Reading:
    return lambda results: least_with_semantics(results, mode, name, attaching)


def _probe(name: str, phase: str = "pread") -> Reading:
    """One call of this program of ``probes.py``."""
    return lambda results: probe_net(results, name, phase)


def _difference(mode: str, name: str, other: str) -> Reading:
    """What one phase adds beyond another."""

    def measure(results: Results) -> float | None:
        whole, part = added(results, mode, name), added(results, mode, other)
        return None if whole is None or part is None else whole - part

    return measure


def reader_per_record(results: Results) -> float | None:
    """All that the recorder does with a record, as far as it takes the CPU from who makes them."""
    taken, phase = _taken_by_reader(results, "copy_many"), results.phase("awake", "copy_many")
    if taken is None or phase is None or not phase.records:
        return None
    return taken * phase.instructions / phase.records


def wake_up_per_record(results: Results) -> float | None:
    """What the recorder takes when there is nothing to drain, over the records of as much time."""
    taken, phase = _taken_by_reader(results, "settled_many"), results.phase("awake", "copy_many")
    if taken is None or phase is None or not phase.records:
        return None
    return taken * phase.instructions / phase.records


def records_per_second(results: Results) -> float:
    """How many records a second has that does nothing but make them, the reader awake; else 0."""
    phase = results.phase("awake", "copy_many")
    return (phase.records or 0) / phase.instructions * 1e9 if phase else 0.0


def _taken_by_reader(results: Results, name: str) -> float | None:
    """The share of all instructions that is the reader's while it is awake."""
    awake, held = results.phase("awake", name), results.phase("shipped", name)
    return 1 - held.instructions / awake.instructions if awake and held else None


def _left(mode: str) -> Reading:
    """Per cent that are still added while nothing is recorded, of the operation with most.

    What adds no more than the tolerance is not told from another measurement of the operation.
    """

    def measure(results: Results) -> float | None:
        base = results.modes.get("base", {})
        shares = {
            name: cost / base[name].instructions
            for name in base
            if (cost := added(results, mode, name)) is not None
        }
        told = [share for name, share in shares.items() if share > FIGURES[name].tolerance]
        return max(told, default=0.0) * 100 if shares else None

    return measure


def _macro(results: Results) -> float | None:
    base, seen = results.macro.get("base"), results.macro.get("shipped")
    if not base or not seen:
        return None
    return median((seen[name] / base[name] - 1) * 100 for name in base)


def mean_bytes(results: Results) -> float | None:
    """Bytes of all that was recorded of the macro set, over its events."""
    volume = results.macro_volume
    return volume.bytes / volume.events if volume and volume.events else None


def _of_operation(name: str, mode: str = "shipped", limit: float | None = None) -> Ceiling:
    filters = "shipped filters" if mode == "shipped" else "unfiltered"
    return Ceiling(
        f"{FIGURES[name].title}, {filters}",
        limit or FIGURES[name].ceiling,
        "",
        _added(mode, name),
        _least(mode, name),
        _floor(mode, name),
        name,
    )


def _of_sum(title: str, name: str, limit: float) -> Iterator[Ceiling]:
    """The sum of its programs, judged with what the limit takes attaching for; then as it is."""
    for attaching, about in ((ATTACHING, f"sum of programs + {ATTACHING:g} per call"), (None, "")):
        yield Ceiling(
            f"{title}, {about}" if about else f"{title}, with attaching as measured",
            limit if about else None,
            "",
            _programs("shipped", name, attaching),
            _least("shipped", name, attaching),
            _floor("shipped", name, attaching),
            name,
        )


_READ = "lsm/file_permission"

CEILINGS = (
    Ceiling(
        "hook with nothing new, net",
        350,
        "",
        _net("shipped_programs", "pread", _READ),
        _probe("both_look_ups"),
        _probe("read_or_write"),
    ),
    Ceiling(
        "hook with one event, net",
        600,
        "",
        _net("shipped_programs", "copy_new", _READ),
        _probe("one_record"),
        _probe("read_or_write", "copy_new"),
    ),
    _of_operation("copy_settled"),
    _of_operation("copy_new"),
    _of_operation("open_close"),
    _of_operation("open_close", "whole", 2600),
    Ceiling("a new path name", 2000, "", _difference("shipped", "open_new_name", "open_close")),
    _of_operation("stat"),
    _of_operation("stat", "whole", 2300),
    _of_operation("pipe"),
    _of_operation("tcp"),
    _of_operation("create_unlink"),
    *_of_sum("fork + exit", "fork_exit", 6000),
    *_of_sum("vfork + exec", "vfork_exec", 14000),
    Ceiling("wake-up, per record", 100, "", wake_up_per_record),
    Ceiling("event", 72, "bytes", lambda results: results.sizes.get("event")),
    Ceiling(
        "path record, without its text", 64, "bytes", lambda results: results.sizes.get("text")
    ),
    Ceiling("macro set, bytes per event", 120, "bytes", mean_bytes),
    Ceiling("macro set, median added", 15, "%", _macro),
    Ceiling("capture ended: what is left, at most", 0, "%", _left("off")),
    Ceiling(
        "switched off, still loaded (`camflow -e false`), at most", None, "%", _left("switched_off")
    ),
    Ceiling(
        "hook of an opaque process, net",
        119,
        "",
        _net("opaque_programs", "pread", _READ),
        _probe("task_look_up"),
        _probe("opaque_process"),
    ),
)


def unmet_operations(results: Results) -> list[str]:
    """Phases with a limit that is not met, once each."""
    found = (ceiling.phase for ceiling in CEILINGS if ceiling.met(results) is False)
    return list(dict.fromkeys(name for name in found if name))
