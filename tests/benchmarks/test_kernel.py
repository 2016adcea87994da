"""What the benchmark makes of the lines of its workload, and that its page is of its baseline."""

from pathlib import Path

import pytest

from benchmarks.kernel import figures, page, results
from benchmarks.kernel.ceilings import CEILINGS, Ceiling, reader_per_record
from benchmarks.kernel.compare import difference, moves
from benchmarks.kernel.results import Phase, Program, Results, Volume
from benchmarks.kernel.tables import tables

ROOT = Path(__file__).resolve().parents[2]
BASELINE = (ROOT / "benchmarks/kernel/baseline.json").read_text()
FIGURES = figures.read()
READ = "lsm/file_permission"


def measured(**instructions: float) -> Results:
    """Results with a base of 1,000 for ``pread`` and this much in other modes."""
    modes = {mode: {"pread": Phase(10, taken)} for mode, taken in instructions.items()}
    return Results("6.12", "clang", {"base": {"pread": Phase(10, 1000.0)}, **modes})


def ceiling(title: str) -> Ceiling:
    (found,) = (ceiling for ceiling in CEILINGS if ceiling.title == title)
    return found


def test_the_page_is_of_the_baseline_as_it_is() -> None:
    """Both are written by one measurement, so what the page says can be looked up."""
    found = results.loads(BASELINE)

    assert (ROOT / "docs/reference/performance.md").read_text() == page.page(
        found, tables(found, FIGURES)
    )


def test_the_baseline_has_every_operation_and_lost_nothing() -> None:
    """A number counts only if nothing was lost in the same run."""
    found = results.loads(BASELINE)

    assert found.lost == ()
    assert set(FIGURES) == set(found.modes["base"]) == set(found.modes["shipped"])
    assert all(ceiling.measure(found) is not None for ceiling in CEILINGS)


def test_results_are_written_as_they_are_read() -> None:
    """The baseline survives being written again."""
    assert results.dumps(results.loads(BASELINE)) == BASELINE


@pytest.mark.parametrize("rounds", [(9000, 10000), (22000, 10000), (9000, 12000, 10000)])
def test_the_best_round_but_the_first_counts(rounds: tuple[int, ...]) -> None:
    """The first has only warmed up, whatever it took."""
    line = {"mode": "base", "phase": "pread", "times": 10, "programs": {}}
    lines = [line | {"round": at, "instructions": taken} for at, taken in enumerate(rounds)]

    (line,) = results.best_rounds(lines).values()

    assert results.phase(line, 68.0).instructions == 1000.0


def test_the_clock_reads_are_taken_out_of_a_program() -> None:
    """With the counters on, each call of a program is said to take what reading a clock takes."""
    line = {"phase": "pread", "times": 10, "instructions": 1, "programs": {READ: [20, 15360]}}
    empty = {"mode": "probe:empty+stats", "programs": {"lsm/empty": [100, 6800]}}

    reads = results.clock_reads([empty])

    assert results.phase(line, reads).programs[READ] == Program(2.0, 700.0)


def test_what_was_recorded_is_told_of_one_repetition() -> None:
    """As the instructions are."""
    line = {"phase": "pipe", "times": 10, "instructions": 1, "programs": {}}

    found = results.phase(line, 68.0, Volume(20, 1440, 20, 0, 0))

    assert (found.records, found.bytes) == (2.0, 144.0)


def test_a_sum_of_programs_has_what_attaching_costs() -> None:
    """Each call pays the trampoline of its kind; 185 where that was not measured."""
    found = measured()
    programs = {"lsm/task_alloc": Program(1.0, 1000.0), "lsm/file_open": Program(2.0, 100.0)}
    modes = {**found.modes, "shipped_programs": {"fork_exit": Phase(1, 1.0, programs=programs)}}

    total = results.sum_of_programs(found._replace(modes=modes), "shipped", "fork_exit")

    assert total == 1000 + 185 + 2 * (100 + 185)


@pytest.mark.parametrize(("net", "met"), [(350.0, True), (351.0, False)])
def test_a_ceiling_is_met_up_to_its_limit(net: float, met: bool) -> None:
    """Not measured is neither."""
    limit = ceiling("hook with nothing new, net")
    phases = {"pread": Phase(1, 1.0, programs={READ: Program(1.0, net)})}
    found = measured()._replace(modes={"shipped_programs": phases})

    assert limit.met(found) is met
    assert limit.met(measured()) is None


@pytest.mark.parametrize(("after", "left"), [(1005.0, 0.0), (900.0, 0.0), (1020.0, 1.0)])
def test_what_is_left_after_a_capture_is_more_than_measurements_differ_by(
    after: float, left: float
) -> None:
    """One operation of two; what another has less does not make up for it."""
    modes = {
        "base": {"pread": Phase(1, 1000.0), "stat": Phase(1, 1000.0)},
        "off": {"pread": Phase(1, after), "stat": Phase(1, 950.0)},
    }

    found = ceiling("capture off: what is left of it").measure(measured()._replace(modes=modes))

    assert found == left


def test_the_reader_is_what_a_phase_takes_more_while_it_is_awake() -> None:
    """Without records that is its wake-ups, spread over the records that as much time can have."""
    modes = {
        "awake": {
            "settled_many": Phase(100, 2500.0, 0.0, 0.0),
            "copy_many": Phase(100, 4000.0, 2.0, 144.0),
        },
        "shipped": {
            "settled_many": Phase(100, 2450.0, 0.0, 0.0),
            "copy_many": Phase(100, 3000.0, 2.0, 144.0),
        },
    }
    found = measured()._replace(modes=modes)

    assert ceiling("wake-up, per record").measure(found) == pytest.approx(40.0)
    assert reader_per_record(found) == pytest.approx(500.0)


def test_what_moves_within_the_tolerance_has_not_moved() -> None:
    """A simple operation is repeatable within 2 %."""
    before = measured(shipped=2000.0)

    assert not moves(before, measured(shipped=2039.0), FIGURES)
    (move,) = moves(before, measured(shipped=2041.0), FIGURES)
    assert str(move) == "pread, 1 byte, same file, shipped: 2,000 -> 2,041 (+2.0%)"


def test_a_further_record_is_a_move() -> None:
    """Records are exact, so one more is no noise."""
    before, after = (
        measured()._replace(modes={"shipped": {"pipe": Phase(1, 1.0, records, 0.0)}})
        for records in (2.0, 3.0)
    )

    assert [move.what for move in moves(before, after, FIGURES)] == ["records of pipe"]


def test_another_compiler_is_told() -> None:
    """Counts change with it."""
    assert difference(measured(), measured()) == ""
    other = measured()._replace(compiler="clang 17")
    assert difference(measured(), other) == "compiler clang -> clang 17"


def test_an_operation_that_was_not_played_has_no_row() -> None:
    """A quick measurement has fewer rows, not empty ones."""
    (operations,) = (t for t in tables(measured(), FIGURES) if t.title == "Operations")

    assert [row[0] for row in operations.rows] == ["pread, 1 byte, same file"]


def test_columns_are_aligned_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Text to the left, numbers to the right."""
    found = measured(shipped=2000.0)

    page.show(found, tables(found, FIGURES))

    head, row = capsys.readouterr().out.splitlines()[2:4]
    assert head.index("base") + 4 == row.index("1,000") + 5
    assert row.isprintable()
