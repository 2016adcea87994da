"""Reads which sockets have their packets recorded: a range of addresses, a port, one way or both.

    10.0.0.0/8:80           what is bound or connected to port 80 of these
    out:[2001:db8::]/32     what is connected to any port of these

As CamFlow writes its rules for IPv4, with brackets for IPv6; bits and port may be left out.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from provcap.errors import UsageError

IN, OUT = "in", "out"  # bind, connect
MOST_PREFIXES = 1024  # that the kernel side has room for
_FORM = re.compile(r"(?:(in|out):)?(?:\[([^]]*)]|([\d.]+))(?:/(\d{1,3}))?(?::(\d{1,5}))?", re.ASCII)
_EXPECTED = "expected [in:|out:]ADDRESS[/BITS][:PORT], as 10.0.0.0/8:80 or out:[2001:db8::]/32:443"
_MAPPED = bytes(10) + b"\xff\xff"  # what stands before an address of IPv4

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Rule(NamedTuple):
    """Addresses that bind (in) or connect (out) is given; ``port`` 0: any."""

    ways: tuple[str, ...]
    network: _Network
    port: int

    @property
    def bits(self) -> int:
        """Of ``address`` that count."""
        return self.network.prefixlen + (8 * len(_MAPPED) if self.network.version == 4 else 0)

    @property
    def address(self) -> bytes:
        """16 bytes: IPv4 is mapped into IPv6."""
        packed = self.network.network_address.packed
        return _MAPPED + packed if self.network.version == 4 else packed


def rule(word: str) -> Rule:
    """The rule that a word says; UsageError with what is wrong and what is expected."""
    found = _FORM.fullmatch(word)
    if not found:
        raise _refused(word)
    way, inner, dotted, bits, port = found.groups()
    if int(port or 0) > 65535:
        raise _refused(word, f"there is no port {port}")
    return Rule((way,) if way else (IN, OUT), _network(word, inner, dotted, bits), int(port or 0))


def rules(words: Iterable[str]) -> tuple[Rule, ...]:
    """All rules, each once; UsageError if two say different ports of one range, or if too many."""
    found: dict[tuple[str, int, bytes], Rule] = {}
    for each in map(rule, words):
        for way in each.ways:
            first = found.setdefault((way, each.bits, each.address), each)
            if first.port != each.port:
                raise UsageError(
                    f"{each.network} is given with port {first.port} and with port {each.port}: "
                    "a range has one port (leave it out for all)"
                )
    if len(found) > MOST_PREFIXES:
        raise UsageError(
            f"{len(found)} ranges of addresses, each way counted: there is room for {MOST_PREFIXES}"
        )
    return tuple(dict.fromkeys(found.values()))


def _network(word: str, inner: str | None, dotted: str | None, bits: str | None) -> _Network:
    """The range; bits of the address behind it are taken for zero."""
    try:
        if inner is None:
            return ipaddress.IPv4Network((dotted, int(bits or 32)), strict=False)
        if "%" in inner:
            raise _refused(word, "an interface says nothing of an address")
        return ipaddress.IPv6Network((inner, int(bits or 128)), strict=False)
    except ValueError as error:
        raise _refused(word, str(error)) from error


def _refused(word: str, why: str = "") -> UsageError:
    return UsageError(f'no range of addresses: "{word}"{why and f": {why}"} ({_EXPECTED})')
