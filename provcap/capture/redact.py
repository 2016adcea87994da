"""Takes secrets out of environments, before anything of a ring is written anywhere.

An environment travels as one text of NUL-terminated strings ``NAME=value``, in pieces. The value of
each name that matches a pattern is replaced; names stay, since they are what a reader asks for.
"""

import fnmatch
import re
from collections.abc import Iterable

from provcap.capture.bounded import RecentMap
from provcap.capture.layout import Layout
from provcap.capture.rewrite import TextRecords
from provcap.vocabulary import TEXT_LAST

MASK = b"***"
#: patterns of names, for upper and lower case alike, whose values are nobody's business
SECRETS = (
    *("*PASS*", "*SECRET*", "*TOKEN*", "*KEY*", "*CREDENTIAL*", "*AUTH*", "*COOKIE*"),
    *("*PRIVATE*", "*_PWD", "*DATABASE_URL*", "*CONNECTION_STRING*", "*_DSN", "AWS_*"),
)


class Redactor:
    """Replaces values in the ring bytes of one stream, CPU by CPU in the order of the rings."""

    def __init__(self, layout: Layout, patterns: Iterable[str], capacity: int = 4096) -> None:
        """``patterns`` as a shell has them; ``capacity``: texts that may be under way at once."""
        self._texts = TextRecords(layout)
        any_of = "|".join(fnmatch.translate(pattern.upper()) for pattern in patterns)
        self._secret = re.compile(any_of.encode() if any_of else b"(?!)", re.DOTALL)
        self._open: RecentMap[int, _Strings] = RecentMap(capacity)

    def __call__(self, data: bytes) -> bytes:
        """The same ring bytes without the values."""
        return self._texts.rewrite(data, "envp", self._redacted)

    def _redacted(self, record: bytearray) -> bytes:
        """One record, with the places that its new length brings."""
        texts = self._texts
        id, offset, bits = (texts.get(record, name) for name in ("id", "offset", "bits"))
        strings = self._open.get(id) or _Strings()
        before = strings.removed if offset == strings.seen else strings.lose_track(offset)
        body = strings.clean(bytes(record[texts.head_bytes :]), self._secret)
        for name, value in (
            ("length", len(body)),
            ("offset", offset - before),
            ("total", offset - before + len(body)),
        ):
            texts.put(record, name, value)
        self._open.remove(id)
        if not bits & TEXT_LAST:
            self._open.put(id, strings)
        return bytes(record[: texts.head_bytes]) + body


class _Strings:
    """How far one environment has come: a string may go on in the next piece."""

    def __init__(self) -> None:
        self.seen = 0  # bytes of the text so far
        self.removed = 0  # how many fewer of it are left
        self._name = b""  # of the string that has begun
        self._in_value = self._is_secret = False

    def lose_track(self, offset: int) -> int:
        """A piece is missing: what is next may be the rest of anything, so of a secret."""
        self.seen = offset
        self._in_value = self._is_secret = True
        return self.removed

    def clean(self, body: bytes, secret: re.Pattern[bytes]) -> bytes:
        """The next piece without its secrets; never empty, since places would coincide."""
        parts, rest = [], body
        while rest:
            string, nul, rest = rest.partition(b"\0")
            parts.append(self._string(string, secret) + nul)
            if nul:
                self._name, self._in_value, self._is_secret = b"", False, False
        cleaned = b"".join(parts) or MASK[:1]
        self.seen += len(body)
        self.removed += len(body) - len(cleaned)
        return cleaned

    def _string(self, string: bytes, secret: re.Pattern[bytes]) -> bytes:
        """What is left of a string, or of as much of it as this piece has."""
        if self._in_value:
            return b"" if self._is_secret else string
        name, equals, value = string.partition(b"=")
        self._name += name
        if not equals:
            return string
        self._in_value = True
        self._is_secret = bool(secret.match(self._name.upper()))
        return name + equals + (MASK if self._is_secret else value)
