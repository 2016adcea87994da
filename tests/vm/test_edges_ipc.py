"""Messages, shared memory, counters, both ends of terminals, descriptors that are taken."""

import pytest

from tests.vm.recorded import expected

pytestmark = pytest.mark.vm

NOTHING = ""

# copied out of the sender's memory, but into no queue
CREATED = """
    memory@0 -memory_read-> task@1           task@0..1
    task@1 -msg_create-> msg:1@0
"""
SENT = f"""
    {CREATED}
    memory@0 -memory_read-> task@2           task@1..2
    task@2 -send_msg_queue-> msg:1@0
"""
INPUT = """
    {0} -{1}-> task@1                        task@0..1
    task@1 -memory_write-> memory@1          memory@0..1
"""
RECEIVED = INPUT.format("msg:1@0", "receive_msg_queue")
CHILD = """
    machine -ran_on-> task:1@0
    path:act -named-> memory:1@0
"""
# the child was made before; what it sends, it hands to who waits
HANDED_OVER = f"""
    {CHILD}
    memory:1@0 -memory_read-> task:1@0
    task:1@0 -msg_create-> msg:1@0
    memory:1@0 -memory_read-> task:1@1       task:1@0..1
    task:1@1 -send_msg_queue-> msg:1@0
    {RECEIVED}
"""

MESSAGES = {
    "send_message": SENT,
    "receive_message": RECEIVED,
    "receive_second": RECEIVED,
    "receive_nothing": NOTHING,
    "receive_too_long": NOTHING,
    # the message is gone, and nobody has it
    "receive_nowhere": NOTHING,
    "receive_forbidden": NOTHING,
    "send_forbidden": CREATED,
    "send_nowhere": NOTHING,
    "send_full": CREATED,
    # what is looked at stays in the queue: another message is made, and gets its content
    "peek_message": f"""
        {CREATED}
        msg:2@0 -relay-> msg:1@0
        msg:1@0 -receive_msg_queue-> task@2      task@1..3
        task@2 -memory_write-> memory@1          memory@0..1
        msg:2@0 -receive_msg_queue-> task@3
        task@3 -memory_write-> memory@1
    """,
    "receive_waiting": HANDED_OVER,
    "send_posix": SENT,
    "receive_posix": RECEIVED,
    "receive_posix_empty": NOTHING,
    "send_posix_full": CREATED,
    "send_posix_refused": NOTHING,
    "receive_posix_waiting": HANDED_OVER,
}

ATTACHED = """
    path:SYSV00000000 -named-> file:1@{mapped}
    file:1@0 -relay-> shm:1@0
    shm:1@0 -sh_attach_read-> task@1         task@0..{last}
    task@1 -memory_write-> memory@1          memory@0..{memory}
    file:1@{mapped} -mmap-> task@{last}
    task@{last} -memory_write-> memory@{memory}
"""

SEGMENTS = {
    "create_segment": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -sh_create-> shm:1@0
    """,
    "create_segment_refused": NOTHING,
    # what is mapped is the inode; the segment stands between it and who attaches it
    "attach_segment": f"""
        {ATTACHED.format(mapped=1, last=3, memory=2)}
        memory@1 -memory_read-> task@2
        task@2 -sh_attach-> shm:1@1              shm:1@0..1
        shm:1@1 -relay-> file:1@1                file:1@0..2
        memory@2 -sh_write-> file:1@2
    """,
    "attach_to_read": ATTACHED.format(mapped=0, last=2, memory=1),
    "attach_refused": NOTHING,
    # what is known by now may have been left there
    "detach_segment": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -sh_detach-> shm:1@1              shm:1@0..1
        task@1 -munmap-> file:1@0
    """,
    "detach_read": """
        task@0 -sh_detach/control-> shm:1@1      shm:1@0..1
        task@0 -munmap-> file:1@1                file:1@0..1
    """,
}

COUNTERS = {
    "write_counter": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -write-> eventfd:1@0
    """,
    "read_counter": INPUT.format("eventfd:1@0", "read"),
    "read_counter_empty": NOTHING,
    # each is one of its own
    "two_counters": """
        memory@0 -memory_read-> task@1           task@0..2
        task@1 -write-> eventfd:1@0
        eventfd:2@0 -read-> task@2
        task@2 -memory_write-> memory@1          memory@0..1
    """,
    "read_counter_waiting": f"""
        {CHILD}
        memory:1@0 -memory_read-> task:1@0
        task:1@0 -write-> eventfd:1@0
        {INPUT.format("eventfd:1@0", "read")}
    """,
}

PRINTED = """
    memory@0 -memory_read-> task@1           task@0..2
    task@1 -write-> {0}@1                    {0}@0..1
    {0}@1 -relay-> {1}@1                     {1}@0..1
    {2} -read-> task@2
    task@2 -memory_write-> memory@1          memory@0..1
"""

TERMINALS = {
    "type_line": PRINTED.format("char:1", "char:slave", "char:slave@1"),
    "print_line": PRINTED.format("char:slave", "char:1", "char:1@1"),
    # all masters are opened under one name, and each is one of its own
    "two_terminals": PRINTED.format("char:slave", "char:1", "char:2@0"),
}

DESCRIPTORS = {
    # the process that it was taken from hands it over
    "take_from_child": """
        task@0 -ptrace_attach-> memory:1@0
        task@0 -ptrace_attach_task-> task:1@0
        memory:1@0 -file_snd-> file:a@1          file:a@0..1
        file:a@1 -file_rcv-> task@1              task@0..1
    """,
    # what it may, it may; nothing is handed over
    "take_absent": """
        task@0 -ptrace_attach-> memory:1@0
        task@0 -ptrace_attach_task-> task:1@0
    """,
    "take_forbidden": NOTHING,
}

IPC = MESSAGES | SEGMENTS | COUNTERS | TERMINALS | DESCRIPTORS


@pytest.mark.parametrize("operation", IPC)
def test_an_operation_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert recording.window(operation).lines == expected(IPC[operation])


def _facts(recording, operation, label):
    """What was last said of the node that has this label in the operation, and its number."""
    id = recording.window(operation).ids[label]
    return id, recording.attributes(id)


@pytest.mark.parametrize(
    ("operation", "type", "key"),
    [("send_message", 7, 0x70726F76), ("receive_second", 8, 0), ("receive_waiting", 7, 0)],
)
def test_a_message_tells_its_type_and_its_queue(recording, operation, type, key):
    """As they are when the queue takes it; before that it has neither."""
    _, facts = _facts(recording, operation, "msg:1")

    assert (facts["type"], facts["size"], facts["key"], facts["dev"]) == (type, 3, key, 0)


def test_messages_of_one_queue_have_its_number(recording):
    """Two queues have two."""
    window = recording.window("peek_message")
    same = {recording.attributes(window.ids[f"msg:{n}"])["queue"] for n in (1, 2)}
    _, other = _facts(recording, "receive_waiting", "msg:1")

    assert len(same) == 1
    assert other["queue"] not in same


@pytest.mark.parametrize("operation", ["send_posix", "receive_posix", "receive_posix_waiting"])
def test_a_message_of_a_posix_queue_tells_its_priority_and_inode(recording, operation):
    """The queue is a file, by whose number it is found."""
    _, facts = _facts(recording, operation, "msg:1")
    queue = recording.told(f"{operation}/queue")

    assert (facts["type"], facts["size"], facts["key"]) == (5, 3, 0)
    assert (facts["queue"], facts["dev"]) == (queue.inode, queue.device)


def test_a_segment_tells_what_it_is(recording):
    """Its owner and mode from the beginning; id and size when it is attached."""
    id, facts = _facts(recording, "create_segment", "shm:1")
    first = recording.nodes[id][0].attributes

    assert (first["segment"], first["size"]) == (-1, 0)
    assert facts["segment"] >= 0
    for told in (first, facts):
        assert (told["key"], told["mode"]) == (0x70726F77, 0o640)
        assert (told["uid"], told["gid"]) == (0, 0)
    assert facts["size"] == 4096


def test_an_address_space_that_ends_leaves_what_it_had_attached(recording):
    """Nobody has called shmdt."""
    window = recording.window("exit_attached")
    task = window.ids["task:1"]
    (left,) = (edge for edge in window.found if edge.relation == "sh_detach")

    assert left.sender.id == task
    assert left.receiver.id == window.ids["shm:1"]
    assert left.flow == "data"


def test_counters_have_the_numbers_that_the_kernel_gave_them(recording):
    """Those of /proc/PID/fdinfo, and no two the same."""
    window = recording.window("two_counters")
    numbers = [recording.attributes(window.ids[f"eventfd:{n}"])["number"] for n in (1, 2)]

    assert len(set(numbers)) == 2


def test_who_prints_to_its_own_terminal_is_read_at_the_other_end(recording):
    """/dev/tty is the slave that the process has, and not one for all."""
    window = recording.window("print_to_own_terminal")
    slave = window.ids["char:slave"]
    (printed,) = (e for e in window.found if e.relation == "write" and e.receiver.id == slave)
    (relayed,) = (edge for edge in window.found if edge.relation == "relay")
    (read,) = (edge for edge in window.found if edge.relation == "read")

    assert printed.receiver == relayed.sender
    assert relayed.receiver == read.sender


@pytest.mark.parametrize("operation", ["type_line", "two_terminals"])
def test_a_master_has_a_name_and_an_end(recording, operation):
    """The name that all have, and an end of its own."""
    id, facts = _facts(recording, operation, "char:1")

    assert recording.names(id) == [b"/dev/ptmx"]
    assert facts["rdev"] == 5 << 20 | 2
    assert [end.split()[0] for end in recording.endings(id)] == ["free"]


@pytest.mark.parametrize(
    ("operation", "label"),
    [
        ("send_message", "msg:1"),  # its queue was removed
        ("receive_message", "msg:1"),
        ("send_full", "msg:1"),
        ("receive_posix", "msg:1"),
        ("create_segment", "shm:1"),
        ("detach_segment", "shm:1"),
        ("write_counter", "eventfd:1"),
    ],
)
def test_what_is_gone_has_ended_once(recording, operation, label):
    """The end is its last version."""
    id = recording.window(operation).ids[label]

    assert recording.endings(id) == [f"free {recording.last_version(id)}"]
