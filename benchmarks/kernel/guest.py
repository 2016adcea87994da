"""Plays the runs of a plan, in the guest: sets what each mode needs, starts the workload.

    python -m benchmarks.kernel.guest PLAN

PLAN is a JSON file. For the modes of a capture this must be the command that is recorded: the
recorder, which is then the parent, is stopped while a phase is timed.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.kernel import audit, macro, probes
from benchmarks.kernel.plan import PROBES, PROGRAMS, SHIPPED_FILTERS, WORK, Plan, Run
from provcap.errors import GuestError
from provcap.policy import apply, targets
from provcap.policy.model import Policy, opaqueness, with_node_filter, without_filters

BENCH, OPAQUE = f"{WORK}/bench", f"{WORK}/bench-opaque"
_STATISTICS = Path("/proc/sys/kernel/bpf_stats_enabled")
_NO_READER = "0"
_SILENCE_S, _PAUSE_S = 600.0, 10.0  # of the guest: they pass at once


def play(plan: Plan) -> None:
    """Do every run; the lines of all phases go into the plan's file."""
    step = plan.step
    with Path(plan.out).open("a") as out:
        for run in plan.runs:
            with _mode(run.mode) as how:
                for line in [*_phases(run, step, plan.share, *how), *_macro(run, *how)]:
                    out.write(json.dumps({"mode": run.mode, **json.loads(line)}) + "\n")
            step += run.rounds


def _phases(run: Run, step: int, share: int, program: str, reader: str, counters: str) -> list[str]:
    numbers = [step, run.rounds, share]
    words = [program, "play", *map(str, numbers), reader, counters, *run.phases]
    return _said(words)


def _macro(run: Run, program: str, reader: str, counters: str) -> list[str]:
    words = [program, "command", macro.ROOT, reader]
    return [
        line
        for _ in range(run.macro)
        for name, command in macro.COMMANDS.items()
        if not run.commands or name in run.commands
        for line in _said([*words, name, command])
    ]


def _said(words: list[str]) -> list[str]:
    """The lines of a program of ours; what it inherits is not of the measurement."""
    done = subprocess.run(words, cwd=WORK, env={}, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().splitlines()


@contextlib.contextmanager
def _mode(name: str) -> Iterator[tuple[str, str, str]]:
    """The words (program, reader, counters) of a run, within the block under its mode."""
    if name.startswith("probe:"):
        with _probe(name.removeprefix("probe:")) as counters:
            yield BENCH, _NO_READER, counters
    elif name in ("base", "off"):
        _await_silence()
        yield BENCH, _NO_READER, "-"
    elif name == "audit":
        with audit.running() as daemon:
            yield BENCH, str(daemon), "-"
    else:
        with apply.opened() as control:
            control.change_policy(_POLICIES.get(name, shipped))
        if name.startswith("opaque"):
            _make_opaque()
        with _statistics(name.endswith("_programs")):
            yield (
                OPAQUE if name.startswith("opaque") else BENCH,
                _NO_READER if name == "awake" else str(os.getppid()),
                PROGRAMS if name.endswith("_programs") else "-",
            )
        with apply.opened() as control:
            control.change_policy(lambda policy: policy._replace(enabled=True))


def _await_silence() -> None:
    """The kernel frees what is detached one by one, some time later, and its maps after that.

    To free a map takes a walk over all of its table, in the time of whoever is measured then.
    """
    until = time.monotonic() + _SILENCE_S
    while remains(Path("/proc/kallsyms").read_text(), Path("/proc/vmallocinfo").read_text()):
        if time.monotonic() > until:
            raise GuestError("programs or maps are still there long after the capture has ended")
        time.sleep(1)
    time.sleep(_PAUSE_S)


def remains(symbols: str, areas: str) -> bool:
    """Whether there is a program, a trampoline or a map in these lists of the kernel."""
    programs = re.search(r" bpf_(trampoline_\d+|prog_[0-9a-f]{16}\w*)\s", symbols)
    return bool(programs or re.search(r" (\w+_map_alloc|bpf_ringbuf\w*)\+", areas))


def _whole(policy: Policy) -> Policy:
    return without_filters(policy)


def shipped(policy: Policy) -> Policy:
    """The policy with the filters that a capture is shipped with."""
    for kind in SHIPPED_FILTERS:
        policy = with_node_filter(policy, kind, True)
    return policy


_POLICIES: dict[str, Callable[[Policy], Policy]] = {
    "whole": _whole,
    "whole_programs": _whole,
    "switched_off": lambda policy: shipped(policy)._replace(enabled=False),
}


def _make_opaque() -> None:
    """A process that executes an opaque file is opaque, too."""
    shutil.copy(BENCH, OPAQUE)
    with targets.opened_file(OPAQUE) as fd, apply.opened() as control:
        control.mark_file(fd, opaqueness("true"))
        targets.kind_of(fd)  # shows the file to the capture, which takes the mark over


@contextlib.contextmanager
def _statistics(wanted: bool) -> Iterator[None]:
    _STATISTICS.write_text("1" if wanted else "0")
    try:
        yield
    finally:
        _STATISTICS.write_text("0")


@contextlib.contextmanager
def _probe(name: str) -> Iterator[str]:
    """One program of probes.py, attached; ``+stats`` behind its name: its time is counted."""
    name, _, counted = name.partition("+")
    image = Path(WORK) / f"{probes.NAMES[name].object}.bpf.o"
    with (
        probes.attached(image, name, Path(PROBES)),
        _statistics(bool(counted)),
    ):
        yield PROBES if counted else "-"


def read_plan(text: str) -> Plan:
    """The inverse of ``json.dumps`` of a plan."""
    runs, *rest = json.loads(text)
    return Plan([Run(*run) for run in runs], *rest)


if __name__ == "__main__":
    play(read_plan(Path(sys.argv[1]).read_text()))
