"""A path from one thing to another, over what carries content, in the order of time."""

import pytest

from provcap.graph import words
from provcap.graph.model import Graph
from provcap.graph.queries import ANCESTRY_FLOWS, ancestry, way
from tests.graph.builder import Log


@pytest.fixture
def log() -> Log:
    """Two processes and three files; nothing has happened yet."""
    log = Log()
    log.process(1, "/bin/one")
    log.process(2, "/bin/two")
    for path in ("/a", "/b", "/c"):
        log.named(log.node(path, "file", ino=log.made), path)
    return log


def versions(graph: Graph, path: str) -> list[int]:
    """Of the one object that has this name."""
    (obj,) = (obj for obj in graph.named_objects() if path in graph.names(obj)
              and graph.kind(graph.versions(obj)[0]) == "file")  # fmt: skip
    return graph.versions(obj)


def told(graph: Graph, source: str, target: str, **options) -> list[str] | None:
    """Relations on the way from any version of one file to any of the other."""
    edges = way(graph, versions(graph, source), versions(graph, target), **options)
    return None if edges is None else [graph.relation(edge) for edge in edges]


def test_a_copy_leads_from_file_to_file(log):
    """Through the task that did it, one version on."""
    log.reads("1", "/a")
    log.writes("1", "/b")

    graph = log.graph()

    assert told(graph, "/a", "/b") == ["read", "version_activity", "write"]
    assert told(graph, "/b", "/a") is None


def test_each_edge_begins_where_the_one_before_ends(log):
    """It is one path: from the source to the target, never backwards."""
    log.reads("1", "/a")
    log.writes("1", "/b")
    log.reads("2", "/b")
    log.writes("2", "/c")

    graph = log.graph()
    source, target = versions(graph, "/a"), versions(graph, "/c")
    edges = way(graph, source, target)

    assert edges and graph.sender[edges[0]] in source and graph.receiver[edges[-1]] in target
    for before, after in zip(edges, edges[1:], strict=False):
        assert graph.receiver[before] == graph.sender[after]


def test_what_was_read_after_the_write_leads_nowhere(log):
    """The version that was written is older than the one that has read."""
    log.writes("1", "/b")
    log.reads("1", "/a")

    assert told(log.graph(), "/a", "/b") is None


def test_only_the_version_that_was_read_counts(log):
    """What came into the file later did not go on."""
    log.writes("1", "/a")
    log.reads("2", "/a")
    log.writes("2", "/c")
    log.writes("1", "/a")

    graph = log.graph()
    first, last = versions(graph, "/a")[0], versions(graph, "/a")[-1]

    assert way(graph, [first], versions(graph, "/c"))
    assert way(graph, [last], versions(graph, "/c")) is None


def test_two_readers_of_one_file_are_apart(log):
    """A path goes forwards only: it does not turn round in what both have read."""
    log.reads("1", "/a")
    log.reads("2", "/a")
    log.writes("1", "/b")
    log.writes("2", "/c")

    graph = log.graph()

    assert told(graph, "/b", "/c") is None
    assert told(graph, "/c", "/b") is None


def test_looking_is_followed_on_request_only(log):
    """Control edges carry no content."""
    log.edge("getattr", "/a", "t1")
    log.writes("1", "/b")

    graph = log.graph()

    assert told(graph, "/a", "/b") is None
    assert told(graph, "/a", "/b", flows=ANCESTRY_FLOWS | {words.CONTROL})[0] == "getattr"


def test_a_node_leads_to_itself_without_an_edge(log):
    """The empty path, not None."""
    log.writes("1", "/b")

    assert told(log.graph(), "/b", "/b") == []


def test_a_way_is_the_shortest(log):
    """Straight, although there is a longer one through another process."""
    log.reads("1", "/a")
    log.writes("1", "/b")
    log.reads("2", "/b")
    log.writes("2", "/c")
    log.reads("2", "/a")
    log.writes("2", "/c")

    assert len(told(log.graph(), "/a", "/c")) == 3


def test_there_is_a_way_from_every_ancestor_and_from_no_other_node(log):
    """The two questions agree on every pair of nodes."""
    log.reads("1", "/a")
    log.writes("1", "/b")
    log.forks("1", 3, "/bin/one")
    log.reads("3", "/c")
    log.writes("3", "/b")

    graph = log.graph()

    for target in range(graph.node_count):
        led = {node for node in range(graph.node_count) if way(graph, [node], [target]) is not None}
        assert led == ancestry(graph, [target])
