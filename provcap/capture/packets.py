"""What packets are called: by their header, as in CamFlow, so that two machines agree.

Headers repeat: datagrams of one socket to another may all have the same. The first packet of a
header is called by the header alone, the others also by a number that no other packet of this boot
has.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from provcap.capture.bounded import RecentMap
from provcap.capture.decoder import NodeRecord
from provcap.records import Identifier, PacketIdentifier
from provcap.vocabulary import KINDS

_PACKET, _PACKET6 = (
    next(number for number, kind in enumerate(KINDS) if kind.name == name)
    for name in ("packet", "packet6")
)
PACKETS = frozenset((_PACKET, _PACKET6))  # kinds by number
_NUMBERS = ("sender_port", "receiver_port", "sequence", "ip_id", "protocol")

Name = PacketIdentifier | Identifier


class Packets:
    """The identifiers of the packets of one stream, of those that were seen lately."""

    def __init__(self, capacity: int) -> None:
        """``capacity``: headers whose first packet is remembered, and packets that are."""
        self._names: RecentMap[int, Name] = RecentMap(capacity)
        self._first: RecentMap[bytes, int] = RecentMap(capacity, self._forget)
        self._forgotten = False

    def learn(self, record: NodeRecord) -> None:
        """Name the packet that this record describes, unless it has a name."""
        if self._names.get(record.id) is None:
            serial = self._serial(record.id, _digest(record.attributes, 0))
            self._names.put(record.id, _name(record.kind, record.attributes, serial))

    def name(self, kind: int, id: int, boot_id: int, machine_id: int) -> Name:
        """The identifier of a packet; one that nothing has described is called by its node id."""
        found = self._names.get(id)
        if found is None:
            found = Identifier(KINDS[kind].type, id, boot_id, machine_id, 0)
            self._names.put(id, found)
        return found

    def _serial(self, id: int, header: bytes) -> int:
        """0 for the first packet of a header. After some were forgotten no one is sure to be it."""
        if self._first.get(header) is None:
            self._first.put(header, id)
            if not self._forgotten:
                return 0
        return id >> 48 << 32 | id & 0xFFFFFFFF  # CPU, and its count

    def _forget(self, _header: bytes, _id: int) -> None:
        self._forgotten = True


def _name(kind: int, facts: Mapping[str, Any], serial: int) -> Name:
    word = KINDS[kind].type
    if kind == _PACKET6:
        return Identifier(word, int.from_bytes(_digest(facts, serial), "little"), 0, 0, 0)
    return PacketIdentifier(
        word,
        facts["ip_id"],
        facts["sender"][12:],
        facts["receiver"][12:],
        _swap(facts["sender_port"]),
        _swap(facts["receiver_port"]),
        facts["protocol"],
        facts["sequence"],
        serial,
    )


def _digest(facts: Mapping[str, Any], serial: int) -> bytes:
    numbers = b"".join(facts[key].to_bytes(8, "little") for key in _NUMBERS)
    header = facts["sender"] + facts["receiver"] + numbers + serial.to_bytes(8, "little")
    return hashlib.blake2b(header, digest_size=8).digest()


def _swap(port: int) -> int:
    return (port & 0xFF) << 8 | port >> 8
