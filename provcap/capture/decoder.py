"""Bytes of a ring in, kernel records out: the pure-Python twin of the native decoder.

A batch is what was drained from one CPU's ring, ring headers included: each record has 4 bytes of
length (top bits: BUSY, DISCARD), 4 bytes that mean nothing here, the record, and stands at a
multiple of 8. Where each field stands is asked of the ``Layout``, which came with the bytes.
"""

import struct
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import NamedTuple

from provcap.capture.layout import Field, Layout, Struct, unpack_format
from provcap.errors import RecordingError
from provcap.vocabulary import FLOWS, KINDS, OUTCOMES, RELATIONS

RING_HEADER_BYTES = 8
BUSY = 1 << 31
DISCARD = 1 << 30


class Event(NamedTuple):
    """One event of a hook; ``source`` and ``target`` are ``from`` and ``to`` of record.h."""

    at_ns: int
    seq: int
    cpu: int
    relation: int
    source: int
    through: int
    target: int
    source_version: int
    through_version: int
    target_version: int
    source_kind: int
    target_kind: int
    bits: int
    flags: int
    epoch: int
    offset: int
    flow: int
    outcome: int


class NodeRecord(NamedTuple):
    """What the kernel knows of one node version; ``attributes``: field name to int or bytes."""

    at_ns: int
    seq: int
    cpu: int
    kind: int
    id: int
    version: int
    epoch: int
    taint: int
    attributes: Mapping[str, int | bytes]


class TextRecord(NamedTuple):
    """One piece of a text that belongs to a node; ``strings`` is ``count`` of prov_text."""

    at_ns: int
    seq: int
    cpu: int
    kind: int
    id: int
    node: int
    node_version: int
    epoch: int
    offset: int
    total: int
    strings: int
    node_kind: int
    bits: int
    text: bytes


KernelRecord = Event | NodeRecord | TextRecord

_EVENT_FIELDS = (
    *("at_ns", "seq", "cpu", "what", "from", "through", "to"),
    *("from_version", "through_version", "to_version", "from_kind", "to_kind"),
    *("bits", "flags", "epoch", "offset", "flow", "outcome"),
)
_NODE_FIELDS = ("at_ns", "seq", "cpu", "what", "id", "version", "epoch", "taint")
_TEXT_FIELDS = (
    *("at_ns", "seq", "cpu", "what", "id", "node", "node_version", "epoch"),
    *("offset", "total", "count", "node_kind", "bits", "length"),
)
_NODE_STRUCTS = {
    "RECORD_TASK": "prov_task_record",
    "RECORD_MEMORY": "prov_memory_record",
    "RECORD_INODE": "prov_inode_record",
    "RECORD_SOCKET": "prov_socket_record",
    "RECORD_STREAM": "prov_stream_record",
    "RECORD_IATTR": "prov_iattr_record",
    "RECORD_PACKET": "prov_packet_record",
    "RECORD_MESSAGE": "prov_message_record",
    "RECORD_SEGMENT": "prov_segment_record",
    "RECORD_EVENTFD": "prov_eventfd_record",
}
_UNTOLD = ("kind", "reserved", "reserved2")  # neither head nor attribute
_RING = struct.Struct("<I")

_Parse = Callable[[bytes, int, int], KernelRecord]


class Decoder:
    """Decodes the batches of one stream; holds nothing from one batch to the next."""

    def __init__(self, layout: Layout) -> None:
        """RecordingError if the layout lacks a field, or the record of events or texts."""
        head = layout.struct("prov_head")
        self._kind_at = RING_HEADER_BYTES + head.field("kind").offset
        self._head_bytes = head.size
        self._event_kind = layout.enumerator("prov_record_kind", "RECORD_EVENT")
        event = layout.struct("prov_event")
        self._stride = RING_HEADER_BYTES + (event.size + 7 & ~7)
        self._event_bytes = event.size
        self._events = _EventReader(event, self._stride)
        self._parsers: dict[int, _Parse] = {}
        for name, record in _NODE_STRUCTS.items():
            if record in layout.structs:  # an older recording knows fewer
                kind = layout.enumerator("prov_record_kind", name)
                self._parsers[kind] = _node_parser(layout.struct(record))
        self._parsers[layout.enumerator("prov_record_kind", "RECORD_TEXT")] = _text_parser(layout)

    def decode(self, batch: bytes) -> list[KernelRecord]:
        """Every record of the batch in ring order.

        RecordingError for bytes that no kernel object of this layout writes: a record cut short or
        not yet submitted, a record kind, node kind or relation that does not exist.
        """
        records: list[KernelRecord] = []
        position, end = 0, len(batch)
        while position < end:
            before = position
            position = self._run_of_events(batch, position, records)
            if position < end and position == before:
                position = self._one(batch, position, records)
        return records

    def _run_of_events(self, batch: bytes, position: int, records: list[KernelRecord]) -> int:
        """Decode as many events as follow each other; returns where something else stands."""
        whole = (len(batch) - position) // self._stride * self._stride
        wanted, kind_at, stride = self._event_bytes, self._kind_at, self._stride
        start, end = position, position + whole
        unpack_length = _RING.unpack_from
        while (
            position < end
            and batch[position + kind_at] == self._event_kind
            and unpack_length(batch, position)[0] == wanted
        ):
            position += stride
        if position > start:
            records += self._events.read(batch[start:position])
        return position

    def _one(self, batch: bytes, position: int, records: list[KernelRecord]) -> int:
        """Decode whatever record stands here; returns where the next begins."""
        if position + RING_HEADER_BYTES > len(batch):
            raise RecordingError(f"ring data end inside a ring header, at byte {position}")
        word: int = _RING.unpack_from(batch, position)[0]
        length, start = word & ~(BUSY | DISCARD), position + RING_HEADER_BYTES
        if word & BUSY:
            raise RecordingError(f"the ring record at byte {position} was never submitted")
        if start + length > len(batch):
            raise RecordingError(f"the ring record at byte {position} is cut short")
        if not word & DISCARD:
            records.append(self._record(batch, start, length))
        return position + (RING_HEADER_BYTES + length + 7 & ~7)

    def _record(self, batch: bytes, start: int, length: int) -> KernelRecord:
        if length < self._head_bytes:
            raise RecordingError(f"the record at byte {start} is shorter than its head")
        kind = batch[start + self._kind_at - RING_HEADER_BYTES]
        if kind not in self._parsers:
            raise RecordingError(f"the record at byte {start} has an unknown kind or size: {kind}")
        return self._parsers[kind](batch, start, length)


class _EventReader:
    """Unpacks runs of events; bit-fields are looked up in a table of all values of their byte."""

    def __init__(self, event: Struct, stride: int) -> None:
        names, marks = _EVENT_FIELDS[:-2], [event.field(name) for name in _EVENT_FIELDS[-2:]]
        holders = {(mark.offset, mark.size) for mark in marks}
        if len(holders) != 1 or marks[0].size != 1 or not all(mark.width for mark in marks):
            raise RecordingError("flow and outcome of an event do not share one byte")
        holder = marks[0]._replace(name="holder", shift=0, width=0)
        fields = sorted([holder, *(event.field(name) for name in names)], key=_offset)
        body = unpack_format(fields, stride - RING_HEADER_BYTES)
        self._struct = struct.Struct(f"<{RING_HEADER_BYTES}x{body[1:]}")
        order = [field.name for field in fields]
        self._pick = itemgetter(*(order.index(name) for name in names))
        self._holder = order.index("holder")
        self._marks = [tuple(_bits(byte, mark) for mark in marks) for byte in range(256)]

    def read(self, run: bytes) -> list[Event]:
        """All events of a run of whole strides; RecordingError if one makes no sense."""
        make, pick, marks, holder = Event._make, self._pick, self._marks, self._holder
        events = [make(pick(raw) + marks[raw[holder]]) for raw in self._struct.iter_unpack(run)]
        for event in events:
            if not _sound(event):
                raise RecordingError(f"event {event.seq} of CPU {event.cpu} makes no sense")
        return events


def _sound(
    event: Event,
    relations: int = len(RELATIONS),
    kinds: int = len(KINDS),
    flows: int = len(FLOWS),
    outcomes: int = len(OUTCOMES),
) -> bool:
    """Whether every number stands for something (by position: names would cost a third more)."""
    return (
        event[3] < relations
        and event[10] < kinds
        and event[11] < kinds
        and event[16] < flows
        and event[17] < outcomes
    )


def _node_parser(record: Struct) -> _Parse:
    """A function that reads one node record; every field that is not head becomes an attribute."""
    head, others = _NODE_FIELDS, (*_NODE_FIELDS, *_UNTOLD)
    fields = sorted((f for f in record.fields if f.name not in _UNTOLD), key=_offset)
    names = [field.name for field in fields]
    pick = itemgetter(*(names.index(record.field(name).name) for name in head))  # field() may raise
    attributes = [(at, name) for at, name in enumerate(names) if name not in others]
    unpack = struct.Struct(unpack_format(fields, record.size)).unpack_from

    def parse(batch: bytes, start: int, length: int) -> NodeRecord:
        if length < record.size:
            raise RecordingError(f"the node record at byte {start} is cut short")
        values = unpack(batch, start)
        known = {name: values[at] for at, name in attributes}
        node = NodeRecord._make((*pick(values), known))
        _check_kind(node.kind, start)
        return node

    return parse


def _text_parser(layout: Layout) -> _Parse:
    """A function that reads one text record."""
    record = layout.struct("prov_text")
    fields = sorted((record.field(name) for name in _TEXT_FIELDS), key=_offset)
    names = [field.name for field in fields]
    pick = itemgetter(*(names.index(name) for name in _TEXT_FIELDS))
    unpack = struct.Struct(unpack_format(fields, record.size)).unpack_from

    def parse(batch: bytes, start: int, length: int) -> TextRecord:
        if length < record.size:
            raise RecordingError(f"the text record at byte {start} is cut short")
        *head, text_bytes = pick(unpack(batch, start))
        if text_bytes > length - record.size:
            raise RecordingError(f"the text at byte {start} is longer than its record")
        begin = start + record.size
        text = TextRecord._make((*head, batch[begin : begin + text_bytes]))
        _check_kind(text.kind, start)
        _check_kind(text.node_kind, start)
        return text

    return parse


def _check_kind(kind: int, start: int) -> None:
    if kind >= len(KINDS):
        raise RecordingError(f"the record at byte {start} has an unknown node kind: {kind}")


def _bits(value: int, field: Field) -> int:
    return value >> field.shift & (1 << field.width) - 1


def _offset(field: Field) -> int:
    return field.offset
