"""Takes what applications disclose, over a unix socket, while a recording is made.

The kernel says who is at the other end: of the connection (``SO_PEERCRED``, ``SO_PEERPIDFD``) and
of every message (``SCM_CREDENTIALS``), so a connection that was handed on speaks for nobody. The
socket never waits for an application: who does not read its answers is cut off.
"""

import contextlib
import errno
import json
import os
import random
import selectors
import socket
import stat
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from provcap.capture.disclosed import Disclosed
from provcap.disclose import LONGEST_MESSAGE
from provcap.errors import KernelError, SetupError
from provcap.policy.model import OPAQUE, OPAQUE_PROGRAM, Change, Policy, Seen, tracking
from provcap.records import Identifier, Writer
from provcap.services.ledger import INVALID, UNHEARD, Acting, Ledger, Refused

ANY, ROOT, OFF = "any", "root", "off"  #: who may connect
MODES = (ANY, ROOT, OFF)

_CONNECTIONS, _CONNECTIONS_PER_USER = 256, 32
_TURN = 64  # messages before the rings are looked at again
_PATIENCE = 1000  # requests of one connection that are refused before it is closed
_PEERPIDFD = 77  # SO_PEERPIDFD, since 6.5; Python has no name for it
_CREDENTIALS = struct.Struct("iII")  # of struct ucred: process, user, group
_HIDDEN = frozenset((OPAQUE, OPAQUE_PROGRAM))


Keep = Callable[[Sequence[Disclosed]], bool]


class Controlled(Protocol):
    """The control of a capture, as far as it is used here."""

    def policy(self) -> Policy:
        """What is in force."""

    def process(self, pidfd: int) -> Seen:
        """What is known of a process."""

    def task(self, pidfd: int) -> tuple[int, int, bool] | None:
        """Node id, version and whether that has been a source, of its first thread."""

    def mark_process(self, pidfd: int, change: Change) -> None:
        """Ask for a change of the process."""


class Disclosures:
    """The socket, its connections, and what was refused; a context manager that removes it."""

    def __init__(
        self,
        path: Path,
        mode: str,
        ledger: Ledger,
        control: Controlled,
    ) -> None:
        """SetupError if it cannot listen at the path."""
        self._ledger, self._control = ledger, control
        self._mode = mode
        self._path = path
        self._selector = selectors.DefaultSelector()
        self._users: Counter[int] = Counter()
        self._listener = _listening(path, 0o600 if mode == ROOT else 0o666)
        self._mine = _identity(path)
        self._selector.register(self._listener, selectors.EVENT_READ)

    @property
    def refused(self) -> Mapping[str, int]:
        """Cause -> how often something was not taken."""
        return self._ledger.refused

    def serve(self, seconds: float, keep: Keep) -> None:
        """Answer for so long, or until it is time to look at the rings again.

        ``keep`` writes records down and says whether it could: only then they count as taken.
        """
        until = time.monotonic() + seconds
        left = _TURN
        while left > 0:
            ready = self._selector.select(max(until - time.monotonic(), 0))
            random.shuffle(ready)  # or those that are always first would keep the others waiting
            for key, _ in ready[:left]:
                self._one(key.data, keep)
            left -= max(len(ready), 1)
            if time.monotonic() >= until:
                return

    def __enter__(self) -> "Disclosures":
        """The socket, open."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close everything; the socket's name goes if it is still ours."""
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                self._close(key.data)
        self._selector.close()
        with contextlib.suppress(OSError):
            if _identity(self._path) == self._mine:
                self._path.unlink()
        self._listener.close()

    def _one(self, connection: "_Connection | None", keep: Keep) -> None:
        if connection is None:
            self._accept()
            return
        try:
            answered = self._answer(connection, keep)
        except OSError:  # gone, or it does not read its answers
            answered = False
        if not answered or connection.refusals > _PATIENCE:
            self._close(connection)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it may be gone by now
            accepted, _ = self._listener.accept()
            accepted.setblocking(False)
            pid, uid, gid = _CREDENTIALS.unpack(
                accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            )
            if why := self._unwelcome(uid):
                self._ledger.refused[UNHEARD] += 1
                _send(accepted, {"error": why})
                accepted.close()
                return
            pidfd = _peer_pidfd(accepted, pid)
            connection = _Connection(accepted, Writer(pid, uid, gid), pidfd)
            self._users[uid] += 1
            self._selector.register(accepted, selectors.EVENT_READ, connection)

    def _unwelcome(self, uid: int) -> str:
        if self._mode == ROOT and uid != 0:
            return "only root may disclose (--disclose root)"
        if sum(self._users.values()) >= _CONNECTIONS:
            return f"there are {_CONNECTIONS} connections already"
        if self._users[uid] >= _CONNECTIONS_PER_USER:
            return f"user {uid} has {_CONNECTIONS_PER_USER} connections already"
        return ""

    def _close(self, connection: "_Connection") -> None:
        self._selector.unregister(connection.socket)
        uid = connection.writer.uid
        self._users[uid] -= 1
        if not self._users[uid]:
            del self._users[uid]
        connection.close()

    def _answer(self, connection: "_Connection", keep: Keep) -> bool:
        """Deal with one message; False at the end of the connection."""
        space = socket.CMSG_SPACE(_CREDENTIALS.size)
        data, extra, flags, _ = connection.socket.recvmsg(LONGEST_MESSAGE, space)
        if not data:
            return False
        try:
            self._ledger.admit(connection.writer.uid)
            request = _parsed(data, flags)
            _require_sender(extra, connection.writer.pid)
            answer = self._taken(request, connection, keep)
        except Refused as refusal:
            answer = self._refusal(connection, refusal)
        except KernelError:  # the process has ended meanwhile
            answer = self._refusal(connection, Refused(INVALID, "this process cannot be found"))
        _send(connection.socket, answer)
        return True

    def _refusal(self, connection: "_Connection", refusal: Refused) -> dict[str, str]:
        self._ledger.refused[refusal.cause] += 1
        connection.refusals += 1
        return {"error": str(refusal), "cause": refusal.cause}

    def _taken(
        self, request: Mapping[str, Any], connection: "_Connection", keep: Keep
    ) -> dict[str, str]:
        policy = self._control.policy()
        if not policy.enabled:
            raise Refused(INVALID, "capture is switched off")
        with _acting_for(request, connection) as pidfd:
            who = self._visible(pidfd, connection.pidfd)
            taken = self._ledger.take(
                request,
                connection.writer,
                lambda: self._acting(who),
                lambda: (time.clock_gettime_ns(time.CLOCK_BOOTTIME), policy.epoch),
            )
            if not keep(taken.records):
                raise Refused(INVALID, "the recording cannot be written any more")
            if request.get("do") == "log" and who is not None:
                self._track(who, request.get("propagate") is True)
        return {"id": _reference(taken.id)} if taken.id else {}

    def _visible(self, pidfd: int | None, own: int | None) -> int | None:
        """Who acts: the one asked for, unless it is hidden; Refused if both are."""
        for fd in dict.fromkeys((pidfd, own)):
            if fd is None or not self._control.process(fd).marks.set & _HIDDEN:
                return fd
        raise Refused(INVALID, "this process is opaque: nothing of it is recorded")

    def _acting(self, pidfd: int | None) -> Acting | None:
        found = self._control.task(pidfd) if pidfd is not None else None
        return Acting(*found) if found else None

    def _track(self, pidfd: int, propagate: bool) -> None:
        """As CamFlow does; a mark has every node look its own up again, so it is not repeated."""
        change = tracking("propagate" if propagate else "true")
        if not change.set <= self._control.process(pidfd).marks.set:
            self._control.mark_process(pidfd, change)


class _Connection:
    """One application: who it is as the kernel says, and a descriptor of its process."""

    def __init__(self, accepted: socket.socket, writer: Writer, pidfd: int | None) -> None:
        self.socket, self.writer, self.pidfd = accepted, writer, pidfd
        self.refusals = 0

    def fileno(self) -> int:
        return self.socket.fileno()

    def close(self) -> None:
        self.socket.close()
        if self.pidfd is not None:
            os.close(self.pidfd)


class _Process(NamedTuple):
    """What /proc says of a process."""

    parent: int
    uid: int


def _reference(identifier: Identifier) -> str:
    return f"cf:{identifier.text}"


def _send(connection: socket.socket, answer: Mapping[str, str]) -> None:
    connection.send(json.dumps(answer).encode(), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)


def _parsed(data: bytes, flags: int) -> Mapping[str, Any]:
    if flags & socket.MSG_TRUNC:
        raise Refused(INVALID, f"more than {LONGEST_MESSAGE} bytes in one message")
    try:
        request = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused(INVALID, "the request is no JSON") from error
    if not isinstance(request, dict):
        raise Refused(INVALID, "the request is no JSON object")
    return request


def _require_sender(extra: Sequence[tuple[int, int, bytes]], pid: int) -> None:
    """Every message comes from the process that made the connection."""
    for level, type, data in extra:
        if (level, type) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            sender = _CREDENTIALS.unpack(data[: _CREDENTIALS.size])[0]
            if sender == pid:
                return
            raise Refused(INVALID, f"this connection is of process {pid}: make one of your own")
    raise Refused(INVALID, "the sender of the message is not known")


def _peer_pidfd(accepted: socket.socket, pid: int) -> int | None:
    """A descriptor of the process that connected, None if it cannot be had any more.

    Since 6.5 the kernel kept it from the moment of the connection. Before, the number is looked up:
    each message has the number of its sender too, so another process that was given it in the
    meantime is found out unless it has got hold of the connection.
    """
    try:
        found = accepted.getsockopt(socket.SOL_SOCKET, _PEERPIDFD, 4)
        return int.from_bytes(found, "little")
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:
            return None
    with contextlib.suppress(OSError, ValueError):
        return os.pidfd_open(pid)
    return None


@contextlib.contextmanager
def _acting_for(request: Mapping[str, Any], connection: _Connection) -> Iterator[int | None]:
    """The process that the disclosure is of: the writer, or its parent if that may be.

    A parent has started the writer and has the same user; init and strangers are not spoken for.
    """
    whose = request.get("for", "self")
    if whose not in ("self", "parent"):
        raise Refused(INVALID, f'"for" is {whose!r}, and can be self or parent')
    if whose == "self" or connection.pidfd is None:
        yield connection.pidfd
        return
    parent = _parent(connection.writer)
    try:
        yield connection.pidfd if parent is None else parent
    finally:
        if parent is not None:
            os.close(parent)


def _parent(writer: Writer) -> int | None:
    """A pidfd of the writer's parent: asked for twice, so that it is still the parent then."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = _process(writer.pid).parent
        if pid <= 1:
            return None
        pidfd = os.pidfd_open(pid)
        if _process(writer.pid).parent == pid and _process(pid).uid == writer.uid:
            return pidfd
        os.close(pidfd)
    return None


def _process(pid: int) -> _Process:
    lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    facts = {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
    return _Process(int(facts["PPid"][0]), int(facts["Uid"][1]))


def _listening(path: Path, mode: int) -> socket.socket:
    """A socket that listens at the path; what a killed recorder left there is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _remove_stale(path)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        _bind(listener, path, mode)
        listener.listen(64)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise SetupError(
            f"cannot listen for disclosures at {path}: {error.strerror or error} "
            "(--disclose-socket chooses another place, --disclose off does without)"
        ) from error
    except SetupError:
        listener.close()
        raise
    return listener


def _bind(listener: socket.socket, path: Path, mode: int) -> None:
    """Born with its mode: nobody can put something else there before it would be changed."""
    before = os.umask(0o777 & ~mode)
    try:
        listener.bind(os.fspath(path))
    finally:
        os.umask(before)


def _remove_stale(path: Path) -> None:
    """Remove a socket that nobody listens on; SetupError for anything else that stands there."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise SetupError(f"{path} is there and is no socket: --disclose-socket takes another")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            try:
                probe.connect(os.fspath(path))
            except ConnectionRefusedError:
                path.unlink()
                return
        raise SetupError(f"somebody listens at {path} already: --disclose-socket takes another")


def _identity(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino
