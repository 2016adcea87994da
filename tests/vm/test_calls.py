"""The calls that the coverage page names are those that its workload makes: strace is asked.

Nothing is recorded here. One kernel is enough, since the program is the same on all.
"""

from pathlib import Path

import pytest

from provcap.coverage import player
from provcap.coverage.flows import Flow, read, version
from provcap.coverage.recorded import failures
from tests.vm.guest_recordings import PATIENCE_S
from tests.vm.traced import calls_made

WORK = "/tmp/calls"
FLOWS = read()

TRACED = "whoever is traced by strace cannot be traced by somebody else"
NOT_PLAYED = {
    **dict.fromkeys(("attach", "peek", "poke", "peek_registers", "trace_me"), TRACED),
    "ask_for_program": "there is none to ask for: nothing records",
}


TRACE = """
10  pwrite64(5</w/marks/copy.begin>, "x", 1, 0) = 1
10  clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
11  read(3</w/copy/a>,  <unfinished ...>
10  <... clone resumed>) = 11
9   getpid() = 9
10  wait4(11,  <unfinished ...>
11  <... read resumed>"x", 1) = 1
11  +++ exited with 0 +++
10  pwrite64(6</w/marks/copy.end>, "x", 1, 0) = 1
10  exit_group(0) = ?
12  pwrite64(5</w/marks/none.begin>, "x", 1, 0 <unfinished ...>
12  <... pwrite64 resumed>) = 1
12  pwrite64(6</w/marks/none.end>, "x", 1, 0) = 1
"""


def test_calls_are_told_by_operation_and_family() -> None:
    """Not those of others, nor what comes before and after; the mark itself may end in between."""
    assert calls_made(TRACE) == {"copy": {"clone", "read", "wait4"}, "none": {"pwrite64"}}


@pytest.fixture(scope="module")
def played(machine) -> tuple[frozenset[str], dict[str, set[str]]]:
    """The operations that could not be done, and the calls that each made."""
    if version(machine.kernel.version) != (6, 12):
        pytest.skip("the program makes the same calls on every kernel")
    program, trace = player.compile_program(machine.share), machine.share / "calls.trace"
    player.prepare(machine, program, WORK)
    play = [str(program), "run", WORK, *(flow.name for flow in FLOWS)]
    watched = ["strace", "-f", "-y", "-qq", "-e", "signal=none", "-o", str(trace), *play]
    told = machine.run(watched, timeout_s=PATIENCE_S).stdout.decode()
    return failures(told), calls_made(Path(trace).read_text(errors="replace"))


@pytest.mark.vm
def test_what_cannot_be_played_is_listed(played) -> None:
    """Each with its reason."""
    failed, _ = played

    assert failed == NOT_PLAYED.keys()


@pytest.mark.vm
@pytest.mark.parametrize(
    "flow", [pytest.param(flow, id=flow.name) for flow in FLOWS if flow.name not in NOT_PLAYED]
)
def test_an_operation_makes_the_calls_that_are_named(played, flow: Flow) -> None:
    """By the process that wrote its marks, or by a descendant."""
    _, made = played

    assert set(flow.calls) - made[flow.name] == set()
