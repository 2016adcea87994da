"""Says the policy, and what is known of one object, as lines in the shape that CamFlow prints."""

from collections.abc import Iterator

from provcap.policy.model import (
    CATEGORIES,
    OPAQUE,
    OPAQUE_PROGRAM,
    PROPAGATE,
    TRACKED,
    Policy,
    Seen,
    filtered_kinds,
    filtered_relations,
)
from provcap.records import Identifier, Origin
from provcap.vocabulary import KIND, Kind, Relation

_SUBTYPE = (1 << 48) - 1  # the bits of a type word that CamFlow's filters are made of
# this version has no rules
_RULES = ("IPv4 ingress", "IPv4 egress", "Security context", "Namespace", "User", "Group")
_ON = {True: "enabled", False: "disabled"}


def state(policy: Policy, digest: str, origin: Origin, written: bool) -> Iterator[str]:
    """The lines of ``camflow -s``.

    ``digest`` is the hash of the policy; ``written``: anything has been recorded yet.
    """
    yield f"Machine id: {origin.machine_id}"
    yield f"Policy hash: {digest}"
    yield "Provenance capture:"
    yield f"- capture {_ON[policy.enabled]};"
    yield f"- all {_ON[policy.all]};"
    yield f"- provenance {'has been' if written else 'was not'} captured;"
    yield "- node compression enabled;"
    yield f"- edge compression {_ON[not policy.repeat_edges]};"
    yield "- duplication disabled;"
    yield ""
    yield from _filters("{} filter", policy.node_filter, policy.relation_filter)
    yield ""
    spreading = policy.propagate_node_filter, policy.propagate_relation_filter
    yield from _filters("propagate {} filter", *spreading)
    yield ""
    for name in _RULES:
        yield f"{name} filter (0)."


def file(seen: Seen, kind: str, origin: Origin) -> Iterator[str]:
    """The lines of ``camflow --file``; ``kind`` is the node type."""
    if seen.id is None:
        yield from _unseen("file")
        yield f"Type: {kind}"
    else:
        yield f"Identifier: {_identifier(seen, kind, origin).text}"
        yield f"Type: {kind}"
        yield from _numbers(seen, origin)
        yield f"Version: {seen.version}"
    yield from _marks("File", seen)


def process(seen: Seen, origin: Origin) -> Iterator[str]:
    """The lines of ``camflow --process``: CamFlow says the type as a number, and no version."""
    if seen.id is None:
        yield from _unseen("process")
    else:
        identifier = _identifier(seen, seen.kind, origin)
        yield f"Identifier: {identifier.text}"
        yield f"Type: {identifier.type}"
        yield from _numbers(seen, origin)
    yield from _marks("Process", seen)


def _filters(title: str, nodes: int, relations: int) -> Iterator[str]:
    yield from _filter(title.format("node"), filtered_kinds(nodes))
    rows = filtered_relations(relations)
    for section, name in CATEGORIES.items():
        yield from _filter(title.format(name), [row for row in rows if row.section == section])


def _filter(title: str, words: list[Kind] | list[Relation]) -> Iterator[str]:
    mask = sum(word.type & _SUBTYPE for word in words)
    yield f"{title.capitalize()} ({mask:x}):"
    yield from (word.name for word in words)


def _unseen(what: str) -> Iterator[str]:
    yield f"Not seen yet: the capture has no node for this {what} that could be shown."


def _identifier(seen: Seen, kind: str, origin: Origin) -> Identifier:
    id = seen.id or 0
    return Identifier(KIND[kind].type, id, origin.boot_id, origin.machine_id, seen.version)


def _numbers(seen: Seen, origin: Origin) -> Iterator[str]:
    yield f"ID: {seen.id}"
    yield f"Boot ID: {origin.boot_id}"
    yield f"Machine ID: {origin.machine_id}"


def _marks(what: str, seen: Seen) -> Iterator[str]:
    marks = seen.marks.set
    opaque = marks & {OPAQUE, OPAQUE_PROGRAM}
    yield f"Taint: {seen.marks.taint:X}"
    yield ""
    yield f"{what} is {'' if TRACKED in marks else 'not '}tracked."
    yield f"{what} is {'' if opaque else 'not '}opaque."
    yield f"{what} {'propagates' if PROPAGATE in marks else 'is not propagating'} tracking."
