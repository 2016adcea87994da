"""Judges whether the kernel keeps storages of tasks, files and sockets that are gone.

They hang on the object itself, so no map lists them; they are live objects of slab caches. A soak
works in rounds that make the same number of each, so what a leak leaves is known beforehand.
"""

from collections.abc import Mapping
from typing import NamedTuple

LEAK = 10  # a long soak must find a leak of one in so many; half of that is allowed to come and go
NOISE = 400  # objects: BPF's allocator keeps up to 96 for each map and CPU, given back late


class Made(NamedTuple):
    """What one round makes of a kind, and what the storage of one is made of."""

    in_a_round: int
    cache: str
    pieces: int


#: docs/reference/kernel-memory.md has the caches; a storage and its head may share one
ROUND = {
    "task": Made(4, "kmalloc-cg-2k", 1),
    "file": Made(4, "kmalloc-cg-192", 2),
    "socket": Made(5, "kmalloc-cg-192", 2),
}
CACHES = sorted({made.cache for made in ROUND.values()})


def limits(rounds: int) -> dict[str, int]:
    """Cache -> how many live objects more are no leak: half of the smallest leak of any kind.

    After few rounds that is less than what comes and goes; one in three is found then.
    """
    leaks: dict[str, list[int]] = {cache: [] for cache in CACHES}
    for made in ROUND.values():
        leaks[made.cache].append(rounds * made.in_a_round * made.pieces // LEAK)
    return {cache: max(min(found) // 2, NOISE) for cache, found in leaks.items()}


def leaked(before: Mapping[str, int], after: Mapping[str, int], rounds: int) -> dict[str, int]:
    """Cache -> live objects that this many rounds have left, if they are too many."""
    grown = {cache: after[cache] - before[cache] for cache in CACHES}
    return {cache: many for cache, many in grown.items() if many > limits(rounds)[cache]}
