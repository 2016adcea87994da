"""What must lead from where to where, and what must not, after real programs have run."""

from pathlib import Path
from typing import NamedTuple

import pytest

from provcap.vocabulary import KINDS
from tests.vm.guest_recordings import Graph, Recording, nothing_lost, record

pytestmark = pytest.mark.vm

TALKS = ("pipe", "pair", "unix", "tcp")
EARLY_TALKS = ("unix-early", "tcp-early")
GONE_TALKS = ("unix-gone", "tcp-gone")
OTHERS = ("alternate", "siblings", "receive", "threads", "sharedmemory", "evict", "copy")
INPUTS = ("a", "c", "in1", "in2", "request", "late")
BLOCKS = 10_000
HAMMERED = 20_000  # operations of the small hammer that follows the scenarios
WAYS = {"read": 1, "readv": 1, "recv": 1, "recvmsg": 1, "recvmmsg": 3}  # messages taken out


class Played(NamedTuple):
    """A recording of scenarios: ``pids`` of the processes that they told about."""

    folder: Path
    recording: Recording
    graph: Graph
    pids: dict[str, int]

    def path(self, name: str) -> Path:
        """The file SCENARIO-NAME."""
        return self.folder / name

    def comes_from(self, name: str, source: str) -> bool:
        """Whether one file of the scenarios derives from another."""
        return self.graph.comes_from(self.path(name), self.path(source))


def play(machine, workload, folder: Path, scenarios, *options: str) -> Played:
    folder.mkdir()
    program = workload("flows", folder)
    for name in scenarios:
        for part in INPUTS:
            (folder / f"{name}-{part}").write_text("words\n")
    (folder / "copy-from").write_bytes(bytes(64 * BLOCKS))
    hammer = f"{workload('hammer', folder)} /tmp {HAMMERED} 1 >/dev/null"
    command = ["sh", "-ec", f'"$@"; {hammer}', "sh", str(program), str(folder), *scenarios]
    recording, result = record(machine, folder / "out", command, *options)
    lines = (line.split() for line in result.stdout.decode().splitlines())
    pids = {name: int(pid) for name, pid in lines}
    return Played(folder, recording, recording.graph(), pids)


@pytest.fixture(scope="module")
def played(machine, workload) -> Played:
    """Every scenario, recorded as usual."""
    scenarios = (*TALKS, *EARLY_TALKS, *GONE_TALKS, *OTHERS)
    return play(machine, workload, machine.share / "flows", scenarios)


@pytest.fixture(scope="module")
def repeated(machine, workload) -> Played:
    """Copying and receiving with every operation recorded."""
    folder = machine.share / "flows-repeated"
    return play(machine, workload, folder, ("copy", "receive"), "--compress-edge", "false")


def test_the_recording_is_whole_and_sound(played, machine):
    """Nothing is missing, nothing dangles, nothing is its own ancestor; with some load, too."""
    workers = played.recording.tasks(comm=b"hammer-worker".ljust(16, b"\0"))
    assert len(workers) == 12
    assert nothing_lost(played.recording, machine), played.recording.losses
    assert not played.graph.dangling
    assert played.graph.in_cycles() == 0


def test_alternating_inputs_and_outputs_keep_every_path(played):
    """Read A, write B, read C, write B: the second write is not the first one repeated."""
    assert played.comes_from("alternate-b", "alternate-a")
    assert played.comes_from("alternate-b", "alternate-c")
    assert not played.comes_from("alternate-c", "alternate-b")


def test_a_file_that_left_the_inode_cache_is_still_the_same(played):
    """Written, evicted, read: what was written before goes on to the reader."""
    assert played.comes_from("evict-c", "evict-a")


def test_a_file_that_its_open_has_made_is_a_name_in_its_directory(played):
    """The folder lies on virtiofs, which looks up, makes and opens in one step."""
    made, events = played.graph.node(played.path("alternate-b")), played.recording.events
    makers = {event.through for event in events("inode_create") if event.target == made}
    kinds = {KINDS[e.target_kind].name for e in events("write") if e.through in makers}

    assert makers
    assert "directory" in kinds


def test_a_copy_in_blocks_is_a_handful_of_edges(played):
    """Ten thousand reads and writes say the same thing again and again."""
    assert played.comes_from("copy-to", "copy-from")
    edges = sum(played.graph.touching(played.path(f"copy-{name}")) for name in ("from", "to"))
    assert edges < 20


def test_every_block_of_a_copy_is_an_edge_on_request(repeated, machine):
    """With compression off the operations can be counted: one edge for each."""
    assert nothing_lost(repeated.recording, machine), repeated.recording.losses
    for relation, name in (("read", "from"), ("write", "to")):
        events = repeated.recording.events(relation)
        ends = [(event.source, event.target) for event in events]
        node = repeated.graph.node(repeated.path(f"copy-{name}"))
        assert sum(node in pair for pair in ends) == BLOCKS


@pytest.mark.parametrize("talk", [*TALKS, *EARLY_TALKS, *GONE_TALKS])
def test_an_answer_comes_from_its_request(played, talk):
    """Whether the server waited before it came, accepted after it, or outlived its client."""
    assert played.comes_from(f"{talk}-answer", f"{talk}-request")
    assert not played.comes_from(f"{talk}-request", f"{talk}-answer")


@pytest.mark.parametrize("talk", [*TALKS, *EARLY_TALKS])
def test_an_answer_does_not_come_from_what_was_sent_later(played, talk):
    """Versions keep apart what the same server knows before and after."""
    assert not played.comes_from(f"{talk}-answer", f"{talk}-late")
    assert played.comes_from(f"{talk}-afterwards", f"{talk}-late")


def test_processes_that_never_communicate_are_not_connected(played):
    """Reading one library and writing to /dev/null connects nobody."""
    assert played.comes_from("siblings-out1", "siblings-in1")
    assert played.comes_from("siblings-out2", "siblings-in2")
    assert not played.comes_from("siblings-out1", "siblings-in2")
    assert not played.comes_from("siblings-out2", "siblings-in1")


@pytest.mark.parametrize("way", WAYS)
def test_a_receive_makes_its_edge_once(played, repeated, way):
    """Whichever call takes the message out; with compression off, once for each message."""
    relation = "receive" if way.startswith("read") else "receive_msg"
    for recorded, edges in ((played, 1), (repeated, WAYS[way])):
        tasks = recorded.recording.tasks(pid=recorded.pids[f"receive-{way}"])
        events = recorded.recording.events(relation)
        assert len(tasks) == 1
        assert sum(event.through in tasks for event in events) == edges


def test_threads_hand_on_what_they_know(played):
    """One reads, another writes: they share their memory."""
    assert played.comes_from("threads-b", "threads-a")


def test_processes_that_share_memory_hand_on_what_they_know(played):
    """clone(CLONE_VM) without CLONE_THREAD: two processes, one memory."""
    assert played.comes_from("sharedmemory-b", "sharedmemory-a")
