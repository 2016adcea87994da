"""Changes texts in ring bytes on their way to the disk: what is taken out is never written."""

import struct
from collections.abc import Callable

from provcap.capture.decoder import BUSY, DISCARD, RING_HEADER_BYTES
from provcap.capture.layout import Layout
from provcap.vocabulary import KINDS

_WORD = struct.Struct("<I")
_FIELDS = ("id", "length", "offset", "total", "bits")


class TextRecords:
    """Where the fields of a text record lie."""

    def __init__(self, layout: Layout) -> None:
        """``layout`` is that of the stream."""
        text = layout.struct("prov_text")
        self.head_bytes = text.size
        self._kind_at, self._what_at = (text.field(name).offset for name in ("kind", "what"))
        self._text_kind = layout.enumerator("prov_record_kind", "RECORD_TEXT")
        self._fields = {name: text.field(name) for name in _FIELDS}

    def rewrite(self, data: bytes, what: str, change: Callable[[bytearray], bytes]) -> bytes:
        """The ring bytes with ``change`` made to the record of each text of this node kind."""
        wanted = [kind.name for kind in KINDS].index(what)
        out, position, copied = bytearray(), 0, 0
        while position < len(data):
            word = _WORD.unpack_from(data, position)[0]
            length, start = word & ~(BUSY | DISCARD), position + RING_HEADER_BYTES
            end = position + (RING_HEADER_BYTES + length + 7 & ~7)
            if not word & DISCARD and self._is_text(data, start, wanted):
                out += data[copied:position]
                out += _framed(change(bytearray(data[start : start + length])))
                copied = end
            position = end
        return bytes(out + data[copied:]) if copied else data

    def get(self, record: bytearray, name: str) -> int:
        """The value of a field."""
        field = self._fields[name]
        return int.from_bytes(record[field.offset : field.offset + field.size], "little")

    def put(self, record: bytearray, name: str, value: int) -> None:
        """Write the value of a field."""
        field = self._fields[name]
        record[field.offset : field.offset + field.size] = value.to_bytes(field.size, "little")

    def _is_text(self, data: bytes, start: int, what: int) -> bool:
        return (
            data[start + self._kind_at] == self._text_kind and data[start + self._what_at] == what
        )


def _framed(record: bytes) -> bytes:
    """A record with its ring header, padded as in the ring."""
    return _WORD.pack(len(record)) + b"\0" * 4 + record + b"\0" * (-len(record) % 8)
