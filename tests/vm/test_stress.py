"""Many processes at the same few objects, on four CPUs: the graph stays sound, losses are told.

The soak works a million events off with ``PROVCAP_SOAK=1000000`` (``make soak``), a tenth without.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from provcap.vm import kernels
from provcap.vm.machine import Machine
from tests.vm.guest_recordings import PATIENCE_S, Graph, Recording, record
from tests.vm.stress import leaks

pytestmark = pytest.mark.vm

CPUS = 4
OPERATIONS = 250_000  # of which five in six succeed
SOAK_EVENTS = int(os.environ.get("PROVCAP_SOAK", 100_000))
RING_BYTES = 64 << 20
SOAKED = ("clone", "write", "read", "send_msg", "receive_msg", "mmap", "rename", "unlink")
LIVING = 8  # objects of the guest itself that come and go meanwhile
OPTIONS = ("--compress-edge", "false", "--ring-size", str(RING_BYTES))


class Hammered(NamedTuple):
    """A recording of the hammer; ``made``: relation -> operations that succeeded."""

    recording: Recording
    graph: Graph
    made: dict[str, int]


class Soaked(NamedTuple):
    """A recording of the soak; ``rounds``: of its second half.

    ``kept`` and ``slabs``: what the kernel side held after the first half and after the second.
    """

    recording: Recording
    graph: Graph
    done: int
    rounds: int
    kept: tuple[dict[str, int], dict[str, int]]
    slabs: tuple[dict[str, int], dict[str, int]]


def crowd(kernel: str, preempt: str, share: Path) -> Machine:
    """A guest with more CPUs than the others."""
    share.mkdir(exist_ok=True)
    args = [f"preempt={preempt}"]
    return Machine(
        kernels.resolve(kernel), cpus=CPUS, memory_mib=3072, share=share, kernel_args=args
    )


def hammer(machine: Machine, workload, operations: int, object: Path | None = None) -> Hammered:
    share = machine.share
    command = [str(workload("hammer", share)), "/tmp", str(operations), "1"]
    recording, result = record(machine, share / "out", command, *OPTIONS, object=object)
    read, write, pipe_write, pipe_read, send, receive = map(int, result.stdout.split())
    made = {"read": read + pipe_read, "write": write + pipe_write}
    made |= {"send_msg": send, "receive_msg": receive}
    return Hammered(recording, recording.graph(), made)


def soak(machine: Machine, workload, operations: int) -> Soaked:
    command = [sys.executable, "-m", "tests.vm.stress.soak"]
    command += [str(workload("soak", machine.share)), "/tmp", str(operations)]
    recording, result = record(
        machine,
        machine.share / "soaked",
        command,
        *OPTIONS,
        timeout_s=PATIENCE_S + operations / 100,
    )
    told = json.loads(result.stdout)
    slabs = tuple(kept.pop("slabs") for kept in told["kept"])
    graph = recording.graph()
    return Soaked(recording, graph, told["done"], told["rounds"], tuple(told["kept"]), slabs)


@pytest.fixture(
    scope="module",
    params=[(name, preempt) for name in ("6.12", "6.1") for preempt in ("full", "voluntary")],
    ids="-".join,
)
def crowded(request, tmp_path_factory) -> Iterator[Machine]:
    """One boot for each kernel and way to preempt."""
    kernel, preempt = request.param
    with crowd(kernel, preempt, tmp_path_factory.mktemp("crowd")) as machine:
        yield machine


#: with preempt=full the kernel leaves out exit probes: the hammer has that
every_probe_runs = pytest.mark.parametrize(
    "crowded", [("6.12", "voluntary"), ("6.1", "voluntary")], ids="-".join, indirect=True
)


@pytest.fixture(scope="module")
def hammered(crowded, workload) -> Iterator[Hammered]:
    """The hammer's recording."""
    yield hammer(crowded, workload, OPERATIONS)
    (crowded.share / "out" / "audit.raw").unlink()


@pytest.fixture(scope="module")
def soaked(crowded, workload) -> Iterator[Soaked]:
    """The soak's recording."""
    yield soak(crowded, workload, SOAK_EVENTS)
    (crowded.share / "soaked" / "audit.raw").unlink()


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


@every_probe_runs
def test_the_soaked_graph_has_no_cycle_and_no_loose_end(soaked):
    """Forks, pipes, sockets, mappings and names, from all CPUs at once."""
    events = sum(len(soaked.recording.events(name)) for name in SOAKED)
    assert soaked.done > SOAK_EVENTS * 0.9
    assert events >= SOAK_EVENTS * 0.9
    assert soaked.graph.in_cycles() == 0
    assert not soaked.graph.dangling


@every_probe_runs
def test_nothing_of_the_soak_is_lost(soaked):
    """Not a record. A call without its program is counted: once in 100,000 records at most."""
    losses = soaked.recording.losses

    assert losses._replace(skipped=0).complete, losses
    assert losses.skipped <= 1 + losses.records // 100_000, losses


@every_probe_runs
def test_the_soak_leaves_nothing_of_processes_that_are_gone(soaked):
    """The second half of the work leaves no more in the maps than the first has left."""
    before, after = soaked.kept

    assert before.keys() == after.keys()
    assert {name: after[name] for name in before if after[name] > before[name] + LIVING} == {}


@every_probe_runs
def test_the_soak_leaves_no_storage_of_what_is_gone(soaked):
    """Of tasks, files and sockets: not one in three, after a long soak not one in ten."""
    before, after = soaked.slabs

    assert leaks.leaked(before, after, soaked.rounds) == {}, soaked.slabs


def test_swapped_steps_make_cycles(tmp_path_factory, workload, swapped_object):
    """The same load on a build that marks sources too late: so the test above can fail."""
    share = tmp_path_factory.mktemp("swapped-hammer")
    place = share / "provcap.bpf.o"
    place.write_bytes(swapped_object.read_bytes())
    with crowd("6.12", "full", share) as machine:
        graph = hammer(machine, workload, OPERATIONS // 5, place).graph

    assert graph.in_cycles() > 0
    assert not graph.dangling
