"""Writes out what each compact kernel record stands for: nodes, edges and version edges.

Every node version that an edge refers to comes as a Node before that edge. A version v > 0 brings
the version edge v-1 -> v, once, whichever record showed it first; so versions whose event was
lost are bridged too. State is bounded: an object that was not seen for long is forgotten, and its
nodes are repeated when it comes back.
"""

import hashlib
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, Protocol

from provcap.capture.bounded import RecentMap
from provcap.capture.decoder import Event, KernelRecord, NodeRecord, TextRecord
from provcap.capture.disclosed import Disclosed, DisclosedEdge, DisclosedNode
from provcap.capture.packets import PACKETS, Name, Packets
from provcap.capture.texts import Text, Texts
from provcap.errors import RecordingError
from provcap.records import Edge, Identifier, Node, Origin, Record, Writer
from provcap.vocabulary import (
    EVENT_FRESH,
    EVENT_THROUGH,
    EVENT_THROUGH_LOST,
    EVENT_THROUGH_STEPPED,
    EVENT_TO_LOST,
    EVENT_TO_STEPPED,
    FLOWS,
    KINDS,
    MACHINE_ID,
    OUTCOMES,
    RELATION,
    RELATIONS,
    TEXT_LATE,
    TEXT_REMOVED,
    Relation,
)

LONGEST_BRIDGE = 4096  # versions written out for one gap; a wider one is bridged by a single edge
GRACE_NS = 1_000_000_000  # how long records about an ended object may still trickle in

_NUMBER = {kind.name: number for number, kind in enumerate(KINDS)}
_TASK, _MACHINE, _PATH = _NUMBER["task"], _NUMBER["machine"], _NUMBER["path"]
_ENDINGS = {  # by number
    number
    for number, relation in enumerate(RELATIONS)
    if relation.name in ("terminate_task", "terminate_proc", "free")
}
_TEXTS = {  # kind of a text -> relation to its node, name of its attribute
    _PATH: (RELATION["named"], "pathname"),
    _NUMBER["address"]: (RELATION["addressed"], "address"),
    _NUMBER["argv"]: (RELATION["arg"], "value"),
    _NUMBER["envp"]: (RELATION["env"], "value"),
    _NUMBER["string"]: (RELATION["log"], "log"),
    _NUMBER["packet_content"]: (RELATION["packet_content"], "content"),
}
_ACTIVITIES = frozenset(kind.type for kind in KINDS if kind.prov_class == "activity")
_LISTS = (_NUMBER["argv"], _NUMBER["envp"])  # many NUL-terminated strings in one text
_XATTR = _NUMBER["xattr"]  # a text that is a node of its own
_DONE = OUTCOMES.index("done")
_tuple = tuple.__new__  # named tuples the short way: half the time where most of it goes
_MEMORY_READ, _MEMORY_WRITE = RELATION["memory_read"], RELATION["memory_write"]
_PAIRS = [  # the two relations of an event that goes through a task, by number
    (relation, _MEMORY_WRITE) if relation.section == "used" else (_MEMORY_READ, relation)
    for relation in RELATIONS
]


class _Moment(Protocol):
    """What edges that one record stands for have in common; an Event is one."""

    @property
    def at_ns(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def through(self) -> int: ...
    @property
    def outcome(self) -> int: ...


class Expand:
    """The stage from kernel records to nodes and edges of one stream."""

    def __init__(
        self,
        origin: Origin,
        *,
        capacity: int = 65_536,
        first_relation_id: int = 1,
        text_wait_ns: int = 2_000_000_000,
        text_limit_bytes: int = 16 << 20,
    ) -> None:
        """``capacity``: objects whose attributes are kept (versions: 16 times as many).

        Relation ids count up from ``first_relation_id``. They must be unique per boot: a second
        recorder in one boot gives its start in boot-time nanoseconds, which no counter overtakes.
        """
        self._origin = origin
        self._boot_id, self._machine_id = origin.boot_id, origin.machine_id
        self._objects: RecentMap[int, _Object] = RecentMap(capacity, self._forget)
        self._spans: RecentMap[int, _Span] = RecentMap(16 * capacity)
        self._paths: RecentMap[int, bool] = RecentMap(capacity)
        self._packets = Packets(capacity)
        self._texts = Texts(text_wait_ns, text_limit_bytes)
        self._ended: deque[tuple[int, int]] = deque()
        self._relation_ids = count(first_relation_id)
        self._out: list[Record] = []
        self._loads: list[tuple[int, int]] = []  # when the machine got which version
        self.machine: Name | None = None  # the machine node that was emitted last
        self.jumps = 0  # gaps wider than LONGEST_BRIDGE: damage, or a very long loss

    def __call__(self, records: Iterable[KernelRecord | Disclosed]) -> list[Record]:
        """Nodes and edges of these records, in their order.

        RecordingError for a text of a kind that has no relation to its node.
        """
        now_ns = 0
        for record in records:
            now_ns = record.at_ns
            if isinstance(record, Event):
                self._event(record)
            elif isinstance(record, NodeRecord):
                self._learn(record)
            elif isinstance(record, DisclosedNode):
                self._disclosed_node(record)
            elif isinstance(record, DisclosedEdge):
                self._disclosed_edge(record)
            elif text := self._texts.add(record):
                self._text(text)
        if now_ns:
            self._clock(now_ns)
        return self._take()

    def finish(self) -> list[Record]:
        """What was still waiting: texts whose last pieces never came."""
        for text in self._texts.finish():
            self._text(text)
        return self._take()

    # what applications disclosed

    def _disclosed_node(self, record: DisclosedNode) -> None:
        """The first version; it is there even if no relation ever leads to it or from it."""
        moment = _DisclosedMoment(record)
        facts = dict(record.attributes) | {"writer": record.writer}
        if record.task:  # before the node that refers to it
            version = record.task_version
            facts["parent"] = self._version(record.task, _TASK, version, moment)
        kind, id = record.kind, record.id
        head = (record.at_ns, record.seq, record.cpu, kind, id, 0, record.epoch, 0)
        self._learn(NodeRecord._make((*head, facts)))
        self._version(id, kind, 0, moment)

    def _disclosed_edge(self, record: DisclosedEdge) -> None:
        """As it was accepted: the recorder has chosen the versions by the rule of the kernel."""
        moment, relation = _DisclosedMoment(record), RELATIONS[record.relation]
        source = self._version(record.source, record.source_kind, record.source_version, moment)
        target = self._version(record.target, record.target_kind, record.target_version, moment)
        edge = self._made(relation, relation.flow, source, target, moment, writer=record.writer)
        self._out.append(edge)

    # events

    def _event(self, event: Event) -> None:
        relation, bits = RELATIONS[event.relation], event.bits
        if event.relation in _ENDINGS and event.source == event.target:
            self._ending(relation, event)
        elif bits & (EVENT_TO_LOST | EVENT_THROUGH_LOST):
            self._with_losses(relation, event)
        elif not bits & EVENT_THROUGH:
            self._edge(relation, self._source(event), self._target(event), event, event)
        else:
            source, through = self._source(event), self._through(event)
            target, (first, second) = self._target(event), _PAIRS[event.relation]
            self._edge(first, source, through, event, event if first is relation else None)
            self._edge(second, through, target, event, event if second is relation else None)

    def _with_losses(self, relation: Relation, event: Event) -> None:
        """Edges that the kernel gave up are left out; the versions it made exist all the same."""
        bits = event.bits
        if bits & EVENT_THROUGH and not bits & EVENT_THROUGH_LOST:
            first, _ = _PAIRS[event.relation]
            source, through = self._source(event), self._through(event)
            self._edge(first, source, through, event, event if first is relation else None)
        elif bits & EVENT_THROUGH_STEPPED:
            self._through(event)
        if bits & EVENT_TO_STEPPED:
            self._target(event)

    def _ending(self, relation: Relation, event: Event) -> None:
        """The last version step of an object: the relation itself is the version edge."""
        source = self._source(event)
        known = self._object(event.source)
        if event.target_version == event.source_version + 1 > known.top:
            known.top = event.target_version
            target = self._node(known, event.target, event.target_version, event)
        else:
            target = self._target(event)
        self._edge(relation, source, target, event, event)
        self._ended.append((event.at_ns, event.source))

    def _source(self, event: Event) -> Name:
        return self._version(event.source, event.source_kind, event.source_version, event)

    def _through(self, event: Event) -> Name:
        return self._version(event.through, _TASK, event.through_version, event)

    def _target(self, event: Event) -> Name:
        fresh = bool(event.bits & EVENT_FRESH)
        version = event.target_version
        return self._version(event.target, event.target_kind, version, event, fresh)

    def _edge(
        self,
        relation: Relation,
        sender: Name,
        receiver: Name,
        moment: _Moment,
        main: Event | None,
    ) -> None:
        """``main`` is the event if this edge is the operation itself, which has flow and offset."""
        flow, offset, flags = relation.flow, None, 0
        if main:
            flow, flags = FLOWS[main.flow] or flow, main.flags
            offset = main.offset if main.offset >= 0 else None
        self._out.append(self._made(relation, flow, sender, receiver, moment, offset, flags))

    def _made(
        self,
        relation: Relation,
        flow: str,
        sender: Name,
        receiver: Name,
        moment: _Moment,
        offset: int | None = None,
        flags: int = 0,
        writer: Writer | None = None,
    ) -> Edge:
        id = (relation.type, next(self._relation_ids), self._boot_id, self._machine_id, 0)
        edge = (
            relation.name,
            relation.section,
            flow,
            sender,
            receiver,
            moment.at_ns,
            moment.epoch,
            True,
            offset,
            flags,
            moment.through,
            OUTCOMES[moment.outcome],
            _tuple(Identifier, id),
            writer,
        )
        return _tuple(Edge, edge)

    # versions

    def _version(
        self, id: int, kind: int, version: int, moment: _Moment, fresh: bool = False
    ) -> Name:
        """The identifier of a node version, after making sure that it is in the graph."""
        known = self._objects.get(id) or self._object(id)
        if not known.low < version <= known.top:
            return self._extend(known, id, kind, version, moment, fresh)
        if known.last.version == version:
            return known.last
        return self._identifier(known, id, version)

    def _object(self, id: int) -> "_Object":
        """What is known of the object; its versions are remembered longer than the rest."""
        known = self._objects.get(id)
        if known is None:
            known = _Object(*(self._spans.get(id) or _NOTHING))
            self._spans.remove(id)
            self._objects.put(id, known)
        return known

    def _forget(self, id: int, known: "_Object") -> None:
        self._spans.put(id, (known.kinds, known.low, known.top))

    def _extend(
        self, known: "_Object", id: int, kind: int, version: int, moment: _Moment, fresh: bool
    ) -> Name:
        """Bring every version between the known ones and this one into the graph."""
        if known.top < known.low:  # nothing yet: one step back, so that earlier records can be met
            known.kinds = ((0, kind),)
            known.low = known.top = max(version - 1, 0)
            self._node(known, id, known.top, moment)
            known.low -= known.low == 0
        if version > known.top:
            known.note_kind(kind, version)
            return self._extend_up(known, id, version, moment, fresh)
        if version <= known.low:
            return self._extend_down(known, id, version, moment)
        return self._identifier(known, id, version)

    def _extend_up(
        self, known: "_Object", id: int, version: int, moment: _Moment, fresh: bool
    ) -> Name:
        older = self._identifier(known, id, known.top)
        first = known.top + 1
        if version - first >= LONGEST_BRIDGE:
            self.jumps += 1
            first = known.low = version - 1
            newer = self._node(known, id, first, moment)
            self._version_edge(older, newer, moment, False)
            older, first = newer, version
        for step in range(first, version + 1):
            newer = self._node(known, id, step, moment)
            self._version_edge(older, newer, moment, fresh and step == version)
            older = newer
        known.top = version
        known.last = older
        if id == MACHINE_ID:
            insort(self._loads, (moment.at_ns, version))
        return older

    def _extend_down(self, known: "_Object", id: int, version: int, moment: _Moment) -> Name:
        """A record that comes late shows versions older than any before."""
        newer = self._identifier(known, id, known.low)
        if known.low - version >= LONGEST_BRIDGE:
            self.jumps += 1
            oldest = self._node(known, id, version, moment)
            self._version_edge(oldest, newer, moment, False)
            return oldest
        lowest = max(version - 1, 0)
        for step in range(known.low - 1, lowest - 1, -1):
            older = self._node(known, id, step, moment)
            self._version_edge(older, newer, moment, False)
            newer = older
        known.low = lowest or -1
        return self._identifier(known, id, version)

    def _version_edge(self, older: Name, newer: Name, moment: _Moment, fresh: bool) -> None:
        relation = RELATION["version_activity" if newer.type in _ACTIVITIES else "version_entity"]
        flow = "control" if fresh else relation.flow
        self._out.append(self._made(relation, flow, older, newer, moment))

    # nodes

    def _node(self, known: "_Object", id: int, version: int, moment: _Moment) -> Name:
        """Emit one version with what is known of its object; returns its identifier."""
        identifier, facts = self._identifier(known, id, version), known.facts
        kind = KINDS[known.kind_at(version)].name
        if facts and facts.version == version:
            node = _node_of(facts, kind, identifier)
        else:
            attributes: Mapping[str, Any] = facts.attributes if facts else {}
            if known.kind_at(version) == _MACHINE:
                attributes, self.machine = self._origin.machine, identifier
            taint = facts.taint if facts else 0
            node = Node(kind, identifier, moment.epoch, taint, moment.at_ns, attributes)
        self._out.append(node)
        known.last = identifier
        return identifier

    def _learn(self, record: NodeRecord) -> None:
        """Keep what the kernel tells of an object; repeat a node that was emitted knowing less."""
        if record.kind in PACKETS:
            self._packets.learn(record)
        known = self._object(record.id)
        before = known.facts
        if before is None or record.version >= before.version:
            known.facts = record
        is_there = known.low <= record.version <= known.top
        if is_there and (before is None or before[7:] != record[7:]):  # taint and attributes
            kind = KINDS[known.kind_at(record.version)].name
            identifier = self._identifier(known, record.id, record.version)
            self._out.append(_node_of(record, kind, identifier))
        if record.kind == _TASK and not known.placed:
            known.placed = True
            self._ran_on(record)

    def _ran_on(self, task: NodeRecord) -> None:
        """Link a task to the machine as it was when the task started.

        Not as it is now: what the task has done since may be in what the machine has loaded since.
        """
        moment = _NodeMoment(task)
        earlier = bisect_left(self._loads, (task.attributes["start_ns"], 0))
        version = self._loads[earlier - 1][1] if earlier else 0
        machine = self._version(MACHINE_ID, _MACHINE, version, moment)
        runner = self._version(task.id, _TASK, task.version, moment)
        self._edge(RELATION["ran_on"], machine, runner, moment, None)

    def _identifier(self, known: "_Object", id: int, version: int) -> Name:
        return self._named(known.kind_at(version), id, version)

    def _named(self, kind: int, id: int, version: int = 0) -> Name:
        origin = self._origin
        if kind in PACKETS:
            return self._packets.name(kind, id, origin.boot_id, origin.machine_id)
        return Identifier(KINDS[kind].type, id, origin.boot_id, origin.machine_id, version)

    # texts

    def _text(self, text: Text) -> None:
        head = text.head
        if head.kind == _XATTR:
            self._xattr(text)
            return
        if head.kind not in _TEXTS:
            raise RecordingError(f"a text cannot be of kind {KINDS[head.kind].name}")
        moment = _TextMoment(head)
        owner = self._version(head.node, head.node_kind, head.node_version, moment)
        for id, body, truncated in _strings(text):
            self._one_text(head, id, body, truncated, owner)

    def _xattr(self, text: Text) -> None:
        """An attribute's name and value; events say whose it is."""
        head = text.head
        name, _, value = text.body.partition(b"\0")
        size = max(head.total - len(name) - 1, 0)
        facts = {"name": name, "value": value, "size": size, "truncated": text.truncated}
        fields = (head.at_ns, head.seq, head.cpu, _XATTR, head.id, 0, head.epoch, 0, facts)
        self._learn(NodeRecord._make(fields))

    def _one_text(
        self, head: TextRecord, id: int, body: bytes, truncated: bool, owner: Name
    ) -> None:
        relation, attribute = _TEXTS[head.kind]
        if head.kind == _PATH and head.bits & TEXT_REMOVED:
            relation = RELATION["unnamed"]
        sender = self._named(head.kind, id)
        if head.kind != _PATH or not self._paths.get(id):
            name = KINDS[head.kind].name
            attributes = {attribute: body, "truncated": truncated}
            if name == "packet_content":
                attributes["length"] = head.total
            if head.bits & TEXT_LATE:
                attributes["late"] = True
            self._out.append(Node(name, sender, head.epoch, 0, head.at_ns, attributes))
        if head.kind == _PATH:
            self._paths.put(id, True)
        self._edge(relation, sender, owner, _TextMoment(head), None)

    # the rest

    def _clock(self, now_ns: int) -> None:
        for text in self._texts.overdue(now_ns):
            self._text(text)
        while self._ended and self._ended[0][0] + GRACE_NS < now_ns:
            _, id = self._ended.popleft()
            self._objects.remove(id)
            self._spans.remove(id)

    def _take(self) -> list[Record]:
        out, self._out = self._out, []
        return out


_Kinds = tuple[tuple[int, int], ...]  # (first version, kind), by rising version
_Span = tuple[_Kinds, int, int]  # kinds, low, top
_NOTHING: _Span = ((), 0, -1)
_NOBODY: Name = Identifier(0, 0, 0, 0, -1)


class _Object:
    """One object: which of its versions are in the graph, and what the kernel last told of it.

    Versions low to top are there as nodes, and all but ``low`` have their version edge; -1 says
    that the chain begins at 0. Nothing is there yet if top < low.
    """

    __slots__ = ("facts", "kinds", "last", "low", "placed", "top")

    def __init__(self, kinds: _Kinds, low: int, top: int) -> None:
        self.kinds = kinds
        self.low = low
        self.top = top
        self.facts: NodeRecord | None = None
        self.placed = False  # a task is linked to its machine
        self.last = _NOBODY  # the identifier asked for last: most often it is asked for again

    def kind_at(self, version: int) -> int:
        """The kind that this version was emitted as: an inode's kind may change with its mode."""
        for first, kind in reversed(self.kinds):
            if version >= first:
                return kind
        return 0

    def note_kind(self, kind: int, version: int) -> None:
        if kind != self.kinds[-1][1]:
            self.kinds = (*self.kinds[-7:], (version, kind))


class _TextMoment:
    """A text record as the moment of its edges: its task is not told."""

    def __init__(self, head: TextRecord) -> None:
        self.at_ns = head.at_ns
        self.epoch = head.epoch
        self.through = 0
        self.outcome = 0


class _DisclosedMoment:
    """A disclosed record as the moment of its edges."""

    def __init__(self, record: Disclosed) -> None:
        self.at_ns = record.at_ns
        self.epoch = record.epoch
        self.through = record.task
        self.outcome = OUTCOMES.index("done")


class _NodeMoment:
    """The record of a task as the moment of its edge to the machine."""

    def __init__(self, task: NodeRecord) -> None:
        self.at_ns = task.at_ns
        self.epoch = task.epoch
        self.through = task.id
        self.outcome = _DONE


def path_of(components: bytes) -> bytes:
    """The path whose components travel from the last to the first, each ended by a slash."""
    return b"/" + b"/".join(reversed(components.split(b"/")[:-1]))


def path_id(path: bytes) -> int:
    """Node id of a path: the same text has the same id on every machine.

    Strong, because the name of a file is anyone's choice: with a weak hash two names could be made
    to share a node. (CamFlow's djb2 is weak; only the place in the identifier is the same.)
    """
    return int.from_bytes(hashlib.blake2b(path, digest_size=8).digest(), "little")


def _node_of(record: NodeRecord, kind: str, identifier: Name) -> Node:
    return Node(kind, identifier, record.epoch, record.taint, record.at_ns, record.attributes)


def _strings(text: Text) -> Iterable[tuple[int, bytes, bool]]:
    """(node id, bytes, truncated) of each string of a text; a list's last one may be cut short."""
    head = text.head
    if head.kind == _PATH:
        path = path_of(text.body)
        return [(path_id(path), path, text.truncated)]
    if head.kind not in _LISTS:
        return [(head.id, text.body, text.truncated)]
    *whole, rest = text.body.split(b"\0")
    strings = [(head.id + place, body, False) for place, body in enumerate(whole)]
    if rest or (text.truncated and len(whole) < head.strings):
        strings.append((head.id + len(whole), rest, text.truncated))
    return strings
