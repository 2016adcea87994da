"""What is recorded, and in which ways, as values that go into the guest.

Public: :data:`WORKLOADS`, :data:`MODES`, :class:`Mode`, :class:`Stretch`, and how much of
each there is.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

SOURCES, HEADERS = 40, 5
FETCHES, MANY_FETCHES, WARMING = 50, 1000, 2
PAGE_BYTES = 512
PORT = 8000
IDLE_S = 3600


class Mode(NamedTuple):
    """One way to record."""

    title: str
    filtered: bool
    """With the shipped filters."""
    compressed: bool
    """With ``--compress-edge true``."""


MODES = {
    "shipped": Mode("shipped filters", True, True),
    "whole": Mode("unfiltered", False, True),
    "shipped_all_edges": Mode("shipped filters, every operation", True, False),
    "whole_all_edges": Mode("unfiltered, every operation", False, False),
}
"""Name -> what it is; each begins an epoch, so that everything is described anew."""


class Workload(NamedTuple):
    """Something to record: what is told of it is what was recorded, and no multiple of that."""

    title: str
    """With a place for how much of it there was."""
    many: int = 1
    """So many, or so long."""
    modes: Sequence[str] = tuple(MODES)
    """In which it is recorded."""


WORKLOADS: Mapping[str, Workload] = {
    "build": Workload(f"make: {SOURCES} compiles, an archive, a link"),
    "wget": Workload("{many:,} fetches with wget", FETCHES),
    "wget_many": Workload("{many:,} further fetches with wget", MANY_FETCHES, ("shipped",)),
    "idle": Workload("{many:,} seconds in which nothing is done", IDLE_S, ("shipped", "whole")),
}


class Stretch(NamedTuple):
    """When a workload was done, by CLOCK_BOOTTIME; its mode since ``since_ns``."""

    mode: str
    since_ns: int
    workload: str
    from_ns: int
    to_ns: int

    def has(self, at_ns: int) -> bool:
        """Whether it was then."""
        return self.from_ns <= at_ns <= self.to_ns
