"""Text for bytes that anyone may have chosen: every byte string has a text, and comes back from it.

Valid UTF-8 is its own text. A byte that is not part of valid UTF-8 becomes the private-use
character U+F700 + byte (U+F780 to U+F7FF). Where such a character was really meant, its three
bytes are written that way one by one; so the text tells which bytes it came from, and never holds
a lone surrogate.
"""

import json
import re

_ESCAPE = 0xF700
_OURS = re.compile("[\uf780-\uf7ff]")
_SHIFT = {0xDC00 + byte: _ESCAPE + byte for byte in range(0x80, 0x100)}
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}

_encode = json.JSONEncoder(ensure_ascii=False).encode


def text_of(data: bytes) -> str:
    """The text of any bytes; ``bytes_of`` is its inverse."""
    if data.isascii():
        return data.decode("ascii")
    text = data.decode("utf-8", "surrogateescape")
    if _OURS.search(text):
        text = _OURS.sub(_bytewise, text)
    return text.translate(_SHIFT)


def bytes_of(text: str) -> bytes:
    """The bytes whose text this is; UnicodeEncodeError for a lone surrogate, which no text has."""
    if text.isascii():
        return text.encode("ascii")
    parts = _OURS.split(text)
    escaped = [bytes([ord(mark) - _ESCAPE]) for mark in _OURS.findall(text)]
    return b"".join(part.encode() + byte for part, byte in zip(parts, [*escaped, b""], strict=True))


def quoted(text: str) -> str:
    """A JSON string on one line, whatever a reader takes for a line end."""
    value = _encode(text)
    return value if value.isascii() else value.translate(_LINE_ENDS)


def _bytewise(match: re.Match[str]) -> str:
    return "".join(chr(_ESCAPE + byte) for byte in match[0].encode())
