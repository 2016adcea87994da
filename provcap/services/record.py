"""Records a command on this kernel: loads the object, attaches, drains the rings, runs the command.

The recording is raw (see ``capture/raw.py``): what is drained goes to disk as it is, so the
recorder keeps up with bursts that no formatter could follow; ``services/replay.py`` turns it into
text.
"""

import contextlib
import fcntl
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import provcap
from provcap.bpf import layout as objects
from provcap.bpf import loader
from provcap.bpf.loader import Capture
from provcap.bpf.maps import u32
from provcap.bpf.ring import Ring
from provcap.capture import counters, disclosed
from provcap.capture import layout as layouts
from provcap.capture.cut import MOST_BYTES, ContentBound
from provcap.capture.disclosed import Disclosed
from provcap.capture.layout import Layout
from provcap.capture.raw import Header, RawWriter, Status
from provcap.capture.redact import SECRETS, Redactor
from provcap.disclose import DEFAULT_SOCKET, VARIABLE
from provcap.errors import OutputError, SetupError
from provcap.policy import targets
from provcap.policy.addresses import Rule
from provcap.policy.apply import Control
from provcap.policy.model import Change, Policy
from provcap.records import Origin
from provcap.services import disclosure, mappings
from provcap.services.disclosure import Disclosures
from provcap.services.ledger import Ledger
from provcap.services.origin import origin

DEFAULT_RING_BYTES = 16 << 20  # per CPU; a page-backed ring costs memory whether it is used or not
POLL_S = 0.01  # wake-ups are suppressed: the reader looks by itself
SETTLE_S = 0.2  # after the command: time for what is freed a grace period later
STALL_S = 1.0
STATUS_S = 2.0  # between two statements of the counters: what a killed recorder leaves behind
LOCK = Path("/run/provcap-recorder.lock")


class Settings(NamedTuple):
    """How and what to capture. ``ring_bytes`` per CPU, a power of two of pages.

    ``all``: the whole system, else only what is tracked; ``environment``: that of each program,
    without the values of the variables that match ``redact``; ``segments``: of TCP are packets,
    too; ``content``: at most ``content_bytes`` of each packet; ``recorded``: both, of such sockets;
    ``marks``: what is wanted of which file from the start; ``disclose``: who may say what
    applications do (any, root, off), and where;
    ``programs``: of the kernel object only these, for measurements (None: all).
    """

    ring_bytes: int = DEFAULT_RING_BYTES
    edge_compression: bool = True
    settle_s: float = SETTLE_S
    all: bool = True
    environment: bool = False
    redact: tuple[str, ...] = SECRETS
    segments: bool = False
    content: bool = False
    content_bytes: int = MOST_BYTES
    recorded: tuple[Rule, ...] = ()
    marks: tuple[tuple[str, Change], ...] = ()
    disclose: str = disclosure.ANY
    disclose_socket: Path = DEFAULT_SOCKET
    programs: frozenset[str] | None = None


def record(command: Sequence[str], raw: Path, settings: Settings = Settings()) -> int:  # noqa: B008
    """Run ``command`` and record the whole system meanwhile into the file ``raw``.

    Returns the exit status of the command (128 + signal if it was killed). A capture that a killed
    recorder left is cleared first. Raises ``SetupError`` (also if another recorder is at work, or a
    file to mark is not there), ``LoadError`` before the command has started, ``OutputError`` if the
    recording cannot be kept: the command then runs to its end all the same.
    """
    path = loader.find_object()
    layout = objects.object_layout(loader.read_object(path))
    with _only_recorder(), _opened_files(settings.marks) as marks:
        _clear_leftover(layout)
        capture = loader.load(path, ring_bytes=settings.ring_bytes, programs=settings.programs)
        try:
            header, control = _header(layout), Control(capture, layout)
            # the file last: an earlier recording stays until this one can be made
            with _listening(settings, header.origin, control) as said, _created(raw) as file:
                writer = RawWriter(file, header)
                return _Recorder(capture, control, writer, settings, marks, said).run(command)
        finally:
            capture.unload()


class _Recorder:
    """One recording from attaching to detaching."""

    def __init__(
        self,
        capture: Capture,
        control: Control,
        writer: RawWriter,
        settings: Settings,
        marks: Sequence[tuple[int, Change]],
        disclosures: Disclosures | None,
    ) -> None:
        self._capture = capture
        self._control = control
        self._marks = marks
        self._layout = control.layout
        self._writer = writer
        self._settings = settings
        self._changes = list(_changes(layouts.of_object(control.layout), settings))
        self._stalls: dict[int, int] = {}
        self._failed: OSError | None = None
        self._disclosures = disclosures

    def run(self, command: Sequence[str]) -> int:
        with self._capture.rings() as rings:
            self._begin_policy()
            self._begin_ids()
            self._keep(self._status)
            self._capture.attach()
            self._adopt()
            try:
                status = self._run_command(command, rings)
                self._settle(rings)
            finally:
                self._capture.detach()
            self._settle(rings)
            # the kernel frees links a moment later: what still comes now must not look like a loss
            last = self._counted(final=True)
            self._drain(rings)
            self._keep(lambda: self._writer.status(last))
            self._keep(self._writer.end)
        if self._failed:
            raise OutputError(
                f"the recording stops where it could not be written ({self._failed.strerror}); "
                "what is before that can be replayed"
            ) from self._failed
        return status

    def _adopt(self) -> None:
        """Take in what was there before attaching: the threads, then what they have mapped."""
        self._capture.run_iterator("adopt_tasks")
        mappings.open_mapped_files()
        self._capture.run_iterator("adopt_mappings")
        self._control.change_policy(lambda policy: policy._replace(adopt=False))
        for name in ("adopted", "adopted_files"):
            self._capture.map(name).clear()

    def _run_command(self, command: Sequence[str], rings: list[Ring]) -> int:
        with _started(command, self._environment()) as process:
            due_s = time.monotonic() + STATUS_S
            while process.poll() is None:
                self._drain(rings)
                if time.monotonic() >= due_s:
                    self._keep(self._status)
                    due_s = time.monotonic() + STATUS_S
                self._wait()
        code = process.returncode
        return 128 - code if code < 0 else code

    def _environment(self) -> dict[str, str]:
        """The command's: it is told where to disclose, for the place may be any."""
        if not self._disclosures:
            return dict(os.environ)
        return {**os.environ, VARIABLE: str(self._settings.disclose_socket.absolute())}

    def _settle(self, rings: list[Ring]) -> None:
        """Objects are freed a grace period after their last use; records of that are wanted too."""
        until = time.monotonic() + self._settings.settle_s
        while time.monotonic() < until:
            self._drain(rings)
            self._wait()
        self._drain(rings)

    def _wait(self) -> None:
        """Until the rings are to be looked at again: time for what applications disclose."""
        if self._disclosures:
            self._disclosures.serve(POLL_S, self._keep_disclosed)
        else:
            time.sleep(POLL_S)

    def _keep_disclosed(self, records: Sequence[Disclosed]) -> bool:
        data = disclosed.pack(records)
        self._keep(lambda: self._writer.disclosed(data, records[0].at_ns))
        return self._failed is None

    def _drain(self, rings: list[Ring]) -> None:
        for ring in rings:
            data = ring.drain_raw()
            for change in self._changes if data else ():
                data = change(data)
            if data:
                self._keep(functools.partial(self._writer.ring, ring.cpu, data))
            elif ring.stalled_s() > STALL_S:
                self._stalls[ring.cpu] = self._stalls.get(ring.cpu, 0) + 1

    def _keep(self, write: Callable[[], None]) -> None:
        """Write, unless writing has failed before: a full disk must not take the command along."""
        if self._failed is None:
            try:
                write()
            except OSError as error:
                self._failed = error

    def _begin_policy(self) -> None:
        """What to record, before anything is. This process is opaque: it does not record itself.

        Its children are their own.
        """
        settings = self._settings
        policy = Policy(
            adopt=True,
            all=settings.all,
            repeat_edges=not settings.edge_compression,
            environment=settings.environment,
            segments=settings.segments,
            content=settings.content,
        )
        self._control.reset_policy(policy)
        self._control.record_packets_of(settings.recorded)
        with targets.opened_process(str(os.getpid())) as pidfd:
            self._control.hide_recorder(pidfd)
        for fd, change in self._marks:
            self._control.mark_file(fd, change)

    def _begin_ids(self) -> None:
        """Node ids are unique per boot, over all recordings: each CPU begins at the time of now."""
        record = self._layout.record("prov_cpu")
        cpus = self._capture.map("cpus")
        values = [record.unpack(value) for value in cpus.lookup_percpu(u32(0))]
        cpus.update_percpu(u32(0), [record.pack({**v, "next_id": _first_id()}) for v in values])

    def _status(self) -> None:
        self._writer.status(self._counted(final=False))

    def _counted(self, *, final: bool) -> Status:
        at_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        causes, given, skipped = counters.read(self._capture, self._layout)
        refused = dict(self._disclosures.refused) if self._disclosures else {}
        said, stalls = self._policy_said(), dict(self._stalls)
        return Status(at_ns, final, causes, stalls, skipped, given, said, refused)

    def _policy_said(self) -> dict[str, str]:
        """The policy as it is now: camflow may have changed it."""
        policy = self._control.policy()
        restrictions = " ".join(sorted(policy.restrictions))
        return {"hash": self._control.policy_hash(policy), "restrictions": restrictions}


def _changes(layout: Layout, settings: Settings) -> Iterator[Callable[[bytes], bytes]]:
    """What is taken out of the rings before it is written, as far as there can be any."""
    if settings.environment:
        yield Redactor(layout, settings.redact)
    if (settings.content or settings.recorded) and settings.content_bytes < MOST_BYTES:
        yield ContentBound(layout, settings.content_bytes)


@contextlib.contextmanager
def _listening(
    settings: Settings, origin: Origin, control: Control
) -> Iterator[Disclosures | None]:
    """Where applications disclose, None if the settings do not let them; SetupError if it fails."""
    if settings.disclose == disclosure.OFF:
        yield None
        return
    ledger = Ledger(origin, _first_id())
    with Disclosures(settings.disclose_socket, settings.disclose, ledger, control) as disclosures:
        yield disclosures


def _first_id() -> int:
    """Where node ids begin now.

    No CPU makes one in each 1,024 ns for long, so none is reached by the next recording's.
    """
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) >> 10


@contextlib.contextmanager
def _opened_files(
    marks: Sequence[tuple[str, Change]],
) -> Iterator[list[tuple[int, Change]]]:
    """Descriptors of the files to mark; SetupError if one is not there.

    Open until the recording ends: before the kernel has taken a mark over, it goes with its inode.
    """
    with contextlib.ExitStack() as stack:
        yield [(stack.enter_context(targets.opened_file(path)), change) for path, change in marks]


@contextlib.contextmanager
def _only_recorder() -> Iterator[None]:
    """Two readers would take each other's records. A killed one's lock is gone with it."""
    try:
        fd = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise SetupError(f"cannot open {LOCK}: {error.strerror} (are you root?)") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise SetupError(
            "another recorder is at work on this kernel: wait until it ends"
        ) from error
    finally:
        os.close(fd)


def _clear_leftover(layout: objects.Layout) -> None:
    """Unload the capture of a recorder that was killed; call it as the only recorder.

    Its counters, its ring sizes and the names that it has had sent already are not of this
    recording. LayoutError if another build left it.
    """
    capture = loader.find_pinned(layout.fingerprint())
    if capture:
        capture.unload()


def _header(layout: objects.Layout) -> Header:
    return Header(
        origin=origin(),
        layout=layouts.of_object(layout),
        fingerprint=layout.fingerprint().hex(),
        cpus=os.cpu_count() or 1,
        provcap=provcap.__version__,
        start_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
    )


@contextlib.contextmanager
def _created(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner may read; OutputError if it cannot be made.

    What stood there under this name is not written into: it may be a link that somebody laid.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        fd = os.open(path, flags, 0o600)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    with os.fdopen(fd, "wb", buffering=0) as file:
        yield file


@contextlib.contextmanager
def _started(
    command: Sequence[str], environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """The command, running; a request to stop is passed on to it, so that all ends in order."""
    try:
        process = subprocess.Popen(command, env=environment)
    except FileNotFoundError as error:
        raise SetupError(f"no such command: {command[0]}") from error
    except OSError as error:
        raise SetupError(f"cannot run {command[0]}: {error.strerror}") from error
    handlers: Mapping[int, object] = {
        number: signal.signal(number, lambda number, _frame: process.send_signal(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield process
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if process.poll() is None:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(record(sys.argv[2:], Path(sys.argv[1])))
