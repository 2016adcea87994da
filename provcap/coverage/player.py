"""Plays the workload in a guest and reads back what was recorded of it.

Public: :func:`compile_program`, :func:`prepare`, :func:`record`, :data:`WORK`, :data:`DEVICES`.
"""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

from provcap.coverage.recorded import Recording, failures, parse_names
from provcap.errors import GuestError, SetupError
from provcap.vm.machine import Machine, Result

WORK = "/tmp/coverage"
DEVICES = ("edu",)
"""What the guest must have: a device without a driver, for one that asks for firmware."""

SOURCES = Path(str(resources.files("provcap.coverage"))) / "workload"
TIMEOUT_S = 600.0
_FLAGS = ["-O1", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", "-static"]
_INSTALL = "apt-get install gcc libc6-dev"
_ALONE = "quiet"  # a program without a library, which others execute

RecordCommand = Callable[[list[str], Path, list[str]], list[str]]
"""Words that record a command into a folder with some options."""


def compile_program(folder: Path) -> Path:
    """The workload's program, compiled into ``folder``; raises SetupError without a compiler."""
    sources = sorted(path for path in SOURCES.glob("*.c") if path.stem != _ALONE)
    program = folder / "act"
    _compile([*_FLAGS, "-o", str(program), *map(str, sources)])
    _compile([*_FLAGS, "-nostdlib", "-o", str(folder / _ALONE), str(SOURCES / f"{_ALONE}.c")])
    return program


def prepare(machine: Machine, program: Path, work: str = WORK) -> str:
    """Lay out ``work`` in the guest; returns the names that the program gave to what it made."""
    assert machine.share, "the guest need not see where its kernel is kept"
    image = shutil.copy(machine.kernel.vmlinuz, machine.share / "vmlinuz")
    setup = ["sh", str(SOURCES / "setup.sh"), work, str(image)]
    _done(machine.run(setup), "setting up the workload")
    return _done(machine.run([str(program), "prepare", work]), "preparing the workload")


def record(
    machine: Machine, program: Path, operations: Sequence[str], command_of: RecordCommand
) -> Recording:
    """Play these operations and record them; the guest's shared folder takes the recording."""
    assert machine.share, "the recording must come out of the guest"
    out = machine.share / "recording"
    told = prepare(machine, program)
    play = [str(program), "run", WORK, *operations]
    script = ["sh", "-c", f'exec "$@" >{out}.names', "sh", *play]
    result = machine.run(command_of(script, out, []), timeout_s=TIMEOUT_S)
    if not (out / "audit.raw").exists():
        _done(result, "recording the workload")
    told += Path(f"{out}.names").read_text()
    recording = Recording(out / "audit.raw", WORK, parse_names(told), failures(told))
    if not recording.losses.complete:
        lost = ", ".join(recording.losses.words())
        raise GuestError(
            f"the recording on {machine.kernel.version} is incomplete ({lost}): try again"
        )
    return recording


def _compile(words: list[str]) -> None:
    compiler = shutil.which("gcc")
    if not compiler:
        raise SetupError(f"gcc is missing, which compiles the workload: {_INSTALL}")
    done = subprocess.run([compiler, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
        raise SetupError(f"cannot compile the workload ({said}): {_INSTALL}")


def _done(result: Result, what: str) -> str:
    """Standard output of a command that must have succeeded."""
    if result.status:
        said = result.stderr.decode(errors="replace").strip()[-2000:] or "it said nothing"
        raise GuestError(f"{what} failed with status {result.status}: {said}")
    return result.stdout.decode()
