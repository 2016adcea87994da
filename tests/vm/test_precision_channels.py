"""docs/reference/precision.md: a flow and a twin without one for every channel, or the reason.

No guest is needed: what is named there is played by ``test_precision.py``.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from provcap.vocabulary import RELATION, RELATIONS
from tests.vm.scenarios import FLOWS, NOT_YET, PAIRS, TOO_MUCH

PAGE = (Path(__file__).parents[2] / "docs/reference/precision.md").read_text()


class Row(NamedTuple):
    """One line of a table; the last two are empty where there is no pair."""

    channel: str
    relations: set[str]
    found: set[str]
    apart: set[str]


def names(cell: str) -> set[str]:
    """Every `name` in a cell."""
    return set(re.findall(r"`(\w+)`", cell))


def rows(heading: str) -> list[Row]:
    """The lines of the table in a section, without its head."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [Row(one[0], *map(names, [*one[1:], ""][:3])) for one in cells]


WITH = rows("Channels with a pair")
WITHOUT = rows("Channels without a pair that holds")


@pytest.mark.parametrize("row", WITH, ids=lambda row: row.channel)
def test_a_channel_has_a_flow_that_is_found_and_a_twin_that_is_apart(row: Row) -> None:
    """At least one of each, and those that the graph gets wrong do not count."""
    assert row.found
    assert row.found <= {*FLOWS} - NOT_YET.keys()
    assert row.apart
    assert row.apart <= {*PAIRS} - TOO_MUCH.keys()


@pytest.mark.parametrize("row", WITHOUT, ids=lambda row: row.channel)
def test_a_channel_without_a_pair_names_only_what_is_played(row: Row) -> None:
    """Its reason does."""
    assert row.found <= {*FLOWS, *PAIRS}


def test_every_relation_that_carries_content_has_its_channel() -> None:
    """In one of the two tables, and not in both."""
    paired = set().union(*(row.relations for row in WITH))
    unpaired = set().union(*(row.relations for row in WITHOUT))

    assert paired | unpaired <= RELATION.keys()
    assert not paired & unpaired
    assert paired | unpaired >= {relation.name for relation in RELATIONS if relation.flow == "data"}
