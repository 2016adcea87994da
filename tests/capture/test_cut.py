"""What is in packets is cut before anything of a ring is written anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provcap.capture.cut import MOST_BYTES, ContentBound
from provcap.capture.decoder import Decoder, TextRecord
from tests.batches import LAYOUT, TEXT_BITS, batch, event, text

PACKET = ("packet", 9, 0)
LAST, CUT = TEXT_BITS["TEXT_LAST"], TEXT_BITS["TEXT_TRUNCATED"]


def content(body: bytes, total: int, bits: int = LAST) -> bytes:
    """The record of what is in a packet."""
    return text("packet_content", body, PACKET, id=50, total=total, bits=bits)


def texts(data: bytes) -> list[tuple[bytes, int, bool]]:
    """Body, real size and whether it was cut, of each text in these ring bytes."""
    found = [r for r in Decoder(LAYOUT).decode(data) if isinstance(r, TextRecord)]
    return [(r.text, r.total, bool(r.bits & CUT)) for r in found]


@pytest.mark.parametrize(
    ("length", "left", "cut"), [(3, 3, False), (8, 8, False), (9, 8, True), (4096, 8, True)]
)
def test_content_is_cut_at_the_bound(length: int, left: int, cut: bool) -> None:
    """It says so, and how much there was."""
    data = ContentBound(LAYOUT, 8)(batch(content(b"x" * length, total=length)))

    assert texts(data) == [(b"x" * left, length, cut)]


def test_what_the_kernel_cut_stays_marked() -> None:
    """Also where the bound leaves all of it."""
    record = content(b"abc", total=9000, bits=LAST | CUT)

    assert texts(ContentBound(LAYOUT, MOST_BYTES)(batch(record))) == [(b"abc", 9000, True)]


@given(st.lists(st.binary(max_size=70)), st.integers(1, 64))
def test_nothing_else_is_touched(bodies: list[bytes], bound: int) -> None:
    """Records between them, other texts: they arrive as they were."""
    between = event("read", ("file", 4, 0), ("task", 5, 0))
    other = text("argv", b"z" * 70 + b"\0", ("process_memory", 8, 0), id=60, bits=LAST)
    whole = [part for body in bodies for part in (between, content(body, len(body)), other)]
    data = ContentBound(LAYOUT, bound)(batch(*whole))
    records, before = Decoder(LAYOUT).decode(data), Decoder(LAYOUT).decode(batch(*whole))

    assert [len(r) for r in records] == [len(r) for r in before]
    assert texts(data)[::2] == [(b[:bound], len(b), len(b) > bound) for b in bodies]
    assert [r for at, r in enumerate(records) if at % 3 != 1] == [
        r for at, r in enumerate(before) if at % 3 != 1
    ]
