"""The raw recording: ring bytes as they were drained, in blocks, decodable on any machine.

    file   = magic, version u32, length u32, CRC-32 u32, zero u32, JSON header, blocks
    block  = 64-byte head, payload
    RING      : ring bytes of one CPU          STATUS : JSON, see Status
    DISCLOSED : lines, see disclosed.py        END    : nothing; the file is whole

Little-endian throughout. A file without its END block was cut: everything before the cut is read
all the same. The last 32 bytes of a block head are room for a hash and zero for now.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from provcap.capture import layout as layouts
from provcap.capture.decoder import BUSY, DISCARD, RING_HEADER_BYTES
from provcap.capture.layout import Layout
from provcap.errors import RecordingError, TruncatedError
from provcap.records import Origin

MAGIC = b"PROVCAP\x00"
BLOCK_MAGIC = b"PCBK"
VERSION = 1
RING, STATUS, END, DISCLOSED = 1, 2, 3, 4
LONGEST_BLOCK = 256 << 20
LONGEST_HEADER = 16 << 20

_BLOCKS = (RING, STATUS, END, DISCLOSED)
_FILE_HEAD = struct.Struct("<8sIII4x")
_BLOCK_HEAD = struct.Struct("<4sBxHIIQQ32s")  # magic, type, cpu, bytes, zero, number, at_ns, hash
_WORD = struct.Struct("<I")
_UNSOUND = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
assert _BLOCK_HEAD.size == 64


class Header(NamedTuple):
    """What must be known to understand the blocks.

    ``fingerprint`` names the layout, ``cpus`` the number of rings, ``provcap`` the version that
    wrote.
    """

    origin: Origin
    layout: Layout
    fingerprint: str
    cpus: int
    provcap: str
    start_ns: int


class Status(NamedTuple):
    """Counters of the kernel side at one moment; the last of a recording is ``final``.

    ``counters``: CPU -> name (``event_ring_full`` ...) -> count since attaching; ``stalls``: CPU ->
    times its ring stood still behind an unsubmitted record; ``recursion_misses``: program -> runs
    that the kernel skipped; ``given``: CPU -> sequence numbers that it has given out; ``policy``:
    ``hash`` of the one in force, and ``restrictions``, the names of what was left out so far;
    ``refused``: cause -> what applications disclosed and was not taken.
    """

    at_ns: int
    final: bool
    counters: Mapping[int, Mapping[str, int]]
    stalls: Mapping[int, int]
    recursion_misses: Mapping[str, int]
    given: Mapping[int, int] = {}
    policy: Mapping[str, str] = {}
    refused: Mapping[str, int] = {}


class Block(NamedTuple):
    """One block; ``at_ns`` is the time of its first record, 0 if that was not known."""

    type: int
    cpu: int
    number: int
    at_ns: int
    payload: bytes


class RawWriter:
    """Writes a recording to a binary file that is open for writing; the caller closes it."""

    def __init__(self, file: BinaryIO, header: Header) -> None:
        """Writes the file header; OSError comes through from the file, here and below."""
        self._file = file
        self._number = 0
        self._stated: Status | None = None
        body = json.dumps(_header_json(header), separators=(",", ":")).encode()
        self._write(_FILE_HEAD.pack(MAGIC, VERSION, len(body), zlib.crc32(body)) + body)

    def ring(self, cpu: int, data: bytes, at_ns: int = 0) -> None:
        """Ring bytes of one CPU, whole records with their ring headers."""
        self._block(RING, cpu, at_ns, data)

    def status(self, status: Status) -> None:
        """Counters; once at the start, from time to time, and once at the end.

        Left out where only time has passed since the last: a machine at rest fills no disk.
        """
        if self._stated and status == self._stated._replace(at_ns=status.at_ns):
            return
        body = json.dumps(status._asdict(), separators=(",", ":")).encode()
        self._block(STATUS, 0, status.at_ns, body)
        self._stated = status

    def disclosed(self, data: bytes, at_ns: int) -> None:
        """What applications disclosed, packed."""
        self._block(DISCLOSED, 0, at_ns, data)

    def end(self) -> None:
        """The recording is whole."""
        self._block(END, 0, 0, b"")

    def _write(self, data: bytes) -> None:
        """Whole: an unbuffered file may take less than it is given when the disk gets full."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]

    def _block(self, type: int, cpu: int, at_ns: int, payload: bytes) -> None:
        head = (BLOCK_MAGIC, type, cpu, len(payload), 0, self._number, at_ns, bytes(32))
        self._write(_BLOCK_HEAD.pack(*head) + payload)
        self._number += 1


class RawReader:
    """Reads a recording from a binary file; iterate for its blocks."""

    def __init__(self, file: BinaryIO) -> None:
        """RecordingError if it is no recording, TruncatedError if it ends inside its header."""
        self._file = file
        self.read_bytes = 0
        head = self._head_part(_FILE_HEAD.size)
        _, version, length, crc = _FILE_HEAD.unpack(head)
        if version != VERSION:
            raise RecordingError(
                f"the recording has version {version}, this provcap reads {VERSION}"
            )
        if length > LONGEST_HEADER:
            raise RecordingError(f"the recording's header claims {length} bytes: it is damaged")
        body = self._head_part(length)
        if zlib.crc32(body) != crc:  # a wrong layout would make sense of nothing
            raise RecordingError("the header of the recording is damaged")
        self.header = _parse_header(body)

    def __iter__(self) -> Iterator[Block]:
        """Every block up to END, which is not given.

        TruncatedError, after all that is intact (of a cut RING block: its whole records), if the
        file ends before END; RecordingError where a block makes no sense.
        """
        number = 0
        while True:
            block, wanted = self._block(number)
            if block.type == END:
                return
            whole = len(block.payload) == wanted
            if whole or block.type == RING:
                yield block if whole else block._replace(payload=whole_records(block.payload))
            if not whole:
                raise self._cut(f"in block {number}")
            number += 1

    def _block(self, number: int) -> tuple[Block, int]:
        """(block, payload bytes that it should have)."""
        head = self._exactly(_BLOCK_HEAD.size, f"before the end of block {number}")
        magic, type, cpu, length, _, found, at_ns, _ = _BLOCK_HEAD.unpack(head)
        sound = magic == BLOCK_MAGIC and type in _BLOCKS and length <= LONGEST_BLOCK
        if not sound or found != number:
            raise RecordingError(f"block {number} of the recording is damaged")
        return Block(type, cpu, number, at_ns, self._at_most(length)), length

    def _head_part(self, size: int) -> bytes:
        data = self._at_most(size)
        if not MAGIC.startswith(data[: len(MAGIC)]) and self.read_bytes == len(data):
            raise RecordingError("this is not a raw recording of provcap (its first bytes differ)")
        if len(data) < size:
            raise TruncatedError(
                f"the recording ends inside its header, after {self.read_bytes} bytes: "
                "nothing of it can be read"
            )
        return data

    def _exactly(self, size: int, place: str) -> bytes:
        data = self._at_most(size)
        if len(data) < size:
            raise self._cut(place)
        return data

    def _at_most(self, size: int) -> bytes:
        parts, missing = [], size
        while missing and (part := self._file.read(min(missing, 1 << 20))):
            parts.append(part)
            missing -= len(part)
        self.read_bytes += size - missing
        return b"".join(parts)

    def _cut(self, place: str) -> TruncatedError:
        return TruncatedError(
            f"the recording ends {place}, after {self.read_bytes} bytes; what came before was read"
        )


def whole_records(data: bytes) -> bytes:
    """The ring bytes up to the last record that is not cut short."""
    position = 0
    while position + RING_HEADER_BYTES <= len(data):
        length = _WORD.unpack_from(data, position)[0] & ~(BUSY | DISCARD)
        following = position + (RING_HEADER_BYTES + length + 7 & ~7)
        if following > len(data):
            break
        position = following
    return data[:position]


def parse_status(payload: bytes) -> Status:
    """The content of a STATUS block; RecordingError if it is not one."""
    try:
        value = json.loads(payload)
        counters = {int(cpu): _counts(counts) for cpu, counts in value["counters"].items()}
        stalls = {int(cpu): int(count) for cpu, count in value["stalls"].items()}
        misses = _counts(value["recursion_misses"])
        given = {int(cpu): int(count) for cpu, count in value["given"].items()}
        policy = {str(name): str(text) for name, text in value.get("policy", {}).items()}
        at_ns, final = int(value["at_ns"]), bool(value["final"])
        refused = _counts(value.get("refused", {}))
        return Status(at_ns, final, counters, stalls, misses, given, policy, refused)
    except _UNSOUND as error:
        raise RecordingError("a status block of the recording is damaged") from error


def _counts(value: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(count) for name, count in value.items()}


def _header_json(header: Header) -> dict[str, Any]:
    return {
        **header._asdict(),
        "origin": {**header.origin._asdict(), "machine": dict(header.origin.machine)},
        "layout": layouts.to_json(header.layout),
    }


def _parse_header(body: bytes) -> Header:
    try:
        value = json.loads(body)
        origin = Origin(**value["origin"])
        texts = (value["fingerprint"], value["provcap"], *origin.machine, *origin.machine.values())
        cpus, start_ns = value["cpus"], value["start_ns"]
        numbers = (origin.boot_id, origin.machine_id, origin.wall_offset_ns, cpus, start_ns)
        ranges = ((0, 32), (0, 32), (-1, 63), (0, 16), (0, 63))
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a text of the header is none")
        if not all(
            type(number) is int and sign << bits <= number < 1 << bits
            for number, (sign, bits) in zip(numbers, ranges, strict=True)
        ):
            raise ValueError("a number of the header is out of range")
        return Header(
            origin,
            layouts.from_json(value["layout"]),
            value["fingerprint"],
            cpus,
            value["provcap"],
            start_ns,
        )
    except _UNSOUND as error:
        raise RecordingError("the header of the recording is damaged") from error
