"""Make a picture small enough to be read: show several things as one.

``fold_system`` puts the libraries of each process together. ``fold_alike`` goes on until a limit is
met: first things with the same neighbours are put together, then things that play the same part
(23 runs of one compiler), each step coarser than the one before. ``cut`` leaves out the rest.
"""

import posixpath
from collections import defaultdict
from collections.abc import Callable, Hashable

from provcap.graph.draft import Draft, Thing
from provcap.graph.naming import PROCESS, Names
from provcap.graph.places import LIBRARIES, SYSTEM_KINDS, is_system_path
from provcap.graph.titles import clean

Partition = dict[int, Hashable]  # thing -> what those that are put together have in common
_ROUNDS = (3, 1, 0)  # how far around a thing its part is compared, from fine to coarse


def fold_system(draft: Draft, names: Names, keep: set[int], user: Callable[[int], int]) -> None:
    """Put the system files that nobody wrote into one thing for each process that uses them.

    ``user`` gives what a receiving thing counts as: its process, when versions are shown apart.
    """
    written = {user(receiver) for _, receiver in draft.flows}
    system = {
        key
        for key, thing in draft.things.items()
        if user(key) not in written and key not in keep and _is_system(draft, names, thing)
    }
    folds: dict[int, int] = {}  # user -> fold
    moves = {}
    members: dict[int, dict[int, Thing]] = defaultdict(dict)
    for sender, receiver in draft.flows:
        if sender in system:
            fold = folds.setdefault(user(receiver), -1 - len(folds))
            moves[sender, receiver] = fold, receiver
            members[fold][sender] = draft.things[sender]
    draft.move(moves)
    draft.drop(system)
    for fold, parts in members.items():
        draft.things[fold] = _fold(list(parts.values()), LIBRARIES)


def _is_system(draft: Draft, names: Names, thing: Thing) -> bool:
    graph = draft.graph
    kinds = {graph.kind(node) for node in thing.nodes}
    path = names.path(thing.nodes)
    return kinds <= SYSTEM_KINDS and is_system_path(path)


def _fold(things: list[Thing], words: str) -> Thing:
    members = _distinct([member for thing in things for member in thing.members or [thing]])
    nodes = dict.fromkeys(node for thing in things for node in thing.nodes)
    libraries = _distinct([library for thing in things for library in thing.libraries])
    return Thing(list(nodes), members, words, libraries)


def _distinct(things: list[Thing]) -> list[Thing]:
    return list({id(thing): thing for thing in things}.values())


def tuck_in(draft: Draft) -> None:
    """Make what ``fold_system`` put together a remark on the process instead of a node."""
    tucked = {key for key, thing in draft.things.items() if thing.words == LIBRARIES}
    for sender, receiver in draft.flows:
        if sender in tucked:
            libraries = draft.things[receiver].libraries
            libraries += draft.things[sender].members
    draft.drop(tucked)


def fold_same(draft: Draft, names: Names, keep: set[int]) -> None:
    """Put things together that nothing tells apart: neither a name nor what they are tied to."""
    sources, targets = draft.neighbours()
    same: Partition = {
        key: key if key in keep else (names.title(thing), names.detail(thing), *around)
        for key, thing in draft.things.items()
        for around in [(frozenset(sources[key]), frozenset(targets[key]))]
    }
    _merge(draft, names, same)


def fold_alike(draft: Draft, names: Names, keep: set[int], limit: int) -> None:
    """Put things together that are alike, more and more of them, until ``limit`` is met."""
    for _ in range(3):  # what was put together may make its neighbours alike
        if len(draft.things) <= limit:
            return
        _merge(draft, names, _same_neighbours(draft, names, keep))
    for rounds in _ROUNDS:
        if len(draft.things) <= limit:
            return
        _merge(draft, names, _same_part(draft, names, keep, rounds))


def _role(names: Names, thing: Thing, place: bool) -> Hashable:
    """Return what kind of thing it is: which program, which kind of file and where."""
    if thing.words == LIBRARIES:
        return LIBRARIES
    kind = names.kind(thing)
    if kind == PROCESS:
        return kind, names.program(thing.nodes)
    path = names.path(thing.nodes)
    if not place or not path:
        return (kind,)
    return kind, posixpath.dirname(path), posixpath.splitext(path)[1]


def _same_neighbours(draft: Draft, names: Names, keep: set[int]) -> Partition:
    sources, targets = draft.neighbours()
    return {
        key: key
        if key in keep
        else (
            _role(names, thing, place=False),
            frozenset(sources[key]),
            frozenset(targets[key]),
        )
        for key, thing in draft.things.items()
    }


def _same_part(draft: Draft, names: Names, keep: set[int], rounds: int) -> Partition:
    """Compare what things are and, for some rounds, what their neighbours are."""
    sources, targets = draft.neighbours()
    parts: Partition = {
        key: key if key in keep else _role(names, thing, place=True)
        for key, thing in draft.things.items()
    }
    for _ in range(rounds):
        seen: dict[Hashable, int] = {}  # short names, or the parts would grow with each round
        around = {
            key: (
                part,
                frozenset(parts[source] for source in sources[key]),
                frozenset(parts[target] for target in targets[key]),
            )
            for key, part in parts.items()
        }
        parts = {key: -1 - seen.setdefault(what, len(seen)) for key, what in around.items()}
    return parts


def _merge(draft: Draft, names: Names, partition: Partition) -> None:
    together: dict[Hashable, list[int]] = defaultdict(list)
    for key, part in partition.items():
        together[part].append(key)
    new: dict[int, int] = {}
    for keys in together.values():
        if len(keys) > 1:
            fold = draft.new_key()
            things = [draft.things.pop(key) for key in keys]
            draft.things[fold] = _fold(things, _words(names, things))
            new |= dict.fromkeys(keys, fold)
    draft.move({(s, r): (new.get(s, s), new.get(r, r)) for s, r in draft.flows})


def _words(names: Names, things: list[Thing]) -> str:
    """Return what a fold counts: ``cc1 processes``, ``files in /tmp``."""
    if all(thing.words == LIBRARIES for thing in things):
        return LIBRARIES
    kinds = {names.kind(thing) for thing in things}
    if kinds == {PROCESS}:
        program = names.program(things[0].nodes)
        return "processes" if program == PROCESS else f"{program} processes"
    word = f"{kinds.pop()}s" if len(kinds) == 1 else "objects"
    if word != "files":
        return word
    members = [member for thing in things for member in thing.members or [thing]]
    places = {posixpath.dirname(names.path(member.nodes)) for member in members}
    return f"files in {clean(min(places))}" if len(places) == 1 and min(places) else word


def cut(draft: Draft, keep: set[int], limit: int) -> int:
    """Leave out what is farthest from ``keep``, else what is least connected; returns how many."""
    if len(draft.things) <= limit:
        return 0
    sources, targets = draft.neighbours()
    distance = _distances(keep, {key: sources[key] | targets[key] for key in draft.things})
    far = len(draft.things)

    def importance(key: int) -> tuple[int, int]:
        return distance.get(key, far), -len(sources[key]) - len(targets[key])

    gone = sorted(draft.things, key=importance)[max(limit, 1) :]
    draft.drop(gone)
    return len(gone)


def _distances(starts: set[int], around: dict[int, set[int]]) -> dict[int, int]:
    distance, level = dict.fromkeys(starts, 0), set(starts)
    steps = 0
    while level:
        steps += 1
        level = {far for key in level for far in around[key] if far not in distance}
        distance |= dict.fromkeys(level, steps)
    return distance
