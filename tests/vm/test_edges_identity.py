"""Who a process is, in which namespaces it lives, and what it sees as its tree of files."""

import pytest

from provcap.coverage.flows import version
from tests.vm.recorded import FORK, expected

pytestmark = pytest.mark.vm

NOTHING = ""

# the same memory, one version on
BECOMES = f"""
    {FORK}
    memory:1@0 -memory_read-> task:1@0
    task:1@0 -{{0}}-> memory:1@1                 memory:1@0..1
"""
LOOK_AT_FOLDER = """
    directory:here@0 -perm_check-> task@1        task@0..1
"""

IDENTITY = {
    "set_gid": BECOMES.format("setgid"),
    "set_gid_refused": NOTHING,
    "set_groups": BECOMES.format("setgroups"),
    "set_groups_refused": NOTHING,
    "set_capabilities": BECOMES.format("capset"),
    "set_capabilities_refused": NOTHING,
    "set_namespaces": BECOMES.format("setns"),
    "set_namespaces_refused": NOTHING,
    "set_user_namespace": BECOMES.format("setns"),
    "set_namespace": BECOMES.format("setns"),
    # where it is already
    "set_own_namespace": NOTHING,
    "set_namespace_refused": NOTHING,
    # no edge of its own: the flags of the clone say it
    "clone_namespaces": f"""
        {FORK}
        directory:here@0 -search-> task:1@0
    """,
}

MOUNTS = {
    "mount_here": f"""
        {LOOK_AT_FOLDER}
        path:folder -named-> directory:folder@0
        task@1 -mount-> directory:folder@0
    """,
    "mount_refused": LOOK_AT_FOLDER,
    # what the file system says comes after the hook
    "mount_failed": f"""
        {LOOK_AT_FOLDER}
        path:folder -named-> directory:folder@0
        task@1 -mount-> directory:folder@0
    """,
    "unmount": f"""
        {LOOK_AT_FOLDER}
        task@1 -umount-> directory:1@0
    """,
    "unmount_refused": LOOK_AT_FOLDER,
    # it may become a working directory, but not the root
    "change_root_refused": f"""
        {LOOK_AT_FOLDER}
        directory:folder@0 -search-> task@1
    """,
    "pivot_root": f"""
        {LOOK_AT_FOLDER}
        directory:root@0 -perm_check-> task@1
        path:folder -named-> directory:root@0
        directory:root@0 -pivot_root-> task@1
        task@1 -mount-> directory:old@1          directory:old@0..1
    """,
}

ALL = IDENTITY | MOUNTS


@pytest.mark.parametrize("operation", ALL)
def test_an_operation_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert recording.window(operation).lines == expected(ALL[operation])


def test_a_refused_new_root_is_only_looked_at(recording, machine):
    """3c1b73fc6a4d "fs: add init_pivot_root()" (7.0): the directories come before the right."""
    looks_first = version(machine.kernel.version) >= (7, 0)

    found = recording.window("pivot_root_refused").lines
    assert found == expected(LOOK_AT_FOLDER if looks_first else NOTHING)


@pytest.mark.parametrize(
    ("operation", "relation", "flags", "outcome"),
    [
        ("set_gid", "setgid", 4, "at_hook"),  # LSM_SETID_RES
        ("set_groups", "setgroups", 2, "at_hook"),  # how many
        ("set_capabilities", "capset", 1 << 5, "at_hook"),  # CAP_KILL
        ("set_namespaces", "setns", 0x0C000000, "done"),  # CLONE_NEWUTS | CLONE_NEWIPC
        ("set_user_namespace", "setns", 0x10000000, "done"),  # CLONE_NEWUSER
        ("set_namespace", "setns", 0x04000000, "done"),  # CLONE_NEWUTS
        ("clone_namespaces", "clone", 0x04000000, "at_hook"),  # CLONE_NEWUTS
        ("mount_here", "mount", 2, "at_hook"),  # MS_NOSUID
        ("unmount", "umount", 0, "at_hook"),
    ],
)
def test_flags_are_those_of_the_call(recording, operation, relation, flags, outcome):
    """What was asked for, or what has changed."""
    edge = recording.window(operation).only(relation)

    assert (edge.flags, edge.outcome) == (flags, outcome)


def _described(recording, operation, label, *names):
    """What was said of a node, one time after the other."""
    window = recording.window(operation)
    records = recording.nodes[window.ids[label]]
    return [tuple(record.attributes[name] for name in names) for record in records]


def test_a_change_of_group_is_told_with_the_next_version(recording):
    """Of the task, and of its memory."""
    assert _described(recording, "set_gid", "task:1", "uid", "gid", "egid") == [
        (0, 0, 0),
        (0, 1000, 1000),
    ]
    assert _described(recording, "set_gid", "memory:1", "uid", "gid") == [(0, 0), (0, 1000)]


def test_a_change_of_capabilities_is_told(recording):
    """All of them before, one afterwards."""
    before, after = _described(recording, "set_capabilities", "task:1", "capabilities")

    assert before[0] & 1 << 21  # CAP_SYS_ADMIN
    assert after[0] == 1 << 5


NAMESPACES = ("utsns", "ipcns", "mntns", "pidns", "netns", "cgroupns", "userns")


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ("set_namespaces", {"utsns", "ipcns"}),
        ("set_user_namespace", {"userns"}),
        ("set_namespace", {"utsns"}),
    ],
)
def test_a_change_of_namespaces_is_told(recording, operation, changed):
    """The task is described again, with those that it has from then on."""
    before, after = _described(recording, operation, "task:1", *NAMESPACES)
    compared = zip(NAMESPACES, before, after, strict=True)

    assert all(before)
    assert {name for name, old, new in compared if old != new} == changed


def test_a_child_in_a_new_namespace_says_so(recording):
    """Its first description has it."""
    parent = _described(recording, "clone_namespaces", "task", "utsns", "ipcns")[-1]
    ((utsns, ipcns),) = _described(recording, "clone_namespaces", "task:1", "utsns", "ipcns")

    assert utsns != parent[0]
    assert ipcns == parent[1]
