"""Drains one BPF ring buffer: the producer is the kernel, the consumer is this process.

``Ring`` maps the memory of one ring map; ``RingMemory`` is the reading itself and works on any two
buffers. A drain returns one block of consecutive records, each behind the kernel's 8-byte head:

    u32 length of the payload | BUSY (bit 31: not committed yet) | DISCARD (bit 30: not to be read)
    u32 page offset, of no use here
    payload, padded so that the next head starts at a multiple of 8

``drain_raw`` gives the block alone, for a decoder that walks it; ``drain`` also gives the offset of
each payload in it.
"""

import mmap
import time
from typing import NamedTuple, Self

from provcap.errors import KernelError

BUSY, DISCARD, LENGTH_MASK = 1 << 31, 1 << 30, (1 << 30) - 1
HEAD_BYTES = 8


class Batch(NamedTuple):
    """Records of one CPU in ring order.

    ``data`` is the block with heads; a payload begins at each of ``offsets`` (bytes into ``data``),
    discarded records left out. The payload's length is in the four bytes 8 before it.
    """

    cpu: int
    data: bytes
    offsets: list[int]

    def payloads(self) -> list[bytes]:
        """Each payload as bytes of its own."""
        data, heads = self.data, memoryview(self.data).cast("I")
        return [data[at : at + (heads[(at - 8) >> 2] & LENGTH_MASK)] for at in self.offsets]


class RingMemory:
    """Reads records out of mapped memory.

    ``consumer`` and ``producer`` begin with a position (unsigned long, bytes since the ring was
    made); ``data`` shows the ring's bytes twice, one copy behind the other, so that a record which
    wraps is contiguous. Its first half is the ring: a power of two of bytes.
    """

    def __init__(
        self, cpu: int, consumer: memoryview, producer: memoryview, data: memoryview
    ) -> None:
        """Take views of bytes; only the position in ``consumer`` is ever written."""
        self.cpu = cpu
        self.size_bytes = len(data) // 2
        if self.size_bytes & (self.size_bytes - 1) or self.size_bytes < HEAD_BYTES:
            raise KernelError(f"a ring has a power of two of bytes, not {self.size_bytes}")
        self._consumer = consumer[:8].cast("L")
        self._producer = producer[:8].cast("L")
        self._data = data
        self._heads = data.cast("I")[::2]  # one head can start at every eighth byte
        self._busy_at = -1  # position of the uncommitted record that stopped the last drain
        self._busy_since_s = 0.0

    def fill_bytes(self) -> int:
        """Bytes that wait to be drained, uncommitted records among them."""
        return int(self._producer[0] - self._consumer[0])

    def drain_raw(self, limit_bytes: int = 1 << 30) -> bytes:
        """Take every committed record as one block with heads, ``b""`` if there is none.

        Stops at the first uncommitted record, or soon after ``limit_bytes``. Discarded records stay
        in the block: their head says so. Raises ``KernelError`` if the ring is damaged.
        """
        start, end = self._bounds(limit_bytes)
        heads, at, discard = self._heads, start, DISCARD
        while at < end:
            head = heads[at]
            if head < discard:  # the usual case first: neither bit is set
                at += (head + 15) >> 3
            elif head >= BUSY:
                break
            else:
                at += ((head & LENGTH_MASK) + 15) >> 3
        return self._take(start, at, end)

    def drain(self, limit_bytes: int = 1 << 30) -> Batch:
        """As ``drain_raw``, with the offset of each payload."""
        start, end = self._bounds(limit_bytes)
        heads, at, discard = self._heads, start, DISCARD
        found: list[int] = []
        add = found.append
        while at < end:
            head = heads[at]
            if head < discard:
                add(at)
                at += (head + 15) >> 3
            elif head >= BUSY:
                break
            else:
                at += ((head & LENGTH_MASK) + 15) >> 3
        data = self._take(start, at, end)
        return Batch(self.cpu, data, [((at - start) << 3) + HEAD_BYTES for at in found])

    def stalled_s(self) -> float:
        """Seconds for which one and the same uncommitted record has held up the ring (0: none).

        Measured from the drain that met it first, so it needs drains to be noticed.
        """
        if self._busy_at < 0 or self._busy_at != self._consumer[0]:
            return 0.0
        return time.monotonic() - self._busy_since_s

    # Memory order. The kernel commits a record by clearing BUSY after its payload is written, and
    # reuses space only behind the consumer position. So the reader must see the producer position,
    # then the head, then the payload, and write the consumer position after the copy. x86 keeps
    # loads in order and never moves a store before an earlier load, and each bytecode runs to its
    # end before the next, so no compiler reorders them either. A CPU with weaker order (arm64)
    # needs acquire loads and a release store, which Python cannot say: use a native drain there.

    def _bounds(self, limit_bytes: int) -> tuple[int, int]:
        """First and last head index (in eights of bytes) to look at."""
        consumer = self._consumer[0]
        waiting = self._producer[0] - consumer
        if not 0 <= waiting <= self.size_bytes or consumer % 8:
            raise KernelError(f"ring of CPU {self.cpu} is damaged: {waiting} bytes wait in it")
        start = (consumer & (self.size_bytes - 1)) >> 3
        return start, start + (min(waiting, max(limit_bytes, HEAD_BYTES)) + 7 >> 3)

    def _take(self, start: int, stop: int, end: int) -> bytes:
        """Copy the heads' range and give the space back to the kernel in one store."""
        consumer = self._consumer[0]
        if stop > start + (self._producer[0] - consumer >> 3):
            raise KernelError(f"ring of CPU {self.cpu} is damaged: a record passes the end")
        data = bytes(self._data[start << 3 : stop << 3])
        consumer += len(data)
        if data:
            self._consumer[0] = consumer
        if stop < end:
            self._note_busy(consumer)
        else:
            self._busy_at = -1
        return data

    def _note_busy(self, position: int) -> None:
        if position != self._busy_at:
            self._busy_at, self._busy_since_s = position, time.monotonic()

    def release(self) -> None:
        """Give up the views, so that the memory can be unmapped."""
        for view in (self._consumer, self._producer, self._heads, self._data):
            view.release()


class Ring(RingMemory):
    """One ring map of the kernel, mapped; a context manager that unmaps it.

    Leaving it loses no record: the consumer position lives in the kernel's memory, so the next
    reader goes on where this one stopped. Two readers at once would read records twice.
    """

    def __init__(self, cpu: int, fd: int, size_bytes: int) -> None:
        """Map the ring behind ``fd`` (which stays the caller's); raises ``KernelError``."""
        page = mmap.PAGESIZE
        try:
            # The kernel allows writing to the page with the consumer position only.
            self._position_page = mmap.mmap(fd, page, mmap.MAP_SHARED)
            self._pages = mmap.mmap(
                fd, page + 2 * size_bytes, mmap.MAP_SHARED, mmap.PROT_READ, offset=page
            )
        except OSError as error:
            raise KernelError(f"cannot map the ring of CPU {cpu}: {error}") from error
        self.fd = fd
        whole = memoryview(self._pages)
        super().__init__(cpu, memoryview(self._position_page), whole[:page], whole[page:])

    def fileno(self) -> int:
        """Descriptor to wait on with poll or epoll: readable after a wake-up of the kernel."""
        return self.fd

    def close(self) -> None:
        """Unmap; what is not drained stays in the ring."""
        self.release()
        try:
            self._pages.close()
            self._position_page.close()
        except BufferError:  # a view outside still refers to it: freed with that view
            pass

    def __enter__(self) -> Self:
        """The ring itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Unmap."""
        self.close()
