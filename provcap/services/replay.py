"""Turns a raw recording into another format: the way of data, from a file instead of a ring."""

import difflib
import importlib
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import provcap.formats
import provcap.outputs
from provcap.capture import disclosed
from provcap.capture.decoder import Decoder
from provcap.capture.expand import Expand
from provcap.capture.losses import Account, Losses
from provcap.capture.pipeline import Sink, drain, pump
from provcap.capture.raw import DISCLOSED, RING, STATUS, Block, RawReader, Status, parse_status
from provcap.capture.stages import Name, OrderByTime, Stage
from provcap.errors import RecordingError, SetupError, UsageError
from provcap.formats import Format
from provcap.outputs import Output
from provcap.records import Identifier, Node, Origin, Record
from provcap.vocabulary import KIND

MACHINE_ID = 5381  # node id and version of a machine that no record named, as in CamFlow
MACHINE_VERSION = 1


class Formatted:
    """The sink that a format and an output make together."""

    def __init__(self, format: Format, output: Output) -> None:
        """The output is closed with the sink."""
        self._format = format
        self._output = output

    def accept(self, records: Sequence[Record]) -> None:
        """Write the batch; OutputError if the output cannot keep it."""
        for message in self._format.encode(records):
            self._output.write(message)

    def close(self) -> None:
        """Close the output."""
        self._output.close()


def write_log(folder: Path) -> Losses:
    """``audit.log`` in ``folder``, anew, from its ``audit.raw``; as ``replay_file``."""
    log = folder / "audit.log"
    log.unlink(missing_ok=True)  # outputs append: this one must not grow with every run
    return replay_file(folder / "audit.raw", "w3c", "log", str(log))


def replay_file(path: Path, format: str, output: str, target: str | None) -> Losses:
    """Replay the recording at ``path`` through the format and output of these names.

    UsageError for an unknown name; everything else as in ``replay``. A bar on a terminal's standard
    error shows how far it is.
    """
    make, opened = load_format(format), open_output(output, target)
    try:
        with _opened(path) as file, _progress(_size(file)) as advance:
            return replay(file, lambda origin: [Formatted(make(origin), opened)], advance)
    except RecordingError as error:
        raise type(error)(f"{path}: {error}") from error
    finally:
        opened.close()


def replay(
    file: BinaryIO,
    open_sinks: Callable[[Origin], Sequence[Sink]],
    advance: Callable[[int], None] = lambda read_bytes: None,
) -> Losses:
    """Move a whole recording into sinks and say what is missing from it; the sinks are closed.

    What is missing is also the last record: the machine node, with the losses as attributes. If the
    recording is cut or damaged, what is intact is moved first, and marked as cut; then comes the
    TruncatedError or RecordingError.
    """
    reader = RawReader(file)
    replaying = _Replay(reader, advance)
    sinks = open_sinks(reader.header.origin)
    cut: RecordingError | None = None
    try:
        try:
            pump(replaying.batches(), replaying.decode, replaying.stages, sinks)
        except RecordingError as error:
            cut = error
            drain(replaying.stages, sinks)
        losses = replaying.losses(cut is not None)
        for sink in sinks:
            sink.accept([replaying.last_node(losses)])
    finally:
        for sink in sinks:
            sink.close()
    if cut:
        raise cut
    return losses


class _Replay:
    """The parts of one replay and what they learn on the way."""

    def __init__(self, reader: RawReader, advance: Callable[[int], None]) -> None:
        header = reader.header
        self._reader = reader
        self._advance = advance
        self._origin = header.origin
        self._base: Status | None = None
        self._last: Status | None = None
        self._account = Account()
        self._order = OrderByTime()
        self._expand = Expand(header.origin, first_relation_id=header.start_ns + 1)
        self._decoder = Decoder(header.layout)
        self.stages: list[Stage] = [self._account, self._order, self._expand, Name()]

    def decode(self, block: Block) -> Sequence[Any]:
        """The records of a block."""
        if block.type == DISCLOSED:
            return disclosed.parse(block.payload)
        return self._decoder.decode(block.payload)

    def batches(self) -> Iterator[Block]:
        """The blocks that hold records; a status is noted when it comes by."""
        for block in self._reader:
            if block.type in (RING, DISCLOSED):
                yield block
            elif block.type == STATUS:
                self._last = parse_status(block.payload)
                if block.number == 0:  # before any record: its counts are not of this recording
                    self._base = self._last
            self._advance(self._reader.read_bytes)

    def losses(self, cut: bool) -> Losses:
        return self._account.losses(self._base, self._last, late=self._order.late, cut=cut)

    def last_node(self, losses: Losses) -> Node:
        """The machine node that says what is missing."""
        origin = self._origin
        word = KIND["machine"].type
        unnamed = Identifier(word, MACHINE_ID, origin.boot_id, origin.machine_id, MACHINE_VERSION)
        attributes = {**origin.machine, **losses.attributes()}
        return Node(
            "machine", self._expand.machine or unnamed, 0, 0, self._order.newest_ns, attributes
        )


def load_format(name: str) -> Callable[[Origin], Format]:
    """What makes a format of this name; UsageError if there is none."""
    make: Callable[[Origin], Format] = _member(provcap.formats, name, "make")
    return make


def open_output(name: str, target: str | None) -> Output:
    """The output of this name, opened; UsageError if there is none, OutputError if it cannot be."""
    open_it: Callable[[str | None], Output] = _member(provcap.outputs, name, "open_output")
    return open_it(target)


def _member(room: ModuleType, name: str, wanted: str) -> Any:
    """What the module of that name in formats or outputs offers to open it."""
    names = [module.name for module in pkgutil.iter_modules(room.__path__)]
    if name in names:
        try:
            found = getattr(importlib.import_module(f"{room.__name__}.{name}"), wanted, None)
        except ModuleNotFoundError as error:
            raise SetupError(f'"{name}" needs the package {error.name}') from error
        if found:
            return found
    what = room.__name__.rpartition(".")[2]
    hint = difflib.get_close_matches(name, names, n=1)
    more = f' (did you mean "{hint[0]}"?)' if hint else ""
    raise UsageError(f'there is no "{name}" among the {what}{more}')


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise RecordingError(f"cannot be read: {error.strerror}") from error
    with file:
        yield file


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


@contextmanager
def _progress(total_bytes: int) -> Iterator[Callable[[int], None]]:
    """A function that shows how many bytes were read, if someone is looking."""
    if not sys.stderr.isatty():
        yield lambda read_bytes: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("replay", total=total_bytes)
        yield lambda read_bytes: progress.update(task, completed=read_bytes)
