"""Splice and its kin: content goes from object to object, and the task's memory has no part in it.

``begin()`` has left task and memory as sources, and a file that was opened has been one, too, as in
``test_edges_files``. The task is told apart, by an edge of the class control.
"""

import pytest

from tests.vm.recorded import expected

pytestmark = pytest.mark.vm

NOTHING = ""

A_TO_B = """
    file:a@0 -copy-> file:b@1                file:b@0..1
    task@0 -write/control-> file:b@1
"""
A_TO_PIPE = """
    file:a@0 -copy-> pipe:pipe@0
    task@0 -splice_out/control-> pipe:pipe@0
"""
PIPE_TO_PIPE = """
    pipe:pipe@0 -copy-> pipe:other@0
    task@0 -splice_out/control-> pipe:other@0
"""
SENT_ON = """
    task@0 -send_msg/control-> socket:socket@0
    socket:socket@0 -receive_unix-> socket:peer@0
"""
CHILD_WRITES = """
    machine -ran_on-> task:1@0
    path:act -named-> memory:1@0
"""

COPIES = {
    "send_file": A_TO_B,
    "copy_range": A_TO_B,
    "splice_to_file": A_TO_B.replace("file:a", "pipe:pipe"),
    "splice_to_pipe": A_TO_PIPE,
    "splice_pipes": PIPE_TO_PIPE,
    "tee_pipes": PIPE_TO_PIPE,
    "send_file_to_pipe": A_TO_PIPE,
    "send_file_to_socket": f"file:a@0 -copy-> socket:socket@0  {SENT_ON}",
    "splice_to_socket": f"pipe:pipe@0 -copy-> socket:socket@0  {SENT_ON}",
    "splice_from_socket": A_TO_PIPE.replace("file:a", "socket:socket"),
    # memory has a part in these two
    "memory_to_pipe": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -write-> pipe:pipe@0
    """,
    "pipe_to_memory": """
        pipe:pipe@0 -read-> task@1               task@0..1
        task@1 -memory_write-> memory@1          memory@0..1
    """,
    "splice_often": f"{A_TO_PIPE}  {A_TO_B.replace('file:a', 'pipe:pipe')}",
    # the call waited at version 0; what it puts on is what the other has written meanwhile
    "splice_waiting": f"""
        {CHILD_WRITES}
        memory:1@0 -memory_read-> task:1@0
        task:1@0 -write-> pipe:pipe@1            pipe:pipe@0..1
        pipe:pipe@1 -copy-> pipe:other@0
        task@0 -splice_out/control-> pipe:other@0
    """,
    # on Btrfs, where stat gives another device number than the kernel has: so these have no names
    "clone_file": """
        task@0 -write_ioctl/control-> file:1@1   file:1@0..1
        file:2@0 -reflink-> file:1@1
        task@0 -write/control-> file:1@1
    """,
    "share_content": """
        task@0 -write_ioctl/control-> file:1@1   file:1@0..1
        file:1@1 -reflink-> file:2@1             file:2@0..1
        task@0 -write/control-> file:2@1
    """,
    "share_no_content": "task@0 -write_ioctl/control-> file:1@1  file:1@0..1",
    "splice_nothing": NOTHING,
    # a clone is refused after its ioctl was seen
    "splice_refused": """
        task@0 -write_ioctl/control-> file:b@1   file:b@0..1
    """,
    "splice_then_read": f"""
        {A_TO_PIPE}
        file:a@0 -read-> task@1                  task@0..1
        task@1 -memory_write-> memory@1          memory@0..1
    """,
}


@pytest.mark.parametrize("operation", COPIES)
def test_a_copy_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert recording.window(operation).lines == expected(COPIES[operation])


def test_what_was_copied_before_is_not_recorded_again(recording):
    """Eight times round, and each edge once."""
    window = recording.window("splice_often")

    assert len(window.found) == len(window.lines)


@pytest.mark.parametrize("operation", ["send_file", "copy_range", "splice_to_file"])
def test_a_copy_tells_how_many_bytes_it_moved(recording, operation):
    """When the call is done: it was one."""
    copy = recording.window(operation).only("copy")

    assert (copy.flags, copy.outcome) == (1, "done")


def test_what_comes_while_a_call_waits_is_in_the_file_afterwards(recording):
    """The version that a reader had meanwhile does not have it, the next one has."""
    found = recording.window("splice_waiting_for_file").found
    (read,) = (edge for edge in found if edge.relation == "read")
    (copy,) = (edge for edge in found if edge.relation == "copy")
    written = {edge.receiver for edge in found if edge.relation == "write"}

    assert copy.sender in written
    assert copy.receiver.id == read.sender.id
    assert copy.receiver.version > read.sender.version
