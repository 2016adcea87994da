"""Boots a guest that counts instructions, plays the workload there, brings back what it found.

Public: :func:`measure`.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import guests
from benchmarks.guests import BUILD, Report, compiler, done, require_count
from benchmarks.kernel import audit, macro, recording, results
from benchmarks.kernel.plan import (
    AUDITED,
    MACRO_ROUNDS,
    QUICK,
    QUICK_PROGRAMS,
    WORK,
    Plan,
    Run,
    recorded_runs,
)
from benchmarks.kernel.probes import NAMES, OBJECTS
from benchmarks.kernel.recording import Counted
from benchmarks.kernel.results import Line, Phase, Results, Volume
from provcap.errors import GuestError, SetupError
from provcap.vm.kernels import Kernel
from provcap.vm.machine import Machine

AUDIT_SHARE = 8  # so few repetitions that all that is audited can wait for the daemon
_PARTS = ("bench", "nothing", *OBJECTS)


def measure(kernel: Kernel, quick: bool, report: Report = lambda step: None) -> Results:
    """Everything that the page tells, of one boot.

    Raises ``SetupError`` if something is not built, ``GuestError`` if the guest does not count
    instructions, or if the workload fails there.
    """
    guests.require_built((*_PARTS, "compiler", "macro"))
    with (
        tempfile.TemporaryDirectory(prefix="provcap-bench-") as folder,
        Machine(
            kernel, share=Path(folder), kernel_args=["lsm=bpf"], icount=True, report=report
        ) as machine,
    ):
        return _Guest(machine, Path(folder), report).measure(quick)


def lay_out(machine: Machine, steps: int) -> None:
    """The workload with its files, in memory: a file of the host would be waited for."""
    done(machine, ["mkdir", "-m", "755", WORK])
    done(machine, ["cp", *(str(BUILD / part) for part in _PARTS), WORK])
    done(machine, [f"{WORK}/bench", "prepare", str(steps)], cwd=WORK)


class _Guest:
    def __init__(self, machine: Machine, share: Path, report: Report) -> None:
        self._machine = machine
        self._share = share
        self._report = report

    def measure(self, quick: bool) -> Results:
        base, recorded, off, audited = _plans(quick)
        lay_out(self._machine, audited.steps)
        require_count(self._machine)
        if not quick:
            self._run(["cp", "-r", str(BUILD / "macro"), macro.ROOT])
            self._run(["mknod", "-m", "666", f"{macro.ROOT}/dev/null", "c", "1", "3"])
        self._report("playing the workload without capture")
        lines = self._play(base, [])
        self._report("loading the capture, playing the workload under it")
        lines += self._play(recorded, recording_words(QUICK_PROGRAMS if quick else None))
        self._report("playing the workload without capture again")
        lines += self._play(off, [])
        without = {} if quick else self._play_audited(audited, lines)
        self._run(["cp", f"{guests.RECORDING}/audit.raw", str(self._share)])
        counted = recording.read(self._share / "audit.raw")
        return Results(
            self._machine.kernel.version,
            compiler(),
            _modes(lines, counted),
            counted.sizes,
            counted.lost,
            _least(lines),
            _macro_volume(lines, counted),
            without,
            len(QUICK_PROGRAMS) if quick else 0,
        )

    def _play_audited(self, plan: Plan, lines: list[Line]) -> dict[str, str]:
        """The same with auditd, last: once audit was on, system calls stay dearer until reboot.

        Returns why not, if it does not work here: nothing else depends on it.
        """
        self._report("playing the workload under auditd")
        try:
            audit.fetch()
            lines += self._play(plan, [])
        except (GuestError, SetupError) as error:
            return {"audit": str(error).splitlines()[-1]}
        return {}

    def _play(self, plan: Plan, recorded: Sequence[str]) -> list[Line]:
        """The lines of all phases; ``recorded``: the words that record what comes behind them."""
        name = self._share / "plan.json"
        name.write_text(json.dumps(plan))
        self._run(["touch", plan.out])  # a file that is made is not to be part of the recording
        words = [*recorded, sys.executable, "-m", "benchmarks.kernel.guest", str(name)]
        self._run(words)
        return results.parse(self._run(["cat", plan.out]))

    def _run(self, words: list[str]) -> str:
        return done(self._machine, words)


def recording_words(programs: Sequence[str] | None) -> list[str]:
    """The words that record a command in the guest, with these programs alone (None: all)."""
    if programs is None:
        return guests.recording_words()
    words = [sys.executable, "-m", "benchmarks.kernel.recorder", f"{guests.RECORDING}/audit.raw"]
    return [*words, ",".join(programs)]


def _plans(quick: bool) -> tuple[Plan, Plan, Plan, Plan]:
    """What is played before, during and after the recording, and under auditd."""
    share = 4 if quick else 1
    recorded = recorded_runs(quick)
    phases = recorded[0].phases
    probes = [
        Run(f"probe:{name}{counted}", probe.phases, probe.rounds)
        for name, probe in NAMES.items()
        if not quick or set(probe.phases) <= set(QUICK)
        for counted in ("", "+stats")
    ]
    again = 0 if quick else MACRO_ROUNDS
    base = Plan([Run("base", phases, 3, again), *probes], f"{WORK}/base", 0, share)
    during = Plan(recorded, f"{WORK}/recorded", base.steps, share)
    off = Plan([Run("off", phases, 2)], f"{WORK}/off", during.steps, share)
    audited = Plan([Run("audit", AUDITED, 2)], f"{WORK}/audited", off.steps, AUDIT_SHARE)
    return base, during, off, audited


def _least(lines: Sequence[Line]) -> dict[str, dict[str, float]]:
    """Mode -> command of the macro set -> instructions, the least of all rounds."""
    least: dict[str, dict[str, float]] = {}
    for line in lines:
        if line["phase"] in macro.COMMANDS:
            found = least.setdefault(line["mode"], {})
            name, taken = line["phase"], float(line["instructions"])
            found[name] = min(taken, found.get(name, taken))
    return least


def _macro_volume(lines: Sequence[Line], counted: Counted) -> Volume | None:
    """What was recorded of the macro set in its first round, when everything in it is new."""
    first: dict[str, Line] = {}
    for line in lines:
        if line["mode"] == "shipped" and line["phase"] in macro.COMMANDS:
            first.setdefault(line["phase"], line)
    if not first:
        return None
    parts = [counted.between(line["from_ns"], line["to_ns"]) for line in first.values()]
    return Volume(*(sum(column) for column in zip(*parts, strict=True)))


def _modes(lines: Sequence[Line], counted: Counted) -> dict[str, dict[str, Phase]]:
    reads = results.clock_reads(lines)
    modes: dict[str, dict[str, Phase]] = {}
    for (mode, name), line in results.best_rounds(lines).items():
        if name in macro.COMMANDS:
            continue
        unrecorded = mode in ("base", "off", "audit") or mode.startswith("probe:")
        volume = None if unrecorded else counted.between(line["from_ns"], line["to_ns"])
        modes.setdefault(mode, {})[name] = results.phase(line, reads, volume)
    return modes
