"""A networkx view of a graph, for results small enough to look at."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from provcap.errors import SetupError
from provcap.graph import words
from provcap.graph.model import Graph

if TYPE_CHECKING:
    import networkx


def to_networkx(graph: Graph, nodes: Iterable[int] | None = None) -> "networkx.MultiDiGraph[str]":
    """Return the part of the graph between ``nodes`` (all if None) as a networkx multigraph.

    Nodes are the identifiers of the recording with ``kind``, ``version`` and ``name`` (None if it
    has none); edges carry ``relation``, ``flow`` and ``at_ns``. Raises SetupError without networkx.
    """
    library = _networkx()
    wanted = range(graph.node_count) if nodes is None else sorted(set(nodes))
    result: networkx.MultiDiGraph[str] = library.MultiDiGraph()
    for node in wanted:
        result.add_node(graph.identifiers[node], **_attributes(graph, node))
    inside = set(wanted)
    for node in wanted:
        for edge in graph.edges_out(node):
            if graph.receiver[edge] in inside:
                _add_edge(result, graph, edge)
    return result


def _networkx() -> Any:
    try:
        import networkx as library
    except ImportError as error:
        raise SetupError("networkx is missing: pip install 'provcap[graph]'") from error
    return library


def _attributes(graph: Graph, node: int) -> dict[str, Any]:
    name = next(iter(graph.names(graph.object_of[node])), None)
    return {"kind": graph.kind(node), "version": graph.version_of[node], "name": name}


def _add_edge(result: "networkx.MultiDiGraph[str]", graph: Graph, edge: int) -> None:
    result.add_edge(
        graph.identifiers[graph.sender[edge]],
        graph.identifiers[graph.receiver[edge]],
        relation=graph.relation(edge),
        flow=words.FLOW_NAMES[graph.flow[edge]],
        at_ns=graph.at_ns[edge],
    )
