"""summary and the networkx view."""

import builtins
import json

import pytest

from provcap.cli.main import main
from provcap.errors import SetupError
from provcap.graph.counts import count
from provcap.graph.losses import Loss, completeness, is_complete
from provcap.graph.queries import ancestry, find
from provcap.graph.view import to_networkx
from tests.graph.builder import Log
from tests.graph.story import story


def test_nodes_are_counted_as_objects_and_versions():
    counts = count(story().graph())

    assert {k.kind: k.objects for k in counts.kinds}["task"] == 5
    assert {k.kind: k.versions for k in counts.kinds}["task"] > 5
    assert dict(counts.relations)["exec"] == 3
    assert sum(n for _, n in counts.relations) == story().edges


def test_losses_are_told_by_cause_and_cpu(tmp_path, capsys):
    log = story()
    log.account(complete=False, event_ring_full="12", event_ring_full_cpus="0:2 3:10")
    log.document["agent"] = {log.id("machine"): log.document["agent"][log.id("machine")]}
    path = tmp_path / "lossy.log"
    path.write_bytes(log.lines())

    assert count(log.graph()).losses == [
        Loss("event_ring_full", 3, 10),
        Loss("event_ring_full", 0, 2),
    ]
    assert main(["summary", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "event ring full                   3         10" in printed
    assert printed.endswith("incomplete: 12 event ring full\n")
    assert main(["summary", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["complete"] is False


@pytest.mark.parametrize(
    ("words", "complete", "said"),
    [
        ("", True, "complete: no record was lost"),
        (
            "filtered tracked_only",
            True,
            "complete: no record was lost; only what is tracked (whole-system capture off); "
            "some node types or relations were left out",
        ),
        (
            "opaque",
            True,
            "complete: no record was lost; what touched opaque files or processes was left out",
        ),
        ("switched_off", False, "incomplete: capture was switched off meanwhile"),
    ],
)
def test_what_was_left_out_on_purpose_is_told(words, complete, said, tmp_path, capsys):
    """Only what was off is a loss: the rest was asked for."""
    log = Log()
    log.node("machine", "machine", complete="true", restrictions=words)
    log.define("machine")
    path = tmp_path / "log"
    path.write_bytes(log.lines())

    assert is_complete(log.graph()) is complete
    assert main(["summary", str(path)]) == 0
    assert capsys.readouterr().out.endswith(f"\n{said}\n")


def test_a_harmless_counter_leaves_a_recording_complete():
    log = Log()
    log.account(complete=True, node_ring_full=3)
    graph = log.graph()

    assert is_complete(graph) is True
    assert len(count(graph).losses) == 1


def test_an_edge_that_is_missing_is_told_though_no_content_is():
    """It is complete for all that was asked of the content, and not in silence."""
    log = Log()
    log.account(complete=True, descriptor_unseen=2)
    graph = log.graph()

    assert is_complete(graph) is True
    assert completeness(graph) == (
        "complete: no record was lost; "
        "2 descriptors handed over, of which only the receipt is recorded"
    )


def test_what_an_account_leaves_out_is_not_taken_for_complete():
    """A counter above zero, or a second machine without an account, speaks against ``complete``."""
    log = Log()
    log.account(complete=True, contention=1)
    assert is_complete(log.graph()) is False

    log = Log()
    log.account(complete=True)
    log.node("other", "machine")
    log.define("other")
    assert is_complete(log.graph()) is None


def test_networkx_sees_a_part_or_the_whole():
    graph = story().graph()
    nodes = ancestry(graph, find(graph, "/srv/data/report.txt"))

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
