"""What goes wrong around a recording is said in one line, and what was recorded stays readable."""

import sys
from pathlib import Path

import pytest

from provcap.capture.raw import RING, RawReader
from provcap.errors import TruncatedError
from provcap.vm import kernels
from provcap.vm.machine import Machine, Result
from tests.vm.guest_recordings import PATIENCE_S

pytestmark = pytest.mark.vm


def record(machine: Machine, out: str, *command: str) -> Result:
    words = [sys.executable, "-m", "provcap.cli.main", "record", "--raw", "--out", out]
    return machine.run([*words, "--", *command], timeout_s=PATIENCE_S)


def test_a_full_disk_ends_the_recording_but_not_the_command(machine: Machine) -> None:
    """The message names the cause; whole records up to there can be read."""
    mount = "mkdir -p /tmp/small && mount -t tmpfs -o size=64k none /tmp/small"
    assert machine.run(["sh", "-c", mount]).status == 0
    copy = machine.share / "full.raw"

    said = record(machine, "/tmp/small", "sh", "-c", "ls -laR /etc >/dev/null; echo to its end")
    machine.run(["sh", "-c", f"cp /tmp/small/audit.raw {copy}; umount /tmp/small"])

    assert said.status == 1
    assert said.stdout == b"to its end\n"
    assert b"No space left on device" in said.stderr
    rings = []
    with copy.open("rb") as file, pytest.raises(TruncatedError):
        for block in RawReader(file):
            rings += [block.payload] if block.type == RING else []
    assert sum(map(len, rings)) > 32 << 10


def test_a_command_that_does_not_exist_starts_no_recording(machine: Machine) -> None:
    said = record(machine, "/tmp/none", "nosuchcommand")

    assert said.status == 127
    assert said.stderr == b"provcap record: no such command: nosuchcommand\n"
    assert machine.run(["test", "-e", "/tmp/none"]).status == 1


def test_a_folder_that_cannot_be_made_is_named(machine: Machine) -> None:
    said = record(machine, "/proc/none", "true")

    assert said.status == 1
    assert said.stderr.startswith(b"provcap record: cannot write /proc/none/audit.raw:")


def test_a_kernel_without_bpf_among_its_modules_is_named_with_the_fix(tmp_path: Path) -> None:
    """Nothing is recorded, the command does not run."""
    arguments = ["lsm=landlock"]
    with Machine(kernels.resolve("6.12"), share=tmp_path, kernel_args=arguments) as guest:
        said = record(guest, str(tmp_path), "touch", f"{tmp_path}/ran")

    assert said.status == 1
    assert b"BPF is not in the active LSM list (add lsm=" in said.stderr
    assert list(tmp_path.iterdir()) == []
