"""A file that one boot left and the next one found is one file."""

from pathlib import Path

import pytest

from provcap.errors import RecordingError
from provcap.graph import queries
from provcap.graph.checks import verify
from provcap.graph.continued import SAME_FILE
from provcap.graph.groups import Groups
from provcap.graph.ingest import load_all
from provcap.graph.model import Graph
from tests.graph.builder import Log

KEY = "6d1c0000-0000-0000-0000-000000000001/12/77"
LATER = 100_000  # edges of the builder: it counts time by them


def boot(folder: Path, number: int, *, key: str = KEY, late: int = 0, made: int = 0) -> str:
    """A log in which process NUMBER copies the kept file to /copy, and writes it again."""
    log = Log()
    log.made, log.edges = made or 1000 * number, late
    pid = log.process(number, f"/bin/p{number}")
    kept = log.node("kept", "file", ino=12, file_key=key, name="/kept")
    copy = log.node("copy", "file", ino=13, name=f"/copy{number}")
    log.reads(pid, kept)
    log.writes(pid, copy)
    log.writes(pid, kept)
    path = folder / f"boot{number}.log"
    path.write_bytes(log.lines())
    return str(path)


def tasks_behind(graph: Graph, path: str) -> set[int]:
    """The processes among all that came to the file."""
    found = queries.ancestry(graph, queries.find(graph, path)[:1])
    return {graph.pids[obj] for obj in map(graph.object_of.__getitem__, found) if obj in graph.pids}


def test_the_next_boot_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    """What was copied in the second comes of who wrote the file in the first; not the reverse."""
    graph = load_all([boot(tmp_path, 1), boot(tmp_path, 2, late=LATER)])

    assert tasks_behind(graph, "/copy2") == {1, 2}
    assert tasks_behind(graph, "/copy1") == {1}
    assert verify(graph).cycle == []


def test_the_order_of_the_logs_does_not_matter(tmp_path: Path) -> None:
    """Time says which boot came first."""
    logs = [boot(tmp_path, 1), boot(tmp_path, 2, late=LATER)]
    graph = load_all(logs[::-1])

    assert tasks_behind(graph, "/copy2") == {1, 2}
    assert tasks_behind(graph, "/copy1") == {1}


def test_both_are_one_thing_to_a_person(tmp_path: Path) -> None:
    """One line of the tree, one node of the picture."""
    graph = load_all([boot(tmp_path, 1), boot(tmp_path, 2, late=LATER)])
    groups = Groups(graph)
    kept = [node for node in range(graph.node_count) if graph.object_of[node] in graph.file_keys]

    assert len({graph.object_of[node] for node in kept}) == 2
    assert len({groups.of(node) for node in kept}) == 1


def test_another_generation_is_another_file(tmp_path: Path) -> None:
    """The inode number alone joins nothing."""
    logs = [boot(tmp_path, 1), boot(tmp_path, 2, late=LATER, key=f"{KEY}8")]

    assert tasks_behind(load_all(logs), "/copy2") == {2}


def test_files_that_were_used_side_by_side_stay_two(tmp_path: Path) -> None:
    """Two disks with the same content, say: nothing says which came first."""
    graph = load_all([boot(tmp_path, 1), boot(tmp_path, 2, late=3)])

    assert list(graph.edges_named((SAME_FILE,))) == []
    assert tasks_behind(graph, "/copy2") == {2}


def test_each_log_has_to_be_one(tmp_path: Path) -> None:
    """The error names the one that is not."""
    empty = tmp_path / "empty.log"
    empty.write_bytes(b"")

    with pytest.raises(RecordingError, match=r"empty\.log: no PROV document"):
        load_all([boot(tmp_path, 1), str(empty)])
