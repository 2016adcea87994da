"""What is to be measured, as values that go into the guest: phases, states, numbers.

Public: :data:`CROWD`, :data:`CPUS`, :data:`AGED`, :data:`SUMMED`, :data:`CROWD_SUMMED`,
:data:`STATES`, :class:`Step`,
:func:`steps`.
"""

from collections.abc import Sequence
from typing import NamedTuple

CROWD = {
    "loop": "a loop of two instructions, no system call",
    "settled": "read own A + write own B, settled",
    "new": "read own A + write own B, every time new",
    "common": "read + write one file that all share",
    "open_close": "open + close of an own file",
    "stat": "stat of an own file",
    "pipe": "own pipe, write + read",
    "create_unlink": "create + close + unlink in an own folder",
    "fork_exit": "fork + exit + wait",
    "mixed": "a mixture of all of these",
}
"""Phase of ``bench crowd`` -> what one repetition is."""
AGED = (
    *("pread", "copy_settled", "copy_new", "open_close", "stat", "open_first", "open_new_name"),
    *("create_unlink", "rename_two", "pipe", "tcp", "fork_exit", "vfork_exec"),
)
"""Phases of ``bench play`` that are repeated in each state; titles are in figures.toml."""
SUMMED = ("fork_exit", "vfork_exec")
"""Of those, what repeats no better than what capture adds: the sum of its programs counts."""
CROWD_SUMMED = ("fork_exit",)
"""The same of ``bench crowd``."""
COUNTED_ROUNDS = 6
"""While programs are timed: a turn of another CPU in the middle of one counts as its time."""
CPUS = (1, 2, 4)
"""So many of those of one guest do the same at once; the others have nothing to do."""
ALONE = "alone"
"""The same in a guest that has one CPU."""
FEW, MANY = 1_000, 200_000
"""Files that the kernel side has met and that are still in the kernel's cache."""
CHURN_ROUNDS = 8
"""Of 40,000 events each."""
HOURS = 2
"""So long nothing is done, with the recorder awake; its time passes at once in the guest."""
ROUNDS = 3
FRESH = 24 * ROUNDS
"""Steps with fresh names, more than are used: half of them without capture."""

STATES = {
    "few": f"at the beginning, {FEW:,} files met",
    "later": "some hundred thousand events later",
    "hours": f"{HOURS} hours later, in which nothing was done",
    "many": f"with {MANY:,} files met",
}
"""What a state is, in the order of time."""


class Step(NamedTuple):
    """One step towards a state, then its phases; in a base there is nothing to grow old of."""

    state: str
    files: int = 0
    """There are to be so many before."""
    churn: int = 0
    """Rounds of events at two files before."""
    idle_s: int = 0
    """Nothing is done for so long before."""


def steps(recorded: bool) -> Sequence[Step]:
    """The states of a run in their order."""
    found = [
        Step("few", FEW),
        Step("later", churn=CHURN_ROUNDS),
        Step("hours", idle_s=HOURS * 3600),
        Step("many", MANY),
    ]
    return found if recorded else [step for step in found if step.files]
