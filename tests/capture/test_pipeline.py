"""The pump: every batch to every sink, in order, and nothing stays behind in a stage."""

from collections.abc import Sequence
from typing import Any

from provcap.capture.bounded import RecentMap
from provcap.capture.pipeline import pump


class Delay:
    """A stage that is one batch behind."""

    def __init__(self) -> None:
        self.held: list[Any] = []

    def __call__(self, records: list[Any]) -> list[Any]:
        out, self.held = self.held, records
        return out

    def finish(self) -> list[Any]:
        return self([])


class Kept:
    """A sink that keeps what it accepts."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    def accept(self, records: Sequence[Any]) -> None:
        self.records += records

    def close(self) -> None:
        pass


def test_what_stages_hold_back_reaches_every_sink_in_order() -> None:
    """Two stages, each a batch behind, and two sinks."""
    one, two = Kept(), Kept()
    pump([b"ab", b"", b"c"], list, [Delay(), Delay()], [one, two])

    assert bytes(one.records) == bytes(two.records) == b"abc"


def test_a_recent_map_holds_the_keys_used_last() -> None:
    """At least its capacity, at most twice; what is forgotten is told, what is removed is not."""
    forgotten: list[int] = []
    recent: RecentMap[int, int] = RecentMap(10, lambda key, value: forgotten.append(key))
    for key in range(100):
        recent.put(key, key)
        recent.get(0)
    recent.remove(99)

    assert all(recent.get(key) == key for key in (0, *range(98, 89, -1)))
    assert recent.get(99) is None
    assert len(recent) <= 20
    assert 99 not in forgotten and 5 in forgotten
