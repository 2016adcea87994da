"""Words and wishes: what is read out of them, and that none is lost or done twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provcap.errors import UsageError
from provcap.policy import model
from provcap.policy.model import Change, Marks, Policy, Wish
from provcap.vocabulary import KINDS, RELATIONS

MARKS = (model.TRACKED, model.OPAQUE, model.PROPAGATE)


class Node:
    """The kernel's side of a wish: takes each serial over once (graph/node.h)."""

    def __init__(self) -> None:
        self.marks = Marks()
        self.applied = 0

    def look(self, wish: Wish | None) -> None:
        if wish and wish.serial != self.applied:
            self.marks = model.marks_after(self.marks, wish, self.applied)
            self.applied = wish.serial

    def spread(self, mark: str) -> None:
        """Tracking that reached the node along an edge."""
        self.marks = Marks(self.marks.set | {mark}, self.marks.taint)


def changes() -> st.SearchStrategy[Change]:
    """A change as the commands make them: no mark is both set and cleared."""
    each = st.dictionaries(st.sampled_from(MARKS), st.booleans(), max_size=3)
    taints = st.integers(0, (1 << 64) - 1)
    return st.builds(
        lambda wanted, taint: Change(
            frozenset(mark for mark, on in wanted.items() if on),
            frozenset(mark for mark, on in wanted.items() if not on),
            taint,
        ),
        each,
        taints,
    )


steps = st.lists(st.one_of(changes(), st.just("look"), st.sampled_from(MARKS)), max_size=20)


@given(steps, st.booleans())
def test_wishes_add_up_whenever_they_are_taken_over(steps: list[object], has_node: bool) -> None:
    """One by one, or several at once: the same marks, and what has spread since is kept."""
    node, expected, wish = Node(), Marks(), None
    for step in steps:
        if isinstance(step, Change):
            wish = model.next_wish(wish, node.applied if has_node else None, step)
            expected = Marks(expected.set - step.clear | step.set, expected.taint | step.taint)
        elif step == "look":
            node.look(wish)
            has_node = True
        else:
            node.look(wish)  # a node looks at its wish before anything else happens to it
            node.spread(str(step))
            has_node = True
            expected = Marks(expected.set | {str(step)}, expected.taint)
        assert model.marks_after(node.marks, wish, node.applied) == expected
    node.look(wish)

    assert node.marks == expected


@given(st.lists(changes(), min_size=1, max_size=10))
def test_wishes_add_up_where_nobody_can_tell_what_was_taken_over(changes: list[Change]) -> None:
    """The node of a pipe cannot be read: what was asked is asked again, to the same end."""
    node, expected, wish = Node(), Marks(), None
    for change in changes:
        wish = model.next_wish(wish, None, change)
        node.look(wish)
        expected = Marks(expected.set - change.clear | change.set, expected.taint | change.taint)

    assert node.marks == expected


def test_a_wish_is_always_another_than_the_one_taken_over() -> None:
    """Also for a child, whose node begins with what its parent's had taken over."""
    assert model.next_wish(None, 7, Change()).serial == 8
    assert model.next_wish(Wish(3, Change()), 7, Change()).serial == 8
    assert model.next_wish(Wish(model.MOST, Change()), model.MOST, Change()).serial == 1
    assert model.next_wish(None, None, Change()).serial == 1


def test_what_was_taken_over_is_not_asked_again() -> None:
    """Clearing a mark once must not clear it again with the next wish."""
    first = model.next_wish(None, 0, model.tracking("false"))
    second = model.next_wish(first, first.serial, model.opaqueness("true"))

    assert second.change == Change(set=frozenset({"opaque"}))


@pytest.mark.parametrize(
    ("word", "change"),
    [
        ("true", Change(set=frozenset({"tracked"}))),
        ("propagate", Change(set=frozenset({"tracked", "propagate"}))),
        ("false", Change(clear=frozenset({"tracked", "propagate"}))),
    ],
)
def test_a_word_for_tracking_is_a_change(word: str, change: Change) -> None:
    assert model.tracking(word) == change


@pytest.mark.parametrize("bit", [0, 31, 32, 63])
def test_every_taint_bit_can_be_added(bit: int) -> None:
    """Bits above 31 as well: they are where CamFlow goes wrong."""
    assert model.taint(str(bit)).taint == 1 << bit


@pytest.mark.parametrize("word", ["64", "-1", "", "1.5", "0x2", "9" * 5000, "\u0663"])
def test_what_is_no_taint_bit_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="taint bit from 0 to 63"):
        model.taint(word)


@pytest.mark.parametrize(
    ("read", "word", "said"),
    [
        (model.boolean, "True", 'expected true or false, got "True" (did you mean "true"?)'),
        (model.boolean, "1", 'expected true or false, got "1"'),
        (
            model.tracking,
            "propogate",
            'expected true, false or propagate, got "propogate" (did you mean "propagate"?)',
        ),
        (
            lambda word: model.with_node_filter(Policy(), word, True),
            "dirctory",
            'expected a node type, got "dirctory" (did you mean "directory"?)',
        ),
        (
            lambda word: model.with_relation_filter(Policy(), word, True),
            "raed",
            'expected a relation, got "raed" (did you mean "read"?)',
        ),
        (
            lambda word: model.with_relation_filter(Policy(), word, True),
            "memory_write",
            '"memory_write" cannot be left out: it belongs to other relations',
        ),
        (
            lambda word: model.with_relation_filter(Policy(), word, True),
            "ran_on",
            '"ran_on" cannot be left out: only derived, generated, used and informed '
            "relations have a filter",
        ),
        (
            lambda word: model.with_node_filter(Policy(), word, True),
            "string",
            'expected a node type, got "string"',
        ),
    ],
)
def test_a_wrong_word_is_quoted_with_the_nearest_right_one(read, word: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(word)

    assert str(refused.value) == said


def test_filters_are_set_and_cleared_one_by_one() -> None:
    """Each word has its own bit, and taking one back leaves the others."""
    policy = Policy(enabled=False)
    for name in ("directory", "stream"):
        policy = model.with_node_filter(policy, name, True)
    for name in ("getattr", "exchange", "perm_check"):
        policy = model.with_relation_filter(policy, name, True)
    policy = model.with_relation_filter(policy, "perm_check", False)

    kinds = model.filtered_kinds(policy.node_filter)
    relations = model.filtered_relations(policy.relation_filter)

    assert [kind.name for kind in kinds] == ["directory", "stream"]
    assert [row.name for row in relations] == ["getattr", "exchange"]
    assert model.without_filters(policy) == Policy(enabled=False)


def test_filters_of_tracking_are_apart_from_those_of_recording() -> None:
    """Directories are kept out of tracking from the start, and only of that."""
    before = Policy()
    policy = model.with_node_filter(before, "pipe", True, "propagate_node_filter")
    policy = model.with_relation_filter(policy, "write", True, "propagate_relation_filter")
    kinds = model.filtered_kinds(policy.propagate_node_filter)
    relations = model.filtered_relations(policy.propagate_relation_filter)

    assert [kind.name for kind in kinds] == ["directory", "pipe"]
    assert [row.name for row in relations] == ["write"]
    assert (policy.node_filter, policy.relation_filter) == (0, 0)


def test_every_word_of_camflow_is_known_as_a_filter() -> None:
    """But those that hold other records together, and those that CamFlow cannot filter either."""
    kinds = [kind.name for kind in KINDS if kind.name not in ("unknown", "string")]
    relations = [
        row.name
        for row in RELATIONS
        if row.name not in model.INSEPARABLE and row.section in model.CATEGORIES
    ]
    policy = Policy()
    for name in kinds:
        policy = model.with_node_filter(policy, name, True)
    for name in relations:
        policy = model.with_relation_filter(policy, name, True)

    assert [kind.name for kind in model.filtered_kinds(policy.node_filter)] == kinds
    assert [row.name for row in model.filtered_relations(policy.relation_filter)] == relations
