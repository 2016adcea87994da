"""Connections whose segments are recorded or not, by how they are asked for; told by their ports.

python -m tests.vm.segments               in a recording with the options RULES
python -m tests.vm.segments all           in one with the options SWITCHES
"""

import socket
import struct
import sys
import threading

UNASKED, BY_RULE, BY_SWITCH, BY_SWITCH6, LARGE, DATAGRAM = range(7401, 7407)
LARGE_BYTES = 300_000
RULES = (f"--record-address=out:127.0.0.2:{BY_RULE}",)
SWITCHES = ("--segments=true", "--content=true")
VSOCK_PORT = 7410
VMADDR_CID_LOCAL = 1  # this machine itself
PID = 712346
PROTOCOL = 0x88B5  # of Ethernet, for experiments


def exchange(host: str, port: int, text: bytes) -> None:
    """One connection to a server of its own, which hears this text."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as server:
        client = socket.create_connection((host, port))
        accepted, _ = server.accept()
        with client, accepted:
            hearer = threading.Thread(target=hear, args=(accepted, len(text)))
            hearer.start()
            client.sendall(text)
            hearer.join()


def hear(accepted: socket.socket, length: int) -> None:
    """Read until all is there."""
    while length:
        length -= len(accepted.recv(65536))


def datagram(port: int, text: bytes) -> None:
    """One datagram to a socket that reads it."""
    kind = (socket.AF_INET, socket.SOCK_DGRAM)
    with socket.socket(*kind) as receiver, socket.socket(*kind) as sender:
        receiver.bind(("127.0.0.1", port))
        sender.sendto(text, receiver.getsockname())
        receiver.recv(1 << 16)


def all_packets() -> None:
    """Of both versions of IP, a large one, and a datagram."""
    exchange("127.0.0.1", BY_SWITCH, b"by switch")
    exchange("::1", BY_SWITCH6, b"by switch")
    exchange("127.0.0.1", LARGE, bytes(LARGE_BYTES))
    datagram(DATAGRAM, b"in a datagram" + bytes(5000))


def some_packets() -> None:
    """Another port, another host, and what the rule means; then sockets that are not of IP."""
    exchange("127.0.0.2", UNASKED, b"unasked")
    exchange("127.0.0.1", BY_RULE, b"elsewhere")
    exchange("127.0.0.2", BY_RULE, b"by rule")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as made:
        made.bind((PID, 0))
        made.sendto(struct.pack("=IHHIII", 20, 18, 0x301, 1, 0, 0), (0, 0))  # which interfaces?
        made.recvfrom(1 << 16)
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as made:
        made.bind(("lo", PROTOCOL))
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as made:
        made.bind((VMADDR_CID_LOCAL, VSOCK_PORT))


if __name__ == "__main__":
    all_packets() if sys.argv[1:] == ["all"] else some_packets()
