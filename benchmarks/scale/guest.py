"""Plays one part of the measurement in the guest, recorded or not.

    python -m benchmarks.scale.guest MODE OUT

In a guest with several CPUs these do the same at once, in a guest with one it grows old. MODE is
``base``, or ``shipped``: then this must be the command that is recorded, and the recorder is
stopped while a phase is timed. Each line that the workload says goes to the file OUT with ``mode``
and ``state``.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.guests import WORK
from benchmarks.kernel.guest import shipped
from benchmarks.kernel.plan import PROGRAMS
from benchmarks.kernel.results import Line, parse
from benchmarks.scale.plan import (
    AGED,
    ALONE,
    COUNTED_ROUNDS,
    CPUS,
    CROWD_SUMMED,
    FRESH,
    ROUNDS,
    SUMMED,
    Step,
    steps,
)
from provcap.bpf.programs import statistics
from provcap.policy import apply

BENCH = f"{WORK}/bench"
MANY = Path(WORK) / "many"
_IN_A_FOLDER = 1000


def play(mode: str, out: Path) -> None:
    """Do everything and write what was said."""
    reader = "0"
    if mode == "shipped":
        reader = str(os.getppid())
        with apply.opened() as control:
            control.change_policy(shipped)
    with out.open("a") as file:
        recorded = mode != "base"
        for line in (_alone if os.cpu_count() == 1 else _together)(recorded, reader):
            file.write(json.dumps({"mode": mode, **line}) + "\n")


def _together(recorded: bool, reader: str) -> Iterator[Line]:
    """On as many CPUs as are wanted, one number after the other."""
    for cpus in CPUS:
        yield from _crowd(str(cpus), cpus, recorded, reader)


def _crowd(state: str, cpus: int, recorded: bool, reader: str) -> Iterator[Line]:
    yield from _said(state, "crowd", str(cpus), str(ROUNDS), "1", reader, "-")
    if recorded:
        rounds = str(COUNTED_ROUNDS)
        words = ["crowd", str(cpus), rounds, "1", reader, PROGRAMS, *CROWD_SUMMED]
        yield from _counted(state, words)


def _alone(recorded: bool, reader: str) -> Iterator[Line]:
    """The same on one CPU; then each state's phases, with names that are fresh in each."""
    yield from _crowd(ALONE, 1, recorded, reader)
    first = FRESH // 2 if recorded else 0
    for place, step in enumerate(steps(recorded)):
        _come_to(step)
        fresh = str(first + place * ROUNDS)
        yield from _said(step.state, "play", fresh, str(ROUNDS), "1", reader, "-", *AGED)
        if recorded:
            yield from _counted(step.state, ["play", fresh, "2", "1", reader, PROGRAMS, *SUMMED])
    if not recorded:  # for the next time; else the guest ends
        subprocess.run(["rm", "-r", MANY], check=True)


def _counted(state: str, words: Sequence[str]) -> list[Line]:
    """The same once more while the kernel counts the run time of each program."""
    with statistics():
        lines = _said(state, *words)
    return [{**line, "mode": "shipped_programs"} for line in lines]


def _come_to(step: Step) -> None:
    """Make what is missing, let time pass; the reader is awake meanwhile."""
    time.sleep(step.idle_s)
    for number in range(len(list(MANY.glob("*/*"))) if MANY.exists() else 0, step.files):
        folder = MANY / str(number // _IN_A_FOLDER)
        if not number % _IN_A_FOLDER:
            folder.mkdir(parents=True)
        os.close(os.open(folder / str(number), os.O_CREAT | os.O_WRONLY))
    if step.churn:
        _said(step.state, "play", "0", str(step.churn), "1", "0", "-", "copy_many")


def _said(state: str, *words: str) -> list[Line]:
    """The lines of the workload; what it inherits is not of the measurement."""
    done = subprocess.run([BENCH, *words], cwd=WORK, env={}, stdout=subprocess.PIPE, check=True)
    return [{"state": state, **line} for line in parse(done.stdout.decode())]


if __name__ == "__main__":
    play(sys.argv[1], Path(sys.argv[2]))
