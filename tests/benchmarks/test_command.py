"""What status a measurement ends with."""

import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.command import Measurement, main
from benchmarks.show import Page
from provcap.vm import kernels


class Found(NamedTuple):
    """What a measurement finds."""

    lost: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("found", "failures", "status"),
    [(Found(), [], 0), (Found(), ["it grows"], 1), (Found(("3 events",)), [], 1)],
)
def test_the_status_says_whether_all_is_as_it_should_be(
    found: Found,
    failures: list[str],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """0 only if it is, and nothing was lost."""
    monkeypatch.setattr(sys, "argv", ["bench"])
    monkeypatch.setattr(kernels, "resolve", lambda name, report: Path(name))
    measurement: Measurement[Found] = Measurement(
        "some",
        "some.md",
        lambda kernel, report: found,
        lambda found: Page("# Some\n", []),
        str,
        lambda text: Found(),
        lambda found: failures,
    )

    assert main(measurement, None) == status
    assert all(failure in capsys.readouterr().err for failure in failures)
