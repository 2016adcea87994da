"""Raw recordings: what was written is read, wherever the file is cut."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provcap.capture.raw import RING, STATUS, Block, RawReader, RawWriter, parse_status
from provcap.errors import RecordingError, TruncatedError
from tests.batches import batch, event
from tests.recordings import HEADER, recording, small_rings, status

WHOLE = recording(small_rings(), status(), status(final=True, node_ring_full=5))


def blocks_of(data: bytes) -> tuple[list[Block], RecordingError | None]:
    """What is read, and how it ended."""
    blocks: list[Block] = []
    try:
        for block in RawReader(io.BytesIO(data)):
            blocks.append(block)
    except RecordingError as error:
        return blocks, error
    return blocks, None


def test_a_recording_comes_back() -> None:
    """Header, ring bytes and counters are those that were written."""
    blocks, error = blocks_of(WHOLE)

    assert error is None
    assert RawReader(io.BytesIO(WHOLE)).header == HEADER
    assert [b.type for b in blocks] == [STATUS, RING, RING, STATUS]
    assert [(b.cpu, b.payload) for b in blocks[1:3]] == small_rings()
    assert parse_status(blocks[3].payload) == status(final=True, node_ring_full=5)


def test_a_file_cut_anywhere_gives_everything_intact() -> None:
    """At every byte: the whole blocks, of a cut ring its whole records, then TruncatedError."""
    first = len(recording([])) - 64
    whole, _ = blocks_of(WHOLE)
    for end in (*range(0, 40), *range(first, len(WHOLE))):
        blocks, error = blocks_of(WHOLE[:end])
        assert isinstance(error, TruncatedError)
        assert f"after {end} bytes" in str(error)
        for block, full in zip(blocks, whole, strict=False):
            assert full.payload.startswith(block.payload)
        for block, full in zip(blocks[:-1], whole, strict=False):
            assert block == full


def test_a_cut_ring_keeps_its_whole_records() -> None:
    """The records before the cut are as good as ever."""
    one = batch(event("clone", ("task", 1, 0), ("task", 2, 0)))
    data = recording([(0, one + one)])
    blocks, _ = blocks_of(data[: len(data) - 64 - 1])

    assert blocks[0].payload == one


@given(st.binary(max_size=300))
def test_any_bytes_are_a_recording_or_a_named_error(data: bytes) -> None:
    """Random bytes, alone and behind a good header, never crash."""
    blocks_of_any(data)
    blocks_of_any(recording([])[:-64] + data)


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_damaged_byte_is_read_or_named(place: int, value: int) -> None:
    """One wrong byte anywhere gives blocks or a RecordingError, and so do the statuses."""
    data = bytearray(WHOLE)
    data[place] = value
    with suppress(RecordingError):
        for block in blocks_of_any(bytes(data)):
            if block.type == STATUS:
                parse_status(block.payload)


def blocks_of_any(data: bytes) -> list[Block]:
    with suppress(RecordingError):
        return blocks_of(data)[0]
    return []


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"counters": 1}', b"[" * 100_000])
def test_a_damaged_status_is_named(payload: bytes) -> None:
    """Whatever stands in a status block."""
    with pytest.raises(RecordingError):
        parse_status(payload)


def test_a_file_of_another_kind_is_named() -> None:
    """The message says that it is no recording."""
    with pytest.raises(RecordingError, match="not a raw recording"):
        RawReader(io.BytesIO(b"{" * 100))


def test_counters_that_stay_are_stated_once() -> None:
    """However often they are read; what has changed is stated at once, and so is the last."""
    out = io.BytesIO()
    writer = RawWriter(out, HEADER)
    same = status(node_ring_full=1)
    stated = [
        same,
        same._replace(at_ns=same.at_ns + 1),
        status(node_ring_full=2),
        same,
        same._replace(at_ns=same.at_ns + 2, final=True),
    ]

    for one in stated:
        writer.status(one)

    blocks, _ = blocks_of(out.getvalue())
    assert [parse_status(block.payload) for block in blocks] == [stated[0], *stated[2:]]


def test_the_writer_numbers_its_blocks() -> None:
    """A block that is missing in the middle is damage, not silence."""
    file = io.BytesIO()
    writer = RawWriter(file, HEADER)
    start = len(file.getvalue())
    writer.ring(0, b"", at_ns=5)
    writer.ring(0, b"")
    data = file.getvalue()
    _, error = blocks_of(data[:start] + data[start + 64 :])

    assert error and not isinstance(error, TruncatedError)
