"""Where something came from, as a tree that a person reads from the top.

``grow`` turns nodes into ``Line`` objects: each line is a process, a file, a connection ..., and
below it stand the things from which information came to it *before* it passed information on to the
line above. ``provcap.graph.text`` prints them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from provcap.graph.groups import Groups
from provcap.graph.model import Graph
from provcap.graph.places import LIBRARIES, SYSTEM_KINDS, is_system_path
from provcap.graph.queries import ANCESTRY_FLOWS
from provcap.graph.titles import CHANGED, COPIED, STARTED, Titles, is_terminal, verb
from provcap.graph.words import CONTROL

DEFAULT_DEPTH = 20
# shown below one line unless everything is asked for: files that nobody wrote, and all else
MAX_LEAVES = 12
MAX_INPUTS = 60

# the sender of these is a part of the receiver's line, not a line of its own
_PARTS = frozenset(
    (
        *("accept_socket", "packet_content", "arg"),
        *("setattr_inode", "setxattr_inode", "removexattr_inode"),
    )
)
_PROCESS = frozenset(("task", "process_memory"))
_CARRIERS = frozenset(("stream", "packet", "packet6"))
_CONNECTION = _CARRIERS | {"socket"}

ENVIRONMENT = "environment strings"
PRINTERS = "programs that wrote to it"
FURTHER = "earlier inputs"


@dataclass
class Line:
    """One line of the tree; ``parent`` is an index into the list of lines, -1 for the root."""

    parent: int
    depth: int
    verb: str
    kind: str  # process, connection, or the node type
    title: str
    detail: str = ""  # the arguments of a process
    notes: list[str] = field(default_factory=list)
    refers_to: int | None = None  # the line where this thing was shown
    hidden: dict[str, int] = field(default_factory=dict)  # inputs that are only counted
    cut: int = 0  # inputs below the depth limit
    identifiers: list[str] = field(default_factory=list)
    at_ns: int = 0  # when the flow to the line above began; 0: not recorded


@dataclass(frozen=True)
class Options:
    """What to follow and how much to show."""

    depth: int = DEFAULT_DEPTH
    everything: bool = False
    flows: frozenset[int] = ANCESTRY_FLOWS


@dataclass
class _Visit:
    """A thing to be shown: the versions that were reached, and the edges that led to them."""

    nodes: list[int]
    edges: list[int]
    parent: int
    depth: int
    note: str = ""


@dataclass
class _Past:
    """What flowed into some versions of a group: its own earlier nodes, and edges from outside."""

    nodes: list[int]
    inputs: dict[int, list[int]]  # group of the sender -> edges


def grow(graph: Graph, nodes: Iterable[int], options: Options | None = None) -> list[Line]:
    """Return the lines of the tree above ``nodes``, in printing order; the first is the target."""
    return _Grower(graph, options or Options()).grow(list(nodes))


class _Grower:
    def __init__(self, graph: Graph, options: Options) -> None:
        self.graph, self.options = graph, options
        self.groups, self.titles = Groups(graph), Titles(graph)
        self.lines: list[Line] = []
        self.line_groups: list[int] = []
        self.shown: dict[int, set[int]] = {}  # group -> nodes whose inputs stand somewhere above
        self.first_line: dict[int, int] = {}  # group -> the line that shows it
        self.newest_input: dict[int, tuple[int, int]] = {}  # line -> moment of its last input

    def grow(self, nodes: list[int]) -> list[Line]:
        todo = [_Visit(nodes, [], -1, 0)]
        while todo:
            todo.extend(reversed(self._show(todo.pop())))
        return self.lines

    def _show(self, visit: _Visit) -> list[_Visit]:
        """Add the line of a visit; return the visits that belong below it, in order."""
        group = self.groups.of(visit.nodes[-1])
        past = self._past(group, visit.nodes, self.shown.get(group, set()))
        line = self._line(visit, past)
        here = len(self.lines)
        self.lines.append(line)
        self.line_groups.append(group)
        above = self.first_line.get(group)
        if above is not None and not past.inputs:
            self._refer(line, above, visit)
            return []
        if visit.depth >= self.options.depth and past.inputs:
            line.cut = len(past.inputs)
            return []
        if above is not None:
            line.notes.append("continues")
            line.refers_to = above
        self.first_line.setdefault(group, here)
        self.shown.setdefault(group, set()).update(past.nodes)
        if past.inputs:
            self.newest_input[here] = max(map(self._moment, _flat(past.inputs)))
        if line.kind == "connection" and above is None and self._comes_from_outside(past):
            line.notes.append("the sender is outside this recording")
        return self._below(here, past)

    def _refer(self, line: Line, above: int, visit: _Visit) -> None:
        """Point to the line that shows the same thing; nothing to point at if it has no inputs."""
        newest = self.newest_input.get(above)
        if newest is None:
            return
        earlier = bool(visit.edges) and max(map(self._moment, visit.edges)) < newest
        line.notes.append("an earlier state, shown above as" if earlier else "shown above as")
        line.refers_to = above

    def _comes_from_outside(self, past: _Past) -> bool:
        """Say whether nobody here sent what came through the newest stream or packet."""
        for node in past.nodes:
            if self.graph.kind(node) in _CARRIERS:
                return not len(self.graph.edges_in(node))
        return not past.inputs

    def _moment(self, edge: int) -> tuple[int, int]:
        return self.graph.at_ns[edge], edge

    def _past(self, group: int, nodes: list[int], known: set[int]) -> _Past:
        """Walk back inside a group, not into what is ``known``; note the edges that come in."""
        graph, flows = self.graph, self.options.flows
        past = _Past([], {})
        seen = set(known)
        # breadth first: the newest parts of a connection come first and give it its title
        reached = [node for node in dict.fromkeys(reversed(nodes)) if node not in seen]
        seen.update(reached)
        for node in reached:
            past.nodes.append(node)
            own = self.groups.of(node)
            for edge in reversed(graph.edges_in(node)):
                if graph.flow[edge] not in flows:
                    continue
                sender = graph.sender[edge]
                source = self.groups.of(sender)
                if source not in (own, group) and graph.relation(edge) not in _PARTS:
                    past.inputs.setdefault(source, []).append(edge)
                elif sender not in seen:
                    seen.add(sender)
                    reached.append(sender)
        return past

    def _below(self, here: int, past: _Past) -> list[_Visit]:
        """Return the visits for the inputs of a line, in time order; count what is hidden."""
        line = self.lines[here]
        visits: list[tuple[bool, tuple[int, int], _Visit]] = []
        for source, edges in past.inputs.items():
            edges.sort(key=self._moment)
            nodes = [self.graph.sender[edge] for edge in edges]
            if self.shown.get(source, set()).issuperset(nodes) and self._encloses(source, here):
                continue  # a request, say, of the process that got the answer: stands above
            if why := self._hidden(line, source, nodes):
                line.hidden[why] = line.hidden.get(why, 0) + 1
                continue
            visit = _Visit(nodes, edges, here, line.depth + 1, self._before_exec(here, edges))
            started = self._verb(edges) == STARTED
            visits.append((started, self._moment(edges[0]), visit))
        visits.sort(key=lambda entry: entry[:2])
        return self._limited(line, [visit for _, _, visit in visits])

    def _limited(self, line: Line, visits: list[_Visit]) -> list[_Visit]:
        """Leave out the oldest where there are too many; what somebody wrote goes last."""
        if self.options.everything:
            return visits
        leaves = [visit for visit in visits if self._is_leaf(visit)]
        surplus = set(map(id, leaves[: max(0, len(leaves) - MAX_LEAVES)]))
        kept = [visit for visit in visits if id(visit) not in surplus][-MAX_INPUTS:]
        if len(kept) < len(visits):
            line.hidden[FURTHER] = len(visits) - len(kept)
        return kept

    def _is_leaf(self, visit: _Visit) -> bool:
        """Say whether it is a file that nobody wrote while the recording ran."""
        node = visit.nodes[-1]
        if self.graph.kind(node) not in SYSTEM_KINDS:
            return False
        return not self._past(self.groups.of(node), visit.nodes, set()).inputs

    def _encloses(self, group: int, here: int) -> bool:
        """Say whether one of the lines that lead to this one shows the group."""
        while here >= 0:
            if self.line_groups[here] == group:
                return True
            here = self.lines[here].parent
        return False

    def _hidden(self, line: Line, source: int, nodes: list[int]) -> str:
        """Say as what an input is only counted; a system file that was changed is never hidden."""
        if self.options.everything:
            return ""
        kind = self.graph.kind(nodes[-1])
        if is_terminal(line.kind, line.title) and kind != "char":  # that is its other end
            return PRINTERS  # whoever reads keystrokes would seem to derive from every output
        if kind == "envp":
            return ENVIRONMENT
        path = self.titles.path(self.graph.object_of[nodes[-1]])
        if kind not in SYSTEM_KINDS or not is_system_path(path):
            return ""
        return "" if self._past(source, nodes, set()).inputs else LIBRARIES

    def _verb(self, edges: list[int]) -> str:
        return verb({self.graph.relation(edge) for edge in edges}) if edges else ""

    def _before_exec(self, here: int, edges: list[int]) -> str:
        """Say under which program a process took its input, if it runs another one by now."""
        if self.lines[here].kind != "process" or self._verb(edges) == STARTED:
            return ""
        then = self.groups.image(self.graph.receiver[edges[-1]])
        name = self.titles.program(then)
        if name == "process" or self.lines[here].title.startswith(f"{name} (pid"):
            return ""
        return f"while it was {name}"

    def _line(self, visit: _Visit, past: _Past) -> Line:
        graph = self.graph
        kind, title, detail = self._title(visit, past)
        words = self._verb(visit.edges)
        if kind == "directory" and words == "read":
            words = "listed"
        line = Line(visit.parent, visit.depth, words, kind, title, detail)
        line.identifiers = [graph.identifiers[node] for node in dict.fromkeys(visit.nodes)]
        line.at_ns = graph.at_ns[visit.edges[0]] if visit.edges else 0
        if words in CHANGED and (change := self.titles.change(map(self._receiver, visit.edges))):
            line.notes.append(change)
        if words == COPIED and (copier := self._copier(visit.edges)):
            line.notes.append(f"by {copier}")
        if visit.note:
            line.notes.append(visit.note)
        return line

    def _copier(self, edges: list[int]) -> str:
        """Return the process that had the kernel copy, and is no source itself; empty: unknown."""
        graph = self.graph
        for edge in (e for node in map(self._receiver, edges) for e in graph.edges_in(node)):
            if graph.kind(graph.sender[edge]) == "task" and graph.flow[edge] == CONTROL:
                image = self.groups.image(graph.sender[edge])
                task = graph.object_of[graph.sender[edge]]
                return self.titles.process(image, self.groups.process_id(image), task)[0]
        return ""

    def _receiver(self, edge: int) -> int:
        return self.graph.receiver[edge]

    def _title(self, visit: _Visit, past: _Past) -> tuple[str, str, str]:
        """Return kind, title and detail."""
        graph = self.graph
        node = visit.nodes[-1]
        kind = graph.kind(node)
        if kind in _PROCESS:
            tasks = [n for n in (*visit.nodes, *past.nodes) if graph.kind(n) == "task"]
            task = graph.object_of[tasks[0]] if tasks else None
            image = self.groups.image(node)
            return "process", *self.titles.process(image, self.groups.process_id(image), task)
        if kind in _CONNECTION:
            return "connection", self.titles.connection([*past.nodes, *visit.nodes]), ""
        return kind, self.titles.entity(node), ""


def _flat(inputs: dict[int, list[int]]) -> list[int]:
    return [edge for edges in inputs.values() for edge in edges]
