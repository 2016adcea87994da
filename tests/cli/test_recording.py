"""The options of a recording: the same for this kernel and for a guest's."""

import argparse
from pathlib import Path

import pytest

from provcap.capture.redact import SECRETS
from provcap.cli import record, recording, vm
from provcap.errors import UsageError
from provcap.policy.addresses import rule
from provcap.policy.model import Change
from provcap.services.record import Settings

OF_THE_HOST = {"--help", "-h", "--out", "--raw"}  # a guest's recording is turned outside it

EACH = [
    "--ring-size=8192",
    "--compress-edge=false",
    "--all=false",
    "--env=true",
    "--env-redact=MY_*",
    "--segments=true",
    "--content=true",
    "--content-bytes=64",
    "--record-address=in:10.0.0.0/8:80",
    "--record-address=[2001:db8::]/32",
    "--track-file=-odd name",
    "--track-file=/a=b",
    "--propagate-file=/c",
    "--opaque-file=/d",
]


def parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Those of ``provcap record`` and ``provcap vm``."""
    found = argparse.ArgumentParser(), argparse.ArgumentParser()
    record.add_arguments(found[0])
    vm.add_arguments(found[1])
    return found


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {word for action in parser._actions for word in action.option_strings}


def test_a_guest_takes_every_option_of_a_recording() -> None:
    """Those of ``vm run`` are passed on by ``recording.words``; an option added to one has both."""
    here, there = parsers()
    (actions,) = (action for action in there._actions if action.dest == "action")
    of_record = options_of(here) - OF_THE_HOST

    assert of_record == set(recording.OPTIONS)
    assert of_record <= options_of(actions.choices["run"])


@pytest.mark.parametrize("words", [[], EACH])
def test_a_guest_is_asked_for_the_same_recording(words: list[str]) -> None:
    """What ``vm run`` was given arrives at ``record`` with the same meaning, whatever the words."""
    here, there = parsers()
    outside = there.parse_args(["run", *words, "--", "true"])
    command = vm.guest_command(["true"], Path("/out"), recording.words(outside))
    inside = here.parse_args(command[command.index("record") + 1 :])
    directly = here.parse_args([*words, "--", "true"])

    assert recording.settings(inside) == recording.settings(directly)
    assert inside.out == Path("/out")
    assert inside.command == ["--", "true"]


def test_without_options_the_whole_system_is_recorded() -> None:
    here, _ = parsers()

    assert recording.settings(here.parse_args(["true"])) == Settings()


def test_the_options_say_what_is_wanted() -> None:
    """Each file with its marks."""
    here, _ = parsers()
    tracked, spreading = frozenset({"tracked"}), frozenset({"tracked", "propagate"})

    assert recording.settings(here.parse_args([*EACH, "true"])) == Settings(
        ring_bytes=8192,
        edge_compression=False,
        all=False,
        environment=True,
        redact=(*SECRETS, "MY_*"),
        segments=True,
        content=True,
        content_bytes=64,
        recorded=(rule("in:10.0.0.0/8:80"), rule("[2001:db8::]/32")),
        marks=(
            ("-odd name", Change(set=tracked)),
            ("/a=b", Change(set=tracked)),
            ("/c", Change(set=spreading)),
            ("/d", Change(set=frozenset({"opaque"}))),
        ),
    )


@pytest.mark.parametrize("word", ["0", "4097", "-1", "a", "٣", "99999999"])
def test_a_bound_that_cannot_be_is_refused(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the numbers that can."""
    with pytest.raises(SystemExit):
        parsers()[0].parse_args([f"--content-bytes={word}", "--", "true"])
    assert "is not a number from 1 to 4096" in capsys.readouterr().err


def test_a_range_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is replaced, with an example."""
    with pytest.raises(SystemExit):
        parsers()[0].parse_args(["--record-address=10.0.0.0/99", "--", "true"])
    assert "10.0.0.0/8:80" in capsys.readouterr().err


def test_ranges_that_exclude_each_other_start_no_guest() -> None:
    """Each is right, and both together are not."""
    words = ["run", "--record-address=10.0.0.1:1", "--record-address=10.0.0.1:2", "--", "true"]

    with pytest.raises(UsageError, match="a range has one port"):
        recording.words(parsers()[1].parse_args(words))


def test_a_guest_finds_the_programs_of_this_installation_first() -> None:
    """So that a script in it can call camflow."""
    found = vm.guest_environment({"PATH": "/bin", "HOME": "/root"})

    assert found["HOME"] == "/root"
    first, rest = found["PATH"].split(":", 1)
    assert (Path(first) / "python3").exists()
    assert rest == "/bin"
