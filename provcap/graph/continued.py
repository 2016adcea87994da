"""Joins what one boot knows as one object and the next as another: the same file on the same disk.

The kernel side gives a file a new node after a reboot, or when its file system is mounted again.
Its key (docs/reference/identity.md) stays, and says that the new node goes on where the old one
ended.
"""

from provcap.graph import words
from provcap.graph.model import NO_TIME, Graph

SAME_FILE = "same_file"  #: the relation from the last version of the one to the first of the other
_SECTION = "wasDerivedFrom"


def join(graph: Graph) -> int:
    """Add an edge between each two that follow each other; returns how many were added.

    Only where the one had ended, for all that is recorded, before the other began: so no cycle
    comes of it, and two that were used side by side stay two.
    """
    added = 0
    for objects in _by_key(graph).values():
        spans = sorted((*_span(graph, obj), obj) for obj in objects)
        for (_, end, older), (begin, _, newer) in zip(spans, spans[1:], strict=False):
            if NO_TIME < end < begin:
                versions = graph.versions(older)[-1], graph.versions(newer)[0]
                graph.add_edge(*versions, (SAME_FILE, _SECTION), words.VERSION)
                added += 1
    graph.reindex()
    return added


def _by_key(graph: Graph) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for obj, key in graph.file_keys.items():
        found.setdefault(key, []).append(obj)
    return {key: objects for key, objects in found.items() if len(objects) > 1}


def _span(graph: Graph, obj: int) -> tuple[int, int]:
    """When the object was first and last used."""
    moments = [
        graph.at_ns[edge]
        for version in graph.versions(obj)
        for edge in (*graph.edges_in(version), *graph.edges_out(version))
    ]
    return min(moments, default=NO_TIME), max(moments, default=NO_TIME)
