"""The command as a user meets it: what it says, where, and with which status."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provcap.cli.main import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.mark.parametrize("command", ["summary", "verify"])
def test_a_full_disk_is_reported(command: str, tmp_path: Path) -> None:
    """Also when the output is short enough to be written only at the end."""
    (tmp_path / "log").write_bytes(LINE)
    with Path("/dev/full").open("wb") as full:
        status, said = provcap(command, str(tmp_path / "log"), stdout=full.fileno())

    assert status == 1
    assert said == f"provcap {command}: cannot write its output: No space left on device\n"


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
    with pytest.raises(SystemExit) as left:
        main(words)

    assert left.value.code == 2
    assert said in capsys.readouterr().err


def test_an_empty_log_is_not_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Checks that had nothing to check have not passed."""
    (tmp_path / "log").write_bytes(b"")

    assert main(["verify", str(tmp_path / "log")]) == 1
    assert "log: no PROV document in it" in capsys.readouterr().err
