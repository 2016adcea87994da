"""Write small logs by hand: objects by short names, edges by (relation, sender, receiver)."""

import base64
import io
import json
import struct
from datetime import UTC, datetime
from typing import Any

from provcap.graph import ingest, words
from provcap.graph.model import Graph

_BITS = {name: bit for bit, name in words.KINDS.items()}
_CLASSES = {"task": words.ACTIVITY, "disc_activity": words.ACTIVITY, "machine": words.AGENT}
_SECTIONS = {words.ACTIVITY: "activity", words.ENTITY: "entity", words.AGENT: "agent"}
_START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()


def identifier(kind: str, number: int, version: int = 0, boot: int = 1) -> str:
    """The text that names a version of an object."""
    type_word = _CLASSES.get(kind, words.ENTITY) << 56 | 1 << _BITS[kind]
    raw = struct.pack("<QQIIII", type_word, number, boot, 7, version, 0)
    return "cf:" + base64.b64encode(raw).decode()


class Log:
    """Collects nodes and relations; follows the version rule unless told a version."""

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}
        self.numbers: dict[str, int] = {}
        self.made = 100
        self.attributes: dict[str, dict[str, Any]] = {}
        self.version: dict[str, int] = {}
        self.out: set[str] = set()
        self.defined: set[str] = set()
        self.document: dict[str, Any] = {}
        self.edges = 0

    def node(self, name: str, kind: str, /, **attributes: Any) -> str:
        """Make an object; attributes without their ``cf:``."""
        self.made += 1
        self.kinds[name] = kind
        self.numbers[name] = self.made
        self.version[name] = 0
        self.attributes[name] = {f"cf:{key}": value for key, value in attributes.items()}
        return name

    def process(self, pid: int, path: str, *argv: str) -> str:
        """A task and its memory, as ``t<pid>`` and ``m<pid>``."""
        name = {"name": path} if path else {}
        self.node(f"t{pid}", "task", pid=pid, tgid=pid, comm=path.rsplit("/", 1)[-1][:15], **name)
        self.node(f"m{pid}", "process_memory", tgid=pid, **name)
        self.arguments(f"m{pid}", *argv)
        return str(pid)

    def arguments(self, memory: str, *argv: str) -> None:
        for place, value in enumerate(argv):
            self.node(f"{memory}.arg{place}", "argv", value=value)
            self.edge("arg", f"{memory}.arg{place}", memory)

    def id(self, name: str, version: int | None = None) -> str:
        at = self.version[name] if version is None else version
        return identifier(self.kinds[name], self.numbers[name], at)

    def edge(self, relation: str, sender: str, receiver: str) -> None:
        """Record sender -> receiver by the rule of the model: outputs close a version."""
        self.define(sender)
        self.out.add(sender)
        if receiver in self.out and relation not in ("named", "unnamed", "arg"):
            self.step(receiver)
        self.define(receiver)
        self.raw(relation, self.id(sender), self.id(receiver))

    def step(self, name: str) -> None:
        """The next version of an object."""
        old = self.id(name)
        self.version[name] += 1
        self.out.discard(name)
        self.define(name)
        kind = "version_activity" if self.kinds[name] == "task" else "version_entity"
        self.raw(kind, old, self.id(name))

    def define(self, name: str) -> None:
        text = self.id(name)
        if text not in self.defined:
            self.defined.add(text)
            section = _SECTIONS[_CLASSES.get(self.kinds[name], words.ENTITY)]
            record = {"prov:type": self.kinds[name], **self.attributes[name]}
            self.document.setdefault(section, {})[text] = record

    def raw(self, relation: str, sender: str, receiver: str, **more: Any) -> None:
        """A relation between two identifiers, whatever they are."""
        section, flow = words.RELATIONS[relation]
        ends = words.SECTIONS[section]
        self.edges += 1
        moment = datetime.fromtimestamp(_START + self.edges / 1000, UTC)
        record = {
            "prov:type": relation,
            "cf:flow": words.FLOW_NAMES[flow],
            ends.sender: sender,
            ends.receiver: receiver,
            "prov:time": moment.isoformat().replace("+00:00", "Z"),
            **more,
        }
        self.document.setdefault(section, {})[f"cf:edge{self.edges}"] = record

    # what programs do
    def reads(self, pid: str, entity: str, relation: str = "read") -> None:
        self.edge(relation, entity, f"t{pid}")
        self.edge("memory_write", f"t{pid}", f"m{pid}")

    def writes(self, pid: str, entity: str, relation: str = "write") -> None:
        self.edge("memory_read", f"m{pid}", f"t{pid}")
        self.edge(relation, f"t{pid}", entity)

    def named(self, entity: str, path: str) -> None:
        self.path(path)
        self.edge("named", f"path:{path}", entity)

    def path(self, path: str) -> None:
        """A path as a node, once."""
        if f"path:{path}" not in self.kinds:
            self.node(f"path:{path}", "path", pathname=path)

    def unnamed(self, entity: str, path: str) -> None:
        self.path(path)
        self.edge("unnamed", f"path:{path}", entity)

    def renames(self, pid: str, entity: str, old: str, new: str) -> None:
        """What the kernel side tells of a rename to a free name."""
        self.edge("rename", f"t{pid}", entity)
        self.unnamed(entity, old)
        self.named(entity, new)

    def forks(self, parent: str, pid: int, path: str) -> str:
        """A child that still runs its parent's program; its memory is older than its id."""
        self.process(pid, path)
        self.attributes[f"m{pid}"]["cf:tgid"] = 0
        self.edge("memory_read", f"m{parent}", f"t{parent}")
        self.edge("clone", f"t{parent}", f"t{pid}")
        self.edge("clone_mem", f"t{parent}", f"m{pid}")
        return str(pid)

    def execs(self, pid: str, path: str, *argv: str) -> None:
        """Another program, hence another memory, in the same process."""
        old = f"m{pid}"
        program = f"file:{path}"
        if program not in self.kinds:
            self.node(program, "file", name=path, ino=self.made + 1)
        self.edge("memory_read", old, f"t{pid}")
        kept = f"{old}.{self.made}"
        for table in (self.kinds, self.numbers, self.version, self.attributes):
            table[kept] = table.pop(old)  # type: ignore[attr-defined]
        self.node(old, "process_memory", tgid=int(pid), name=path)
        self.out.discard(old)
        self.edge("exec_task", f"t{pid}", old)
        self.edge("exec", program, old)
        self.arguments(old, *argv)

    def account(self, complete: bool = True, **lost: int) -> None:
        """The machine's account of what was lost."""
        counters = {f"lost_{key}": value for key, value in lost.items()}
        self.node("machine", "machine", complete=str(complete).lower(), **counters)
        self.define("machine")

    def lines(self) -> bytes:
        """The log as bytes, one document."""
        prefix = {"prov": "http://www.w3.org/ns/prov#", "cf": "http://www.camflow.org/"}
        return json.dumps({"prefix": prefix, **self.document}).encode() + b"\n"

    def graph(self) -> Graph:
        return ingest.read(io.BytesIO(self.lines()), "test.log")
