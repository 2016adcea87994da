"""Makes raw recordings in memory from synthetic batches."""

import io
from collections.abc import Sequence

from provcap.capture import disclosed
from provcap.capture.raw import Header, RawWriter, Status
from provcap.records import Origin, Writer
from provcap.services.ledger import Acting, Ledger
from tests.batches import LAYOUT, batch, event, node, path

ORIGIN = Origin(28, 509509127, 1_700_000_000 * 10**9, {"sysname": "Linux", "nodename": "host1"})
HEADER = Header(ORIGIN, LAYOUT, "0" * 64, 2, "0.1.0", 10**9)


def status(final: bool = False, **counters: int) -> Status:
    """Counters of CPU 0; those of CPU 1 are empty."""
    return Status(10**9, final, {0: counters, 1: {}}, {0: 0, 1: 0}, {"file_open": 0})


def recording(
    rings: Sequence[tuple[int, bytes]],
    first: Status | None = None,
    last: Status | None = None,
    said: Sequence[disclosed.Disclosed] = (),
) -> bytes:
    """A whole recording of these (CPU, ring bytes), with the statuses that are given.

    ``said`` is what applications disclosed; its block stands behind the rings.
    """
    file = io.BytesIO()
    writer = RawWriter(file, HEADER)
    if first:
        writer.status(first)
    for cpu, data in rings:
        writer.ring(cpu, data)
    if said:
        writer.disclosed(disclosed.pack(said), said[0].at_ns)
    if last:
        writer.status(last)
    writer.end()
    return file.getvalue()


def small_rings() -> list[tuple[int, bytes]]:
    """What two CPUs say of a shell that reads a file, CPU 1 first though it is the later."""
    memory, file = ("process_memory", 9, 0), ("file", 7, 0)
    first = batch(
        path(b"/bin/sh", memory, at_ns=2),
        node("task", 8, at_ns=3, pid=77, memory=9, comm=b"sh"),
        node("process_memory", 9, at_ns=3, tgid=77),
        event("read", file, memory, through=(8, 0), at_ns=4),
    )
    second = batch(event("write", ("process_memory", 9, 1), file, through=(8, 1), at_ns=9), cpu=1)
    return [(1, second), (0, first)]


def small_disclosures() -> list[disclosed.Disclosed]:
    """What the shell of ``small_rings`` discloses after it has read: a run, and a log line."""
    ledger, writer = Ledger(ORIGIN, 5), Writer(77, 1000, 1000)
    requests = ({"do": "activity", "name": "the run"}, {"do": "log", "text": "done"})
    return [
        record
        for request in requests
        for record in ledger.take(
            request, writer, lambda: Acting(8, 0, True), lambda: (6, 1)
        ).records
    ]
