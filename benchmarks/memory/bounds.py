"""Says how much memory each map can take, from its declaration in the compiled object.

Public: :class:`Bound`, :func:`read`, :func:`element_bytes`, :func:`most_bytes`.
"""

import tomllib
from importlib import resources
from typing import NamedTuple

from benchmarks.maps import MapShape
from provcap.bpf.maps import ARRAY, ARRAY_OF_MAPS, HASH, LPM_TRIE, LRU_HASH, PERCPU_ARRAY, STACK

STORAGES = {24: False, 28: False, 29: True}
"""Type of a local storage -> whether its values come from an allocator of BPF's own (6.12)."""
# Sizes of the kernel's own heads, x86-64, 6.12
_BUCKET = 16
_HASH_HEAD = 48  # struct htab_elem
_STORAGE_HEAD = 72  # struct bpf_local_storage_elem with what is before the value
_STORAGE = 176  # struct bpf_local_storage: once for each object, whatever there is of it
_TRIE_HEAD = 40  # struct lpm_trie_node
_FREE_LIST = 8  # the allocator's own word in each object
_CLASSES = (8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192)


class Bound(NamedTuple):
    """What is known of a map besides its declaration."""

    holds: str
    full: str
    counter: str = ""
    """Of losses.md; empty: nothing is lost."""


def read() -> dict[str, Bound]:
    """Map -> what it holds and what happens when it is full."""
    text = (resources.files("benchmarks.memory") / "bounds.toml").read_text()
    return {name: Bound(**fields) for name, fields in tomllib.loads(text).items()}


def element_bytes(shape: MapShape) -> int:
    """Bytes that one entry takes of the kernel's memory, its head and what is rounded up included.

    Of a storage: with the list that the object has of its values. 0 for an array of maps.
    """
    if shape.type in STORAGES:
        own = _FREE_LIST * STORAGES[shape.type]
        return _rounded(_STORAGE_HEAD + shape.value_bytes + own) + _rounded(_STORAGE + own)
    value = _eights(shape.value_bytes)
    if shape.type == LPM_TRIE:
        return 2 * _rounded(_TRIE_HEAD + shape.key_bytes - 4 + shape.value_bytes + _FREE_LIST)
    if shape.type not in (HASH, LRU_HASH):
        return shape.value_bytes if shape.type == STACK else value
    whole = _HASH_HEAD + _eights(shape.key_bytes) + value
    return whole if shape.preallocated else _rounded(whole + _FREE_LIST)


def most_bytes(shape: MapShape, cpus: int) -> int | None:
    """Bytes when it is full; None if it has no bound of its own, or is of maps."""
    if shape.type in STORAGES or shape.type == ARRAY_OF_MAPS:
        return None
    every = shape.entries * element_bytes(shape)
    if shape.type == PERCPU_ARRAY:
        return every * cpus
    if shape.type in (ARRAY, STACK, LPM_TRIE):
        return every
    spare = cpus * element_bytes(shape) if shape.preallocated and shape.type == HASH else 0
    return every + spare + _BUCKET * (1 << (shape.entries - 1).bit_length())


def _eights(size: int) -> int:
    return size + 7 & ~7


def _rounded(size: int) -> int:
    """What the allocator gives for so many bytes."""
    return next(found for found in _CLASSES if size <= found)
