"""What must hold of everything that was recorded, whatever the system did meanwhile."""

from collections import defaultdict
from graphlib import TopologicalSorter

import pytest

import provcap
from provcap.records import Node
from provcap.vocabulary import RELATIONS
from tests.test_conformance import played_relations

pytestmark = pytest.mark.vm

# what workloads expect, and what the rest of a recording brings: contents, files above others
PROMISED = played_relations() | {"packet_content", "stacked"}
STEPS = {"version_entity", "version_activity", "free", "terminate_task", "terminate_proc"}


def test_every_promised_relation_was_recorded(recording):
    """And no other: a new one wants its test."""
    assert {edge.relation for edge in recording.edges} == PROMISED
    assert {relation.name for relation in RELATIONS} >= PROMISED


def test_no_version_depends_on_itself(recording):
    """Sorting raises CycleError if one does, on however many CPUs it was made."""
    sources = defaultdict(set)
    for edge in recording.edges:
        sources[edge.receiver].add(edge.sender)

    assert len(list(TopologicalSorter(sources).static_order())) > 1000


def test_every_version_follows_from_the_one_before(recording):
    """Each object's versions are a chain without a gap, made by edges that say so."""
    steps = defaultdict(set)
    for edge in recording.edges:
        if edge.relation in STEPS:  # one that holds nothing older is a step, too
            assert edge.receiver.id == edge.sender.id
            assert edge.receiver.version == edge.sender.version + 1
            steps[edge.sender.id].add(edge.receiver.version)

    assert all(found == set(range(1, max(found) + 1)) for found in steps.values())


def test_every_end_of_an_edge_is_a_node_told_before(recording):
    """A reader of the stream never meets a name that it has not seen."""
    seen = set()
    for record in recording.expanded:
        if isinstance(record, Node):
            seen.add(record.identifier)
        else:
            assert {record.sender, record.receiver} <= seen


def test_every_task_ran_on_the_machine_and_has_its_record(recording):
    """Whatever acted has told who it is."""
    ran = {edge.receiver.id for edge in recording.edges if edge.relation == "ran_on"}
    acted = {edge.task_id for edge in recording.edges if edge.task_id}

    assert acted <= ran
    assert {recording.kind(id) for id in acted} == {"task"}


def test_the_machine_tells_its_kernel(recording, machine):
    """As uname does."""
    (facts,) = {tuple(node.attributes.items()) for node in recording.expanded
                if isinstance(node, Node) and node.kind == "machine"}  # fmt: skip

    assert dict(facts)["release"] == machine.kernel.version
    assert dict(facts)["sysname"] == "Linux"
    assert dict(facts)["k_version"] == provcap.__version__
