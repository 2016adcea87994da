"""Counts what a raw recording holds: in all, in stretches of time, and what is missing from it.

Public: :class:`Counted`, :class:`RawRecord`, :func:`read`, :func:`records_of`.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from benchmarks.kernel.results import Volume
from provcap.capture.decoder import BUSY, DISCARD, RING_HEADER_BYTES, Decoder
from provcap.capture.layout import Layout
from provcap.capture.losses import Account
from provcap.capture.raw import RING, STATUS, RawReader, Status, parse_status

_WORD = struct.Struct("<I")
_AT = struct.Struct("<Q")


class RawRecord(NamedTuple):
    """One record of a ring: when it was made, how long it is, and of what it is.

    ``kind`` is a number of ``enum prov_record_kind``; ``what`` a relation or a node kind.
    """

    at_ns: int
    bytes: int
    kind: int
    what: int
    place: int
    """Where it begins in its batch, with the head of the ring."""

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.place + (RING_HEADER_BYTES + self.bytes + 7 & ~7)


class Counted:
    """The records of a recording by time; ``lost`` says what is missing, empty: nothing."""

    def __init__(self, records: list[RawRecord], lost: tuple[str, ...], layout: Layout) -> None:
        """``layout`` is that of the recording."""
        self.lost = lost
        self.sizes = {name: layout.struct(f"prov_{name}").size for name in ("event", "text")}
        """Record type -> bytes of its fixed part."""
        event, text = (
            layout.enumerator("prov_record_kind", name) for name in ("RECORD_EVENT", "RECORD_TEXT")
        )
        records = sorted(records)
        self._times = [record.at_ns for record in records]
        columns = [
            [record.bytes for record in records],
            [int(record.kind == event) for record in records],
            [int(record.kind == text) for record in records],
            [record.bytes * (record.kind == text) for record in records],
        ]
        self._sums = [[0, *accumulate(column)] for column in columns]

    def between(self, from_ns: int, to_ns: int) -> Volume:
        """What was recorded from one moment to another."""
        first, end = bisect_left(self._times, from_ns), bisect_right(self._times, to_ns)
        return Volume(end - first, *(sums[end] - sums[first] for sums in self._sums))


def read(raw: Path) -> Counted:
    """Everything that is in this file; raises ``RecordingError`` if it is none."""
    records: list[RawRecord] = []
    statuses: list[Status] = []
    account = Account()
    with raw.open("rb") as file:
        reader = RawReader(file)
        decoder, layout = Decoder(reader.header.layout), reader.header.layout
        for block in reader:
            if block.type == RING:
                account(decoder.decode(block.payload))
                records += records_of(block.payload, layout)
            elif block.type == STATUS:
                statuses.append(parse_status(block.payload))
    losses = account.losses(statuses[0], statuses[-1])
    return Counted(records, tuple(losses.words()), reader.header.layout)


def records_of(batch: bytes, layout: Layout) -> Iterator[RawRecord]:
    """The records of a batch, in its order."""
    head = layout.struct("prov_head")
    at_ns, kind, what = (
        RING_HEADER_BYTES + head.field(name).offset for name in ("at_ns", "kind", "what")
    )
    place = 0
    while place < len(batch):
        word: int = _WORD.unpack_from(batch, place)[0]
        size = word & ~(BUSY | DISCARD)
        if not word & DISCARD:
            when = _AT.unpack_from(batch, place + at_ns)[0]
            yield RawRecord(when, size, batch[place + kind], batch[place + what], place)
        place += RING_HEADER_BYTES + size + 7 & ~7
