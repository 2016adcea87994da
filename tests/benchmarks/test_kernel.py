"""What the benchmark makes of the lines of its workload, and that its page is of its baseline."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.kernel import figures, macro, page, results
from benchmarks.kernel.ceilings import CEILINGS, Ceiling, reader_per_record
from benchmarks.kernel.compare import difference, moves
from benchmarks.kernel.guest import remains
from benchmarks.kernel.least import least_with_semantics
from benchmarks.kernel.plan import AWAKE, AWAKE_COMMANDS, recorded_runs
from benchmarks.kernel.probes import NAMES
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
    assert set(found.modes["base"]) == set(found.modes["shipped"]) <= set(FIGURES)
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


@pytest.mark.parametrize("quick", [False, True])
def test_every_mode_has_a_round_to_warm_up(quick: bool) -> None:
    """And another one that counts."""
    assert all(run.rounds >= 2 for run in recorded_runs(quick))


def test_every_probe_is_on_the_way_of_an_operation() -> None:
    """It is a program of its source, and the page has a name for what it is played in."""
    sources = ROOT / "benchmarks/kernel"

    for name, probe in NAMES.items():
        assert f"BPF_PROG({name}," in (sources / f"{probe.object}.bpf.c").read_text()
        assert set(probe.phases) <= set(FIGURES)
        assert probe.rounds >= 2


def test_the_reader_is_awake_in_what_is_long_enough() -> None:
    """100 wake-ups a second: several while it lasts."""
    found = results.loads(BASELINE)
    captured = [phase for name in AWAKE if (phase := found.phase("shipped", name))]

    assert len(captured) == len(AWAKE)
    assert all(phase.times * phase.instructions > 80e6 for phase in captured)
    assert set(AWAKE) <= set(FIGURES)
    assert set(AWAKE_COMMANDS) <= set(macro.COMMANDS)


@pytest.mark.parametrize(
    ("symbols", "areas", "remaining"),
    [
        ("ffff t bpf_prog_3b185187f1855c4c_file_open\t[bpf]\n", "", True),
        ("ffff t bpf_trampoline_6442536467\t[bpf]\n", "", True),
        ("", "0xa-0xb 8392704 htab_map_alloc+0x1f2/0x2e0 pages=2048 vmalloc N0=2048\n", True),
        ("", "0xa-0xb 33570816 bpf_ringbuf_area_alloc+0x11/0x22 vmap user\n", True),
        ("ffff T bpf_prog_free\n", "0xa-0xb 8192 bpf_prog_alloc_no_stats+0x3f/0x1f0\n", False),
    ],
)
def test_what_a_capture_leaves_for_later_is_waited_for(
    symbols: str, areas: str, remaining: bool
) -> None:
    """Programs, trampolines and the tables of maps; not the kernel's own functions."""
    assert remains(symbols, areas) is remaining


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


def test_a_judged_sum_takes_attaching_for_what_its_ceiling_does() -> None:
    """185 for every call, be it attached for less; the row behind it has what it is."""
    programs = {"fentry/vma": Program(10.0, 400.0)}
    probe = {"pread": Phase(1, 1138.0)}
    modes = {
        **measured().modes,
        "shipped_programs": {"fork_exit": Phase(1, 1.0, programs=programs)},
        "probe:empty_entry": probe,
    }
    found = measured()._replace(modes=modes)
    judged = ceiling("fork + exit, sum of programs + 185 per call")
    as_it_is = ceiling("fork + exit, with attaching as measured")

    assert (judged.measure(found), as_it_is.measure(found)) == (5850.0, 5380.0)
    assert (judged.met(found), as_it_is.met(found)) == (True, None)


@pytest.mark.parametrize(("net", "met"), [(350.0, True), (351.0, False)])
def test_a_ceiling_is_met_up_to_its_limit(net: float, met: bool) -> None:
    """Not measured is neither."""
    limit = ceiling("hook with nothing new, net")
    phases = {"pread": Phase(1, 1.0, programs={READ: Program(1.0, net)})}
    found = measured()._replace(modes={"shipped_programs": phases})

    assert limit.met(found) is met
    assert limit.met(measured()) is None


@pytest.mark.parametrize(("after", "left"), [(1015.0, 0.0), (900.0, 0.0), (1030.0, 3.0)])
def test_what_is_left_after_a_capture_is_more_than_measurements_differ_by(
    after: float, left: float
) -> None:
    """Of the operation with most; what another has less does not make up for it."""
    modes = {
        "base": {"pread": Phase(1, 1000.0), "stat": Phase(1, 1000.0)},
        "off": {"pread": Phase(1, after), "stat": Phase(1, 950.0)},
    }

    found = ceiling("capture ended: what is left, at most").measure(
        measured()._replace(modes=modes)
    )

    assert found == pytest.approx(left)


def test_a_fork_may_differ_by_more_without_anything_being_left() -> None:
    """Two plays of what makes names or processes differ by up to 5 %."""
    for after, left in ((1040.0, 0.0), (1060.0, 6.0)):
        modes = {
            "base": {"create_unlink": Phase(1, 1000.0)},
            "off": {"create_unlink": Phase(1, after)},
        }
        limit = ceiling("capture ended: what is left, at most")

        assert limit.measure(measured()._replace(modes=modes)) == pytest.approx(left)


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


@pytest.mark.parametrize(("after", "moved"), [(2019.0, False), (2021.0, True), (1970.0, True)])
def test_what_is_added_is_compared_by_itself(after: float, moved: bool) -> None:
    """2 % of the 1,000 that are added, not of the 2,000 that the whole takes."""
    found = moves(measured(shipped=2000.0), measured(shipped=after), FIGURES)

    assert [move.what for move in found] == ["added to pread, 1 byte, same file"] * moved


def test_a_move_says_from_where_to_where() -> None:
    """For people."""
    (move,) = moves(measured(shipped=2000.0), measured(shipped=2100.0), FIGURES)

    assert str(move) == "added to pread, 1 byte, same file, shipped: 1,000 -> 1,100 (+10.0%)"


def test_tiny_numbers_do_not_move_by_a_few_instructions() -> None:
    """After a capture nothing is left, give or take what measurements differ by."""
    assert not moves(measured(off=1001.0), measured(off=1010.0), FIGURES)
    assert moves(measured(off=1001.0), measured(off=1030.0), FIGURES)


def timed(mode: str, phase: str, **nets: float) -> Results:
    """Results in which programs were timed one by one, each called once."""
    programs = {f"lsm/{name}": Program(1.0, net) for name, net in nets.items()}
    return measured()._replace(modes={f"{mode}_programs": {phase: Phase(1, 1.0, 0, 0, programs)}})


@pytest.mark.parametrize(("after", "moved"), [(2060.0, False), (2200.0, True)])
def test_of_a_fork_the_sum_of_programs_is_compared(after: float, moved: bool) -> None:
    """5 % of it; the fork itself takes a hundred times as much."""
    before = timed("shipped", "fork_exit", task_alloc=2000.0)

    found = moves(before, timed("shipped", "fork_exit", task_alloc=after), FIGURES)

    assert [move.what for move in found] == [
        "added to fork + exit + wait",
        "lsm/task_alloc in fork + exit + wait",
    ] * moved


def test_a_program_is_compared_by_itself() -> None:
    """What one takes more another may take less."""
    before = timed("opaque", "pread", file_permission=191.0)
    after = timed("opaque", "pread", file_permission=230.0)

    (move,) = moves(before, after, FIGURES)

    assert move.what == "lsm/file_permission in pread, 1 byte, same file"


def test_a_program_that_is_called_once_more_has_moved() -> None:
    """Be it as cheap as before."""
    before = timed("shipped", "pread", file_permission=191.0)
    after = timed("shipped", "pread", file_permission=191.0, file_open=10.0)

    assert [move.what for move in moves(before, after, FIGURES)] == [
        "calls of lsm/file_open in pread, 1 byte, same file"
    ]


def test_a_larger_record_is_a_move() -> None:
    """Bytes are exact but for the numbers in names."""
    before, after = (
        measured()._replace(modes={"shipped": {"pipe": Phase(1, 1.0, 2.0, size)}})
        for size in (144.0, 160.0)
    )

    assert [move.what for move in moves(before, after, FIGURES)] == ["bytes of pipe"]
    assert not moves(before, before, FIGURES)


@pytest.mark.parametrize(("after", "moved"), [(110_900, False), (113_000, True)])
def test_what_is_added_to_a_command_is_compared_by_itself(after: float, moved: bool) -> None:
    """15 % of what is added, or what two plays of the command itself differ by."""
    before, later = (
        measured()._replace(macro={"base": {"grep -r": 100_000}, "shipped": {"grep -r": taken}})
        for taken in (110_000, after)
    )

    assert bool(moves(before, later, FIGURES)) is moved


def test_a_further_record_is_a_move() -> None:
    """Records are exact, so one more is no noise."""
    before, after = (
        measured()._replace(modes={"shipped": {"pipe": Phase(1, 1.0, records, 0.0)}})
        for records in (2.0, 3.0)
    )

    assert [move.what for move in moves(before, after, FIGURES)] == ["records of pipe"]


def floor_of(event: float, nothing_new: float = 1000 + 400.0) -> Results:
    """Results with every probe: attaching 100, look-ups 80 and 50, a record of 64 bytes 150."""
    added = {
        "empty": 100,
        "task_look_up": 180,
        "inode_look_up": 150,
        "both_look_ups": 230,
        "one_record": 380,
        "one_large_record": 380 + 192,
    }
    probes = {f"probe:{name}": {"pread": Phase(1, 1000.0 + more)} for name, more in added.items()}
    modes = {
        **probes,
        "base": {"pread": Phase(1, 1000.0), "copy_new": Phase(1, 2000.0)},
        "probe:read_or_write": {
            "pread": Phase(1, nothing_new),
            "copy_new": Phase(1, 2000.0 + 2 * event),
        },
        "probe:no_inode": {"create_unlink": Phase(1, 5000.0)},
        "probe:new_inode": {"create_unlink": Phase(1, 5750.0)},
    }
    return measured()._replace(modes=modes)


def test_the_least_with_the_semantics_is_composed_of_what_was_measured() -> None:
    """Attaching, look-ups, what an event takes beyond them, other records, storage."""
    programs = {"lsm/file_permission": Program(3.0, 900.0), "lsm/inode_create": Program(1.0, 1.0)}
    phases = {
        "shipped": {"create_unlink": Phase(1, 9000.0, 3.0, 2 * 72 + 100.0, events=2.0)},
        "shipped_programs": {"create_unlink": Phase(1, 1.0, programs=programs)},
    }
    found = floor_of(event=500.0)
    found = found._replace(modes={**found.modes, **phases})
    attaching, look_ups = 4 * 100, 4 * (80 + 50)
    events, silent = 2 * (500 - 230), 2 * (400 - 230)
    other, inode = (150 - 64) + 100, 750 - 50

    least = least_with_semantics(found, "shipped", "create_unlink")

    assert least == attaching + look_ups + events + silent + other + inode


def test_without_a_probe_there_is_no_least() -> None:
    """Nothing is said, rather than too little."""
    found = floor_of(event=500.0)
    modes = {name: phases for name, phases in found.modes.items() if name != "probe:one_record"}

    assert least_with_semantics(found._replace(modes=modes), "shipped", "create_unlink") is None


@pytest.mark.parametrize(
    ("measured_net", "floor", "said"),
    [
        (700.0, 650.0, "floor is above"),
        (700.0, 550.0, "not shown to be impossible"),
        (500.0, 450.0, ""),
    ],
)
def test_a_ceiling_is_called_impossible_only_above_the_floor(
    measured_net: float, floor: float, said: str
) -> None:
    """What is below it could still be met."""
    modes = {
        "shipped_programs": {
            "copy_new": Phase(1, 1.0, programs={READ: Program(2.0, measured_net)})
        },
        "probe:read_or_write+stats": {
            "copy_new": Phase(1, 1.0, programs={"lsm/read_or_write": Program(2.0, floor)})
        },
    }

    assert ceiling("hook with one event, net").why(measured()._replace(modes=modes)) == said


def test_a_part_of_the_ceilings_is_told_as_a_part() -> None:
    """A quick measurement does not say how many are met as if it had looked at all."""
    phases = {"pread": Phase(1, 1.0, programs={READ: Program(1.0, 340.0)})}
    found = measured()._replace(modes={"shipped_programs": phases}, programs=6)
    judged = sum(ceiling.limit is not None for ceiling in CEILINGS)

    assert f"Of {judged} ceilings 1 were measured, and 1 of those are met" in page.summary(found)
    assert "0 of " in " ".join(page.subset(found, FIGURES))
    assert not list(page.subset(measured(), FIGURES))


def test_another_compiler_is_told() -> None:
    """Counts change with it."""
    assert difference(measured(), measured()) == ""
    other = measured()._replace(compiler="clang 17")
    assert difference(measured(), other) == "compiler clang -> clang 17"


def table(found: Results, title: str) -> list[Sequence[str]]:
    """The rows of a table."""
    return [row for each in tables(found, FIGURES) if each.title == title for row in each.rows]


def test_of_an_operation_above_its_ceiling_each_program_is_told() -> None:
    """Calls, attaching, what they take, together; then the sum, and what is outside of it."""
    programs = {"lsm/file_permission": Program(2.0, 1000.0), "fexit/pipe_read": Program(1.0, 400.0)}
    modes = {
        "base": {"pipe": Phase(1, 2000.0), "stat": Phase(1, 2000.0)},
        "shipped": {"pipe": Phase(1, 5000.0, 2.0, 144.0), "stat": Phase(1, 2100.0)},
        "shipped_programs": {
            "pipe": Phase(1, 1.0, programs=programs),
            "stat": Phase(1, 1.0, programs=programs),
        },
    }

    rows = table(measured()._replace(modes=modes), "Stages")

    assert [list(row[1:6]) for row in rows] == [
        ["`lsm/file_permission`", "2.00", "370", "2,000", "2,370"],
        ["`fexit/pipe_read`", "1.00", "185", "400", "585"],
        ["sum; 2.00 records, 144 bytes", "", "", "", "2,955"],
        ["outside", "", "", "", "45"],
    ]


def test_everything_that_is_left_after_a_capture_is_told() -> None:
    """Of each operation that was played then, whichever else was not."""
    modes = {
        "base": {"pread": Phase(1, 1000.0), "create_unlink": Phase(1, 2000.0)},
        "off": {"pread": Phase(1, 1000.0), "create_unlink": Phase(1, 2500.0)},
        "switched_off": {"pread": Phase(1, 1214.0)},
    }

    rows = table(measured()._replace(modes=modes), "Nothing recorded")

    assert [list(row) for row in rows] == [
        ["pread, 1 byte, same file", "", "214", "0"],
        ["create + close + unlink", "", "", "500"],
    ]


def test_a_wake_up_is_told_with_the_rate_that_it_is_spread_over() -> None:
    """Two records in 4,000 ns are 500,000 a second; what is not wake-up is each record's own."""
    modes = {
        "awake": {
            "settled_many": Phase(100, 2500.0, 0.0, 0.0),
            "copy_many": Phase(100, 4000.0, 2.0, 144.0),
        },
        "shipped": {"settled_many": Phase(100, 2450.0), "copy_many": Phase(100, 3000.0)},
    }

    rows = table(measured()._replace(modes=modes), "Reader")

    assert [list(row) for row in rows] == [
        ["waking up, over the 500,000 records of a second", "40"],
        ["each record more: drain it, write it", "460"],
        ["both", "500"],
    ]


def test_a_hook_stands_beside_its_floor_and_its_peer() -> None:
    """Where they are known."""
    programs = {"lsm/inode_getattr": Program(1.0, 340.0), "lsm/other": Program(1.0, 30.0)}
    found = floor_of(event=500.0)
    phases = {"shipped_programs": {"stat": Phase(1, 1.0, programs=programs)}}

    rows = table(found._replace(modes={**found.modes, **phases}), "Programs")

    assert [list(row[1:]) for row in rows[:2]] == [
        ["`lsm/inode_getattr`", "1.00", "340", "", "130", "774"],
        ["`lsm/other`", "1.00", "30", "", "0", ""],
    ]


def test_an_operation_that_was_not_played_has_no_row() -> None:
    """A quick measurement has fewer rows, not empty ones."""
    (operations,) = (t for t in tables(measured(), FIGURES) if t.title == "Operations")

    assert [row[0] for row in operations.rows] == ["pread, 1 byte, same file"]


def test_columns_are_aligned_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Text to the left, numbers to the right."""
    found = measured(shipped=2000.0)

    page.show(found, tables(found, FIGURES), FIGURES)

    head, row = capsys.readouterr().out.splitlines()[2:4]
    assert head.index("base") + 4 == row.index("1,000") + 5
    assert row.isprintable()
