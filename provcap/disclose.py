"""Lets an application say itself what it does: the Python side of disclosed provenance.

    from provcap import disclose

    with disclose.connect() as session:
        run = session.activity("nightly training", {"seed": 7})
        data = session.entity("measurements of May")
        session.used(run, data)
        session.log("epoch 1 done")

Each call is one message to the recorder that runs on this machine, and one answer. Relations are
called as PROV has them: what depends stands first. docs/howto/disclose.md tells more.
"""

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from provcap.errors import DisclosureError, SetupError

DEFAULT_SOCKET = Path("/run/provcap/disclose.sock")
VARIABLE = "PROVCAP_DISCLOSE"  #: where the socket is, for programs that a recorder starts
SELF = "self"  #: as an end of a relation: the process that discloses
LONGEST_MESSAGE = 16 << 10
PACE_PER_S = 500  #: requests of one session; the recorder refuses what comes much faster

#: what is asked for -> PROV relation in the vocabulary, and its ends: the dependent one first
RELATIONS = {
    "used": ("used_disc", ("activity", "entity")),
    "generated": ("generated_disc", ("entity", "activity")),
    "informed": ("informed_disc", ("informed", "informant")),
    "derived": ("derived_disc", ("entity", "source")),
    "influenced": ("influenced_disc", ("influencee", "influencer")),
    "associated": ("associated_disc", ("activity", "agent")),
}
NODES = {"entity": "disc_entity", "activity": "disc_activity", "agent": "disc_agent"}

Attributes = Mapping[str, str | int | float | bool]


def connect(path: str | os.PathLike[str] | None = None, *, for_parent: bool = False) -> "Session":
    """A session with the recorder; ``path``: default ``$PROVCAP_DISCLOSE``, else the usual place.

    ``for_parent``: what is disclosed belongs to the process that started this one, where it may.
    SetupError if no recorder listens there.
    """
    return Session(path or os.environ.get(VARIABLE) or DEFAULT_SOCKET, for_parent=for_parent)


class Session:
    """One connection. Ids are texts; every method raises DisclosureError where it is refused.

    For one thread at a time. A child that was forked gets a connection of its own when it first
    discloses something.
    """

    def __init__(self, path: str | os.PathLike[str], *, for_parent: bool = False) -> None:
        """See ``connect``."""
        self._path = os.fspath(path)
        self._for_parent = for_parent
        self._asked, self._second_s = 0, time.monotonic()
        self._connect()

    def entity(self, name: str, attributes: Attributes | None = None) -> str:
        """Something that is: a data set, a model, a request. Returns its id."""
        return self._node("entity", name, attributes)

    def activity(self, name: str, attributes: Attributes | None = None) -> str:
        """Something that goes on: a step, a job, a query. Returns its id."""
        return self._node("activity", name, attributes)

    def agent(self, name: str, attributes: Attributes | None = None) -> str:
        """Somebody who bears responsibility. Returns its id."""
        return self._node("agent", name, attributes)

    def used(self, activity: str, entity: str) -> None:
        """The activity took the entity in."""
        self.relate("used", activity, entity)

    def generated(self, entity: str, activity: str) -> None:
        """The entity was made by the activity."""
        self.relate("generated", entity, activity)

    def informed(self, informed: str, informant: str) -> None:
        """The one activity learned from the other."""
        self.relate("informed", informed, informant)

    def derived(self, entity: str, source: str) -> None:
        """The entity was made out of the source."""
        self.relate("derived", entity, source)

    def influenced(self, influencee: str, influencer: str) -> None:
        """The one may have shaped the other."""
        self.relate("influenced", influencee, influencer)

    def associated(self, activity: str, agent: str) -> None:
        """The agent was responsible for the activity."""
        self.relate("associated", activity, agent)

    def relate(self, relation: str, dependent: str, source: str) -> None:
        """Any of the six relations by its name."""
        if relation not in RELATIONS:
            raise DisclosureError(f'there is no relation "{relation}" ({", ".join(RELATIONS)})')
        ends = zip(RELATIONS[relation][1], (dependent, source), strict=True)
        self.ask({"do": relation, **dict(ends)})

    def log(self, text: str, *, propagate: bool = False) -> str:
        """A line of text that informs this process, which is tracked from now on.

        ``propagate``: all that comes of it is tracked, too. Returns the id of the line.
        """
        return str(self.ask({"do": "log", "text": text, "propagate": propagate})["id"])

    def ask(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """One request as docs/reference/disclosure.md has it; returns the answer."""
        whose = {"for": "parent"} if self._for_parent else {}
        message = json.dumps({**request, **whose}).encode()
        if len(message) > LONGEST_MESSAGE:
            raise DisclosureError(f"more than {LONGEST_MESSAGE} bytes in one message")
        self._keep_pace()
        if os.getpid() != self._pid:  # forked: the old connection speaks for the parent
            self._socket.close()
            self._connect()
        try:
            answer = self._exchange(message)
        except OSError as error:
            raise DisclosureError(f"the recorder does not answer: {error.strerror}") from error
        if not answer:
            raise DisclosureError("the recorder has ended, or closed the connection")
        return _understood(answer)

    def _keep_pace(self) -> None:
        """Wait rather than be refused: what is refused is missing in the recording."""
        passed_s = time.monotonic() - self._second_s
        if self._asked >= PACE_PER_S and passed_s < 1:
            time.sleep(1 - passed_s)
        if self._asked >= PACE_PER_S or passed_s >= 1:
            self._asked, self._second_s = 0, time.monotonic()
        self._asked += 1

    def _exchange(self, message: bytes) -> bytes:
        """Where the recorder has closed the connection, what it said before is still read."""
        with contextlib.suppress(BrokenPipeError):
            self._socket.send(message)
        try:
            return self._socket.recv(LONGEST_MESSAGE)
        except ConnectionResetError:  # told once, ahead of what waits to be read
            return self._socket.recv(LONGEST_MESSAGE)

    def close(self) -> None:
        """End the connection; what was disclosed stays."""
        self._socket.close()

    def __enter__(self) -> "Session":
        """The session itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def _node(self, kind: str, name: str, attributes: Attributes | None) -> str:
        return str(self.ask({"do": kind, "name": name, "attributes": dict(attributes or {})})["id"])

    def _connect(self) -> None:
        self._pid = os.getpid()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(30)
        try:
            self._socket.connect(self._path)
        except OSError as error:
            self._socket.close()
            raise SetupError(
                f"no recorder takes disclosures at {self._path}: {error.strerror} "
                "(start one with: provcap record -- COMMAND)"
            ) from error


def play(session: Session, lines: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Ask for each line in turn; yields the id of every node and log line.

    A line is a request; one that makes a node may name it with ``as``, and later lines refer to it
    by that word where they need an id.
    """
    known: dict[str, str] = {}
    for line in lines:
        request = dict(line)
        word = request.pop("as", None)
        ends = RELATIONS.get(str(request.get("do")), ("", ()))[1]
        request |= {end: known.get(request[end], request[end]) for end in ends if end in request}
        found = session.ask(request).get("id")
        if found:
            if word is not None:
                known[str(word)] = str(found)
            yield str(found)


def _understood(answer: bytes) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(answer)
    except ValueError as error:
        raise DisclosureError("the recorder's answer makes no sense") from error
    if "error" in found:
        raise DisclosureError(str(found["error"]))
    return found
