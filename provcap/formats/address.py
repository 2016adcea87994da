"""What a socket address says: the bytes of any ``struct sockaddr`` in, its parts out."""

import ipaddress
import struct
from collections.abc import Mapping
from typing import NamedTuple

_UNIX, _INET, _INET6, _NETLINK, _PACKET, _VSOCK = 1, 2, 10, 16, 17, 40
_NAMES = {
    **{_UNIX: "AF_UNIX", _INET: "AF_INET", _INET6: "AF_INET6"},
    **{_NETLINK: "AF_NETLINK", _PACKET: "AF_PACKET", _VSOCK: "AF_VSOCK"},
}
_NUMBERS = {  # family -> what its address is made of
    _NETLINK: (struct.Struct("<4xII"), ("pid", "groups")),
    _PACKET: (struct.Struct(">2xH"), ("protocol",)),
    _VSOCK: (struct.Struct("<4xII"), ("port", "cid")),
}
_INTERFACE = struct.Struct("<4xi3xB")  # of AF_PACKET: index, and bytes of the hardware address
_MAPPED = bytes(10) + b"\xff\xff"


class Address(NamedTuple):
    """``family`` is a name or a number as text; parts that the family does not have are None.

    ``path`` is that of a unix socket; an ``abstract`` one has a name in no directory. ``numbers``
    are what other families are made of, by name: ``pid`` and ``groups`` of netlink, ``cid`` and
    ``port`` of vsock, ``ifindex``, ``protocol`` and ``hardware`` of packet sockets.
    """

    family: str
    host: str | None = None
    port: int | None = None
    path: bytes | None = None
    abstract: bool = False
    data: bytes | None = None
    numbers: Mapping[str, int | str] = {}


def parse(raw: bytes) -> Address:
    """The parts of a socket address, as far as its bytes go; what is not understood is ``data``."""
    number = int.from_bytes(raw[:2], "little")
    family, rest = _NAMES.get(number, str(number)), raw[2:]
    if number == _INET and len(raw) >= 8:
        return Address(family, str(ipaddress.IPv4Address(raw[4:8])), _port(raw))
    if number == _INET6 and len(raw) >= 24:
        return Address(family, str(ipaddress.IPv6Address(raw[8:24])), _port(raw))
    if number == _UNIX and rest[:1] == b"\0" and rest.strip(b"\0"):
        return Address(family, path=rest[1:], abstract=True)
    if number == _UNIX:
        return Address(family, path=rest.split(b"\0")[0])
    if numbers := _numbers(number, raw):
        return Address(family, numbers=numbers)
    return Address(family, data=rest)


def _numbers(family: int, raw: bytes) -> Mapping[str, int | str]:
    """What the address of such a family is made of; nothing if it is cut short."""
    layout, names = _NUMBERS.get(family, (_INTERFACE, ()))
    if not names or len(raw) < layout.size:
        return {}
    found: dict[str, int | str] = dict(zip(names, layout.unpack_from(raw), strict=True))
    if family == _PACKET and len(raw) >= _INTERFACE.size:
        found["ifindex"], length = _INTERFACE.unpack_from(raw)
        if hardware := raw[_INTERFACE.size :][:length]:
            found["hardware"] = hardware.hex(":")
    return found


def endpoint(address: bytes, port: int) -> str:
    """``host:port`` of 16 address bytes (IPv4 is v4-mapped) and a port in network order."""
    number = (port & 0xFF) << 8 | port >> 8
    if address.startswith(_MAPPED):
        return f"{ipaddress.IPv4Address(address[12:])}:{number}"
    return f"[{ipaddress.IPv6Address(address)}]:{number}"


def _port(raw: bytes) -> int:
    return int.from_bytes(raw[2:4], "big")
