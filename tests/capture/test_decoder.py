"""The decoder: ring bytes in, kernel records out, and a named error for anything else."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provcap.capture.decoder import BUSY, DISCARD, Decoder, Event, NodeRecord, TextRecord
from provcap.capture.layout import Layout, Struct
from provcap.errors import RecordingError
from tests.batches import BITS, LAYOUT, batch, event, framed, node, text

DECODER = Decoder(LAYOUT)

READ = event(
    "read",
    ("file", 7, 3),
    ("process_memory", 9, 2**32 - 1),
    through=(8, 5),
    at_ns=2**63,
    flags=0x8002,
    epoch=2,
    offset=-1,
    flow=2,
    outcome=1,
)


def test_an_event_comes_back_field_by_field() -> None:
    """Every field of an event, bit-fields and signed offset included, is what was written."""
    (read,) = DECODER.decode(batch(READ, cpu=3, seq=2**32 - 1))

    assert isinstance(read, Event)
    assert read._asdict() == {
        **{"at_ns": 2**63, "seq": 2**32 - 1, "cpu": 3, "relation": 52},
        **{"source": 7, "through": 8, "target": 9},
        **{"source_version": 3, "through_version": 5, "target_version": 2**32 - 1},
        **{"source_kind": 7, "target_kind": 18, "bits": BITS["EVENT_THROUGH"]},
        **{"flags": 0x8002, "epoch": 2, "offset": -1, "flow": 2, "outcome": 1},
    }


def test_node_records_carry_every_field_as_an_attribute() -> None:
    """A task record keeps head and attributes apart and leaves out reserved bytes."""
    record = node("task", 5, 2, taint=3, pid=77, comm=b"cat".ljust(16, b"\0"), cwd_ino=2**40)
    (task,) = DECODER.decode(batch(record))

    assert isinstance(task, NodeRecord)
    assert (task.id, task.version, task.taint) == (5, 2, 3)
    assert task.attributes["pid"] == 77
    assert task.attributes["comm"] == b"cat" + bytes(13)
    assert task.attributes["cwd_ino"] == 2**40
    assert not {"kind", "what", "at_ns", "id", "reserved"} & set(task.attributes)


def test_a_text_ends_where_its_length_says() -> None:
    """The padding of the ring is not part of the text."""
    (path,) = DECODER.decode(batch(text("path", b"/etc/a", ("file", 7, 0))))

    assert isinstance(path, TextRecord)
    assert (path.text, path.node, path.total) == (b"/etc/a", 7, 6)


def test_runs_of_events_and_other_records_keep_their_order() -> None:
    """Ring order survives, whatever the mixture."""
    mixture = [READ, READ, node("file", 1), READ, text("path", b"/", ("file", 1, 0)), READ]

    assert [r.seq for r in DECODER.decode(batch(*mixture))] == [0, 1, 2, 3, 4, 5]


def test_discarded_records_are_passed_over() -> None:
    """A reservation that the kernel gave back is no record, whatever it holds."""
    data = framed(READ, DISCARD) + framed(b"\xff" * 11, DISCARD) + framed(READ)

    assert len(DECODER.decode(data)) == 1


@pytest.mark.parametrize(
    "data",
    [
        framed(READ, BUSY),
        framed(READ)[:-8],
        framed(READ[:40]),
        framed(b""),
        framed(READ)[:5],
        batch(event("read", ("file", 7, 0), ("task", 8, 0), flow=15)),
        framed(READ[:15] + b"\xff" + READ[16:]),
        framed(text("path", b"/etc", ("file", 7, 0), length=5)),
    ],
)
def test_damage_is_named(data: bytes) -> None:
    """Each kind of damage is a RecordingError."""
    with pytest.raises(RecordingError):
        DECODER.decode(data)


@given(st.binary(max_size=400))
def test_any_bytes_give_records_or_a_named_error(data: bytes) -> None:
    """No bytes make the decoder crash or hang."""
    with suppress(RecordingError):
        DECODER.decode(data)


@given(
    st.lists(st.sampled_from([READ, node("file", 1), text("path", b"/x", ("file", 1, 0))])),
    st.integers(min_value=0),
    st.integers(0, 255),
)
def test_one_damaged_byte_gives_records_or_a_named_error(
    records: list[bytes], place: int, value: int
) -> None:
    """Nearly right bytes reach deeper into the decoder than random ones."""
    data = bytearray(batch(*records))
    if data:
        data[place % len(data)] = value
    with suppress(RecordingError):
        DECODER.decode(bytes(data))


def test_another_order_of_fields_is_read_as_well() -> None:
    """The decoder follows the layout, not the order that it was written against."""
    shape = LAYOUT.struct("prov_event")
    fields = list(shape.fields)
    names = [f.name for f in fields]
    one, two = names.index("from"), names.index("to")
    fields[one], fields[two] = (
        fields[one]._replace(name="to"),
        fields[two]._replace(name="from"),
    )
    swapped = Layout(
        {**LAYOUT.structs, "prov_event": Struct(shape.size, tuple(fields))}, LAYOUT.enums
    )
    (read,) = Decoder(swapped).decode(batch(READ))

    assert isinstance(read, Event)
    assert (read.source, read.target) == (9, 7)


def test_a_layout_without_a_needed_field_is_refused() -> None:
    """A recording of a strange kernel object is refused before its first record."""
    structs = {**LAYOUT.structs, "prov_event": Struct(72, LAYOUT.struct("prov_event").fields[:9])}

    with pytest.raises(RecordingError, match="flow"):
        Decoder(Layout(structs, LAYOUT.enums))
