"""A recorded graph in memory: numbered nodes, edges in arrays, and what is shown of each object.

A *node* is one version of an *object*. Both are small integers here; ``identifiers[node]`` gives
the text of the recording. Edges run from sender to receiver, the way information flows.
"""

from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

NO_TIME = 0


class Name(NamedTuple):
    """A path that an object had, from and to when; nanoseconds since 1970."""

    path: str
    from_ns: int
    """NO_TIME: since before the recording, or it does not say."""
    to_ns: int | None
    """None: until its end."""


class Graph:
    """Nodes, edges and names of one or more recordings; filled by ``ingest``, read by the rest."""

    def __init__(self, source: str = "") -> None:
        """Start empty; ``source`` is the file name that messages mention."""
        self.source = source
        self.documents = 0
        self.damage: list[str] = []  # unreadable places, when reading went on after them
        # per node
        self.number: dict[str, int] = {}
        self.identifiers: list[str] = []
        self.object_of = array("I")
        self.version_of = array("I")
        self.kind_number = array("I")
        self.class_of = array("B")
        self.defined = bytearray()
        # per object
        self.object_id = array("Q")
        self.paths: dict[int, str] = {}  # cf:name, the last one seen
        self.texts: dict[int, str] = {}  # a path's, an argument's or an address's own text
        self.pids: dict[int, int] = {}  # of tasks: thread id
        self.tgids: dict[int, int] = {}  # of tasks and process_memory: process id
        self.inodes: dict[int, int] = {}
        self.file_keys: dict[int, str] = {}  # names a file over boots and mounts
        self.comms: dict[int, str] = {}
        self.changes: dict[int, str] = {}  # iattr, xattr: what it changed, for people
        self.links: dict[int, tuple[str, str]] = {}  # stream, packet: sender, receiver
        self.bytes_of: dict[int, tuple[int, int]] = {}  # packet of TCP: its first byte, how many
        self.merged: set[int] = set()  # packets that one machine says to bring more than another
        # per edge
        self.sender = array("I")
        self.receiver = array("I")
        self.relation_number = array("I")
        self.flow = array("B")
        self.at_ns = array("q")  # nanoseconds since 1970, NO_TIME if the recording has none
        self.edge_key = array("q")  # hash of the relation's identifier
        # words in use
        self.kinds: list[str] = []
        self.relations: list[tuple[str, str]] = []  # (name, PROV section)
        # what the recording says about itself
        self.accounts: dict[int, dict[str, str]] = {}  # of each machine; ``losses`` reads them
        self.contradictions: list[str] = []
        self.contradiction_count = 0
        self._in: tuple[array[int], array[int]] | None = None
        self._out: tuple[array[int], array[int]] | None = None
        self._versions: list[list[int]] | None = None
        self._names: dict[int, list[Name]] | None = None

    @property
    def node_count(self) -> int:
        """Versions of objects, those included that are referred to but never described."""
        return len(self.identifiers)

    @property
    def object_count(self) -> int:
        """Distinct objects."""
        return len(self.object_id)

    @property
    def edge_count(self) -> int:
        """Relations."""
        return len(self.sender)

    def kind(self, node: int) -> str:
        """Return the node's type: ``file``, ``task`` ..."""
        return self.kinds[self.kind_number[node]]

    def relation(self, edge: int) -> str:
        """Return the edge's relation: ``read``, ``version_entity`` ..."""
        return self.relations[self.relation_number[edge]][0]

    def section(self, edge: int) -> str:
        """Return the PROV relation under which the edge was recorded: ``used`` ..."""
        return self.relations[self.relation_number[edge]][1]

    def edges_in(self, node: int) -> "array[int]":
        """Return the numbers of the edges that end at the node, in order of recording."""
        if self._in is None:
            self._in = _index(self.receiver, self.node_count)
        offsets, edges = self._in
        return edges[offsets[node] : offsets[node + 1]]

    def edges_out(self, node: int) -> "array[int]":
        """Return the numbers of the edges that start at the node, in order of recording."""
        if self._out is None:
            self._out = _index(self.sender, self.node_count)
        offsets, edges = self._out
        return edges[offsets[node] : offsets[node + 1]]

    def versions(self, obj: int) -> list[int]:
        """Return the nodes of an object, oldest version first."""
        if self._versions is None:
            self._versions = self._group_versions()
        return self._versions[obj]

    def edges_named(self, names: Iterable[str]) -> Iterator[int]:
        """Yield the edges of these relations, in order of recording."""
        wanted = bytearray(len(self.relations) + 1)
        names = frozenset(names)
        for number, (name, _) in enumerate(self.relations):
            wanted[number] = name in names
        if any(wanted):
            yield from (e for e, r in enumerate(self.relation_number) if wanted[r])

    def names(self, obj: int) -> list[str]:
        """Return every path the object was known under, the newest first; empty if none.

        Those that it has in the end come before those that were taken from it.
        """
        return list(dict.fromkeys(name.path for name in self.dated_names(obj)))

    def dated_names(self, obj: int) -> list[Name]:
        """Return the same with times; a path that came back is there more than once."""
        if self._names is None:
            self._names = self._collect_names()
        return self._names.get(obj, [])

    def has_name(self, obj: int, path: str) -> bool:
        """Say whether the object is known under this path in the end."""
        return any(name.path == path and name.to_ns is None for name in self.dated_names(obj))

    def named_objects(self) -> Iterator[int]:
        """Yield every object that has a name."""
        self.names(0)
        yield from self._names or ()

    def add_edge(self, sender: int, receiver: int, relation: tuple[str, str], flow: int) -> None:
        """Add what no recording says but follows from it; at the time of the last edge before."""
        if relation not in self.relations:
            self.relations.append(relation)
        moments = [self.at_ns[edge] for edge in self.edges_in(sender)]
        self.sender.append(sender)
        self.receiver.append(receiver)
        self.relation_number.append(self.relations.index(relation))
        self.flow.append(flow)
        self.at_ns.append(max(moments, default=NO_TIME))
        self.edge_key.append(hash((sender, receiver)))

    def reindex(self) -> None:
        """Call it when edges have been added after questions were asked."""
        self._in = self._out = None

    def _group_versions(self) -> list[list[int]]:
        groups: list[list[int]] = [[] for _ in range(self.object_count)]
        for node, obj in enumerate(self.object_of):
            groups[obj].append(node)
        for group in groups:
            if len(group) > 1:
                group.sort(key=self.version_of.__getitem__)
        return groups

    def _collect_names(self) -> dict[int, list[Name]]:
        """Read the edges in order; each list has the names of the end first, the newest first."""
        had = {obj: {path: NO_TIME} for obj, path in self.paths.items()}  # since when
        gone: dict[int, list[Name]] = {}
        edges = sorted(self.edges_named(("named", "unnamed")), key=self.at_ns.__getitem__)
        for edge in edges:  # an equal time keeps the order of recording
            path = self.texts.get(self.object_of[self.sender[edge]])
            if path is None:
                continue
            obj, at_ns = self.object_of[self.receiver[edge]], self.at_ns[edge]
            paths = had.setdefault(obj, {})
            since = paths.pop(path, None)
            if self.relation(edge) == "named":
                paths[path] = since or at_ns  # the newest is the last
            else:
                gone.setdefault(obj, []).append(Name(path, since or NO_TIME, at_ns))
        return {
            obj: [Name(path, since, None) for path, since in reversed(paths.items())]
            + gone.get(obj, [])[::-1]
            for obj, paths in had.items()
        }


def _index(ends: "array[int]", node_count: int) -> "tuple[array[int], array[int]]":
    """Sort edge numbers by one of their ends: (where each node's edges start, edge numbers)."""
    counts = [0] * (node_count + 1)
    for end in ends:
        counts[end + 1] += 1
    offsets = array("I", accumulate(counts))
    place = array("I", offsets)
    edges = array("I", bytes(4 * len(ends)))
    for edge, end in enumerate(ends):
        edges[place[end]] = edge
        place[end] += 1
    return offsets, edges
