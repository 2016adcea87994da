"""Where each field of a kernel record stands: a plain value that a recording carries in its header.

The compiled object is the source (its BTF); this module only says what shape the knowledge has, so
that a recording can be decoded where the object is not.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from provcap.bpf import layout as objects
from provcap.errors import RecordingError

_T = TypeVar("_T")

LARGEST_STRUCT = 1 << 16  # bytes; a recording that claims more is damaged
_CODES = {(1, False): "B", (2, False): "H", (4, False): "I", (8, False): "Q"}
_CODES |= {(size, True): code.lower() for (size, _), code in _CODES.items()}


class Field(NamedTuple):
    """One field: bytes from the start of the struct, bytes of one element, elements of an array.

    ``elements`` is 0 for a plain integer. A bit-field has the ``offset`` and ``size`` of the
    integer that holds it, and stands in ``width`` bits from bit ``shift``; any other field has
    width 0.
    """

    name: str
    offset: int
    size: int
    signed: bool = False
    elements: int = 0
    shift: int = 0
    width: int = 0

    @property
    def code(self) -> str:
        """The letters of ``struct`` that read the field; an array is read as bytes."""
        return f"{self.size * self.elements}s" if self.elements else _CODES[self.size, self.signed]

    @property
    def end(self) -> int:
        """Bytes from the start of the struct to behind the field."""
        return self.offset + self.size * max(self.elements, 1)


class Struct(NamedTuple):
    """One record type: all its bytes and its leaf fields, those of embedded structs included."""

    size: int
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """The field of that name; RecordingError if the recording's kernel object had none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise RecordingError(f'the recording has no field "{name}": it was made by another version')


class Layout(NamedTuple):
    """Structs by name (``prov_event``) and enums by name (``prov_record_kind``)."""

    structs: Mapping[str, Struct]
    enums: Mapping[str, Mapping[str, int]]

    def struct(self, name: str) -> Struct:
        """The struct of that name; RecordingError if there is none."""
        return _known(self.structs, "struct", name)

    def enumerator(self, enum: str, name: str) -> int:
        """The value of one enumerator; RecordingError if there is none."""
        return _known(_known(self.enums, "enum", enum), "enumerator", name)


RECORDS = (
    "prov_head",
    "prov_event",
    "prov_node_head",
    "prov_task_record",
    "prov_memory_record",
    "prov_inode_record",
    "prov_socket_record",
    "prov_stream_record",
    "prov_packet_header",
    "prov_packet_record",
    "prov_iattr_record",
    "prov_message_record",
    "prov_segment_record",
    "prov_eventfd_record",
    "prov_text",
)


def of_object(found: objects.Layout) -> Layout:
    """The records that the rings carry, from what a compiled object says of its types."""
    structs = {name: _flat(found.record(name)) for name in RECORDS}
    return Layout(structs, {name: dict(values) for name, values in found.enums.items()})


def _flat(record: objects.Record) -> Struct:
    """Without the names of the embedded structs: each record has one head and one of each name."""
    return Struct(record.size, tuple(map(_field, record.fields)))


def _field(field: objects.Field) -> Field:
    name = field.name.rpartition(".")[2]
    elements = field.length if field.length > 1 else 0
    return Field(
        name, field.offset, field.size, field.signed, elements, field.bit_offset, field.bit_size
    )


def to_json(layout: Layout) -> dict[str, Any]:
    """The layout as lists, dicts, strings and numbers."""
    structs = {
        name: {"size": struct.size, "fields": [list(field) for field in struct.fields]}
        for name, struct in layout.structs.items()
    }
    return {"structs": structs, "enums": {name: dict(enum) for name, enum in layout.enums.items()}}


def from_json(value: object) -> Layout:
    """Inverse of ``to_json``; RecordingError for anything that is not a sound layout."""
    try:
        return _parse(value)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise RecordingError(
            "the recording's header has no readable layout of its records"
        ) from error


def unpack_format(fields: Iterable[Field], size: int) -> str:
    """The ``struct`` format that reads these fields, by rising offset, out of ``size`` bytes."""
    parts, at = ["<"], 0
    for field in fields:
        if field.offset < at:
            raise RecordingError(f'the field "{field.name}" overlaps another')
        parts += [f"{field.offset - at}x", field.code]
        at = field.end
    return "".join([*parts, f"{size - at}x"])


def _parse(value: Any) -> Layout:
    structs = {}
    for name, struct in value["structs"].items():
        fields = tuple(Field(*field) for field in struct["fields"])
        for field in fields:
            _check(field, struct["size"])
        structs[name] = Struct(struct["size"], fields)
    enums = {name: dict(enum) for name, enum in value["enums"].items()}
    if not all(type(number) is int for enum in enums.values() for number in enum.values()):
        raise ValueError("an enumerator is no integer")
    return Layout(structs, enums)


def _check(field: Field, size: int) -> None:
    numbers = (field.offset, field.size, field.elements, field.shift, field.width, size)
    sound = isinstance(field.name, str) and type(field.signed) is bool
    sound = sound and all(type(n) is int and 0 <= n <= LARGEST_STRUCT for n in numbers)
    if not sound or (field.size, field.signed) not in _CODES or field.end > size:
        raise ValueError(f"field {field.name} is not inside its struct")


def _known(items: Mapping[str, _T], what: str, name: str) -> _T:
    if name not in items:
        raise RecordingError(f"the recording has no {what} {name}: it was made by another version")
    return items[name]
