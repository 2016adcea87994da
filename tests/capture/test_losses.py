"""Losses: gaps in the numbers, what explains them, and when an answer is complete."""

from hypothesis import given
from hypothesis import strategies as st

from provcap.capture.decoder import Decoder
from provcap.capture.losses import Account, Losses
from provcap.capture.raw import Status
from tests.batches import LAYOUT, batch, event
from tests.recordings import status

FINAL = status(final=True)


def accounted(*numbers: int, last: Status | None = FINAL, base: Status | None = None) -> Losses:
    """The losses of one CPU whose records have these numbers."""
    account = Account()
    for number in numbers:
        body = event("clone", ("task", 1, 0), ("task", 2, 0))
        account(Decoder(LAYOUT).decode(batch(body, seq=number)))
    return account.losses(base, last)


def test_all_numbers_and_a_final_status_are_complete() -> None:
    """In whatever order they came."""
    assert accounted(3, 1, 2, 5, 4).complete


def test_a_gap_that_a_full_ring_explains_is_a_counted_loss() -> None:
    """Two numbers are missing, the counter says two."""
    losses = accounted(1, 4, last=status(final=True, event_ring_full=2))

    assert (losses.missing, losses.missing_uncounted, losses.complete) == (2, 0, False)
    assert losses.attributes()["losses"]["lost_event_ring_full_cpus"] == "0:2"  # type: ignore[index]


def test_what_was_left_out_on_purpose_is_told() -> None:
    """Only while capture was off is something missing that was asked for."""
    tracked = FINAL._replace(policy={"hash": "00", "restrictions": "filtered tracked_only"})
    off = FINAL._replace(policy={"hash": "00", "restrictions": "switched_off"})

    assert accounted(1, 2, last=tracked).complete
    assert accounted(1, 2, last=tracked).restrictions == ("filtered", "tracked_only")
    assert not accounted(1, 2, last=off).complete
    texts = accounted(1, 2, last=tracked).attributes()["losses"]
    assert texts["restrictions"] == "filtered tracked_only"  # type: ignore[index]


def test_a_gap_without_a_counter_is_said_apart() -> None:
    """Something is wrong with the counting."""
    assert accounted(1, 4).missing_uncounted == 2


def test_refused_node_records_are_sent_again() -> None:
    """They explain gaps and leave the answer complete."""
    assert accounted(1, 3, last=status(final=True, node_ring_full=1)).complete


def test_without_a_final_status_nothing_is_known() -> None:
    """Complete is only what is known to be."""
    assert not accounted(1, last=None).complete
    assert not accounted(1, last=status()).complete


def test_counts_from_before_the_recording_are_not_its_own() -> None:
    """The first status is the base."""
    assert accounted(1, base=status(event_ring_full=7),
                     last=status(final=True, event_ring_full=7)).complete  # fmt: skip


def test_skipped_programs_make_it_incomplete() -> None:
    """A program that never ran never took a number."""
    skipped = FINAL._replace(recursion_misses={"file_open": 3})

    assert accounted(1, last=skipped).skipped == 3
    assert not accounted(1, last=skipped).complete


@given(st.integers(0, 2**32 - 1), st.sets(st.integers(0, 40), min_size=1))
def test_numbers_wrap_around(first: int, steps: set[int]) -> None:
    """Beyond 32 bits the numbers go on from 0; missing are exactly those between."""
    numbers = [(first + step) % 2**32 for step in sorted(steps)]

    assert accounted(*numbers).missing == max(steps) - min(steps) + 1 - len(steps)


def test_what_is_missing_at_the_ends_leaves_no_gap_and_is_seen_all_the_same() -> None:
    """The kernel says how many numbers it gave: those before the first record count, too."""
    base = status()._replace(given={0: 10, 1: 5})
    last = FINAL._replace(given={0: 16, 1: 7})

    losses = accounted(11, 12, 13, base=base, last=last)

    assert (losses.missing, losses.missing_uncounted, losses.complete) == (5, 5, False)
