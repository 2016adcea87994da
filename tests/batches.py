"""Builds ring bytes as the kernel writes them, from the committed layout: no field list here."""

import json
import struct
from pathlib import Path
from typing import Any

from provcap.capture import layout as layouts
from provcap.capture.decoder import RING_HEADER_BYTES
from provcap.vocabulary import KINDS, RELATIONS

LAYOUT = layouts.from_json(json.loads((Path(__file__).parent / "golden/layout.json").read_text()))

BITS = LAYOUT.enums["prov_event_bits"]
TEXT_BITS = LAYOUT.enums["prov_text_bits"]

_KINDS = {kind.name: number for number, kind in enumerate(KINDS)}
_RELATIONS = {relation.name: number for number, relation in enumerate(RELATIONS)}
_RECORDS = LAYOUT.enums["prov_record_kind"]


def event(relation: str, source: tuple[Any, ...], target: tuple[Any, ...], **more: Any) -> bytes:
    """One event record; source and target are (kind, id, version), ``through`` (id, version)."""
    through = more.pop("through", None)
    values = {
        **dict(zip(("from_kind", "from", "from_version"), source, strict=True)),
        **dict(zip(("to_kind", "to", "to_version"), target, strict=True)),
        "from_kind": _KINDS[source[0]],
        "to_kind": _KINDS[target[0]],
        "kind": _RECORDS["RECORD_EVENT"],
        "what": _RELATIONS[relation],
        "offset": -1,
        **more,
    }
    if through:
        values["through"], values["through_version"] = through
        values["bits"] = values.get("bits", 0) | BITS["EVENT_THROUGH"]
    return record("prov_event", values)


def node(kind: str, id: int, version: int = 0, **more: Any) -> bytes:
    """One node record: the struct follows from the kind."""
    own = ("task", "socket", "stream", "iattr")
    name = "MEMORY" if kind == "process_memory" else kind.upper() if kind in own else "INODE"
    number = _RECORDS[f"RECORD_{name}"]
    values = {"kind": number, "what": _KINDS[kind], "id": id, "version": version, **more}
    return record(f"prov_{name.lower()}_record", values)


def text(kind: str, body: bytes, owner: tuple[str, int, int], **more: Any) -> bytes:
    """One piece of text for the node (kind, id, version); alone and whole unless told otherwise."""
    whole = more.get("offset", 0) + len(body) == more.get("total", len(body))
    values = {
        "kind": _RECORDS["RECORD_TEXT"],
        "bits": TEXT_BITS["TEXT_LAST"] if whole else 0,
        "what": _KINDS[kind],
        "node_kind": _KINDS[owner[0]],
        "node": owner[1],
        "node_version": owner[2],
        "length": len(body),
        "total": len(body),
        "count": body.count(b"\0"),
        **more,
    }
    return record("prov_text", values) + body


def path(name: bytes, owner: tuple[str, int, int], **more: Any) -> bytes:
    """The name of a node as it travels: components from the last to the first."""
    return text("path", b"".join(part + b"/" for part in name.split(b"/")[:0:-1]), owner, **more)


def record(name: str, values: dict[str, Any]) -> bytes:
    """The bytes of one record without ring header; what is not named is zero."""
    shape = LAYOUT.struct(name)
    data, unknown = bytearray(shape.size), dict(values)
    for field in shape.fields:
        value = unknown.pop(field.name, None)
        if value is not None and field.width:
            data[field.offset] |= value << field.shift
        elif value is not None:
            struct.pack_into(f"<{field.code}", data, field.offset, value)
    assert not unknown, f"{name} has no field {', '.join(unknown)}"
    return bytes(data)


def batch(*records: bytes, cpu: int = 0, seq: int = 0) -> bytes:
    """Records as they stand in the ring of a CPU: with headers, numbered from ``seq``."""
    parts = []
    for number, body in enumerate(records, seq):
        data = bytearray(body)
        for name, value in (("seq", number & 0xFFFFFFFF), ("cpu", cpu)):
            field = LAYOUT.struct("prov_head").field(name)
            struct.pack_into(f"<{field.code}", data, field.offset, value)
        parts.append(framed(bytes(data)))
    return b"".join(parts)


def framed(body: bytes, marks: int = 0) -> bytes:
    """A record behind its ring header; ``marks`` are BUSY and DISCARD."""
    padding = bytes(-len(body) % 8)
    return struct.pack("<II", len(body) | marks, 0) + body + padding


assert RING_HEADER_BYTES == 8
