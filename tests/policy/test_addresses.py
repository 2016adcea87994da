"""Ranges of addresses: read as they are written, or refused with what is wrong."""

import contextlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provcap.bpf.layout import object_layout
from provcap.errors import UsageError
from provcap.policy.addresses import MOST_PREFIXES, Rule, rule, rules
from provcap.policy.apply import Control
from tests.policy.fake import FakeCapture, FakeMap

BOTH = ("in", "out")
WAYS = st.sampled_from([("in",), ("out",), BOTH])
PORTS = st.integers(0, 65535)


@st.composite
def networks(draw: st.DrawFn) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Any range of either version."""
    address = draw(st.ip_addresses())
    bits = draw(st.integers(0, address.max_prefixlen))
    return ipaddress.ip_network((address, bits), strict=False)


def written(each: Rule) -> str:
    """A rule with all of its parts."""
    address = str(each.network.network_address)
    host = address if each.network.version == 4 else f"[{address}]"
    way = "" if each.ways == BOTH else f"{each.ways[0]}:"
    return f"{way}{host}/{each.network.prefixlen}:{each.port}"


@pytest.mark.parametrize(
    ("word", "ways", "network", "port"),
    [
        ("10.0.0.0/8:80", BOTH, "10.0.0.0/8", 80),
        ("out:127.0.0.2:7402", ("out",), "127.0.0.2/32", 7402),
        ("in:[::1]", ("in",), "::1/128", 0),
        ("[2001:db8::]/32:443", BOTH, "2001:db8::/32", 443),
        ("10.1.2.3/8", BOTH, "10.0.0.0/8", 0),  # CamFlow takes it for the range, too
        ("0.0.0.0/0:0", BOTH, "0.0.0.0/0", 0),
    ],
)
def test_a_range_is_read(word: str, ways: tuple[str, ...], network: str, port: int) -> None:
    """CamFlow's words, and those of IPv6 in brackets."""
    assert rule(word) == Rule(ways, ipaddress.ip_network(network), port)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("", "expected"),
        ("10.0.0.0/33", "33"),
        ("10.0.0/8", "10.0.0"),
        ("300.0.0.1", "300"),
        ("[::]/129", "129"),
        ("[::1%lo]", "interface"),
        ("::1", "expected"),
        ("10.0.0.1:65536", "there is no port 65536"),
        ("10.0.0.1:", "expected"),
        ("both:10.0.0.1", "expected"),
        ("example.org:80", "expected"),
        ("10.0.0.0/255.0.0.0", "expected"),
        ("١٠.0.0.1", "expected"),
        ("10.0.0.1:80\n", "expected"),
    ],
)
def test_what_is_no_range_is_refused(word: str, why: str) -> None:
    """With the word, what is wrong, and how it is written."""
    with pytest.raises(UsageError, match="no range of addresses") as refused:
        rule(word)

    assert why in str(refused.value)
    assert word in str(refused.value)
    assert "as 10.0.0.0/8:80 or out:[2001:db8::]/32:443" in str(refused.value)


@given(WAYS, networks(), PORTS)
def test_what_is_written_is_what_is_read(ways, network, port) -> None:
    """Of every range, whichever way and port."""
    each = Rule(ways, network, port)

    assert rule(written(each)) == each


@given(st.text() | st.from_regex(r"(in:|out:)?[\[\]0-9a-f:./%]{0,40}"))
def test_any_word_is_a_range_or_refused(word: str) -> None:
    """Nothing else comes out of it."""
    with contextlib.suppress(UsageError):
        rule(word)


@given(networks(), st.data())
def test_an_address_of_the_range_has_its_bits(network, data) -> None:
    """And one outside has not: 16 bytes, of which the first bits count."""
    each = Rule(BOTH, network, 0)
    other = data.draw(st.ip_addresses(v=network.version))
    mapped = Rule(BOTH, ipaddress.ip_network(other), 0).address
    shift = 128 - each.bits
    same = int.from_bytes(mapped, "big") >> shift == int.from_bytes(each.address, "big") >> shift

    assert len(each.address) == 16
    assert same == (other in network)


def test_a_range_has_one_port() -> None:
    """Each way for itself; what is said twice counts once."""
    assert len(rules(["in:10.0.0.0/8:80", "out:10.0.0.0/8:443"])) == 2
    assert len(rules(["10.0.0.0/8:80", "10.1.2.3/8:80"])) == 1
    with pytest.raises(UsageError, match=r"10\.0\.0\.0/8 is given with port 80 and with port 0"):
        rules(["10.0.0.0/8:80", "out:10.0.0.0/8"])


def test_there_is_room_for_so_many() -> None:
    """Both ways are two."""
    half = [f"10.0.{at >> 8}.{at & 255}" for at in range(MOST_PREFIXES // 2)]

    assert len(rules(half)) == MOST_PREFIXES // 2
    with pytest.raises(UsageError, match=f"there is room for {MOST_PREFIXES}"):
        rules([*half, "10.9.9.9"])


@pytest.mark.object
def test_a_rule_is_written_as_the_kernel_looks_it_up(kernel_object: bytes) -> None:
    """Bits with those of the way, the way, the address; the port as it stands in a packet."""
    layout = object_layout(kernel_object)
    capture = FakeCapture(layout)
    capture.maps["recorded"] = FakeMap()
    Control(capture, layout).record_packets_of(rules(["out:10.0.0.0/8:80", "in:[2001:db8::]/32"]))

    assert capture.map("recorded").values == {
        (32 + 96 + 8).to_bytes(4, "little")
        + (2).to_bytes(4, "little")
        + bytes(10) + b"\xff\xff\x0a" + bytes(3): b"\0\x50\0\0",
        (32 + 32).to_bytes(4, "little")
        + (1).to_bytes(4, "little")
        + b"\x20\x01\x0d\xb8" + bytes(12): bytes(4),
    }  # fmt: skip
