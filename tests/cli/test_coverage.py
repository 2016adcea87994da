"""The words of provcap coverage, and what it prints of results; nothing is booted."""

import json

import pytest

from provcap.cli import coverage
from provcap.cli.main import main
from provcap.coverage.compare import judge
from provcap.coverage.flows import read
from provcap.coverage.page import Results

FLOWS = {flow.name: flow for flow in read()}
LATE = FLOWS["tee"]._replace(not_yet="no hook")


def results(read_edges: set[str] | None = None) -> Results:
    """Of one kernel: a flow, its twin and one that is not recorded yet."""
    read_flow = FLOWS["read"]
    edges = set(read_flow.expect) if read_edges is None else read_edges
    return {
        "6.12.1": [
            judge(read_flow, edges, "6.12.1"),
            judge(FLOWS["read_refused"], set(), "6.12.1"),
            judge(LATE, set(), "6.12.1"),
        ]
    }


@pytest.fixture
def played(monkeypatch):
    """A function that has the guests give these results; the words that asked for them."""
    asked = []

    def give(found: Results):
        def play(names, wanted, report):
            asked.append((list(names), [flow.name for flow in wanted]))
            return found

        monkeypatch.setattr(coverage, "play", play)
        return asked

    return give


def test_a_kept_promise_is_a_plain_table_and_a_sentence(played, capsys):
    """One row for each workload, and status 0; a gap that is known breaks nothing."""
    asked = played(results())

    assert main(["coverage", "--kernel", "6.12"]) == 0
    assert asked == [(["6.12"], list(FLOWS))]
    assert capsys.readouterr().out.splitlines() == [
        "workload      6.12.1",
        "read          seen 2",
        "read_refused  nothing",
        "tee           not yet",
        "6.12.1: 2 of 3 workloads as promised (1 of them refused, failed or empty), 1 not yet; "
        "2 edges seen, 0 missing, 0 wrong",
    ]


def test_a_broken_promise_is_told_edge_by_edge(played, capsys):
    """And the status says so."""
    played(results({"read file:a -> task", "write task -> file:b"}))

    assert main(["coverage"]) == 1
    out = capsys.readouterr().out
    assert "read          missing 1, wrong 1\n" in out
    assert (
        "read on 6.12.1: differs\n"
        "  missing    memory_write task -> memory\n"
        "  wrong      write task -> file:b\n"
    ) in out


def test_an_edge_that_must_not_be_is_called_so(played, capsys):
    """What a refusal was to prevent is worse than what nobody has thought of."""
    refused = FLOWS["open_refused"]
    found = {*refused.expect, "open file:secret -> task"}
    played({"6.12.1": [judge(refused, found, "6.12.1")]})

    assert main(["coverage"]) == 1
    assert "  forbidden  open file:secret -> task\n" in capsys.readouterr().out


def test_only_what_is_asked_for_is_played(played):
    """In the order of the file, on both kernels that are promised something."""
    asked = played(results())

    main(["coverage", "--only", "tee", "--only", "read"])
    assert asked == [(["6.12", "6.1"], ["read", "tee"])]


def test_an_unknown_workload_is_answered(played, capsys):
    """With the one that was meant, and nothing is booted."""
    asked = played(results())

    assert main(["coverage", "--only", "raed"]) == 2
    assert 'no workload "raed" (did you mean "read"?)' in capsys.readouterr().err
    assert asked == []


def test_the_workloads_are_listed_by_subject(monkeypatch, capsys):
    """With what each does; those that are not recorded yet say so."""
    flows = [LATE if flow.name == LATE.name else flow for flow in FLOWS.values()]
    monkeypatch.setattr(coverage.expectations, "read", lambda: flows)

    assert main(["coverage", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "files:"
    assert len(lines) == len(FLOWS) + len({flow.subject for flow in FLOWS.values()})
    (tee,) = (line for line in lines if line.split()[0] == "tee")
    assert tee.endswith("copies from pipe to pipe (not yet)")


def test_results_are_written_as_data(played, tmp_path):
    """One object for each kernel, one in it for each workload."""
    played(results())
    out = tmp_path / "results.json"

    assert main(["coverage", "--out", str(out)]) == 0
    assert json.loads(out.read_text())["6.12.1"]["read"] == {
        "state": "as promised",
        "seen": 2,
        "missing": [],
        "wrong": [],
        "reason": "",
    }


def test_a_page_that_cannot_be_written_is_an_error(played, tmp_path, capsys):
    """After the results have been shown."""
    played(results())

    assert main(["coverage", "--page", str(tmp_path / "absent" / "page.md")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_a_page_of_a_few_is_refused(played, capsys):
    """It would take the place of the whole one."""
    asked = played(results())

    assert main(["coverage", "--only", "read", "--page", "page.md"]) == 2
    assert "leave out --only" in capsys.readouterr().err
    assert asked == []


def test_without_a_compiler_it_says_what_to_install(monkeypatch, tmp_path):
    """Before a guest is booted."""
    from provcap.coverage import player
    from provcap.errors import SetupError

    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SetupError, match="apt-get install gcc libc6-dev"):
        player.compile_program(tmp_path)
