"""What applications disclosed, as a person asks for it."""

import pytest

from provcap.errors import UsageError
from provcap.graph import queries
from provcap.graph.model import Graph
from provcap.graph.text import plain
from provcap.graph.tree import grow
from tests.graph.builder import Log
from tests.graph.story import file

SHADOW = "/etc/shadow"


def told() -> Log:
    """A process that used a disclosed entity, logged a line, and wrote /out."""
    log = Log()
    log.process(7, "/bin/app")
    log.node("data", "disc_entity", name=SHADOW, pid=1, ino=5)
    log.attributes["data"]["prov:label"] = "May\x1b[31m"
    log.node("line", "string", log="epoch 1 done")
    log.node("shadow", "file", name=SHADOW)
    log.edge("used_disc", "data", "t7")
    log.edge("log", "line", "t7")
    log.edge("memory_write", "t7", "m7")
    log.reads("7", "shadow")
    log.writes("7", file(log, "/out"))
    return log


@pytest.fixture
def graph() -> Graph:
    """Of a log."""
    return told().graph()


def test_what_was_disclosed_stands_among_the_inputs(graph: Graph) -> None:
    """It says that it was disclosed, and its label cannot colour the screen."""
    text = plain(grow(graph, queries.resolve(graph, "/out")), True)

    assert "used disclosed entity May\\x1b[31m" in text
    assert "logged line epoch 1 done" in text


def test_a_disclosed_key_means_nothing_here(graph: Graph) -> None:
    """An entity with the name of a file, a process id and an inode number is none of them."""
    (node,) = queries.resolve(graph, SHADOW)

    assert graph.kind(node) == "file"
    with pytest.raises(UsageError, match="no process 1 "):
        queries.resolve(graph, "pid:1")


def test_a_label_finds_its_node(graph: Graph) -> None:
    """Only exactly; else the nearest are named."""
    (node,) = queries.resolve(graph, "disc:May\x1b[31m")

    assert graph.kind(node) == "disc_entity"
    with pytest.raises(UsageError, match="nothing disclosed .*did you mean 'May"):
        queries.resolve(graph, "disc:May[31m")
    with pytest.raises(UsageError, match="nothing disclosed"):
        queries.resolve(graph, "disc:epoch 1 done")
