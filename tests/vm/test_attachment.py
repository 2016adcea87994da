"""An observer changes nothing, and leaves nothing when it goes."""

import json

import pytest

from provcap.bpf import loader

pytestmark = pytest.mark.vm

VERIFIED_PROGRAM = 250_000  # of a million that a verifier looks at before it gives up
VERIFIED_ALL = 6_000_000  # with the copies of 7; a recording begins after them


def test_every_verdict_is_the_same_with_and_without(session):
    """The workload's list of allowed and refused operations gives the same errors."""
    without, recorded = ([line for line in lines if line.startswith("verdict")]
                         for lines in session.verdicts)  # fmt: skip

    assert len(without) > 50
    assert {line.rpartition(" ")[2] for line in without} >= {"0", "1", "2", "11", "13", "22"}
    assert recorded == without


@pytest.mark.parametrize("moment", ["before", "after"])
def test_with_capture_off_nothing_is_loaded(session, moment):
    """No program, no pin, and nothing for another loader to find."""
    seen = json.loads(session.seen[moment])

    assert (seen["pinned"], seen["found"], seen["forged"]) == ([], "none", "none")
    assert not set(seen["programs"]) & _names()


def test_while_it_runs_another_loader_finds_it(session):
    """Everything is pinned, and every program that this kernel can have is attached."""
    seen = json.loads(session.seen["during"])
    links = {path.removeprefix("links/") for path in seen["pinned"] if path.startswith("links/")}

    assert links
    assert int(seen["found"]) == len(links)
    assert {"maps/layout", "maps/rings", "maps/policy"} <= set(seen["pinned"])
    assert {_listed(name) for name in links} <= {name[:15] for name in seen["programs"]}


def test_the_verifier_is_far_from_giving_up(session):
    """Another compiler or kernel may need more, and a user waits for it."""
    verified = json.loads(session.seen["during"])["verified"]

    assert len(verified) > 100
    assert max(verified.values()) < VERIFIED_PROGRAM
    assert sum(verified.values()) < VERIFIED_ALL


def test_a_loader_with_another_layout_is_refused(session):
    """The records of one build are not read with the layout of another."""
    assert json.loads(session.seen["during"])["forged"] == "LayoutError"


def _listed(name: str) -> str:
    """As bpftool lists a program: cut, and a copy by the function that it is a copy of."""
    return name.partition("_spare")[0][:15]


def _names() -> set[str]:
    """Names of the object's programs as the kernel lists them: cut to 15 bytes or whole."""
    image = loader.read_object(loader.find_object())
    names = {program.name for program in loader.object_programs(image)}
    return names | {name[:15] for name in names}
