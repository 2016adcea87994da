"""The policy and the wishes for single objects as values: reading of words and arithmetic, no maps.

A *change* is what one command asks of one object; a *wish* is a change on its way to the kernel,
which takes each wish over once (kernel/policy.h). Marks have the names ``tracked``, ``opaque`` and
``propagate``; filters are bit masks by the place of a word in the vocabulary.
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from provcap.errors import UsageError
from provcap.vocabulary import KINDS, RELATIONS, Kind, Relation

TRACKED, OPAQUE, PROPAGATE = "tracked", "opaque", "propagate"
OPAQUE_PROGRAM = "opaque_program"  # the kernel's own: a process that executes an opaque file
SWITCHED_OFF, TRACKED_ONLY, FILTERED = "switched_off", "tracked_only", "filtered"
TAINT_BITS = 64
MOST = (1 << 32) - 2  # of the numbers that only ever step; the last one is the kernel's own

#: relations that come with others, and hold the versions of an object together
INSEPARABLE = frozenset(
    ("version_entity", "version_activity", "memory_read", "memory_write", "named", "unnamed")
)
#: PROV relation -> the name of its filter; what is in none of these cannot be filtered
CATEGORIES = {
    "wasDerivedFrom": "derived",
    "wasGeneratedBy": "generated",
    "used": "used",
    "wasInformedBy": "informed",
}
# names in a directory tell little of what wrote them, and nearly everything lists some directory
_DIRECTORIES = 1 << [kind.name for kind in KINDS].index("directory")
_NO_KINDS = ("unknown", "string")  # CamFlow takes neither as a filter


class Change(NamedTuple):
    """What is asked of one object: marks to set and to clear, taint bits to add."""

    set: frozenset[str] = frozenset()
    clear: frozenset[str] = frozenset()
    taint: int = 0


class Wish(NamedTuple):
    """A change that the kernel takes over once; another serial is another wish."""

    serial: int
    change: Change


class Marks(NamedTuple):
    """What holds for one object."""

    set: frozenset[str] = frozenset()
    taint: int = 0


class Seen(NamedTuple):
    """What the capture knows of one object; ``id`` is None while it has no node for it.

    ``marks`` are those that hold once the kernel has taken the pending wish over; ``shared``: one
    inode stands for unrelated descriptors, so nothing is recorded of it.
    """

    id: int | None
    version: int
    marks: Marks
    kind: str = ""
    shared: bool = False


class Policy(NamedTuple):
    """The one record that every hook reads first (kernel/policy.h).

    ``marked_files``: some file may have been given a mark.
    ``restrictions`` is what was left out at any time since the capture was loaded.
    """

    epoch: int = 1
    generation: int = 1
    enabled: bool = True
    all: bool = True
    repeat_edges: bool = False
    adopt: bool = False
    segments: bool = False
    content: bool = False
    environment: bool = False
    marked_files: bool = False
    node_filter: int = 0
    relation_filter: int = 0
    restrictions: frozenset[str] = frozenset()
    propagate_node_filter: int = _DIRECTORIES
    propagate_relation_filter: int = 0


def remembered(policy: Policy) -> Policy:
    """The policy, which from now on also remembers what it leaves out itself."""
    leaves_out = {
        SWITCHED_OFF: not policy.enabled,
        TRACKED_ONLY: not policy.all,
        FILTERED: bool(policy.node_filter or policy.relation_filter),
    }
    now = frozenset(name for name, left_out in leaves_out.items() if left_out)
    return policy._replace(restrictions=policy.restrictions | now)


def stepped(number: int) -> int:
    """The next epoch, generation or serial; never 0, which means none."""
    return number + 1 if number < MOST else 1


def merged(first: Change, second: Change) -> Change:
    """One change that does what both do, one after the other."""
    return Change(
        first.set - second.clear | second.set,
        first.clear - second.set | second.clear,
        first.taint | second.taint,
    )


def next_wish(old: Wish | None, applied: int | None, change: Change) -> Wish:
    """The wish to write, given the one that is there and the serial that the node took over last.

    What the node has taken over already is not asked again: marks may have spread since.
    ``applied`` is None if there is no node yet, or nobody can tell.
    """
    serial = stepped(max(old.serial if old else 0, applied or 0))
    if old is None or old.serial == applied:
        return Wish(serial, change)
    return Wish(serial, merged(old.change, change))


def marks_after(marks: Marks, wish: Wish | None, applied: int | None) -> Marks:
    """What will hold once the wish is taken over, if it has not been."""
    if wish is None or wish.serial == applied:
        return marks
    change = wish.change
    return Marks(marks.set - change.clear | change.set, marks.taint | change.taint)


def tracking(word: str) -> Change:
    """The change behind ``true``, ``false`` and ``propagate``; UsageError for another word."""
    changes = {
        "true": Change(set=frozenset((TRACKED,))),
        "false": Change(clear=frozenset((TRACKED, PROPAGATE))),
        "propagate": Change(set=frozenset((TRACKED, PROPAGATE))),
    }
    return changes[one_of(word, list(changes), "expected true, false or propagate")]


def opaqueness(word: str) -> Change:
    """The change behind a boolean; UsageError for another word."""
    mark = frozenset((OPAQUE,))
    return Change(set=mark) if boolean(word) else Change(clear=mark)


def taint(word: str) -> Change:
    """The change that adds the taint bit of this number; UsageError unless it is 0 to 63."""
    bit = int(word) if word.isascii() and word.isdecimal() and len(word) < 4 else TAINT_BITS
    if bit >= TAINT_BITS:
        raise UsageError(f'expected a taint bit from 0 to {TAINT_BITS - 1}, got "{word}"')
    return Change(taint=1 << bit)


def boolean(word: str) -> bool:
    """``true`` or ``false``; UsageError for another word."""
    return one_of(word, ["true", "false"], "expected true or false") == "true"


def with_node_filter(policy: Policy, name: str, on: bool, filter: str = "node_filter") -> Policy:
    """The policy with this node type left out, or taken in again; UsageError if there is none.

    ``filter`` is the field: ``node_filter`` (recording) or ``propagate_node_filter`` (tracking).
    """
    names = [kind.name for kind in KINDS if kind.name not in _NO_KINDS]
    one_of(name, names, "expected a node type")
    bit = 1 << [kind.name for kind in KINDS].index(name)
    return _changed(policy, filter, bit, on)


def with_relation_filter(
    policy: Policy, name: str, on: bool, filter: str = "relation_filter"
) -> Policy:
    """The policy with this relation left out, or taken in again.

    ``filter`` as above. UsageError if there is none, or if it cannot be left out.
    """
    one_of(name, [relation.name for relation in RELATIONS], "expected a relation")
    number = [relation.name for relation in RELATIONS].index(name)
    if name in INSEPARABLE:
        raise UsageError(f'"{name}" cannot be left out: it belongs to other relations')
    if RELATIONS[number].section not in CATEGORIES:
        raise UsageError(
            f'"{name}" cannot be left out: only derived, generated, used and informed '
            "relations have a filter"
        )
    return _changed(policy, filter, 1 << number, on)


def without_filters(policy: Policy) -> Policy:
    """The policy with the filters that a capture begins with."""
    return policy._replace(
        node_filter=0,
        relation_filter=0,
        propagate_node_filter=_DIRECTORIES,
        propagate_relation_filter=0,
    )


def filtered_kinds(filter: int) -> list[Kind]:
    """The node types of a filter of the policy."""
    return [kind for at, kind in enumerate(KINDS) if filter >> at & 1]


def filtered_relations(filter: int) -> list[Relation]:
    """The relations of a filter of the policy."""
    return [row for at, row in enumerate(RELATIONS) if filter >> at & 1]


def one_of(word: str, words: Sequence[str], expected: str) -> str:
    """The word itself; UsageError, with the nearest of ``words``, if it is none of them."""
    if word in words:
        return word
    raise UsageError(f'{expected}, got "{word}"{suggestion(word, words)}')


def suggestion(word: str, words: Iterable[str]) -> str:
    """`` (did you mean "..."?)`` with the nearest of the words, or nothing."""
    folded = {known.lower(): known for known in words}
    near = difflib.get_close_matches(word.lower(), folded, n=1)
    return f' (did you mean "{folded[near[0]]}"?)' if near else ""


def _changed(policy: Policy, filter: str, bit: int, on: bool) -> Policy:
    fields = policy._asdict()
    return Policy(**fields | {filter: _with(fields[filter], bit, on)})


def _with(mask: int, bit: int, on: bool) -> int:
    return mask | bit if on else mask & ~bit
