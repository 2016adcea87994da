"""What applications disclose stands beside what the kernel records, and files keep their key."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provcap.graph import queries
from provcap.graph.checks import verify
from provcap.graph.counts import count
from provcap.graph.ingest import load, load_all
from provcap.graph.model import Graph
from provcap.services.replay import replay_file
from provcap.vm.machine import Machine
from tests.vm.conftest import WORK, Session

pytestmark = pytest.mark.vm

HERE = f"{WORK}/disclosing"


@pytest.fixture(scope="module")
def log(session: Session) -> Iterator[Path]:
    """The recording as a log."""
    path = session.raw.with_name("disclosed.log")
    replay_file(session.raw, "w3c", "log", str(path))
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def graph(log: Path) -> Graph:
    """The log as a graph, as ``provcap why`` reads it."""
    return load_all([str(log)])


def documents(log: Path) -> Iterator[dict[str, Any]]:
    """Every document of the log."""
    with log.open() as lines:
        yield from map(json.loads, lines)


def sources(graph: Graph, path: str) -> set[str]:
    """What is disclosed, or a path, among all that came to the file of this name."""
    found = queries.ancestry(graph, queries.find(graph, f"{HERE}/{path}")[:1])
    objects = {graph.object_of[node] for node in found}
    texts = {graph.texts[obj] for obj in objects if obj in graph.texts}
    return texts | {name for obj in objects for name in graph.names(obj)}


def test_the_graph_of_both_is_sound(log: Path) -> None:
    """Acyclic, nothing dangling, each relation between the classes that it has to be."""
    report = verify(load(str(log)))

    assert report.passed, report


def test_everything_that_was_disclosed_is_there(graph: Graph) -> None:
    """With the versions that it takes: the data came of the model, which came of the data."""
    counted = count(graph)
    kinds = {row.kind: (row.objects, row.versions) for row in counted.kinds}
    relations = dict(counted.relations)
    wanted = ("used_disc", "generated_disc", "derived_disc", "associated_disc", "influenced_disc")

    assert kinds["disc_entity"] == (4, 6)
    assert kinds["disc_agent"] == (1, 1)
    assert kinds["string"] == (2, 2)
    assert kinds["disc_activity"][0] == 1
    assert [relations[name] for name in wanted] == [3, 1, 1, 1, 1]
    assert relations["informed_disc"] == 2
    assert relations["log"] == 2


def test_what_a_process_wrote_comes_of_what_it_disclosed(graph: Graph) -> None:
    """Its log line, the run that informed it and what that used; not what it did not take in."""
    found = sources(graph, "result")

    assert {"a line of the log", "training", "measurements"} <= found
    assert not found & {"seen by nobody", "of a shell", "told by a shell", "somebody", "model"}


def test_a_shell_discloses_through_a_command(graph: Graph) -> None:
    """The command is over by the time that the shell writes: it spoke for the shell."""
    found = sources(graph, "by_shell")

    assert {"of a shell", "told by a shell"} <= found
    assert not found & {"seen by nobody", "a line of the log", "training"}


def test_processes_that_disclose_stay_apart(graph: Graph) -> None:
    """The socket that they share joins nobody."""
    found = sources(graph, "apart")

    assert "seen by nobody" in found
    assert not found & {"a line of the log", "training", "of a shell", f"{HERE}/result"}


def test_a_disclosed_node_comes_of_the_process_behind_it(graph: Graph) -> None:
    """From the model over the run to the process, and to what the kernel saw flow into that."""
    (model,) = queries.resolve(graph, "disc:model")
    kinds = {graph.kind(node) for node in queries.ancestry(graph, [model])}

    assert {"disc_activity", "disc_entity", "task", "process_memory", "file"} <= kinds


def test_the_writer_is_the_kernels_word(log: Path) -> None:
    """Nobody's entity has nobody's number, whatever it says of itself, and a task as parent."""
    nodes = [node for one in documents(log) for node in one.get("entity", {}).values()]
    (mine,) = (node for node in nodes if node.get("prov:label") == "seen by nobody")
    tasks = {key for one in documents(log) for key in one.get("activity", {})}

    assert (mine["cf:disclosed"], mine["cf:writer_uid"], mine["cf:uid"]) == ("true", 65534, 0)
    assert mine["cf:hasParent"] in tasks


def test_what_was_refused_is_told_and_counted(session: Session, graph: Graph) -> None:
    """A relation of the kernel, and an end that nobody disclosed; no loss, they made no sense."""
    first, second = session.refused
    losses = {loss.cause: loss.records for loss in count(graph).losses}

    assert '"do" is' in first
    assert "nothing that was disclosed" in second
    assert losses["disclosed_invalid"] == 2


def test_the_socket_goes_with_the_recording(session: Session, machine: Machine) -> None:
    """It was there: disclosing.py found it."""
    assert machine.run(["ls", "/run/provcap/disclose.sock"]).status == 2


def keys(graph: Graph, name: str) -> list[str]:
    """The keys of all files that had this name, each file once."""
    return [
        graph.file_keys[obj]
        for obj in graph.named_objects()
        if f"{HERE}/twice/{name}" in graph.names(obj)
    ]


def test_a_file_has_the_same_key_when_its_disk_is_mounted_again(graph: Graph) -> None:
    """It is another node on another device, and what was read of it comes of who wrote it."""
    one, other = keys(graph, "kept")
    process = queries.ancestry(graph, queries.find(graph, f"{HERE}/copy")[:1])
    written = [e for e in graph.edges_named(("write",)) if graph.receiver[e] in process]
    names = {name for e in written for name in graph.names(graph.object_of[graph.receiver[e]])}

    assert one == other
    assert f"{HERE}/twice/kept" in names


def test_a_file_that_was_made_again_has_another_key(graph: Graph) -> None:
    """The same file system and the same inode number, another generation."""
    (uuid, inode, one), (uuid_2, inode_2, other) = (key.split("/") for key in keys(graph, "remade"))

    assert (uuid, inode) == (uuid_2, inode_2)
    assert one != other
