"""The command as a user meets it: what it says, where, and with which status."""

import contextlib
import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import provcap as provcap_package
from provcap.cli.main import COMMANDS, main
from tests.graph.story import story

ROOT = Path(__file__).resolve().parents[2]
RECORDING = ROOT / "tests/golden/recordings/pipeline.raw.gz"
LINE = b'{"entity":{"cf:x":{"prov:type":"file"}}}\n'


def provcap(*words: str, stdout: int, encoding: str = "utf-8") -> tuple[int, str]:
    """Status and standard error of a run as its own process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    run = subprocess.run(
        [sys.executable, "-m", "provcap", *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environment,
        check=False,
    )
    return run.returncode, run.stderr.decode()


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is said to words that cannot be meant so."""
    with pytest.raises(SystemExit) as left:
        main(words)

    assert left.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("command", ["summary", "verify"])
def test_a_full_disk_is_reported(command: str, tmp_path: Path) -> None:
    """Also when the output is short enough to be written only at the end."""
    (tmp_path / "log").write_bytes(LINE)
    with Path("/dev/full").open("wb") as full:
        status, said = provcap(command, str(tmp_path / "log"), stdout=full.fileno())

    assert status == 1
    assert said == f"provcap {command}: cannot write its output: No space left on device\n"


@pytest.mark.parametrize(
    "words", [["summary"], ["verify"], ["draw", "--format=dot", "--control", "--log"]]
)
def test_an_output_that_is_closed_is_reported(words: list[str], tmp_path: Path) -> None:
    """An answer that nobody can get is no success, and no traceback."""
    (tmp_path / "log").write_bytes(story().lines())
    run = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", sys.executable, "-m", "provcap", *words, "log"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        check=False,
    )

    assert run.returncode == 1
    assert run.stderr.decode() == (
        f"provcap {words[0]}: cannot write its output: Bad file descriptor\n"
    )


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    """As with any tool in a pipe: nothing is said, the status is that of SIGPIPE."""
    (tmp_path / "log").write_bytes(LINE)
    read, write = os.pipe()
    os.close(read)
    try:
        status, said = provcap("summary", str(tmp_path / "log"), stdout=write)
    finally:
        os.close(write)

    assert (status, said) == (141, "")


def test_names_that_the_output_cannot_hold_are_escaped(tmp_path: Path) -> None:
    """An encoding of the terminal that lacks a letter is no reason to fail."""
    log = tmp_path / "\u00e9.log"
    log.write_bytes(LINE)
    status, said = provcap("summary", str(log), stdout=subprocess.DEVNULL, encoding="ascii")

    assert (status, said) == (0, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command says how it is used, in words that can be copied."""
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])

    assert left.value.code == 0
    assert f"    provcap {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["why", "/x", "--log", "-", "--depth", "deep"], "'deep' is not a number from 1 up"),
        (["vm", "run", "--cpus", "0", "--", "true"], "'0' is not a positive number"),
        (["vm", "run", "--memory", "2G", "--", "true"], "'2G' is not a positive number"),
        (["record", "--ring-size", "1000000", "--", "true"], "'1000000' is not a power of two"),
        (["record", "--ring-size", "16M", "--", "true"], "'16M' is not a power of two"),
    ],
)
def test_a_wrong_number_is_quoted(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what was wrong, not which function of ours refused it."""
    assert said in refusal(words, capsys)


def test_an_empty_log_is_not_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Checks that had nothing to check have not passed."""
    (tmp_path / "log").write_bytes(b"")

    assert main(["verify", str(tmp_path / "log")]) == 1
    assert "log: no PROV document in it" in capsys.readouterr().err


CUT = b'{"agent":{"cf:x":{"prov:type":"machine","cf:complete":"false","cf:cut":"true"}}}\n'


@pytest.mark.parametrize(("more", "status"), [([], 1), (["--intact"], 0)])
@pytest.mark.parametrize("command", ["summary", "verify"])
def test_a_recording_that_was_cut_is_a_failure(
    command: str, more: list[str], status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is there is shown; that it is not all is said, and the status tells it to scripts."""
    (tmp_path / "log").write_bytes(CUT)

    assert main([command, str(tmp_path / "log"), *more]) == status
    shown = capsys.readouterr()
    assert shown.out
    assert ("log: the recording was cut before its end" in shown.err) == (status == 1)


def test_nothing_before_the_first_line_is_promised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log that is cut in its first line has nothing to use, whatever the option."""
    (tmp_path / "log").write_bytes(LINE[:20])

    assert main(["summary", "--intact", str(tmp_path / "log")]) == 1
    assert "log:1: the line is cut off" in capsys.readouterr().err


def test_a_raw_recording_is_told_from_a_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The two lie side by side in every result."""
    (tmp_path / "audit.raw").write_bytes(b"PROVCAP\x00\x01")

    assert main(["summary", str(tmp_path / "audit.raw")]) == 1
    assert "audit.raw: this is a raw recording" in capsys.readouterr().err


def test_a_name_in_a_message_cannot_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names are as untrusted in an error as in an answer."""
    assert main(["summary", str(tmp_path / "\x1b[31m")]) == 1
    assert "\\x1b[31m: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["vm", "kernels", "--help"]])
def test_every_help_has_an_example(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Those that no command module writes, too."""
    with contextlib.suppress(SystemExit):
        main(words)

    assert re.search(r"^ +provcap vm (run|kernels)", capsys.readouterr().out, re.M)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """As every program tells it."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"provcap {provcap_package.__version__}\n"


def test_a_name_that_is_not_utf8_can_be_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a shell hands it over: bytes that Python holds as lone surrogates."""
    node = '{"entity":{"cf:x":{"prov:type":"file","cf:name":"/tmp/inv\uf7ff"}}}\n'
    (tmp_path / "log").write_text(node, encoding="utf-8")

    assert main(["why", "/tmp/inv\udcff", "--log", str(tmp_path / "log")]) == 0
    assert capsys.readouterr().out.startswith("/tmp/inv\\xff\n")


def test_replay_leaves_a_file_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Appended to, a log would say everything twice."""
    raw, log = tmp_path / "audit.raw", tmp_path / "audit.log"
    raw.write_bytes(gzip.decompress(RECORDING.read_bytes()))
    words = ["replay", str(raw), "--out", str(log)]
    assert main(words) == 0
    before = log.read_bytes()

    assert main(words) == 2
    assert f"{log} is there already" in capsys.readouterr().err
    assert log.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["draw", "--fromat", "svg", "--log", "x"], "did you mean --format?"),
        (["vm", "run", "--kernal", "6.1", "--", "true"], "did you mean --kernel?"),
        (["record", "--track-fil", "/etc/hosts", "--", "true"], "did you mean --track-file?"),
    ],
)
def test_a_mistyped_option_is_refused_with_the_one_that_was_meant(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An abbreviation is a mistake, too: it would mean something else with the next option."""
    assert said in refusal(words, capsys)
