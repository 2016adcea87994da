"""Attributes of inodes: the whole set of edges of each operation, and what is told of the change.

A truncation that leaves nothing makes a fresh version: the version edge to it carries no content.
That takes a hook behind the change, which kernels have since 6.9; before, the old content stays an
ancestor.
"""

import re
import struct

import pytest

from provcap.coverage.flows import version
from provcap.records import Node
from tests.vm.recorded import Recording, expected

pytestmark = pytest.mark.vm

NOTHING = ""

CHANGE = """
    memory@0 -memory_read-> task@1           task@0..1
    task@1 -setattr-> iattr:1@0
    iattr:1@0 -setattr_inode-> file:a@1      file:a@0..1
"""
OPENED = f"""
    {CHANGE}
    directory:here@0 -perm_check-> task@1
    file:a@0 -perm_check-> task@1
    path:a -named-> file:a@0
    file:a@0 -open-> task@1
"""
SET = CHANGE.replace("setattr", "setxattr").replace("iattr", "xattr")
GET = """
    file:a@0 -getxattr_inode-> xattr:1@0
    xattr:1@0 -getxattr-> task@1             task@0..1
    task@1 -memory_write-> memory@1          memory@0..1
"""
REMOVE = """
    memory@0 -memory_read-> task@1           task@0..1
    task@1 -removexattr-> xattr:1@0
    xattr:1@0 -removexattr_inode-> file:a@0
"""

ACCESS_LIST = [(0x01, 6), (0x02, 4), (0x04, 4), (0x10, 4), (0x20, 0)]  # tag, permissions

LOOKED_UP = "directory:here@0 -perm_check-> task@1"
MANY = range(1, 21)

EDGES = {
    "change_mode": CHANGE,
    # nothing has come from the file before, so its version stays
    "change_mode_by_name": f"""
        {LOOKED_UP}
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -setattr-> iattr:1@0
        iattr:1@0 -setattr_inode-> file:a@0
    """,
    "change_owner": CHANGE,
    "change_times": CHANGE,
    "truncate_part": CHANGE,
    # others may be writing, and what they have written stays
    "truncate_beside_writer": CHANGE,
    "truncate_open_file": CHANGE,
    "open_to_read_beside_writer": CHANGE,
    # the extended attributes stay
    "truncate_annotated": CHANGE,
    "set_xattr": SET,
    "set_long_xattr": SET,
    "set_empty_xattr": SET,
    "set_xattr_refused": NOTHING,
    "set_xattr_by_path": f"""
        {LOOKED_UP}
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -setxattr-> xattr:1@0
        xattr:1@0 -setxattr_inode-> file:a@0
    """,
    "set_xattr_of_link": f"""
        {LOOKED_UP}
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -setxattr-> xattr:1@0
        xattr:1@0 -setxattr_inode-> link:link@0
    """,
    # each comes into the same version: nothing has come out meanwhile
    "set_many_xattrs": f"task@0..{len(MANY)}    file:a@0..1"
    + "".join(
        f"""
        memory@0 -memory_read-> task@{number}
        task@{number} -setxattr-> xattr:{number}@0
        xattr:{number}@0 -setxattr_inode-> file:a@1
        """
        for number in MANY
    ),
    "get_xattr": GET,
    "get_xattr_by_path": LOOKED_UP + GET,
    "get_xattr_size": NOTHING,
    "get_xattr_absent": NOTHING,
    "list_xattrs": """
        file:a@0 -listxattr-> task@1             task@0..1
        task@1 -memory_write-> memory@1          memory@0..1
    """,
    "remove_xattr": REMOVE,
    "set_access_list": SET,
    "set_access_list_refused": NOTHING,
    "get_access_list": GET,
    "get_access_list_absent": NOTHING,
    "remove_access_list": REMOVE,
    "read_link": """
        link:link@0 -read_link-> task@1          task@0..1
        task@1 -memory_write-> memory@1          memory@0..1
    """,
}

# These have looked up before what they look up: that is recorded again if it has been forgotten.
KNOWN_BEFORE = {
    *("truncate_all", "truncate_part", "truncate_beside_writer", "truncate_annotated"),
    *("open_to_read_beside_writer", "open_on_disk", "write_truncate_write", "read_link"),
}

# file:..@0..1 is fresh where that can be known
TRUNCATIONS = {
    "truncate_all": CHANGE,
    "open_to_write": OPENED,
    "open_to_read": OPENED,
    "open_on_disk": CHANGE.replace("file:a", "file:cut"),
    # the second write says nothing new, but for the truncation
    "write_truncate_write": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -write-> file:a@1                 file:a@0..1
        machine -ran_on-> task:1@0
        path:act -named-> memory:1@0
        memory:1@0 -memory_read-> task:1@0
        task:1@0 -setattr-> iattr:1@0
        iattr:1@0 -setattr_inode-> file:a@2      file:a@1..2
        task:1@0..1
    """,
}
SECOND_WRITE = """
    memory@0 -memory_read-> task@2               task@1..2
    task@2 -write-> file:a@3                     file:a@2..3
"""


@pytest.fixture
def tells_afterwards(machine) -> bool:
    """Whether this kernel has a hook behind a change of attributes."""
    return version(machine.kernel.version) >= (6, 9)


def lines(recording: Recording, operation: str) -> list[str]:
    """The edges, without the look-ups that may be there or not."""
    found = recording.window(operation).lines
    if operation not in KNOWN_BEFORE:
        return found
    return [line for line in found if not re.search("-perm_check->|-open->", line)]


@pytest.mark.parametrize("operation", EDGES)
def test_an_operation_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert lines(recording, operation) == expected(EDGES[operation])


@pytest.mark.parametrize("operation", TRUNCATIONS)
def test_what_a_truncation_has_taken_is_no_ancestor(recording, operation, tells_afterwards):
    """The version after it is fresh, and what was written before is written again."""
    edges = TRUNCATIONS[operation]
    if tells_afterwards:
        newer = int(re.search(r"setattr_inode-> file:\w+@(\d)", edges)[1])
        step = rf"(file:\w+)@{newer - 1}\.\.{newer}"
        fresh = rf"\1@{newer - 1} -version_entity/control-> \1@{newer}"
        edges = re.sub(step, fresh, edges)
        edges += SECOND_WRITE if operation == "write_truncate_write" else ""

    assert lines(recording, operation) == expected(edges)


def test_a_refused_change_is_recorded_only_where_it_cannot_be_known(recording, tells_afterwards):
    """The refusal comes behind the only hook of older kernels: the edge says that it may fail."""
    window = recording.window("change_mode_refused")

    assert window.lines == expected(NOTHING if tells_afterwards else CHANGE)
    assert {edge.outcome for edge in window.found} <= {"at_hook"}


@pytest.mark.parametrize(
    ("operation", "bits", "told"),
    [
        ("change_mode", 0x1, {"mode": 0o100600, "uid": 0, "gid": 0, "size": 2, "mtime": 0}),
        ("change_owner", 0x6, {"mode": 0o100644, "uid": 1, "gid": 2}),
        ("change_times", 0x180, {"atime": 1000, "mtime": 2000}),
        ("truncate_part", 0x8, {"size": 1, "mode": 0o100644}),
    ],
)
def test_a_change_tells_what_it_has_set(recording, operation, bits, told, tells_afterwards):
    """Which attributes, their values, and those of mode, owner and size that stayed."""
    window = recording.window(operation)
    facts = recording.attributes(window.ids["iattr:1"])
    (edge,) = (e for e in window.found if e.relation == "setattr_inode")

    assert facts["valid"] & bits == bits
    assert {name: facts[name] for name in told} == told
    assert edge.flags == facts["valid"]
    assert edge.outcome == ("done" if tells_afterwards else "at_hook")


@pytest.mark.parametrize(
    ("operation", "value", "size"),
    [
        ("set_xattr", b"v\0\xff", 3),
        ("set_long_xattr", b"v" * (4096 - 256), 5000),
        ("set_empty_xattr", b"", 0),
        ("get_xattr", b"v\0\xff", 3),
        ("remove_xattr", b"", 0),
    ],
)
def test_an_extended_attribute_tells_name_and_value(recording, operation, value, size):
    """As much of the value as there is room for, its real size, and whether it was cut."""
    id = recording.window(operation).ids["xattr:1"]

    assert _attributes(recording, id) == {
        "name": b"trusted.note",
        "value": value,
        "size": size,
        "truncated": size > len(value),
    }


def test_each_of_many_extended_attributes_tells_its_own(recording):
    """Which of them is which has its name, and the value that goes with it."""
    ids = recording.window("set_many_xattrs").ids
    told = [_attributes(recording, ids[f"xattr:{number}"]) for number in MANY]

    assert [facts["name"] for facts in told] == [facts["value"] for facts in told]
    assert {facts["name"] for facts in told} == {
        f"trusted.note{number - 1}".encode() for number in MANY
    }


@pytest.mark.parametrize("operation", ["set_access_list", "get_access_list"])
def test_an_access_list_is_told_as_the_attribute_that_it_is(recording, operation):
    """Version, then tag, permissions and number of each entry."""
    id = recording.window(operation).ids["xattr:1"]
    told = _attributes(recording, id)
    entries = list(struct.iter_unpack("<HHI", told["value"][4:]))

    assert (told["name"], told["value"][:4]) == (b"system.posix_acl_access", b"\2\0\0\0")
    assert [(tag, permissions) for tag, permissions, _ in entries] == ACCESS_LIST
    assert entries[1][2] == 1234
    assert told["size"] == len(told["value"]) == 44


def _attributes(recording: Recording, id: int) -> dict:
    """Of a node that stands for itself."""
    (facts,) = (
        node.attributes
        for node in recording.expanded
        if isinstance(node, Node) and node.identifier.id == id
    )
    return dict(facts)


@pytest.mark.parametrize(
    ("operation", "relation", "outcome"),
    [
        ("set_xattr", "setxattr_inode", "done"),
        ("get_xattr", "getxattr", "done"),
        ("list_xattrs", "listxattr", "at_hook"),
        ("read_link", "read_link", "at_hook"),
    ],
)
def test_what_is_certain_says_so(recording, operation, relation, outcome):
    """What is recorded at its hook may still fail."""
    edge = recording.window(operation).only(relation)

    assert edge.outcome == outcome
