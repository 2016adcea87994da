"""Recorded packets against the wire: their numbers are those of the headers that went over it.

``wire.py`` sends over veth and has a packet socket at the far end. What that has seen and what was
recorded are two witnesses of the same packets.
"""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from provcap.graph.ingest import load
from provcap.graph.model import Graph
from provcap.graph.segments import SAME_BYTES
from provcap.services.replay import write_log
from provcap.vm.machine import Machine
from tests.vm import wire
from tests.vm.guest_recordings import nothing_lost, record
from tests.vm.wire import Frame

pytestmark = pytest.mark.vm

IPV4_HEADER, UDP_HEADER = 20, 8
NUMBERED = (wire.CONNECTED, wire.NUMBERED)


class Header(NamedTuple):
    """What a recorded packet says of its header, under the names of the log."""

    ip_id: int
    length: int
    sender: str
    receiver: str
    protocol: int
    sequence: int
    payload: int


class Sent(NamedTuple):
    """Both witnesses of everything that was sent."""

    frames: list[Frame]
    packets: dict[str, dict[str, Any]]
    """Identifier -> what the log has of the packet."""
    graph: Graph

    def on_wire(self, port: int) -> list[Frame]:
        """What went over with this port as target and bytes in it, the first fragment included."""
        return [one for one in self.frames if one.target_port == port and one.payload]

    def ends(self, relation: str, port: int) -> list[str]:
        """The packets to this port that were sent, or received: one of each edge."""
        graph = self.graph
        side = graph.receiver if relation == "send_packet" else graph.sender
        found = [graph.identifiers[side[edge]] for edge in graph.edges_named((relation,))]
        return [one for one in found if self.packets[one]["cf:receiver"].endswith(f":{port}")]

    def header(self, packet: str) -> Header:
        """Of a recorded packet."""
        told = self.packets[packet]
        keys = ("cf:sender", "cf:receiver", "cf:protocol", "cf:sequence", "cf:payload")
        return Header(told.get("cf:ip_id", 0), told["cf:len"], *map(told.__getitem__, keys))

    def headers(self, relation: str, port: int) -> list[Header]:
        """Of all that were sent, or received."""
        return sorted(self.header(one) for one in self.ends(relation, port))


def as_recorded(frame: Frame) -> Header:
    """What a recording must say of what was on the wire; bytes are counted in TCP alone."""
    ends = (
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        for host, port in ((frame.source, frame.source_port), (frame.target, frame.target_port))
    )
    payload = frame.payload if frame.protocol == wire.TCP else 0
    return Header(frame.ip_id, frame.length, *ends, frame.protocol, frame.sequence, payload)


def described(log: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The packets of a log."""
    with log.open() as lines:
        for line in lines:
            for identifier, told in json.loads(line).get("entity", {}).items():
                if told["prov:type"] in ("packet", "packet6"):
                    yield identifier, told


@pytest.fixture(scope="module")
def sent(machine: Machine) -> Sent:
    """One recording of it."""
    assert machine.share
    out = machine.share / "wire"
    recording, result = record(machine, out, [sys.executable, "-m", "tests.vm.wire"])
    assert nothing_lost(recording, machine), recording.losses
    write_log(out)
    log = out / "audit.log"
    frames = [Frame(*one) for one in json.loads(result.stdout)]
    return Sent(frames, dict(described(log)), load(str(log)))


@pytest.mark.parametrize("port", [*NUMBERED, wire.SIX, wire.SMALL, wire.LARGE])
def test_what_is_recorded_is_what_went_over_the_wire(sent: Sent, port: int) -> None:
    """Each packet once as sent and once as received, with the numbers of its header."""
    wanted = sorted(map(as_recorded, sent.on_wire(port)))

    assert len(wanted) >= len(wire.TEXTS) or port == wire.LARGE
    assert sent.headers("send_packet", port) == wanted
    assert sent.headers("receive_packet", port) == wanted


@pytest.mark.parametrize("port", [*NUMBERED, wire.FRAGMENTED, wire.SIX, wire.SMALL, wire.LARGE])
def test_a_packet_is_one_node_at_both_ends_of_veth(sent: Sent, port: int) -> None:
    """The sender's node is the receiver's, and each is sent once and received once."""
    left, come = sent.ends("send_packet", port), sent.ends("receive_packet", port)

    assert left
    assert sorted(left) == sorted(come)
    assert len({*left}) == len(left)


def test_datagrams_have_numbers_on_this_wire(sent: Sent) -> None:
    """Else the tests above were easy: none of them is 0, and none comes twice."""
    for port in NUMBERED:
        numbers = [frame.ip_id for frame in sent.on_wire(port)]
        assert len({*numbers} - {0}) == len(wire.TEXTS)


@pytest.mark.parametrize("port", [*NUMBERED, wire.SMALL])
def test_an_identifier_has_the_bytes_of_the_header(sent: Sent, port: int) -> None:
    """Where the reference says: number, addresses, ports, protocol, sequence number."""
    wanted = {
        (one.ip_id, one.source_port, one.target_port, one.protocol, one.sequence)
        for one in sent.on_wire(port)
    }
    raw = [base64.b64decode(one.removeprefix("cf:")) for one in sent.ends("send_packet", port)]

    def number(data: bytes, first: int, last: int) -> int:
        return int.from_bytes(data[first : last + 1], "big")

    assert {one[12:16] for one in raw} == {bytes((10, 11, 0, 1))}
    assert {one[16:20] for one in raw} == {bytes((10, 11, 0, 2))}
    places = ((8, 9), (20, 21), (22, 23), (24, 24), (28, 31))
    assert {tuple(number(one, *place) for place in places) for one in raw} == wanted


def test_fragments_are_one_packet(sent: Sent) -> None:
    """With the number that each of them has, and the length of the whole."""
    (first,) = sent.on_wire(wire.FRAGMENTED)
    fragments = [one for one in sent.frames if one.ip_id == first.ip_id and one.fragment]
    (packet,) = sent.headers("receive_packet", wire.FRAGMENTED)

    assert len(fragments) == 2
    assert first.payload + sum(one.payload for one in fragments) == wire.LONG
    assert packet == as_recorded(first)._replace(length=IPV4_HEADER + UDP_HEADER + wire.LONG)


def numbers(packet: Header) -> set[int]:
    """Of the bytes that it brings; they begin anew behind the last."""
    return {(packet.sequence + at) % (1 << 32) for at in range(packet.payload)}


def brought(packets: list[Header]) -> int:
    """How many different bytes of a stream."""
    return len(set().union(*map(numbers, packets)))


@pytest.mark.parametrize("port", [wire.LARGE, wire.CUT])
def test_a_stream_is_whole_at_both_ends(sent: Sent, port: int) -> None:
    """Every byte has left in a packet and has come in one."""
    assert brought(sent.headers("send_packet", port)) == wire.MUCH
    assert brought(sent.headers("receive_packet", port)) == wire.MUCH


def test_the_wire_took_what_is_longer_than_a_frame(sent: Sent) -> None:
    """Handed on whole where the card would cut it, and cut where there is no such card."""
    assert max(one.length for one in sent.on_wire(wire.LARGE)) > wire.MTU
    assert max(one.length for one in sent.on_wire(wire.CUT)) <= wire.MTU
    assert max(one.length for one in sent.headers("send_packet", wire.CUT)) > wire.MTU


def test_segments_that_were_cut_are_those_of_the_wire(sent: Sent) -> None:
    """What was received is told by the header with which it came."""
    wanted = sorted(map(as_recorded, sent.on_wire(wire.CUT)))

    assert sent.headers("receive_packet", wire.CUT) == wanted


def test_segments_that_were_cut_come_of_what_was_sent(sent: Sent) -> None:
    """Of packets that have some of their bytes, and all of them; of no other."""
    left = {one: sent.header(one) for one in sent.ends("send_packet", wire.CUT)}
    cut = {*sent.ends("receive_packet", wire.CUT)} - left.keys()
    graph = sent.graph
    joined = [
        (graph.identifiers[graph.sender[edge]], graph.identifiers[graph.receiver[edge]])
        for edge in graph.edges_named((SAME_BYTES,))
    ]

    assert cut
    for packet in cut:
        come = numbers(sent.header(packet))
        sources = [numbers(left[one]) for one, other in joined if other == packet]
        assert all(source & come for source in sources)
        assert come <= set().union(*sources)
