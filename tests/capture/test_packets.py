"""Packets have their header for a name, and those with the same header different ones."""

from typing import Any

from provcap.capture.decoder import Event, NodeRecord, TextRecord
from provcap.capture.expand import Expand
from provcap.capture.packets import Packets
from provcap.records import Edge, Identifier, Node, Origin, PacketIdentifier
from provcap.vocabulary import KIND, KINDS, RELATIONS

ORIGIN = Origin(7, 8, 0, {})
NUMBER = {kind.name: number for number, kind in enumerate(KINDS)}
RELATION = {relation.name: number for number, relation in enumerate(RELATIONS)}
MAPPED = bytes(10) + b"\xff\xff"
V4 = {"sender": MAPPED + bytes([10, 0, 0, 1]), "receiver": MAPPED + bytes([10, 0, 0, 2])}
V6 = {"sender": bytes(15) + b"\1", "receiver": bytes(15) + b"\2"}
SENT, SOCKET, OTHER = (3 << 48) + 99, 20, 21


def described(id: int, kind: str = "packet", at_ns: int = 1, **more: Any) -> NodeRecord:
    """A UDP packet from port 53 to port 2000."""
    ends = V6 if kind == "packet6" else V4
    ports = {"sender_port": 0x3500, "receiver_port": 0xD007}
    facts = {**ends, **ports, "sequence": 0, "ip_id": 0, "protocol": 17, "len": 40, **more}
    return NodeRecord(at_ns, 0, 0, NUMBER[kind], id, 0, 1, 0, facts)


def derivation(relation: str, source: int, target: int, kind: str = "packet") -> Event:
    """An edge between a socket and a packet."""
    kinds = (kind, "socket") if relation == "receive_packet" else ("socket", kind)
    return Event(
        2, 0, 0, RELATION[relation], source, 0, target, 0, 0, 0,
        NUMBER[kinds[0]], NUMBER[kinds[1]], 0, 0, 1, -1, 1, 0,
    )  # fmt: skip


def name(packets: Packets, record: NodeRecord) -> PacketIdentifier | Identifier:
    packets.learn(record)
    return packets.name(record.kind, record.id, 7, 8)


def test_a_packet_is_called_by_its_header() -> None:
    """On the machine that sends it and on the one that receives it: no boot, no machine."""
    found = name(Packets(8), described(SENT, ip_id=0x3930))

    assert found == PacketIdentifier(
        KIND["packet"].type, 0x3930, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 53, 2000, 17, 0
    )
    assert name(Packets(8), described(5, ip_id=0x3930)) == found


def test_packets_with_one_header_are_told_apart() -> None:
    """The first has the plain name; what is described again keeps its name."""
    packets = Packets(8)
    first, second = name(packets, described(4)), name(packets, described(SENT))

    assert isinstance(first, PacketIdentifier) and isinstance(second, PacketIdentifier)
    assert (first.serial, second.serial) == (0, 3 << 32 | 99)
    assert second._replace(serial=0) == first
    assert name(packets, described(4)) == first
    assert name(packets, described(5, ip_id=1)) == first._replace(id=1)


def test_after_a_header_was_forgotten_no_packet_is_taken_for_the_first() -> None:
    """It might be one of those that were forgotten."""
    packets = Packets(2)
    for id in range(1, 8):
        name(packets, described(id, ip_id=id))
    later = name(packets, described(SENT, ip_id=1))

    assert isinstance(later, PacketIdentifier) and later.serial


def test_an_ipv6_packet_has_a_hash_of_its_header() -> None:
    """Each field counts, and so does what tells packets with one header apart."""
    packets = Packets(8)
    first, again = (name(packets, described(id, "packet6")) for id in (4, SENT))
    other = name(packets, described(5, "packet6", sender_port=1))

    assert name(Packets(8), described(9, "packet6")) == first
    assert len({first.id, again.id, other.id}) == 3
    assert first._replace(id=0) == (KIND["packet6"].type, 0, 0, 0, 0)


def edges(*records: NodeRecord | Event) -> list[Edge]:
    expand = Expand(ORIGIN)
    return [r for r in expand(records) + expand.finish() if isinstance(r, Edge)]


def test_sender_and_receiver_have_one_packet_between_them() -> None:
    """Two edges, and the packet has no versions."""
    sent, received = edges(
        described(SENT),
        derivation("send_packet", SOCKET, SENT),
        derivation("receive_packet", SENT, OTHER),
    )

    assert sent.receiver == received.sender
    assert isinstance(sent.receiver, PacketIdentifier)
    assert (sent.sender.id, received.receiver.id) == (SOCKET, OTHER)


def test_a_packet_that_nothing_described_has_one_name_all_the_same() -> None:
    """Its record may be lost, or come late: the two edges meet in any case."""
    sent, received = edges(
        derivation("send_packet", SOCKET, SENT),
        described(SENT),
        derivation("receive_packet", SENT, OTHER),
    )

    assert sent.receiver == received.sender == Identifier(KIND["packet"].type, SENT, 7, 8, 0)


def test_the_content_of_a_packet_tells_what_is_missing() -> None:
    """Its bytes, and the length of the whole packet."""
    kind = NUMBER["packet_content"]
    text = TextRecord(
        2, 0, 0, kind, 30, SENT, 0, 1, 0, 5000, 1, NUMBER["packet"], 2 | 4, b"E\0"
    )  # fmt: skip
    expand = Expand(ORIGIN)
    out = expand([described(SENT), text]) + expand.finish()
    (content,) = (r for r in out if isinstance(r, Node) and r.kind == "packet_content")
    (edge,) = (record for record in out if isinstance(record, Edge))

    assert content.attributes == {"content": b"E\0", "truncated": True, "length": 5000}
    assert (edge.relation, edge.sender) == ("packet_content", content.identifier)
    assert isinstance(edge.receiver, PacketIdentifier)
