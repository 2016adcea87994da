"""Brings policy and wishes to the kernel: reads and writes the maps of the capture that is loaded.

User space writes the ``policy`` record and the wishes (``task_marks``, ``inode_marks``), never a
node. Every change reads, changes and writes with the capture locked, so that two commands at once
do not undo each other.
"""

import contextlib
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from provcap.bpf import loader
from provcap.bpf.layout import Layout, Record, Value, object_layout
from provcap.bpf.maps import u32
from provcap.bpf.programs import ProgramInfo
from provcap.errors import KernelError, SetupError
from provcap.policy.addresses import Rule
from provcap.policy.model import (
    OPAQUE,
    Change,
    Marks,
    Policy,
    Seen,
    Wish,
    marks_after,
    next_wish,
    remembered,
    stepped,
)

_HALF = 64  # bits of each word of the relation filter
_WAY_BITS = 32  # of a recorded prefix, before its address
_SWITCHES = {
    "enabled": "SWITCH_ENABLED",
    "all": "SWITCH_ALL",
    "repeat_edges": "SWITCH_REPEAT_EDGES",
    "adopt": "SWITCH_ADOPT",
    "segments": "SWITCH_SEGMENTS",
    "content": "SWITCH_CONTENT",
    "environment": "SWITCH_ENVIRONMENT",
    "marked_files": "SWITCH_MARKED_FILES",
}


class Table(Protocol):
    """A map, as far as it is used here."""

    def lookup(self, key: bytes) -> bytes | None:
        """Value under the key, ``None`` if there is none."""

    def update(self, key: bytes, value: bytes) -> None:
        """Write the value."""

    def lookup_percpu(self, key: bytes) -> list[bytes]:
        """One value per possible CPU."""


class Loaded(Protocol):
    """A capture, as far as it is used here."""

    def map(self, name: str) -> Table:
        """The map of this name."""

    def programs(self) -> Mapping[str, ProgramInfo]:
        """Counters of every loaded program by name."""

    def probes(self) -> list[str]:
        """Names of the programs with spare copies."""

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Nobody else changes the capture meanwhile."""


class Control:
    """The policy of one capture, and the wishes for single objects."""

    def __init__(self, capture: Loaded, layout: Layout) -> None:
        """``layout`` is that of the object the capture was loaded from."""
        self.capture = capture
        self.layout = layout

    def policy(self) -> Policy:
        """What is in force now; raises ``KernelError``, as everything here does."""
        return unpack_policy(self.layout, self._policy_bytes())

    def change_policy(self, edit: Callable[[Policy], Policy]) -> Policy:
        """Put what ``edit`` makes of the policy in force; returns it."""
        with self.capture.locked():
            changed = edit(self.policy())
            self._write_policy(changed)
        return changed

    def reset_policy(self, policy: Policy) -> None:
        """Put a policy whatever is in force: a capture that was just loaded has none."""
        with self.capture.locked():
            self._write_policy(policy)

    def policy_hash(self, policy: Policy) -> str:
        """SHA-256 of the policy record, 64 hexadecimal digits: the same for the same policy.

        What only counts up, ends by itself or is past (epoch, generation, adoption, files that have
        been marked, restrictions) is zero in it.
        """
        lasting = policy._replace(
            epoch=0, generation=0, adopt=False, marked_files=False, restrictions=frozenset()
        )
        return hashlib.sha256(pack_policy(self.layout, lasting)).hexdigest().upper()

    def mark_file(self, fd: int, change: Change) -> None:
        """Ask for a change of the file behind an O_PATH descriptor."""
        self._wish("inode_marks", fd, change, self._file_node)

    def mark_process(self, pidfd: int, change: Change) -> None:
        """Ask for a change of the process behind a pidfd."""
        self._wish("task_marks", pidfd, change, self._process_node)

    def record_packets_of(self, rules: Iterable[Rule]) -> None:
        """From now on, of sockets that are given such an address, packets with their content."""
        ways, table = self.layout.enum("prov_way"), self.capture.map("recorded")
        key, value = self._record("prov_recorded_prefix"), self._record("prov_recorded")
        for rule in rules:
            port = int.from_bytes(rule.port.to_bytes(2, "big"), sys.byteorder)
            for way in rule.ways:
                number = ways[f"WAY_{way.upper()}"]
                bits, address = _WAY_BITS + rule.bits, rule.address
                prefix = key.pack({"bits": bits, "way": number, "address": address})
                table.update(prefix, value.pack({"port": port}))

    def hide_recorder(self, pidfd: int) -> None:
        """Record nothing of the recorder, which goes without saying in every recording."""
        change = Change(set=frozenset({OPAQUE}))
        self._wish("task_marks", pidfd, change, self._process_node, told=False)

    def file(self, fd: int) -> Seen:
        """What is known of the file behind an O_PATH descriptor."""
        return self._seen(self._file_node(fd), self._read_wish("inode_marks", fd))

    def process(self, pidfd: int) -> Seen:
        """What is known of the process behind a pidfd: its address space, if it has one."""
        seen = self._seen(self._process_node(pidfd), self._read_wish("task_marks", pidfd))
        task = self._read("tasks", "prov_task", u32(pidfd))
        return seen._replace(kind="process_memory" if task and task["memory"] else "task")

    def task(self, pidfd: int) -> tuple[int, int, bool] | None:
        """(node id, version, whether that has been a source) of the first thread of a process.

        None while the capture has no node for it.
        """
        found = self._read("tasks", "prov_task", u32(pidfd))
        node = _part(found, "node") if found else None
        if node is None or not node["id"]:
            return None
        word, bits = _number(node["word"]), self.layout.enum("prov_word")
        out = bool(word & bits["WORD_OUT"])
        return _number(node["id"]), word >> bits["VERSION_SHIFT"], out

    def _policy_bytes(self) -> bytes:
        record = self.capture.map("policy").lookup(u32(0))
        if record is None:
            raise KernelError("the capture has no policy record")
        return record

    def _write_policy(self, policy: Policy) -> None:
        record = pack_policy(self.layout, remembered(policy))
        self.capture.map("policy").update(u32(0), record)

    def _wish(
        self,
        name: str,
        fd: int,
        change: Change,
        node_of: Callable[[int], dict[str, Value] | None],
        told: bool = True,
    ) -> None:
        """Write the wish, then have every node look its wish up again.

        ``told``: the recording has to say that something was left out, if the wish is to do that.
        """
        with self.capture.locked():
            node = node_of(fd)
            applied = _number(node["applied"]) if node else None
            wish = next_wish(self._read_wish(name, fd), applied, change)
            self.capture.map(name).update(u32(fd), self._pack_wish(wish))
            policy = self.policy()
            hidden = change.set & {OPAQUE} if told else frozenset()
            self._write_policy(
                policy._replace(
                    generation=stepped(policy.generation),
                    marked_files=policy.marked_files or name == "inode_marks",
                    restrictions=policy.restrictions | hidden,
                )
            )

    def _file_node(self, fd: int) -> dict[str, Value] | None:
        return self._read("inodes", "prov_node", u32(fd))

    def _process_node(self, pidfd: int) -> dict[str, Value] | None:
        """The node of the address space, of the thread if there is none.

        Either of them may be the first to take a wish over, and the other follows: what one has
        taken is taken.
        """
        task = self._read("tasks", "prov_task", u32(pidfd))
        if task is None:
            return None
        node = _part(task, "node")
        if not task["memory"]:
            return node
        memory = self._read("memories", "prov_memory", u32(_number(task["memory"])))
        if memory is None:
            return node
        serials = (_number(_part(memory, "node")["applied"]), _number(node["applied"]))
        return _part(memory, "node") | {"applied": max(serials)}

    def _seen(self, node: dict[str, Value] | None, wish: Wish | None) -> Seen:
        if node is None or not node["id"]:
            return Seen(None, 0, marks_after(Marks(), wish, None))
        marks = Marks(_names(self.layout, "prov_mark", node["marks"]), _number(node["taint"]))
        version = _number(node["word"]) >> self.layout.enum("prov_word")["VERSION_SHIFT"]
        shared = _number(node["nature"]) & self.layout.enum("prov_nature")["NATURE_SHARED"]
        now = marks_after(marks, wish, _number(node["applied"]))
        return Seen(_number(node["id"]), version, now, shared=bool(shared))

    def _read_wish(self, name: str, fd: int) -> Wish | None:
        found = self._read(name, "prov_marks", u32(fd))
        if found is None:
            return None
        change = Change(
            _names(self.layout, "prov_mark", found["set"]),
            _names(self.layout, "prov_mark", found["clear"]),
            _number(found["taint"]),
        )
        return Wish(_number(found["serial"]), change)

    def _pack_wish(self, wish: Wish) -> bytes:
        return self._record("prov_marks").pack(
            {
                "serial": wish.serial,
                "set": _bits(self.layout, "prov_mark", wish.change.set),
                "clear": _bits(self.layout, "prov_mark", wish.change.clear),
                "taint": wish.change.taint,
            }
        )

    def _read(self, name: str, record: str, key: bytes) -> dict[str, Value] | None:
        value = self.capture.map(name).lookup(key)
        return None if value is None else self._record(record).unpack(value)

    def _record(self, name: str) -> Record:
        return self.layout.record(name)


@contextlib.contextmanager
def opened() -> Iterator[Control]:
    """The control of the capture that is loaded on this kernel.

    Raises ``SetupError`` if there is none, ``LayoutError`` if another build has loaded it.
    """
    layout = object_layout(loader.read_object(loader.find_object()))
    capture = loader.find_pinned(layout.fingerprint())
    if capture is None:
        raise SetupError(
            "no capture is loaded on this kernel (start one with: provcap record -- COMMAND)"
        )
    with capture:
        yield Control(capture, layout)


def pack_policy(layout: Layout, policy: Policy) -> bytes:
    """The record that the kernel reads."""
    bits = layout.enum("prov_switch")
    switches = sum(bits[name] for field, name in _SWITCHES.items() if getattr(policy, field))
    return layout.record("prov_policy").pack(
        {
            "epoch": policy.epoch,
            "generation": policy.generation,
            "switches": switches,
            "restrictions": _bits(layout, "prov_restriction", policy.restrictions),
            "node_filter": policy.node_filter,
            "relation_filter": _halves(policy.relation_filter),
            "propagate_node_filter": policy.propagate_node_filter,
            "propagate_relation_filter": _halves(policy.propagate_relation_filter),
        }
    )


def unpack_policy(layout: Layout, record: bytes) -> Policy:
    """The inverse of ``pack_policy``."""
    values, bits = layout.record("prov_policy").unpack(record), layout.enum("prov_switch")
    on = {
        field: bool(_number(values["switches"]) & bits[name]) for field, name in _SWITCHES.items()
    }
    return Policy(
        **on,
        epoch=_number(values["epoch"]),
        generation=_number(values["generation"]),
        node_filter=_number(values["node_filter"]),
        relation_filter=_whole(values["relation_filter"]),
        propagate_node_filter=_number(values["propagate_node_filter"]),
        propagate_relation_filter=_whole(values["propagate_relation_filter"]),
        restrictions=_names(layout, "prov_restriction", values["restrictions"]),
    )


def _halves(filter: int) -> tuple[int, int]:
    return filter & (1 << _HALF) - 1, filter >> _HALF


def _whole(halves: Value) -> int:
    assert isinstance(halves, tuple)
    return _number(halves[0]) | _number(halves[1]) << _HALF


def _bits(layout: Layout, enum: str, names: frozenset[str]) -> int:
    return sum(bit for name, bit in layout.enum(enum).items() if _plain(name) in names)


def _names(layout: Layout, enum: str, bits: Value) -> frozenset[str]:
    values = layout.enum(enum).items()
    return frozenset(_plain(name) for name, bit in values if _number(bits) & bit)


def _plain(enumerator: str) -> str:
    """``opaque_program`` for ``MARK_OPAQUE_PROGRAM``."""
    return enumerator.partition("_")[2].lower()


def _part(values: dict[str, Value], name: str) -> dict[str, Value]:
    """The fields of a structure within a record, without its name in front."""
    prefix = f"{name}."
    found = ((key, value) for key, value in values.items() if key.startswith(prefix))
    return {key.removeprefix(prefix): value for key, value in found}


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise KernelError(f"the capture gave {value!r} where a number belongs")
    return value
