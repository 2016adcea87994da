"""What a socket address says: the bytes of any ``struct sockaddr`` in, its parts out."""

import ipaddress
from typing import NamedTuple

_UNIX, _INET, _INET6 = 1, 2, 10
_NAMES = {_UNIX: "AF_UNIX", _INET: "AF_INET", _INET6: "AF_INET6", 16: "AF_NETLINK", 17: "AF_PACKET"}
_MAPPED = bytes(10) + b"\xff\xff"


class Address(NamedTuple):
    """``family`` is a name or a number as text; parts that the family does not have are None.

    ``path`` is that of a unix socket; an ``abstract`` one has a name in no directory.
    """

    family: str
    host: str | None = None
    port: int | None = None
    path: bytes | None = None
    abstract: bool = False
    data: bytes | None = None


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
    return Address(family, data=rest)


def endpoint(address: bytes, port: int) -> str:
    """``host:port`` of 16 address bytes (IPv4 is v4-mapped) and a port in network order."""
    number = (port & 0xFF) << 8 | port >> 8
    if address.startswith(_MAPPED):
        return f"{ipaddress.IPv4Address(address[12:])}:{number}"
    return f"[{ipaddress.IPv6Address(address)}]:{number}"


def _port(raw: bytes) -> int:
    return int.from_bytes(raw[2:4], "big")
