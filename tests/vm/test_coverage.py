"""The promises of the coverage page, kept on each kernel; the recording is the session's."""

import pytest

from provcap.coverage.compare import judge_all
from provcap.coverage.flows import read

pytestmark = pytest.mark.vm

FLOWS = read()


def test_every_operation_could_be_done(recording):
    """Otherwise nothing would be known of it."""
    assert recording.failed == frozenset()


@pytest.mark.parametrize("flow", [pytest.param(flow, id=flow.name) for flow in FLOWS])
def test_a_workload_leaves_what_is_promised(recording, machine, flow):
    """Every edge is there, and no other; what is not recorded yet says so when it is."""
    (verdict,) = judge_all([flow], recording, machine.kernel.version)

    assert (verdict.state, verdict.missing, verdict.wrong) in (
        ("as promised", (), ()),
        ("not yet", verdict.missing, ()),
    )
