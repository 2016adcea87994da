"""Many processes at the same few objects, on four CPUs: the graph stays sound, losses are told."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from provcap.vm import kernels
from provcap.vm.machine import Machine
from tests.vm.guest_recordings import Graph, Recording, record

pytestmark = pytest.mark.vm

CPUS = 4
OPERATIONS = 250_000  # of which five in six succeed
RING_BYTES = 64 << 20
OPTIONS = ("--compress-edge", "false", "--ring-size", str(RING_BYTES))


class Hammered(NamedTuple):
    """A recording of the hammer; ``made``: relation -> operations that succeeded."""

    recording: Recording
    graph: Graph
    made: dict[str, int]


def hammer(
    kernel: str, preempt: str, share: Path, workload, operations: int, object: Path | None = None
) -> Hammered:
    args = [f"preempt={preempt}"]
    share.mkdir(exist_ok=True)
    program = workload("hammer", share)
    command = [str(program), "/tmp", str(operations), "1"]
    with Machine(
        kernels.resolve(kernel), cpus=CPUS, memory_mib=3072, share=share, kernel_args=args
    ) as machine:
        recording, result = record(machine, share / "out", command, *OPTIONS, object=object)
    read, write, pipe_write, pipe_read, send, receive = map(int, result.stdout.split())
    made = {"read": read + pipe_read, "write": write + pipe_write}
    made |= {"send_msg": send, "receive_msg": receive}
    return Hammered(recording, recording.graph(), made)


@pytest.fixture(
    scope="module",
    params=[(name, preempt) for name in ("6.12", "6.1") for preempt in ("full", "voluntary")],
    ids="-".join,
)
def hammered(request, tmp_path_factory, workload) -> Iterator[Hammered]:
    """One boot, one recording for each kernel and way to preempt."""
    share = tmp_path_factory.mktemp("hammer")
    yield hammer(*request.param, share, workload, OPERATIONS)
    (share / "out" / "audit.raw").unlink()


def test_the_hammered_graph_has_no_cycle_and_no_loose_end(hammered):
    """Every version can be put in an order, and every edge has both its ends."""
    assert sum(hammered.made.values()) > 200_000
    assert hammered.graph.in_cycles() == 0
    assert not hammered.graph.dangling


def test_no_two_objects_share_a_node(hammered):
    """What identifies an object never changes under one node id."""
    seen: dict[int, tuple] = {}
    for node in hammered.recording.nodes():
        told = node.attributes
        what = (node.kind, *(told.get(name) for name in ("ino", "dev", "generation", "pid")))
        assert seen.setdefault(node.id, what) == what


def test_every_operation_under_load_is_recorded_or_counted_as_lost(hammered):
    """The workload counts for itself: with nothing lost, both agree to the last operation."""
    losses = hammered.recording.losses
    assert losses.missing_uncounted == 0
    counted = losses.skipped + sum(sum(cpus.values()) for cpus in losses.causes.values())
    workers = hammered.recording.tasks(comm=b"hammer-worker".ljust(16, b"\0"))
    arrived = {
        relation: sum(event.through in workers for event in hammered.recording.events(relation))
        for relation in hammered.made
    }
    assert all(arrived[relation] <= made for relation, made in hammered.made.items())
    assert sum(arrived.values()) + counted >= sum(hammered.made.values())


def test_swapped_steps_make_cycles(tmp_path_factory, workload, swapped_object):
    """The same load on a build that marks sources too late: so the test above can fail."""
    share = tmp_path_factory.mktemp("swapped-hammer")
    place = share / "provcap.bpf.o"
    place.write_bytes(swapped_object.read_bytes())
    graph = hammer("6.12", "full", share, workload, OPERATIONS // 5, place).graph

    assert graph.in_cycles() > 0
    assert not graph.dangling
