"""The socket: who is at the other end, what is kept, and that nobody holds up the recorder."""

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from provcap import disclose
from provcap.capture.disclosed import Disclosed, DisclosedEdge, DisclosedNode
from provcap.disclose import LONGEST_MESSAGE, Session
from provcap.errors import DisclosureError, KernelError, SetupError
from provcap.policy.model import Change, Marks, Policy, Seen
from provcap.records import Origin, Writer
from provcap.services import disclosure
from provcap.services.disclosure import ANY, ROOT, Disclosures
from provcap.services.ledger import Ledger, Limits

NOBODY = 65534
AS_NOBODY = "import os, socket, sys; os.setgid(65534); os.setuid(65534); "


class Control:
    """A capture that knows every process, and notes what is asked of it."""

    def __init__(self) -> None:
        self.enabled = True
        self.hidden: set[int] = set()
        self.marked: list[tuple[int, Change]] = []
        self.gone = False

    def policy(self) -> Policy:
        return Policy(epoch=3, enabled=self.enabled)

    def process(self, pidfd: int) -> Seen:
        if self.gone:
            raise KernelError("no such process")
        set_ = {"opaque"} if _pid(pidfd) in self.hidden else set()
        for pid, change in self.marked:
            set_ |= change.set if pid == _pid(pidfd) else set()
        return Seen(_pid(pidfd), 4, Marks(frozenset(set_)))

    def task(self, pidfd: int) -> tuple[int, int, bool]:
        return _pid(pidfd), 4, True

    def mark_process(self, pidfd: int, change: Change) -> None:
        self.marked.append((_pid(pidfd), change))


class Desk:
    """A socket that is served by a thread, and what it kept."""

    def __init__(self, path: Path) -> None:
        self.path, self.control = path, Control()
        self.kept: list[Disclosed] = []
        self.full = False
        self.refused: dict[str, int] = {}

    def keep(self, records: Sequence[Disclosed]) -> bool:
        self.kept += records
        return not self.full

    def nodes(self) -> list[DisclosedNode]:
        return [record for record in self.kept if isinstance(record, DisclosedNode)]


Open = Callable[..., "contextmanager[Desk]"]


@contextmanager
def opened(path: Path, mode: str = ANY, limits: Limits = Limits()) -> Iterator[Desk]:  # noqa: B008
    """A desk that answers."""
    desk = Desk(path)
    ledger = Ledger(Origin(28, 29, 0, {}), 5, limits)
    with Disclosures(path, mode, ledger, desk.control) as disclosures:
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                disclosures.serve(0.01, desk.keep)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield desk
        finally:
            over.set()
            thread.join()
            desk.refused = dict(disclosures.refused)


@pytest.fixture
def path() -> Iterator[Path]:
    """Where the socket stands; others may go there, which they may not below ``tmp_path``."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "provcap" / "disclose.sock"


def _pid(pidfd: int) -> int:
    about = Path(f"/proc/self/fdinfo/{pidfd}").read_text()
    return int(next(line for line in about.splitlines() if line.startswith("Pid:")).split()[1])


def test_what_is_disclosed_is_kept_with_its_writer(path: Path) -> None:
    """Process and user are the kernel's word, not the application's."""
    with opened(path) as desk, disclose.connect(path) as session:
        run, data = session.activity("run"), session.entity("May", {"rows": 3})
        session.used(run, data)

    writer = Writer(os.getpid(), os.getuid(), os.getgid())
    assert [record.writer for record in desk.kept] == [writer] * 4
    assert [type(record) for record in desk.kept] == [
        *(DisclosedNode, DisclosedEdge, DisclosedNode, DisclosedEdge)
    ]
    assert all(record.task == os.getpid() for record in desk.kept)
    assert desk.kept[0].epoch == 3


def test_a_refusal_is_an_error_that_says_why_and_is_counted(path: Path) -> None:
    """The session goes on after it."""
    with opened(path) as desk, disclose.connect(path) as session:
        with pytest.raises(DisclosureError, match="has to be an entity"):
            session.used(disclose.SELF, disclose.SELF)
        session.entity("a")

    assert desk.refused == {"disclosed_invalid": 1}
    assert len(desk.kept) == 1


def test_a_log_line_marks_its_process_once(path: Path) -> None:
    """As CamFlow's log does, and logp; what holds already is not asked for again."""
    with opened(path) as desk, disclose.connect(path) as session:
        session.log("one")
        session.log("two")
        session.log("three", propagate=True)
        session.log("four", propagate=True)

    marks = [(pid, sorted(change.set)) for pid, change in desk.control.marked]
    assert marks == [(os.getpid(), ["tracked"]), (os.getpid(), ["propagate", "tracked"])]
    assert [node.attributes["log"] for node in desk.nodes()] == ["one", "two", "three", "four"]


def test_a_connection_that_was_handed_on_speaks_for_nobody(path: Path) -> None:
    """A forked child that uses it is refused; through the module it gets one of its own."""
    with opened(path) as desk, disclose.connect(path) as session:
        raw = _in_child(lambda: _raw(session._socket, {"do": "entity", "name": "a"}))
        own = _in_child(lambda: session.entity("of the child"))

    assert f"of process {os.getpid()}" in raw
    assert own.startswith("cf:")
    (node,) = desk.nodes()
    assert node.attributes["label"] == "of the child"
    assert node.writer.pid not in (0, os.getpid())


def _raw(connection: socket.socket, request: object) -> str:
    connection.send(json.dumps(request).encode())
    return connection.recv(LONGEST_MESSAGE).decode()


def _in_child(act: Callable[[], str]) -> str:
    """What ``act`` returns in a forked child."""
    there, here = os.pipe()
    child = os.fork()
    if not child:
        os.write(here, act().encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(here)
    with os.fdopen(there) as pipe:
        return pipe.read()


def test_a_disclosure_for_the_parent_is_of_its_task(path: Path) -> None:
    """The writer stays who wrote."""
    with opened(path) as desk:
        words = f"from provcap import disclose; disclose.connect({str(path)!r}, for_parent=True)"
        subprocess.run([sys.executable, "-c", f"{words}.entity('a')"], check=True)

    (node,) = desk.nodes()
    assert node.task == os.getpid()
    assert node.writer.pid != os.getpid()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_parent_of_another_user_is_not_spoken_for(path: Path) -> None:
    """What a user starts through sudo, or root for a user, stays apart."""
    with opened(path) as desk:
        words = f"disclose.connect({str(path)!r}, for_parent=True).entity('a')"
        script = f"from provcap import disclose; {AS_NOBODY}{words}"
        subprocess.run([sys.executable, "-c", script], check=True)

    (node,) = desk.nodes()
    assert node.writer.uid == NOBODY
    assert node.task == node.writer.pid


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_other_users_may_connect_unless_only_root_may(path: Path) -> None:
    """The mode of the socket says so to the kernel."""
    script = f"{AS_NOBODY}s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET);"
    script += f"sys.exit(s.connect_ex({str(path)!r}))"
    status, modes = [], []
    for mode in (ANY, ROOT):
        with opened(path, mode):
            status.append(subprocess.run([sys.executable, "-c", script], check=False).returncode)
            modes.append(stat.S_IMODE(path.stat().st_mode))

    assert status == [0, 13]
    assert modes == [0o666, 0o600]
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o022 == 0


def test_an_opaque_process_cannot_disclose(path: Path) -> None:
    """Nothing of it is recorded, so nothing that it says, either."""
    with opened(path) as desk, disclose.connect(path) as session:
        desk.control.hidden = {os.getpid()}
        with pytest.raises(DisclosureError, match="opaque"):
            session.entity("a")

    assert desk.kept == []


def test_a_writer_with_an_opaque_parent_acts_for_itself(path: Path) -> None:
    """The recorder is the parent of the command that it starts, and is opaque."""
    with opened(path) as desk:
        desk.control.hidden = {os.getpid()}
        words = f"from provcap import disclose; disclose.connect({str(path)!r}, for_parent=True)"
        subprocess.run([sys.executable, "-c", f"{words}.entity('a')"], check=True)

    (node,) = desk.nodes()
    assert node.task == node.writer.pid


def test_nothing_is_taken_while_capture_is_off_or_the_disk_is_full(path: Path) -> None:
    """Each time the application is told."""
    with opened(path) as desk, disclose.connect(path) as session:
        desk.control.enabled = False
        with pytest.raises(DisclosureError, match="switched off"):
            session.entity("a")
        desk.control.enabled, desk.full = True, True
        with pytest.raises(DisclosureError, match="cannot be written"):
            session.entity("a")
        desk.full, desk.control.gone = False, True
        with pytest.raises(DisclosureError, match="cannot be found"):
            session.entity("a")


@pytest.mark.parametrize("message", [b"nonsense", b"[]", b"7", b"[" * 9000, b'{"do": "entity"}'])
def test_a_message_that_makes_no_sense_is_answered(path: Path, message: bytes) -> None:
    """With an error; the connection stays."""
    with opened(path), disclose.connect(path) as session:
        session._socket.send(message)
        answer = json.loads(session._socket.recv(LONGEST_MESSAGE))
        session.entity("a")

    assert answer["cause"] == "disclosed_invalid"


def test_a_message_that_is_too_long_is_refused(path: Path) -> None:
    """By the module before it is sent, and by the recorder."""
    with opened(path), disclose.connect(path) as session:
        with pytest.raises(DisclosureError, match="in one message"):
            session.entity("x" * LONGEST_MESSAGE)
        session._socket.send(b" " * (LONGEST_MESSAGE + 1))
        answer = json.loads(session._socket.recv(LONGEST_MESSAGE))

    assert "in one message" in answer["error"]


def test_descriptors_that_come_along_are_not_taken(path: Path) -> None:
    """They would stay open in the recorder."""
    with opened(path), disclose.connect(path) as session:
        session.entity("a")
        before = len(list(Path("/proc/self/fd").iterdir()))
        request = json.dumps({"do": "entity", "name": "b"}).encode()
        with (path.parent / "file").open("w") as file:
            for _ in range(20):
                socket.send_fds(session._socket, [request], [file.fileno()] * 10)
                assert b"cf:" in session._socket.recv(LONGEST_MESSAGE)
        after = len(list(Path("/proc/self/fd").iterdir()))

    assert after == before


def test_who_does_not_read_the_answers_is_cut_off(path: Path) -> None:
    """And everyone else goes on meanwhile."""
    with opened(path, limits=Limits(burst=100_000)), disclose.connect(path) as session:
        deaf = disclose.connect(path)
        with pytest.raises(OSError, match="Broken pipe|reset|timed out"):
            for _ in range(100_000):
                deaf._socket.send(b"{}")
        session.entity("a")
        deaf.close()


def test_serving_ends_in_time_whatever_comes(path: Path) -> None:
    """A flood is answered 64 messages at a time: then the rings are looked at again."""
    ledger, control = Ledger(Origin(28, 29, 0, {}), 5), Control()
    with Disclosures(path, ANY, ledger, control) as disclosures:
        flood = [disclose.connect(path) for _ in range(20)]
        for session in flood:
            for _ in range(20):
                session._socket.send(b"{}")
        began = time.monotonic()
        disclosures.serve(60, lambda records: True)
        took = time.monotonic() - began
        for session in flood:
            session.close()

    assert took < 5
    assert 0 < ledger.refused["disclosed_invalid"] <= 64


def test_a_session_waits_rather_than_be_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refused for its pace would be missing in the recording."""
    monkeypatch.setattr(disclose, "PACE_PER_S", 5)
    limits = Limits(rate_per_s=10, burst=5)
    with opened(path, limits=limits) as desk, disclose.connect(path) as session:
        for _ in range(11):
            session.entity("a")

    assert (len(desk.kept), desk.refused) == (11, {})


def test_one_user_cannot_take_every_connection(path: Path) -> None:
    """The one too many is told, and counted as a loss."""
    with opened(path) as desk:
        sessions = [disclose.connect(path) for _ in range(disclosure._CONNECTIONS_PER_USER)]
        sessions[-1].entity("a")
        with disclose.connect(path) as last, pytest.raises(DisclosureError, match="connections"):
            last.entity("b")
        for session in sessions:
            session.close()

    assert desk.refused == {"disclosed_connections": 1}


def test_a_socket_that_a_killed_recorder_left_is_replaced(path: Path) -> None:
    """And ours is gone at the end."""
    path.parent.mkdir()
    left = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    left.bind(str(path))
    left.close()
    with opened(path), disclose.connect(path) as session:
        session.entity("a")

    assert not path.exists()


def test_what_somebody_else_put_there_is_left_alone(path: Path) -> None:
    """A file, or a socket that is listened on; the message says what to do."""
    path.parent.mkdir()
    path.write_text("mine")
    with pytest.raises(SetupError, match="no socket: --disclose-socket"), opened(path):
        pass
    assert path.read_text() == "mine"
    path.unlink()
    with opened(path):
        with pytest.raises(SetupError, match="listens at"), opened(path):
            pass
        with disclose.connect(path) as session:
            session.entity("a")


def test_a_name_that_was_taken_over_is_not_removed(path: Path) -> None:
    """Only what is ours goes."""
    with opened(path):
        path.unlink()
        path.write_text("mine")

    assert path.read_text() == "mine"


def test_without_a_recorder_the_error_says_how_to_start_one(path: Path) -> None:
    """Also when it ends in the middle."""
    with pytest.raises(SetupError, match="provcap record"):
        Session(path)
    with opened(path):
        session = disclose.connect(path)
        session.entity("a")
    with pytest.raises(DisclosureError, match="recorder"):
        session.entity("b")
    session.close()


def test_the_place_is_told_by_the_environment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that a recorder starts finds its socket wherever it is."""
    monkeypatch.setenv(disclose.VARIABLE, str(path))
    with opened(path) as desk, disclose.connect() as session:
        session.agent("somebody")

    assert len(desk.kept) == 1


def test_lines_refer_to_what_earlier_lines_made(path: Path) -> None:
    """By the word that follows ``as``; ids and self stay what they are."""
    lines = [
        {"do": "activity", "name": "run", "as": "run"},
        {"do": "entity", "name": "May", "as": "data"},
        {"do": "used", "activity": "run", "entity": "data"},
        {"do": "generated", "entity": "data", "activity": "self"},
    ]
    with opened(path) as desk, disclose.connect(path) as session:
        ids = list(disclose.play(session, lines))

    assert len(ids) == 2
    assert sum(isinstance(record, DisclosedEdge) for record in desk.kept) == 3
