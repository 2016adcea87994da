"""What is lost is said: by CPU, to the last record."""

import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from provcap.capture.decoder import Event, TextRecord
from provcap.vocabulary import RELATIONS, TEXT_TRUNCATED
from tests.vm.guest_recordings import Recording, record

pytestmark = pytest.mark.vm

BURST = Path(__file__).parent / "stress" / "burst.py"
READS = 2_000
RING_BYTES = 4096
ROOM = RING_BYTES // 80  # events that a ring holds


class Burst(NamedTuple):
    """One burst of reads, as its workload saw it."""

    cpu: int
    stopped: int
    first: int
    end: int
    refused: int
    others: int


class Lossy(NamedTuple):
    """A recording with hardly any room in its rings."""

    recording: Recording
    bursts: list[Burst]


@pytest.fixture(scope="module")
def lossy(machine) -> Lossy:
    """Bursts that no ring can hold."""
    file = machine.share / "burst"
    file.write_text("x")
    command = [sys.executable, str(BURST), str(file), str(READS)]
    options = ("--ring-size", str(RING_BYTES), "--compress-edge", "false")
    command = ["env", f"PYTHONPATH={Path.cwd()}", *command]
    recording, result = record(machine, machine.share / "lossy", command, *options)
    bursts = [Burst(*map(int, line.split())) for line in result.stdout.splitlines()]
    return Lossy(recording, bursts)


def test_received_and_lost_make_what_was_done(lossy):
    """On each CPU: reads that arrived + reads reported as lost = reads that were made."""
    read = next(at for at, row in enumerate(RELATIONS) if row.name == "read")
    assert {burst.cpu for burst in lossy.bursts} == set(lossy.recording.last.counters)
    for burst in lossy.bursts:
        arrived = [
            record
            for record in lossy.recording.records
            if record.cpu == burst.cpu and burst.first <= record.seq < burst.end
        ]
        assert all(isinstance(event, Event) and event.relation == read for event in arrived)
        assert len({event.seq for event in arrived}) == len(arrived)
        assert len(arrived) + burst.refused == READS
        assert burst.others == 0
        if burst.stopped:
            assert len(arrived) <= ROOM


def test_gaps_in_the_sequence_are_what_the_counters_say(lossy):
    """Over the whole recording and for every kind of record, CPU by CPU."""
    base, last = lossy.recording.base, lossy.recording.last
    for cpu, counts in last.counters.items():
        lost = {name: count - base.counters[cpu][name] for name, count in counts.items()}
        refused = sum(count for name, count in lost.items() if name.endswith("_ring_full"))
        numbers = {record.seq for record in lossy.recording.records if record.cpu == cpu}
        # the last records may be lost, too: then the highest number is not among those that came
        assert max(numbers) + 1 - len(numbers) <= refused
        assert refused >= READS - ROOM
    assert lossy.recording.losses.missing_uncounted == 0
    assert not lossy.recording.losses.complete


def test_every_program_says_how_often_it_was_skipped(lossy):
    """The status has a number for each program, and the account adds them up."""
    base, last = lossy.recording.base.recursion_misses, lossy.recording.last.recursion_misses
    assert base.keys() == last.keys() >= {"file_permission", "task_newtask", "sock_recvmsg"}
    assert lossy.recording.losses.skipped == sum(last.values()) - sum(base.values())


# A path of more than 4,096 bytes; 17 shared mappings in one process; 33 processes, each of which
# may carry what is in one shared file into another
TOO_MUCH = """
import mmap, os

os.makedirs("/tmp/deep")
os.chdir("/tmp/deep")
for _ in range(17):
    os.mkdir("n" * 250)
    os.chdir("n" * 250)
open("last", "w")

def share(name):
    with open(f"/tmp/{name}", "r+b") as file:
        return mmap.mmap(file.fileno(), 4096)

for name in ["bridge.from", "bridge.to", *(f"share.{number}" for number in range(17))]:
    with open(f"/tmp/{name}", "wb") as file:
        file.truncate(4096)

def beyond(body):
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0
    else:
        body()
        os._exit(0)

def map_many():
    kept = [share(f"share.{number}") for number in range(17)]

def carry():
    ready, go = os.pipe(), os.pipe()
    for _ in range(33):
        if not os.fork():
            kept = share("bridge.from"), share("bridge.to")
            os.write(ready[1], b"+")
            os.read(go[0], 1)
            os._exit(0)
    os.close(ready[1])  # if one of them fails, nobody waits for it
    for _ in range(33):
        assert os.read(ready[0], 1)
    os.write(go[1], b"-" * 33)

beyond(map_many)
beyond(carry)
"""


@pytest.fixture(scope="module")
def beyond(machine) -> Recording:
    """More of several things than there is room for."""
    recording, _ = record(machine, machine.share / "beyond", [sys.executable, "-c", TOO_MUCH])
    return recording


def test_a_path_that_is_too_long_is_cut_and_marked(beyond):
    """The end near the root is missing: what is there leads from the file upwards."""
    texts = [r for r in beyond.records if isinstance(r, TextRecord)]
    (cut,) = (text for text in texts if text.text.startswith(b"last/n"))

    assert cut.bits & TEXT_TRUNCATED
    assert cut.text == b"last/" + (b"n" * 250 + b"/") * 16


@pytest.mark.parametrize("cause", ["name_too_long", "shares_full", "bridges_full"])
def test_what_is_beyond_a_bound_is_counted(beyond, cause):
    """Under its own name, and the recording is incomplete."""
    assert sum(beyond.losses.causes[cause].values()) > 0
    assert not beyond.losses.complete


def test_nothing_else_is_counted_for_it(beyond):
    """Each bound has a counter of its own."""
    assert beyond.losses.causes.keys() <= {"name_too_long", "shares_full", "bridges_full"}
