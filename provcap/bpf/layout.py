"""Derives record formats from the BTF of a compiled object, so that no field list is typed twice.

``describe(btf)`` gives a ``Layout``: a ``Record`` for each structure and a table for each
enumeration that a map or a global variable holds and whose name starts with the prefix.
``Layout.listing()`` is the text that a review reads and ``Layout.fingerprint()`` its SHA-256, which
is pinned beside the maps. ``rows`` reads a constant table out of an object. Nothing here needs
privilege.
"""

import hashlib
import struct
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

from provcap.bpf import elf
from provcap.bpf.btf import (
    Alias,
    Array,
    Btf,
    Enum,
    Float,
    Int,
    Member,
    Pointer,
    Struct,
    Type,
    Var,
    object_btf,
)
from provcap.errors import KernelError

PREFIX = "prov_"

Value: TypeAlias = int | float | bytes | tuple[int | float | bytes, ...]


class Field(NamedTuple):
    """One flat field; nested structures give dotted names, arrays of them ``name[0].member``.

    ``size`` is the bytes of one element and ``length`` the number of elements: 1 for a plain field,
    0 for a flexible array at the end. ``code`` is its ``struct`` letter, ``s`` for byte strings. A
    bitfield has ``bit_size`` > 0: ``bit_offset`` counts from the lowest bit at ``offset``.
    """

    name: str
    offset: int
    size: int
    code: str
    length: int = 1
    bit_offset: int = 0
    bit_size: int = 0
    enum: str = ""

    @property
    def signed(self) -> bool:
        """Whether the numbers are signed."""
        return self.code in "bhiq"

    @property
    def end(self) -> int:
        """Offset of the first byte behind the field."""
        return self.offset + self.size * self.length

    @property
    def bits(self) -> bool:
        """Whether it is a bitfield, which ``Record.format`` passes over."""
        return self.bit_size > 0


class Record:
    """Layout of one structure: ``fields``, ``size`` in bytes, and a compiled ``format``.

    ``format`` (a ``struct.Struct`` with explicit padding) yields the values of ``plain`` fields in
    order, an array of numbers as that many values; bitfields and flexible arrays are not in it.
    """

    def __init__(self, name: str, size: int, fields: tuple[Field, ...], order: str = "<") -> None:
        """Fields in order of offset; raises ``KernelError`` if they overlap or pass the end."""
        self.name, self.size, self.fields, self.order = name, size, fields, order
        if any(field.end > size for field in fields):
            raise KernelError(f"damaged BTF: a field passes the end of struct {name}")
        self.plain = tuple(f for f in fields if not f.bits and f.length)
        self.format = struct.Struct(_format(self.plain, size, order, name))

    def field(self, name: str) -> Field:
        """The field with this name; raises ``KernelError``."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KernelError(f"struct {self.name} has no field {name}")

    def position(self, name: str) -> int:
        """Where the field's (first) value stands in the tuple that ``format`` unpacks."""
        self.field(name)
        position = 0
        for field in self.plain:
            if field.name == name:
                return position
            position += _values(field)
        raise KernelError(f"struct {self.name}: {name} is a bitfield or a flexible array")

    def unpack(self, data: bytes | memoryview, offset: int = 0) -> dict[str, Value]:
        """Every field by name, ``bytes`` for byte strings and a tuple for other arrays.

        A flexible array is left to the caller. Raises ``KernelError`` if ``data`` is too short.
        """
        if offset + self.size > len(data):
            raise KernelError(f"struct {self.name} needs {self.size} bytes, not {len(data)}")
        values = iter(self.format.unpack_from(data, offset))
        out: dict[str, Value] = {}
        for field in self.fields:
            if field.bits:
                out[field.name] = self._bits(field, data, offset)
            elif field.length:
                several = field.code != "s" and field.length > 1
                out[field.name] = _take(values, field.length) if several else next(values)
        return out

    def pack(self, values: Mapping[str, Value]) -> bytes:
        """Bytes of a value; fields not named are zero. Raises ``KernelError`` on a wrong name."""
        for name in values:
            self.field(name)
        flat: list[int | float | bytes] = []
        for field in self.plain:
            value = values.get(field.name, _zero(field))
            flat.extend(value if isinstance(value, tuple) else (value,))
        try:
            whole = int.from_bytes(self.format.pack(*flat), _ORDERS[self.order])
        except struct.error as error:
            raise KernelError(f"struct {self.name}: a value does not fit: {error}") from error
        for field in self.fields:
            if field.bits:
                whole |= self._shifted(field, values.get(field.name, 0))
        return whole.to_bytes(self.size, _ORDERS[self.order])

    def listing(self) -> str:
        """One line per field: offset, bytes, kind, name; holes are shown."""
        lines, at = [f"struct {self.name}: {self.size} bytes"], 0
        for field in self.fields:
            if field.offset > at:
                lines.append(f"{at:6} {field.offset - at:4}  (padding)")
            lines.append(_field_line(field))
            at = max(at, field.end)
        if self.size > at:
            lines.append(f"{at:6} {self.size - at:4}  (padding)")
        return "\n".join(lines)

    def _bits(self, field: Field, data: bytes | memoryview, offset: int) -> int:
        at = offset + field.offset
        whole = int.from_bytes(data[at : at + field.size], _ORDERS[self.order])
        value = whole >> field.bit_offset & (1 << field.bit_size) - 1
        return value - (value >> field.bit_size - 1 << field.bit_size) if field.signed else value

    def _shifted(self, field: Field, value: Value) -> int:
        if not isinstance(value, int) or value >> field.bit_size not in (0, -1):
            raise KernelError(f"struct {self.name}: {field.name} has {field.bit_size} bits")
        bits = (value & (1 << field.bit_size) - 1) << field.bit_offset
        # In a big-endian number the byte at the lowest offset is the highest.
        after = field.offset if self.order == "<" else self.size - field.offset - field.size
        return bits << 8 * after


class Layout(NamedTuple):
    """Every record and enumeration of an object that travels between kernel and Python."""

    records: dict[str, Record]
    enums: dict[str, dict[str, int]]

    def record(self, name: str) -> Record:
        """The record of this name; raises ``KernelError``."""
        if name not in self.records:
            raise KernelError(f"the object describes no struct {name}")
        return self.records[name]

    def enum(self, name: str) -> dict[str, int]:
        """Name -> value of this enumeration; raises ``KernelError``."""
        if name not in self.enums:
            raise KernelError(f"the object describes no enum {name}")
        return self.enums[name]

    def listing(self) -> str:
        """The whole layout as text: records, then enumerations, each sorted by name."""
        parts = [self.records[name].listing() for name in sorted(self.records)]
        parts += [_enum_listing(name, self.enums[name]) for name in sorted(self.enums)]
        return "\n\n".join(parts) + "\n"

    def fingerprint(self) -> bytes:
        """SHA-256 of the listing, 32 bytes."""
        return hashlib.sha256(self.listing().encode()).digest()


def describe(btf: Btf, prefix: str = PREFIX) -> Layout:
    """Layout of the structures and enumerations whose names start with ``prefix``.

    Only what the maps and the global variables hold: a structure that lives on the stack of a
    program may change without making another layout of it.
    """
    held = [found for found in _held(btf) if found.name.startswith(prefix)]
    return Layout(
        {found.name: record(btf, found.name) for found in held if isinstance(found, Struct)},
        {found.name: dict(found.values) for found in held if isinstance(found, Enum)},
    )


def object_layout(image: bytes, prefix: str = PREFIX) -> Layout:
    """Layout of a compiled object given as its bytes; raises ``KernelError``."""
    return describe(object_btf(image), prefix)


def record(btf: Btf, name: str) -> Record:
    """Layout of one structure; raises ``KernelError`` for what no record can hold."""
    found = btf.struct(name)
    if found.size > _LARGEST_BYTES:
        raise KernelError(f"struct {name} has {found.size} bytes: too large for a record")
    if found.union:
        fields: tuple[Field, ...] = (Field("bytes", 0, 1, "s", found.size),)
    else:
        fields = tuple(_flatten(btf, found, "", 0, [_MOST_FIELDS]))
    return Record(name, found.size, fields, btf.order)


def rows(image: bytes, section: str, struct_name: str) -> list[dict[str, int | float | str]]:
    """Rows of every constant array of that structure in the section, in order of address.

    Byte strings come as text up to their NUL. Raises ``KernelError`` if there is no such table.
    """
    btf = object_btf(image)
    layout, data = record(btf, struct_name), elf.section(image, section)
    tables = _tables(btf, image, section, struct_name)
    if not tables or not layout.size:
        raise KernelError(f"the object has no table of struct {struct_name} in {section}")
    return [
        _row(layout, data, at)
        for start, end in sorted(tables)
        for at in range(start, end - layout.size + 1, layout.size)
    ]


_Order: TypeAlias = Literal["little", "big"]
_LARGEST_BYTES = 1 << 20
_MOST_FIELDS = 10_000  # a damaged array length must not fill memory
_ORDERS: dict[str, _Order] = {"<": "little", ">": "big"}
_INT_CODES = {1: "bB", 2: "hH", 4: "iI", 8: "qQ"}
_FLOAT_CODES = {2: "e", 4: "f", 8: "d"}


def _held(btf: Btf) -> Iterator[Struct | Enum]:
    """Each structure and enumeration that a variable leads to, by name; a map is a variable.

    A map names the types of its keys and values by pointers, so these are followed, too.
    """
    found: dict[int, Type] = {}
    ahead = [id for id, type in btf.types() if isinstance(type, Var)]
    while ahead:
        id = ahead.pop()
        if id not in found:
            found[id] = btf.decode(id)
            ahead += _parts(found[id])
    named = [type for type in found.values() if isinstance(type, Struct | Enum)]
    return iter(sorted(named, key=lambda type: type.name))


def _parts(type: Type) -> list[int]:
    """Ids of the types that a type is made of or points to."""
    if isinstance(type, Struct):
        return [member.type for member in type.members]
    if isinstance(type, Array):
        return [type.element]
    if isinstance(type, Alias | Pointer):
        return [type.target]
    return [type.type] if isinstance(type, Var) else []


def _flatten(btf: Btf, found: Struct, path: str, base: int, budget: list[int]) -> Iterator[Field]:
    """Flat fields of a structure that begins at byte ``base`` of the record."""
    for member in found.members:
        name = f"{path}.{member.name}".strip(".") if member.name else path
        at = base + member.bit_offset // 8
        if member.bit_size:
            yield _bitfield(btf, member, name, base)
        else:
            yield from _fields(btf, member.type, name, at, budget, bool(member.name))


def _fields(
    btf: Btf, id: int, name: str, at: int, budget: list[int], named: bool
) -> Iterator[Field]:
    """Fields of one member of type ``id``; ``budget`` holds how many more may come."""
    budget[0] -= 1
    if budget[0] < 0:
        raise KernelError(f"{name}: more than {_MOST_FIELDS} fields")
    element, length = _elements(btf, id)
    found = btf.resolve(element)
    if not isinstance(found, Struct):
        yield _scalar(found, name, at, length)
    elif found.union:
        # The members of a union overlap, and which one is meant only its reader knows.
        label = name if named else f"{name}.union_at_{at}".strip(".")
        yield Field(label, at, 1, "s", found.size * (1 if length is None else length))
    elif length is None:
        yield from _flatten(btf, found, name, at, budget)
    else:
        for index in range(min(length, _MOST_FIELDS + 1)):
            budget[0] -= 1  # an empty structure has no field that would count
            if budget[0] < 0:
                raise KernelError(f"{name}: more than {_MOST_FIELDS} fields")
            yield from _flatten(btf, found, f"{name}[{index}]", at + index * found.size, budget)


def _elements(btf: Btf, id: int) -> tuple[int, int | None]:
    """Innermost element type and number of elements; ``None`` for what is no array."""
    length: int | None = None
    for _ in range(64):
        found = btf.resolve(id)
        if not isinstance(found, Array):
            return id, length
        id, length = found.element, found.length * (1 if length is None else length)
    raise KernelError(f"damaged BTF: the dimensions of type {id} have no end")


def _scalar(found: object, name: str, at: int, length: int | None) -> Field:
    """Field of an integer, enumeration, address or floating point number, or an array of them."""
    count = 1 if length is None else length
    if isinstance(found, Pointer):
        return Field(name, at, 8, "Q", count)
    if isinstance(found, Float) and found.size in _FLOAT_CODES:
        return Field(name, at, found.size, _FLOAT_CODES[found.size], count)
    if not isinstance(found, Int | Enum):
        raise KernelError(f"field {name}: a record cannot hold such a type")
    enum = found.name if isinstance(found, Enum) else ""
    if found.size not in _INT_CODES or (found.size == 1 and length is not None):
        # Arrays of bytes are text or identifiers: one value, not sixteen.
        return Field(name, at, 1, "s", found.size * count)
    return Field(name, at, found.size, _INT_CODES[found.size][not found.signed], count, enum=enum)


def _bitfield(btf: Btf, member: Member, name: str, base: int) -> Field:
    """Field over the whole bytes that the bits touch."""
    first, shift = divmod(member.bit_offset, 8)
    size = (shift + member.bit_size + 7) // 8
    found = btf.resolve(member.type)
    if not isinstance(found, Int | Enum):
        raise KernelError(f"field {name}: a bitfield of such a type is unknown")
    if btf.order == ">":
        shift = 8 * size - shift - member.bit_size  # big-endian compilers count from the top
    code = "q" if found.signed else "Q"
    enum = found.name if isinstance(found, Enum) else ""
    return Field(name, base + first, size, code, 1, shift, member.bit_size, enum)


def _format(plain: tuple[Field, ...], size: int, order: str, name: str) -> str:
    """``struct`` format of the fields with padding between them and up to ``size``."""
    form, at = order, 0
    for field in plain:
        if field.offset < at or field.end > size:
            raise KernelError(f"struct {name}: field {field.name} overlaps or passes the end")
        form += f"{field.offset - at}x" if field.offset > at else ""
        form += (
            f"{field.length}{field.code}" if field.length > 1 or field.code == "s" else field.code
        )
        at = field.end
    return form + (f"{size - at}x" if size > at else "")


def _values(field: Field) -> int:
    return 1 if field.code == "s" else field.length


def _take(values: Iterator[int | float], count: int) -> tuple[int | float, ...]:
    return tuple(next(values) for _ in range(count))


def _zero(field: Field) -> Value:
    if field.code == "s":
        return b""
    return (0,) * field.length if field.length > 1 else 0


def _field_line(field: Field) -> str:
    kind = (
        f"{field.size}{field.code}"
        if not field.bits
        else f"bits {field.bit_offset}+{field.bit_size}"
    )
    if field.code == "s":
        kind = f"bytes[{field.length}]"
    elif field.length != 1:
        kind += f"[{field.length or ''}]"
    enum = f"  enum {field.enum}" if field.enum else ""
    return f"{field.offset:6} {field.size * field.length:4}  {kind:<10} {field.name}{enum}"


def _enum_listing(name: str, values: Mapping[str, int]) -> str:
    return "\n".join([f"enum {name}", *(f"  {key} = {value}" for key, value in values.items())])


def _tables(btf: Btf, image: bytes, section: str, struct_name: str) -> list[tuple[int, int]]:
    """(start, end) of each array of the structure in the section.

    The symbol table has the places: those in BTF are zero until somebody links the object.
    """
    names = set()
    for place in btf.section(section).places:
        var = btf.resolve(place.var)
        if isinstance(var, Var) and isinstance(found := btf.resolve(var.type), Array):
            element = btf.resolve(found.element)
            if isinstance(element, Struct) and element.name == struct_name:
                names.add(var.name)
    return [
        (symbol.offset, symbol.offset + symbol.size)
        for symbol in elf.symbols(image)
        if symbol.section == section and symbol.name in names
    ]


def _row(layout: Record, data: bytes, at: int) -> dict[str, int | float | str]:
    return {name: _plain(value) for name, value in layout.unpack(data, at).items()}


def _plain(value: Value) -> int | float | str:
    if isinstance(value, tuple):
        raise KernelError("a table row can hold numbers and text, not arrays of numbers")
    return value.split(b"\0")[0].decode(errors="replace") if isinstance(value, bytes) else value
