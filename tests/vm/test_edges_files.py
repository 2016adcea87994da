"""Files, directories, devices, pipes: the whole set of edges of each operation.

``begin()`` has left task and memory as sources, so what enters them makes version 1. A file that
was opened before has been a source too (of its open), so what is written to it makes its version 1.
"""

import pytest

from tests.vm.recorded import expected

pytestmark = pytest.mark.vm

NOTHING = ""

LOOKED_UP = """
    directory:here@0 -perm_check-> task@1    task@0..1
"""
READ_A = """
    file:a@0 -read-> task@1                  task@0..1
    task@1 -memory_write-> memory@1          memory@0..1
"""

COPY = f"""
    {READ_A}
    memory@1 -memory_read-> task@2           task@1..2
    task@2 -write-> file:b@1                 file:b@0..1
"""

FILES = {
    # control: the task learns, its memory does not
    "open": """
        directory:here@0 -perm_check-> task@1    task@0..1
        file:a@0 -perm_check-> task@1
        path:a -named-> file:a@0
        file:a@0 -open-> task@1
    """,
    "open_absent": LOOKED_UP,
    "open_refused": LOOKED_UP,
    # the new file derives from its maker, the directory has a new name in it
    "create": """
        directory:here@0 -perm_check-> task@1    task@0..1
        path:new -named-> file:new@0
        memory@0 -memory_read-> task@1
        task@1 -inode_create-> file:new@0
        memory@0 -memory_read-> task@2           task@1..2
        task@2 -write-> directory:here@1         directory:here@0..1
        file:new@0 -open-> task@3                task@2..3
    """,
    "create_refused": LOOKED_UP,
    "read": READ_A,
    "read_refused": NOTHING,
    "write": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -write-> file:a@1                 file:a@0..1
    """,
    "write_refused": NOTHING,
    # a hundred rounds say no more than one
    "copy": COPY,
    # the second write must not be taken for the first: it carries what was read
    "write_read_write": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -write-> file:b@1                 file:b@0..1
        file:a@0 -read-> task@2                  task@1..2
        task@2 -memory_write-> memory@1          memory@0..1
        memory@1 -memory_read-> task@3           task@2..3
        task@3 -write-> file:b@1
    """,
    "getattr": """
        file:a@0 -getattr-> task@1               task@0..1
    """,
    "access": f"""
        {LOOKED_UP}
        file:a@0 -perm_check-> task@1
    """,
    # what the process knows may be stored there from now on
    "map_shared": f"""
        {READ_A.replace("read", "mmap")}
        memory@1 -sh_write-> file:a@1            file:a@0..1
    """,
    "map_private": READ_A.replace("read", "mmap_private"),
    "map_anonymous": NOTHING,
    "map_refused": NOTHING,
    "list_directory": READ_A.replace("file:a", "directory:folder"),
    # what goes into a null device is gone, what comes out is nobody's
    "write_null": """
        task@0 -write/control-> char:null@1      char:null@0..1
    """,
    "read_zero": """
        char:zero@0 -read/control-> task@1       task@0..1
    """,
    # somebody typed that
    "read_terminal": READ_A.replace("file:a", "char:terminal"),
    "read_terminal_empty": NOTHING,
}

READ_PIPE = READ_A.replace("file:a", "pipe:pipe")

PIPES = {
    "write_pipe": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -write-> pipe:pipe@0
    """,
    "read_pipe": READ_PIPE,
    "read_empty": NOTHING,
    "read_ended": NOTHING,
    "read_interrupted": NOTHING,
    # the reader waited at version 0; what it gets is what the other has written meanwhile
    "read_waiting": """
        machine -ran_on-> task:1@0
        path:act -named-> memory:1@0
        memory:1@0 -memory_read-> task:1@0
        task:1@0 -write-> pipe:pipe@1            pipe:pipe@0..1
        pipe:pipe@1 -read-> task@1               task@0..1
        task@1 -memory_write-> memory@1          memory@0..1
    """,
    "fifo": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -write-> pipe:fifo@1              pipe:fifo@0..1
        pipe:fifo@1 -read-> task@2               task@1..2
        task@2 -memory_write-> memory@1          memory@0..1
    """,
}


def test_nothing_was_lost(recording):
    """Every other test relies on it."""
    assert recording.losses.complete, recording.losses


@pytest.mark.parametrize("operation", FILES | PIPES)
def test_an_operation_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert recording.window(operation).lines == expected((FILES | PIPES)[operation])


def test_what_is_written_to_a_terminal_reaches_its_other_side(recording):
    """From the writer's side to the reader's, in whatever steps."""
    found = recording.window("write_terminal").found
    (read,) = (edge for edge in found if edge.relation == "read")
    (written,) = (edge for edge in found if edge.relation == "write")

    assert written.receiver == read.sender or any(
        (edge.sender.id, edge.receiver.id) == (written.receiver.id, read.sender.id)
        for edge in found
    )


@pytest.mark.parametrize("operation", ["read", "write", "copy"])
def test_what_is_known_is_not_recorded_again(recording, operation):
    """Each edge came once, however often the operation was repeated."""
    window = recording.window(operation)

    assert len(window.found) == len(window.lines)


def test_an_input_that_may_wait_is_recorded_when_it_is_done(recording):
    """Others are recorded at the hook, and may still fail."""
    outcomes = {
        edge.outcome
        for operation in ("read_pipe", "read_waiting")
        for edge in recording.window(operation).found
        if edge.relation == "read"
    }
    file = recording.window("read").only("read")

    assert (outcomes, file.outcome) == ({"done"}, "at_hook")


def test_flags_and_offset_are_those_of_the_call(recording):
    """The access mask, the flags of the open, the protection; the position before the read."""
    read = recording.window("read").only("read")
    opened = recording.window("create").only("open")
    mapped = recording.window("map_shared").only("mmap")

    assert (read.flags, read.offset) == (4, 0)
    assert opened.flags & 0o101 == 0o101  # O_CREAT | O_WRONLY
    assert (mapped.flags, mapped.offset) == (3, None)


@pytest.mark.parametrize(
    ("name", "kind", "mode"),
    [
        ("open/a", "file", 0o100644),
        ("create/new", "file", 0o100640),
        ("list_directory/folder", "directory", 0o040755),
        ("write_null/null", "char", 0o020666),
        ("fifo/fifo", "pipe", 0o010644),
        ("read_pipe/pipe", "pipe", 0o010600),
    ],
)
def test_an_inode_tells_what_it_is(recording, name, kind, mode):
    """Kind, mode, number, owner and file system; a device node its own number."""
    (id,) = recording.ids(name)
    facts = recording.attributes(id)

    assert recording.kind(id) == kind
    assert facts["ino"] == recording.told(name).inode
    assert (facts["uid"], facts["gid"]) == (0, 0)
    assert facts["mode"] == mode & ~0o022 if kind == "char" else mode
    assert facts["rdev"] == ((1 << 20) | 3 if kind == "char" else 0)
    assert facts["magic"] == (0x50495045 if name.endswith("/pipe") else 0x01021994)
