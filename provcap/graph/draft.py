"""The picture while it is made: things, and the edges of the recording between each two of them.

A *thing* is what becomes one node: a process, the versions of one file, a connection; or a fold,
several of these that are shown as one. ``provcap.graph.folding`` makes folds,
``provcap.graph.picture`` turns the result into nodes and edges with names.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from provcap.graph.groups import Groups
from provcap.graph.model import NO_TIME, Graph

# sender and receiver of these are one thing: an argument and its process, a change and its file
_INTO_RECEIVER = (
    *("arg", "env", "packet_content"),
    *("setattr_inode", "setxattr_inode", "removexattr_inode"),
)
_INTO_SENDER = ("getxattr_inode",)
TEXTS = ("arg", "env")


@dataclass
class Thing:
    """The versions that one node stands for; a fold has members, and the words that count them."""

    nodes: list[int] = field(default_factory=list)
    members: list["Thing"] = field(default_factory=list)
    words: str = ""
    libraries: list["Thing"] = field(default_factory=list)  # told on it, not shown beside it


Flows = dict[tuple[int, int], list[int]]  # (sender, receiver) -> edges of the recording


class Draft:
    """Things by key, and the flows between them; folds get keys that no group has."""

    def __init__(self, graph: Graph, edges: Iterable[int], thing_of: Callable[[int], int]) -> None:
        """Sort the edges by the things at their ends; ``thing_of`` gives the key of a version."""
        self.graph = graph
        self.things: dict[int, Thing] = {}
        self.flows: Flows = defaultdict(list)
        self.first: dict[int, int] = {}  # version -> time of its first and last edge
        self.last: dict[int, int] = {}
        self._seen: set[int] = set()
        self._next_key = graph.object_count + graph.node_count
        for edge in sorted(edges, key=lambda edge: (graph.at_ns[edge], edge)):
            self._add_edge(edge, thing_of)

    def _add_edge(self, edge: int, thing_of: Callable[[int], int]) -> None:
        sender, receiver = self.graph.sender[edge], self.graph.receiver[edge]
        ends = self.add(sender, thing_of(sender)), self.add(receiver, thing_of(receiver))
        if ends[0] != ends[1]:
            self.flows[ends].append(edge)
        at_ns = self.graph.at_ns[edge]
        for node in (sender, receiver) if at_ns != NO_TIME else ():
            self.first.setdefault(node, at_ns)
            self.last[node] = at_ns

    def add(self, node: int, key: int) -> int:
        """Put a version into a thing, once; returns the key."""
        thing = self.things.setdefault(key, Thing())
        if node not in self._seen:
            self._seen.add(node)
            thing.nodes.append(node)
        return key

    def new_key(self) -> int:
        """Return a key that nothing has."""
        self._next_key += 1
        return self._next_key

    def drop(self, keys: Iterable[int]) -> None:
        """Take things and their flows out."""
        gone = set(keys)
        for key in gone:
            del self.things[key]
        self.flows = {
            ends: edges for ends, edges in self.flows.items() if not gone.intersection(ends)
        }

    def drop_lonely(self, keep: Iterable[int]) -> None:
        """Take out what nothing flows to or from, but ``keep``."""
        met = {key for ends in self.flows for key in ends} | set(keep)
        self.drop([key for key in self.things if key not in met])

    def move(self, folds: dict[tuple[int, int], tuple[int, int]]) -> None:
        """Give flows other ends; what then flows within a thing is no flow any more."""
        moved: Flows = {}
        for ends, edges in self.flows.items():
            new = folds.get(ends, ends)
            if new[0] != new[1]:
                moved.setdefault(new, []).extend(edges)
        self.flows = moved

    def neighbours(self) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
        """Return the things that each thing receives from, and those that it sends to."""
        sources: dict[int, set[int]] = {key: set() for key in self.things}
        targets: dict[int, set[int]] = {key: set() for key in self.things}
        for sender, receiver in self.flows:
            sources[receiver].add(sender)
            targets[sender].add(receiver)
        return sources, targets


def by_group(graph: Graph, groups: Groups) -> Callable[[int], int]:
    """Return the function that tells the thing of a version when versions are folded."""
    owner: dict[int, int] = {}
    for edge in graph.edges_named((*_INTO_RECEIVER, *_INTO_SENDER)):
        ends = groups.of(graph.sender[edge]), groups.of(graph.receiver[edge])
        part, whole = ends if graph.relation(edge) in _INTO_RECEIVER else ends[::-1]
        if part != whole:
            owner[part] = whole

    def thing_of(node: int) -> int:
        group = groups.of(node)
        return owner.get(group, group)

    return thing_of
