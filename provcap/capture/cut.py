"""Cuts what is in packets to a bound, before anything of a ring is written anywhere."""

from provcap.capture.layout import Layout
from provcap.capture.rewrite import TextRecords
from provcap.vocabulary import TEXT_TRUNCATED

MOST_BYTES = 4096  # what the kernel side takes of a packet


class ContentBound:
    """Leaves at most so many bytes of each packet in the ring bytes of a stream."""

    def __init__(self, layout: Layout, most_bytes: int) -> None:
        """``most_bytes``: at most ``MOST_BYTES``, all that the kernel side hands over."""
        self._texts = TextRecords(layout)
        self._most_bytes = most_bytes

    def __call__(self, data: bytes) -> bytes:
        """The same ring bytes, contents cut; a text tells its whole length in any case."""
        return self._texts.rewrite(data, "packet_content", self._cut)

    def _cut(self, record: bytearray) -> bytes:
        length = self._texts.get(record, "length")
        if length <= self._most_bytes:
            return bytes(record)
        self._texts.put(record, "length", self._most_bytes)
        self._texts.put(record, "bits", self._texts.get(record, "bits") | TEXT_TRUNCATED)
        return bytes(record[: self._texts.head_bytes + self._most_bytes])
