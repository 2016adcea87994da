"""The stages between decoder and sinks: put in order, expand, name.

A stage is called with a batch and returns one; ``finish`` returns what it still held. ``Expand``
has its own module.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from provcap.capture.bounded import RecentMap
from provcap.capture.decoder import KernelRecord
from provcap.capture.disclosed import Disclosed
from provcap.capture.expand import Expand
from provcap.records import Edge, Node, Record

__all__ = ["Expand", "Name", "OrderByTime", "Stage"]

_INODES = ("link", "file", "directory", "char", "block", "inode_unknown", "pipe", "socket")
_NAMED = frozenset(("task", "process_memory", *_INODES))
_NAMELESS = frozenset(("pipe", "socket"))  # mostly without a name: no miss

Arrived = KernelRecord | Disclosed


class Stage(Protocol):
    """A function over batches that may hold records back."""

    def __call__(self, records: Any) -> Any:
        """The batch that becomes of this batch."""

    def finish(self) -> Any:
        """The stream is over: the batch of what was held back."""


class OrderByTime:
    """Merges the streams of all CPUs by ``at_ns``, each record held back for at least the delay."""

    def __init__(
        self,
        delay_ns: int = 1_000_000_000,
        limit: int = 1 << 20,
        now: Callable[[], int] | None = None,
    ) -> None:
        """``delay_ns`` covers the time between two drains of a ring; ``limit`` bounds the memory.

        ``now`` gives the boot-time clock of a live stream, so that it flows on when nothing comes.
        """
        self._delay_ns = delay_ns
        self._limit = limit
        self._now = now
        self._held: list[Arrived] = []  # up to the last release in order
        self.newest_ns = 0  # the time that the stream has reached
        self._released_ns = 0
        self.late = 0  # records that came after younger ones had been released

    def __call__(self, records: Sequence[Arrived]) -> list[Arrived]:
        """The records whose time is over, oldest first."""
        self._held += records
        if records:
            self.newest_ns = max(self.newest_ns, max(map(_at_ns, records)))
        if self._now:
            self.newest_ns = max(self.newest_ns, self._now())
        if not self._held or not self._worth_it():
            return []
        self._held.sort(key=_at_ns)
        due = bisect_right(self._held, self.newest_ns - self._delay_ns, key=_at_ns)
        return self._release(max(due, len(self._held) - self._limit))

    def finish(self) -> list[Arrived]:
        """Everything that was held back, in order."""
        self._held.sort(key=_at_ns)
        return self._release(len(self._held))

    def _worth_it(self) -> bool:
        """Sorting for every batch would cost more than the batch: wait for a quarter of a delay."""
        waited_ns = self.newest_ns - self._delay_ns - _at_ns(self._held[0])
        return waited_ns >= self._delay_ns // 4 or len(self._held) > self._limit

    def _release(self, number: int) -> list[Arrived]:
        out, self._held = self._held[:number], self._held[number:]
        if out:
            self.late += bisect_right(out, self._released_ns - 1, key=_at_ns)
            self._released_ns = max(self._released_ns, _at_ns(out[-1]))
        return out


class Name:
    """Gives tasks, memories and inodes the name they are known by, as attribute ``name``."""

    def __init__(self, capacity: int = 65_536) -> None:
        """``capacity``: objects and paths that are remembered."""
        self._paths: RecentMap[int, bytes] = RecentMap(capacity)
        self._names: RecentMap[int, bytes] = RecentMap(capacity)
        self.misses = 0  # nodes that have a name which is not (or no longer) known here

    def __call__(self, records: list[Record]) -> list[Record]:
        """The same records, named as far as possible."""
        out = []
        for record in records:
            if isinstance(record, Edge):
                if record.relation == "named":
                    self._note(record)
            elif record.kind == "path":
                self._paths.put(record.identifier.id, record.attributes.get("pathname", b""))
            elif record.kind in _NAMED:
                record = self._named(record)
            out.append(record)
        return out

    def finish(self) -> list[Record]:
        """Nothing is ever held back."""
        return []

    def _note(self, edge: Edge) -> None:
        path = self._paths.get(edge.sender.id)
        if path is not None:
            self._names.put(edge.receiver.id, path)

    def _named(self, node: Node) -> Node:
        owner = node.attributes.get("memory", 0) if node.kind == "task" else node.identifier.id
        name = self._names.get(owner)
        if name is None:
            self.misses += node.kind not in _NAMELESS and bool(owner)
            return node
        return node._replace(attributes={**node.attributes, "name": name})


def _at_ns(record: Arrived) -> int:
    return record[0]
