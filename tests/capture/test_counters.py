"""Skipped programs, counted where a probe has copies and where it has none."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provcap.bpf.layout import Layout, object_layout
from provcap.bpf.targets import copy_name
from provcap.capture import counters
from tests.policy.fake import FakeCapture, Info

COPIES = 3
pytestmark = pytest.mark.object


class Copied(FakeCapture):
    """A capture on one CPU in which `pipe_read` has copies, and `sk_destruct` has none."""

    def __init__(self, layout: Layout, misses: Sequence[int], tally: int) -> None:
        super().__init__(layout)
        self.misses = misses
        places = layout.record("prov_cpu").field("probes").length
        cpu = {"probes": (tally, *[0] * (places - 1))}
        self.write("cpus", "prov_cpu", bytes(4), cpu)
        self.map("cpus").lookup_percpu = lambda key: [self.map("cpus").lookup(key)]

    def probes(self) -> list[str]:
        return ["pipe_read"]

    def programs(self) -> dict[str, Info]:
        found = {copy_name("pipe_read", n): Info(count) for n, count in enumerate(self.misses)}
        return {**found, "sk_destruct": Info(5), "ip_local_out": Info(7)}


class Probe:
    """One task that calls a function with a probe, as kernel/graph/probe.h has it."""

    def __init__(self) -> None:
        self.taken = False
        self.tally = 0
        self.misses = [0] * COPIES
        self.unseen = 0

    def call(self, skipped: Sequence[bool]) -> int:
        """How many copies do the work, in a call for which the kernel skips some of them."""
        worked = 0
        for copy, skip in enumerate(skipped):
            self.misses[copy] += skip
            worked += not skip and self.run(copy)
        self.unseen += not worked
        return worked

    def run(self, copy: int) -> bool:
        """Whether this copy does the work."""
        last = copy == COPIES - 1
        takes = not (copy and self.taken)
        if last and not takes:
            self.tally += 1
        if not last and takes:
            self.tally -= 1
        self.taken = not last and (self.taken or takes)
        return takes


CALLS = st.lists(st.tuples(*[st.booleans()] * COPIES), max_size=40)


@given(CALLS)
def test_what_no_copy_has_run_for_is_what_is_told(kernel_layout, calls):
    """Whatever is skipped: no call is seen to twice, and the rest is counted."""
    probe = Probe()
    worked = [probe.call(skipped) for skipped in calls]

    found = counters.read(Copied(kernel_layout, probe.misses, probe.tally), kernel_layout)

    assert set(worked) <= {0, 1}
    assert found.skipped == {"pipe_read": probe.unseen, "sk_destruct": 5}
    assert found.lost == probe.unseen + 5


@pytest.mark.parametrize("skipped", list(itertools.product((True, False), repeat=COPIES)))
def test_one_copy_that_runs_is_enough(skipped):
    """Whichever it is."""
    assert Probe().call(skipped) == (not all(skipped))


@pytest.fixture(scope="module")
def kernel_layout(kernel_object):
    """Records of the object."""
    return object_layout(kernel_object)
