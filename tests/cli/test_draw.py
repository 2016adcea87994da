"""The draw command as a user meets it: files, messages, statuses."""

import shutil
from pathlib import Path

import pytest

from provcap.cli.main import main
from tests.graph.story import story

pytestmark = pytest.mark.skipif(not shutil.which("dot"), reason="needs graphviz")
REPORT = "/srv/data/report.txt"
BEGINNINGS = {"svg": b"<?xml", "png": b"\x89PNG", "dot": b"digraph", "html": b"<!DOCTYPE html>"}


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "some.log"
    path.write_bytes(story().lines())
    return str(path)


@pytest.mark.parametrize("form", BEGINNINGS)
def test_the_suffix_tells_the_format(form: str, log: str, tmp_path: Path) -> None:
    out = tmp_path / f"picture.{form}"

    assert main(["draw", REPORT, "--log", log, "--out", str(out)]) == 0
    assert out.read_bytes().startswith(BEGINNINGS[form])


def test_the_format_can_be_given(log: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Without --out it goes to standard output."""
    assert main(["draw", "--log", log, "--format", "dot"]) == 0
    assert b"sort (pid 202)" in capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give --out picture.svg (.png, .html, .dot) or --format svg"),
        (["--out", "x.jpg"], "x.jpg: no format is known by the suffix .jpg: give --format svg"),
        (["--out", "x"], "x: it has no suffix that tells the format: give --format svg"),
        (["--format", "svg", "--depth", "3"], "--depth needs a target"),
        (["--format", "svg", "--direction", "to"], "--direction needs a target"),
        (["/srv/data/report.tx", "--format", "svg"], f"did you mean '{REPORT}'"),
        (["pid:99999", "--format", "svg"], "no process 99999 in "),
    ],
)
def test_a_mistake_is_explained(
    words: list[str], said: str, log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["draw", "--log", log, *words]) == 2
    assert said in capsys.readouterr().err


def test_an_unknown_format_lists_the_known(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["draw", "--log", log, "--format", "jpg"])

    assert left.value.code == 2
    assert "'jpg'" in (said := capsys.readouterr().err)
    assert "svg" in said


def test_a_log_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "--log", "/nowhere.log", "--format", "svg"]) == 1
    assert "/nowhere.log: No such file or directory" in capsys.readouterr().err


def test_something_else_than_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_bytes(b"hello\n")

    assert main(["draw", "--log", str(tmp_path / "x"), "--format", "svg"]) == 1
    assert "x:1: not a JSON document" in capsys.readouterr().err


def test_a_place_that_cannot_be_written(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "--log", log, "--out", "/nowhere/x.svg"]) == 1
    assert "/nowhere/x.svg: No such file or directory" in capsys.readouterr().err


def test_the_log_is_not_overwritten(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path(log).read_bytes()

    assert main(["draw", "--log", log, "--out", log, "--format", "svg"]) == 2
    assert "is the log itself" in capsys.readouterr().err
    assert Path(log).read_bytes() == before


@pytest.mark.parametrize(("more", "status"), [([], 1), (["--intact"], 0)])
@pytest.mark.parametrize("form", ["svg", "dot", "html"])
def test_a_cut_log_gives_a_picture_that_says_so(
    form: str, more: list[str], status: int, log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both the picture and the message; the status is that of a failure unless it was expected."""
    with Path(log).open("ab") as stream:
        stream.write(story().lines()[:500])
    out = Path(log).with_suffix(f".{form}")

    assert main(["draw", REPORT, "--log", log, "--out", str(out), *more]) == status
    assert "some.log:2: the line is cut off" in capsys.readouterr().err
    text = out.read_text().replace("&#45;", "-")
    assert "PARTIAL PICTURE" in text
    assert "1 unreadable place in the log" in text
    assert "sort (pid 202)" in text


def test_nothing_to_draw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").write_bytes(b'{"entity":{"cf:x":{"prov:type":"file"}}}\n')

    assert main(["draw", "--log", str(tmp_path / "log"), "--format", "svg"]) == 2
    assert "nothing to draw" in capsys.readouterr().err
