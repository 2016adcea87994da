"""A capture without a kernel: maps in memory, and a kernel's part that is played on request."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from provcap.bpf.layout import Layout, Value
from provcap.policy.apply import Control

FIRST_ID = 124010


class Info(NamedTuple):
    """What is asked of a loaded program."""

    recursion_misses: int


class FakeMap:
    """Values by key; a storage map finds its object through the descriptor in the key."""

    def __init__(self, object_of: Callable[[bytes], Any] = bytes) -> None:
        self._object_of = object_of
        self.values: dict[Any, bytes] = {}

    def lookup(self, key: bytes) -> bytes | None:
        return self.values.get(self._object_of(key))

    def update(self, key: bytes, value: bytes) -> None:
        self.values[self._object_of(key)] = value

    def lookup_percpu(self, key: bytes) -> list[bytes]:
        value = self.lookup(key)
        return [value, value] if value else []


class FakeCapture:
    """Two CPUs, and the policy of a capture that has just begun."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.locks = 0
        self.maps = {name: FakeMap() for name in ("policy", "memories", "cpus")}
        self.maps |= {name: FakeMap(_inode) for name in ("inodes", "inode_marks")}
        self.maps |= {name: FakeMap(_process) for name in ("tasks", "task_marks")}
        policy = {"epoch": 1, "generation": 1, "switches": 12, "relation_filter": (0, 0)}
        policy |= {"propagate_node_filter": 1 << 8, "propagate_relation_filter": (0, 0)}
        self.write("policy", "prov_policy", bytes(4), policy)
        self.count()

    def map(self, name: str) -> FakeMap:
        return self.maps[name]

    def programs(self) -> dict[str, Info]:
        return {"file_open": Info(2), "task_alloc": Info(0)}

    def probes(self) -> list[str]:
        return []

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        self.locks += 1
        yield

    def write(self, name: str, record: str, key: bytes, values: dict[str, Value]) -> None:
        self.map(name).update(key, self.layout.record(record).pack(values))

    def read(self, name: str, record: str, key: bytes) -> dict[str, Value]:
        value = self.map(name).lookup(key)
        assert value is not None
        return self.layout.record(record).unpack(value)

    def policy(self) -> dict[str, Value]:
        return self.read("policy", "prov_policy", bytes(4))

    def count(self, seq: int = 0, **counts: int) -> None:
        """Counters of both CPUs, by name."""
        causes = self.layout.enum("prov_counter")
        values = [0] * (len(causes) - 1)
        for name, value in counts.items():
            values[causes[f"COUNT_{name.upper()}"]] = value
        self.write("cpus", "prov_cpu", bytes(4), {"seq": seq, "counts": tuple(values)})

    def see_file(self, path: str, **node: int) -> None:
        """Give the file a node, as the first hook that sees it does."""
        with _descriptor(os.open(path, os.O_PATH)) as key:
            self.write("inodes", "prov_node", key, {"word": 11 << 32 | 2, "id": FIRST_ID} | node)

    def see_process(self, pid: int, memory: int = 1, **node: int) -> None:
        """Give the process a node, and its address space another one with the next id."""
        known = {"word": 3 << 32 | 2, "id": FIRST_ID + 1} | node
        own = {f"node.{name}": value for name, value in known.items()}
        with _descriptor(os.pidfd_open(pid)) as key:
            self.write("tasks", "prov_task", key, own | {"memory": memory})
        shared = {**own, "node.id": FIRST_ID + 2}
        self.write("memories", "prov_memory", memory.to_bytes(4, sys.byteorder), shared)

    def take_over(self, path: str) -> None:
        """What the kernel does when it next meets a file whose wish is new."""
        with _descriptor(os.open(path, os.O_PATH)) as key:
            node = self.read("inodes", "prov_node", key)
            wish = self.read("inode_marks", "prov_marks", key)
            if node["applied"] != wish["serial"]:
                node["marks"] = node["marks"] & ~wish["clear"] | wish["set"]
                node["taint"] |= wish["taint"]
                node["applied"] = wish["serial"]
            self.write("inodes", "prov_node", key, node)


@contextlib.contextmanager
def connected(capture: FakeCapture) -> Iterator[Control]:
    """What the command gets in place of the capture that is loaded."""
    yield Control(capture, capture.layout)


@contextlib.contextmanager
def _descriptor(fd: int) -> Iterator[bytes]:
    try:
        yield fd.to_bytes(4, sys.byteorder)
    finally:
        os.close(fd)


def _inode(key: bytes) -> tuple[int, int]:
    status = os.fstat(int.from_bytes(key, sys.byteorder))
    return status.st_dev, status.st_ino


def _process(key: bytes) -> str:
    about = Path(f"/proc/self/fdinfo/{int.from_bytes(key, sys.byteorder)}").read_text()
    return next(line for line in about.splitlines() if line.startswith("Pid:"))
