"""The stages: order across CPUs, expansion into nodes and edges, names."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provcap.capture import expand
from provcap.capture.decoder import Decoder
from provcap.capture.expand import Expand, path_id
from provcap.capture.stages import Name, OrderByTime
from provcap.errors import RecordingError
from provcap.records import Edge, Node, Origin, Record
from provcap.vocabulary import MACHINE_ID
from tests.batches import BITS, LAYOUT, TEXT_BITS, batch, event, node, path, text

ORIGIN = Origin(28, 509509127, 0, {"sysname": "Linux"})
DECODER = Decoder(LAYOUT)
FILE, TASK, MEMORY = ("file", 7, 0), ("task", 8, 0), ("process_memory", 9, 0)


def expanded(*records: bytes, **settings: Any) -> list[Record]:
    """What the records stand for, with the stream ended behind them."""
    stage = Expand(ORIGIN, **settings)
    return stage(DECODER.decode(batch(*records))) + stage.finish()


def edges(records: list[Record]) -> list[tuple[str, int, int, int, int]]:
    """(relation, sender, its version, receiver, its version) of every edge."""
    return [
        (r.relation, r.sender.id, r.sender.version, r.receiver.id, r.receiver.version)
        for r in records
        if isinstance(r, Edge)
    ]


def nodes(records: list[Record]) -> list[tuple[str, int, int]]:
    """(kind, id, version) of every node."""
    return [
        (r.kind, r.identifier.id, r.identifier.version)
        for r in records
        if isinstance(r, Node) and not isinstance(r.identifier, bytes)
    ]


def test_a_read_goes_through_the_task_into_its_memory() -> None:
    """used + THROUGH: from --read--> through --memory_write--> to."""
    records = expanded(event("read", FILE, MEMORY, through=(8, 0), offset=4096, flags=4))
    read, write = (r for r in records if isinstance(r, Edge))

    assert edges(records) == [("read", 7, 0, 8, 0), ("memory_write", 8, 0, 9, 0)]
    assert (read.offset, read.flags, read.section, read.task_id) == (4096, 4, "used", 8)
    assert (write.offset, write.flow) == (None, "data")


def test_a_write_goes_from_the_memory_through_the_task() -> None:
    """Any other + THROUGH: from --memory_read--> through --write--> to."""
    records = expanded(event("write", MEMORY, FILE, through=(8, 0), offset=0))

    assert edges(records) == [("memory_read", 9, 0, 8, 0), ("write", 8, 0, 7, 0)]
    assert [r.offset for r in records if isinstance(r, Edge)] == [None, 0]


def test_an_event_without_through_is_one_edge() -> None:
    """THROUGH clear: from --relation--> to, whoever acted."""
    assert edges(expanded(event("clone", TASK, ("task", 10, 0)))) == [("clone", 8, 0, 10, 0)]


def test_a_weaker_flow_of_an_event_is_that_of_its_edge() -> None:
    """Reading a null device carries nothing; 0 leaves the relation's own class."""
    flows = []
    for flow in (0, 2):
        read, _ = (r for r in expanded(event("read", FILE, MEMORY, through=(8, 0), flow=flow))
                   if isinstance(r, Edge))  # fmt: skip
        flows.append(read.flow)

    assert flows == ["data", "control"]


def test_a_version_brings_its_version_edge_once() -> None:
    """However often version 1 is shown, 0 -> 1 is one edge, in front of what refers to it."""
    write = event("write", TASK, ("file", 7, 1), bits=BITS["EVENT_TO_STEPPED"])
    records = expanded(event("write", TASK, FILE), write, write)

    assert edges(records) == [
        ("write", 8, 0, 7, 0),
        ("version_entity", 7, 0, 7, 1),
        ("write", 8, 0, 7, 1),
        ("write", 8, 0, 7, 1),
    ]


def test_lost_versions_are_bridged() -> None:
    """From version 0 to version 3 in one record: three version edges, each node once."""
    records = expanded(event("clone", TASK, FILE), event("clone", ("task", 8, 3), FILE))

    assert [e for e in edges(records) if e[0] == "version_activity"] == [
        ("version_activity", 8, n, 8, n + 1) for n in range(3)
    ]
    assert Counter(nodes(records)).most_common(1)[0][1] == 1


def test_a_late_record_extends_the_known_versions_downward() -> None:
    """Versions below the first that was seen get their edges up to it."""
    records = expanded(event("clone", ("task", 8, 5), FILE), event("clone", ("task", 8, 2), FILE))

    assert sorted(e[2] for e in edges(records) if e[0] == "version_activity") == [1, 2, 3, 4]


def test_a_huge_gap_is_bridged_by_one_edge() -> None:
    """A damaged version number cannot make millions of nodes."""
    stage = Expand(ORIGIN)
    data = batch(event("clone", TASK, FILE), event("clone", ("task", 8, 2**32 - 1), FILE))
    records = stage(DECODER.decode(data))

    assert ("version_activity", 8, 0, 8, 2**32 - 2) in edges(records)
    assert len(records) < 10
    assert stage.jumps == 1


@pytest.mark.parametrize("relation", ["terminate_proc", "free"])
def test_an_ending_is_the_version_edge_itself(relation: str) -> None:
    """terminate and free link n to n+1; there is no version edge beside it."""
    end = event(relation, ("file", 7, 2), ("file", 7, 3))
    records = expanded(event("write", TASK, ("file", 7, 2)), end)

    assert edges(records)[-1] == (relation, 7, 2, 7, 3)
    assert edges(records)[:-1] == [("version_entity", 7, 1, 7, 2), ("write", 8, 0, 7, 2)]
    assert nodes(records)[-1] == ("file", 7, 3)


def test_an_ended_object_is_forgotten_after_a_grace() -> None:
    """State does not grow with every task that ever lived."""
    stage = Expand(ORIGIN)
    end = event("terminate_task", TASK, ("task", 8, 1), at_ns=1)
    late = event("write", ("task", 11, 0), ("file", 12, 0), at_ns=expand.GRACE_NS + 2)
    stage(DECODER.decode(batch(end)))
    stage(DECODER.decode(batch(late)))

    assert stage._objects.get(8) is None
    assert stage._objects.get(11) is not None


def test_given_up_edges_are_left_out_but_versions_stay() -> None:
    """TO_LOST leaves the edge into the task; the version that the target got is in the graph."""
    bits = BITS["EVENT_TO_LOST"] | BITS["EVENT_TO_STEPPED"]
    records = expanded(event("read", FILE, ("process_memory", 9, 1), through=(8, 0), bits=bits))

    assert edges(records) == [("read", 7, 0, 8, 0), ("version_entity", 9, 0, 9, 1)]


def test_a_lost_through_leaves_out_both_edges() -> None:
    """THROUGH_LOST leaves only the version that was made."""
    bits = BITS["EVENT_THROUGH_LOST"] | BITS["EVENT_THROUGH_STEPPED"]
    records = expanded(event("read", FILE, MEMORY, through=(8, 1), bits=bits))

    assert edges(records) == [("version_activity", 8, 0, 8, 1)]


def test_a_fresh_version_carries_nothing_over() -> None:
    """After truncation the version edge is control: the old content is no ancestor."""
    bits = BITS["EVENT_FRESH"] | BITS["EVENT_TO_STEPPED"]
    records = expanded(event("open", TASK, ("file", 7, 1), bits=bits))

    assert [(r.relation, r.flow) for r in records if isinstance(r, Edge)][0] == (
        "version_entity",
        "control",
    )


def test_every_node_comes_before_its_edges_and_with_what_is_known() -> None:
    """Attributes come from the node record, also for versions after it; none gives a bare node."""
    records = expanded(node("file", 7, mode=0o644), event("write", TASK, ("file", 7, 1)))
    seen: dict[Any, Node] = {}
    for record in records:
        if isinstance(record, Node):
            seen[record.identifier] = record
        else:
            assert record.sender in seen and record.receiver in seen

    attributes = {(r.kind, r.identifier[4]): r.attributes for r in seen.values()}
    assert attributes["file", 0]["mode"] == attributes["file", 1]["mode"] == 0o644
    assert attributes["task", 0] == {}


def test_a_node_record_that_says_more_repeats_the_node() -> None:
    """A bare node is sent again when its attributes arrive; the same facts are not."""
    facts = node("file", 7, mode=0o600)
    records = expanded(event("write", TASK, FILE), facts, facts, node("file", 7, mode=0o644))

    assert nodes(records).count(("file", 7, 0)) == 3


def test_an_inode_that_changes_kind_keeps_the_kind_of_older_versions() -> None:
    """One version has one identifier, whatever kind a record says it is."""
    records = expanded(
        event("write", TASK, ("inode_unknown", 7, 0)),
        event("write", TASK, ("file", 7, 1)),
        event("read", ("file", 7, 0), TASK),
    )
    old = {r.sender.type for r in records if isinstance(r, Edge) and r.relation == "read"}

    assert nodes(records).count(("inode_unknown", 7, 0)) == 1
    assert old == {0x2000000000000040}


def test_the_machine_node_has_what_the_stream_says_of_it() -> None:
    """ran_on starts at the machine, whose attributes are in the header of the stream."""
    records = expanded(node("task", 8))
    machines = [r for r in records if isinstance(r, Node) and r.kind == "machine"]

    assert machines[-1].attributes == {"sysname": "Linux"}
    assert edges(records)[-1] == ("ran_on", MACHINE_ID, 0, 8, 0)


def test_a_task_ran_on_the_machine_that_it_started_on() -> None:
    """Once, whatever was loaded later, and wherever in the stream its record comes."""
    loads = [
        event("load_module", ("task", 8, 2), ("machine", MACHINE_ID, version), at_ns=at)
        for version, at in ((1, 100), (2, 200))
    ]
    tasks = [
        node("task", id, version=3, at_ns=300, start_ns=start)
        for id, start in ((20, 50), (21, 100), (22, 101), (23, 250), (20, 50))
    ]
    ran = [e for e in edges(expanded(*loads, *tasks)) if e[0] == "ran_on"]

    assert [(sender, receiver) for _, _, sender, receiver, _ in ran] == [
        (0, 20),
        (0, 21),
        (1, 22),
        (2, 23),
    ]


def test_forgotten_objects_repeat_nodes_but_no_version_edge() -> None:
    """With room for one object only, versions are still remembered."""
    other = [event("write", ("task", n, 0), ("file", n + 1, 0)) for n in range(20, 40, 2)]
    write = event("write", TASK, ("file", 7, 1))
    records = expanded(write, *other, write, capacity=1)

    assert [e for e in edges(records) if e[0] == "version_entity"] == [
        ("version_entity", 7, 0, 7, 1)
    ]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 6)), max_size=30))
def test_version_edges_are_unique_and_without_gaps(seen: list[tuple[int, int]]) -> None:
    """For any order of any versions: one chain per object, each step once, each node once."""
    data = [event("write", ("task", 99, 0), ("file", id, version)) for id, version in seen]
    records = expanded(*data)
    steps = Counter(e for e in edges(records) if e[0] == "version_entity")
    chains: dict[int, set[int]] = {}
    for _, id, _, _, version in steps:
        chains.setdefault(id, set()).add(version)

    assert set(steps.values()) <= {1}
    assert set(Counter(nodes(records)).values()) <= {1}
    for id, versions in chains.items():
        wanted = {v for i, v in seen if i == id and v}
        assert wanted <= versions
        assert versions == set(range(min(versions), max(versions) + 1))


def test_a_path_is_a_node_and_a_name() -> None:
    """The path's id comes from its bytes; naming does not step a version; the node comes once."""
    name = path(b"/tmp/\xff\n", ("file", 7, 3))
    records = expanded(name, name)
    first = next(r for r in records if isinstance(r, Node) and r.kind == "path")

    assert first.attributes == {"pathname": b"/tmp/\xff\n", "truncated": False}
    assert edges(records)[-1] == ("named", path_id(b"/tmp/\xff\n"), 0, 7, 3)
    assert len([n for n in nodes(records) if n[0] == "path"]) == 1


def test_a_name_that_is_taken_away_says_so() -> None:
    """The same path node leads to the file a second time, as a name that it has no more."""
    removed = path(b"/a", FILE, bits=TEXT_BITS["TEXT_LAST"] | TEXT_BITS["TEXT_REMOVED"])
    records = expanded(path(b"/a", FILE), removed)

    assert edges(records) == [
        ("named", path_id(b"/a"), 0, 7, 0),
        ("unnamed", path_id(b"/a"), 0, 7, 0),
    ]


def test_an_attribute_change_lies_between_the_task_and_the_inode() -> None:
    """Its node has what was set; the events lead to it and from it."""
    records = expanded(
        node("iattr", 11, valid=1, mode=0o100600),
        event("setattr", MEMORY, ("iattr", 11, 0), through=(8, 0)),
        event("setattr_inode", ("iattr", 11, 0), FILE),
    )
    (change,) = (r for r in records if isinstance(r, Node) and r.kind == "iattr")

    assert (change.attributes["valid"], change.attributes["mode"]) == (1, 0o100600)
    assert edges(records)[1:] == [("setattr", 8, 0, 11, 0), ("setattr_inode", 11, 0, 7, 0)]


def test_an_extended_attribute_is_its_name_and_its_value() -> None:
    """The value may hold any byte; the text makes a node, and no edge of its own."""
    records = expanded(
        text("xattr", b"user.x\0\0\xff", FILE, id=12),
        event("setxattr_inode", ("xattr", 12, 0), FILE),
    )
    (xattr,) = (r for r in records if isinstance(r, Node) and r.kind == "xattr")

    assert xattr.attributes == {
        **{"name": b"user.x", "value": b"\0\xff"},
        **{"size": 2, "truncated": False},
    }
    assert edges(records) == [("setxattr_inode", 12, 0, 7, 0)]


def pieces(body: bytes, size: int, **more: Any) -> list[bytes]:
    """The text records of a command line that travels in pieces."""
    return [
        text("argv", body[at : at + size], ("process_memory", 9, 1), id=100, offset=at,
             total=len(body), count=body.count(b"\0"), **more)
        for at in range(0, len(body), size)
    ]  # fmt: skip


def arguments(records: list[Record]) -> list[tuple[int, bytes, bool]]:
    return [
        (r.identifier.id, r.attributes["value"], r.attributes["truncated"])
        for r in records
        if isinstance(r, Node) and r.kind == "argv"
    ]


@given(st.permutations(range(6)))
def test_pieces_of_a_command_line_meet_in_any_order(order: list[int]) -> None:
    """One node per string with consecutive ids, however the pieces arrived."""
    parts = pieces(b"cc\0-o\0\0x y\0" + b"a" * 5 + b"\0", 3)
    records = expanded(*(parts[n] for n in order if n < len(parts)))

    assert arguments(records) == [
        (100, b"cc", False),
        (101, b"-o", False),
        (102, b"", False),
        (103, b"x y", False),
        (104, b"aaaaa", False),
    ]
    assert edges(records)[-1] == ("arg", 104, 0, 9, 1)


def test_arguments_that_were_read_later_say_so() -> None:
    """The process may have changed them since it was started."""
    late = TEXT_BITS["TEXT_LAST"] | TEXT_BITS["TEXT_LATE"]
    records = expanded(text("argv", b"sort\0-u\0", MEMORY, id=100, count=8, bits=late))
    words = [r.attributes for r in records if isinstance(r, Node) and r.kind == "argv"]

    assert [(word["value"], word["late"]) for word in words] == [(b"sort", True), (b"-u", True)]


def test_a_command_line_with_a_lost_piece_says_so() -> None:
    """What stands before the gap is kept, the string that it cuts is marked."""
    parts = pieces(b"cc\0-o\0\0x y\0" + b"a" * 5 + b"\0", 4)

    assert arguments(expanded(parts[0], parts[2], parts[3])) == [
        (100, b"cc", False),
        (101, b"-", True),
    ]


def test_waiting_for_pieces_ends() -> None:
    """A text whose pieces never come is given up when its time is over."""
    stage = Expand(ORIGIN, text_wait_ns=10)
    first = pieces(b"cc\0-o\0", 4, at_ns=5)[0]
    out = stage(DECODER.decode(batch(first, event("clone", TASK, FILE, at_ns=15))))

    assert arguments(out) == [(100, b"cc", False), (101, b"-", True)]


def test_open_texts_take_bounded_memory() -> None:
    """Endless first pieces, even empty ones, are given up before their time is over."""
    stage = Expand(ORIGIN, text_limit_bytes=10_000)
    for id in range(1000):
        first = text("argv", b"", ("process_memory", 9, 0), id=id, total=9, count=1)
        stage(DECODER.decode(batch(first, event("clone", TASK, FILE, at_ns=1))))

    assert len(stage._texts._open) < 50


def test_a_text_of_an_impossible_kind_is_named() -> None:
    """A directory is no text."""
    with pytest.raises(RecordingError, match="directory"):
        expanded(text("directory", b"x", FILE))


def at(*times: int) -> list[Any]:
    return DECODER.decode(batch(*(event("clone", TASK, FILE, at_ns=t) for t in times)))


def test_order_merges_cpus_and_loses_nothing() -> None:
    """Streams of several CPUs come out as one, by time."""
    stage = OrderByTime(delay_ns=10)
    out = [*stage(at(1, 3, 2)), *stage(at(5, 20)), *stage(at(12, 50)), *stage.finish()]

    assert [r.at_ns for r in out] == [1, 2, 3, 5, 12, 20, 50]
    assert stage.late == 0


def test_order_counts_what_came_too_late() -> None:
    """A record older than what was passed on is passed on, and counted."""
    stage = OrderByTime(delay_ns=10)
    out = [*stage(at(1, 100)), *stage(at(0, 200)), *stage.finish()]

    assert [r.at_ns for r in out] == [1, 0, 100, 200]
    assert stage.late == 1


def test_order_holds_no_more_than_its_limit() -> None:
    """A stream whose time stands still does not fill the memory."""
    stage = OrderByTime(delay_ns=10**9, limit=3)

    assert len(stage(at(5, 4, 3, 2, 1))) == 2


def test_order_flows_on_by_the_clock_when_nothing_comes() -> None:
    """A live stream gives the last record out without waiting for a next one."""
    clock = [0]
    stage = OrderByTime(delay_ns=10, now=lambda: clock[0])
    stage(at(5))
    clock[0] = 100

    assert [r.at_ns for r in stage([])] == [5]


@given(st.lists(st.lists(st.integers(0, 1000), max_size=8), max_size=8))
def test_order_keeps_every_record(batches: list[list[int]]) -> None:
    """Whatever the times: each record comes out once, and in order if none was late."""
    stage = OrderByTime(delay_ns=100)
    out = [r.at_ns for b in batches for r in stage(at(*b))]
    out += [r.at_ns for r in stage.finish()]

    assert sorted(out) == sorted(t for b in batches for t in b)
    assert stage.late or out == sorted(out)


def test_names_reach_inodes_memories_and_tasks() -> None:
    """A task has the name of its memory; without a name there is no attribute, but a count."""
    stage = Name()
    records = stage(
        expanded(
            path(b"/bin/cc", ("process_memory", 9, 0)),
            node("task", 8, memory=9),
            node("process_memory", 9),
            event("clone_mem", TASK, ("process_memory", 9, 1)),
            event("write", TASK, FILE),
        )
    )
    names = {(r.kind, r.identifier[4]): r.attributes.get("name") for r in records
             if isinstance(r, Node) and r.kind != "path"}  # fmt: skip

    assert names["task", 0] == names["process_memory", 1] == b"/bin/cc"
    assert names["file", 0] is None
    assert stage.misses == 2  # the memory before its name, the file


def test_forgetting_names_costs_names_only() -> None:
    """A name that fell out of the cache is a counted miss."""
    stage = Name(capacity=1)
    paths = [path(b"/%d" % n, ("file", n, 0)) for n in range(10)]
    stage(expanded(*paths, event("write", TASK, ("file", 1, 0))))

    assert stage.misses > 0
