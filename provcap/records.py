"""The values that travel from the stages to every format: identifiers, nodes, edges.

All are named tuples and never changed once made. A name, path or argument is ``bytes`` here,
because whoever named the file chose them; only a format turns them into text.
"""

import binascii
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

IDENTIFIER_BYTES = 32

_NODE = struct.Struct("<QQIIII")
_PACKET = struct.Struct("<QHH4s4sHHB3sI")


class Identifier(NamedTuple):
    """Names one node version, or (version 0) one relation, over machines and boots.

    ``type`` is the type word of the vocabulary; ``id`` is unique within (boot_id, machine_id).
    """

    type: int
    id: int
    boot_id: int
    machine_id: int
    version: int

    def pack(self) -> bytes:
        """The 32 bytes, little-endian, that CamFlow's consumers know."""
        return _NODE.pack(*self, 0)

    @property
    def text(self) -> str:
        """Base64 of the 32 bytes: 44 characters, standard alphabet."""
        return binascii.b2a_base64(_NODE.pack(*self, 0), newline=False).decode()

    @classmethod
    def parse(cls, text: str) -> "Identifier":
        """Inverse of ``text``; ValueError if it is not the base64 of 32 bytes."""
        data = binascii.a2b_base64(text, strict_mode=True)
        if len(data) != IDENTIFIER_BYTES:
            raise ValueError(f"an identifier has {IDENTIFIER_BYTES} bytes, not {len(data)}")
        return cls(*_NODE.unpack(data)[:5])


class PacketIdentifier(NamedTuple):
    """Names one IPv4 packet by its header, so that sender and receiver agree on it.

    ``id`` (the IP identification) and ``sequence`` are the bytes on the wire read as little-endian
    numbers, as CamFlow has them, addresses the four bytes on the wire, ports plain numbers.
    ``serial`` tells packets with one header apart: 40 bits, in bytes that CamFlow leaves zero.
    """

    type: int
    id: int
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    protocol: int
    sequence: int
    serial: int = 0

    @property
    def version(self) -> int:
        """0: a packet has one version."""
        return 0

    @property
    def text(self) -> str:
        """Base64 of the 32 bytes; ports stand there in network order."""
        source_port, destination_port = _swap(self.source_port), _swap(self.destination_port)
        data = _PACKET.pack(
            self.type,
            self.id,
            self.serial & 0xFFFF,
            self.source,
            self.destination,
            source_port,
            destination_port,
            self.protocol,
            (self.serial >> 16).to_bytes(3, "little"),
            self.sequence,
        )
        return binascii.b2a_base64(data, newline=False).decode()


class Node(NamedTuple):
    """One version of one object, with what is known about it.

    ``kind`` is a name of the vocabulary; ``attributes`` maps the field names of the kernel's record
    (or ``pathname``, ``value``, ``address`` for texts) to int, bool, str or bytes. A bare node, of
    which only the kind is known, has none. ``at_ns`` counts from boot, suspend included.
    """

    kind: str
    identifier: Identifier | PacketIdentifier
    epoch: int
    taint: int
    at_ns: int
    attributes: Mapping[str, Any]


class Writer(NamedTuple):
    """The process that disclosed a record, as the kernel names it: initial namespaces."""

    pid: int
    uid: int
    gid: int


class Edge(NamedTuple):
    """One relation between two node versions; information went from sender to receiver.

    ``section`` is the PROV relation (``used``, ``wasGeneratedBy`` ...); ``flow`` one of data,
    control, naming, version, influence; ``offset`` the file position or None; ``task_id`` the id
    of the acting task's node or 0; ``outcome`` is ``at_hook`` (recorded before the operation,
    which may still have failed) or ``done``. ``writer`` is who disclosed it, None: the kernel.
    """

    relation: str
    section: str
    flow: str
    sender: Identifier | PacketIdentifier
    receiver: Identifier | PacketIdentifier
    at_ns: int
    epoch: int
    allowed: bool
    offset: int | None
    flags: int
    task_id: int
    outcome: str
    id: Identifier
    writer: Writer | None = None


Record = Node | Edge


class Origin(NamedTuple):
    """Where and when a stream was captured: what every record of it has in common.

    ``wall_offset_ns`` added to a record's ``at_ns`` gives nanoseconds since 1970 (UTC).
    ``machine`` has the attributes of the machine node: sysname, nodename, release, version,
    machine, domainname.
    """

    boot_id: int
    machine_id: int
    wall_offset_ns: int
    machine: Mapping[str, Any]


def _swap(port: int) -> int:
    return (port & 0xFF) << 8 | port >> 8
