"""Datagrams of UDP: a packet between two sockets for each, and nothing for what does not arrive."""

import sys

import pytest

from provcap.formats.address import parse
from provcap.records import PacketIdentifier
from tests.vm import segments
from tests.vm.conftest import checked
from tests.vm.guest_recordings import PATIENCE_S, record_command
from tests.vm.recorded import Recording, expected

pytestmark = pytest.mark.vm

NOTHING = ""

RECEIVE = """
    packet:1 -receive_packet-> socket:to@0
    socket:to@0 -receive_msg-> task@1       task@0..1
    task@1 -memory_write-> memory@1         memory@0..1
"""

PACKETS = {
    "udp": """
        address:127.0.0.1:7201 -addressed-> socket:from@0
        memory@0 -memory_read-> task@1           task@0..2
        task@1 -send_msg-> socket:from@0
        socket:from@0 -send_packet-> packet:1
        packet:1 -receive_packet-> socket:to@0
        socket:to@0 -receive_msg-> task@2
        task@2 -memory_write-> memory@1          memory@0..1
    """,
    "udp6": """
        memory@0 -memory_read-> task@1           task@0..2
        task@1 -send_msg-> socket:from@0
        socket:from@0 -send_packet-> packet6:1
        packet6:1 -receive_packet-> socket:to@0
        socket:to@0 -receive_msg-> task@2
        task@2 -memory_write-> memory@1          memory@0..1
    """,
    "receive_from": f"""
        address:127.0.0.1:7303 -addressed-> socket:to@0
        {RECEIVE}
    """,
    "send_unread": """
        address:127.0.0.1:7204 -addressed-> socket:from@0
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -send_msg-> socket:from@0
        socket:from@0 -send_packet-> packet:1
    """,
    "receive_no_datagram": NOTHING,
    "receive_empty_datagram": NOTHING,
    "send_refused": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -send_msg-> socket:from@0
        socket:from@0 -send_packet-> packet:1
    """,
    # it is refused after it was asked for
    "send_too_long": """
        address:127.0.0.1:7208 -addressed-> socket:from@0
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -send_msg-> socket:from@0
    """,
    "peek_datagram": RECEIVE,
    # the second send finds a socket that has sent: it enters a new version of it
    "same_header": """
        address:127.0.0.1:7210 -addressed-> socket:from@0
        memory@0 -memory_read-> task@1           task@0..2
        task@1 -send_msg-> socket:from@0
        socket:from@0 -send_packet-> packet:1
        socket:from@0 -send_packet-> packet:2
        packet:1 -receive_packet-> socket:to@0
        socket:to@0 -receive_msg-> task@2
        task@2 -memory_write-> memory@1          memory@0..1
    """,
    "send_to_two": """
        address:127.0.0.1:7211 -addressed-> socket:from@0
        address:127.0.0.1:7299 -addressed-> socket:from@0
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -send_msg-> socket:from@0
        socket:from@0 -send_packet-> packet:1
        socket:from@0 -send_packet-> packet:2
        socket:from@0 -send_packet-> packet:3
    """,
}


@pytest.mark.parametrize("operation", PACKETS)
def test_an_operation_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert recording.window(operation).lines == expected(PACKETS[operation])


def facts(recording, operation, packet):
    """What is said of a packet."""
    return recording.texts[recording.window(operation).packets[packet]]


def test_a_packet_tells_its_header(recording):
    """Addresses, ports, length, protocol, identification."""
    identifier = recording.window("udp").packets["packet:1"]
    told = facts(recording, "udp", "packet:1")

    assert (identifier.source, identifier.destination) == (b"\x7f\0\0\1", b"\x7f\0\0\1")
    assert (identifier.source_port, identifier.destination_port) == (7301, 7201)
    assert (identifier.protocol, identifier.sequence) == (17, 0)
    assert (told["protocol"], told["len"]) == (17, 20 + 8 + 1)
    assert identifier.id == told["ip_id"]
    (socket,) = recording.ids("udp/from")
    assert told["netns"] == recording.attributes(socket)["netns"]


def test_an_ipv6_packet_tells_its_header(recording):
    """Its identifier is a hash, of this boot or any other."""
    identifier = recording.window("udp6").packets["packet6:1"]
    told = facts(recording, "udp6", "packet6:1")

    assert (identifier.boot_id, identifier.machine_id, identifier.version) == (0, 0, 0)
    assert told["sender"] == told["receiver"] == bytes(15) + b"\1"
    assert told["receiver_port"] == int.from_bytes((7202).to_bytes(2, "big"), "little")
    assert (told["protocol"], told["len"]) == (17, 40 + 8 + 1)


def test_the_first_packet_of_a_header_is_called_by_it_alone(recording):
    """The second one has a number as well."""
    packets = recording.window("same_header").packets
    first, second = packets["packet:1"], packets["packet:2"]

    assert (first.id, first.serial) == (0, 0)
    assert second.serial != 0
    assert second._replace(serial=0) == first


def port_of(recording, packet):
    """The port that it goes to."""
    if isinstance(packet, PacketIdentifier):
        return packet.destination_port
    raw = recording.texts[packet].get("receiver_port", 0)
    return (raw & 0xFF) << 8 | raw >> 8


def packet_edges(recording, relation, port):
    """Edges of this relation whose packet goes to this port."""
    ends = {"send_packet": "receiver", "receive_packet": "sender", "packet_content": "receiver"}
    return [
        edge
        for edge in recording.edges
        if edge.relation == relation and port_of(recording, getattr(edge, ends[relation])) == port
    ]


def content(recording, port):
    """What is told of the content of the packets to this port, in order."""
    edges = packet_edges(recording, "packet_content", port)
    return [recording.texts[edge.sender] for edge in edges]


BOUND = 48


def recorded(machine, name, *options):
    """The exchanges of ``segments all``, in a recording of their own."""
    assert machine.share
    out = machine.share / name
    command = record_command(out, [sys.executable, "-m", "tests.vm.segments", "all"], *options)
    checked(machine.run(command, timeout_s=PATIENCE_S))
    return Recording(out / "audit.raw", str(out), [])


@pytest.fixture(scope="module")
def switched(machine):
    """With all segments, and what is in all packets."""
    return recorded(machine, "switched", *segments.SWITCHES)


@pytest.fixture(scope="module")
def bounded(machine):
    """With a little of what is in packets."""
    return recorded(machine, "bounded", "--content=true", f"--content-bytes={BOUND}")


def test_segments_are_not_recorded_unasked(recording):
    """Their bytes go by streams."""
    assert not packet_edges(recording, "send_packet", segments.UNASKED)
    assert not packet_edges(recording, "receive_packet", segments.UNASKED)
    assert not content(recording, 7201)


def test_a_rule_has_the_packets_of_a_socket_recorded_with_their_content(recording):
    """Of the one that was connected to the address; its peer was not."""
    (sent,) = packet_edges(recording, "send_packet", segments.BY_RULE)
    (found,) = content(recording, segments.BY_RULE)

    assert sent.task_id == 0
    assert found["content"][-7:] == b"by rule"
    assert not found["truncated"]
    assert not packet_edges(recording, "receive_packet", segments.BY_RULE)


@pytest.mark.parametrize(
    ("port", "version", "headers"), [(segments.BY_SWITCH, 4, 20), (segments.BY_SWITCH6, 6, 40)]
)
def test_a_switch_has_all_segments_recorded(switched, port, version, headers):
    """Between the two sockets of the connection; no task is charged with either edge."""
    (sent,) = packet_edges(switched, "send_packet", port)
    (received,) = packet_edges(switched, "receive_packet", port)
    (found,) = content(switched, port)
    told = switched.texts[sent.receiver]

    assert sent.receiver == received.sender
    assert sent.sender.id != received.receiver.id
    assert (sent.task_id, received.task_id) == (0, 0)
    assert (told["protocol"], told["ip_version"]) == (6, version)
    assert found["content"][0] >> 4 == version
    assert found["content"][-9:] == b"by switch"
    assert found["length"] == told["len"] >= headers + 20 + 9


def bytes_of(recording, packets):
    """By number, without those of repetitions."""
    told = [recording.texts[packet] for packet in packets]
    firsts = [int.from_bytes(one["sequence"].to_bytes(4, "little"), "big") for one in told]
    return {
        number % (1 << 32)
        for one, first in zip(told, firsts, strict=True)
        for number in range(first, first + one["payload"])
    }


def test_every_byte_that_arrives_has_been_sent(switched):
    """In many segments, some of them twice, some cut on their way; together all that was sent."""
    sent = {edge.receiver for edge in packet_edges(switched, "send_packet", segments.LARGE)}
    received = {edge.sender for edge in packet_edges(switched, "receive_packet", segments.LARGE)}
    brought = bytes_of(switched, received)

    assert sent & received
    assert len(received) > 1
    assert len(brought) == segments.LARGE_BYTES
    assert brought == bytes_of(switched, sent)


def test_content_is_cut_at_its_limit(switched):
    """It begins at the network header, and tells how much there was."""
    (found,) = content(switched, segments.DATAGRAM)

    assert len(found["content"]) == 4096
    assert found["content"][28:41] == b"in a datagram"
    assert found["truncated"]
    assert found["length"] == 20 + 8 + 13 + 5000


def test_content_is_cut_at_the_bound_that_is_asked_for(bounded):
    """Before it is on the disk; the segments are not asked for, and are not there."""
    (found,) = content(bounded, segments.DATAGRAM)

    assert len(found["content"]) == BOUND
    assert found["content"][28:41] == b"in a datagram"
    assert found["truncated"]
    assert found["length"] == 20 + 8 + 13 + 5000
    assert not packet_edges(bounded, "send_packet", segments.BY_SWITCH)


def addresses(recording, family):
    """What sockets of this family are told to be called: socket, and numbers of its address."""
    told = [
        (edge.receiver.id, parse(recording.texts[edge.sender]["address"]))
        for edge in recording.edges
        if edge.relation == "addressed"
    ]
    return [(id, dict(address.numbers)) for id, address in told if address.family == family]


def test_a_netlink_socket_tells_whom_it_talks_to(recording):
    """Its own address, and the kernel's once for all messages."""
    told = addresses(recording, "AF_NETLINK")
    mine = {"pid": segments.PID, "groups": 0}
    (socket,) = {id for id, numbers in told if numbers == mine}

    assert [numbers for id, numbers in told if id == socket] == [mine, {"pid": 0, "groups": 0}]


def test_a_vsock_socket_tells_its_address(recording):
    """Of this machine itself."""
    told = [numbers for _, numbers in addresses(recording, "AF_VSOCK")]

    assert {"cid": segments.VMADDR_CID_LOCAL, "port": segments.VSOCK_PORT} in told


def test_a_packet_socket_tells_its_interface(recording):
    """Loopback has number 1."""
    ((_, numbers),) = addresses(recording, "AF_PACKET")

    assert (numbers["protocol"], numbers["ifindex"]) == (segments.PROTOCOL, 1)
