"""Reads and writes BPF maps through their file descriptors, as bytes or as records of a layout."""

import ctypes
import errno
import os
import sys
from collections.abc import Iterator, Mapping
from ctypes import c_char, c_uint32, c_uint64
from pathlib import Path
from typing import NamedTuple, Self

from provcap.bpf.layout import Record, Value
from provcap.bpf.libbpf import CallError, call, possible_cpus
from provcap.errors import KernelError

# Numbers of enum bpf_map_type in include/uapi/linux/bpf.h.
HASH, ARRAY, PERCPU_HASH, PERCPU_ARRAY, LRU_HASH, LRU_PERCPU_HASH, LPM_TRIE = 1, 2, 5, 6, 9, 10, 11
ARRAY_OF_MAPS, QUEUE, STACK, RINGBUF = 12, 22, 23, 27
PER_CPU = frozenset({PERCPU_HASH, PERCPU_ARRAY, LRU_PERCPU_HASH})

ANY, NOEXIST, EXIST = 0, 1, 2  # flags of update


class MapInfo(NamedTuple):
    """What the kernel says about a map; sizes in bytes, ``type`` as in ``enum bpf_map_type``."""

    id: int
    name: str
    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int


class Map:
    """An open map; a context manager that closes the descriptor (the map lives on while pinned).

    Keys and values are bytes of exactly the map's sizes; ``KernelError`` for any other. A per-CPU
    map takes and gives one value per possible CPU through ``lookup_percpu`` and ``update_percpu``.
    """

    def __init__(self, fd: int) -> None:
        """Own the descriptor from here on."""
        self.fd = fd
        self.info = map_info(fd)

    @classmethod
    def pinned(cls, path: Path) -> Self:
        """Open the map pinned at ``path``; raises ``CallError``."""
        return cls(call("bpf_obj_get", os.fsencode(path), about=str(path)))

    @classmethod
    def by_id(cls, id: int) -> Self:
        """Open the map with this id, as an array of maps gives it; raises ``CallError``."""
        return cls(call("bpf_map_get_fd_by_id", id, about=f"{id}"))

    @classmethod
    def ringbuf(cls, name: str, size_bytes: int) -> Self:
        """Make a ring buffer; the size is a power of two of pages. Raises ``CallError``."""
        fd = call("bpf_map_create", RINGBUF, name.encode()[:15], 0, 0, size_bytes, None, about=name)
        return cls(fd)

    def lookup(self, key: bytes) -> bytes | None:
        """Value under the key, ``None`` if there is none."""
        return self._read("bpf_map_lookup_elem", self._key(key))

    def update(self, key: bytes, value: bytes, flags: int = ANY) -> None:
        """Write the value; raises ``CallError`` (``E2BIG``: the map is full)."""
        value = self._sized(value, self._value_bytes(), "value")
        call("bpf_map_update_elem", self.fd, self._key(key), value, flags, about=self.info.name)

    def delete(self, key: bytes) -> bool:
        """Remove the key; ``False`` if it was not there."""
        try:
            call("bpf_map_delete_elem", self.fd, self._key(key), about=self.info.name)
        except CallError as error:
            if error.errno == errno.ENOENT:
                return False
            raise
        return True

    def keys(self) -> Iterator[bytes]:
        """Every key, at most ``max_entries`` of them.

        The kernel may add and remove entries meanwhile; if the key just given is gone, iteration
        starts again, so a key can come twice: the bound keeps that from going on for ever.
        """
        key: bytes | None = None
        for _ in range(self.info.max_entries):
            out = (c_char * self.info.key_size)()
            try:
                call("bpf_map_get_next_key", self.fd, key, out, about=self.info.name)
            except CallError as error:
                if error.errno == errno.ENOENT:
                    return
                raise
            key = bytes(out)
            yield key

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every key with its value; one that vanishes in between is left out."""
        for key in self.keys():
            value = self.lookup(key)
            if value is not None:
                yield key, value

    def clear(self) -> int:
        """Remove every entry; returns how many. Not for arrays."""
        return sum(self.delete(key) for key in list(self.keys()))

    def lookup_percpu(self, key: bytes) -> list[bytes]:
        """One value per possible CPU; raises ``KernelError`` if the key is not there."""
        whole, size = self.lookup(key), self.info.value_size
        if whole is None:
            raise KernelError(f"map {self.info.name} has no key {key.hex()}")
        return [whole[at : at + size] for at in range(0, len(whole), _padded(size))]

    def update_percpu(self, key: bytes, values: list[bytes]) -> None:
        """Write one value per possible CPU."""
        padding = bytes(_padded(self.info.value_size) - self.info.value_size)
        self.update(key, b"".join(value + padding for value in values))

    def push(self, value: bytes) -> None:
        """Put a value on a stack or queue; raises ``CallError`` (``E2BIG``: it is full)."""
        value = self._sized(value, self.info.value_size, "value")
        call("bpf_map_update_elem", self.fd, None, value, ANY, about=self.info.name)

    def pop(self) -> bytes | None:
        """Take the next value of a stack or queue, ``None`` if it is empty."""
        return self._read("bpf_map_lookup_and_delete_elem", None)

    def close(self) -> None:
        """Close the descriptor; further calls fail."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def __enter__(self) -> Self:
        """The map itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the descriptor."""
        self.close()

    def _read(self, function: str, key: bytes | None) -> bytes | None:
        out = (c_char * self._value_bytes())()
        try:
            call(function, self.fd, key, out, about=self.info.name)
        except CallError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        return bytes(out)

    def _value_bytes(self) -> int:
        """Bytes that a look-up writes: the kernel pads each CPU's value to a multiple of 8."""
        size = self.info.value_size
        return _padded(size) * possible_cpus() if self.info.type in PER_CPU else size

    def _key(self, key: bytes) -> bytes:
        return self._sized(key, self.info.key_size, "key")

    def _sized(self, data: bytes, size: int, what: str) -> bytes:
        """The kernel reads as many bytes as it likes from our address: never give it fewer."""
        if len(data) != size:
            raise KernelError(f"map {self.info.name}: a {what} has {size} bytes, not {len(data)}")
        return data


class RecordMap:
    """A map whose keys and values are records: names and numbers instead of bytes."""

    def __init__(self, map: Map, key: Record, value: Record) -> None:
        """Lay the records over the map; raises ``KernelError`` if a size differs."""
        for record, size in ((key, map.info.key_size), (value, map.info.value_size)):
            if record.size != size:
                raise KernelError(f"map {map.info.name}: struct {record.name} is not {size} bytes")
        self.map, self.key, self.value = map, key, value

    def lookup(self, key: Mapping[str, Value]) -> dict[str, Value] | None:
        """Value under the key, ``None`` if there is none."""
        found = self.map.lookup(self.key.pack(key))
        return None if found is None else self.value.unpack(found)

    def update(
        self, key: Mapping[str, Value], value: Mapping[str, Value], flags: int = ANY
    ) -> None:
        """Write the value; fields not named are zero."""
        self.map.update(self.key.pack(key), self.value.pack(value), flags)

    def delete(self, key: Mapping[str, Value]) -> bool:
        """Remove the key; ``False`` if it was not there."""
        return self.map.delete(self.key.pack(key))

    def items(self) -> Iterator[tuple[dict[str, Value], dict[str, Value]]]:
        """Every key with its value."""
        for key, value in self.map.items():
            yield self.key.unpack(key), self.value.unpack(value)


def u32(number: int) -> bytes:
    """Key of an array map."""
    return number.to_bytes(4, sys.byteorder)


def map_info(fd: int) -> MapInfo:
    """What the kernel says about the map behind ``fd``; raises ``CallError``."""
    raw, size = _RawMapInfo(), c_uint32(ctypes.sizeof(_RawMapInfo))
    call("bpf_obj_get_info_by_fd", fd, ctypes.byref(raw), ctypes.byref(size), about="(map)")
    name = raw.name.decode(errors="replace")
    return MapInfo(
        raw.id, name, raw.type, raw.key_size, raw.value_size, raw.max_entries, raw.map_flags
    )


def _padded(size: int) -> int:
    return (size + 7) & ~7


class _RawMapInfo(ctypes.Structure):
    """``struct bpf_map_info`` as of Linux 6.1; a newer kernel fills this much of its own."""

    _fields_ = [
        ("type", c_uint32),
        ("id", c_uint32),
        ("key_size", c_uint32),
        ("value_size", c_uint32),
        ("max_entries", c_uint32),
        ("map_flags", c_uint32),
        ("name", c_char * 16),
        ("ifindex", c_uint32),
        ("btf_vmlinux_value_type_id", c_uint32),
        ("netns_dev", c_uint64),
        ("netns_ino", c_uint64),
        ("btf_id", c_uint32),
        ("btf_key_type_id", c_uint32),
        ("btf_value_type_id", c_uint32),
        ("reserved", c_uint32),
        ("map_extra", c_uint64),
    ]
