"""Objects before recording began, out of the cache and back, deleted; long and mounted names."""

from collections import defaultdict

import pytest

from tests.vm.recorded import expected

pytestmark = pytest.mark.vm

BEFORE = """
    path:a -named-> file:a@0
    file:a@0 -read-> task@1                  task@0..1
    task@1 -memory_write-> memory@1          memory@0..1
    machine -ran_on-> task:1@0
    path:b -named-> file:b@0
    memory@1 -memory_read-> task:1@0
    task:1@0 -write-> file:b@0
"""


def test_what_was_there_before_is_met_at_its_first_use(recording):
    """Two threads from before share their memory: what one has read, the other writes."""
    assert recording.window("before").lines == expected(BEFORE)


def test_what_was_mapped_before_is_an_ancestor_of_what_is_written(recording):
    """Its descriptors were closed by then. What another process has mapped is none."""
    text, script, secret, written = (
        recording.ids(f"before/{name}")[0] for name in ("text", "script", "secret", "b")
    )
    mapped = {(e.sender.id, e.relation) for e in recording.edges if e.relation.startswith("mmap")}
    ancestors = _ancestors(recording, written)

    assert {(text, "mmap_private"), (script, "mmap"), (secret, "mmap_private")} <= mapped
    assert {text, script} <= ancestors
    assert secret not in ancestors


def _ancestors(recording, id: int) -> set[int]:
    """Nodes that something flowed from into the last version of this one."""
    senders = defaultdict(set)
    for edge in recording.edges:
        if edge.flow in ("data", "version"):
            senders[edge.receiver].add(edge.sender)
    waiting = [end for end in senders if end.id == id]
    found = set(waiting)
    while waiting:
        new = senders[waiting.pop()] - found
        found |= new
        waiting += new
    return {end.id for end in found}


def test_an_evicted_file_is_the_same_node_when_it_comes_back(recording):
    """It left the cache (its record was sent again), and its versions go on."""
    (id,) = recording.ids("evict/kept")
    writes = [e for e in recording.edges if e.relation == "write" and e.receiver.id == id]
    (read,) = (e for e in recording.edges if e.relation == "read" and e.sender.id == id)

    assert len(recording.nodes[id]) == 2
    assert read.sender.version >= max(edge.receiver.version for edge in writes)
    assert not [edge for edge in recording.edges if edge.relation == "free"
                and edge.sender.id == id and edge.at_ns < read.at_ns]  # fmt: skip


def test_a_deleted_file_ends_and_its_number_is_another_node(recording):
    """Same device and inode number, another file: nothing of the first flows into it."""
    first, second = recording.ids("delete/next")
    one, two = recording.attributes(first), recording.attributes(second)

    assert (one["ino"], one["dev"]) == (two["ino"], two["dev"])
    assert one["generation"] != two["generation"]
    assert recording.endings(first) == [f"free {recording.last_version(first)}"]
    assert recording.names(first) == [b"/tmp/edges/disk/gone"]
    assert recording.names(second) == [b"/tmp/edges/disk/next"]


def test_a_pipe_is_freed_when_both_ends_are_closed(recording):
    """After what was written to it."""
    (id,) = recording.ids("end_pipe/pipe")

    assert recording.endings(id) == ["free 1"]


def test_a_name_leads_through_every_mount(recording):
    """The path as the host sees it, from the root."""
    (id,) = recording.ids("mounted/file")

    assert recording.names(id) == [b"/tmp/edges/mount/inner/deep/file"]


def test_a_name_may_have_four_thousand_bytes(recording):
    """Whole, and not marked as cut."""
    (id,) = recording.ids("long_name/last")
    (name,) = recording.names(id)
    (path,) = (e.sender for e in recording.edges if e.relation == "named" and e.receiver.id == id)

    assert len(name) == 4095
    *folders, last = name.removeprefix(b"/tmp/edges/long_name/").split(b"/")
    assert folders == [b"n" * 255] * len(folders)
    assert last == b"n" * len(last)
    assert recording.texts[path]["truncated"] is False
