"""The ring is drained as the kernel filled it, over a memory image that stands in for it."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provcap.bpf.ring import BUSY, DISCARD, Batch, RingMemory
from provcap.errors import KernelError

SIZE = 256


class Kernel:
    """Fills a ring as the kernel does; ``data`` holds every byte twice, as the mapping shows it."""

    def __init__(self, start: int = 0) -> None:
        self.consumer, self.producer = bytearray(4096), bytearray(4096)
        self.data = bytearray(2 * SIZE)
        self.at = start
        for page in (self.consumer, self.producer):
            struct.pack_into("L", page, 0, start)

    def write(self, payload: bytes, flags: int = 0) -> bool:
        """Reserve and commit; ``False`` if the ring is full."""
        record = struct.pack("II", len(payload) | flags, 3) + payload
        record += bytes(-len(record) % 8)
        if self.at + len(record) - struct.unpack_from("L", self.consumer)[0] > SIZE - 1:
            return False
        for index, byte in enumerate(record):
            place = (self.at + index) % SIZE
            self.data[place] = self.data[place + SIZE] = byte
        self.at += len(record)
        struct.pack_into("L", self.producer, 0, self.at)
        return True

    def commit(self, position: int, length: int) -> None:
        for copy in (0, SIZE):
            struct.pack_into("I", self.data, position % SIZE + copy, length)

    def reader(self) -> RingMemory:
        return RingMemory(
            4, memoryview(self.consumer), memoryview(self.producer), memoryview(self.data)
        )


def test_an_empty_ring_gives_nothing():
    """No record, no bytes, no stall."""
    ring = Kernel().reader()

    assert ring.drain() == Batch(4, b"", [])
    assert ring.drain_raw() == b""
    assert ring.stalled_s() == 0


def test_payloads_come_in_order_without_the_discarded():
    """A discarded record is passed over and its space given back."""
    kernel = Kernel()
    kernel.write(b"first")
    kernel.write(b"never", DISCARD)
    kernel.write(b"third, longer")
    ring = kernel.reader()

    assert ring.drain().payloads() == [b"first", b"third, longer"]
    assert ring.fill_bytes() == 0


def test_the_raw_block_keeps_heads():
    """What drain_raw gives is the ring's bytes, the discarded record with its mark."""
    kernel = Kernel()
    kernel.write(b"one")
    kernel.write(b"two", DISCARD)

    block = kernel.reader().drain_raw()

    heads = [struct.unpack_from("I", block, at)[0] for at in (0, 16)]
    assert heads == [3, 3 | DISCARD]
    assert len(block) == 32


@pytest.mark.parametrize("drain", ["drain", "drain_raw"])
def test_a_busy_record_holds_up_what_follows(drain):
    """The drain stops before it, notes the stall, and goes on once it is committed."""
    kernel = Kernel()
    kernel.write(b"done")
    kernel.write(b"open", BUSY)
    kernel.write(b"late")
    ring = kernel.reader()
    getattr(ring, drain)()

    assert ring.fill_bytes() == 32
    assert ring.drain().payloads() == []
    assert ring.stalled_s() > 0

    kernel.commit(16, 4)

    assert ring.drain().payloads() == [b"open", b"late"]
    assert ring.stalled_s() == 0


def test_a_full_ring_is_drained_whole():
    """Every record that fitted comes out."""
    kernel = Kernel()
    written = 0
    while kernel.write(bytes([written]) * 8):
        written += 1

    assert len(kernel.reader().drain().payloads()) == written == SIZE // 16 - 1


def test_a_limit_leaves_the_rest_for_later():
    """A drain ends soon after its limit; the next one continues."""
    kernel = Kernel()
    for index in range(6):
        kernel.write(bytes([index]) * 8)
    ring = kernel.reader()

    assert len(ring.drain(limit_bytes=32).payloads()) == 2
    assert len(ring.drain().payloads()) == 4


@given(st.lists(st.tuples(st.binary(max_size=60), st.booleans(), st.booleans())))
def test_nothing_is_lost_or_changed_over_any_wrap(steps):
    """Whatever is written and whenever it is drained, the same payloads come out in order."""
    kernel = Kernel(start=(1 << 40) + 248)
    ring = kernel.reader()
    sent, received = [], []
    for payload, discarded, drain_now in steps:
        if kernel.write(payload, DISCARD if discarded else 0) and not discarded:
            sent.append(payload)
        if drain_now:
            received += ring.drain().payloads()
    received += ring.drain().payloads()

    assert received == sent


@given(st.binary(min_size=2 * SIZE, max_size=2 * SIZE), st.integers(0, 1 << 12))
def test_a_damaged_ring_gives_bytes_or_a_named_error(data, waiting):
    """Any memory content ends in a batch or in KernelError."""
    kernel = Kernel()
    kernel.data[:] = data
    struct.pack_into("L", kernel.producer, 0, waiting)
    try:
        kernel.reader().drain().payloads()
    except KernelError:
        return
