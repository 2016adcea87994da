"""What is made of the lines that the workload says on several CPUs and in several states."""

from collections.abc import Sequence
from typing import Any

import pytest

from benchmarks.kernel.results import Volume
from benchmarks.scale.page import grows, growth, verdicts
from benchmarks.scale.results import Cost, Scale, costs


class Recorded:
    """Ten records in every stretch of time."""

    def between(self, from_ns: int, to_ns: int) -> Volume:
        return Volume(10, 720, 10, 0, 0)


def line(mode: str, state: str, instructions: int, round: int = 1) -> dict[str, Any]:
    return {
        "mode": mode,
        "state": state,
        "phase": "pipe",
        "round": round,
        "times": 10,
        "instructions": instructions,
        "from_ns": 0,
        "to_ns": 1,
        "programs": {},
    }


def test_a_cost_is_of_one_repetition_in_the_cheapest_round() -> None:
    """The first round has only warmed up."""
    lines = [line("base", "1", 1000), line("shipped", "1", 1200, 0)]
    lines += [line("shipped", "1", 1600, 1), line("shipped", "1", 1500, 2)]

    cost = costs(lines, Recorded())["1"]["pipe"]  # type: ignore[arg-type]

    assert cost == Cost(100.0, 150.0, 1.0)
    assert cost.added == 50.0


def test_where_programs_were_timed_their_sum_is_what_is_added() -> None:
    """Each call with 185 for being attached, and without the 68 that reading a clock takes."""
    lines = [line("base", "few", 1000), line("shipped", "few", 9000)]
    for each in lines:
        each["phase"] = "fork_exit"
    lines.append(lines[1] | {"mode": "shipped_programs", "programs": {"lsm/a": [20, 3360]}})

    cost = costs(lines, Recorded())["few"]["fork_exit"]  # type: ignore[arg-type]

    assert cost.added == 2 * (100 + 185)


def test_of_programs_that_were_timed_the_cheapest_round_counts() -> None:
    """A turn of another CPU in the middle of a program only adds to its time."""
    lines = [line("base", "4", 1000), line("shipped", "4", 9000)]
    lines += [
        line("shipped_programs", "4", 9000, at) | {"programs": {"lsm/a": [20, ns]}}
        for at, ns in enumerate((20, 9000, 3360, 5000))
    ]

    cost = costs(lines, Recorded())["4"]["pipe"]  # type: ignore[arg-type]

    assert cost.added == 2 * (100 + 185)


def test_a_sum_of_programs_grows_by_more_than_it_repeats() -> None:
    """Whatever the operation takes that they are called in."""
    before, after = Cost(250_000.0, 255_000.0, 1.0), Cost(250_000.0, 256_000.0, 1.0)

    assert growth(before, after, "summed") == pytest.approx(0.2)
    assert growth(before, Cost(250_000.0, 255_400.0, 1.0), "summed") is None


def test_a_state_without_a_base_has_that_of_the_first() -> None:
    """Without capture nothing grows old."""
    lines = [
        line("base", "few", 1000),
        line("shipped", "few", 1500),
        line("shipped", "later", 1700),
    ]

    assert costs(lines, Recorded())["later"]["pipe"].base == 100.0  # type: ignore[arg-type]


@pytest.mark.parametrize(("added", "grown"), [(1019.0, None), (1021.0, 0.021), (900.0, None)])
def test_what_grows_by_more_than_measurements_differ_is_told(
    added: float, grown: float | None
) -> None:
    """A fiftieth of what was added before."""
    found = growth(Cost(1000.0, 2000.0, 1.0), Cost(1000.0, 1000.0 + added, 1.0))

    assert found == (None if grown is None else pytest.approx(grown))


def test_what_the_operation_itself_does_not_repeat_has_not_grown() -> None:
    """A fork takes a hundred times what is added to it."""
    before, after = Cost(250_000.0, 255_000.0, 1.0), Cost(250_000.0, 265_000.0, 1.0)

    assert growth(before, after, "fork") is None
    assert growth(before, after) == pytest.approx(2.0)


def scale(later: float, many: float = 1000.0, crowd: Sequence[float] = (1000.0,) * 3) -> Scale:
    """What capture adds to ``pread`` in each state, and to ``stat`` alone, by one CPU and by 4."""

    def state(added: float) -> dict[str, Cost]:
        return {"pread": Cost(1000.0, 1000.0 + added, 0.0)}

    stats = {
        who: {"stat": Cost(1000.0, 1000.0 + added, 0.0)}
        for who, added in zip(("alone", "1", "4"), crowd, strict=True)
    }
    aged = {"few": state(1000.0), "later": state(later), "hours": state(later), "many": state(many)}
    return Scale("6.12", "clang", stats, aged, {"few": 100, "later": 1100})


def test_what_does_not_grow_is_said_to_be_so() -> None:
    """One line for CPUs, records, time and files each."""
    found = list(verdicts(scale(later=1010.0)))

    assert [verdict.grows for verdict in found] == [False] * 4
    assert found[1].text.startswith("After 1,000 further records")
    assert grows(scale(later=1010.0)) == []


def test_what_grows_is_a_failure() -> None:
    """With the operation, and by how much."""
    (failure,) = grows(scale(later=1000.0, many=1100.0))

    assert "**grows** for: pread, 1 byte, same file (1,000 -> 1,100, +10%)" in failure


def test_one_process_was_measured_twice_and_the_dearer_is_what_several_are_compared_with() -> None:
    """What the two of them differ by is no growth."""
    assert grows(scale(later=1000.0, crowd=(1050.0, 1000.0, 1060.0))) == []

    (failure,) = grows(scale(later=1000.0, crowd=(1000.0, 1050.0, 1100.0)))
    assert "From 1 to 4 CPUs what capture adds **grows** for: stat" in failure


def test_time_is_compared_with_the_beginning() -> None:
    """What has grown with the records before is still there."""
    assert len(grows(scale(later=1500.0))) == 2
