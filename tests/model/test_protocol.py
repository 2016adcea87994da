"""The versioning protocol and its redundant-edge cache, in every possible order of their steps."""

from itertools import combinations_with_replacement, permutations, product

import pytest
from explore import explore
from protocol import Rules, Thread

CACHED = Rules(cache=True)
OWN_MEMORY, SHARED_MEMORY = "N", "M"


def threads(*programs, memory=OWN_MEMORY):
    """The first program runs as task T on memory M, the second as task U on `memory`."""
    places = [Thread("T", "M"), Thread("U", memory), Thread("V", "O")]
    operations = [[tuple(line.split()) for line in program.split(", ")] for program in programs]
    return list(zip(places, operations, strict=False))


def check(*programs, memory=OWN_MEMORY, rules=CACHED, losses=0, marked=()):
    return explore(threads(*programs, memory=memory), rules, losses, marked)


def crowds(nodes, size):
    """Every choice of `size` events on `nodes`, once for all that differ in node names only."""
    paths = [path for length in (2, 3) for path in permutations(nodes, length)]
    events = [("flow", *path) for path in paths] + [("renew", node) for node in nodes]
    for crowd in combinations_with_replacement(sorted(events), size):
        if crowd == min(renamed(crowd, nodes, order) for order in permutations(nodes)):
            yield crowd


def renamed(crowd, nodes, order):
    names = dict(zip(nodes, order, strict=True))
    return tuple(sorted((verb, *(names[node] for node in path)) for verb, *path in crowd))


def assert_sound(outcomes, record_property):
    """No run is in violation; the report carries the number of states."""
    states = 0
    for outcome in outcomes:
        assert outcome.violation is None, str(outcome)
        states += outcome.states
    record_property("states", states)
    print(f"{states} states")
    assert states > 0


@pytest.mark.parametrize(
    ("nodes", "size", "tries"),
    [("AB", 2, 1), ("AB", 2, 3), ("AB", 3, 1), ("AB", 3, 3), ("ABC", 2, 1), ("ABC", 3, 3)],
)
def test_events_at_the_same_time_make_a_whole_acyclic_graph(nodes, size, tries, record_property):
    """Any two or three events meet on any nodes, marked before or not, and the graph is sound."""
    nobody = Thread("", "")

    outcomes = (
        explore([(nobody, (event,)) for event in crowd], Rules(tries=tries), marked=marked)
        for crowd in crowds(nodes, size)
        for marked in ("", nodes)
    )

    assert_sound(outcomes, record_property)


def test_a_cached_thread_alone_loses_no_dependency(record_property):
    """Every program of four operations of one thread, each dropped as redundant where it may be."""
    operations = ["read A", "read B", "write A", "write B", "look A", "act B"]

    outcomes = (check(", ".join(program)) for program in product(operations, repeat=4))

    assert_sound(outcomes, record_property)


@pytest.mark.parametrize("memory", [OWN_MEMORY, SHARED_MEMORY])
@pytest.mark.parametrize("other", ["read A", "write A", "signal T", "renew M"])
def test_a_cached_thread_beside_another_loses_no_dependency(other, memory, record_property):
    """Every program of three operations, met at any point by an operation of another thread."""
    operations = ["read A", "write A", "write B", "look A", "act B"]

    outcomes = (
        check(", ".join(program), other, memory=memory) for program in product(operations, repeat=3)
    )

    assert_sound(outcomes, record_property)


LONGER = [
    ("read A, write B, read C, write B", "write A, write C"),
    ("read A, write B, read C, write B", "read B, write A"),
    ("read A, write B, read A, write B", "read B, write A, read B"),
    ("write B, write D, write B", "signal T, write A, signal T"),
    ("read A, look C, read A, write B", "write C, signal T"),
    ("write B, read A, exec X P, read A, write B", "read B, write A"),
    ("read A, write B, read A", "read C, exec X P, write A"),
    ("read A, read A, write B, write B", "signal T", "write A, write A"),
    ("read A, look C, read A, write B", "start"),
    ("write B, write B", "read C, write D", "start"),
]


@pytest.mark.parametrize("memory", [OWN_MEMORY, SHARED_MEMORY])
@pytest.mark.parametrize(("cache", "losses"), [(True, 0), (True, 1), (False, 0)])
def test_longer_programs_lose_no_dependency(cache, losses, memory, record_property):
    """Threads of several operations, with own or shared memory, with or without a loss."""
    rules = Rules(cache=cache)

    outcomes = (check(*programs, memory=memory, rules=rules, losses=losses) for programs in LONGER)

    assert_sound(outcomes, record_property)


def test_bytes_that_move_while_operations_overlap_are_followed(record_property):
    """A thread with its own memory misses no byte: inputs recorded after, outputs before."""
    rules = CACHED._replace(data_moves=True)
    programs = [
        ("read A, write B, read A, write B", "write A, read B, write A"),
        ("read A, write B, read C, write B", "write A, write C"),
        ("write B, read A, write B", "read B, write A"),
        ("read A, write B, read A", "read B, write C", "write A, write A"),
    ]

    outcomes = (check(*program, rules=rules) for program in programs)

    assert_sound(outcomes, record_property)


def test_alternating_reads_and_writes_settle():
    """After two rounds every operation is a hit: no step, no version, no record."""
    rounds = "read A, write B, read C, write B"

    two, nine = (check(", ".join([rounds] * count)) for count in (2, 9))

    assert nine.violation is None, str(nine)
    assert nine.edges == two.edges


CUTTING = CACHED._replace(truncation=True)

TRUNCATED = [
    ("write A, write A", "truncate A"),
    ("write A, read B, write A", "truncate A"),
    ("write A, truncate A, write A", "write A"),
    ("write A, write A", "truncate A, read A"),
    ("read A, write B, read A, write B", "truncate A"),
    ("write A, read A", "truncate A, truncate A"),
]


@pytest.mark.parametrize("memory", [OWN_MEMORY, SHARED_MEMORY])
@pytest.mark.parametrize("losses", [0, 1])
def test_a_truncation_cuts_off_nothing_that_is_there(losses, memory, record_property):
    """Whoever writes meanwhile, before or after it: what the file holds has its path."""
    outcomes = (
        check(*programs, memory=memory, rules=CUTTING, losses=losses) for programs in TRUNCATED
    )

    assert_sound(outcomes, record_property)


SHARING = CACHED._replace(sharing=True)

SHARED = [
    ("read A, push X, store X", "pull X, write B"),
    ("read A, push X, store X", "pull X, write B, pull X, write B"),
    ("push X, read A, push X, store X, write X", "pull X, write B"),
    ("read A, push X, store X, pull X, write B", "read C, push X, store X, pull X, write D"),
    ("push X, pull X, write B, pull X, write B", "read C, push X, store X"),
    ("pull X, push X, pull X, write B", "write X"),
    ("read A, push X, store X", "pull X, push Y, store Y", "pull Y, write B"),
]


@pytest.mark.parametrize("losses", [0, 1])
def test_what_is_stored_in_shared_memory_comes_to_who_loads_it(losses, record_property):
    """Pushed before it can be stored and pulled before it can get out, in every order."""
    outcomes = (check(*programs, rules=SHARING, losses=losses) for programs in SHARED)

    assert_sound(outcomes, record_property)


MUTANTS = {
    "stored without having been pushed": (
        {"sharing": True, "push_inputs": False},
        ("read A, push X, store X",),
        "lost: no path M@0 -> X@0",
    ),
    "an entry counted before it is made": (
        {"sharing": True, "count_entry_last": False},
        ("pull X, write B, pull X, write B", "read A, push X, store X"),
        "lost",
    ),
    "entries looked at when the object is marked": (
        {"sharing": True, "look_at_entries_first": False},
        ("pull X, write B, pull X, write B", "read A, push X, store X"),
        "lost",
    ),
    "entries of others taken for one's own": (
        {"sharing": True, "own_entry_only": False},
        ("push X, pull X, write B", "read A, push X, store X"),
        "lost",
    ),
    "steps swapped": (
        {"cache": False, "swapped": True},
        ("flow A B", "flow B A"),
        "cycle",
    ),
    "steps of a chain swapped": (
        {"cache": False, "swapped": True},
        ("flow A T B", "flow B U A"),
        "cycle",
    ),
    "source version left out of the key": (
        {"version_in_key": False},
        ("read A, write B, read C, write B",),
        "lost: no path C@0",
    ),
    "key made from the version after the event": (
        {"fill_with_later_version": True},
        ("read A, read A", "write A"),
        "lost",
    ),
    "memory left out of the key": (
        {"memory_in_key": False},
        ("read A, exec X P, read A",),
        "lost: no path A@0 -> P",
    ),
    "refused event remembered": (
        {"fill_when_refused": True},
        ("read A, read A",),
        "lost: no path A@0",
    ),
    "event that gave up remembered": (
        {"fill_on_give_up": True, "tries": 1},
        ("write B, read A, read A", "renew M"),
        "lost: no path A@0",
    ),
    "version steps forgotten on giving up": (
        {"silent_give_up": True, "tries": 1},
        ("write B, read A", "renew M"),
        "dangling",
    ),
    "version of the task left out of its own outputs": (
        {"task_version_in_key": False},
        ("act B, read A, act B",),
        "lost: no path A@0 -> B",
    ),
    "arrivals left out of the output key": (
        {"arrivals_in_output_key": False},
        ("write B, look C, write B",),
        "lost: no path C@0 -> B",
    ),
    "control inputs not counted": (
        {"count_control_inputs": False},
        ("write B, look C, write B",),
        "lost: no path C@0 -> B",
    ),
    "arrivals left out of the input key": (
        {"arrivals_in_input_key": False},
        ("read A, look C, read A",),
        "lost: no path C@0 -> M",
    ),
    "entries by other threads not noticed": (
        {"count_entries_at_lookup": False, "count_entries_in_event": False},
        ("write B, write B", "signal T"),
        "lost: no path U@0 -> B",
    ),
    "entries noticed at the look-up only": (
        {"count_entries_in_event": False},
        ("write B, write D, write B", "signal T"),
        "lost: no path U@0 -> B",
    ),
    "recording left out of the key": (
        {"epoch_in_key": False},
        ("read A, start, read A",),
        "lost: no path A@0",
    ),
    "cuts left out of the key": (
        {"truncation": True, "cuts_in_key": False},
        ("write A, write A", "truncate A"),
        "lost: no path M@0 -> A@1",
    ),
    "a cut counted when its version is there": (
        {"truncation": True, "count_cut_first": False},
        ("write A, write A", "truncate A"),
        "lost: no path M@0 -> A@1",
    ),
    "content cut off whoever is writing": (
        {"truncation": True, "count_writers": False},
        ("write A", "truncate A"),
        "lost: no path M@0 -> A@1",
    ),
    "writers looked for before the version is made": (
        {"truncation": True, "look_at_writers_last": False},
        ("write A", "truncate A"),
        "lost: no path M@0 -> A@1",
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_caught(mutant):
    """Each rule is needed: without it some order of the steps ends in a violation."""
    changes, programs, violation = MUTANTS[mutant]

    outcome = check(*programs, rules=CACHED._replace(**changes), losses=1)
    print(outcome)

    assert outcome.violation is not None, str(outcome)
    assert outcome.violation.startswith(violation), str(outcome)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_protocol_survives_what_catches_its_mutants(mutant):
    """The same programs under the true rules are sound, so it is the rule that was missing."""
    changes, programs, _ = MUTANTS[mutant]
    kept = ("cache", "tries", "truncation", "sharing")
    rules = CACHED._replace(**{name: changes[name] for name in kept if name in changes})

    outcome = check(*programs, rules=rules, losses=1)

    assert outcome.violation is None, str(outcome)


LIMITS = {
    "a writer sends what another thread of its memory reads meanwhile": (
        {},
        ("write B", "read C"),
        SHARED_MEMORY,
    ),
    "a writer sends what another thread has read but not recorded yet": (
        {},
        ("read A", "write B"),
        SHARED_MEMORY,
    ),
    "a read recorded before its bytes come misses a writer in between": (
        {"inputs_after": False},
        ("read A", "write A"),
        OWN_MEMORY,
    ),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_known_limit_is_still_there(limit):
    """What hooks without locks cannot see; docs/explanation/versioning.md names each case."""
    changes, programs, memory = LIMITS[limit]
    rules = Rules(data_moves=True)._replace(**changes)

    outcome = check(*programs, memory=memory, rules=rules)

    assert str(outcome.violation).startswith("lost"), str(outcome)
