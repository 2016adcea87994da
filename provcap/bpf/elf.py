"""Reads sections and symbols of a 64-bit ELF object: the little that a BPF object needs."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from provcap.errors import KernelError


class Symbol(NamedTuple):
    """A named place in a section; offset and size in bytes."""

    name: str
    section: str
    offset: int
    size: int


class Section(NamedTuple):
    """One section: its bytes (none for .bss), the number of the section it leans on, its flags."""

    name: str
    type: int
    data: bytes
    link: int
    flags: int = 0

    @property
    def is_code(self) -> bool:
        """Whether it holds instructions."""
        return bool(self.flags & _EXECUTABLE)


def sections(image: bytes) -> list[Section]:
    """Every section of the object in file order; raises ``KernelError`` on anything but ELF64."""
    order = _byte_order(image)
    headers = list(_headers(image, order))
    at_names = _unpack(order + "H", image, 62)[0]
    names = _bytes_of(image, headers[at_names]) if at_names < len(headers) else b""
    return [
        Section(
            _string(names, header[0]), header[1], _bytes_of(image, header), header[6], header[2]
        )
        for header in headers
    ]


def section(image: bytes, name: str) -> bytes:
    """Bytes of the named section; raises ``KernelError`` if the object has none."""
    for candidate in sections(image):
        if candidate.name == name:
            return candidate.data
    raise KernelError(f"the object has no section {name}")


def symbols(image: bytes) -> list[Symbol]:
    """Every named symbol that lies in a section; raises ``KernelError``."""
    order, parts = _byte_order(image), sections(image)
    return [
        Symbol(name, parts[index].name, offset, size)
        for table in parts
        if table.type == _SYMBOL_TABLE
        for name, index, offset, size in _entries(table, parts, order)
        if name and index < len(parts)
    ]


_SYMBOL_TABLE, _NO_BITS = 2, 8
_EXECUTABLE = 4


def _byte_order(image: bytes) -> str:
    if image[:5] != b"\x7fELF\x02":
        raise KernelError("not a 64-bit ELF object (build it with: make -C kernel)")
    return ">" if image[5:6] == b"\x02" else "<"


def _headers(image: bytes, order: str) -> Iterator[tuple[int, ...]]:
    """Each section header: name, type, flags, address, offset, size, link, info, align, entry."""
    (start,) = _unpack(order + "Q", image, 40)
    entry_bytes, count = _unpack(order + "HH", image, 58)
    for index in range(count):
        yield _unpack(order + "IIQQQQIIQQ", image, start + index * entry_bytes)


def _bytes_of(image: bytes, header: tuple[int, ...]) -> bytes:
    offset, size = header[4], header[5]
    if header[1] == _NO_BITS:
        return b""
    if offset + size > len(image):
        raise KernelError("the ELF object is cut short: a section ends behind the file")
    return image[offset : offset + size]


def _entries(
    table: Section, parts: list[Section], order: str
) -> Iterator[tuple[str, int, int, int]]:
    names = parts[table.link].data if table.link < len(parts) else b""
    for at in range(0, len(table.data) - 23, 24):
        name, _info, _other, index, value, size = _unpack(order + "IBBHQQ", table.data, at)
        yield _string(names, name), index, value, size


def _unpack(form: str, data: bytes, offset: int) -> tuple[int, ...]:
    if offset + struct.calcsize(form) > len(data):
        raise KernelError("the ELF object is cut short: a header ends behind the file")
    return struct.unpack_from(form, data, offset)


def _string(table: bytes, offset: int) -> str:
    end = table.find(b"\0", offset)
    return table[offset : end if end >= 0 else None].decode(errors="replace")
