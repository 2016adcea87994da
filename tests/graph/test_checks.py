"""verify: each check finds its fault, and a sound recording passes."""

import pytest

from provcap.cli.main import main
from provcap.graph.checks import find_cycle, verify
from tests.graph.builder import Log
from tests.graph.story import story


def failures(graph):
    return {f.name: f.failures for f in verify(graph).findings if f.failures}


def test_a_sound_recording_passes():
    report = verify(story().graph())

    assert report.passed
    assert report.edge_count == story().edges


def test_a_cycle_is_found_and_printed(tmp_path, capsys):
    """The shortest cycle is printed with names and relations, and the status is 1."""
    log = story()
    first, last = log.id("m203", 0), log.id("t203")
    log.raw("memory_write", last, first)
    path = tmp_path / "cyclic.log"
    path.write_bytes(log.lines())

    assert main(["verify", str(path)]) == 1
    printed = capsys.readouterr().out
    assert f"acyclic: no ({log.edges} edges checked)" in printed
    assert "task /usr/bin/bash version" in printed
    assert "--memory_write--> process_memory" in printed


def test_the_cycle_shown_is_a_short_one():
    """A loop of two inside a loop of fifty: the loop of two is shown."""
    log = Log()
    names = [log.node(f"f{n}", "file") for n in range(50)]
    for one, two in zip(names, names[1:] + names[:1], strict=True):
        log.raw("derived_disc", log.id(one), log.id(two))
    log.raw("derived_disc", log.id("f8"), log.id("f7"))
    graph = log.graph()

    cycle = find_cycle(graph)
    assert len(cycle) == 2
    assert graph.receiver[cycle[0]] == graph.sender[cycle[1]]


def test_a_node_that_feeds_itself_is_a_cycle():
    log = Log()
    log.node("f", "file")
    log.raw("derived_disc", log.id("f"), log.id("f"))

    assert len(find_cycle(log.graph())) == 1


def test_a_very_long_chain_is_checked_without_recursion():
    log = Log()
    log.node("f", "file")
    log.define("f")
    for _ in range(100_000):
        log.step("f")
    graph = log.graph()

    assert verify(graph).passed
    log.raw("derived_disc", log.id("f"), log.id("f", 0))
    assert len(find_cycle(log.graph())) == 100_001


def test_an_end_that_is_never_described_dangles():
    log = story()
    log.raw("read", log.id("pipe", 99), log.id("t203"))
    finding = verify(log.graph()).findings[0]

    assert (finding.name, finding.failures) == ("dangling ends", 1)
    assert "is an end of read" in finding.examples[0]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"prov:type": "file"}, {"prov:type": "pipe"}),
        ({"cf:ino": 5}, {"cf:ino": 6}),
        ({"cf:pid": 5}, {"cf:pid": "6"}),
        ({"cf:pathname": "/a"}, {"cf:pathname": "/b"}),
    ],
)
def test_one_identifier_with_two_descriptions_is_a_contradiction(first, then):
    log = Log()
    log.node("f", "file")
    log.document = {"entity": {log.id("f"): [first, then]}}

    assert failures(log.graph()) == {"contradictions": 1}


def test_one_relation_identifier_for_two_relations_is_a_fault_but_not_a_repetition():
    log = Log()
    for name in "fgh":
        log.node(name, "file")
        log.define(name)
    log.raw("derived_disc", log.id("f"), log.id("g"))
    same = next(iter(log.document["wasDerivedFrom"].values()))
    other = {**same, "prov:generatedEntity": log.id("h")}
    log.document["wasDerivedFrom"] = {"cf:r": [same, same]}
    assert not failures(log.graph())

    log.document["wasDerivedFrom"] = {"cf:r": [same, other]}
    assert failures(log.graph()) == {"relations with one identifier": 1}


def test_versions_must_follow_each_other():
    """A missing version, a missing edge and a step of two are all broken chains."""
    log = Log()
    log.node("f", "file")
    log.define("f")
    log.version["f"] = 1
    log.define("f")
    assert failures(log.graph()) == {"broken version chains": 1}

    log.version["f"] = 3
    log.define("f")
    log.raw("version_entity", log.id("f", 1), log.id("f", 3))
    assert failures(log.graph()) == {"broken version chains": 3}


def test_a_relation_must_fit_its_prov_section():
    log = story()
    log.raw("used_disc", log.id("t203"), log.id("m203"))
    log.raw("send_unix", log.id("t203"), log.id("client"))

    assert failures(log.graph()) == {"relations between wrong classes": 1}


def test_verify_tells_of_damage(tmp_path, capsys):
    path = tmp_path / "bad.log"
    path.write_bytes(b"nonsense\n" + story().lines())

    assert main(["verify", str(path)]) == 1
    assert "bad.log:1: not a JSON document" in capsys.readouterr().err
    assert main(["verify", "--intact", str(path)]) == 1
    assert "unreadable places: 1" in capsys.readouterr().out
