"""The limits that the cost of capture is held against, each with how it is taken from the results.

Public: :class:`Ceiling`, :data:`CEILINGS`.
"""

from collections.abc import Callable, Iterable
from statistics import median
from typing import NamedTuple

from benchmarks.kernel.results import Results, added, attach_cost, sum_of_programs

Reading = Callable[[Results], float | None]


class Ceiling(NamedTuple):
    """One limit; ``measure`` gives None if the results do not have it."""

    title: str
    limit: float
    unit: str
    measure: Reading

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


def _difference(mode: str, name: str, other: str) -> Reading:
    """What one phase adds beyond another."""

    def measure(results: Results) -> float | None:
        whole, part = added(results, mode, name), added(results, mode, other)
        return None if whole is None or part is None else whole - part

    return measure


def _wake_up(names: Iterable[str]) -> Reading:
    """What the reader takes while it drains, per record, over some phases."""

    def measure(results: Results) -> float | None:
        instructions = records = 0.0
        for name in names:
            awake, held = results.phase("awake", name), results.phase("shipped", name)
            if not awake or not held or not awake.records:
                return None
            instructions += (awake.instructions - held.instructions) * awake.times
            records += awake.records * awake.times
        return instructions / records

    return measure


def _most(mode: str) -> Reading:
    """The phase to which this mode adds most."""

    def measure(results: Results) -> float | None:
        found = [added(results, mode, name) for name in results.modes.get(mode, {})]
        known = [value for value in found if value is not None]
        return max(known) if known else None

    return measure


def _opaque(results: Results) -> float | None:
    """A read by an opaque process, without the cost of being attached."""
    found = added(results, "opaque", "pread")
    return None if found is None else found - attach_cost(results, "lsm")


def _one_look_up(results: Results) -> float | None:
    found = added(results, "probe:task_look_up", "pread")
    return None if found is None else found - attach_cost(results, "lsm")


def _macro(results: Results) -> float | None:
    base, seen = results.macro.get("base"), results.macro.get("shipped")
    if not base or not seen:
        return None
    return median((seen[name] / base[name] - 1) * 100 for name in base)


def _mean_bytes(results: Results) -> float | None:
    volume = results.macro_volume
    return volume.bytes / volume.events if volume and volume.events else None


AWAKE = ("copy_many",)
_READ = "lsm/file_permission"

CEILINGS = (
    Ceiling("hook with nothing new, net", 350, "", _net("shipped_programs", "pread", _READ)),
    Ceiling("hook with one event, net", 600, "", _net("shipped_programs", "copy_new", _READ)),
    Ceiling("read A + write B, settled", 1400, "", _added("shipped", "copy_settled")),
    Ceiling("read A + write B, every time new", 2000, "", _added("shipped", "copy_new")),
    Ceiling("open + close, shipped filters", 1600, "", _added("shipped", "open_close")),
    Ceiling("open + close, unfiltered", 2600, "", _added("whole", "open_close")),
    Ceiling("a new path name", 2000, "", _difference("shipped", "open_new_name", "open_close")),
    Ceiling("stat, shipped filters", 1150, "", _added("shipped", "stat")),
    Ceiling("stat, unfiltered", 2300, "", _added("whole", "stat")),
    Ceiling("pipe write + read", 2000, "", _added("shipped", "pipe")),
    Ceiling("TCP write + read on loopback", 6000, "", _added("shipped", "tcp")),
    Ceiling("create + unlink with their edges", 8000, "", _added("shipped", "create_unlink")),
    Ceiling("fork + exit", 6000, "", _added("shipped", "fork_exit")),
    Ceiling(
        "fork + exit, sum of programs and attaching", 6000, "", _programs("shipped", "fork_exit")
    ),
    Ceiling(
        "vfork + exec, sum of programs and attaching",
        14000,
        "",
        _programs("shipped", "vfork_exec"),
    ),
    Ceiling("wake-up, per record", 100, "", _wake_up(AWAKE)),
    Ceiling("event", 72, "bytes", lambda results: results.sizes.get("event")),
    Ceiling(
        "path record, without its text", 64, "bytes", lambda results: results.sizes.get("text")
    ),
    Ceiling("macro set, bytes per event", 120, "bytes", _mean_bytes),
    Ceiling("macro set, median added", 15, "%", _macro),
    Ceiling("capture off: what is left, at most", 0, "", _most("off")),
    Ceiling("opaque process, net of attaching", 119, "", _opaque),
)
