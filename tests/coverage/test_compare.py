"""Verdicts: seen, missing, wrong, not yet, and what works against the promise."""

import pytest

from provcap.coverage.compare import judge
from provcap.coverage.flows import Flow, edges, read

READ = edges("read file:a -> task -> memory")


def flow(extra: str = "") -> Flow:
    """A flow that expects READ."""
    text = f"""
        [[files]]
        name = "read"
        does = "reads"
        calls = "read"
        {extra}
        expect = \"\"\"
read file:a -> task -> memory
\"\"\"
    """
    (found,) = read(text)
    return found


def test_what_is_there_is_seen() -> None:
    """And nothing else is."""
    verdict = judge(flow(), READ, "6.12")

    assert (verdict.state, verdict.seen, verdict.is_kept) == ("as promised", 2, True)


@pytest.mark.parametrize(
    ("found", "missing", "wrong"),
    [
        ({"read file:a -> task"}, ("memory_write task -> memory",), ()),
        ({*READ, "write task -> file:b"}, (), ("write task -> file:b",)),
        (
            {"read file:b -> task", "memory_write task -> memory"},
            ("read file:a -> task",),
            ("read file:b -> task",),
        ),
    ],
)
def test_every_difference_breaks_the_promise(
    found: set[str], missing: tuple[str, ...], wrong: tuple[str, ...]
) -> None:
    """What is not there, and what is there without being expected."""
    verdict = judge(flow(), found, "6.12")

    assert (verdict.state, verdict.is_kept) == ("differs", False)
    assert (verdict.missing, verdict.wrong) == (missing, wrong)


def test_versions_follow_from_the_rest() -> None:
    """They are compared in the flows that name them."""
    verdict = judge(flow(), {*READ, "version_activity task -> task"}, "6.12")

    assert verdict.state == "as promised"


def test_what_may_be_there_is_not_counted() -> None:
    """A look-up comes again when the kernel has forgotten an earlier one."""
    found = {*READ, "perm_check file:a -> task"}

    assert judge(flow('maybe = ["perm_check *"]'), found, "6.12").state == "as promised"
    assert judge(flow(), found, "6.12").state == "differs"


def test_an_operation_that_failed_is_no_proof() -> None:
    """Nothing is known of it."""
    verdict = judge(flow(), None, "6.12")

    assert (verdict.state, verdict.is_kept) == ("not played", False)


def test_what_is_not_recorded_yet_says_so_when_it_is() -> None:
    """The list of gaps cannot grow old."""
    late = flow('not_yet = "no hook"')

    assert judge(late, {"read file:a -> task"}, "6.12").state == "not yet"
    assert judge(late, {"read file:a -> task"}, "6.12").is_kept
    assert judge(late, READ, "6.12").state == "works"
    assert not judge(late, READ, "6.12").is_kept


def test_what_is_forbidden_is_wrong_even_where_little_is_promised() -> None:
    """A gap is no excuse for an edge that must not be."""
    late = flow('not_yet = "no hook"\nforbid = ["write * -> file:secret"]')
    verdict = judge(late, {"write task -> file:secret"}, "6.12")

    assert (verdict.state, verdict.wrong) == ("differs", ("write task -> file:secret",))
