"""The benchmark's workload in a guest, and that its numbers are refused where they mean nothing."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.kernel import figures, measure, results
from benchmarks.kernel.plan import WORK
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
    said = measure.done(laid_out, [f"{WORK}/bench", "play", "0", "1", "100", "0", "-"], WORK)

    lines = results.parse(said)

    assert [line["phase"] for line in lines] == list(figures.read())
    assert all(results.phase(line, 0.0).instructions > 0 for line in lines)


def test_a_guest_that_does_not_count_instructions_is_refused(laid_out: Machine) -> None:
    """Its times would be taken for numbers of instructions."""
    with pytest.raises(GuestError, match="does not count instructions"):
        measure.require_count(laid_out)
