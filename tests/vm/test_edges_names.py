"""Names that come and go: the whole set of edges of each operation, and what a file is called when.

Making, changing or removing a name writes the directory. What a naming edge leads to (``link``,
``rename``, ``unlink`` ...) gets nothing of the task's memory: the task alone is its source.
"""

import sys
from pathlib import Path

import pytest

from provcap.cli.main import main
from tests.vm.guest_recordings import PATIENCE_S
from tests.vm.recorded import expected
from tests.vm.test_edges_files import LOOKED_UP

pytestmark = pytest.mark.vm

HERE_WRITTEN = """
    memory@0 -memory_read-> task@2           task@1..2
    task@2 -write-> directory:here@1         directory:here@0..1
"""

NAMES = {
    "link": f"""
        {LOOKED_UP}
        file:a@0 -perm_check-> task@1
        task@1 -link-> file:a@1                  file:a@0..1
        {HERE_WRITTEN}
        path:new -named-> file:a@1
    """,
    "link_existing": LOOKED_UP,
    "unlink": f"""
        {LOOKED_UP}
        task@1 -unlink-> file:a@0
        {HERE_WRITTEN}
        path:a -unnamed-> file:a@0
    """,
    "unlink_absent": LOOKED_UP,
    "unlink_refused": LOOKED_UP,
    "rmdir": f"""
        {LOOKED_UP}
        task@1 -rmdir-> directory:folder@0
        {HERE_WRITTEN}
        path:folder -unnamed-> directory:folder@0
    """,
    # only the file system knows that the folder is not empty, and it is asked after the hook
    "rmdir_full": f"""
        {LOOKED_UP}
        task@1 -rmdir-> directory:folder@0
        {HERE_WRITTEN}
        path:folder -unnamed-> directory:folder@0
    """,
    "rename": f"""
        {LOOKED_UP}
        task@1 -rename-> file:a@0
        {HERE_WRITTEN}
        path:a -unnamed-> file:a@0
        path:new -named-> file:a@0
    """,
    "rename_over": f"""
        {LOOKED_UP}
        task@1 -rename-> file:a@0
        task@1 -replace-> file:b@0
        {HERE_WRITTEN}
        path:a -unnamed-> file:a@0
        path:b -unnamed-> file:b@0
        path:b -named-> file:a@0
    """,
    "rename_between": f"""
        {LOOKED_UP}
        directory:folder@0 -perm_check-> task@1
        task@1 -rename-> file:a@0
        {HERE_WRITTEN}
        memory@0 -memory_read-> task@3           task@2..3
        task@3 -write-> directory:folder@1       directory:folder@0..1
        path:a -unnamed-> file:a@0
        path:folder/a -named-> file:a@0
    """,
    "rename_kept": LOOKED_UP,
    "rename_absent": LOOKED_UP,
    "rename_refused": LOOKED_UP,
    "rename_to_itself": LOOKED_UP,
    "exchange": f"""
        {LOOKED_UP}
        task@1 -exchange-> file:a@0
        task@1 -exchange-> file:b@0
        {HERE_WRITTEN}
        path:a -unnamed-> file:a@0
        path:b -named-> file:a@0
        path:b -unnamed-> file:b@0
        path:a -named-> file:b@0
    """,
    # what the file system puts in its place is seen when somebody meets it
    "rename_whiteout": f"""
        {LOOKED_UP}
        task@1 -rename-> file:a@0
        {HERE_WRITTEN}
        path:a -unnamed-> file:a@0
        path:new -named-> file:a@0
    """,
    # the file in it has another path, too: that is told when it is opened
    "rename_folder": f"""
        {LOOKED_UP}
        task@1 -rename-> directory:folder@0
        {HERE_WRITTEN}
        path:folder -unnamed-> directory:folder@0
        path:moved -named-> directory:folder@0
        directory:here@1 -perm_check-> task@3    task@2..3
        directory:folder@0 -perm_check-> task@3
        file:folder/a@0 -perm_check-> task@3
        path:moved/a -named-> file:folder/a@0
        file:folder/a@0 -open-> task@3
    """.replace("file:folder/a", "file:a"),
    "symlink": f"""
        {LOOKED_UP}
        memory@0 -memory_read-> task@1
        task@1 -symlink-> link:new@0
        {HERE_WRITTEN}
        path:new -named-> link:new@0
    """,
    "symlink_existing": LOOKED_UP,
    "mkdir": f"""
        {LOOKED_UP}
        memory@0 -memory_read-> task@1
        task@1 -mkdir-> directory:new@0
        {HERE_WRITTEN}
        path:new -named-> directory:new@0
    """,
    "mkdir_existing": LOOKED_UP,
    "mkdir_refused": LOOKED_UP,
    "mknod_fifo": f"""
        {LOOKED_UP}
        memory@0 -memory_read-> task@1
        task@1 -mknod-> pipe:new@0
        {HERE_WRITTEN}
        path:new -named-> pipe:new@0
    """,
    "mknod_block": f"""
        {LOOKED_UP}
        memory@0 -memory_read-> task@1
        task@1 -mknod-> block:new@0
        {HERE_WRITTEN}
        path:new -named-> block:new@0
    """,
    "mknod_file": f"""
        {LOOKED_UP}
        memory@0 -memory_read-> task@1
        task@1 -inode_create-> file:new@0
        {HERE_WRITTEN}
        path:new -named-> file:new@0
    """,
    "mknod_existing": LOOKED_UP,
    # the node on the file system is another thing than the socket
    "bind_path": """
        address:new -addressed-> socket:made@0
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -bind-> socket:made@0
        directory:here@0 -perm_check-> task@2    task@1..2
        memory@0 -memory_read-> task@2
        task@2 -mknod-> socket:1@0
        memory@0 -memory_read-> task@3           task@2..3
        task@3 -write-> directory:here@1         directory:here@0..1
        path:new -named-> socket:1@0
    """,
    # without a name its directory has nothing new in it
    "tmpfile": f"""
        {LOOKED_UP}
        memory@0 -memory_read-> task@1
        task@1 -tmpfile-> file:new@0
        file:new@0 -open-> task@2                task@1..2
        memory@0 -memory_read-> task@2
        task@2 -write-> file:new@1               file:new@0..1
    """,
    "tmpfile_link": f"""
        {LOOKED_UP}
        file:new@0 -perm_check-> task@1
        task@1 -link-> file:new@1                file:new@0..1
        {HERE_WRITTEN}
        path:new -named-> file:new@1
    """,
}

VIEWS = {
    b"/tmp/edges/views/a",
    b"/tmp/edges/views/hard",
    b"/tmp/edges/views/folder/a",  # through a bind mount
    b"/tmp/edges/views/mount/a",  # through another, which the kernel keeps where the first one was
    b"/tmp/edges/views/folder/inside",  # in another mount namespace, from its old root
    b"/inside",  # and from its new one
}


@pytest.mark.parametrize("operation", NAMES)
def test_an_operation_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert recording.window(operation).lines == expected(NAMES[operation])


def test_a_file_is_one_node_with_all_its_names(recording):
    """Links, mounts, namespaces: however it is reached, it is the same file."""
    (id,) = recording.ids("views/a")

    assert set(recording.names(id)) == VIEWS


@pytest.mark.parametrize(
    ("operation", "history"),
    [
        ("rename", ["-a", "+new"]),
        ("rename_and_back", ["-a", "+new", "-new", "+a"]),
        ("come_back", ["+new", "-new", "+new"]),
        ("exchange", ["-a", "+b"]),
        # known names are not told again
        ("reopen", ["+hard", "+a"]),
    ],
)
def test_names_come_and_go_in_order(recording, operation, history):
    """Each at its time, and again when it is there again."""
    (id,) = recording.ids(f"{operation}/a")
    found = recording.name_history(id)
    folder = f"/tmp/edges/{operation}/".encode()
    signs = {"named": "+", "unnamed": "-"}

    assert [signs[r] + name.removeprefix(folder).decode() for r, name, _ in found] == history
    assert [at_ns for _, _, at_ns in found] == sorted(at_ns for _, _, at_ns in found)


def made_in(recording, operation):
    """The relations by which something was made."""
    makers = ("inode_create", "mknod", "mkdir", "symlink", "tmpfile")
    return [e.relation for e in recording.window(operation).found if e.relation in makers]


def test_a_file_is_made_once(recording):
    """Each of the hooks that an open(O_CREAT) passes would have reason to say so."""
    window = recording.window("create_on_disk")
    written = [e for e in window.found if e.relation == "write"]

    assert made_in(recording, "create_on_disk") == ["inode_create"]
    assert len(written) == 1


@pytest.mark.parametrize(("name", "relation"), [("made", "inode_create"), ("folder", "mkdir")])
def test_what_a_stacked_file_system_makes_is_made_once_on_each_level(recording, name, relation):
    """The one below is another node."""
    found = recording.window("create_on_overlay").found
    made = [edge.receiver.id for edge in found if edge.relation == relation]
    top = [id for id in made if recording.names(id) == [f"/tmp/edges/overlay/{name}".encode()]]

    assert len(made) == len(set(made)) == 2
    assert len(top) == 1


def test_a_file_of_a_stacked_file_system_shows_the_one_below_and_then_its_copy(recording):
    """Opened to write it is copied up: what was below reaches it by both ways."""
    found = recording.window("copy_up").found
    below, above, copy = (
        recording.ids(f"copy_up/{name}")[0] for name in ("below", "above", "copy")
    )
    shown = [(e.sender.id, e.receiver.id) for e in found if e.relation == "stacked"]

    assert set(shown) == {(below, above), (copy, above)}
    assert reaches(found, below, copy)


def reaches(edges, source: int, target: int) -> bool:
    """Whether data went from node to node, in the order of the edges."""
    reached = {source}
    for edge in sorted(edges, key=lambda edge: edge.at_ns):
        if edge.flow in ("data", "version") and edge.sender.id in reached:
            reached.add(edge.receiver.id)
    return target in reached


def test_a_file_that_is_found_on_disk_is_not_made(recording):
    """An open(O_CREAT) asks before it looks; what the look finds has been there."""
    window = recording.window("create_existing")

    assert made_in(recording, "create_existing") == []
    assert "write" not in {edge.relation for edge in window.found}
    assert "file:there@0 -perm_check-> task@1" in window.lines


# head, because cat has the kernel copy
MOVES = """
mkdir work
head source >work/draft
mv work/draft work/report
head noise >work/page
head source >work/new
mv work/new work/page
mv work done
head done/report >/dev/null
"""


@pytest.fixture(scope="module")
def moved(machine) -> Path:
    """A folder in which files have been moved about, with the log of it."""
    folder: Path = machine.share / "moved"
    folder.mkdir()
    for name in ("source", "noise"):
        (folder / name).write_text(name)
    command = [sys.executable, "-m", "provcap.cli.main", "record", "--out", str(folder)]
    script = f"cd {folder}; {MOVES}"
    assert machine.run([*command, "--", "sh", "-ec", script], timeout_s=PATIENCE_S).status == 0
    return folder


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("done/report", "done/report", "no record was lost"),
        ("work/draft", "done/report", "done/report"),
        ("work/page", "work/page", "1 earlier file(s) had this name"),
    ],
)
def test_why_finds_a_file_by_every_name_it_had(moved, capsys, asked, first, last):
    """Its own name and that of the folder above it have changed since it was written."""
    assert main(["why", f"{moved}/{asked}", "--log", f"{moved}/audit.log"]) == 0

    printed = capsys.readouterr().out
    assert printed.startswith(f"{moved}/{first} (")
    assert f"read {moved}/source" in printed
    assert f"read {moved}/noise" not in printed
    assert last in printed.splitlines()[-1]
