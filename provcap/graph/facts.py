"""Everything a recording says about one node of a picture, as labelled values for a person."""

from collections import defaultdict
from collections.abc import Iterator

from provcap.graph.labels import span, time
from provcap.graph.model import NO_TIME, Graph, Name
from provcap.graph.naming import PROCESS, Names
from provcap.graph.picture import Node
from provcap.graph.titles import clean

MOST = 200  # values of one label; what is more is counted
MAX_TEXT = 5000
# of things that have objects of several kinds
_WORDS = {
    "process_memory": "memory ",
    **{kind: f"{kind} " for kind in ("task", "socket", "stream", "packet", "packet6")},
}
Fact = tuple[str, list[str]]


class Facts:
    """Looks up what is known about the nodes of a picture; all texts are clean."""

    def __init__(self, graph: Graph, names: Names) -> None:
        """Collect the times of all addresses once."""
        self.graph, self.names = graph, names
        self._addresses: dict[int, list[Name]] = defaultdict(list)
        for edge in graph.edges_named(("addressed",)):
            text = graph.texts.get(graph.object_of[graph.sender[edge]], "")
            given = Name(text, graph.at_ns[edge], None)
            self._addresses[graph.object_of[graph.receiver[edge]]].append(given)

    def of(self, node: Node) -> list[Fact]:
        """Return labels and values of a node, without those that have no value."""
        return [(label, _limited(values)) for label, values in self._all(node) if values]

    def _all(self, node: Node) -> Iterator[Fact]:
        graph = self.graph
        objects = self.names.objects(node.versions)
        yield "Kind", [f"{node.kind} ({node.prov_class})"]
        yield "Time", [span(node.first_ns, node.last_ns)]
        if node.members:
            yield "Shown as one", list(node.members)
            return
        yield "Names", [name for obj in objects for name in self._names(obj)]
        if node.kind == PROCESS:
            yield "Process id", _numbers({graph.tgids.get(obj, 0) for obj in objects})
            yield "Thread ids", _numbers({graph.pids.get(obj, 0) for obj in objects})
            yield "Called itself", _texts(graph.comms.get(obj, "") for obj in objects)
            words = [" ".join(self.names.titles.arguments(obj)) for obj in objects]
            yield "Arguments", [line for line in words if line]
        yield "Inode", _numbers({graph.inodes.get(obj, 0) for obj in objects})
        yield "Text", _texts(graph.texts.get(obj, "") for obj in objects)
        yield "Libraries and system files", list(node.libraries)
        yield "Versions", [str(len(node.versions))]
        yield "Not shown", [f"{node.beyond} flows beyond it"] if node.beyond else []
        yield "Identifiers", [clean(graph.identifiers[version]) for version in node.versions]

    def _names(self, obj: int) -> Iterator[str]:
        for name in self.graph.dated_names(obj) or self._addresses.get(obj, []):
            ends = (("since", name.from_ns), ("until", name.to_ns))
            words = [f"{word} {time(at_ns)[11:]}" for word, at_ns in ends if at_ns]
            yield clean(name.path) + (f" ({', '.join(words)})" if words else "")

    def version(self, node: int) -> list[str]:
        """Return label, identifier and time of one version."""
        graph = self.graph
        word = _WORDS.get(graph.kind(node), "")
        times = [graph.at_ns[edge] for edge in (*graph.edges_in(node), *graph.edges_out(node))]
        known = [at_ns for at_ns in times if at_ns != NO_TIME]
        return [
            f"{word}v{graph.version_of[node]}",
            clean(graph.identifiers[node]),
            span(min(known, default=NO_TIME), max(known, default=NO_TIME)),
        ]


def _limited(values: list[str]) -> list[str]:
    kept = [value[:MAX_TEXT] for value in values[:MOST]]
    return kept + ([f"and {len(values) - MOST} more"] if len(values) > MOST else [])


def _numbers(values: set[int]) -> list[str]:
    return [str(value) for value in sorted(values) if value]


def _texts(values: Iterator[str]) -> list[str]:
    return [clean(value) for value in dict.fromkeys(values) if value]
