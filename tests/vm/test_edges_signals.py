"""Signals from one process to another, and how processes end."""

import pytest

from provcap.coverage.recorded import ENDINGS
from tests.vm.recorded import expected

pytestmark = pytest.mark.vm

NOTHING = ""

# the first description of the receiver comes with it
SIGNAL = """
    task@0 -signal/control-> task:1@0
"""

SIGNALS = {
    "signal_by_kill": SIGNAL,
    "signal_by_tkill": SIGNAL,
    "signal_by_tgkill": SIGNAL,
    "signal_by_pidfd": SIGNAL,
    "signal_group": SIGNAL,
    # a value that the sender chose goes from memory to memory
    "signal_with_value": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -signal-> task:1@0
        task:1@0 -memory_write-> memory:1@0
    """,
    "signal_nothing": NOTHING,
    "signal_ignored": NOTHING,
    "signal_oneself": NOTHING,
    "signal_refused": NOTHING,
    "signal_absent": NOTHING,
    "signal_by_pipe": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -write-> pipe:pipe@0
        pipe:pipe@0 -file_sigio-> task:1@0
    """,
}


@pytest.mark.parametrize("operation", SIGNALS)
def test_an_operation_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert recording.window(operation).lines == expected(SIGNALS[operation])


@pytest.mark.parametrize(
    ("operation", "relation"),
    [
        ("signal_by_kill", "signal"),
        ("signal_with_value", "signal"),
        ("signal_by_pipe", "file_sigio"),
    ],
)
def test_flags_are_the_number_of_the_signal(recording, operation, relation):
    """SIGUSR1 everywhere."""
    edge = recording.window(operation).only(relation)

    assert edge.flags == 10


def _child(recording, operation):
    """The task and the memory that ended."""
    task = recording.window(operation).ids["task:1"]
    return task, recording.attributes(task)["memory"]


@pytest.mark.parametrize(("operation", "status"), [("exit_status", 7 << 8), ("exit_killed", 9)])
def test_the_end_of_a_process_tells_how_it_came(recording, operation, status):
    """As wait(2) has it, of the task and of its memory."""
    ends = [
        edge
        for id in _child(recording, operation)
        for edge in recording.edges
        if edge.sender.id == id and edge.relation in ENDINGS
    ]

    assert [edge.relation for edge in ends] == ["terminate_task", "terminate_proc"]
    assert [edge.flags for edge in ends] == [status, status]


@pytest.mark.parametrize("operation", ["exit_status", "exit_killed"])
def test_an_exit_status_goes_nowhere(recording, operation):
    """Nothing leads from the child to whoever waits for it."""
    window = recording.window(operation)
    mine, child = {window.ids["task"], window.ids["memory"]}, _child(recording, operation)
    back = [e for e in recording.edges if e.sender.id in child and e.receiver.id in mine]

    assert back == []
