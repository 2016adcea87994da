"""What the measurement found, as values, and as the text that is stored.

Public: :class:`Footprint`, :class:`Held`, :func:`held`, :func:`dumps`, :func:`loads`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.memory.slab import Snapshot


class Held(NamedTuple):
    """One kind of object; bytes are of all of them, with nothing else that lives."""

    number: int
    base: int
    """Bytes that they take without capture."""
    added: int
    """Bytes that capture adds while they live."""
    left: int
    """... and when they are gone."""
    added_again: int
    """The same for as many more, made later, beyond what was left then."""
    left_again: int
    """... and when those are gone, beyond what was there before any."""
    caches: Mapping[str, int]
    """Cache -> bytes that capture adds in it while they live, those that matter."""
    percpu: int
    """Bytes of memory for each CPU that capture adds while they live."""

    @property
    def each(self) -> float:
        """Bytes that capture adds for one object."""
        return self.added / self.number


class Footprint(NamedTuple):
    """Everything that was measured."""

    kernel: str
    cpus: int
    maps: Mapping[str, int]
    """Map -> bytes after loading."""
    programs: int
    program_bytes: int
    kinds: Mapping[str, Held]
    lost: tuple[str, ...] = ()


def held(number: int, base: Sequence[Snapshot], recorded: Sequence[Snapshot]) -> Held:
    """Of five moments each: before, meanwhile, after, meanwhile again, after that."""

    def beyond(first: int, second: int) -> dict[str, int]:
        alone, watched = (_difference(each[first], each[second]) for each in (base, recorded))
        return {name: watched.get(name, 0) - alone.get(name, 0) for name in {*alone, *watched}}

    caches = beyond(0, 1)
    percpu = (recorded[1].percpu - recorded[0].percpu) - (base[1].percpu - base[0].percpu)
    return Held(
        number,
        sum(_difference(base[0], base[1]).values()),
        sum(caches.values()),
        sum(beyond(0, 2).values()),
        sum(beyond(2, 3).values()),
        sum(beyond(0, 4).values()),
        {name: size for name, size in sorted(caches.items()) if abs(size) >= number * 8},
        percpu,
    )


def _difference(first: Snapshot, second: Snapshot) -> dict[str, int]:
    names = {*first.slabs, *second.slabs}
    return {name: second.slabs.get(name, 0) - first.slabs.get(name, 0) for name in names}


def dumps(found: Footprint) -> str:
    """The results as JSON."""
    kinds = {name: held._asdict() for name, held in found.kinds.items()}
    return json.dumps(found._asdict() | {"kinds": kinds}, indent=1) + "\n"


def loads(text: str) -> Footprint:
    """The inverse of ``dumps``."""
    value: dict[str, Any] = json.loads(text)
    kinds = {name: Held(**found) for name, found in value["kinds"].items()}
    return Footprint(**value | {"kinds": kinds, "lost": tuple(value["lost"])})
