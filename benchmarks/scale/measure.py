"""Boots the guests of the measurement and brings back what it found.

Public: :func:`measure`.
"""

from collections.abc import Sequence

from benchmarks import guests
from benchmarks.guests import Report, counting, done
from benchmarks.kernel import recording, results
from benchmarks.kernel.recording import Counted
from benchmarks.kernel.results import Line
from benchmarks.scale.plan import ALONE, CPUS, CROWD_SUMMED, FRESH, SUMMED
from benchmarks.scale.results import Scale, costs
from provcap.vm.kernels import Kernel
from provcap.vm.machine import Machine

_MEMORY_MIB = 4096


def measure(kernel: Kernel, report: Report) -> Scale:
    """Everything that the page tells: a boot with several CPUs, and one with one to grow old on.

    Raises ``SetupError``, and ``GuestError`` if a guest does not count or the workload fails.
    """
    together, of_many = _played(max(CPUS), kernel, report)
    lines, of_one = _played(1, kernel, report)
    alone = [line for line in lines if line["state"] == ALONE]
    aged = [line for line in lines if line["state"] != ALONE]
    return Scale(
        kernel.version,
        guests.compiler(),
        {**costs(together, of_many), **costs(alone, of_one)},
        costs(aged, of_one),
        _records(aged, of_one),
        of_many.lost + of_one.lost,
        SUMMED,
        CROWD_SUMMED,
    )


def _played(cpus: int, kernel: Kernel, report: Report) -> tuple[list[Line], Counted]:
    """The lines of one guest, played without capture first, and what was recorded."""
    with counting(kernel, report, cpus=cpus, memory_mib=_MEMORY_MIB) as (machine, share):
        done(machine, [f"{guests.WORK}/bench", "prepare", str(FRESH)], guests.WORK)
        report(f"playing without capture, CPUs: {cpus}")
        lines = _lines(machine, [], "base")
        report(f"loading the capture, playing under it, CPUs: {cpus}")
        lines += _lines(machine, guests.recording_words(), "shipped")
        done(machine, ["cp", f"{guests.RECORDING}/audit.raw", str(share)])
        return lines, recording.read(share / "audit.raw")


def _lines(machine: Machine, words: Sequence[str], mode: str) -> list[Line]:
    out = f"{guests.WORK}/scale-{mode}"
    done(machine, ["touch", out])
    done(machine, [*words, *guests.python("benchmarks.scale.guest", mode, out)])
    return results.parse(done(machine, ["cat", out]))


def _records(lines: Sequence[Line], counted: Counted) -> dict[str, int]:
    """State -> how many records there had been when its phases began."""
    begin: dict[str, int] = {}
    for line in lines:
        if line["mode"] != "base":
            begin.setdefault(line["state"], line["from_ns"])
    return {state: counted.between(0, at_ns).records for state, at_ns in begin.items()}
