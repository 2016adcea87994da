"""Reads the maps and the global variables out of the compiled object, without loading it.

Public: :class:`MapShape`, :func:`map_shapes`, :func:`written_globals`, :data:`TYPES`.
"""

from typing import NamedTuple

from provcap.bpf.btf import Array, Btf, DataSection, Pointer, Struct, Var, object_btf
from provcap.bpf.maps import ARRAY
from provcap.errors import KernelError

TYPES = {
    1: "hash",
    2: "array",
    6: "per-CPU array",
    9: "LRU hash",
    11: "prefix trie",
    12: "array of maps",
    23: "stack",
    24: "socket storage",
    28: "inode storage",
    29: "task storage",
}
"""Number in ``enum bpf_map_type`` -> what it is called here."""
_VARIABLE = ".data."
_CONSTANT = (".rodata", ".maps", "license", ".kconfig", ".ksyms", _VARIABLE)


class MapShape(NamedTuple):
    """A map as the object declares it; sizes in bytes of one key and one value."""

    name: str
    type: int
    key_bytes: int
    value_bytes: int
    entries: int
    """0: as many as there are objects."""
    preallocated: bool


def map_shapes(image: bytes) -> list[MapShape]:
    """Every map of the object, in its order, then those of one variable each.

    Raises ``KernelError`` if there is none.
    """
    btf = object_btf(image)
    declared = [_shape(btf, variable) for variable in _variables(btf, ".maps")]
    return declared + [
        MapShape(name.removeprefix(_VARIABLE), ARRAY, 4, btf.size_of(variable.type), 1, True)
        for name in _sections(btf)
        if name.startswith(_VARIABLE)
        for variable in _variables(btf, name)
    ]


def written_globals(image: bytes) -> list[str]:
    """Names of global variables that a program could write and that are no maps of ours."""
    btf = object_btf(image)
    sections = [name for name in _sections(btf) if not name.startswith(_CONSTANT)]
    return [variable.name for name in sections for variable in _variables(btf, name)]


def _sections(btf: Btf) -> list[str]:
    return [type.name for _, type in btf.types() if isinstance(type, DataSection)]


def _variables(btf: Btf, section: str) -> list[Var]:
    found = [btf.decode(place.var) for place in btf.section(section).places]
    return [variable for variable in found if isinstance(variable, Var)]


def _shape(btf: Btf, variable: Var) -> MapShape:
    struct = btf.resolve(variable.type)
    if not isinstance(struct, Struct):
        raise KernelError(f"damaged BTF: map {variable.name} is no struct")
    members = {member.name: member.type for member in struct.members}
    sizes = [
        btf.size_of(_target(btf, members[name])) if name in members else 0
        for name in ("key", "value")
    ]
    flags = _number(btf, members.get("map_flags"))
    return MapShape(
        variable.name,
        _number(btf, members["type"]),
        sizes[0],
        sizes[1],
        _number(btf, members.get("max_entries")),
        not flags & 1,
    )


def _target(btf: Btf, id: int) -> int:
    pointer = btf.resolve(id)
    if not isinstance(pointer, Pointer):
        raise KernelError(f"damaged BTF: type {id} is no pointer")
    return pointer.target


def _number(btf: Btf, id: int | None) -> int:
    """What ``__uint`` declares: a pointer to an array of so many; 0 if there is none."""
    if id is None:
        return 0
    array = btf.resolve(_target(btf, id))
    if not isinstance(array, Array):
        raise KernelError(f"damaged BTF: type {id} is no number")
    return array.length
