"""Decodes BTF, the type description that the kernel and every BPF object carry.

``Btf(raw bytes)`` checks the frame once and decodes a type when it is asked for, so that the
kernel's own BTF (some 130,000 types) costs a tenth of a second. Type ids are those of the kernel;
id 0 is ``void``. Damaged bytes raise ``KernelError``.
"""

import functools
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from provcap.bpf import elf
from provcap.errors import KernelError

KERNEL_BTF = Path("/sys/kernel/btf/vmlinux")


class Void(NamedTuple):
    """No type at all (id 0)."""

    name: str = "void"


class Int(NamedTuple):
    """An integer; ``size`` in bytes, ``bits`` of it used from ``bit_offset`` on."""

    name: str
    size: int
    bits: int
    bit_offset: int
    signed: bool
    char: bool
    boolean: bool


class Float(NamedTuple):
    """A floating point number of ``size`` bytes."""

    name: str
    size: int


class Pointer(NamedTuple):
    """An address of something of type ``target``."""

    target: int
    name: str = ""


class Array(NamedTuple):
    """``length`` elements of one type; 0 for a flexible array at the end of a structure."""

    element: int
    length: int
    name: str = ""


class Member(NamedTuple):
    """One member; ``bit_size`` is 0 unless it is a bitfield."""

    name: str
    type: int
    bit_offset: int
    bit_size: int


class Struct(NamedTuple):
    """A structure or union of ``size`` bytes."""

    name: str
    size: int
    members: tuple[Member, ...]
    union: bool


class Enum(NamedTuple):
    """An enumeration stored in ``size`` bytes; values in the order of the source."""

    name: str
    size: int
    signed: bool
    values: dict[str, int]


class Alias(NamedTuple):
    """Another spelling of ``target``: typedef, const, volatile, restrict or a type tag."""

    name: str
    target: int
    kind: str


class Forward(NamedTuple):
    """A structure or union that is named but not described."""

    name: str
    union: bool


class Func(NamedTuple):
    """A function; ``prototype`` is the id of its ``Prototype``."""

    name: str
    prototype: int
    linkage: int


class Prototype(NamedTuple):
    """Result and arguments (name, type id) of a function."""

    result: int
    arguments: tuple[tuple[str, int], ...]
    name: str = ""


class Var(NamedTuple):
    """A global variable."""

    name: str
    type: int
    linkage: int


class Place(NamedTuple):
    """Where a variable lies in its section; both 0 before libbpf or the linker filled them in."""

    var: int
    offset: int
    size: int


class DataSection(NamedTuple):
    """A section of global variables."""

    name: str
    size: int
    places: tuple[Place, ...]


class Tag(NamedTuple):
    """A remark on a declaration; it describes no data."""

    name: str
    target: int
    component: int


Type: TypeAlias = (
    Void | Int | Float | Pointer | Array | Struct | Enum | Alias | Forward
    | Func | Prototype | Var | DataSection | Tag
)  # fmt: skip


class Btf:
    """The types of one kernel or object."""

    def __init__(self, raw: bytes) -> None:
        """Take the raw BTF bytes; raises ``KernelError`` if they are not BTF."""
        self.order, self._types, self._strings = _frame(raw)
        self._head = struct.Struct(self.order + "III")
        self._offsets: list[int] = [0]  # of type id N in the type bytes; id 0 (void) has none
        self._kinds = bytearray(b"\0")
        self._ids: dict[tuple[int, str], int] = {}
        self._scan()

    def __len__(self) -> int:
        """Number of types, void among them: ids run from 0 to one less."""
        return len(self._offsets)

    def decode(self, id: int) -> Type:
        """Decode the type with this id; raises ``KernelError``."""
        if not 0 <= id < len(self._offsets):
            raise KernelError(f"damaged BTF: there is no type {id}")
        if id == 0:
            return Void()
        at = self._offsets[id]
        name, info, word = self._head.unpack_from(self._types, at)
        return _DECODERS[self._kinds[id]](self, self.string(name), info, word, at + 12)

    def types(self) -> Iterator[tuple[int, Type]]:
        """Every id with its type; raises ``KernelError``."""
        return ((id, self.decode(id)) for id in range(len(self)))

    def struct(self, name: str) -> Struct:
        """The structure or union with this name; raises ``KernelError`` if there is none."""
        for kind in (_STRUCT, _UNION):
            found = self._find(kind, name)
            if isinstance(found, Struct):
                return found
        raise KernelError(f"BTF has no struct {name} (a struct only cast to is left out of BTF)")

    def enum(self, name: str) -> Enum:
        """The enumeration with this name; raises ``KernelError`` if there is none."""
        for kind in (_ENUM, _ENUM64):
            found = self._find(kind, name)
            if isinstance(found, Enum):
                return found
        raise KernelError(f"BTF has no enum {name} (an enum that no variable uses is left out)")

    def section(self, name: str) -> DataSection:
        """The data section with this name; raises ``KernelError`` if there is none."""
        found = self._find(_DATASEC, name)
        if isinstance(found, DataSection):
            return found
        raise KernelError(f"BTF has no data section {name}")

    def typedef(self, name: str) -> Alias:
        """The typedef with this name; raises ``KernelError`` if there is none."""
        found = self._find(_TYPEDEF, name)
        if isinstance(found, Alias):
            return found
        raise KernelError(f"BTF has no typedef {name}")

    def has_func(self, name: str) -> bool:
        """Whether a function of this name exists (and so whether it can be traced)."""
        return (_FUNC, name) in self._index

    def has_typedef(self, name: str) -> bool:
        """Whether a typedef of this name exists."""
        return (_TYPEDEF, name) in self._index

    def resolve(self, id: int) -> Type:
        """Type behind typedefs and const; raises ``KernelError`` (also on a circle of them)."""
        for _ in range(_DEEPEST):
            found = self.decode(id)
            if not isinstance(found, Alias):
                return found
            id = found.target
        raise KernelError(f"damaged BTF: the aliases of type {id} have no end")

    def size_of(self, id: int) -> int:
        """Bytes that a value of this type takes; raises ``KernelError`` for what has no size."""
        factor = 1
        for _ in range(_DEEPEST):
            found = self.resolve(id)
            if isinstance(found, Int | Float | Struct | Enum):
                return factor * found.size
            if isinstance(found, Pointer):
                return factor * 8
            if not isinstance(found, Array):
                break
            factor, id = factor * found.length, found.element
        raise KernelError(f"damaged BTF: type {id} has no size")

    @functools.cached_property
    def _index(self) -> dict[tuple[int, str], int]:
        """(kind, name) -> the first id that has them."""
        index: dict[tuple[int, str], int] = {}
        unpack, offsets = struct.Struct(self.order + "I").unpack_from, self._offsets
        for id in range(1, len(offsets)):
            (name,) = unpack(self._types, offsets[id])
            if name:
                index.setdefault((self._kinds[id], self.string(name)), id)
        return index

    def _find(self, kind: int, name: str) -> Type | None:
        id = self._index.get((kind, name))
        return None if id is None else self.decode(id)

    def _scan(self) -> None:
        """Note offset and kind of every type, so that ids can be looked up."""
        at, end = 0, len(self._types)
        unpack = self._head.unpack_from
        while at < end:
            if at + 12 > end:
                raise KernelError("damaged BTF: the last type is cut short")
            _name, info, _word = unpack(self._types, at)
            kind, count = info >> 24 & 0x1F, info & 0xFFFF
            if kind not in _DECODERS:
                raise KernelError(f"damaged BTF, or newer than this program: kind {kind}")
            self._offsets.append(at)
            self._kinds.append(kind)
            at += 12 + _FIXED_BYTES.get(kind, 0) + _BYTES_EACH.get(kind, 0) * count
        if at != end:
            raise KernelError("damaged BTF: the last type is cut short")

    def string(self, offset: int) -> str:
        """What stands there among the strings: names of types, lines of source."""
        end = self._strings.find(b"\0", offset)
        if end < 0:
            raise KernelError("damaged BTF: a name lies outside the string section")
        return self._strings[offset:end].decode(errors="replace")

    def _words(self, at: int, count: int) -> tuple[int, ...]:
        return struct.unpack_from(f"{self.order}{count}I", self._types, at)


def object_btf(image: bytes) -> Btf:
    """Types of a compiled BPF object given as its bytes; raises ``KernelError``."""
    return Btf(elf.section(image, ".BTF"))


def kernel_btf(path: Path = KERNEL_BTF) -> Btf:
    """Types of the running kernel; ``KernelError`` if it was built without them."""
    try:
        return Btf(path.read_bytes())
    except OSError as error:
        raise KernelError(
            f"the kernel has no BTF at {path} (it needs CONFIG_DEBUG_INFO_BTF=y)"
        ) from error


# Numbers of include/uapi/linux/btf.h.
_MAGIC = 0xEB9F
_INT, _PTR, _ARRAY, _STRUCT, _UNION, _ENUM, _FWD, _TYPEDEF, _VOLATILE, _CONST = range(1, 11)
_RESTRICT, _FUNC, _PROTO, _VAR, _DATASEC, _FLOAT, _DECL_TAG, _TYPE_TAG, _ENUM64 = range(11, 20)
_SIGNED, _CHAR, _BOOL = 1, 2, 4
_KIND_FLAG = 1 << 31

_FIXED_BYTES = {_INT: 4, _ARRAY: 12, _VAR: 4, _DECL_TAG: 4}
_BYTES_EACH = {_STRUCT: 12, _UNION: 12, _ENUM: 8, _PROTO: 8, _DATASEC: 12, _ENUM64: 12}
_DEEPEST = 64  # aliases or array dimensions on top of each other; the kernel allows 32


def _frame(raw: bytes) -> tuple[str, bytes, bytes]:
    """Byte order, type bytes and string bytes of raw BTF."""
    if len(raw) < 24:
        raise KernelError("not BTF: shorter than its header")
    order = "<" if struct.unpack_from("<H", raw)[0] == _MAGIC else ">"
    magic, version, _flags, header = struct.unpack_from(order + "HBBI", raw)
    if magic != _MAGIC or version != 1:
        raise KernelError("not BTF: wrong magic number or version")
    type_at, type_bytes, string_at, string_bytes = struct.unpack_from(order + "4I", raw, 8)
    types = raw[header + type_at : header + type_at + type_bytes]
    strings = raw[header + string_at : header + string_at + string_bytes]
    if len(types) != type_bytes or len(strings) != string_bytes or type_bytes % 4:
        raise KernelError("damaged BTF: a section ends behind the data")
    return order, types, strings


def _int(btf: Btf, name: str, info: int, word: int, at: int) -> Type:
    (bits,) = btf._words(at, 1)
    encoding = bits >> 24 & 0xF
    signed, char, is_bool = (bool(encoding & flag) for flag in (_SIGNED, _CHAR, _BOOL))
    return Int(name, word, bits & 0xFF, bits >> 16 & 0xFF, signed, char or name == "char", is_bool)


def _array(btf: Btf, name: str, info: int, word: int, at: int) -> Type:
    element, _index, count = btf._words(at, 3)
    return Array(element, count)


def _struct(btf: Btf, name: str, info: int, word: int, at: int) -> Type:
    words = btf._words(at, 3 * (info & 0xFFFF))
    members = (
        # With the kind flag, the upper byte is the bitfield's width and the rest its bit offset.
        Member(btf.string(label), type_id, *((place & 0xFFFFFF, place >> 24) if info & _KIND_FLAG
                                            else (place, 0)))
        for label, type_id, place in zip(words[::3], words[1::3], words[2::3], strict=True)
    )  # fmt: skip
    return Struct(name, word, tuple(members), info >> 24 & 0x1F == _UNION)


def _enum(btf: Btf, name: str, info: int, word: int, at: int) -> Type:
    words, signed = btf._words(at, 2 * (info & 0xFFFF)), bool(info & _KIND_FLAG)
    values = {
        btf.string(label): value - (value >> 31 << 32) if signed else value
        for label, value in zip(words[::2], words[1::2], strict=True)
    }
    return Enum(name, word, signed, values)


def _enum64(btf: Btf, name: str, info: int, word: int, at: int) -> Type:
    words, signed = btf._words(at, 3 * (info & 0xFFFF)), bool(info & _KIND_FLAG)
    values = {}
    for label, low, high in zip(words[::3], words[1::3], words[2::3], strict=True):
        value = high << 32 | low
        values[btf.string(label)] = value - (value >> 63 << 64) if signed else value
    return Enum(name, word, signed, values)


def _prototype(btf: Btf, name: str, info: int, word: int, at: int) -> Type:
    words = btf._words(at, 2 * (info & 0xFFFF))
    arguments = zip(map(btf.string, words[::2]), words[1::2], strict=True)
    return Prototype(word, tuple(arguments))


def _data_section(btf: Btf, name: str, info: int, word: int, at: int) -> Type:
    words = btf._words(at, 3 * (info & 0xFFFF))
    return DataSection(name, word, tuple(map(Place, words[::3], words[1::3], words[2::3])))


def _alias(kind: str) -> "_Decoder":
    return lambda btf, name, info, word, at: Alias(name, word, kind)


_Decoder: TypeAlias = Callable[[Btf, str, int, int, int], Type]
_DECODERS: dict[int, _Decoder] = {
    _INT: _int,
    _PTR: lambda btf, name, info, word, at: Pointer(word),
    _ARRAY: _array,
    _STRUCT: _struct,
    _UNION: _struct,
    _ENUM: _enum,
    _FWD: lambda btf, name, info, word, at: Forward(name, bool(info & _KIND_FLAG)),
    _TYPEDEF: _alias("typedef"),
    _VOLATILE: _alias("volatile"),
    _CONST: _alias("const"),
    _RESTRICT: _alias("restrict"),
    _FUNC: lambda btf, name, info, word, at: Func(name, word, info & 0xFFFF),
    _PROTO: _prototype,
    _VAR: lambda btf, name, info, word, at: Var(name, word, btf._words(at, 1)[0]),
    _DATASEC: _data_section,
    _FLOAT: lambda btf, name, info, word, at: Float(name, word),
    _DECL_TAG: lambda btf, name, info, word, at: Tag(name, word, btf._words(at, 1)[0]),
    _TYPE_TAG: _alias("type_tag"),
    _ENUM64: _enum64,
}
