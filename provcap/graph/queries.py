"""Questions to a graph: which nodes does a name stand for, and what came before a node.

``find``, ``find_process``, ``find_disclosed``, ``find_identifier`` turn what a person types into
nodes; ``ancestry`` is the closure backwards in time, ``way`` one shortest path within it.
"""

import difflib
import posixpath
from collections import deque
from collections.abc import Iterable

from provcap.errors import UsageError
from provcap.graph import words
from provcap.graph.model import Graph

ANCESTRY_FLOWS = frozenset((words.DATA, words.VERSION))
_BYTES = {0xDC00 + byte: 0xF700 + byte for byte in range(0x80, 0x100)}
_NOT_FILES = ("path", "process_memory", "task", "argv", "envp")


def ancestry(
    graph: Graph, nodes: Iterable[int], flows: frozenset[int] = ANCESTRY_FLOWS
) -> set[int]:
    """Return every node from which information came to ``nodes``, themselves included.

    Only edges of the given flow classes are followed. Versions make the answer respect time: what
    an object received after it had passed something on belongs to a later version.
    """
    seen = set(nodes)
    todo = list(seen)
    while todo:
        for edge in graph.edges_in(todo.pop()):
            sender = graph.sender[edge]
            if graph.flow[edge] in flows and sender not in seen:
                seen.add(sender)
                todo.append(sender)
    return seen


def way(
    graph: Graph,
    sources: Iterable[int],
    targets: Iterable[int],
    flows: frozenset[int] = ANCESTRY_FLOWS,
) -> list[int] | None:
    """Return the edges of a shortest path from one of ``sources`` to one of ``targets``.

    None: nothing of the sources came to the targets. An empty list: a node is both. Versions count
    as in ``ancestry``: give the source as it was then (``graph.versions(obj)[:1]``, say).
    """
    wanted = set(sources)
    onward: dict[int, int | None] = dict.fromkeys(targets)  # node -> the edge that leads on
    todo = deque(onward)
    while todo:
        node = todo.popleft()
        if node in wanted:
            return _edges_onward(graph, node, onward)
        for edge in graph.edges_in(node):
            sender = graph.sender[edge]
            if graph.flow[edge] in flows and sender not in onward:
                onward[sender] = edge
                todo.append(sender)
    return None


def _edges_onward(graph: Graph, node: int, onward: dict[int, int | None]) -> list[int]:
    edges = []
    edge = onward[node]
    while edge is not None:
        edges.append(edge)
        edge = onward[graph.receiver[edge]]
    return edges


def resolve(graph: Graph, target: str) -> list[int]:
    """Return the nodes meant by a path, ``pid:123``, ``disc:LABEL`` or a raw ``cf:...`` identifier.

    Raises UsageError, with suggestions, when the recording has no such thing.
    """
    if target.startswith("pid:"):
        return find_process(graph, target.removeprefix("pid:"))
    if target.startswith("disc:"):
        return find_disclosed(graph, target.removeprefix("disc:"))
    if target.startswith("cf:"):
        return find_identifier(graph, target)
    # bytes that are not UTF-8: from what the command line gives to what our logs hold
    target = target.translate(_BYTES) if not target.isascii() else target
    return find(graph, target)[:1]


def find(graph: Graph, path: str) -> list[int]:
    """Return the newest version of each object known as ``path``, the newest object first.

    What has the name in the end comes before what has lost it. A name belongs to an object, hence
    to all its versions. Raises UsageError with suggestions.
    """
    found = [
        obj for obj in graph.named_objects() if path in graph.names(obj) and _is_file(graph, obj)
    ]
    if not found:
        raise UsageError(
            f"{path!r} is not in {graph.source or 'the recording'}{_hint(graph, path)}"
        )
    newest = [graph.versions(obj)[-1] for obj in found]
    return sorted(newest, key=lambda node: _recency(graph, node, path), reverse=True)


def _recency(graph: Graph, node: int, path: str) -> tuple[bool, int, int]:
    return (graph.has_name(graph.object_of[node], path), *_last_change(graph, node))


def _is_file(graph: Graph, obj: int) -> bool:
    return graph.kind(graph.versions(obj)[0]) not in _NOT_FILES


def _last_change(graph: Graph, node: int) -> tuple[int, int]:
    """Return when the object last received or gave something: (time, edge number)."""
    edges = [
        edge
        for version in graph.versions(graph.object_of[node])
        for edge in (*graph.edges_in(version), *graph.edges_out(version))
    ]
    return max(((graph.at_ns[edge], edge) for edge in edges), default=(0, -1))


def _hint(graph: Graph, path: str) -> str:
    known = {
        name for obj in graph.named_objects() if _is_file(graph, obj) for name in graph.names(obj)
    }
    base = posixpath.basename(path)
    same_base = sorted(name for name in known if posixpath.basename(name) == base)
    close = same_base or difflib.get_close_matches(path, sorted(known), n=3, cutoff=0.7)
    if not close:
        return f" ({len(known)} other paths are: were its writer and it recorded?)"
    return " (did you mean " + " or ".join(map(repr, close[:3])) + "?)"


def find_process(graph: Graph, text: str) -> list[int]:
    """Return the newest versions of the tasks and memory of the newest process with this pid."""
    if not text.isdecimal():
        raise UsageError(f"pid:{text} is not a process id (write pid:123)")
    pid = int(text)
    tables = (graph.tgids, graph.pids)
    objects = {obj for table in tables for obj, known in table.items() if known == pid}
    if not objects:
        raise UsageError(f"no process {pid} in {graph.source or 'the recording'}")
    nodes = [graph.versions(obj)[-1] for obj in sorted(objects)]
    newest = max(nodes, key=lambda node: _last_change(graph, node))
    tasks = [node for node in nodes if graph.kind(node) == "task"]
    return sorted({newest, *(tasks[-1:])})


def find_disclosed(graph: Graph, label: str) -> list[int]:
    """Return the newest version of the newest disclosed node with this label."""
    labels = {
        obj: text
        for obj, text in graph.texts.items()
        if graph.kind(graph.versions(obj)[0]) in words.DISCLOSED_KINDS
    }
    found = [graph.versions(obj)[-1] for obj, text in labels.items() if text == label]
    if not found:
        close = difflib.get_close_matches(label, sorted(set(labels.values())), n=3)
        hint = f" (did you mean {' or '.join(map(repr, close))}?)" if close else ""
        source = graph.source or "the recording"
        raise UsageError(f"nothing disclosed in {source} is {label!r}{hint}")
    return [max(found, key=lambda node: _last_change(graph, node))]


def all_versions(graph: Graph, nodes: Iterable[int]) -> list[int]:
    """Return every version of the objects of which ``nodes`` are versions."""
    objects = dict.fromkeys(graph.object_of[node] for node in nodes)
    return [version for obj in objects for version in graph.versions(obj)]


def find_identifier(graph: Graph, identifier: str) -> list[int]:
    """Return the node with exactly this identifier."""
    node = graph.number.get(identifier)
    if node is None:
        raise UsageError(f"{identifier} is not in {graph.source or 'the recording'}")
    return [node]
