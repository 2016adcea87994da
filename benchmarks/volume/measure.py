"""Boots a guest, records the workloads in it in each way, brings back what was recorded.

Public: :func:`measure`.
"""

import json

from benchmarks import guests
from benchmarks.guests import Report, counting, done
from benchmarks.volume import recorded
from benchmarks.volume.plan import Stretch
from benchmarks.volume.results import Volumes
from provcap.vm.kernels import Kernel

_ROOT = "/tmp/volume"
_MEMORY_MIB = 4096


def measure(kernel: Kernel, report: Report) -> Volumes:
    """What the page tells, of one recording with every way to record in it.

    Raises ``SetupError``, and ``GuestError`` if a workload fails.
    """
    with counting(kernel, report, memory_mib=_MEMORY_MIB) as (machine, share):
        report("preparing the workloads")
        done(machine, guests.python("benchmarks.volume.guest", "prepare", _ROOT))
        report("loading the capture, doing the workloads under it")
        out = f"{guests.WORK}/stretches"
        played = guests.python("benchmarks.volume.guest", "play", _ROOT, out)
        done(machine, [*guests.recording_words(), *played])
        done(machine, ["cp", f"{guests.RECORDING}/audit.raw", str(share)])
        lines = map(json.loads, done(machine, ["cat", out]).splitlines())
        report("reading the recording")
        modes, lost = recorded.read(share / "audit.raw", [Stretch(*line) for line in lines])
    return Volumes(kernel.version, modes, lost)
