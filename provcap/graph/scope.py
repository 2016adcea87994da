"""Which versions and edges a picture shows: what came before something, after it, or everything."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from provcap.graph.groups import Groups
from provcap.graph.model import Graph
from provcap.graph.queries import ANCESTRY_FLOWS
from provcap.graph.titles import is_terminal

NO_LIMIT = 1 << 30


@dataclass
class Scope:
    """Versions and edges to be shown; ``beyond`` counts the flows of a group that are not."""

    nodes: set[int] = field(default_factory=set)
    edges: set[int] = field(default_factory=set)
    beyond: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Scope") -> None:
        """Take in what another scope holds."""
        self.nodes |= other.nodes
        self.edges |= other.edges
        self.beyond += other.beyond


@dataclass(frozen=True)
class Walk:
    """How to go on from a version: which flow classes, how many groups far."""

    flows: frozenset[int] = ANCESTRY_FLOWS
    depth: int = NO_LIMIT
    through_terminals: bool = False


def everything(graph: Graph, flows: frozenset[int]) -> Scope:
    """Return all edges of these flow classes and their ends."""
    edges = {edge for edge, flow in enumerate(graph.flow) if flow in flows}
    nodes = {end for edge in edges for end in (graph.sender[edge], graph.receiver[edge])}
    return Scope(nodes, edges)


def before(graph: Graph, groups: Groups, starts: Iterable[int], walk: Walk) -> Scope:
    """Return what flowed into ``starts``."""
    return _Walker(graph, groups, walk, forward=False).run(list(starts))


def after(graph: Graph, groups: Groups, starts: Iterable[int], walk: Walk) -> Scope:
    """Return what flowed out of ``starts``."""
    return _Walker(graph, groups, walk, forward=True).run(list(starts))


class _Walker:
    def __init__(self, graph: Graph, groups: Groups, walk: Walk, forward: bool) -> None:
        self.graph, self.groups, self.walk, self.forward = graph, groups, walk, forward
        self.next_edges = graph.edges_out if forward else graph.edges_in
        self.far_end = graph.receiver if forward else graph.sender
        self.distance: dict[int, int] = {}
        self.todo: deque[int] = deque()
        self.done: set[int] = set()
        self.scope = Scope()

    def run(self, starts: list[int]) -> Scope:
        self.distance = dict.fromkeys(starts, 0)
        self.todo.extend(starts)
        while self.todo:
            node = self.todo.popleft()
            if node in self.done:
                continue  # it was reached again on a shorter way, and is dealt with
            self.done.add(node)
            if self.distance[node] and self._ends_here(node):
                self.scope.beyond[self.groups.of(node)] += len(self.next_edges(node))
                continue
            for edge in self.next_edges(node):
                if self.graph.flow[edge] in self.walk.flows:
                    self._follow(node, edge)
        self.scope.nodes = set(self.distance)
        return self.scope

    def _follow(self, node: int, edge: int) -> None:
        """Reach the other end: free within a group, else one step further from the start."""
        far, group = self.far_end[edge], self.groups.of(node)
        outside = self.groups.of(far) != group
        step = self.distance[node] + outside
        if step > self.walk.depth:
            self.scope.beyond[group] += 1
            return
        self.scope.edges.add(edge)
        if step < self.distance.get(far, NO_LIMIT):
            self.distance[far] = step
            (self.todo.append if outside else self.todo.appendleft)(far)

    def _ends_here(self, node: int) -> bool:
        """A terminal shows what many programs wrote: its readers do not derive from them all."""
        if self.walk.through_terminals or self.forward or self.graph.kind(node) != "char":
            return False
        names = self.graph.names(self.graph.object_of[node])
        return bool(names) and is_terminal("char", names[0])
