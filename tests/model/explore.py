"""Run threads of protocol operations in every possible order and judge every outcome.

The search is breadth first over states, so the trace of a violation is a shortest one. A state is
the words of the nodes, the records sent so far, what the reference knows (below) and the place of
each thread; equal states are visited once. A step on a node that no other thread can touch is taken
together with the step before it, unless it is the first of its operation: no thread can tell.
Memory is sequentially consistent, as the fully
ordered atomics of the kernel make it for the words.

The reference knows nothing of versions, caches or graphs. It is a set of *facts* per node: a
fact is a node's content as it was at one moment. An operation along a path X -> .. -> Y takes the
facts of X when it begins and gives them to the other nodes of the path when it ends. What the task
in the middle held at the beginning goes on to Y too. So if P put something into X and was complete
before Q took from X, then Q's destination holds it; of two operations that overlap either may come
first, and the reference asks for neither. With `data_moves` the bytes move at a moment of their
own: before the event of a read, after the event of a write. Then overlapping operations are
judged too. A flow whose event was refused or given up is a counted loss and gives nothing;
a flow that the cache dropped is no excuse: it must be in the graph like any other.

A truncation takes all facts of its file; a lock makes it one with its event for those who write.
A read that overlaps it may have found either, so nothing is asked of it.

An operation that overlaps the start of a recording may count as before it, and then gives nothing.

A fact is named by node and version of that moment, so the graph can be asked: for every fact that
an operation gave to Y there must be a path to the version that Y had when the operation ended.
"""

from collections import Counter, deque
from functools import cache
from itertools import chain
from typing import NamedTuple

from protocol import OUT, perform, version

WORD_STEPS = ("load", "fetch_or", "cas", "add", "lock")
OTHER_STEPS = ("carry", "start")
COUNTERS = ("cuts", "lock", "wiped", "writers")  # of a file that may be truncated
SHARED_COUNTERS = ("entries",)  # of what is mapped shared


class Outcome(NamedTuple):
    """How many states were seen, and the first violation with the steps that lead to it.

    `edges` is the size of the largest finished graph.
    """

    states: int
    edges: int
    violation: str | None
    trace: tuple

    def __str__(self):
        lines = [f"{self.states} states: {self.violation or 'no violation'}", *self.trace]
        return "\n  ".join(lines)


class State(NamedTuple):
    """Everything the future depends on."""

    words: tuple
    edges: frozenset
    facts: tuple
    claims: frozenset
    losses: int
    first: tuple  # the version each node had when the recording began
    places: tuple


class Violation(Exception):
    pass


class Place:
    """Where one thread stands: what it asks for next, and where each answer leads.

    A generator cannot be copied, but it is determined by the answers it got: it is run again
    with them once per new place, and places are shared by all states.
    """

    __slots__ = ("answers", "following", "index", "request", "script", "thread")

    def __init__(self, script, index, thread, answers):
        self.script, self.index, self.thread, self.answers = script, index, thread, answers
        self.following, self.request = {}, None

    def after(self, answer):
        if answer not in self.following:
            self.following[answer] = self.script.place(
                self.index, self.thread, (*self.answers, answer)
            )
        return self.following[answer]


class Script:
    """The operations of one thread, and all its places found so far."""

    def __init__(self, operations, rules):
        self.operations, self.rules, self.places = operations, rules, {}

    def place(self, index, thread, answers=()):
        key = index, thread, answers
        if key in self.places:
            return self.places[key]
        place = Place(self, index, thread, answers)
        if index < len(self.operations):
            run = perform(self.operations[index], thread, self.rules)
            try:
                place.request = run.send(None)
                for answer in answers:
                    place.request = run.send(answer)
            except StopIteration as done:
                place = self.place(index + 1, done.value)
        self.places[key] = place
        return place


@cache
def script_of(operations, rules):
    """One script per program, so that its places are found once for all explorations."""
    return Script(operations, rules)


def touched(thread, operations, rules):
    """Every word that this thread may read or write."""
    names = {name for _, *names in operations for name in names}
    starts = {"epoch"} if ("start",) in operations else set()
    counters = COUNTERS * rules.truncation + SHARED_COUNTERS * rules.sharing
    kept = {f"{counter} {name}" for counter in counters for name in names}
    return names | starts | kept | {thread.task, thread.memory}


def is_node(name):
    """Whether a word is a node's: the others are counters and the epoch."""
    return name != "epoch" and " " not in name


def owned_by_one(threads, rules):
    """Words that one thread alone touches; the epoch, if none starts a recording."""
    count = Counter(chain.from_iterable(touched(*thread, rules) for thread in threads))
    return {node for node in count if count[node] == 1 and node != "epoch"} | (
        set() if "epoch" in count else {"epoch"}
    )


def explore(threads, rules, losses=0, marked=()):
    """Run every order of the steps of `threads`: pairs of Thread and operations.

    `losses` reservations may be refused, at any moment; nodes in `marked` begin with OUT set.
    """
    scripts = [script_of(tuple(operations), rules) for _, operations in threads]
    nodes = sorted({"epoch"}.union(*(touched(*thread, rules) for thread in threads)))
    at = {node: position for position, node in enumerate(nodes)}
    private = owned_by_one(threads, rules)
    start = State(
        words=tuple(int(node in marked) for node in nodes),
        edges=frozenset(),
        facts=(frozenset(),) * len(nodes),
        claims=frozenset(),
        losses=losses,
        first=(0,) * len(nodes),
        places=tuple(
            script.place(0, thread) for script, (thread, _) in zip(scripts, threads, strict=True)
        ),
    )
    came_from = {start: None}
    waiting, most = deque([start]), 0
    while waiting:
        state = waiting.popleft()
        try:
            running = [i for i, place in enumerate(state.places) if place.request]
            if not running:
                most = max(most, len(state.edges))
                judge(nodes, state.words, state.edges, state.claims, state.first)
            for i in running:
                for following in step(state, i, at, private):
                    if following not in came_from:
                        came_from[following] = state, i
                        waiting.append(following)
        except Violation as found:
            return Outcome(len(came_from), most, str(found), trace(came_from, state, nodes))
    return Outcome(len(came_from), most, None, ())


def step(state, i, at, private):
    """Let thread `i` take one shared step, with the notes before and after it."""
    place, before, stepped = state.places[i], None, False
    words, edges, facts = list(state.words), state.edges, list(state.facts)
    claims, first = state.claims, state.first

    def take(node):
        return facts[at[node]] | {(node, version(words[at[node]]))}

    def wipes(node):
        return words[at[f"wiped {node}"]] if f"wiped {node}" in at else 0

    while place.request:
        kind, *rest = place.request
        answer = None
        if kind == "begin":
            if stepped:
                break
            path, *stored = rest
            through = frozenset().union(*(facts[at[node]] for node in path[1:-1]))
            data = facts[at[path[0]]] if stored else take(path[0])
            answer = data, through, words[at["epoch"]], wipes(path[0])
        elif kind == "reserve":
            if state.losses:
                if not stepped:
                    yield with_place(state, i, place.after(True))
                    yield with_place(state, i, place.after(False), losses=state.losses - 1)
                    return
                break
            answer = True
        elif kind in WORD_STEPS + OTHER_STEPS:
            if stepped and (kind in OTHER_STEPS or rest[0] not in private):
                break
            if kind == "lock" and words[at[rest[0]]]:
                return  # another thread has to move first
            stepped = True
            if kind == "carry":
                path, (_, through, *moment) = rest
                answer = take(path[0]), through, *moment
                facts[at[path[-1]]] |= answer[0] | through
            elif kind == "start":
                words[at["epoch"]] += OUT + 1
                edges, claims = frozenset(), frozenset()
                facts = [frozenset()] * len(facts)
                first = tuple(map(version, words))
            else:
                node, *values = rest
                before = words[at[node]]
                answer, words[at[node]] = access(kind, before, *values)
        elif kind == "receive":
            node, received = rest
            if received < version(before) or (received == version(before) and before & OUT):
                raise Violation(f"an edge enters {node}@{received} after it was closed")
        elif kind == "emit":
            (sent,) = rest
            twice = [edge for edge in sent if edge[0][0] == edge[1][0] and edge in edges]
            if twice:
                raise Violation(f"version made twice: {twice}")
            edges |= frozenset(sent)
        elif kind == "wipe":
            facts[at[rest[0]]] = frozenset()
        elif kind == "end":
            path, (data, through, epoch, wiped) = rest
            if wiped & 1 or wiped != wipes(path[0]):
                data = frozenset()
            began_here = epoch == words[at["epoch"]]
            for node in path[1:] if began_here else ():
                given = data | through if node == path[-1] else data
                facts[at[node]] |= given
                now = node, version(words[at[node]])
                claims |= frozenset((fact, now) for fact in given)
        place = place.after(answer)
    places = (*state.places[:i], place, *state.places[i + 1 :])
    yield State(tuple(words), edges, tuple(facts), claims, state.losses, first, places)


def access(kind, word, expected=1, replacement=None):
    """One atomic operation on a word: its answer, and the word afterwards."""
    if kind == "load":
        return word, word
    if kind == "fetch_or":
        return word, word | OUT
    if kind in ("add", "lock"):
        return word, word + expected
    return word == expected, replacement if word == expected else word


def with_place(state, i, place, **changes):
    places = (*state.places[:i], place, *state.places[i + 1 :])
    return state._replace(places=places, **changes)


def judge(nodes, words, edges, claims, first):
    """Check a finished run: whole version chains, no cycle, no lost dependency."""
    linked = {edge[:2] for edge in edges}
    for node, word, oldest in zip(nodes, words, first, strict=True):
        for older in range(oldest, version(word)) if is_node(node) else ():
            if ((node, older), (node, older + 1)) not in linked:
                raise Violation(f"dangling: nothing tells where {node}@{older + 1} comes from")
    newest = dict(zip(nodes, map(version, words), strict=True))
    for edge in linked:
        for node, made in edge:
            if made > newest[node]:
                raise Violation(f"dangling: {node}@{made} does not exist")
    for end, later in descendants(frozenset(linked)).items():
        if end in later:
            raise Violation(f"cycle through {end[0]}@{end[1]}: {shown(edges)}")
    reached = descendants(frozenset(edge for edge in edges if len(edge) == 2))
    for fact, now in sorted(claims):
        if fact != now and now not in reached.get(fact, ()):
            raise Violation(
                f"lost: no path {fact[0]}@{fact[1]} -> {now[0]}@{now[1]} in {shown(edges)}"
            )


@cache
def descendants(edges):
    """Everything reachable from each end, itself included only by a cycle."""
    direct = {}
    for older, newer in edges:
        direct.setdefault(older, set()).add(newer)
    reached = {}
    for end in direct:
        found, waiting = set(), [end]
        while waiting:
            for newer in direct.get(waiting.pop(), ()):
                if newer not in found:
                    found.add(newer)
                    waiting.append(newer)
        reached[end] = found
    return reached


def shown(edges):
    return ", ".join(
        f"{a}@{v}-{'|' * len(rest)}>{b}@{w}" for (a, v), (b, w), *rest in sorted(edges)
    )


def trace(came_from, state, nodes):
    """The steps that lead to a state, with the words after each."""
    lines = []
    while came_from[state]:
        older, i = came_from[state]
        place = older.places[i]
        operation = " ".join(place.script.operations[place.index])
        words = " ".join(
            f"{node}@{version(word)}{'*' if word & OUT else ''}"
            for node, word in zip(nodes, state.words, strict=True)
            if is_node(node)
        )
        line = f"{place.thread.task or i}: {operation:<12} -> {words}"
        if lines[-1:] != [line]:  # a step that only reads is one line with its neighbour
            lines.append(line)
        state = older
    return tuple(reversed(lines))
