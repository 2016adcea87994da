"""Tasks and their memories: clones, programs that take over, ends."""

import pytest

from tests.vm.recorded import FORK, expected

pytestmark = pytest.mark.vm

CHILD_WRITES = """
    machine -ran_on-> task:1@0
    task:1@0 -write-> file:a@1               file:a@0..1
"""
SHARED = """
    memory@0 -memory_read-> task@1           task@0..1
    task@1 -clone-> task:1@0
    machine -ran_on-> task:1@0
"""
LOOK_UP_QUIET = """
    directory:here@0 -perm_check-> task:1@0
    file:quiet@0 -perm_check-> task:1@0
    path:quiet -named-> file:quiet@0
    file:quiet@0 -open-> task:1@0
"""
# {} is the old memory, then twice and more the new one; the program's own mapping comes last
TAKE_OVER = """
    {0}@0 -memory_read-> task:1@0
    task:1@0 -exec_task-> {1}@0
    path:quiet -named-> {1}@0
    file:quiet@0 -exec-> {1}@0
    file:quiet@0 -mmap_private-> task:1@1    task:1@0..1
    task:1@1 -memory_write-> {1}@0
"""
LETTERS = "abcdefghijklmnopqrstuvwxyz" * 5100

PROCESSES = {
    # a copy of the memory, and a task, each from the parent's memory through the parent
    "fork": f"""
        {FORK}
        memory:1@0 -memory_read-> task:1@0
        {CHILD_WRITES}
    """,
    "thread": f"""
        {SHARED}
        memory@0 -memory_read-> task:1@0
        {CHILD_WRITES}
    """,
    # a process of its own on the same memory
    "share_memory": f"""
        {SHARED}
        memory@0 -memory_read-> task:1@0
        {CHILD_WRITES}
    """,
    # vfork: the same memory until the program takes over
    "exec": f"""
        {SHARED}
        {LOOK_UP_QUIET}
        {TAKE_OVER.format("memory", "memory:1")}
        argv:zero -arg-> memory:1@0
        argv:one -arg-> memory:1@0
        argv: -arg-> memory:1@0
    """,
    # the script is a program too, and the one that reads it gets it as an argument
    "exec_script": f"""
        {SHARED}
        {LOOK_UP_QUIET}
        file:script@0 -perm_check-> task:1@0
        path:script -named-> file:script@0
        file:script@0 -open-> task:1@0
        {TAKE_OVER.format("memory", "memory:1")}
        file:script@0 -exec-> memory:1@0
        argv:./quiet -arg-> memory:1@0
        argv:word -arg-> memory:1@0
        argv:script -arg-> memory:1@0
        argv:more -arg-> memory:1@0
    """,
    "exec_long": f"""
        {SHARED}
        {LOOK_UP_QUIET}
        {TAKE_OVER.format("memory", "memory:1")}
        argv:quiet -arg-> memory:1@0
        argv:{LETTERS[:131071]} -arg-> memory:1@0
        argv:{LETTERS[:4094]} -arg-> memory:1@0
        argv:{LETTERS[:4095]} -arg-> memory:1@0
        argv:{LETTERS[:4096]} -arg-> memory:1@0
        argv:{LETTERS[:8190]} -arg-> memory:1@0
        argv: -arg-> memory:1@0
        argv:last -arg-> memory:1@0
    """,
    "fork_exec": f"""
        {FORK}
        {LOOK_UP_QUIET}
        {TAKE_OVER.format("memory:1", "memory:2")}
        argv:quiet -arg-> memory:2@0
    """,
    # as exec: until the program takes over it has the memory of its parent
    "spawn": f"""
        {SHARED}
        {LOOK_UP_QUIET}
        {TAKE_OVER.format("memory", "memory:1")}
        argv:quiet -arg-> memory:1@0
        argv:one -arg-> memory:1@0
    """,
    "spawn_absent": f"""
        {SHARED}
        directory:here@0 -perm_check-> task:1@0
    """,
    "exec_setuid": f"""
        {SHARED}
        {LOOK_UP_QUIET}
        {TAKE_OVER.format("memory", "memory:1")}
        argv:quiet -arg-> memory:1@0
    """,
    # opened and looked at, but nothing became of it
    "exec_failed": f"""
        {SHARED}
        {LOOK_UP_QUIET.replace("quiet", "text")}
    """,
    "exec_refused": f"""
        {SHARED}
        directory:here@0 -perm_check-> task:1@0
    """,
}


@pytest.mark.parametrize("operation", PROCESSES)
def test_an_operation_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert recording.window(operation).lines == expected(PROCESSES[operation])


def test_arguments_come_in_their_order(recording):
    """They have consecutive identifiers: the place is the identifier's."""
    window = recording.window("exec_script")
    arguments = [edge.sender for edge in window.found if edge.relation == "arg"]
    first = arguments[0].id

    assert [sender.id - first for sender in arguments] == [0, 1, 2, 3]
    assert [recording.texts[sender]["value"] for sender in arguments] == [
        b"./quiet",
        b"word",
        b"script",
        b"more",
    ]


def test_a_task_tells_who_it_is(recording):
    """Process and parent, users, name, namespaces, memory; nobody has logged in."""
    window = recording.window("fork")
    (born,) = recording.nodes[window.ids["task:1"]]
    told = [r for r in recording.nodes[window.ids["task"]] if r.at_ns < born.at_ns]
    child, parent = born.attributes, told[-1].attributes

    assert parent["pid"] == parent["tgid"] == recording.told("fork/task").inode
    assert child["pid"] == child["tgid"] == child["vpid"] != parent["pid"]
    assert child["ppid"] == parent["tgid"]
    assert child["comm"].rstrip(b"\0") == b"act"
    assert {child[name] for name in ("uid", "gid", "euid", "egid")} == {0}
    assert child["loginuid"] == child["sessionid"] == 0xFFFFFFFF
    assert child["memory"] == window.ids["memory:1"]
    assert child["start_ns"] > parent["start_ns"] > 0
    for name in ("utsns", "ipcns", "mntns", "pidns", "netns", "cgroupns", "cwd_ino"):
        assert child[name] == parent[name] > 0


def test_a_thread_has_its_own_number_in_the_same_process(recording):
    """And the same parent, and the same memory."""
    window = recording.window("thread")
    first = recording.attributes(window.ids["task"])
    second = recording.attributes(window.ids["task:1"])

    assert second["tgid"] == first["tgid"]
    assert second["pid"] != first["pid"]
    assert (second["ppid"], second["memory"]) == (first["ppid"], first["memory"])


def test_a_task_is_described_again_when_a_program_takes_over(recording):
    """Its name, its memory and its users are those of the program."""
    window = recording.window("exec_setuid")
    before, after = recording.nodes[window.ids["task:1"]]

    assert before.attributes["comm"].rstrip(b"\0") == b"act"
    assert before.attributes["memory"] == window.ids["memory"]
    assert before.attributes["euid"] == 0
    assert after.attributes["comm"].rstrip(b"\0") == b"quiet"
    assert after.attributes["memory"] == window.ids["memory:1"]
    assert (after.attributes["uid"], after.attributes["euid"]) == (0, 1000)


def test_a_memory_tells_which_program_it_holds(recording):
    """The file that is executed and the process that it was made for."""
    window = recording.window("exec")
    memory = recording.attributes(window.ids["memory:1"])
    program = recording.attributes(window.ids["file:quiet"])

    assert (memory["exe_ino"], memory["exe_dev"]) == (program["ino"], program["dev"])
    assert memory["tgid"] == recording.attributes(window.ids["task:1"])["tgid"]
    assert (memory["uid"], memory["gid"]) == (0, 0)


@pytest.mark.parametrize(
    ("operation", "label", "relation"),
    [
        ("fork", "task:1", "terminate_task"),
        ("thread", "task:1", "terminate_task"),
        ("share_memory", "task:1", "terminate_task"),
        ("fork", "memory:1", "terminate_proc"),
        ("exec", "memory:1", "terminate_proc"),
        ("fork_exec", "memory:1", "terminate_proc"),
        ("fork_exec", "memory:2", "terminate_proc"),
    ],
)
def test_the_end_is_the_last_version(recording, operation, label, relation):
    """Once, and nothing comes after."""
    id = recording.window(operation).ids[label]

    assert recording.endings(id) == [f"{relation} {recording.last_version(id)}"]


def test_a_shared_memory_does_not_end_with_one_of_its_tasks(recording):
    """It ends with the last: here, with the one that did the operation."""
    window = recording.window("share_memory")
    memory, last = window.ids["memory"], window.end_ns

    assert recording.endings(memory) == [f"terminate_proc {recording.last_version(memory)}"]
    assert all(edge.at_ns > last for edge in recording.edges if edge.sender.id == memory
               and edge.relation == "terminate_proc")  # fmt: skip
