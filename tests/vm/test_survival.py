"""A recorder does not record itself; killed, it leaves what it had; the next starts anew."""

import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from provcap.errors import TruncatedError
from provcap.vm.machine import Machine
from tests.vm.guest_recordings import PATIENCE_S, Recording, record_command

pytestmark = pytest.mark.vm

# The recorder is this shell's child, so the shell knows its pid; its command says its own.
AS_CHILD = '"$@" & echo recorder $!; wait $!'
COMMAND = """
read -r words <"$0/in"; echo "$words" >"$0/told"; echo command $$
"$1" -m provcap.cli.main record --out "$0/other" -- true 2>"$0/said"; echo status $?
"""
KILLED = 'cat "$0/in" >"$0/first"; sleep 1; kill -KILL $PPID; cat "$0/in" >"$0/second"'


class Ran(NamedTuple):
    """A recording, and what the shells around it said: name -> pid."""

    folder: Path
    recording: Recording
    pids: dict[str, int]


def run(machine: Machine, folder: Path, script: str) -> Ran:
    """Record a shell that runs ``script``; $0 is the folder."""
    folder.mkdir()
    (folder / "in").write_text("words\n")
    words = record_command(folder / "out", ["sh", "-c", script, str(folder), sys.executable])
    result = machine.run(["sh", "-c", AS_CHILD, "sh", *words], timeout_s=PATIENCE_S)
    lines = (line.split() for line in result.stdout.decode().splitlines())
    pids = {name: int(pid) for name, pid in lines}
    return Ran(folder, Recording(folder / "out" / "audit.raw"), pids)


@pytest.fixture(scope="module")
def killed(machine) -> Ran:
    """A recorder that its own command kills."""
    return run(machine, machine.share / "killed", KILLED)


@pytest.fixture(scope="module")
def after(machine, killed) -> Ran:
    """The next recorder."""
    return run(machine, machine.share / "after", COMMAND)


def test_the_recorder_is_not_in_its_recording(after, killed):
    """No node is its process, nobody has written its file."""
    for ran in (after, killed):
        recorder = ran.pids["recorder"]
        assert not ran.recording.tasks(pid=recorder)
        assert not ran.recording.tasks(tgid=recorder)
        assert not [path for path in ran.recording.graph().paths() if path.endswith("audit.raw")]


def test_the_command_is_recorded_from_its_exec_on(after):
    """Before, it was a part of the recorder."""
    (task,) = after.recording.tasks(pid=after.pids["command"])
    execs = [event for event in after.recording.events("exec") if event.through == task]
    reads = [event for event in after.recording.events("read") if event.through == task]
    assert len(execs) == 1
    assert reads
    assert execs[0].at_ns < min(read.at_ns for read in reads)
    assert not [event for event in after.recording.events("clone") if event.target == task]
    assert after.recording.graph().comes_from(after.folder / "told", after.folder / "in")


def test_what_a_killed_recorder_has_written_can_be_read(killed):
    """Cut, and said to be; before the cut all is there."""
    graph = killed.recording.graph()
    assert isinstance(killed.recording.cut, TruncatedError)
    assert killed.recording.losses.cut
    assert not killed.recording.losses.complete
    assert killed.recording.losses.missing == 0
    assert graph.comes_from(killed.folder / "first", killed.folder / "in")
    assert str(killed.folder / "second") not in graph.paths()
    assert graph.in_cycles() == 0
    assert not graph.dangling


def test_the_next_recorder_starts_anew(after):
    """A leftover capture is cleared: nothing of it comes into the recording."""
    assert after.recording.losses.complete, after.recording.losses
    graph = after.recording.graph()
    assert graph.in_cycles() == 0
    assert not graph.dangling
    assert not [path for path in graph.paths() if "/killed/" in path]


def test_two_recordings_of_one_boot_share_no_node_id(after, killed):
    """Or an object of one would be taken for another object of the other."""
    first, second = ({node.id for node in ran.recording.nodes()} for ran in (killed, after))
    assert first
    assert not first & second


def test_a_second_recorder_is_refused(after):
    """It would take records from the first; it says so and ends."""
    assert after.pids["status"] == 1
    assert (after.folder / "said").read_text() == (
        "provcap record: another recorder is at work on this kernel: wait until it ends\n"
    )
