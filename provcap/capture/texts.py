"""Puts texts together again that came in pieces: command lines of up to 128 kB and long paths."""

from typing import NamedTuple

from provcap.capture.decoder import TextRecord
from provcap.vocabulary import TEXT_LAST, TEXT_TRUNCATED

PIECE_COST_BYTES = 256  # memory that a piece takes beside its text

_Key = tuple[int, int, int]  # kind, id, node


class Text(NamedTuple):
    """A text as far as it arrived; ``head`` is its first piece (for everything but the text)."""

    head: TextRecord
    body: bytes
    truncated: bool


class Texts:
    """Collects pieces by (kind, id, node), within bounded memory and time."""

    def __init__(self, wait_ns: int, limit_bytes: int) -> None:
        """A text is given up ``wait_ns`` after its first piece, or when too much is held."""
        self._wait_ns = wait_ns
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._open: dict[_Key, _Pieces] = {}  # in order of their first pieces

    def add(self, piece: TextRecord) -> Text | None:
        """The whole text if this piece completes it."""
        if piece.offset == 0 and piece.bits & TEXT_LAST:
            return Text(piece, piece.text, bool(piece.bits & TEXT_TRUNCATED))
        key = (piece.kind, piece.id, piece.node)
        pieces = self._open.setdefault(key, _Pieces(piece))
        self._held_bytes -= pieces.cost_bytes
        pieces.add(piece)
        self._held_bytes += pieces.cost_bytes
        return self._close(key) if pieces.whole else None

    def overdue(self, now_ns: int) -> list[Text]:
        """The texts whose time is over, as far as they arrived; oldest first."""
        given_up = []
        while self._open:
            key = next(iter(self._open))
            in_time = now_ns - self._open[key].head.at_ns < self._wait_ns
            if in_time and self._held_bytes <= self._limit_bytes:
                break
            given_up.append(self._close(key))
        return given_up

    def finish(self) -> list[Text]:
        """All texts that are still open, as far as they arrived."""
        return [self._close(key) for key in list(self._open)]

    def _close(self, key: _Key) -> Text:
        pieces = self._open.pop(key)
        self._held_bytes -= pieces.cost_bytes
        return pieces.text()


class _Pieces:
    """The pieces of one text by offset."""

    def __init__(self, head: TextRecord) -> None:
        self.head = head
        self.bytes = 0
        self._total: int | None = None  # known from the last piece only
        self._parts: dict[int, bytes] = {}
        self._truncated = False

    @property
    def cost_bytes(self) -> int:
        """Memory that the pieces take, roughly: empty ones cost something, too."""
        return self.bytes + PIECE_COST_BYTES * len(self._parts)

    @property
    def whole(self) -> bool:
        """Whether nothing is missing any more."""
        return self._total is not None and self.bytes >= self._total

    def add(self, piece: TextRecord) -> None:
        if piece.bits & TEXT_LAST:
            self._total = piece.total
        self.bytes += len(piece.text) - len(self._parts.get(piece.offset, b""))
        self._parts[piece.offset] = piece.text
        self._truncated |= bool(piece.bits & TEXT_TRUNCATED)

    def text(self) -> Text:
        """What follows without a gap from the start: of what is behind one nothing can be said."""
        body = bytearray()
        while part := self._parts.get(len(body)):
            body += part
        whole = len(body) == self._total
        return Text(self.head, bytes(body), self._truncated or not whole)
