"""What a person sees as one thing: which nodes belong to the same process, file or connection.

All versions of an object are one. A process is an address space with the threads in it, and the
address spaces that one process id had before and after ``exec``. A connection is the sockets of
both ends with the streams or packets between them.
"""

from array import array
from bisect import bisect_right

from provcap.graph.continued import SAME_FILE
from provcap.graph.model import Graph
from provcap.graph.segments import SAME_BYTES

_CARRIERS = (
    *("send_stream", "receive_stream", "send_packet", "receive_packet", SAME_BYTES),
    *("send_unix", "receive_unix"),
)
_CARRIED = frozenset(("socket", "stream", "packet", "packet6"))


class Groups:
    """Group numbers for the nodes of a graph; a group's number is one of its objects."""

    def __init__(self, graph: Graph) -> None:
        """Work the groups out in a few passes over the edges."""
        self._graph = graph
        self._leader = array("I", range(graph.object_count))
        # task -> (first version, memory from that version on), by version
        self._memories: dict[int, list[tuple[int, int]]] = {}
        self._owner: dict[int, int] = {}  # memory -> the first task that used it
        self._attach_tasks()
        self._join_programs()
        self._join_connections()
        self._join_files()

    def of(self, node: int) -> int:
        """Return the group of a node."""
        return self._lead(self.image(node))

    def image(self, node: int) -> int:
        """Return the object that a node acts for: a task's memory at that version, else its own."""
        obj = self._graph.object_of[node]
        steps = self._memories.get(obj)
        if not steps:
            return obj
        place = bisect_right(steps, (self._graph.version_of[node], self._graph.object_count))
        return steps[max(place - 1, 0)][1]

    def _lead(self, obj: int) -> int:
        leader = self._leader
        while leader[obj] != obj:
            leader[obj] = leader[leader[obj]]
            obj = leader[obj]
        return obj

    def _join(self, one: int, two: int) -> None:
        self._leader[self._lead(two)] = self._lead(one)

    def _attach_tasks(self) -> None:
        """Follow each task through its memories: it has another one after ``exec``."""
        graph, memories = self._graph, self._memories
        for edge in graph.edges_named(("memory_read", "memory_write", "exec_task")):
            task, memory = graph.sender[edge], graph.receiver[edge]
            name = graph.relation(edge)
            if name == "memory_read":
                task, memory = memory, task
            # the version that calls exec still belongs to the old program
            since = graph.version_of[task] + (name == "exec_task")
            steps = memories.setdefault(graph.object_of[task], [])
            step = since, graph.object_of[memory]
            if not steps or steps[-1] != step:
                steps.append(step)
        for task, steps in memories.items():
            memories[task] = _changes(sorted(set(steps)))
        self._find_owners()

    def _find_owners(self) -> None:
        """Note who used each memory first: its own process; a borrower (vfork) comes later."""
        graph = self._graph
        edges = graph.edges_named(("memory_read", "memory_write"))
        for edge in sorted(edges, key=graph.at_ns.__getitem__):
            ends = graph.sender[edge], graph.receiver[edge]
            memory, task = ends if graph.relation(edge) == "memory_read" else ends[::-1]
            self._owner.setdefault(graph.object_of[memory], graph.object_of[task])

    def process_id(self, memory: int) -> int:
        """Return the process id of a memory or task, 0 if the recording does not tell.

        A forked memory is recorded before its process has an id: then its first user's counts.
        """
        graph = self._graph
        owner = self._owner.get(memory, memory)
        known = graph.tgids.get(memory) or graph.tgids.get(owner) or graph.pids.get(owner)
        return known or 0

    def _join_programs(self) -> None:
        """Join memories that followed each other in one process, not a child's to its parent's."""
        graph = self._graph
        for edge in graph.edges_named(("exec_task",)):
            before, after = self.image(graph.sender[edge]), graph.object_of[graph.receiver[edge]]
            pid = self.process_id(before)
            if pid and pid == self.process_id(after):
                self._join(after, before)

    def _join_connections(self) -> None:
        graph = self._graph
        for edge in graph.edges_named(_CARRIERS):
            sender, receiver = graph.sender[edge], graph.receiver[edge]
            if graph.kind(sender) in _CARRIED and graph.kind(receiver) in _CARRIED:
                self._join(graph.object_of[sender], graph.object_of[receiver])

    def _join_files(self) -> None:
        """One file that was there before and after a reboot, or a mount."""
        graph = self._graph
        for edge in graph.edges_named((SAME_FILE,)):
            self._join(graph.object_of[graph.receiver[edge]], graph.object_of[graph.sender[edge]])


def _changes(steps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Keep of sorted steps those that change the memory."""
    kept = steps[:1]
    for step in steps[1:]:
        if step[1] != kept[-1][1]:
            kept.append(step)
    return kept
