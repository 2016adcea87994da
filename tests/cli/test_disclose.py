"""The commands that disclose: words and files in, ids out, mistakes named."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from provcap.capture.disclosed import DisclosedEdge
from provcap.cli.main import main
from provcap.vocabulary import RELATIONS
from tests.services.test_disclosure import Desk, opened


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A recorder, where the environment says it is."""
    path = tmp_path / "disclose.sock"
    monkeypatch.setenv("PROVCAP_DISCLOSE", str(path))
    with opened(path) as desk:
        yield desk


def said(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> list[str]:
    """The lines that a command prints: its ids, or its error."""
    assert main(list(words)) == status
    out, err = capsys.readouterr()
    return (err if status else out).splitlines()


def relations(desk: Desk) -> list[str]:
    """The relations that were kept."""
    edges = [record for record in desk.kept if isinstance(record, DisclosedEdge)]
    return [RELATIONS[edge.relation].name for edge in edges]


def test_nodes_and_relations_from_words(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Ids go from one command to the next; a whole number is one, all else is text."""
    (data,) = said(capsys, "disclose", "entity", "May", "rows=3", "unit=m", "code=007")
    (run,) = said(capsys, "disclose", "activity", "the run")
    assert said(capsys, "disclose", "used", run, data) == []
    assert said(capsys, "disclose", "used", "self", data) == []

    assert desk.nodes()[0].attributes == {
        "label": "May",
        "disclosed": {"rows": 3, "unit": "m", "code": "007"},
    }
    assert relations(desk) == ["informed_disc", "used_disc", "used_disc"]


def test_a_command_speaks_for_the_process_that_started_it(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless it is asked to speak for itself."""
    said(capsys, "disclose", "entity", "a")
    said(capsys, "disclose", "--for", "self", "entity", "b")

    parent = os.getppid() if os.getppid() > 1 else os.getpid()  # init is not spoken for
    assert [node.task for node in desk.nodes()] == [parent, os.getpid()]


LINES = [
    {"do": "activity", "name": "run", "as": "run"},
    {"do": "entity", "name": "May", "attributes": {"rows": 3}, "as": "data"},
    {"do": "used", "activity": "run", "entity": "data"},
]


@pytest.mark.parametrize("text", ["\n\n".join(map(json.dumps, LINES)), json.dumps(LINES, indent=1)])
@pytest.mark.parametrize("source", ["file", "input"])
def test_requests_from_a_file(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    source: str,
) -> None:
    """One JSON object a line, or one list; from a file or from standard input."""
    (tmp_path / "steps").write_text(text)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    ids = said(capsys, "disclose", "--file", str(tmp_path / "steps") if source == "file" else "-")

    assert len(ids) == 2
    assert relations(desk) == ["informed_disc", "used_disc"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "either words or --file"),
        (["--file", "x", "entity", "a"], "either words or --file"),
        (["--file", "/none"], "/none: No such file"),
        (["file", "a"], '"file" is none of entity'),
        (["entity"], "entity NAME"),
        (["entity", "a", "b"], "'b' is not KEY=VALUE"),
        (["used", "self"], "used ACTIVITY ENTITY"),
    ],
)
def test_wrong_words_are_named(
    desk: Desk, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    """Before anything is disclosed."""
    (line,) = said(capsys, "disclose", *words, status=2)

    assert message in line
    assert desk.kept == []


@pytest.mark.parametrize("text", ["nonsense", "[1]", "7", "[[[["])
def test_a_file_that_makes_no_sense_is_named(
    desk: Desk, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    """With the line."""
    (tmp_path / "steps").write_text(f"\n{text}\n")
    (line,) = said(capsys, "disclose", "--file", str(tmp_path / "steps"), status=2)

    assert f"{tmp_path}/steps:2: " in line


def test_a_refusal_is_an_error_of_the_command(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the recorder's words."""
    (line,) = said(capsys, "disclose", "used", "self", "self", status=1)

    assert line == "provcap disclose: entity has to be an entity, and is of class activity"


def test_log_lines_from_words_or_from_input(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Empty lines are none."""
    said(capsys, "log", "epoch", "1")
    monkeypatch.setattr("sys.stdin", io.StringIO("one\n\ntwo"))
    said(capsys, "log", "--propagate")

    assert [node.attributes["log"] for node in desk.nodes()] == ["epoch 1", "one", "two"]
    assert [sorted(change.set) for _, change in desk.control.marked] == [
        ["tracked"],
        ["propagate", "tracked"],
    ]


def test_without_a_recorder_the_command_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And how to start one."""
    (line,) = said(capsys, "log", "--socket", str(tmp_path / "none"), "x", status=1)

    assert "no recorder takes disclosures at" in line
    assert "provcap record" in line


def test_the_example_of_the_page_does_what_it_says(desk: Desk) -> None:
    """docs/howto/disclose.md, as it stands there."""
    page = Path(__file__).resolve().parents[2] / "docs/howto/disclose.md"
    code = page.read_text().partition("```python\n")[2].partition("```")[0]
    exec(compile(code, str(page), "exec"), {})

    names = [node.attributes.get("label") for node in desk.nodes()]
    assert names == ["nightly training", "measurements of May", "model 41", "team forecast", None]
    assert relations(desk) == [
        *("informed_disc", "used_disc", "generated_disc"),
        *("associated_disc", "informed_disc", "log"),
    ]
