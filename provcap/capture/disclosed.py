"""What applications disclosed, as the recorder accepted it: records beside those of the kernel.

They stand in blocks of their own in the raw recording, one JSON list per line. Ids, versions and
writers are the recorder's work (``services/ledger.py``); an application has no say in them.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from provcap.errors import RecordingError
from provcap.records import Writer
from provcap.vocabulary import KINDS, RELATIONS

CPU = 0xFFFF  #: in the upper 16 bits of a disclosed node's id: no CPU of a kernel has this number
CPU_SHIFT = 48
NODE_KINDS = ("disc_entity", "disc_activity", "disc_agent", "string")
EDGE_RELATIONS = (
    *("used_disc", "generated_disc", "informed_disc"),
    *("derived_disc", "influenced_disc", "associated_disc", "log"),
)

_KIND = {kind.name: number for number, kind in enumerate(KINDS)}
_RELATION = {relation.name: number for number, relation in enumerate(RELATIONS)}
_TASK = _KIND["task"]
_KINDS = frozenset(_KIND[name] for name in NODE_KINDS)
_RELATIONS = frozenset(_RELATION[name] for name in EDGE_RELATIONS)


class DisclosedNode(NamedTuple):
    """An entity, activity, agent or log line; ``task`` is the node id of who wrote it, or 0.

    ``attributes``: ``label`` and ``disclosed`` (key -> text, number or flag), or ``log``.
    """

    at_ns: int
    seq: int
    cpu: int
    kind: int
    id: int
    epoch: int
    writer: Writer
    task: int
    task_version: int
    attributes: Mapping[str, Any]


class DisclosedEdge(NamedTuple):
    """A relation; an end is a disclosed node, or the task of the writer."""

    at_ns: int
    seq: int
    cpu: int
    relation: int
    source: int
    target: int
    source_version: int
    target_version: int
    source_kind: int
    target_kind: int
    epoch: int
    writer: Writer
    task: int


Disclosed = DisclosedNode | DisclosedEdge


def pack(records: Iterable[Disclosed]) -> bytes:
    """The payload of a block."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def parse(payload: bytes) -> list[Disclosed]:
    """Inverse of ``pack``; RecordingError for what no recorder writes."""
    try:
        return [_parse(json.loads(line)) for line in payload.splitlines()]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RecordingError("what was disclosed is damaged in the recording") from error


def is_disclosed(id: int) -> bool:
    """Whether a node id is of those that only the recorder gives."""
    return id >> CPU_SHIFT == CPU


def _parse(line: Any) -> Disclosed:
    if len(line) == len(DisclosedNode._fields):
        *head, writer, task, task_version, attributes = line
        rest = (Writer._make(writer), task, task_version, _attributes(attributes))
        node = DisclosedNode._make((*head, *rest))
        _require_numbers((*head, *node.writer, task, task_version))
        _require_fit(node, task_version)
        _require(node.kind in _KINDS and is_disclosed(node.id))
        return node
    *head, writer, task = line
    edge = DisclosedEdge._make((*head, Writer._make(writer), task))
    _require_numbers((*head, *edge.writer, task))
    _require_fit(edge, edge.source_version, edge.target_version)
    _require(edge.relation in _RELATIONS)
    _require(_is_end(edge.source_kind, edge.source) and _is_end(edge.target_kind, edge.target))
    return edge


def _attributes(value: Mapping[str, Any]) -> dict[str, Any]:
    """A log line as bytes, as other texts are; of the rest only what the ledger lets in."""
    if "log" in value:
        return {"log": value["log"].encode()}
    members = dict(value["disclosed"].items())
    _require(all(type(key) is str and is_scalar(member) for key, member in members.items()))
    value["label"].encode()
    return {"label": value["label"], "disclosed": members}


def is_scalar(value: object) -> bool:
    """Whether PROV-JSON and every reader can hold the value: text, a flag, a number of 64 bits."""
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and -(1 << 63) <= value < 1 << 63


def _is_end(kind: int, id: int) -> bool:
    """Never a kernel node but a task, and never one of the kernel's ids on a disclosed node."""
    return kind == _TASK and not is_disclosed(id) or kind in _KINDS and is_disclosed(id)


def _require_numbers(numbers: Iterable[object]) -> None:
    _require(all(type(number) is int and 0 <= number < 1 << 64 for number in numbers))


def _require_fit(record: Disclosed, *versions: int) -> None:
    """Versions and epochs have 32 bits in an identifier and in the formats."""
    _require(record.cpu == CPU and max(record.epoch, *versions) < 1 << 32)


def _require(sound: bool) -> None:
    if not sound:
        raise ValueError("not a disclosed record")
