"""summary and the networkx view."""

import builtins
import json

import pytest

from provcap.cli.main import main
from provcap.errors import SetupError
from provcap.graph.counts import Loss, count
from provcap.graph.queries import ancestry, find
from provcap.graph.view import to_networkx
from tests.graph.story import story


def test_nodes_are_counted_as_objects_and_versions():
    counts = count(story().graph())

    assert {k.kind: k.objects for k in counts.kinds}["task"] == 5
    assert {k.kind: k.versions for k in counts.kinds}["task"] > 5
    assert dict(counts.relations)["exec"] == 3
    assert sum(n for _, n in counts.relations) == story().edges


def test_losses_are_told_by_cause_and_cpu(tmp_path, capsys):
    log = story()
    log.account(complete=False, event_ring_full_cpu3="12", contention=1)
    path = tmp_path / "lossy.log"
    path.write_bytes(log.lines())

    assert count(log.graph()).losses == [
        Loss("event_ring_full", 3, 12),
        Loss("contention", None, 1),
    ]
    assert main(["summary", str(path)]) == 0
    assert "event ring full                   3         12" in capsys.readouterr().out
    assert main(["summary", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["complete"] is False


def test_networkx_sees_a_part_or_the_whole():
    graph = story().graph()
    nodes = ancestry(graph, find(graph, "/home/ann/report.txt"))

    assert to_networkx(graph).number_of_edges() == story().edges
    part = to_networkx(graph, nodes)
    assert set(part) == {graph.identifiers[node] for node in nodes}
    assert {"read", "version_activity"} <= {d["relation"] for _, _, d in part.edges(data=True)}


def test_absent_networkx_is_reported_with_the_install_line(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest):
        if name == "networkx":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(SetupError, match=r"pip install 'provcap\[graph\]'"):
        to_networkx(story().graph())
