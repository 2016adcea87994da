"""Compiled workloads, the test-only build of the kernel object, and one recording per kernel."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from provcap.coverage import player
from provcap.coverage.recorded import failures
from provcap.vm.machine import Machine, Result
from tests.vm import segments
from tests.vm.guest_recordings import PATIENCE_S
from tests.vm.recorded import Recording, parse_names

ROOT = Path(__file__).parents[2]
WORKLOADS = Path(__file__).parent / "stress"
WORK = "/tmp/edges"
SETTLING_S = 120


class Session(NamedTuple):
    """A recording and what was seen before, during and after it."""

    recording: Recording
    verdicts: tuple[list[str], list[str]]
    """Of the workload's list: without and with everything attached."""
    seen: Mapping[str, str]
    """What attached.py said: before, during, after."""
    refused: list[str]
    """What disclosing.py was told when it disclosed what it may not."""
    raw: Path


def checked(result: Result) -> str:
    """Standard output of a command that must have succeeded."""
    assert result.status == 0, result
    return result.stdout.decode()


def _settled(machine: Machine, look: list[str], usual: str) -> str:
    """What ``look`` says in the end: the kernel frees programs a moment later."""
    until = time.monotonic() + SETTLING_S
    while (said := checked(machine.run(look))) != usual and time.monotonic() < until:
        time.sleep(1)
    return said


@pytest.fixture(scope="session")
def session(machine: Machine) -> Session:
    """Everything the workload does, recorded once."""
    assert machine.share
    act, out = player.compile_program(machine.share), machine.share / "recording"
    look = [sys.executable, "-m", "tests.vm.attached"]
    names = player.prepare(machine, act, WORK)
    without = checked(machine.run([str(act), "verdicts", WORK]))
    seen = {"before": checked(machine.run(look))}
    checked(machine.run(["sh", "-c", f"{act} before {WORK} >/dev/null & sleep 0.3"]))
    script = f"{act} run {WORK} >{out}.names || :; {act} verdicts {WORK} >{out}.verdicts;"
    script += f"modprobe vsock_loopback; {sys.executable} -m tests.vm.segments;"
    disclosing = f"{sys.executable} -m tests.vm.disclosing"
    script += f"{disclosing} {WORK}/disclosing >{out}.refused; exec {' '.join(look)} >{out}.seen"
    command = [sys.executable, "-m", "provcap.cli.main", "record", "--raw", "--out", str(out)]
    command += segments.RULES
    checked(machine.run([*command, "--", "sh", "-ec", script], timeout_s=PATIENCE_S))
    seen |= {
        "during": Path(f"{out}.seen").read_text(),
        "after": _settled(machine, look, seen["before"]),
    }
    names += Path(f"{out}.names").read_text()
    recording = Recording(out / "audit.raw", WORK, parse_names(names), failures(names))
    verdicts = (without.splitlines(), Path(f"{out}.verdicts").read_text().splitlines())
    refused = Path(f"{out}.refused").read_text().splitlines()
    return Session(recording, verdicts, seen, refused, out / "audit.raw")


@pytest.fixture
def recording(session: Session) -> Recording:
    """What was recorded."""
    return session.recording


@pytest.fixture(scope="session")
def workload(tmp_path_factory: pytest.TempPathFactory):
    """A function: name of a workload to its static program, at a path that guests see, too."""
    folder = tmp_path_factory.mktemp("workloads")

    def compiled(name: str, into: Path) -> Path:
        program = folder / name
        if not program.exists():
            flags = ["-static", "-O1", "-pthread", "-Wall", "-Wextra", "-Wno-unused-parameter"]
            command = ["gcc", *flags, str(WORKLOADS / f"{name}.c"), "-o", str(program)]
            subprocess.run(command, check=True)
        place = into / name
        place.write_bytes(program.read_bytes())
        place.chmod(0o700)
        return place

    return compiled


@pytest.fixture(scope="session")
def swapped_object(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernel object with the two steps of an event exchanged."""
    build = tmp_path_factory.mktemp("swapped")
    words = ["make", "-C", str(ROOT / "kernel"), f"BUILD={build}", "EXTRA=-DPROVCAP_SWAPPED_STEPS"]
    subprocess.run(words, check=True, capture_output=True)
    return build / "provcap.bpf.o"
