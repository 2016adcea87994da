"""Reads what each operation of the workload must leave in the graph, and on which kernel.

Public: :class:`Flow`, :func:`read`, :func:`chosen`, :func:`edges`.

An edge is written ``RELATION SENDER -> RECEIVER``. Inputs and outputs that carry content pass
through the task; such a line stands for two edges:

    read file:a -> task -> memory      read file:a -> task       memory_write task -> memory
    write memory -> task -> file:b     memory_read memory -> task      write task -> file:b

A line about ``xattr:1..20`` stands for twenty lines.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from importlib import resources
from itertools import chain
from typing import Any, NamedTuple

from provcap.errors import UsageError
from provcap.vocabulary import RELATION

APART = (
    "version_entity",
    "version_activity",
    "free",
    "terminate_task",
    "terminate_proc",
)
"""Relations of an object to itself, which follow from others or come when the kernel likes: they
are compared only in the flows that name them."""


class Older(NamedTuple):
    """What kernels before a release give instead."""

    before: tuple[int, ...]
    expect: frozenset[str]
    reason: str


class Flow(NamedTuple):
    """One operation and its edges."""

    name: str
    """Of the operation in the workload."""
    subject: str
    does: str
    calls: tuple[str, ...]
    written: tuple[str, ...]
    """The edges as they are written."""
    expect: frozenset[str]
    """All edges, each for itself."""
    forbid: tuple[str, ...]
    """Patterns of edges that must not be there; all that is unexpected is wrong, these say why."""
    maybe: tuple[str, ...]
    """Patterns of edges that say nothing here: they come again if they have been forgotten."""
    twin: str
    """The flow that this one is the refused, failed or empty form of."""
    older: tuple[Older, ...]
    not_yet: str
    """Why what is expected is not recorded; empty if it is."""

    def promised(self, kernel: str) -> tuple[frozenset[str], str]:
        """The edges that a kernel of this version (``6.1.0-9-amd64``) gives, and why not all."""
        running = version(kernel)
        for older in self.older:
            if running < older.before:
                return older.expect, older.reason
        return self.expect, ""

    def compares(self, edge: str) -> bool:
        """Whether an edge that was found counts here."""
        relation = relation_of(edge)
        named = {relation_of(line) for line in (*self.expect, *self.forbid)}
        apart = relation in APART and relation not in named
        return not apart and not any(fnmatchcase(edge, pattern) for pattern in self.maybe)

    def forbids(self, edge: str) -> bool:
        """Whether this edge is one of those that must not be there."""
        return any(fnmatchcase(edge, pattern) for pattern in self.forbid)


def read(text: str | None = None) -> list[Flow]:
    """Every flow, in the order of the file; ``text`` is TOML (default: flows.toml)."""
    if text is None:
        text = resources.files("provcap.coverage").joinpath("flows.toml").read_text()
    tables = tomllib.loads(text)
    return [_flow(subject, row) for subject, rows in tables.items() for row in rows]


def chosen(flows: list[Flow], wanted: Iterable[str]) -> list[Flow]:
    """Those with these names, all if there are none; UsageError for a name that no flow has."""
    known = [flow.name for flow in flows]
    for name in wanted:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f'did you mean "{close[0]}"?' if close else "provcap coverage --list has all"
            raise UsageError(f'no workload "{name}" ({hint})')
    names = set(wanted) or set(known)
    return [flow for flow in flows if flow.name in names]


def edges(text: str) -> frozenset[str]:
    """The edges of ``text``, one a line, with those that a line through the task stands for."""
    found: set[str] = set()
    lines = filter(None, map(str.strip, text.splitlines()))
    for line in chain.from_iterable(map(_numbered, lines)):
        relation, _, path = line.partition(" ")
        ends = path.split(" -> ")
        if len(ends) == 2:
            found.add(line)
        elif len(ends) == 3:
            found |= _through(relation, *ends)
        else:
            raise ValueError(f"{line!r} is no edge: RELATION SENDER -> RECEIVER")
    return frozenset(found)


def relation_of(edge: str) -> str:
    """The relation of an edge, whatever its class."""
    return re.split("[ /]", edge, maxsplit=1)[0]


def version(kernel: str) -> tuple[int, ...]:
    """Release and patch level of a kernel version."""
    return tuple(map(int, re.findall(r"\d+", kernel)[:2]))


def _numbered(line: str) -> list[str]:
    several = re.search(r":(\d+)\.\.(\d+)", line)
    if not several:
        return [line]
    numbers = range(int(several[1]), int(several[2]) + 1)
    return [line.replace(several[0], f":{number}") for number in numbers]


def _through(relation: str, sender: str, task: str, receiver: str) -> set[str]:
    known = RELATION.get(relation)
    if known and known.section == "used":
        return {f"{relation} {sender} -> {task}", f"memory_write {task} -> {receiver}"}
    return {f"memory_read {sender} -> {task}", f"{relation} {task} -> {receiver}"}


def _flow(subject: str, row: dict[str, Any]) -> Flow:
    older = tuple(
        Older(version(kernel), edges(other["expect"]), other["reason"])
        for kernel, other in row.get("before", {}).items()
    )
    return Flow(
        name=row["name"],
        subject=subject,
        does=row["does"],
        calls=tuple(row["calls"].split()),
        written=tuple(row["expect"].splitlines()),
        expect=edges(row["expect"]),
        forbid=tuple(row.get("forbid", ())),
        maybe=tuple(row.get("maybe", ())),
        twin=row.get("twin", ""),
        older=older,
        not_yet=row.get("not_yet", ""),
    )
