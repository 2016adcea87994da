"""Says how much a recording holds of each workload: its records by kind, its bytes as PROV-JSON.

Public: :class:`Part`, :class:`Recorded`, :func:`read`.
"""

import contextlib
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from benchmarks.kernel import recording
from benchmarks.kernel.recording import RawRecord, records_of
from benchmarks.volume.plan import WORKLOADS, Stretch
from provcap.capture.layout import Layout
from provcap.capture.raw import RING, STATUS, RawReader, RawWriter, parse_status
from provcap.formats import w3c
from provcap.records import Edge, Node, Origin, Record
from provcap.services.replay import replay
from provcap.vocabulary import KINDS

_TEXTS = {
    "path": "names",
    "argv": "arguments",
    "envp": "environment",
    "address": "addresses",
}
_SERVER = b"python3"


class Part(NamedTuple):
    """Some of what was recorded."""

    number: int
    bytes: int


class Recorded(NamedTuple):
    """What was recorded of one workload; bytes of records without the 8 of the ring."""

    kinds: Mapping[str, Part]
    """Kind of record -> records in the ring."""
    json: Mapping[str, Part]
    """``nodes`` and ``relations`` -> documents' members; ``all``: both; ``versions``: relations
    that lead from one version of a node to the next."""
    client: Part
    """Relations that no task of the server has made, and the nodes at their ends, as PROV-JSON."""
    status_bytes: int
    """Of the file: what the recorder says of its counters."""
    many: int
    """How much of the workload there was, as in plan.py."""


Modes = Mapping[str, Mapping[str, Recorded]]
"""Mode -> workload -> what was recorded of it."""


def read(raw: Path, stretches: Sequence[Stretch]) -> tuple[Modes, tuple[str, ...]]:
    """What was recorded, and what is missing of the whole, for people: empty means nothing.

    Raises ``RecordingError`` if the file is no recording, or cut.
    """
    kinds, status_bytes = _raw(raw, stretches)
    sinks = {mode: _Sorted(parts) for mode, parts in _by_mode(stretches).items()}
    for sink in sinks.values():
        with _only(raw, sink.since_ns, sink.to_ns) as file:
            replay(file, sink.opened)
    modes: dict[str, dict[str, Recorded]] = {mode: {} for mode in sinks}
    for stretch in stretches:
        told, client = sinks[stretch.mode].sizes(stretch)
        many = WORKLOADS[stretch.workload].many
        found = Recorded(kinds[stretch], told, client, status_bytes.get(stretch, 0), many)
        modes[stretch.mode][stretch.workload] = found
    return modes, recording.read(raw).lost


def _by_mode(stretches: Iterable[Stretch]) -> dict[str, list[Stretch]]:
    found: dict[str, list[Stretch]] = {}
    for stretch in stretches:
        found.setdefault(stretch.mode, []).append(stretch)
    return found


@contextlib.contextmanager
def _only(raw: Path, from_ns: int, to_ns: int) -> Iterator[BinaryIO]:
    """A recording of what was recorded between two moments: nothing from before is known there."""
    with raw.open("rb") as file, tempfile.TemporaryFile() as out:
        reader = RawReader(file)
        writer = RawWriter(out, reader.header)
        for block in reader:
            if block.type == RING:
                kept = _between(block.payload, reader.header.layout, from_ns, to_ns)
                writer.ring(block.cpu, kept, block.at_ns)
        writer.end()
        out.seek(0)
        yield out


def _between(batch: bytes, layout: Layout, from_ns: int, to_ns: int) -> bytes:
    """The records of a batch that were made then."""
    return b"".join(
        batch[record.place : record.end]
        for record in records_of(batch, layout)
        if from_ns <= record.at_ns <= to_ns
    )


def _raw(
    raw: Path, stretches: Sequence[Stretch]
) -> tuple[dict[Stretch, dict[str, Part]], dict[Stretch, int]]:
    """By stretch: kind -> records, and bytes of the recorder's own counters."""
    records: dict[Stretch, list[tuple[str, int]]] = {stretch: [] for stretch in stretches}
    status_bytes: dict[Stretch, int] = defaultdict(int)
    with raw.open("rb") as file:
        reader = RawReader(file)
        name = _Names(reader.header.layout)
        for block in reader:
            if block.type == RING:
                for record in records_of(block.payload, reader.header.layout):
                    for stretch in _at(stretches, record.at_ns):
                        records[stretch].append((name(record), record.bytes))
            elif block.type == STATUS:
                for stretch in _at(stretches, block.at_ns or parse_status(block.payload).at_ns):
                    status_bytes[stretch] += len(block.payload)
    return {stretch: _summed(found) for stretch, found in records.items()}, status_bytes


def _at(stretches: Iterable[Stretch], at_ns: int) -> list[Stretch]:
    return [stretch for stretch in stretches if stretch.has(at_ns)]


def _summed(records: Iterable[tuple[str, int]]) -> dict[str, Part]:
    """Kind -> how many, and their bytes."""
    sums: dict[str, list[int]] = {}
    for kind, size in records:
        found = sums.setdefault(kind, [0, 0])
        found[0] += 1
        found[1] += size
    return {kind: Part(*found) for kind, found in sorted(sums.items())}


class _Names:
    """What a kind of record is called on the page."""

    def __init__(self, layout: Layout) -> None:
        kinds = ("event", "text", "iattr")
        numbers = (
            layout.enumerator("prov_record_kind", f"RECORD_{kind.upper()}") for kind in kinds
        )
        self._event, self._text, self._iattr = numbers

    def __call__(self, record: RawRecord) -> str:
        if record.kind == self._event:
            return "events"
        name = KINDS[record.what].name
        if record.kind == self._text:
            return _TEXTS.get(name, name)
        return "attributes" if record.kind == self._iattr else f"nodes: {name}"


class _Sorted:
    """A sink that keeps what belongs to a stretch, to be formatted in the end."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._held: dict[Stretch, list[Record]] = {stretch: [] for stretch in stretches}
        self.since_ns, self.to_ns = stretches[0].since_ns, stretches[-1].to_ns
        self._servers: set[int] = set()
        self._origin: Origin | None = None

    def opened(self, origin: Origin) -> "list[_Sorted]":
        """Itself, for a recording of this origin."""
        self._origin = origin
        return [self]

    def accept(self, records: Sequence[Record]) -> None:
        """Keep what belongs to a stretch."""
        for record in records:
            if isinstance(record, Node) and _is_server(record):
                self._servers.add(record.identifier.id)
            for stretch in _at(self._held, record.at_ns):
                self._held[stretch].append(record)

    def close(self) -> None:
        """There is nothing to release."""

    def sizes(self, stretch: Stretch) -> tuple[dict[str, Part], Part]:
        """(part -> its records with their bytes, what there is without the server)."""
        held = self._held[stretch]
        nodes = [record for record in held if isinstance(record, Node)]
        edges = [record for record in held if isinstance(record, Edge)]
        client = self._without_servers(nodes, edges)
        versions = [edge for edge in edges if edge.flow == "version"]
        parts: dict[str, Sequence[Record]] = {
            "all": held,
            "nodes": nodes,
            "relations": edges,
            "versions": versions,
        }
        found = {name: Part(len(records), self._bytes(records)) for name, records in parts.items()}
        return found, Part(len(client), self._bytes(client))

    def _without_servers(self, nodes: Sequence[Node], edges: Sequence[Edge]) -> list[Record]:
        others = [edge for edge in edges if edge.task_id not in self._servers]
        ends: set[Any] = {end for edge in others for end in (edge.sender, edge.receiver)}
        return [*others, *(node for node in nodes if node.identifier in ends)]

    def _bytes(self, records: Sequence[Record]) -> int:
        """As PROV-JSON, with the line feed behind each document."""
        if self._origin is None:
            return 0
        documents = w3c.make(self._origin).encode(records)
        return sum(len(document) + 1 for document in documents)


def _is_server(node: Node) -> bool:
    """Whether it is a task of the web server, which is the only such program meanwhile."""
    name = node.attributes.get("comm", b"")
    return node.kind == "task" and isinstance(name, bytes) and name.startswith(_SERVER)
