"""Reads the counters of the kernel side, of each CPU, and how often it skipped a program."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from provcap.bpf.layout import Layout, Value
from provcap.bpf.maps import u32
from provcap.bpf.programs import ProgramInfo
from provcap.bpf.targets import copy_name
from provcap.vocabulary import HARMLESS, UNCOUNTED


class Table(Protocol):
    """A map, as far as it is used here."""

    def lookup_percpu(self, key: bytes) -> list[bytes]:
        """One value per possible CPU."""


class Loaded(Protocol):
    """A capture, as far as it is used here."""

    def map(self, name: str) -> Table:
        """The map of this name."""

    def programs(self) -> Mapping[str, ProgramInfo]:
        """Counters of every loaded program by name."""

    def probes(self) -> list[str]:
        """Names of the programs with spare copies, in the order of their tallies."""


class Counters(NamedTuple):
    """Since the capture was loaded.

    ``causes``: CPU -> name (``event_ring_full`` ...) -> count; ``given``: CPU -> sequence numbers
    that it has given out; ``skipped``: program -> runs that the kernel skipped.
    """

    causes: dict[int, dict[str, int]]
    given: dict[int, int]
    skipped: dict[str, int]

    @property
    def lost(self) -> int:
        """How often something was lost that belongs to the graph (docs/reference/losses.md)."""
        counted = (
            count
            for causes in self.causes.values()
            for cause, count in causes.items()
            if cause not in HARMLESS
        )
        return sum(counted) + sum(self.skipped.values())


def read(capture: Loaded, layout: Layout) -> Counters:
    """The counters as they stand; raises ``KernelError``."""
    record = layout.record("prov_cpu")
    values = capture.map("cpus").lookup_percpu(u32(0))
    cpus = [record.unpack(value) for value in values]
    return Counters(
        {cpu: _named(counted["counts"], layout) for cpu, counted in enumerate(cpus)},
        {cpu: _number(counted["seq"]) for cpu, counted in enumerate(cpus)},
        _skipped(capture, [_numbers(counted["probes"]) for counted in cpus]),
    )


def _skipped(capture: Loaded, tallies: list[list[int]]) -> dict[str, int]:
    """Program -> runs that the kernel skipped; of one with copies, of all of them for one call.

    ``tallies``: for each CPU those of the probes, see kernel/graph/probe.h.
    """
    misses = {name: info.recursion_misses for name, info in capture.programs().items()}
    for place, name in enumerate(capture.probes()):
        copies = _misses_of_copies(misses, name)
        misses[name] = max(0, copies[-1] + sum(tally[place] for tally in tallies))
    return {name: count for name, count in misses.items() if name not in UNCOUNTED}


def _misses_of_copies(misses: dict[str, int], name: str) -> list[int]:
    """Taken out of ``misses``, in the order in which they run."""
    found: list[int] = []
    while copy_name(name, len(found)) in misses:
        found.append(misses.pop(copy_name(name, len(found))))
    return found


def _named(counts: Value, layout: Layout) -> dict[str, int]:
    """Counts by the name of their cause."""
    numbers = layout.enum("prov_counter")
    ordered = sorted(numbers.items(), key=lambda item: item[1])
    names = [name.removeprefix("COUNT_").lower() for name, _ in ordered if name != "COUNTER_COUNT"]
    return dict(zip(names, _numbers(counts), strict=True))


def _numbers(values: Value) -> list[int]:
    assert isinstance(values, tuple)
    return list(map(_number, values))


def _number(value: Value) -> int:
    assert isinstance(value, int)
    return value
