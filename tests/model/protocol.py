"""The versioning protocol of the kernel programs, one yield per atomic memory operation.

A generator yields a request and is sent the answer. Requests on a node's state word (`load`,
`fetch_or`, `cas`, `add`) are single atomic steps; between two of them any other thread may run.
`lock` waits until nobody else holds the lock. The other requests (`begin`, `reserve`, `receive`,
`emit`, `end`, `carry`, `wipe`) touch no word: they tell the explorer what happens, so that it can
judge the outcome.

A word is `version << 1 | OUT` (the kernel shifts by 32), so `word + 1` of a marked version is the
next version unmarked, and `word + 2` is the next version marked.
"""

from itertools import pairwise
from typing import NamedTuple

OUT = 1


class Rules(NamedTuple):
    """What the programs do. The defaults are the protocol; every other value is a mutant."""

    cache: bool = False
    tries: int = 16
    data_moves: bool = False  # judge by when the bytes really move, not by whole operations
    inputs_after: bool = True  # with data_moves: a read is recorded when its bytes have come
    swapped: bool = False  # the destination is entered before the source is marked
    silent_give_up: bool = False  # an event that gives up forgets the version steps it made
    fill_on_give_up: bool = False  # an event that gave up is remembered as sent
    fill_when_refused: bool = False  # an event the ring refused is remembered as sent
    fill_with_later_version: bool = False  # remembered version is read after the event
    version_in_key: bool = True
    task_version_in_key: bool = True  # of an output of the task alone
    memory_in_key: bool = True
    arrivals_in_output_key: bool = True
    arrivals_in_input_key: bool = True
    count_control_inputs: bool = True
    count_entries_at_lookup: bool = True  # entries by other threads, noticed at the look-up
    count_entries_in_event: bool = True  # the same, noticed by a step of our own
    epoch_in_key: bool = True
    truncation: bool = False  # files lose their content: writers are counted, bytes wait in turn
    cuts_in_key: bool = True
    count_cut_first: bool = True  # else when its version has been made
    count_writers: bool = True  # else the old content goes, whoever is writing
    look_at_writers_last: bool = True  # else before the version is made
    sharing: bool = False  # objects are mapped shared: what enters them is counted
    push_inputs: bool = True  # an input goes on to where the process may store it
    count_entry_last: bool = True  # else before the object is entered
    look_at_entries_first: bool = True  # else when the object has been marked
    own_entry_only: bool = True  # else a push takes all that has entered for known


class Thread(NamedTuple):
    """One thread and what only it can see: its memory, its cache, its counter."""

    task: str
    memory: str
    arrivals: int = 0  # what entered the task and did not go on into its memory
    left: int | None = None  # the task's word as this thread last left it
    sent: frozenset = frozenset()  # the redundant-edge cache
    refused: bool = False  # the last push was a counted loss
    seen: frozenset = frozenset()  # (X, entries of X that the memory has), of what is mapped shared


class Record(NamedTuple):
    """What one event found: the words its steps saw, and the edges to send."""

    complete: bool
    seen: dict
    versions: dict
    edges: tuple


def version(word):
    return word >> 1


def mark(node, seen):
    """Source: this version has an outgoing edge from now on."""
    seen[node] = yield ("fetch_or", node)
    return version(seen[node])


def enter(node, seen, steps, tries):
    """Destination: a version nothing has left yet, made if need be; None when given up."""
    for _ in range(tries):
        word = seen[node] = yield ("load", node)
        if not word & OUT:
            yield ("receive", node, version(word))
            return version(word)
        if (yield ("cas", node, word, word + 1)):
            steps.append(((node, version(word)), (node, version(word) + 1)))
            yield ("receive", node, version(word) + 1)
            return version(word) + 1
    return None


def pass_through(node, seen, steps, tries):
    """Destination and source at once: a version that is marked in the step that makes it ours."""
    for _ in range(tries):
        word = seen[node] = yield ("fetch_or", node)
        if not word & OUT:
            yield ("receive", node, version(word))
            return version(word)
        if (yield ("cas", node, word, word + 2)):
            steps.append(((node, version(word)), (node, version(word) + 1)))
            yield ("receive", node, version(word) + 1)
            return version(word) + 1
    return None


def cut(node, seen, steps, rules):
    """A version without the content of the one before it; None if others may be writing."""
    alone = True
    if rules.count_writers and not rules.look_at_writers_last:
        alone = (yield ("load", f"writers {node}")) == 1
    if rules.count_cut_first:
        yield ("add", f"cuts {node}", 1)
    yield from mark(node, seen)
    known = len(steps)
    made = yield from enter(node, seen, steps, rules.tries)
    if rules.count_writers and rules.look_at_writers_last:
        alone = (yield ("load", f"writers {node}")) == 1
    if not rules.count_cut_first:
        yield ("add", f"cuts {node}", 1)
    return made if alone and len(steps) > known else None


def send_event(path, rules, cutting=False):
    """Take the steps of one event along `path` and send its edges in one record."""
    seen, steps, ends = {}, [], []
    last = len(path) - 1
    for place in reversed(range(len(path))) if rules.swapped else range(len(path)):
        node = path[place]
        if place == 0:
            made = yield from mark(node, seen)
        elif place == last:
            fresh = (yield from cut(node, seen, steps, rules)) if cutting else None
            made = yield from enter(node, seen, steps, rules.tries)
            if fresh is not None and made == fresh:
                steps[-1] += ("fresh",)
        else:
            made = yield from pass_through(node, seen, steps, rules.tries)
        ends.append((node, made))
        if made is None:
            break
    complete = ends[-1][1] is not None
    edges = () if rules.silent_give_up and not complete else tuple(steps)
    if complete:
        edges += tuple(pairwise(reversed(ends) if rules.swapped else ends))
    yield ("emit", edges)
    return Record(complete, seen, dict(ends), edges)


def renew(node, rules):
    """A change of the node itself (credentials, mode): the next version, whatever OUT says."""
    for _ in range(rules.tries):
        word = yield ("load", node)
        if (yield ("cas", node, word, (version(word) + 1) << 1)):
            yield ("emit", (((node, version(word)), (node, version(word) + 1)),))
            return


def perform(operation, thread, rules):
    """One operation of one thread; returns the thread as it is afterwards.

    flow X Y ..   an event along these nodes, never cached
    renew X       a new version of X with no edge from elsewhere
    read X        X -> task -> memory        write X   memory -> task -> X
    look X        X -> task (control)        act X     task -> X (control)
    signal T      task -> the other task T
    exec X M      X -> task -> M, a fresh memory
    truncate X    memory -> task -> X, whose content is gone
    push X        memory -> X, mapped shared: what may be stored there from now on
    store X       memory -> X without any event
    pull X        X -> memory, before an output: what has been loaded from there until now
    start         a new recording begins, with nothing in it
    """
    verb, *names = operation
    if verb == "renew":
        yield from renew(names[0], rules)
        return thread
    if verb == "start":
        yield ("start",)
        return thread
    if verb == "store":
        path = (thread.memory, names[0])
        taken = yield ("begin", path)
        if not thread.refused:
            yield ("end", path, taken)
        return thread
    if verb == "push":
        return (yield from push(names[0], thread, rules))
    if verb == "pull":
        return (yield from pull(names[0], thread, rules))
    if verb == "exec":
        thread = thread._replace(memory=names[1])
    if verb == "truncate":
        return (yield from truncate(names[0], thread, rules))
    path = {
        "flow": tuple(names),
        "read": (names[0], thread.task, thread.memory),
        "exec": (names[0], thread.task, thread.memory),
        "write": (thread.memory, thread.task, names[0]),
        "look": (names[0], thread.task),
        "act": (thread.task, names[0]),
        "signal": (thread.task, names[0]),
    }[verb]

    waits = rules.truncation and verb == "write"
    if waits:
        yield ("add", f"writers {path[-1]}", 1)
    taken = yield ("begin", path)
    if rules.data_moves and verb == "read" and rules.inputs_after:
        taken = yield ("carry", path, taken)
    counted = rules.sharing and verb == "write"
    if counted and not rules.count_entry_last:
        yield ("add", f"entries {path[-1]}", 1)
    thread, recorded = yield from record_unless_sent(verb, path, thread, rules)
    if counted and rules.count_entry_last:
        yield ("add", f"entries {path[-1]}", 1)
    if waits:
        yield ("lock", f"lock {path[-1]}")
    if rules.data_moves and (verb == "write" or verb == "read" and not rules.inputs_after):
        taken = yield ("carry", path, taken)
    if recorded:
        yield ("end", path, taken)
    if waits:
        yield ("add", f"lock {path[-1]}", -1)
        yield ("add", f"writers {path[-1]}", -1)
    return thread


def truncate(node, thread, rules):
    """The content goes first; the version without it is made before anybody else may write."""
    path = (thread.memory, thread.task, node)
    yield ("add", f"writers {node}", 1)
    yield ("lock", f"lock {node}")
    taken = yield ("begin", path)
    yield ("add", f"wiped {node}", 1)
    yield ("wipe", node)
    if (yield ("reserve",)):
        record = yield from send_event(path, rules, cutting=True)
        thread = after_event("truncate", path, thread, record, rules)
        if record.complete:
            yield ("end", path, taken)
    yield ("add", f"wiped {node}", 1)
    yield ("add", f"lock {node}", -1)
    yield ("add", f"writers {node}", -1)
    return thread


def push(node, thread, rules):
    """What the memory holds goes to a shared object, and need not be read back from there."""
    if not rules.push_inputs:
        return thread
    if not (yield ("reserve",)):
        return thread._replace(refused=True)
    thread, before = thread._replace(refused=False), None
    if not rules.count_entry_last:
        before = yield ("add", f"entries {node}", 1)
    yield from send_event((thread.memory, node), rules)
    if rules.count_entry_last:
        before = yield ("add", f"entries {node}", 1)
    if rules.own_entry_only and (node, before) not in thread.seen:
        return thread
    return sees(thread, node, before + 1)


def pull(node, thread, rules):
    """What others have put into a shared object goes to the memory, unless it is there already."""
    path = (node, thread.memory)
    taken = yield ("begin", path, "stored")  # an entry alone has put nothing there
    now = yield ("load", f"entries {node}")
    if (node, now) in thread.seen:
        yield ("end", path, taken)
        return thread
    if not (yield ("reserve",)):
        return thread
    record = yield from send_event(path, rules)
    if not rules.look_at_entries_first:
        now = yield ("load", f"entries {node}")
    if record.complete:
        yield ("end", path, taken)
        thread = sees(thread, node, now)
    return thread


def sees(thread, node, entries):
    others = {(name, count) for name, count in thread.seen if name != node}
    return thread._replace(seen=frozenset(others | {(node, entries)}))


def record_unless_sent(verb, path, thread, rules):
    """Look the edge up, and make an event of it on a miss.

    Returns the thread and whether the graph accounts for the flow; it does not when the ring
    refused the event or the event gave up: those losses are counted.
    """
    cached = rules.cache and verb in ("read", "write", "look", "act")
    key = None
    if cached:
        source = yield ("load", path[0])
        now = yield ("load", thread.task)
        if rules.count_entries_at_lookup:
            thread = notice_entry(thread, now, now)
        epoch = (yield ("load", "epoch")) if rules.epoch_in_key else 0
        counted = rules.truncation and verb == "write" and rules.cuts_in_key
        cuts = (yield ("load", f"cuts {path[-1]}")) if counted else 0
        key = cache_key(verb, path, source, thread, (epoch, cuts), rules)
        if key in thread.sent:
            return thread, True

    if not (yield ("reserve",)):
        if cached and rules.fill_when_refused:
            thread = remember(thread, key)
        return thread, False
    record = yield from send_event(path, rules)

    entered = after_event(verb, path, thread, record, rules)
    if cached and rules.fill_with_later_version:
        source = yield ("load", path[0])
        key = cache_key(verb, path, source, thread, (epoch, cuts), rules)
    if cached and (record.complete or rules.fill_on_give_up):
        entered = remember(entered, key)
    return entered, record.complete


def cache_key(verb, path, source, thread, era, rules):
    """What must be equal for an edge to be redundant; `era` is the recording, and X's cuts."""
    arrivals = {
        "read": rules.arrivals_in_input_key,
        "write": rules.arrivals_in_output_key,
        "look": False,
        "act": rules.arrivals_in_output_key,
    }[verb] and thread.arrivals
    told = rules.task_version_in_key if verb == "act" else rules.version_in_key
    known = version(source) if told else None
    destination = path[-1] if rules.memory_in_key or verb != "read" else None
    return (verb, path[0], known, destination, arrivals, era)


def remember(thread, key):
    return thread._replace(sent=thread.sent | {key})


def notice_entry(thread, seen, leaves):
    """If the task's word is not as we left it, another thread entered the task: an arrival."""
    entered = seen != thread.left
    return thread._replace(arrivals=thread.arrivals + entered, left=leaves)


def after_event(verb, path, thread, record, rules):
    """Keep `left` and `arrivals` true after the steps of our own event."""
    task = thread.task
    if task not in record.seen:
        return thread
    if verb == "look":
        if not record.complete:
            return thread
        counted = rules.count_control_inputs
        leaves = record.versions[task] << 1
        return thread._replace(arrivals=thread.arrivals + counted, left=leaves)
    if record.versions[task] is None:
        return thread._replace(left=None)
    leaves = record.versions[task] << 1 | OUT
    if rules.count_entries_in_event:
        return notice_entry(thread, record.seen[task], leaves)
    return thread._replace(left=leaves)
