"""A picture of where something came from or went to, as nodes and edges that can be drawn.

``make`` turns a recording into a ``Picture``: processes, files and connections, each with the
versions it stands for, and one edge for all that flowed from one to another.
``provcap.graph.dot`` and ``provcap.graph.html`` draw it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from provcap.graph import folding, scope
from provcap.graph.cycles import against_the_flow
from provcap.graph.draft import TEXTS, Draft, Thing, by_group
from provcap.graph.groups import Groups
from provcap.graph.losses import completeness, is_complete
from provcap.graph.model import NO_TIME, Graph
from provcap.graph.naming import Names
from provcap.graph.places import LIBRARIES
from provcap.graph.queries import ANCESTRY_FLOWS
from provcap.graph.titles import clean, flow_verb
from provcap.graph.words import CONTROL, INFLUENCE

FROM, TO, BOTH = DIRECTIONS = ("from", "to", "both")
DEFAULT_LIMIT = 150
FEW = 40  # up to here each process has a node for its libraries beside it


@dataclass(frozen=True)
class Options:
    """What to show: how far from the target, in which direction, what folded, how many nodes."""

    direction: str = FROM
    depth: int = scope.NO_LIMIT
    control: bool = False
    libraries: bool = False
    versions: bool = False
    limit: int = DEFAULT_LIMIT

    @property
    def flows(self) -> frozenset[int]:
        """The flow classes that are followed."""
        return ANCESTRY_FLOWS | ({CONTROL, INFLUENCE} if self.control else set())


@dataclass(frozen=True)
class Node:
    """One box: a process, a file, a connection ..., or a fold of several. All texts are clean."""

    title: str
    kind: str  # process, file, connection, pipe, device, agent, other: the colour
    prov_class: str  # activity, entity, agent: the shape
    detail: str  # arguments of a process
    versions: tuple[int, ...]  # nodes of the recording, in order of appearance
    members: tuple[str, ...]  # titles of what a fold holds
    libraries: tuple[str, ...]  # of system files that are not shown beside it
    first_ns: int  # of the flows that touch it, NO_TIME if the recording has no times
    last_ns: int
    beyond: int  # flows that lead on from here and are not shown
    is_target: bool


@dataclass(frozen=True)
class Edge:
    """All that flowed from one node to another; the ends are places in the list of nodes."""

    source: int
    target: int
    verb: str
    relations: tuple[tuple[str, int], ...]  # names and counts, the most frequent first
    flows: tuple[int, ...]  # edges of the recording, in time order
    first_ns: int
    last_ns: int
    is_back: bool  # closes a cycle: drawn against the direction of the picture

    @property
    def count(self) -> int:
        """How many edges of the recording it stands for."""
        return len(self.flows)


@dataclass
class Picture:
    """What is drawn, and what has to be said about it."""

    title: str
    completeness: str
    complete: bool | None
    exact: bool  # each node is one version; folded ones may leave out what others tell
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def make(
    graph: Graph, targets: Sequence[int] = (), options: Options | None = None, title: str = ""
) -> tuple[Picture, Names]:
    """Return the picture of what ``targets`` (versions) came from or led to; none: of everything.

    ``title`` is what the targets were asked for as; it need not be clean. The names that were used
    come with it.
    """
    maker = _Maker(graph, options or Options())
    return maker.make(list(targets), title), maker.names


class _Maker:
    def __init__(self, graph: Graph, options: Options) -> None:
        self.graph, self.options = graph, options
        self.groups = Groups(graph)
        self.names = Names(graph, self.groups, options.versions)

    def make(self, targets: list[int], title: str) -> Picture:
        seen = self._scope(targets)
        draft, keep = self._draft(seen, targets)
        if not self.options.libraries:
            user = self.groups.of if self.options.versions else _itself
            folding.fold_system(draft, self.names, keep, user)
        if not self.options.versions:
            folding.fold_same(draft, self.names, keep)
            if len(draft.things) > FEW:
                folding.tuck_in(draft)
            folding.fold_alike(draft, self.names, keep, self.options.limit)
        left_out = folding.cut(draft, keep, self.options.limit)
        picture = self._picture(title, targets)
        if left_out:
            picture.notes.append(f"{left_out} more nodes are not shown (--max-nodes shows more)")
        self._fill(picture, draft, seen, keep)
        return picture

    def _scope(self, targets: list[int]) -> scope.Scope:
        options = self.options
        if not targets:
            return scope.everything(self.graph, options.flows)
        walk = scope.Walk(options.flows, options.depth, options.libraries)
        seen = scope.Scope()
        if options.direction in (FROM, BOTH):
            seen.add(scope.before(self.graph, self.groups, targets, walk))
        if options.direction in (TO, BOTH):
            seen.add(scope.after(self.graph, self.groups, targets, walk))
        return seen

    def _draft(self, seen: scope.Scope, targets: Iterable[int]) -> tuple[Draft, set[int]]:
        """Return the draft, and the keys of the targets in it."""
        edges: Iterable[int] = seen.edges
        thing_of = by_group(self.graph, self.groups)
        if self.options.versions:
            edges = [edge for edge in edges if self.graph.relation(edge) not in TEXTS]
            thing_of = _itself
        draft = Draft(self.graph, edges, thing_of)
        keep = {draft.add(node, thing_of(node)) for node in targets}
        draft.drop_lonely(keep)
        return draft, keep

    def _picture(self, title: str, targets: list[int]) -> Picture:
        what = {FROM: "what {} came from", TO: "what came of {}"}.get(
            self.options.direction, "what {} came from and led to"
        )
        source = clean(self.graph.source)
        said = what.format(clean(title)) if targets else f"all of {source}"
        said_of_it = clean(completeness(self.graph)), is_complete(self.graph)
        return Picture(said, *said_of_it, self.options.versions)

    def _fill(self, picture: Picture, draft: Draft, seen: scope.Scope, keep: set[int]) -> None:
        when = {key: self._when(draft, key) for key in draft.things}
        keys = sorted(when, key=lambda key: (when[key], draft.things[key].nodes))
        place = {key: number for number, key in enumerate(keys)}
        picture.nodes = [
            self._node(draft.things[key], when[key], seen, is_target=key in keep) for key in keys
        ]
        flows = {(place[s], place[r]): edges for (s, r), edges in draft.flows.items()}
        moments = {ends: self._span(edges) for ends, edges in flows.items()}
        newest_first = self.options.direction != TO
        back = against_the_flow({e: m[newest_first] for e, m in moments.items()}, newest_first)
        picture.edges = [
            self._edge(ends, flows[ends], ends in back, draft.things[keys[ends[0]]])
            for ends in sorted(flows, key=lambda ends: (moments[ends], ends))
        ]

    def _when(self, draft: Draft, key: int) -> tuple[int, int]:
        """Return the first and last moment of a thing; what a fold has elsewhere does not count."""
        thing = draft.things[key]
        if thing.words:
            return self._span(
                e for ends, edges in draft.flows.items() if key in ends for e in edges
            )
        first = [draft.first[node] for node in thing.nodes if node in draft.first]
        last = [draft.last[node] for node in thing.nodes if node in draft.last]
        return min(first, default=NO_TIME), max(last, default=NO_TIME)

    def _node(
        self, thing: Thing, when: tuple[int, int], seen: scope.Scope, is_target: bool
    ) -> Node:
        names = self.names
        return Node(
            names.title(thing),
            names.kind(thing),
            names.prov_class(thing),
            names.detail(thing),
            tuple(names.own(thing.nodes)),
            tuple(map(names.title, thing.members)),
            tuple(map(names.title, thing.libraries)),
            *when,
            sum(seen.beyond[group] for group in {self.groups.of(node) for node in thing.nodes}),
            is_target,
        )

    def _edge(
        self, ends: tuple[int, int], flows: Sequence[int], is_back: bool, sender: Thing
    ) -> Edge:
        relations = Counter(map(self.graph.relation, flows))
        return Edge(
            *ends,
            "used by" if sender.words == LIBRARIES else flow_verb(relations),
            tuple((clean(name), count) for name, count in relations.most_common()),
            tuple(sorted(flows, key=lambda edge: (self.graph.at_ns[edge], edge))),
            *self._span(flows),
            is_back,
        )

    def _span(self, flows: Iterable[int]) -> tuple[int, int]:
        times = [at for edge in flows if (at := self.graph.at_ns[edge]) != NO_TIME]
        return min(times, default=NO_TIME), max(times, default=NO_TIME)


def _itself(node: int) -> int:
    return node
