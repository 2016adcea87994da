"""Reads a file in bursts on one CPU after the other, and says what that should have left.

    burst.py FILE READS

Run it under a recorder. Each burst is done once with the recorder running and once with it stopped.
A line for each: CPU, whether the recorder was stopped, the CPU's sequence number before and after,
how much the counter of refused events went up, how much all others did. A burst that something else
on the CPU ran into is done again.
"""

import os
import signal
import sys
import time

from provcap.bpf import loader
from provcap.bpf.layout import object_layout
from provcap.bpf.maps import Map, u32
from provcap.bpf.pins import Pins

TRIES = 20


class Counters:
    """What the kernel side counts for one CPU, read past the recorder."""

    def __init__(self) -> None:
        layout = object_layout(loader.read_object(loader.find_object()))
        self._record = layout.record("prov_cpu")
        self._events = layout.enum("prov_counter")["COUNT_EVENT_RING_FULL"]
        self._map = Map.pinned(Pins().maps / "cpus")

    def __call__(self, cpu: int) -> tuple[int, int, int]:
        """(sequence number, refused events, everything else that was lost)."""
        values = self._record.unpack(self._map.lookup_percpu(u32(0))[cpu])
        refused = values["counts"][self._events]
        return values["seq"], refused, sum(values["counts"]) - refused


def burst(counters: Counters, cpu: int, fd: int, reads: int) -> str | None:
    """Read so often; None if the CPU recorded anything else meanwhile."""
    before = counters(cpu)
    for _ in range(reads):
        os.pread(fd, 1, 0)
    after = counters(cpu)
    if after[0] - before[0] != reads:
        return None
    return f"{before[0]} {after[0]} {after[1] - before[1]} {after[2] - before[2]}"


def main() -> None:
    fd, reads = os.open(sys.argv[1], os.O_RDONLY), int(sys.argv[2])
    counters, recorder, lines = Counters(), os.getppid(), []
    for stopped in (False, True):
        for cpu in range(os.cpu_count() or 1):
            os.sched_setaffinity(0, {cpu})
            os.kill(recorder, signal.SIGSTOP if stopped else signal.SIGCONT)
            time.sleep(0.1)
            done = (burst(counters, cpu, fd, reads) for _ in range(TRIES))
            lines.append(f"{cpu} {stopped:d} {next(line for line in done if line)}")
            os.kill(recorder, signal.SIGCONT)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
