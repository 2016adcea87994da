"""The limits that the cost of capture is held against, each with how it is taken from the results.

Public: :class:`Ceiling`, :data:`CEILINGS`.
"""

from collections.abc import Callable, Iterator
from statistics import median
from typing import NamedTuple

from benchmarks.kernel import figures
from benchmarks.kernel.least import least
from benchmarks.kernel.results import Results, added, sum_of_programs

FIGURES = figures.read()

Reading = Callable[[Results], float | None]


REPEATS = 0.01
"""By what part of it two measurements of an operation that makes no process and no name differ."""


class Ceiling(NamedTuple):
    """One limit; ``measure`` gives None if the results do not have it."""

    title: str
    limit: float
    unit: str
    measure: Reading
    least: Reading = lambda results: None
    """What the same programs, look-ups and records take by themselves."""

    def met(self, results: Results) -> bool | None:
        """Whether the limit is kept; None: not measured."""
        found = self.measure(results)
        return None if found is None else round(found, 1) <= self.limit


def _added(mode: str, name: str) -> Reading:
    return lambda results: added(results, mode, name)


def _programs(mode: str, name: str) -> Reading:
    return lambda results: sum_of_programs(results, mode, name)


def _net(mode: str, name: str, program: str) -> Reading:
    """One call of this program."""

    def measure(results: Results) -> float | None:
        phase = results.phase(mode, name)
        found = phase.programs.get(program) if phase else None
        return found.net if found else None

    return measure


def _least(mode: str, name: str) -> Reading:
    return lambda results: least(results, mode, name)


def _probe(name: str) -> Reading:
    """One call of this program of ``probes.bpf.c``."""

    def measure(results: Results) -> float | None:
        phase = results.phase(f"probe:{name}+stats", "pread")
        return next((program.net for program in phase.programs.values()), None) if phase else None

    return measure


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


def _wake_up(results: Results) -> float | None:
    """What the recorder takes when there is nothing to drain, over the records of as much time."""
    taken, phase = _taken_by_reader(results, "settled_many"), results.phase("awake", "copy_many")
    if taken is None or phase is None or not phase.records:
        return None
    return taken * phase.instructions / phase.records


def _taken_by_reader(results: Results, name: str) -> float | None:
    """The share of all instructions that is the reader's while it is awake."""
    awake, held = results.phase("awake", name), results.phase("shipped", name)
    return 1 - held.instructions / awake.instructions if awake and held else None


def _left(results: Results) -> float | None:
    """Per cent of all simple operations that are still added after the capture.

    What adds less than ``REPEATS`` to its operation is not told from another measurement of it.
    """
    base = results.modes["base"]
    simple = [name for name in base if FIGURES[name].kind == "simple"]
    found = {name: cost for name in simple if (cost := added(results, "off", name)) is not None}
    left = sum(cost for name, cost in found.items() if cost > REPEATS * base[name].instructions)
    whole = sum(base[name].instructions for name in found)
    return round(left / whole * 100, 1) if found else None


def _macro(results: Results) -> float | None:
    base, seen = results.macro.get("base"), results.macro.get("shipped")
    if not base or not seen:
        return None
    return median((seen[name] / base[name] - 1) * 100 for name in base)


def _mean_bytes(results: Results) -> float | None:
    volume = results.macro_volume
    return volume.bytes / volume.events if volume and volume.events else None


def _of_operation(name: str) -> Iterator[Ceiling]:
    limit = FIGURES[name].ceiling
    if limit is not None:
        title = f"{FIGURES[name].title}, shipped filters"
        yield Ceiling(title, limit, "", _added("shipped", name), _least("shipped", name))


_READ = "lsm/file_permission"

CEILINGS = (
    Ceiling(
        "hook with nothing new, net",
        350,
        "",
        _net("shipped_programs", "pread", _READ),
        _probe("both_look_ups"),
    ),
    Ceiling(
        "hook with one event, net",
        600,
        "",
        _net("shipped_programs", "copy_new", _READ),
        _probe("one_record"),
    ),
    *_of_operation("copy_settled"),
    *_of_operation("copy_new"),
    *_of_operation("open_close"),
    Ceiling(
        "open + close, unfiltered",
        2600,
        "",
        _added("whole", "open_close"),
        _least("whole", "open_close"),
    ),
    Ceiling("a new path name", 2000, "", _difference("shipped", "open_new_name", "open_close")),
    *_of_operation("stat"),
    Ceiling("stat, unfiltered", 2300, "", _added("whole", "stat"), _least("whole", "stat")),
    *_of_operation("pipe"),
    *_of_operation("tcp"),
    *_of_operation("create_unlink"),
    Ceiling(
        "fork + exit, sum of programs and attaching",
        6000,
        "",
        _programs("shipped", "fork_exit"),
        _least("shipped", "fork_exit"),
    ),
    Ceiling(
        "vfork + exec, sum of programs and attaching",
        14000,
        "",
        _programs("shipped", "vfork_exec"),
        _least("shipped", "vfork_exec"),
    ),
    Ceiling("wake-up, per record", 100, "", _wake_up),
    Ceiling("event", 72, "bytes", lambda results: results.sizes.get("event")),
    Ceiling(
        "path record, without its text", 64, "bytes", lambda results: results.sizes.get("text")
    ),
    Ceiling("macro set, bytes per event", 120, "bytes", _mean_bytes),
    Ceiling("macro set, median added", 15, "%", _macro),
    Ceiling("capture off: what is left of it", 0, "%", _left),
    Ceiling(
        "hook of an opaque process, net",
        119,
        "",
        _net("opaque_programs", "pread", _READ),
        _probe("task_look_up"),
    ),
)
