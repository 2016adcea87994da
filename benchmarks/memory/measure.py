"""Boots a guest, fills its memory with objects without and with capture, compares.

Public: :func:`measure`.
"""

import json
from collections.abc import Sequence
from typing import Any

from benchmarks import guests
from benchmarks.guests import Report, counting, done
from benchmarks.kernel import recording
from benchmarks.memory.plan import KINDS
from benchmarks.memory.results import Footprint, held
from benchmarks.memory.slab import Snapshot
from provcap.vm.kernels import Kernel
from provcap.vm.machine import Machine

CPUS = 1
_MEMORY_MIB = 4096


def measure(kernel: Kernel, report: Report) -> Footprint:
    """What the page tells, of one boot.

    Raises ``SetupError``, and ``GuestError`` if the workload fails.
    """
    with counting(kernel, report, cpus=CPUS, memory_mib=_MEMORY_MIB) as (machine, share):
        report("making objects without capture")
        base = _found(machine, [], "base")
        report("loading the capture, making objects under it")
        recorded = _found(machine, guests.recording_words(), "recorded")
        done(machine, ["cp", f"{guests.RECORDING}/audit.raw", str(share)])
        lost = recording.read(share / "audit.raw").lost
    kinds = {
        name: held(kind.number, _moments(base, name), _moments(recorded, name))
        for name, kind in KINDS.items()
    }
    return Footprint(
        kernel.version,
        CPUS,
        recorded["maps"],
        recorded["programs"],
        recorded["program_bytes"],
        kinds,
        lost,
    )


def _found(machine: Machine, words: Sequence[str], mode: str) -> dict[str, Any]:
    out = f"{guests.WORK}/memory-{mode}"
    done(machine, [*words, *guests.python("benchmarks.memory.guest", mode, out)])
    found: dict[str, Any] = json.loads(done(machine, ["cat", out]))
    return found


def _moments(found: dict[str, Any], kind: str) -> list[Snapshot]:
    return [Snapshot(**moment) for moment in found["kinds"][kind]]
