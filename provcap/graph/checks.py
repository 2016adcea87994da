"""Is a recorded graph what it must be? ``verify`` answers with a ``Report``.

Checked: no cycle over all edges, no end that is never described, no identifier described in two
ways, every version linked to the one before it, every relation between the classes that PROV wants.
"""

from array import array
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from provcap.graph import words
from provcap.graph.model import Graph

KEPT = 20  # findings of each kind that a report spells out
_CYCLE_WORK = 500_000  # nodes that the search for a short cycle may look at, at the least
_VERSION_RELATIONS = ("version_entity", "version_activity", "terminate_task", "terminate_proc")
# relations that CamFlow itself records between other classes than PROV names (sender, receiver)
EXCEPTIONS = {
    ("send_unix", words.ACTIVITY, words.ENTITY),  # stream data is charged to the peer's creator
    ("version_entity", words.AGENT, words.AGENT),  # the machine has versions too
}


class Finding(NamedTuple):
    """One check: how often it failed, and some of the failures, one sentence each."""

    name: str
    failures: int
    examples: list[str]


class Report(NamedTuple):
    """What ``verify`` found; ``cycle`` holds the edges of one cycle in order, empty if none."""

    edge_count: int
    node_count: int
    object_count: int
    cycle: list[int]
    findings: list[Finding]

    @property
    def passed(self) -> bool:
        """Say whether every check passed."""
        return not self.cycle and not any(finding.failures for finding in self.findings)


def verify(graph: Graph) -> Report:
    """Run every check over the whole graph."""
    contradictions = Finding(
        "contradictions", graph.contradiction_count, graph.contradictions[:KEPT]
    )
    findings = [
        dangling_ends(graph),
        contradictions,
        repeated_relations(graph),
        broken_versions(graph),
        illegal_relations(graph),
        Finding("unreadable places", len(graph.damage), graph.damage[:KEPT]),
    ]
    cycle = find_cycle(graph)
    return Report(graph.edge_count, graph.node_count, graph.object_count, cycle, findings)


def find_cycle(graph: Graph) -> list[int]:
    """Return the edges of a short cycle in order, or nothing if the graph is acyclic.

    The cycle is the shortest one through the first nodes of the cyclic part.
    """
    core = _cyclic_core(graph)
    inside = set(core)
    best: list[int] = []
    for start in core[: max(_CYCLE_WORK // (len(core) or 1), 1)]:
        found = _shortest_through(graph, start, inside, len(best) or len(core) + 1)
        best = found or best
        if len(best) == 1:
            break
    return best


def _cyclic_core(graph: Graph) -> list[int]:
    """Return what remains when nodes without input, then without output, are taken away."""
    alive = bytearray(b"\1") * graph.node_count
    _peel(graph, alive, graph.receiver, forward=True)
    if any(alive):
        _peel(graph, alive, graph.sender, forward=False)
    return [node for node, lives in enumerate(alive) if lives]


def _peel(graph: Graph, alive: bytearray, ends: "array[int]", forward: bool) -> None:
    """Take away, one after the other, the nodes at which no edge from a living node ends."""
    others = graph.sender if forward else graph.receiver
    degree = [0] * graph.node_count
    for end, other in zip(ends, others, strict=True):
        degree[end] += alive[other]
    following = graph.edges_out if forward else graph.edges_in
    ready = [node for node, count in enumerate(degree) if not count and alive[node]]
    while ready:
        node = ready.pop()
        alive[node] = 0
        for edge in following(node):
            other = ends[edge]
            degree[other] -= 1
            if not degree[other] and alive[other]:
                ready.append(other)


def _shortest_through(graph: Graph, start: int, core: set[int], limit: int) -> list[int]:
    """Return the edges of the shortest cycle through a node if it has fewer than ``limit``."""
    came_by: dict[int, int] = {}
    queue = deque([(start, 0)])
    while queue:
        node, steps = queue.popleft()
        if steps + 1 >= limit:
            return []
        for edge in graph.edges_out(node):
            other = graph.receiver[edge]
            if other == start:
                return [*_way_back(graph, came_by, start, node), edge]
            if other in core and other not in came_by:
                came_by[other] = edge
                queue.append((other, steps + 1))
    return []


def _way_back(graph: Graph, came_by: dict[int, int], start: int, node: int) -> list[int]:
    way: list[int] = []
    while node != start:
        way.append(came_by[node])
        node = graph.sender[came_by[node]]
    return way[::-1]


def dangling_ends(graph: Graph) -> Finding:
    """Find nodes that a relation names and no document describes."""
    missing = [node for node, defined in enumerate(graph.defined) if not defined]
    examples = [_dangling(graph, node) for node in missing[:KEPT]]
    return Finding("dangling ends", len(missing), examples)


def _dangling(graph: Graph, node: int) -> str:
    edges = graph.edges_in(node) or graph.edges_out(node)
    return f"{describe(graph, node)} is an end of {graph.relation(edges[0])} and never described"


def repeated_relations(graph: Graph) -> Finding:
    """Find relation identifiers that stand for two different relations.

    The very same relation written twice (a log that was joined from overlapping parts) is no fault.
    """
    order = sorted(range(graph.edge_count), key=graph.edge_key.__getitem__)
    bad = []
    for one, two in zip(order, order[1:], strict=False):
        if graph.edge_key[one] == graph.edge_key[two] and _edge(graph, one) != _edge(graph, two):
            bad.append((one, two))
    examples = [f"{edge_text(graph, a)} and {edge_text(graph, b)}" for a, b in bad[:KEPT]]
    return Finding("relations with one identifier", len(bad), examples)


def _edge(graph: Graph, edge: int) -> tuple[int, int, int]:
    return graph.sender[edge], graph.receiver[edge], graph.relation_number[edge]


def broken_versions(graph: Graph) -> Finding:
    """Find versions that have no edge, or more than one, from the version before them."""
    sources: dict[int, set[int]] = {}
    wrong: list[str] = []
    for edge in graph.edges_named((*_VERSION_RELATIONS, "free")):
        sender, receiver = graph.sender[edge], graph.receiver[edge]
        if _is_step(graph, sender, receiver):
            sources.setdefault(receiver, set()).add(sender)
        else:
            wrong.append(f"{edge_text(graph, edge)} is not from one version to the next")
    wrong += _gaps(graph, sources)
    return Finding("broken version chains", len(wrong), wrong[:KEPT])


def _is_step(graph: Graph, sender: int, receiver: int) -> bool:
    if graph.version_of[sender] == graph.version_of[receiver] == 0:
        # identifiers that are not ours carry no version: any link of two nodes may be a step
        return not graph.object_id[graph.object_of[receiver]] and sender != receiver
    same = graph.object_of[sender] == graph.object_of[receiver]
    return same and graph.version_of[sender] + 1 == graph.version_of[receiver]


def _gaps(graph: Graph, sources: dict[int, set[int]]) -> Iterator[str]:
    for obj in range(graph.object_count):
        versions = graph.versions(obj)
        for before, node in zip(versions, versions[1:], strict=False):
            text = describe(graph, node)
            if graph.version_of[before] + 1 != graph.version_of[node]:
                yield f"{text} follows version {graph.version_of[before]}: some are missing"
            elif not sources.get(node):
                yield f"{text} has no edge from the version before it"
            elif len(sources[node]) > 1:
                yield f"{text} has {len(sources[node])} edges from the version before it"


def illegal_relations(graph: Graph) -> Finding:
    """Find relations whose ends are not of the classes that the PROV relation wants."""
    bad = [edge for edge in range(graph.edge_count) if not _is_legal(graph, edge)]
    examples = [f"{edge_text(graph, edge)} as {graph.section(edge)}" for edge in bad[:KEPT]]
    return Finding("relations between wrong classes", len(bad), examples)


def _is_legal(graph: Graph, edge: int) -> bool:
    name, section = graph.relations[graph.relation_number[edge]]
    ends = words.SECTIONS[section]
    sender = graph.class_of[graph.sender[edge]]
    receiver = graph.class_of[graph.receiver[edge]]
    if words.RELATIONS.get(name, (section,))[0] != section:
        return False
    fits = ends.sender_class in (0, sender) and ends.receiver_class in (0, receiver)
    undescribed = not sender or not receiver  # already counted as dangling
    return fits or undescribed or (name, sender, receiver) in EXCEPTIONS


def edge_text(graph: Graph, edge: int) -> str:
    """Return an edge for a person: ``file /a version 1 --read--> task 231 version 2``."""
    sender, receiver = describe(graph, graph.sender[edge]), describe(graph, graph.receiver[edge])
    return f"{sender} --{graph.relation(edge)}--> {receiver}"


def describe(graph: Graph, node: int) -> str:
    """Return a node for a person: its type, its best name and its version."""
    obj = graph.object_of[node]
    pid = graph.pids.get(obj) or graph.tgids.get(obj)
    name = (
        next(iter(graph.names(obj)), None)
        or graph.texts.get(obj)
        or graph.comms.get(obj)
        or (f"pid {pid}" if pid else graph.identifiers[node])
    )
    return f"{graph.kind(node)} {name} version {graph.version_of[node]}"
