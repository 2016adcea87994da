"""What the nodes of a picture are called: title, kind and second line of each thing."""

from collections.abc import Iterable, Sequence

from provcap.graph import words
from provcap.graph.draft import Thing
from provcap.graph.groups import Groups
from provcap.graph.model import Graph
from provcap.graph.places import LIBRARIES
from provcap.graph.titles import Titles

PROCESS, CONNECTION = "process", "connection"
_KINDS = {
    **dict.fromkeys(("task", "process_memory"), PROCESS),
    **dict.fromkeys(("socket", "stream", "packet", "packet6"), CONNECTION),
    **dict.fromkeys(("file", "link", "directory", "inode_unknown"), "file"),
    **dict.fromkeys(("pipe", "shm", "msg", "eventfd"), "pipe"),
    **dict.fromkeys(("char", "block"), "device"),
    **dict.fromkeys(("machine", "disc_agent"), "agent"),
}
# described together with what they belong to, not for themselves
_PARTS = frozenset(("argv", "envp", "iattr", "xattr", "packet_content"))


class Names:
    """Names the things of one graph; all texts are clean."""

    def __init__(self, graph: Graph, groups: Groups, exact: bool = False) -> None:
        """Collect what naming needs once; ``exact``: each thing is one version, not an object."""
        self.graph, self.groups, self.titles = graph, groups, Titles(graph)
        self.exact = exact

    def kind(self, thing: Thing) -> str:
        """Return what colours a node: process, file, connection, pipe, device, agent, other."""
        kinds = {_KINDS.get(self.graph.kind(node), "other") for node in self.own(thing.nodes)}
        return kinds.pop() if len(kinds) == 1 else "other"

    def prov_class(self, thing: Thing) -> str:
        """Return what shapes a node. A process is an activity, its memory folded into it."""
        if self.kind(thing) == PROCESS and not self.exact:
            return "activity"
        classes = {self.graph.class_of[node] for node in self.own(thing.nodes)}
        if words.ACTIVITY in classes:
            return "activity"
        return "agent" if classes == {words.AGENT} else "entity"

    def title(self, thing: Thing) -> str:
        """Return the name of a thing, of a fold how many things of which sort it holds."""
        if thing.words:
            return counted(len(thing.members), thing.words)
        return self._title(thing) + (self._version(thing.nodes[-1]) if self.exact else "")

    def _title(self, thing: Thing) -> str:
        if self.kind(thing) == PROCESS:
            return self._process(thing)[0]
        nodes = self.own(thing.nodes)
        if self.kind(thing) == CONNECTION:
            fallback = self.titles.connection(nodes[::-1]).removeprefix("socket ")
            return self.titles.addresses(self.objects(nodes)) or fallback
        return self.titles.entity(nodes[-1]).removesuffix(self.titles.further_names(nodes[-1]))

    def own(self, nodes: Sequence[int]) -> Sequence[int]:
        """Leave out what only belongs to the others: arguments, changes of attributes."""
        return [node for node in nodes if self.graph.kind(node) not in _PARTS] or nodes

    def _version(self, node: int) -> str:
        memory = " memory" if self.graph.kind(node) == "process_memory" else ""
        return f"{memory} v{self.graph.version_of[node]}"

    def detail(self, thing: Thing) -> str:
        """Return the arguments of a process, the other names of a file; nothing of versions."""
        if thing.words or self.exact:
            return ""
        if self.kind(thing) == PROCESS:
            return self._process(thing)[1]
        return self.titles.further_names(self.own(thing.nodes)[-1]).strip(" ()")

    def program(self, nodes: Sequence[int]) -> str:
        """Return the short name of the program that a process ran last."""
        newest = self.own(nodes)[-1]
        name = self.titles.program(self.groups.image(newest))
        return name if name != PROCESS else self.titles.program(self.graph.object_of[newest])

    def path(self, nodes: Sequence[int]) -> str:
        """Return the newest path of a file, empty if it has none; not cleaned."""
        return self.titles.path(self.graph.object_of[self.own(nodes)[-1]])

    def objects(self, nodes: Iterable[int]) -> list[int]:
        """Return the objects of which these are versions, in order of appearance."""
        return list(dict.fromkeys(self.graph.object_of[node] for node in nodes))

    def process_id(self, thing: Thing) -> int:
        """Return the process id of a process, 0 if it is not known."""
        return self.groups.process_id(self.groups.image(self.own(thing.nodes)[-1]))

    def _process(self, thing: Thing) -> tuple[str, str]:
        image = self.groups.image(self.own(thing.nodes)[-1])
        tasks = [node for node in thing.nodes if self.graph.kind(node) == "task"]
        task = self.graph.object_of[tasks[-1]] if tasks else None
        return self.titles.process(image, self.groups.process_id(image), task)


def counted(count: int, words: str) -> str:
    """Return a number of things as text."""
    if words == LIBRARIES and count == 1:
        return "1 library or system file"
    return f"{count} {words}"
