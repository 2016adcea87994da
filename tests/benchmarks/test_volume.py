"""What of a recording is told of which workload, and in which mode."""

from pathlib import Path

import pytest

from benchmarks.kernel import figures
from benchmarks.volume import project
from benchmarks.volume.page import page
from benchmarks.volume.plan import HEADERS, MODES, SOURCES, Stretch
from benchmarks.volume.recorded import Part, Recorded, read
from benchmarks.volume.results import Volumes, dumps, loads
from tests.batches import batch, event, node, path
from tests.recordings import recording, status

MEMORY, FILE = ("process_memory", 9, 0), ("file", 7, 0)
STRETCHES = [Stretch("shipped", 0, "wget", 2, 5), Stretch("whole", 6, "wget", 8, 12)]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A client that reads in both modes, a server that reads in the second only."""
    said = batch(
        path(b"/etc/hosts", FILE, at_ns=2),
        node("task", 8, at_ns=3, pid=77, memory=9, comm=b"wget"),
        event("read", FILE, MEMORY, through=(8, 0), at_ns=4),
        node("task", 10, at_ns=9, pid=78, memory=9, comm=b"python3"),
        event("read", FILE, ("process_memory", 9, 1), through=(8, 1), at_ns=10),
        event("read", FILE, ("process_memory", 9, 2), through=(10, 0), at_ns=11),
    )
    place = tmp_path / "audit.raw"
    place.write_bytes(recording([(0, said)], status(), status(final=True)))
    return place


def test_records_are_told_by_kind_and_by_the_time_of_their_workload(raw: Path) -> None:
    """Of the first mode a name, a node and an event; their bytes are those of the ring."""
    modes, _ = read(raw, STRETCHES)

    kinds = modes["shipped"]["wget"].kinds
    assert {name: part.number for name, part in kinds.items()} == {
        "events": 1,
        "names": 1,
        "nodes: task": 1,
    }
    assert kinds["events"] == Part(1, 72)
    assert modes["whole"]["wget"].kinds["events"].number == 2


def test_without_the_server_its_edges_are_left_out(raw: Path) -> None:
    """And what the client does is still there."""
    found = read(raw, STRETCHES)[0]["whole"]["wget"]

    assert 0 < found.client.bytes < found.json["all"].bytes
    assert 0 < found.client.number < found.json["all"].number


def test_a_mode_is_written_out_as_if_nothing_was_before(raw: Path) -> None:
    """A node that an earlier mode has met is a node of this one, too."""
    modes, _ = read(raw, STRETCHES)

    assert modes["whole"]["wget"].json["nodes"].number > 0


def test_results_are_read_as_they_were_stored() -> None:
    """Numbers come back as they are."""
    part = Recorded({"events": Part(2, 144)}, {"all": Part(3, 900)}, Part(1, 400), 7, 50)
    found = Volumes("6.12", {"shipped": {"wget": part}, "whole": {"wget": part}})

    assert loads(dumps(found)) == found


def test_the_steps_of_a_node_are_counted(raw: Path) -> None:
    """In the second mode the memory has come to version 2, and one task to version 1."""
    modes, _ = read(raw, STRETCHES)

    assert modes["shipped"]["wget"].json["versions"].number == 0
    assert modes["whole"]["wget"].json["versions"].number == 3


def settings_of(versions: Part) -> dict[str, list[str]]:
    """Setting -> nodes, relations and bytes of 10 nodes of 100 bytes and 20 relations of 50."""
    json = {"all": Part(30, 2000), "nodes": Part(10, 1000), "relations": Part(20, 1000)}
    part = Recorded({"events": Part(9, 648)}, {**json, "versions": versions}, Part(1, 1), 0, 50)
    every = part._replace(json={**json, "relations": Part(40, 2000), "all": Part(50, 3000)})
    modes = {"shipped": part, "whole": part, "shipped_all_edges": every, "whole_all_edges": every}
    found = Volumes("6.12", {mode: {"build": part, "wget": part} for mode, part in modes.items()})
    (table,) = (t for t in page(found).tables if t.title == "CamFlow's compression")
    return {row[1]: list(row[3:]) for row in table.rows}


def test_what_other_settings_come_to_is_counted_from_the_default() -> None:
    """6 of 20 relations are versions: the other 14 make one each, or each tells two nodes again."""
    rows = settings_of(versions=Part(6, 300))

    assert rows["version, node, edge; no duplicate"] == ["10", "20", "2,000"]
    assert rows["edge = false"] == ["10", "40", "3,000"]
    assert rows["version = false"] == ["4", "14", "1,100"]
    assert rows["node = false"] == ["18", "28", "3,200"]
    assert rows["duplicate = true"] == ["50", "20", "6,000"]


def test_a_row_says_how_much_there_was_of_it() -> None:
    """No row is a multiple of what was recorded."""
    json = {"all": Part(3, 900), "nodes": Part(1, 300), "relations": Part(2, 600)}
    part = Recorded({"events": Part(2, 144)}, json, Part(1, 400), 7, 50)
    found = Volumes("6.12", dict.fromkeys(MODES, {"build": part, "wget": part}))

    row = next(row for row in page(found).tables[0].rows if "wget" in row[0])

    assert row[:4] == ["50 fetches with wget", "shipped filters", "2", "144"]


def test_the_project_has_what_its_page_says(tmp_path: Path) -> None:
    """So many sources, each with all headers."""
    project.lay_out(tmp_path / "project")

    sources = sorted((tmp_path / "project").glob("f*.c"))
    assert len(sources) == SOURCES
    assert all(source.read_text().count("#include") == HEADERS for source in sources)


def test_what_is_published_of_volume_is_no_operation() -> None:
    """It is in the same file as what is known of operations."""
    assert "published" not in figures.read()
    assert {known.bytes for known in figures.published().values()} == {12_450, 9_980}
