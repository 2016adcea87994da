"""What was recorded of the workload: the edges of each operation, by the workload's own names.

An end of an edge is a line ``KIND:NAME@VERSION``, an edge ``SENDER -RELATION-> RECEIVER``:

    file:a@0 -read-> task@1
    task@1 -memory_write-> memory@1

``task`` and ``memory`` are those of the task that wrote the operation's begin mark. Versions count
from what the object had then. Names are the workload's own, within the folder of the operation
(``file:other/a`` lies in another's); what has none is numbered as it comes: ``task:1``,
``memory:1``. A packet has no versions: ``packet:1``. A relation that carries less than its kind
usually does says so: ``-write/control->``. Without versions an edge is ``RELATION SENDER ->
RECEIVER``, and the folder of the operation is ``directory:.``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from provcap.capture.decoder import Decoder, KernelRecord, NodeRecord
from provcap.capture.losses import Account, Losses
from provcap.capture.raw import RING, STATUS, RawReader, parse_status
from provcap.capture.stages import Arrived, Expand, OrderByTime
from provcap.records import Edge, Identifier, Node, Origin, PacketIdentifier
from provcap.vocabulary import KINDS, RELATION

ENDINGS = ("free", "terminate_task", "terminate_proc")
_NAMELESS = ("path", "address", "argv", "machine")
_PACKETS = ("packet", "packet6")
_DESCRIBED = (*_NAMELESS, *_PACKETS, "packet_content")
_SHORT = {"process_memory": "memory"}
_KIND = {kind.type: _SHORT.get(kind.name, kind.name) for kind in KINDS}


class Named(NamedTuple):
    """What the workload calls an object: ``kind`` is inode, pipe, socket or task (its number)."""

    kind: str
    device: int
    inode: int
    name: str


def parse_names(text: str) -> list[Named]:
    """The lines ``kind device inode name`` that the workload printed, among others."""
    found = []
    for line in text.splitlines():
        words = line.split(" ")
        if len(words) == 4 and words[0] in ("inode", "pipe", "socket", "task"):
            found.append(Named(words[0], int(words[1]), int(words[2]), words[3]))
    return found


def failures(text: str) -> frozenset[str]:
    """The operations that the workload could not do."""
    lines = (line.partition(" ") for line in text.splitlines())
    return frozenset(name for word, _, name in lines if word == "failed")


class Recording:
    """A whole recording, decoded and expanded, and the names that the workload gave."""

    def __init__(
        self, raw: Path, work: str, names: Iterable[Named], failed: frozenset[str] = frozenset()
    ) -> None:
        """``work`` is the workload's folder in the guest, ``failed`` what it could not do."""
        self.work, self.failed = work, failed
        self.records, self.losses, origin = _decoded(raw)
        expand = Expand(origin)
        self.expanded = expand(self.records) + expand.finish()
        self.edges = [record for record in self.expanded if isinstance(record, Edge)]
        self.texts = {
            record.identifier: record.attributes
            for record in self.expanded
            if isinstance(record, Node) and record.kind in _DESCRIBED
        }
        self._windows: dict[str, Window] = {}
        self._all_told = list(names)
        self._told: dict[tuple[str, int, int], list[str]] = defaultdict(list)
        for named in self._all_told:
            self._told[named.kind, named.device, named.inode].append(named.name)

    def ids(self, name: str) -> list[int]:
        """Node ids of what the workload calls so, in order of appearance (``read/a``)."""
        return [id for id, found in self.told_names.items() if found == name]

    def told(self, name: str) -> Named:
        """What the workload said of the object that it calls so."""
        (found,) = (named for named in self._all_told if named.name == name)
        return found

    def kind(self, id: int) -> str:
        """Kind of this node."""
        return KINDS[self.nodes[id][0].kind].name

    def attributes(self, id: int) -> Mapping[str, Any]:
        """What was last said of this node."""
        return self.nodes[id][-1].attributes

    def names(self, id: int) -> list[bytes]:
        """The paths that were given to this node, in order."""
        senders = [e.sender for e in self.edges if e.relation == "named" and e.receiver.id == id]
        return [self.texts[sender]["pathname"] for sender in dict.fromkeys(senders)]

    def name_history(self, id: int) -> list[tuple[str, bytes, int]]:
        """What was said of this node's names: (named or unnamed, path, when), in order."""
        return [
            (edge.relation, self.texts[edge.sender]["pathname"], edge.at_ns)
            for edge in self.edges
            if edge.relation in ("named", "unnamed") and edge.receiver.id == id
        ]

    @cached_property
    def nodes(self) -> dict[int, list[NodeRecord]]:
        """Node id -> its records."""
        found: dict[int, list[NodeRecord]] = defaultdict(list)
        for record in self.records:
            if isinstance(record, NodeRecord):
                found[record.id].append(record)
        return dict(found)

    @cached_property
    def told_names(self) -> dict[int, str]:
        """Node id -> what the workload calls it."""
        return {id: names[-1] for id in self.nodes if (names := self._names_told(id))}

    def name_within(self, operation: str, id: int) -> str | None:
        """What the operation calls this node, else what another does: numbers are used again."""
        names = self._names_told(id)
        own = [name for name in names if name.startswith(f"{operation}/")]
        return next(reversed(own or names), None)

    def _names_told(self, id: int) -> list[str]:
        if id not in self.nodes:
            return []  # it stands for itself, like an attribute
        kind, facts = self.kind(id), self.attributes(id)
        # the file system first: a FIFO may have the number of a pipe without a name
        for key in (("inode", facts.get("dev", -1)), (kind, 0)):
            names = self._told.get((*key, facts.get("ino", 0)))
            if names and (key[0] == kind or kind != "socket"):
                return names
        return []

    def window(self, operation: str) -> "Window":
        """What happened between the marks of an operation."""
        if operation not in self._windows:
            self._windows[operation] = Window(self, operation)
        return self._windows[operation]

    def endings(self, id: int) -> list[str]:
        """``relation version`` of each edge that ends this node."""
        return [
            f"{edge.relation} {edge.receiver.version}"
            for edge in self.edges
            if edge.relation in ENDINGS and edge.sender.id == id
        ]

    def last_version(self, id: int) -> int:
        """The highest version that any edge shows."""
        ends = (end for edge in self.edges for end in (edge.sender, edge.receiver))
        return max(end.version for end in ends if end.id == id)

    def mark(self, operation: str, moment: str) -> Edge:
        """The write to a mark of the operation."""
        (id,) = self.ids(f"{operation}/{moment}")
        (edge,) = (e for e in self.edges if e.relation == "write" and e.receiver.id == id)
        return edge


class Window:
    """The edges of one operation: those of its task, of that one's threads and descendants."""

    def __init__(self, recording: Recording, operation: str) -> None:
        """Cuts the operation out of the recording."""
        self._recording, self._operation = recording, operation
        begin, end = recording.mark(operation, "begin"), recording.mark(operation, "end")
        self.end_ns = end.at_ns
        self._base: dict[int, int] = defaultdict(int)
        for edge in recording.edges:
            if edge.at_ns <= begin.at_ns:
                for side in (edge.sender, edge.receiver):
                    self._base[side.id] = max(side.version, self._base[side.id])
        (memory,) = (
            edge.sender.id
            for edge in recording.edges
            if (edge.at_ns, edge.relation) == (begin.at_ns, "memory_read")
        )
        self._labels = {begin.task_id: "task", memory: "memory"}
        self._packets: dict[Identifier | PacketIdentifier, str] = {}
        self._counts: dict[str, int] = defaultdict(int)
        self.found = self._cut(begin, end)
        self.lines = sorted({self._line(edge) for edge in self.found})
        self.ids = {label: id for id, label in self._labels.items()}
        self.packets = {label: identifier for identifier, label in self._packets.items()}

    def only(self, relation: str) -> Edge:
        """The one edge of this relation; raises ``ValueError`` if there are none or several."""
        (edge,) = (edge for edge in self.found if edge.relation == relation)
        return edge

    def _cut(self, begin: Edge, end: Edge) -> list[Edge]:
        """Ends of objects come when the kernel likes: they are asked for apart."""
        actors = self._actors(begin.task_id)
        inside = [
            edge
            for edge in self._recording.edges
            if begin.at_ns < edge.at_ns < end.at_ns and edge.relation not in ENDINGS
        ]
        mine = [edge for edge in inside if edge.task_id in actors]
        ends = (side for edge in mine for side in (edge.sender, edge.receiver))
        touched = {end.id for end in ends if isinstance(end, Identifier)}
        return [
            edge
            for edge in inside
            if edge.task_id in actors or (not edge.task_id and edge.receiver.id in touched)
        ]

    def _actors(self, task: int) -> set[int]:
        """The task, the threads of its process, and all that these have cloned."""
        recording = self._recording
        process = recording.attributes(task)["tgid"]
        actors = {
            id
            for id in recording.nodes
            if recording.kind(id) == "task" and recording.attributes(id)["tgid"] == process
        }
        for edge in recording.edges:
            if edge.relation == "clone" and edge.sender.id in actors:
                actors.add(edge.receiver.id)
        return actors

    def _line(self, edge: Edge) -> str:
        sender, receiver = self._end(edge.sender), self._end(edge.receiver)
        return f"{sender} -{_relation(edge)}-> {receiver}"

    @cached_property
    def flows(self) -> set[str]:
        """The edges without versions, and the ends of what took part, whenever they came."""
        ends = (
            edge
            for edge in self._recording.edges
            if edge.relation in ENDINGS and edge.sender.id in self._labels
        )
        return {self._flow(edge) for edge in (*self.found, *ends)}

    def _flow(self, edge: Edge) -> str:
        sender, receiver = self._object(edge.sender), self._object(edge.receiver)
        flow = f"{_relation(edge)} {sender} -> {receiver}"
        return flow.replace("directory:here", "directory:.")

    def _end(self, identifier: Identifier | PacketIdentifier) -> str:
        label = self._object(identifier)
        if _KIND[identifier.type] in ("machine", *_NAMELESS, *_PACKETS):
            return label
        return f"{label}@{identifier.version - self._base.get(identifier.id, 0)}"

    def _object(self, identifier: Identifier | PacketIdentifier) -> str:
        kind, id = _KIND[identifier.type], identifier.id
        if kind == "machine":
            return "machine"
        if kind in _PACKETS:
            number = sum(label.startswith(f"{kind}:") for label in self._packets.values()) + 1
            return self._packets.setdefault(identifier, f"{kind}:{number}")
        if kind in _NAMELESS:
            return f"{kind}:{self._text(kind, identifier)}"
        if id not in self._labels:
            self._labels[id] = self._label(kind, id)
        return self._labels[id]

    def _label(self, kind: str, id: int) -> str:
        name = self._recording.name_within(self._operation, id)
        if name is None:
            self._counts[kind] += 1
            return f"{kind}:{self._counts[kind]}"
        return f"{kind}:{name.removeprefix(f'{self._operation}/')}"

    def _text(self, kind: str, identifier: Identifier | PacketIdentifier) -> str:
        facts = self._recording.texts[identifier]
        if kind == "path":
            path = str(facts["pathname"].decode())
            near = path.removeprefix(f"{self._recording.work}/{self._operation}/")
            return near if near != path else Path(path).name
        if kind == "argv":
            return str(facts["value"].decode())
        return _address(facts["address"])


def _relation(edge: Edge) -> str:
    usual = RELATION[edge.relation].flow
    return edge.relation if edge.flow == usual else f"{edge.relation}/{edge.flow}"


def _address(data: bytes) -> str:
    """A socket address as this machine has it in memory."""
    family = int.from_bytes(data[:2], "little")
    if family == 2:
        return ".".join(map(str, data[4:8])) + f":{int.from_bytes(data[2:4], 'big')}"
    if family == 10:
        return f"[{data[8:24].hex(':', 2)}]:{int.from_bytes(data[2:4], 'big')}"
    if family == 16:
        return f"netlink:{int.from_bytes(data[4:8], 'little')}"
    if family == 40:
        port, cid = int.from_bytes(data[4:8], "little"), int.from_bytes(data[8:12], "little")
        return f"vsock:{cid}:{port}"
    return data[2:].replace(b"\0", b"@", 1).rstrip(b"\0").decode()


def _decoded(raw: Path) -> tuple[list[Arrived], Losses, Origin]:
    records: list[KernelRecord] = []
    statuses = []
    with raw.open("rb") as file:
        reader = RawReader(file)
        decoder = Decoder(reader.header.layout)
        for block in reader:
            if block.type == RING:
                records += decoder.decode(block.payload)
            elif block.type == STATUS:
                statuses.append(parse_status(block.payload))
    account, order = Account(), OrderByTime(limit=1 << 30)
    account(records)
    ordered = order(records) + order.finish()
    return ordered, account.losses(statuses[0], statuses[-1]), reader.header.origin
