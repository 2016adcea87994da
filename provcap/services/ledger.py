"""Decides what of an application's disclosures is taken, and which ids and versions it gets.

No sockets and no kernel here: a request as a value in, records out. Nothing an application says can
make a record of the kernel: ids come from a number space of their own, kinds and relations are the
disclosed ones, and the only kernel node at an end is the task of the writer itself.

Versions follow the kernel's rule (docs/explanation/versioning.md), so the whole graph stays
acyclic: a source is marked first, a destination that has been a source gets a new version. A task's
state is the kernel's and only read here. As destination it is the version that has not been a
source yet: this one, or the next. As source it is the newest that already has been one.
"""

import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from provcap.capture.disclosed import (
    CPU,
    CPU_SHIFT,
    Disclosed,
    DisclosedEdge,
    DisclosedNode,
    is_scalar,
)
from provcap.disclose import NODES, RELATIONS, SELF
from provcap.records import Identifier, Origin, Writer
from provcap.vocabulary import KIND, KINDS, RELATION
from provcap.vocabulary import RELATIONS as ALL_RELATIONS

INVALID, RATE, LIMIT = "disclosed_invalid", "disclosed_rate", "disclosed_limit"
UNHEARD = "disclosed_connections"
CAUSES = (INVALID, RATE, LIMIT, UNHEARD)

_KIND = {kind.name: number for number, kind in enumerate(KINDS)}
_RELATION = {relation.name: number for number, relation in enumerate(ALL_RELATIONS)}
_TASK = _KIND["task"]
_ENDS = {  # PROV relation -> PROV classes of receiver and sender
    "used": ("activity", "entity"),
    "wasGeneratedBy": ("entity", "activity"),
    "wasInformedBy": ("activity", "activity"),
    "wasDerivedFrom": ("entity", "entity"),
    "wasInfluencedBy": ("", ""),
    "wasAssociatedWith": ("activity", "agent"),
}
_KEY = re.compile(r"(?:cf:)?([A-Za-z][A-Za-z0-9_.-]{0,63})")


class Limits(NamedTuple):
    """How much is taken. Records are nodes, relations and log lines."""

    rate_per_s: int = 1000  # of one user
    burst: int = 2000
    records_per_user: int = 100_000
    records: int = 500_000
    users: int = 4096
    attribute_bytes: int = 4096
    text_bytes: int = 4095
    name_bytes: int = 255


class Acting(NamedTuple):
    """The task of a writer as the kernel has it at this moment; ``out``: it has been a source."""

    id: int
    version: int
    out: bool


class Refused(Exception):
    """What was asked for is not done; the text is for the application, ``cause`` is counted."""

    def __init__(self, cause: str, text: str) -> None:
        """``cause``: one of CAUSES."""
        super().__init__(text)
        self.cause = cause


class Taken(NamedTuple):
    """What became of a request: the id that it is answered with, if any, and its records."""

    id: Identifier | None
    records: Sequence[Disclosed]


class Ledger:
    """The disclosed nodes of one recording."""

    def __init__(
        self,
        origin: Origin,
        first: int,
        limits: Limits = Limits(),  # noqa: B008
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ids count up from ``first``, which no earlier recording of this boot has reached."""
        self._origin = origin
        self._limits = limits
        self._clock_s = clock_s
        mask = (1 << CPU_SHIFT) - 1
        self._ids = itertools.count(CPU << CPU_SHIFT | first & mask)
        self._made: dict[int, _Made] = {}
        self._users: dict[int, _User] = {}
        self._records = 0
        self.refused: Counter[str] = Counter()

    def admit(self, uid: int) -> None:
        """Take one request of this user into account; Refused if it is one too many."""
        user = self._users.get(uid)
        if user is None:
            if len(self._users) >= self._limits.users:
                raise Refused(LIMIT, "too many users disclose during this recording")
            user = self._users[uid] = _User(self._limits.burst, self._clock_s())
        user.require_pace(self._limits, self._clock_s())
        if user.records >= self._limits.records_per_user:
            raise Refused(LIMIT, f"user {uid} has disclosed all that one user may in a recording")
        if self._records >= self._limits.records:
            raise Refused(LIMIT, "all that may be disclosed in one recording has been")

    def take(
        self,
        request: Mapping[str, Any],
        writer: Writer,
        acting: Callable[[], Acting | None],
        moment: Callable[[], tuple[int, int]],
    ) -> Taken:
        """Check the request and make its records.

        ``acting`` reads the task of the writer, and ``moment`` gives (boot-time ns, epoch): both
        when the source has been marked, which the order of versions depends on.
        """
        word = str(request.get("do"))
        writing = _Writing(writer, acting, moment)
        if word in NODES:
            taken = self._node(NODES[word], request, writing)
        elif word in RELATIONS:
            taken = self._relation(word, request, writing)
        elif word == "log":
            taken = self._log(request, writing)
        else:
            words = ", ".join((*NODES, *RELATIONS, "log"))
            raise Refused(INVALID, f'"do" is {word!r}, and can be one of {words}')
        self._count(writer.uid, len(taken.records))
        return taken

    def _count(self, uid: int, records: int) -> None:
        self._records += records
        if uid in self._users:
            self._users[uid].records += records

    # nodes

    def _node(self, kind: str, request: Mapping[str, Any], writing: "_Writing") -> Taken:
        _require_keys(request, ("name",), ("attributes",))
        name = _text(request["name"], "name", self._limits.name_bytes)
        members = self._members(request.get("attributes", {}))
        made = _Made(next(self._ids), kind, writing.writer.uid)
        task = writing.task()
        attributes = {"label": name, "disclosed": members}
        records: list[Disclosed] = [writing.node(made, task, attributes)]
        if kind == "disc_activity" and task and (version := _as_source(task)) is not None:
            source = _End(task.id, _TASK, version)
            records.append(writing.edge("informed_disc", source, made.end(), task))
        self._made[made.id] = made
        return Taken(self._identifier(made), records)

    def _members(self, value: object) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(map(is_scalar, value.values())):
            raise Refused(INVALID, "attributes are an object of texts, numbers and true or false")
        size = len(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
        if size > self._limits.attribute_bytes:
            raise Refused(INVALID, f"attributes of more than {self._limits.attribute_bytes} bytes")
        found = {}
        for key, member in value.items():
            match = _KEY.fullmatch(key)
            if not match or match[1] in found:
                raise Refused(INVALID, f"{key!r} is no name of an attribute, or stands there twice")
            found[match[1]] = member
        return found

    def _log(self, request: Mapping[str, Any], writing: "_Writing") -> Taken:
        _require_keys(request, ("text",), ("propagate",))
        text = request["text"]
        size = len(text.encode()) if isinstance(text, str) and is_scalar(text) else 0
        if not 0 < size <= self._limits.text_bytes:
            raise Refused(INVALID, f"a log line has 1 to {self._limits.text_bytes} bytes of text")
        made = _Made(next(self._ids), "string", writing.writer.uid)
        task = writing.task()
        records: list[Disclosed] = [writing.node(made, task, {"log": text})]
        if task:
            target = _End(task.id, _TASK, _as_target(task))
            records.append(writing.edge("log", made.end(), target, task))
        return Taken(self._identifier(made), records)

    # relations

    def _relation(self, word: str, request: Mapping[str, Any], writing: "_Writing") -> Taken:
        name, ends = RELATIONS[word]
        _require_keys(request, ends)
        classes = _ENDS[RELATION[name].section]
        receiver, sender = (
            self._end(request[end], end, wanted) for end, wanted in zip(ends, classes, strict=True)
        )
        if receiver is sender:
            raise Refused(INVALID, "nothing comes of itself")
        if receiver and receiver.uid != writing.writer.uid and writing.writer.uid != 0:
            raise Refused(INVALID, f"{ends[0]} belongs to another user: it cannot be added to")
        source = sender.left() if sender else None
        task = writing.task()
        if task is None and not (sender and receiver):
            raise Refused(INVALID, "the capture knows nothing of this process yet")
        if source is None:
            source = _End(task.id, _TASK, _require_source(task)) if task else None
        target = receiver.reached() if receiver else None
        if target is None:
            target = _End(task.id, _TASK, _as_target(task)) if task else None
        assert source and target
        return Taken(None, [writing.edge(name, source, target, task)])

    def _end(self, value: object, what: str, wanted: str) -> "_Made | None":
        """The node that an end names, None for the writer's own task."""
        if value == SELF:
            _require_class("activity", wanted, what)
            return None
        try:
            identifier = Identifier.parse(str(value).removeprefix("cf:"))
        except ValueError as error:
            raise Refused(INVALID, f"{what} is neither an id nor {SELF!r}") from error
        made = self._made.get(identifier.id)
        if made is None or self._identifier(made) != identifier._replace(version=0):
            raise Refused(INVALID, f"{what} is nothing that was disclosed in this recording")
        _require_class(KIND[made.kind].prov_class, wanted, what)
        return made

    def _identifier(self, made: "_Made") -> Identifier:
        origin = self._origin
        return Identifier(KIND[made.kind].type, made.id, origin.boot_id, origin.machine_id, 0)


class _End(NamedTuple):
    """A node version at one end of a relation; ``kind`` is its number."""

    id: int
    kind: int
    version: int


class _Made:
    """A disclosed node: whose, its newest version, and whether that has been a source."""

    __slots__ = ("id", "kind", "out", "uid", "version")

    def __init__(self, id: int, kind: str, uid: int) -> None:
        self.id, self.kind, self.uid = id, kind, uid
        self.version, self.out = 0, False

    def end(self) -> _End:
        return _End(self.id, _KIND[self.kind], self.version)

    def left(self) -> _End:
        """As a source: no further edge may lead into this version."""
        self.out = True
        return self.end()

    def reached(self) -> _End:
        """As a destination: a version that has not been a source."""
        if self.out:
            self.version, self.out = self.version + 1, False
        return self.end()


class _User:
    """What one user has had: records, and a store of requests that fills up with time."""

    def __init__(self, burst: int, now_s: float) -> None:
        self.records = 0
        self._left = float(burst)
        self._at_s = now_s

    def require_pace(self, limits: Limits, now_s: float) -> None:
        filled = self._left + (now_s - self._at_s) * limits.rate_per_s
        self._left, self._at_s = min(filled, limits.burst), now_s
        if self._left < 1:
            raise Refused(RATE, f"more than {limits.rate_per_s} requests a second: slow down")
        self._left -= 1


class _Writing:
    """One request on its way: who writes, and the moment when that is settled."""

    def __init__(
        self,
        writer: Writer,
        acting: Callable[[], Acting | None],
        moment: Callable[[], tuple[int, int]],
    ) -> None:
        self.writer = writer
        self.task = acting
        self._moment = moment

    def node(self, made: _Made, task: Acting | None, attributes: Mapping[str, Any]) -> Disclosed:
        at_ns, epoch = self._moment()
        by = (self.writer, task.id if task else 0, task.version if task else 0)
        return DisclosedNode(
            at_ns, 0, CPU, _KIND[made.kind], made.id, epoch, *by, attributes=attributes
        )

    def edge(self, relation: str, source: _End, target: _End, task: Acting | None) -> Disclosed:
        at_ns, epoch = self._moment()
        return DisclosedEdge(
            *(at_ns, 0, CPU, _RELATION[relation]),
            *(source.id, target.id, source.version, target.version, source.kind, target.kind),
            *(epoch, self.writer, task.id if task else 0),
        )


def _as_target(task: Acting) -> int:
    """The version that the kernel has not used as a source: it makes the next one itself."""
    return task.version + task.out


def _as_source(task: Acting) -> int | None:
    """The newest version that has been a source, so that nothing flows into it any more."""
    if task.out:
        return task.version
    return task.version - 1 if task.version else None


def _require_source(task: Acting) -> int:
    version = _as_source(task)
    if version is None:
        raise Refused(INVALID, "the capture has recorded nothing of this process yet")
    return version


def _require_class(found: str, wanted: str, what: str) -> None:
    if wanted and found != wanted:
        article = "an" if wanted[0] in "ae" else "a"
        raise Refused(INVALID, f"{what} has to be {article} {wanted}, and is of class {found}")


def _require_keys(
    request: Mapping[str, Any], wanted: Sequence[str], more: Sequence[str] = ()
) -> None:
    missing = [key for key in wanted if key not in request]
    unknown = [key for key in request if key not in ("do", "for", *wanted, *more)]
    if missing or unknown:
        which = f"lacks {missing[0]!r}" if missing else f"has {unknown[0]!r}, which means nothing"
        raise Refused(INVALID, f'"{request["do"]}" {which}')


def _text(value: object, what: str, limit: int) -> str:
    """A text of one line that is shown to people."""
    sound = isinstance(value, str) and is_scalar(value) and value.isprintable()
    if not sound or not 0 < len(str(value).encode()) <= limit:
        raise Refused(INVALID, f"{what} is a printable text of 1 to {limit} bytes")
    return str(value)
