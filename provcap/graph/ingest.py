"""Read a W3C log (one PROV-JSON document per line) into a ``Graph``.

``load`` is the way in. A log may be ours or CamFlow's; relations may stand before the nodes they
name, and a node may be described many times.
"""

import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from provcap.errors import RecordingError, TruncatedError
from provcap.graph import continued, segments, words
from provcap.graph.model import NO_TIME, Graph

KEPT_CONTRADICTIONS = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_NS = 1 << 62  # about the year 2116


def load(path: str, intact_only: bool = False) -> Graph:
    """Read a log: a file, a file ending in ``.gz``, or ``-`` for standard input.

    With ``intact_only`` lines that cannot be read are skipped and noted in ``graph.damage``.
    Raises TruncatedError when the last line is cut, RecordingError for anything else unreadable;
    both name the file and the line.
    """
    with _opened(path) as stream:
        return read(stream, "standard input" if path == "-" else path, intact_only)


def read(lines: Iterable[bytes], source: str, intact_only: bool = False) -> Graph:
    """Read the lines of a log; ``source`` names it in messages. Raises as ``load`` does."""
    graph = Graph(source)
    _read_into(_Reader(graph), lines, source, intact_only)
    segments.join(graph)
    return graph


def _read_into(reader: "_Reader", lines: Iterable[bytes], source: str, intact_only: bool) -> None:
    graph, before = reader.graph, reader.graph.documents
    try:
        for number, line in enumerate(lines, 1):
            if number == 1 and line.startswith(_RAW):
                raise RecordingError(
                    f"{source}: this is a raw recording: make a log of it with "
                    "provcap replay FILE --out LOG"
                )
            if line.strip():
                _read_line(reader, line, f"{source}:{number}", intact_only)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        _damaged(graph, TruncatedError(f"{source}: {error}; {_REMEDY}"), intact_only)
    if graph.documents == before:
        raise RecordingError(f"{(graph.damage or [source])[-1]}: no PROV document in it")


_RAW = b"PROVCAP\x00"  # how audit.raw begins
_REMEDY = "--intact uses what can be read"


def load_all(paths: Sequence[str], intact_only: bool = False) -> Graph:
    """Read several logs, of several boots or machines, as one graph; as ``load`` does.

    A file that one boot left and another found is one (``continued.join``), and the packets of one
    machine lead to those of another that have the same bytes (``segments.join``).
    """
    graph = Graph(", ".join("standard input" if path == "-" else path for path in paths))
    reader = _Reader(graph)
    for path in paths:
        with _opened(path) as stream:
            _read_into(reader, stream, "standard input" if path == "-" else path, intact_only)
    continued.join(graph)
    segments.join(graph)
    return graph


def _read_line(reader: "_Reader", line: bytes, place: str, intact_only: bool) -> None:
    try:
        document = json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as error:
        if not line.endswith(b"\n"):
            problem: RecordingError = TruncatedError(
                f"{place}: the line is cut off (is the recorder still writing?); {_REMEDY}"
            )
        else:
            problem = RecordingError(f"{place}: not a JSON document ({error}); {_REMEDY}")
        return _damaged(reader.graph, problem, intact_only)
    try:
        return reader.document(document)
    except _BadRecord as error:
        problem = RecordingError(f"{place}: {error}; {_REMEDY}")
        return _damaged(reader.graph, problem, intact_only)


def _damaged(graph: Graph, problem: RecordingError, intact_only: bool) -> None:
    if not intact_only:
        raise problem
    graph.damage.append(str(problem).removesuffix(f"; {_REMEDY}"))


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    try:
        if path == "-":
            yield sys.stdin.buffer
        elif path.endswith(".gz"):
            with gzip.open(path) as packed:
                yield io.BufferedReader(packed)
        else:
            with Path(path).open("rb") as stream:
                yield stream
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror or error}; give the log's path") from error


class _BadRecord(Exception):
    """A document that is JSON but not a PROV document; the text says what is wrong in it."""


class _Reader:
    """Adds documents to a graph; keeps the tables that only reading needs."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.objects: dict[bytes, int] = {}
        self.kinds: dict[str, int] = {}
        self.relations: dict[tuple[str, str], int] = {}
        self.flows: list[int] = []  # of each relation number, by the vocabulary
        self.seconds: dict[str, int] = {}  # "2024-01-02T03:04:05" -> ns, the last few

    def document(self, document: Any) -> None:
        """Add one document, or raise _BadRecord before anything of it is added."""
        _check_shape(document)
        for section, prov_class in words.SECTION_CLASS.items():
            for identifier, attributes in _records(document, section):
                self._define(identifier, prov_class, attributes)
        for section, ends in words.SECTIONS.items():
            for identifier, attributes in _records(document, section):
                self._relate(section, ends, identifier, attributes)
        self.graph.documents += 1

    def _relate(
        self, section: str, ends: words.Ends, identifier: str, attributes: dict[str, Any]
    ) -> None:
        graph = self.graph
        sender, receiver = attributes[ends.sender], attributes[ends.receiver]
        name = attributes.get("prov:type") or attributes.get("prov:label") or section
        relation = self._relation(name if type(name) is str else _plain(name), section)
        flow = _plain(attributes.get("cf:flow", ""))
        number = graph.number
        graph.sender.append(number[sender] if sender in number else self._node(sender))
        graph.receiver.append(number[receiver] if receiver in number else self._node(receiver))
        graph.relation_number.append(relation)
        if attributes.get("cf:allowed") == "false":
            flow = "control"  # refused: nothing was handed over
        graph.flow.append(words.FLOWS.get(flow, 0) or self.flows[relation])
        when = attributes.get("prov:time") or attributes.get("cf:time")
        graph.at_ns.append(self._time(when) if when else NO_TIME)
        graph.edge_key.append(hash(identifier))

    def _relation(self, name: str, section: str) -> int:
        name = name.removeprefix("cf:")
        found = self.relations.get((name, section))
        if found is None:
            found = self.relations[name, section] = len(self.relations)
            self.graph.relations.append((name, section))
            default = words.INFLUENCE if section == "wasInfluencedBy" else words.DATA
            self.flows.append(words.RELATIONS.get(name, ("", default))[1])
        return found

    def _node(self, identifier: str, prov_class: int = 0, kind: str = "unknown") -> int:
        """Return the number of a new node; class and kind are used if the identifier tells none."""
        graph = self.graph
        word = words.decode(identifier) or words.Word(
            kind, prov_class, 0, 0, identifier.encode("utf-8", "surrogateescape")
        )
        node = graph.number[identifier] = len(graph.identifiers)
        graph.identifiers.append(identifier)
        graph.object_of.append(self._object(word))
        graph.version_of.append(word.version)
        graph.kind_number.append(self._kind(word.kind))
        graph.class_of.append(word.prov_class)
        graph.defined.append(0)
        return node

    def _object(self, word: words.Word) -> int:
        found = self.objects.get(word.object_key)
        if found is None:
            found = self.objects[word.object_key] = len(self.objects)
            self.graph.object_id.append(word.id)
        return found

    def _kind(self, kind: str) -> int:
        found = self.kinds.get(kind)
        if found is None:
            found = self.kinds[kind] = len(self.kinds)
            self.graph.kinds.append(kind)
        return found

    def _define(self, identifier: str, prov_class: int, attributes: dict[str, Any]) -> None:
        graph = self.graph
        kind = _plain(attributes.get("prov:type", "")).removeprefix("cf:")
        node = graph.number.get(identifier)
        if node is None:
            node = self._node(identifier, prov_class, kind or "unknown")
        if not graph.class_of[node]:  # seen before, but only as the end of a relation
            graph.class_of[node] = prov_class
            graph.kind_number[node] = self._kind(kind or "unknown")
        graph.defined[node] = 1
        self._check_kind(node, kind, prov_class)
        self._describe(node, attributes)

    def _check_kind(self, node: int, kind: str, prov_class: int) -> None:
        known = self.graph.kind(node)
        if kind and kind != known:
            self._contradiction(node, "prov:type", known, kind)
        if prov_class != self.graph.class_of[node]:
            was = words.CLASS_NAMES[self.graph.class_of[node]]
            self._contradiction(node, "section", was, words.CLASS_NAMES[prov_class])

    def _describe(self, node: int, attributes: dict[str, Any]) -> None:
        """Keep what is shown of a node; what cannot change in an object's life must not differ."""
        graph = self.graph
        obj = graph.object_of[node]
        if graph.kind(node) in words.DISCLOSED_KINDS:
            self._describe_disclosed(node, attributes)
            return
        if name := attributes.get("cf:name"):
            graph.paths[obj] = _plain(name)
        if comm := attributes.get("cf:comm"):
            graph.comms[obj] = _plain(comm)
        if inode := _count(attributes.get("cf:ino")):
            self._settle(node, "cf:ino", graph.inodes, inode)
        if key := attributes.get("cf:file_key"):
            graph.file_keys[obj] = _plain(key)
        if pid := _count(attributes.get("cf:pid")):
            self._settle(node, "cf:pid", graph.pids, pid)
        if tgid := _count(attributes.get("cf:tgid")):
            graph.tgids[obj] = tgid  # CamFlow writes that of the last user: it may change
        if text := _own_text(attributes):
            self._settle(node, "text", graph.texts, text)
        if change := _change(graph.kind(node), attributes):
            graph.changes[obj] = change
        if "cf:sender" in attributes and "cf:receiver" in attributes:
            ends = _plain(attributes["cf:sender"]), _plain(attributes["cf:receiver"])
            self._settle(node, "ends", graph.links, ends)
        if payload := _count(attributes.get("cf:payload")):
            self._describe_segment(obj, _count(attributes.get("cf:sequence")), payload)
        if graph.kind(node) == "machine":
            graph.accounts.setdefault(obj, {})
            if "cf:complete" in attributes:  # each account replaces the one before
                texts = {key.removeprefix("cf:"): _plain(v) for key, v in attributes.items()}
                graph.accounts[obj] = texts | {"complete": texts["complete"].lower()}

    def _describe_segment(self, obj: int, first: int, payload: int) -> None:
        """Two machines may know it as one: as it was sent, and merged with those that follow it."""
        _, known = self.graph.bytes_of.get(obj, (first, payload))
        self.graph.bytes_of[obj] = first, max(known, payload)
        if known != payload:
            self.graph.merged.add(obj)

    def _describe_disclosed(self, node: int, attributes: dict[str, Any]) -> None:
        """Only the label: the other keys were the application's choice, and mean nothing here."""
        if label := _plain(attributes.get("prov:label", "")):
            self._settle(node, "text", self.graph.texts, label)

    def _settle(self, node: int, what: str, table: dict[int, Any], value: Any) -> None:
        known = table.setdefault(self.graph.object_of[node], value)
        if known != value:
            self._contradiction(node, what, known, value)

    def _contradiction(self, node: int, what: str, first: object, then: object) -> None:
        graph = self.graph
        graph.contradiction_count += 1
        if len(graph.contradictions) < KEPT_CONTRADICTIONS:
            graph.contradictions.append(
                f"{graph.identifiers[node]}: {what} is {first!r} and {then!r}"
            )

    def _time(self, value: object) -> int:
        """Return nanoseconds since 1970 for an ISO 8601 time, NO_TIME if it is none."""
        text = _plain(value)
        base = self.seconds.get(text[:19])
        fraction = text[20:-1]
        is_utc = text[-1:] == "Z" and text[19:20] == "."
        if base is not None and is_utc and fraction.isdecimal():
            return base + int(fraction[:9].ljust(9, "0"))
        return self._slow_time(text)

    def _slow_time(self, text: str) -> int:
        """Parse any ISO time, and remember its second if it is given in UTC with a ``Z``."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return NO_TIME
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        at_ns = (moment - _EPOCH) // timedelta(microseconds=1) * 1000
        if not 0 < at_ns < _LAST_NS:
            return NO_TIME
        if text[19:20] != "." or text[-1:] != "Z":
            return at_ns
        if len(self.seconds) > 64:
            self.seconds.clear()
        self.seconds[text[:19]] = at_ns - moment.microsecond * 1000
        return at_ns + int(text[26:-1][:3].ljust(3, "0"))


def _records(document: dict[str, Any], section: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for identifier, value in document.get(section, {}).items():
        if type(value) is dict:
            yield identifier, value
        else:  # PROV-JSON: several records may share one identifier
            for one in value:
                yield identifier, one


def _check_shape(document: Any) -> None:
    """Raise _BadRecord unless every record has the shape that the rest relies on."""
    if not isinstance(document, dict):
        raise _BadRecord("not a PROV document (a JSON object is expected)")
    for section in (*words.SECTION_CLASS, *words.SECTIONS):
        records = document.get(section, {})
        if not isinstance(records, dict):
            raise _BadRecord(f'section "{section}" is not an object')
        for identifier, value in records.items():
            for record in value if isinstance(value, list) else (value,):
                _check_record(section, identifier, record)


def _check_record(section: str, identifier: str, record: Any) -> None:
    if not isinstance(record, dict):
        raise _BadRecord(f'"{section}" {identifier!r} is not an object')
    ends = words.SECTIONS.get(section)
    for key in ends[:2] if ends else ():
        if type(record.get(key)) is not str:
            raise _BadRecord(f'"{section}" {identifier!r} has no {key}')


def _plain(value: object) -> str:
    """Return the text of an attribute: a string, a number, or a typed literal of PROV-JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("$")
    return str(value) if isinstance(value, str | int | float) else ""


def _count(value: object) -> int:
    """Return a number that may be written as a string; 0 if it is none."""
    if value is None:
        return 0
    try:
        return int(_plain(value))
    except ValueError:
        return 0


_MODE, _UID, _GID, _SIZE, _TIMES = 0x1, 0x2, 0x4, 0x8, 0x30  # of the kernel's ATTR_* bits


def _change(kind: str, attributes: dict[str, Any]) -> str:
    """Return what a change of attributes set: ``mode 0600``, ``owner 0, group 4``, a name."""
    if kind == "xattr":
        return _plain(attributes.get("cf:name"))
    valid = _hex(attributes.get("cf:valid")) if kind == "iattr" else 0
    parts = {
        f"mode {_hex(attributes.get('cf:mode')) & 0o7777:04o}": valid & _MODE,
        f"owner {_plain(attributes.get('cf:uid'))}": valid & _UID,
        f"group {_plain(attributes.get('cf:gid'))}": valid & _GID,
        f"size {_plain(attributes.get('cf:size'))}": valid & _SIZE,
        "times": valid & _TIMES and not valid & _SIZE,
    }
    return ", ".join(part for part, was_set in parts.items() if was_set)


def _hex(value: object) -> int:
    """Return a number written as ``0x1f``; 0 if it is none."""
    try:
        return int(_plain(value), 16)
    except ValueError:
        return 0


def _own_text(attributes: dict[str, Any]) -> str:
    for key in ("cf:pathname", "cf:value", "cf:log"):
        if key in attributes:
            return _plain(attributes[key])
    address = attributes.get("cf:address")
    if isinstance(address, dict) and "$" not in address:  # CamFlow's own form
        return _address(address.get("host"), address.get("service"), address.get("path"))
    if "cf:addr_host" in attributes or "cf:addr_path" in attributes:
        text = _address(*(attributes.get(f"cf:addr_{part}") for part in ("host", "port", "path")))
        return f"@{text}" if "cf:addr_abstract" in attributes else text
    return _plain(address) if address is not None else ""


def _address(host: object, port: object, path: object) -> str:
    if path is not None:
        return _plain(path)  # of a unix socket
    if host is None:
        return ""
    text = _plain(host)
    text = f"[{text}]" if ":" in text else text
    return text if port is None else f"{text}:{_plain(port)}"
