"""Sends over veth from one network namespace to another, and prints what went over the wire.

    python -m tests.vm.wire

Runs in a recording. Prints a JSON list with one ``Frame`` for each packet of IP that came to the
far end, which a packet socket has seen there before any protocol did. Ports tell what it is of.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from provcap.policy.apply import opened

NEAR, FAR = "wire-near", "wire-far"
NETWORKS = f"""
modprobe veth
for name in {NEAR} {FAR}; do ip netns add $name; ip -n $name link set lo up; done
ip -n {NEAR} link add wire type veth peer name wire netns {FAR}
number=1
for name in {NEAR} {FAR}; do
  ip -n $name addr add 10.11.0.$number/24 dev wire
  ip -n $name addr add fd11::$number/64 dev wire nodad
  ip -n $name link set wire up
  number=2
done
"""

CONNECTED, NUMBERED, FRAGMENTED, SIX, SMALL, LARGE, CUT = range(7501, 7508)
"""Ports: UDP to one peer; with a number in each header; in fragments; over IPv6; then TCP: one
segment at a time; more than fits into a frame, handed on whole; the same, cut by the kernel."""

TEXTS = [b"one", b"another", b"one"]
LONG = 4000  # bytes of a datagram: three fragments
MUCH = 100_000  # bytes of a stream
MTU = 1500

CLONE_NEWNET = 0x40000000
ETH_P_ALL, ETH_P_IP, ETH_P_IPV6 = 3, 0x0800, 0x86DD
PACKET_OUTGOING = 4
SO_RCVBUFFORCE, IP_MTU_DISCOVER, IP_PMTUDISC_DONT = 33, 10, 0
SIOCETHTOOL, ETHTOOL_STSO = 0x8946, 0x1F
UDP, TCP = 17, 6


class Frame(NamedTuple):
    """The headers of one packet, as numbers; ``sequence`` is 0 of what is not TCP."""

    protocol: int
    ip_id: int
    length: int
    source: str
    target: str
    source_port: int
    target_port: int
    sequence: int
    payload: int
    fragment: int
    """Where it begins in the datagram, in bytes; such a one has no ports."""


def enter(name: str) -> None:
    """The network that sockets are made in from now on."""
    with Path("/run/netns", name).open() as place:
        if ctypes.CDLL(None, use_errno=True).setns(place.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {name}")


def parsed(packet: bytes) -> Frame:
    """By RFC 791, 8200, 768 and 9293; IPv6 without further headers."""
    if packet[0] >> 4 == 6:
        length, protocol = struct.unpack_from(">HB", packet, 4)
        ends = [socket.inet_ntop(socket.AF_INET6, packet[at : at + 16]) for at in (8, 24)]
        return _behind(packet, 40, (protocol, 0, length + 40, *ends), 0)
    length, number, place = struct.unpack_from(">HHH", packet, 2)
    ends = [socket.inet_ntoa(packet[at : at + 4]) for at in (12, 16)]
    return _behind(packet, (packet[0] & 15) * 4, (packet[9], number, length, *ends), place)


def _behind(packet: bytes, header: int, told: tuple[int, int, int, str, str], place: int) -> Frame:
    fragment = (place & 0x1FFF) * 8
    protocol, _, length, *_ = told
    ports = struct.unpack_from(">HH", packet, header) if not fragment else (0, 0)
    sequence, own = 0, 8
    if protocol == TCP:
        sequence = struct.unpack_from(">I", packet, header + 4)[0]
        own = (packet[header + 12] >> 4) * 4
    payload = length - header - (0 if fragment else own)
    return Frame(*told, *ports, sequence, payload, fragment)


def sniffer() -> socket.socket:
    """Sees all that comes in at this end."""
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    made.bind(("wire", ETH_P_ALL))
    made.setblocking(False)
    return made


def seen(wire: socket.socket) -> list[Frame]:
    """What it has seen up to now, without what goes back."""
    found = []
    while True:
        try:
            frame, (_, protocol, way, *_) = wire.recvfrom(1 << 17)
        except BlockingIOError:
            return found
        if way != PACKET_OUTGOING and protocol in (ETH_P_IP, ETH_P_IPV6):
            packet = frame[14:]
            if packet[6 if packet[0] >> 4 == 6 else 9] in (UDP, TCP):
                found.append(parsed(packet))


def leave_cutting_to_the_card(device_does: bool) -> None:
    """Whether veth takes what is longer than a frame; here, at the near end."""
    word = ctypes.create_string_buffer(struct.pack("=II", ETHTOOL_STSO, device_does))
    request = struct.pack("=16sQ8x", b"wire", ctypes.addressof(word))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCETHTOOL, request)


def datagrams(host: str, port: int, texts: list[bytes], numbered: bool = False) -> None:
    """Each is sent, and read, before the next."""
    kind = (socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    enter(FAR)
    with socket.socket(*kind) as receiver:
        receiver.bind((host, port))
        enter(NEAR)
        with socket.socket(*kind) as sender:
            if numbered:  # what may be cut on its way needs a number
                sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
            else:
                sender.connect((host, port))
            for text in texts:
                sender.sendto(text, (host, port)) if numbered else sender.send(text)
                assert receiver.recv(1 << 16) == text


def stream(port: int, texts: list[bytes]) -> None:
    """One connection; each text is read before the next is sent."""
    enter(FAR)
    with socket.create_server(("10.11.0.2", port)) as server:
        enter(NEAR)
        with socket.create_connection(server.getsockname()) as sender:
            sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            accepted, _ = server.accept()
            with accepted:
                for text in texts:
                    _through(sender, accepted, text)


def _through(sender: socket.socket, receiver: socket.socket, text: bytes) -> None:
    """In one thread: the sender never waits for room."""
    sender.setblocking(False)
    sent = got = 0
    while got < len(text):
        if sent < len(text):
            with contextlib.suppress(BlockingIOError):
                sent += sender.send(text[sent:])
        got += len(receiver.recv(1 << 20))


def main() -> None:
    """Lay the wire, then use it."""
    subprocess.run(["sh", "-ec", NETWORKS], check=True, stdout=sys.stderr)
    frames = []
    enter(FAR)
    with opened() as control, sniffer() as wire:
        datagrams("10.11.0.2", CONNECTED, TEXTS)
        datagrams("10.11.0.2", NUMBERED, TEXTS, numbered=True)
        datagrams("10.11.0.2", FRAGMENTED, [bytes(LONG)], numbered=True)
        datagrams("fd11::2", SIX, TEXTS)
        frames += seen(wire)
        control.change_policy(lambda policy: policy._replace(segments=True))
        stream(SMALL, TEXTS)
        for port, whole in ((LARGE, True), (CUT, False)):
            leave_cutting_to_the_card(whole)
            stream(port, [os.urandom(MUCH)])
            frames += seen(wire)
        control.change_policy(lambda policy: policy._replace(segments=False))
    print(json.dumps(frames))


if __name__ == "__main__":
    main()
