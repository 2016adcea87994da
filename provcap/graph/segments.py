"""Joins segments of TCP that were cut or merged on their way with those they were made of.

A network card, or the kernel in its place, cuts what was sent into smaller segments and merges
those that arrive. Such a packet has a header that nobody sent; its sequence numbers say which bytes
of the connection it brings.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from provcap.graph import words
from provcap.graph.model import Graph

SAME_BYTES = "same_bytes"  #: the relation from a packet that was sent to one that brought its bytes
_SECTION = "wasDerivedFrom"
_TURN = 1 << 32  # sequence numbers begin anew


class Segment(NamedTuple):
    """Bytes of a connection: the number of the first one, how many, the packet, its moment."""

    first: int
    payload: int
    node: int
    at_ns: int


def join(graph: Graph) -> int:
    """Add an edge for each two packets that have bytes in common; returns how many were added.

    What arrived as it was sent is one packet and needs none. Of those that were merged into it the
    numbers are higher, so no cycle comes of it.
    """
    sent, received = _segments(graph, "send_packet"), _segments(graph, "receive_packet")
    pairs = {
        (one.node, arrived.node)
        for ends in sent.keys() & received.keys()
        for one, arrived in _pairs(graph, sorted(sent[ends]), received[ends])
    }
    for pair in sorted(pairs):
        graph.add_edge(*pair, (SAME_BYTES, _SECTION), words.DATA)
    if pairs:
        graph.reindex()
    return len(pairs)


def _segments(graph: Graph, relation: str) -> dict[tuple[str, str], list[Segment]]:
    """The segments at one end, by their connection."""
    packets = graph.receiver if relation == "send_packet" else graph.sender
    found: dict[tuple[str, str], list[Segment]] = defaultdict(list)
    for edge in graph.edges_named((relation,)):
        obj = graph.object_of[packets[edge]]
        if obj in graph.bytes_of and obj in graph.links:
            segment = Segment(*graph.bytes_of[obj], packets[edge], graph.at_ns[edge])
            found[graph.links[obj]].append(segment)
    return found


def _pairs(
    graph: Graph, sent: list[Segment], received: list[Segment]
) -> Iterator[tuple[Segment, Segment]]:
    """What was sent before the other came, if the clocks of both ends agree so far."""
    longest, known = max(one.payload for one in sent), {one.node for one in sent}
    for arrived in received:
        found = list(_overlapping(sent, longest, arrived))
        if arrived.node in known:
            merged = graph.object_of[arrived.node] in graph.merged
            found = [one for one in found if merged and _is_behind(one, arrived)]
        earlier = [one for one in found if one.at_ns <= arrived.at_ns]
        yield from ((one, arrived) for one in earlier or found)


def _is_behind(one: Segment, other: Segment) -> bool:
    return 0 < (one.first - other.first) % _TURN < _TURN // 2


def _overlapping(sent: list[Segment], longest: int, arrived: Segment) -> Iterator[Segment]:
    """Those in the order of their bytes that have one of these bytes."""
    for turn in (-_TURN, 0, _TURN):
        first = arrived.first + turn
        low = bisect_left(sent, (first - longest + 1,))
        high = bisect_left(sent, (first + arrived.payload,))
        yield from (one for one in sent[low:high] if one.first + one.payload > first)
