"""The reference page, and that it tells of the workloads that there are."""

import re
from pathlib import Path

from provcap.coverage.compare import Verdict, judge
from provcap.coverage.flows import read
from provcap.coverage.page import page, result, summary

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/coverage.md"
FLOWS = read()


def told(kernel: str) -> list[Verdict]:
    """Every promise kept."""
    found = ((flow, flow.promised(kernel)[0]) for flow in FLOWS)
    return [judge(flow, set() if flow.not_yet else edges, kernel) for flow, edges in found]


def test_the_page_is_of_the_expectations_as_they_are() -> None:
    """Written again after the last change, on every kernel, with every promise kept."""
    text = PAGE.read_text()
    kernels = re.findall(r"^- (\S+): \d+ of", text, re.M)

    assert [name.split(".")[:2] for name in kernels[:2]] == [["6", "12"], ["6", "1"]]
    assert text == page({kernel: told(kernel) for kernel in kernels})


def test_a_difference_is_counted_in_the_table() -> None:
    """What a reader looks for first."""
    (flow,) = (flow for flow in FLOWS if flow.name == "read")
    (twin,) = (flow for flow in FLOWS if flow.name == "read_refused")

    assert result(judge(flow, flow.expect, "6.12")) == "seen 2"
    assert result(judge(flow, {"write task -> file:a"}, "6.12")) == "missing 2, wrong 1"
    assert result(judge(twin, set(), "6.12")) == "nothing"


def test_a_kernel_is_summed_up_in_a_sentence() -> None:
    """With what is missing and wrong, and what is not promised yet."""
    (flow,) = (flow for flow in FLOWS if flow.name == "read")
    (late,) = (flow._replace(not_yet="no hook") for flow in FLOWS if flow.name == "tee")
    verdicts = [judge(flow, {"write task -> file:a"}, "6.12"), judge(late, set(), "6.12")]

    assert summary("6.12.1", verdicts) == (
        "6.12.1: 0 of 2 workloads as promised (0 of them refused, failed or empty), "
        "1 not yet; 0 edges seen, 2 missing, 1 wrong"
    )
