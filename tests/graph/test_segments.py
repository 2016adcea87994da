"""Segments that are cut or merged on their way lead to the packets that were received."""

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from provcap.graph import ingest, queries
from provcap.graph.checks import verify
from provcap.graph.model import Graph
from provcap.graph.segments import SAME_BYTES
from tests.graph.builder import Log

ENDS = {"sender": "10.0.0.1:443", "receiver": "10.0.0.2:2000"}
TURN = 1 << 32
Range = tuple[int, int]


def connection(
    sent: list[Range], received: list[Range], *, later: int = 0, **other_ends: str
) -> Graph:
    """Packets by their first byte and length; so many of those sent are sent after the others came.

    The nodes are made in the order of the lists.
    """
    log = Log()
    log.node("from", "socket")
    log.node("to", "socket")
    out = [packet(log, f"out{at}", one, **ENDS) for at, one in enumerate(sent)]
    came = [packet(log, f"in{at}", one, **ENDS | other_ends) for at, one in enumerate(received)]
    for name in out[: len(out) - later]:
        log.edge("send_packet", "from", name)
    for name in came:
        log.edge("receive_packet", name, "to")
    for name in out[len(out) - later :]:
        log.edge("send_packet", "from", name)
    return log.graph()


def packet(log: Log, name: str, bytes_: Range, **ends: str) -> str:
    """A segment."""
    first, payload = bytes_
    return log.node(name, "packet6", sequence=first % TURN, payload=payload, **ends)


def joined(graph: Graph, sent: int) -> set[tuple[int, int]]:
    """Which of those sent brought bytes of which that came; by their place in the lists."""
    packets = [node for node in range(graph.node_count) if graph.kind(node) == "packet6"]
    packets.sort(key=lambda node: graph.object_id[graph.object_of[node]])
    place = {node: at for at, node in enumerate(packets)}
    edges = graph.edges_named((SAME_BYTES,))
    return {(place[graph.sender[e]], place[graph.receiver[e]] - sent) for e in edges}


def test_one_that_was_cut_leads_to_all_its_parts() -> None:
    graph = connection([(1000, 300)], [(1000, 100), (1100, 100), (1200, 100)])

    assert joined(graph, 1) == {(0, 0), (0, 1), (0, 2)}


def test_those_that_were_merged_lead_to_the_one() -> None:
    graph = connection([(1000, 100), (1100, 100), (1200, 100)], [(1000, 200)])

    assert joined(graph, 3) == {(0, 0), (1, 0)}


def test_the_numbers_of_a_long_connection_begin_anew() -> None:
    graph = connection([(TURN - 50, 100), (TURN + 50, 10)], [(TURN - 50, 20), (TURN + 10, 45)])

    assert joined(graph, 2) == {(0, 0), (0, 1), (1, 1)}


def test_other_connections_have_other_bytes() -> None:
    """The same numbers, and another port."""
    graph = connection([(1000, 100)], [(1000, 100)], sender="10.0.0.1:444")

    assert joined(graph, 1) == set()


def test_what_was_sent_again_later_is_not_what_came() -> None:
    """The first and the repetition are two packets."""
    graph = connection([(1000, 100), (1000, 100)], [(1000, 50)], later=1)

    assert joined(graph, 2) == {(0, 0)}


def test_a_packet_that_names_no_ends_is_of_no_connection() -> None:
    """Nobody else writes such a log; it is read all the same."""
    log = Log()
    log.node("to", "socket")
    log.node("in", "packet6", sequence=1, payload=1)
    log.edge("receive_packet", "in", "to")

    assert joined(log.graph(), 0) == set()


def test_the_clock_of_the_sender_may_be_ahead() -> None:
    """Then what came seems to be older than what was sent."""
    graph = connection([(1000, 100)], [(1000, 50)], later=1)

    assert joined(graph, 1) == {(0, 0)}


def test_the_receiving_socket_comes_of_the_sending_one() -> None:
    graph = connection([(7, 1)], [(0, 20)])
    (sender,) = {graph.sender[e] for e in graph.edges_named(("send_packet",))}
    (receiver,) = {graph.receiver[e] for e in graph.edges_named(("receive_packet",))}

    assert sender in queries.ancestry(graph, [receiver])


def through(*described: tuple[str, Range]) -> Graph:
    """Packets that were sent and received as one each; a name again: it is described again."""
    log = Log()
    log.node("from", "socket")
    log.node("to", "socket")
    for name, bytes_ in described:
        if name not in log.kinds:
            packet(log, name, bytes_, **ENDS)
            log.edge("send_packet", "from", name)
            log.edge("receive_packet", name, "to")
    lines = log.lines()
    for name, (first, payload) in described:
        facts = {"prov:type": "packet6", "cf:sequence": first, "cf:payload": payload}
        lines += json.dumps({"entity": {log.id(name): facts}}).encode() + b"\n"
    return ingest.read(io.BytesIO(lines), "test.log")


def test_what_arrived_as_it_was_sent_is_not_joined() -> None:
    """Two that overlap, one of them a repetition, would be each other's source."""
    graph = through(("one", (1000, 100)), ("other", (1050, 100)))

    assert list(graph.edges_named((SAME_BYTES,))) == []
    assert verify(graph).cycle == []


def test_those_that_were_merged_into_the_first_lead_to_it() -> None:
    """It has the header of the whole: the receiver describes it again, with more bytes."""
    described = ("one", (1000, 100)), ("other", (1100, 100)), ("one", (1000, 200))
    graph = through(*described)

    assert joined(graph, 0) == {(1, 0)}
    assert verify(graph).cycle == []


ranges = st.lists(
    st.tuples(st.integers(TURN - 40, TURN + 40), st.integers(1, 30)), min_size=1, max_size=8
)


@given(ranges, ranges)
def test_two_are_joined_exactly_if_they_have_a_byte_in_common(
    sent: list[Range], received: list[Range]
) -> None:
    """However the two ends cut the connection."""
    expected = {
        (s, r)
        for s, (first, payload) in enumerate(sent)
        for r, (other, length) in enumerate(received)
        if set(range(first, first + payload)) & set(range(other, other + length))
    }

    assert joined(connection(sent, received), len(sent)) == expected
