"""The benchmark's workload in a guest, and that its numbers are refused where they mean nothing."""

import subprocess
from pathlib import Path

import pytest

from benchmarks import guests
from benchmarks.kernel import figures, measure, results
from benchmarks.kernel.plan import WORK
from benchmarks.memory.plan import KINDS
from benchmarks.scale.plan import CROWD
from provcap.errors import GuestError
from provcap.vm.machine import Machine

pytestmark = pytest.mark.vm
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def laid_out(machine: Machine) -> Machine:
    """A guest that has the workload."""
    subprocess.run(["make", "-s", "-C", str(ROOT / "benchmarks/kernel")], check=True)
    measure.lay_out(machine, steps=1)
    return machine


def test_every_operation_of_the_page_can_be_played(laid_out: Machine) -> None:
    """Each gives one line, which is read as a phase."""
    said = guests.done(laid_out, [f"{WORK}/bench", "play", "0", "1", "100", "0", "-"], WORK)

    lines = results.parse(said)

    assert sorted(line["phase"] for line in lines) == sorted(figures.read())
    assert all(results.phase(line, 0.0).instructions > 0 for line in lines)


def test_a_guest_that_does_not_count_instructions_is_refused(laid_out: Machine) -> None:
    """Its times would be taken for numbers of instructions."""
    with pytest.raises(GuestError, match="does not count instructions"):
        guests.require_count(laid_out)


def test_every_operation_of_several_cpus_can_be_played(laid_out: Machine) -> None:
    """Each gives one line, with what both CPUs did together."""
    said = guests.done(laid_out, [f"{WORK}/bench", "crowd", "2", "1", "100", "0", "-"], WORK)

    lines = results.parse(said)

    assert [line["phase"] for line in lines] == list(CROWD)
    assert all(line["times"] % 2 == 0 and line["instructions"] > 0 for line in lines)


def test_every_kind_of_object_can_be_held(laid_out: Machine) -> None:
    """And is let go when nobody waits for it any more."""
    for kind in KINDS:
        said = guests.done(laid_out, [f"{WORK}/bench", "hold", kind, "10"], WORK)

        assert said.split() == ["held", "gone"]
