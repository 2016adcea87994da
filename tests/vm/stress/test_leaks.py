"""The judgement on what a soak leaves, with numbers of leaks; it needs no guest."""

import pytest

from tests.vm.stress import leaks

SHORT, LONG = 380, 3800  # rounds of half a soak: of 100,000 operations, of a million
BEFORE = dict.fromkeys(leaks.CACHES, 5000)


def after(kind: str, one_in: int, rounds: int) -> dict[str, int]:
    """What is there when one storage in so many of this kind was kept."""
    made = leaks.ROUND[kind]
    kept = rounds * made.in_a_round // one_in * made.pieces
    return BEFORE | {made.cache: BEFORE[made.cache] + kept}


@pytest.mark.parametrize("kind", leaks.ROUND)
@pytest.mark.parametrize(
    ("one_in", "rounds"), [(1, SHORT), (3, SHORT), (1, LONG), (3, LONG), (leaks.LEAK, LONG)]
)
def test_a_leak_is_found(kind: str, one_in: int, rounds: int) -> None:
    """In the cache that such a storage lies in, and in no other."""
    found = leaks.leaked(BEFORE, after(kind, one_in, rounds), rounds)

    assert [*found] == [leaks.ROUND[kind].cache]


@pytest.mark.parametrize("rounds", [SHORT, LONG])
def test_what_comes_and_goes_is_no_leak(rounds: int) -> None:
    """A few objects more, or fewer."""
    more = {cache: many + leaks.limits(rounds)[cache] for cache, many in BEFORE.items()}

    assert leaks.leaked(BEFORE, BEFORE, rounds) == {}
    assert leaks.leaked(BEFORE, more, rounds) == {}
    assert leaks.leaked(more, BEFORE, rounds) == {}


def test_a_longer_soak_may_not_leave_more_of_each() -> None:
    """The limit grows with what was made, so a tenth is found in any that is long enough."""
    assert leaks.limits(10 * LONG) == {
        cache: 10 * limit for cache, limit in leaks.limits(LONG).items()
    }
