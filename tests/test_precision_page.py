"""docs/explanation/precision.md tells of every scenario, in the right place."""

import re
from pathlib import Path

import pytest

from tests.vm.scenarios import FLOWS, NOT_YET, PAIRS, TOO_MUCH

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/explanation/precision.md").read_text()


def told(heading: str) -> list[str]:
    """The scenarios in the table of a section."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[1] for line in section.splitlines() if " | `" in line]
    return sorted(name for row in rows for name in re.findall(r"`(\w+)`", row))


@pytest.mark.parametrize(
    ("heading", "scenarios"),
    [
        ("Flows that are found", {*FLOWS} - NOT_YET.keys()),
        ("Flows that are not seen", NOT_YET.keys()),
        ("Processes that are kept apart", {*PAIRS} - TOO_MUCH.keys()),
        ("Where the graph says too much", TOO_MUCH.keys()),
    ],
)
def test_a_section_tells_of_its_scenarios(heading: str, scenarios: set[str]) -> None:
    """Of each once, and of no other."""
    assert told(heading) == sorted(scenarios)


def test_the_lists_are_those_of_the_workload() -> None:
    """Each scenario is a row in C, and each row is a scenario."""
    text = "".join(path.read_text() for path in (ROOT / "tests/vm/precision").glob("*.c"))
    rows = {*re.findall(r'^\t\{ (?:\.name = )?"(\w+)"', text, re.M)}

    assert rows == {*FLOWS, *PAIRS}
    assert not {*FLOWS} & {*PAIRS}
