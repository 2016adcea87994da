"""Sockets: making and naming them, and the bytes that go from one to another."""

import pytest

from tests.vm.recorded import expected

pytestmark = pytest.mark.vm

NOTHING = ""

SEND = """
    memory@0 -memory_read-> task@1           task@0..1
    task@1 -send_msg-> socket:{0}@0
"""
RECEIVE = """
    socket:{0}@{1} -receive_msg-> task@2     task@1..2
    task@2 -memory_write-> memory@1          memory@0..1
"""
# an accepted socket has been a source (of the accept), so what it receives makes its version 1
TCP = f"""
    {SEND.format("client")}
    socket:client@0 -send_stream-> stream:1@0
    stream:1@0 -receive_stream-> socket:server@1    socket:server@0..1
    {RECEIVE.format("server", 1)}
"""
DATAGRAM = f"""
    {SEND.format("{0}")}
    socket:{{0}}@0 -send_unix-> socket:{{1}}@0
    {RECEIVE.format("{1}", 0)}
"""


def by_file(edges: str) -> str:
    """The same by the calls for files."""
    return edges.replace("send_msg", "send").replace("receive_msg", "receive")


SOCKETS = {
    "create_socket": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -socket_create-> socket:made@0
    """,
    "create_socket_refused": NOTHING,
    "bind": """
        address:127.0.0.1:7001 -addressed-> socket:made@0
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -bind-> socket:made@0
    """,
    "listen": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -listen-> socket:made@0
    """,
    "connect": """
        address:127.0.0.1:7003 -addressed-> socket:client@0
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -connect-> socket:client@0
    """,
    "accept": """
        address:127.0.0.1:7004 -addressed-> socket:server@0
        address:127.0.0.1:7101 -addressed-> socket:server@0
        socket:listener@0 -accept_socket-> socket:server@0
        socket:server@0 -accept-> task@1         task@0..1
    """,
    "accept_empty": NOTHING,
    "send_tcp": f"""
        {SEND.format("client")}
        socket:client@0 -send_stream-> stream:1@0
    """,
    "receive_tcp": """
        stream:1@0 -receive_stream-> socket:server@1    socket:server@0..1
        socket:server@1 -receive_msg-> task@1    task@0..1
        task@1 -memory_write-> memory@1          memory@0..1
    """,
    "receive_empty": NOTHING,
    "receive_ended": NOTHING,
    "receive_after_close": TCP,
    "file_calls": by_file(TCP),
    "file_calls_in_parts": """
        memory@0 -memory_read-> task@1           task@0..2
        task@1 -send-> socket:left@0
        socket:left@0 -receive_unix-> socket:right@0
        socket:right@0 -receive-> task@2
        task@2 -memory_write-> memory@1          memory@0..1
    """,
    "file_calls_datagram": by_file(DATAGRAM.format("left", "right")),
    "file_calls_refused": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -send-> socket:left@0
        socket:left@0 -receive_unix-> socket:right@0
    """,
    # another relation, so memory is read anew, and the socket that has sent gets a new version
    "both_calls": """
        memory@0 -memory_read-> task@1           task@0..4
        task@1 -send-> socket:left@0
        socket:left@0 -send_unix-> socket:right@0
        memory@0 -memory_read-> task@2
        task@2 -send_msg-> socket:left@1         socket:left@0..1
        socket:left@1 -send_unix-> socket:right@0
        socket:right@0 -receive-> task@3
        task@3 -memory_write-> memory@1          memory@0..1
        socket:right@0 -receive_msg-> task@4
        task@4 -memory_write-> memory@1
    """,
    "many_messages": DATAGRAM.format("left", "right"),
    "bind_netlink": """
        address:netlink:712345 -addressed-> socket:made@0
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -bind-> socket:made@0
    """,
    "socket_pair": """
        memory@0 -memory_read-> task@1           task@0..6
        task@1 -socket_create-> socket:left@0
        memory@0 -memory_read-> task@2
        task@2 -socket_create-> socket:right@0
        memory@0 -memory_read-> task@3
        task@3 -socket_pair_create-> socket:left@0
        memory@0 -memory_read-> task@4
        task@4 -socket_pair_create-> socket:right@0
        memory@0 -memory_read-> task@5
        task@5 -send_msg-> socket:left@0
        socket:left@0 -receive_unix-> socket:right@0
        socket:right@0 -receive_msg-> task@6
        task@6 -memory_write-> memory@1          memory@0..1
    """,
    # the bytes are in the other socket's queue before anybody has accepted it
    "unix_stream": """
        address:@provcap-stream -addressed-> socket:client@0
        memory@0 -memory_read-> task@1           task@0..4
        task@1 -connect-> socket:client@0
        memory@0 -memory_read-> task@2
        task@2 -connect_unix_stream-> socket:client@0
        memory@0 -memory_read-> task@3
        task@3 -send_msg-> socket:client@0
        socket:client@0 -receive_unix-> socket:server@0
        socket:listener@0 -accept_socket-> socket:server@0
        socket:server@0 -accept-> task@4
        socket:server@0 -receive_msg-> task@4
        task@4 -memory_write-> memory@1          memory@0..1
    """,
    "unix_datagram": DATAGRAM.format("from", "to"),
    # nothing goes to the other socket yet
    "connect_datagram": """
        address:@provcap-connected -addressed-> socket:from@0
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -connect-> socket:from@0
    """,
    "send_connected": DATAGRAM.format("from", "to"),
}


@pytest.mark.parametrize("operation", SOCKETS)
def test_an_operation_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert recording.window(operation).lines == expected(SOCKETS[operation])


@pytest.mark.parametrize(
    ("name", "family", "type", "protocol"),
    [
        ("bind/made", 2, 1, 6),
        ("udp/from", 2, 2, 17),
        ("udp6/to", 10, 2, 17),
        ("receive_tcp/server", 2, 1, 6),
        ("unix_stream/server", 1, 1, 0),
        ("unix_datagram/to", 1, 2, 0),
    ],
)
def test_a_socket_tells_what_it_is(recording, name, family, type, protocol):
    """Also one that others met before it was accepted."""
    (id,) = recording.ids(name)
    facts = recording.attributes(id)

    assert (facts["family"], facts["type"], facts["protocol"]) == (family, type, protocol)
    assert facts["ino"] == recording.told(name).inode
    assert facts["mode"] == 0o140777
    assert (facts["uid"], facts["gid"]) == (0, 0)
    assert facts["netns"] > 0


def test_a_stream_tells_its_ends(recording):
    """Addresses and ports of sender and receiver; loopback belongs to a network namespace."""
    window = recording.window("send_tcp")
    facts = recording.attributes(window.ids["stream:1"])
    socket = recording.attributes(window.ids["socket:client"])

    loopback = bytes(10) + b"\xff\xff\x7f\0\0\x01"
    assert (facts["sender"], facts["receiver"]) == (loopback, loopback)
    assert facts["receiver_port"] == int.from_bytes((7006).to_bytes(2, "big"), "little")
    assert facts["sender_port"] not in (0, facts["receiver_port"])
    assert facts["netns"] == socket["netns"]


@pytest.mark.parametrize(
    "name", ["receive_after_close/client", "socket_pair/left", "unix_stream/server", "udp/to"]
)
def test_a_socket_is_freed_once(recording, name):
    """The end is its last version."""
    (id,) = recording.ids(name)

    assert recording.endings(id) == [f"free {recording.last_version(id)}"]


def test_a_stream_ends_with_its_connection(recording):
    """Not with the sender: the receiver has still read from it."""
    window = recording.window("receive_after_close")
    id = window.ids["stream:1"]

    assert recording.endings(id) == [f"free {recording.last_version(id)}"]
