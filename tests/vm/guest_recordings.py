"""Recordings made in a guest, and the questions that tests ask of them."""

import contextlib
import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from provcap.capture.decoder import Decoder, Event, KernelRecord, NodeRecord
from provcap.capture.expand import Expand
from provcap.capture.losses import Account, Losses
from provcap.capture.raw import RING, STATUS, Header, RawReader, Status, parse_status
from provcap.capture.stages import OrderByTime
from provcap.coverage.flows import version
from provcap.errors import TruncatedError
from provcap.records import Edge, Identifier, Node
from provcap.vm.machine import Machine, Result
from provcap.vocabulary import RELATIONS

PATIENCE_S = 900  # for one recording: a busy machine is no failure
FLOWS = frozenset(("data", "version"))  # what "where did this come from" follows


def record_command(out: Path, command: Sequence[str], *options: str) -> list[str]:
    """The words that record ``command`` into the folder ``out``."""
    words = [sys.executable, "-m", "provcap.cli.main", "record", "--raw", "--out", str(out)]
    return [*words, *options, "--", *command]


def record(
    machine: Machine,
    out: Path,
    command: Sequence[str],
    *options: str,
    object: Path | None = None,
    timeout_s: float = PATIENCE_S,
) -> tuple["Recording", Result]:
    """Record ``command`` in the guest; it must succeed."""
    words = record_command(out, command, *options)
    if object:
        words = ["env", f"PROVCAP_OBJECT={object}", *words]
    result = machine.run(words, timeout_s=timeout_s)
    assert result.status == 0, result
    return Recording(out / "audit.raw"), result


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collector meanwhile: over so many small tuples it takes longer than the work."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Recording:
    """A raw recording, decoded: ``records`` of all CPUs by time, ``cut`` if the file has no end."""

    header: Header
    base: Status | None = None
    last: Status | None = None

    @uncollected()
    def __init__(self, raw: Path) -> None:
        """Read all of it; of a cut file, what is intact."""
        self.cut: TruncatedError | None = None
        self.records: list[KernelRecord] = []
        account, order = Account(), OrderByTime()
        with raw.open("rb") as file:
            reader = RawReader(file)
            self.header = reader.header
            decode = Decoder(reader.header.layout).decode
            try:
                for block in reader:
                    if block.type == RING:
                        order(account(records := decode(block.payload)))
                        self.records += records
                    elif block.type == STATUS:
                        self.last = parse_status(block.payload)
                        self.base = self.base or self.last
            except TruncatedError as error:
                self.cut = error
        self.records.sort(key=lambda record: record.at_ns)
        self.losses: Losses = account.losses(
            self.base, self.last, late=order.late, cut=self.cut is not None
        )

    def events(self, relation: str) -> list[Event]:
        """The events of this relation."""
        number = next(at for at, row in enumerate(RELATIONS) if row.name == relation)
        return [r for r in self.records if isinstance(r, Event) and r.relation == number]

    def nodes(self) -> list[NodeRecord]:
        """Every node record."""
        return [record for record in self.records if isinstance(record, NodeRecord)]

    def tasks(self, **attributes: object) -> set[int]:
        """Node ids of the tasks whose record has all of these attributes."""
        wanted = attributes.items()
        tasks = (node for node in self.nodes() if "tgid" in node.attributes and node.kind == 1)
        return {task.id for task in tasks if wanted <= task.attributes.items()}

    @uncollected()
    def graph(self) -> "Graph":
        """What the records stand for."""
        graph = Graph()
        # enough room for every object: a test of the kernel side, not of the bounded caches
        expand = Expand(self.header.origin, capacity=1 << 20)
        for start in range(0, len(self.records), 10_000):
            graph.take(expand(self.records[start : start + 10_000]))
        graph.take(expand.finish())
        return graph


def nothing_lost(recording: Recording, machine: Machine) -> bool:
    """But for what is skipped: kernels of 7.x preempt themselves, and a busy one skips programs."""
    losses = recording.losses
    if version(machine.kernel.version) >= (7, 0):
        losses = losses._replace(skipped=0)
    return losses.complete


class Graph:
    """Versions as numbers from 0, edges as lists of them."""

    def __init__(self) -> None:
        """Empty."""
        self.number: dict[Identifier, int] = {}
        self.edges: list[tuple[int, int]] = []
        self.dangling: list[Edge] = []
        self.relations: Counter[str] = Counter()
        self._flows: dict[int, list[int]] = {}  # version -> versions it comes from
        self._versions: dict[int, set[int]] = {}  # node id -> its versions
        self._paths: dict[int, str] = {}
        self._named: dict[str, set[int]] = {}

    def take(self, records: Iterable[Node | Edge]) -> None:
        """Add nodes, and edges whose ends must be there."""
        number = self.number
        for record in records:
            if isinstance(record, Edge):
                self._edge(record)
            else:
                at = number.setdefault(record.identifier, len(number))
                if record.kind == "path":
                    self._paths[at] = record.attributes["pathname"].decode()
                else:
                    self._versions.setdefault(record.identifier.id, set()).add(at)

    def _edge(self, edge: Edge) -> None:
        sender, receiver = self.number.get(edge.sender), self.number.get(edge.receiver)
        if sender is None or receiver is None:
            self.dangling.append(edge)
            return
        self.edges.append((sender, receiver))
        self.relations[edge.relation] += 1
        if edge.flow in FLOWS:
            self._flows.setdefault(receiver, []).append(sender)
        if edge.relation == "named":
            self._named.setdefault(self._paths[sender], set()).add(edge.receiver.id)

    def node(self, path: str | Path) -> int:
        """Id of the one object that has this name."""
        (node,) = self._named[str(path)]
        return node

    def paths(self) -> set[str]:
        """Every name that an object has."""
        return set(self._named)

    def versions(self, path: str | Path) -> set[int]:
        """Every version of that object."""
        return self._versions[self.node(path)]

    def comes_from(self, path: str | Path, source: str | Path) -> bool:
        """Whether data or version edges lead from any version of ``source`` to one of ``path``."""
        wanted, seen = self.versions(source), set(self.versions(path))
        todo = list(seen)
        while todo:
            for before in self._flows.get(todo.pop(), ()):
                if before not in seen:
                    seen.add(before)
                    todo.append(before)
        return bool(wanted & seen)

    def touching(self, path: str | Path) -> int:
        """Edges that begin or end at this object, version edges aside."""
        here = self.versions(path)
        return sum((a in here) != (b in here) for a, b in self.edges)

    def in_cycles(self) -> int:
        """Versions that a topological order cannot place: 0 exactly if there is no cycle."""
        outgoing: list[list[int]] = [[] for _ in self.number]
        waiting = [0] * len(self.number)
        for sender, receiver in self.edges:
            outgoing[sender].append(receiver)
            waiting[receiver] += 1
        ready = [at for at, inputs in enumerate(waiting) if not inputs]
        placed = 0
        while ready:
            placed += 1
            for after in outgoing[ready.pop()]:
                waiting[after] -= 1
                if not waiting[after]:
                    ready.append(after)
        return len(waiting) - placed
