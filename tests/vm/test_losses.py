"""What is lost is said: by CPU, to the last record."""

import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from provcap.capture.decoder import Event
from provcap.vocabulary import RELATIONS
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
    assert base.keys() == last.keys() >= {"file_permission", "task_alloc", "sock_recvmsg"}
    assert lossy.recording.losses.skipped == sum(last.values()) - sum(base.values())
