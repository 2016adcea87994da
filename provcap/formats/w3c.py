"""W3C PROV-JSON with CamFlow's keys: one line, one document that the ``prov`` library loads alone.

CamFlow's keys come first and in CamFlow's order; ours stand behind ``prov:label``. Every key has
a row in docs/reference/w3c.md, which also says what was repaired.
"""

import base64
import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from provcap.formats.address import Address, endpoint, parse
from provcap.formats.text import quoted, text_of
from provcap.records import Edge, Identifier, Node, Origin, PacketIdentifier, Record, Writer
from provcap.vocabulary import ENDS, KIND

SECTIONS = (
    *("activity", "agent", "entity"),
    *("used", "wasGeneratedBy", "wasInformedBy"),
    *("wasAssociatedWith", "wasInfluencedBy", "wasDerivedFrom"),
)
PREFIX = '"prefix":{"prov":"http://www.w3.org/ns/prov#","cf":"http://www.camflow.org/"}'

_TICK_NS = 4_000_000  # jiffies are told as if CONFIG_HZ=250, counted from boot
_UNSET = 0xFFFFFFFF
_EPOCH = datetime.datetime(1970, 1, 1)

_TIMED = ("used", "wasGeneratedBy")  # the only ones that PROV gives a time
_ENDS = {
    section: (*ends, "prov:time" if section in _TIMED else "cf:time")
    for section, ends in ENDS.items()
}


def make(origin: Origin) -> "W3c":
    """The format for one stream."""
    return W3c(origin.wall_offset_ns)


class W3c:
    """Writes documents of at most ``limit`` records, so that no line grows without end."""

    def __init__(self, wall_offset_ns: int, limit: int = 512) -> None:
        """``wall_offset_ns`` + boot-time nanoseconds = nanoseconds since 1970."""
        self._limit = limit
        self._clock = _Clock(wall_offset_ns)

    def encode(self, records: Sequence[Record]) -> list[bytes]:
        """One line of JSON per document.

        A record that says something else about an identifier that the document already has begins a
        new document, because a JSON object cannot hold one key twice.
        """
        documents: list[bytes] = []
        sections: dict[str, dict[str, str]] = {name: {} for name in SECTIONS}
        held = 0
        for record in records:
            section, key, body = self._one(record)
            known = sections[section].get(key)
            if known == body:
                continue
            if known is not None or held == self._limit:
                documents.append(_document(sections))
                sections, held = {name: {} for name in SECTIONS}, 0
            sections[section][key] = body
            held += 1
        if held:
            documents.append(_document(sections))
        return documents

    def _one(self, record: Record) -> tuple[str, str, str]:
        """(section, identifier, JSON members) of one record."""
        if isinstance(record, Edge):
            key = f"cf:{record.id.text}"  # asked for once: not worth a place in the cache
            return record.section, key, self._edge(record)
        section = KIND[record.kind].prov_class
        return section, _reference(record.identifier), self._node(record)

    def _edge(self, edge: Edge) -> str:
        sender, receiver, time_key = _ENDS[edge.section]
        date, time = self._clock.at(edge.at_ns)
        id = edge.id
        offset = f'"cf:offset":"{edge.offset}",' if edge.offset and edge.offset > 0 else ""
        return (
            f'"cf:id":"{id.id}","prov:type":"{edge.relation}","cf:boot_id":{id.boot_id},'
            f'"cf:machine_id":"cf:{id.machine_id}","cf:date":"{date}",'
            f'"cf:jiffies":"{edge.at_ns // _TICK_NS}","cf:epoch":{edge.epoch},'
            f'"prov:label":"{edge.relation}","cf:allowed":"{"true" if edge.allowed else "false"}",'
            f'"{sender}":"{_reference(edge.sender)}","{receiver}":"{_reference(edge.receiver)}",'
            f'{offset}"cf:flags":"{edge.flags:x}","cf:task_id":"{edge.task_id}",'
            f'"{time_key}":"{time}","cf:flow":"{edge.flow}","cf:outcome":"{edge.outcome}"'
            f"{_writer(edge.writer) if edge.writer else ''}"
        )

    def _node(self, node: Node) -> str:
        date, time = self._clock.at(node.at_ns)
        if isinstance(node.identifier, PacketIdentifier):
            return _packet(node, node.identifier, time)
        id = node.identifier
        before, after = _members(node)
        return (
            f'"cf:id":"{id.id}","prov:type":"{node.kind}","cf:boot_id":{id.boot_id},'
            f'"cf:machine_id":"cf:{id.machine_id}","cf:version":{id.version},'
            f'"cf:date":"{date}","cf:taint":"{node.taint:x}",'
            f'"cf:jiffies":"{node.at_ns // _TICK_NS}","cf:epoch":{node.epoch}'
            f'{before}{_label(node)},"cf:time":"{time}"{after}'
        )


class _Clock:
    """Times as text; what is the same for a whole second is made once."""

    def __init__(self, wall_offset_ns: int) -> None:
        self._offset_ns = wall_offset_ns
        self._second = -(2**63)
        self._date = self._time = ""

    def at(self, at_ns: int) -> tuple[str, str]:
        """(CamFlow's date, ISO 8601 with nanoseconds and Z), both UTC."""
        second, rest = divmod(at_ns + self._offset_ns, 1_000_000_000)
        if second != self._second:
            moment = _EPOCH + datetime.timedelta(seconds=second)
            self._second, self._time = second, moment.isoformat()
            self._date = self._time.replace("-", ":")
        return self._date, f"{self._time}.{rest:09d}Z"


# How values are written: a converter returns JSON, or "" where the key is left out.


def _text(value: bytes | str) -> str:
    return quoted(value if isinstance(value, str) else text_of(value)) if value else ""


def _c_string(value: bytes) -> str:
    return _text(value.split(b"\0", 1)[0])


def _unless_unset(value: int) -> str:
    return "" if value == _UNSET else str(value)


def _boolean(value: bool) -> str:
    return '"true"' if value else '"false"'


def _if_true(value: bool) -> str:
    return '"true"' if value else ""


def _if_some(value: int) -> str:
    return str(value) if value else ""


def _uuid(value: bytes) -> str:
    digits = value.hex()
    groups = digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]
    return f'"{"-".join(groups)}"'


def _base64(value: bytes) -> str:
    return f'"{base64.b64encode(value).decode()}"'


def _identifier(value: Identifier) -> str:
    return f'"{_reference(value)}"'


class _Key(NamedTuple):
    """A JSON key, the attribute that it tells, and how: a template, or a converter."""

    json: str
    attribute: str
    form: str | Callable[[Any], str]


_NUMBER, _DECIMAL, _HEX = "%({})d", '"%({})d"', '"0x%({})x"'


def _numbers(*names: str) -> tuple[_Key, ...]:
    return tuple(_Key(f"cf:{name}", name, _NUMBER) for name in names)


_NAME = _Key("cf:name", "name", _text)
_SECCTX = _Key("cf:secctx", "secctx", _text)
_TRUNCATED = _Key("cf:truncated", "truncated", _boolean)
_INODE = (
    *(_NAME, *_numbers("uid", "gid"), _Key("cf:mode", "mode", _HEX), _SECCTX),
    *(*_numbers("ino"), _Key("cf:uuid", "uuid", _uuid)),
)

CAMFLOW: Mapping[str, Sequence[_Key]] = {
    "task": (
        *(_NAME, *_numbers("pid", "vpid")),
        *(_Key("cf:utime", "utime_us", _DECIMAL), _Key("cf:stime", "stime_us", _DECIMAL)),
        *(_Key("cf:vm", "vm_kib", _DECIMAL), _Key("cf:rss", "rss_kib", _DECIMAL)),
        *(_Key("cf:hw_vm", "hw_vm_kib", _DECIMAL), _Key("cf:hw_rss", "hw_rss_kib", _DECIMAL)),
        _Key("cf:rbytes", "read_bytes", _DECIMAL),
        _Key("cf:wbytes", "write_bytes", _DECIMAL),
        _Key("cf:cancel_wbytes", "cancel_write_bytes", _DECIMAL),
        *_numbers("utsns", "ipcns", "mntns", "pidns", "netns", "cgroupns"),
    ),
    "process_memory": (_NAME, *_numbers("uid", "gid", "tgid"), _SECCTX),
    "iattr": (
        *(_Key("cf:valid", "valid", _HEX), _Key("cf:mode", "mode", _HEX)),
        *_numbers("uid", "gid"),
        *(_Key(f"cf:{name}", name, _DECIMAL) for name in ("size", "atime", "ctime", "mtime")),
    ),
    "xattr": (_NAME, _Key("cf:size", "size", _if_some)),
    "packet_content": (*(_Key("cf:content", "content", _base64), *_numbers("length"), _TRUNCATED),),
    "shm": (_Key("cf:mode", "mode", _HEX),),
    "sb": (_Key("cf:uuid", "uuid", _uuid),),
    "string": (_Key("cf:hasParent", "parent", _identifier), _Key("cf:log", "log", _text)),
    "path": (_Key("cf:pathname", "pathname", _text),),
    "address": (_Key("cf:address", "address", lambda raw: _address(raw)),),
    "argv": (_Key("cf:value", "value", _text), _TRUNCATED),
    "envp": (_Key("cf:value", "value", _text), _TRUNCATED),
    **dict.fromkeys(
        ("disc_entity", "disc_activity", "disc_agent"),
        (_Key("cf:hasParent", "parent", _identifier),),
    ),
    "machine": (
        *(_Key(f"cf:u_{name}", name, _text) for name in ("sysname", "nodename", "release")),
        *(_Key(f"cf:u_{name}", name, _text) for name in ("version", "machine", "domainname")),
        *(_Key(f"cf:{name}", name, _text) for name in ("k_version", "k_commit")),
        *(_Key(f"cf:{name}", name, _text) for name in ("l_version", "l_commit")),
    ),
    **dict.fromkeys(
        ("inode_unknown", "link", "file", "directory", "char", "block", "pipe", "socket"), _INODE
    ),
}

_INODE_MORE = (
    _Key("cf:size", "size", _DECIMAL),
    *_numbers("dev", "rdev", "generation"),
    _Key("cf:fs_magic", "magic", _HEX),
)

_SEGMENT = (
    _Key("cf:sequence", "sequence", lambda raw: str(_from_wire(raw, 4))),
    _Key("cf:payload", "payload", _NUMBER),
)
_IP_ID = _Key("cf:ip_id", "ip_id", lambda raw: str(_from_wire(raw, 2)))

OURS: Mapping[str, Sequence[_Key]] = {
    "task": (
        *_numbers("tgid", "ppid", "uid", "gid", "euid", "egid"),
        _Key("cf:loginuid", "loginuid", _unless_unset),
        _Key("cf:sessionid", "sessionid", _unless_unset),
        *_numbers("userns", "tty", "cwd_dev"),
        _Key("cf:capabilities", "capabilities", _HEX),
        *(_Key(f"cf:{name}", name, _DECIMAL) for name in ("cwd_ino", "cgroup", "start_ns")),
        _Key("cf:memory_id", "memory", _DECIMAL),
        _Key("cf:comm", "comm", _c_string),
    ),
    "process_memory": (_Key("cf:exe_ino", "exe_ino", _DECIMAL), *_numbers("exe_dev")),
    **dict.fromkeys(
        ("inode_unknown", "link", "file", "directory", "char", "block", "pipe"), _INODE_MORE
    ),
    "socket": (*_INODE_MORE, *_numbers("family", "type", "protocol", "netns")),
    "stream": _numbers("netns"),
    "packet": (*_numbers("protocol", "netns"), *_SEGMENT, _IP_ID),
    "packet6": (*_numbers("len", "protocol", "netns"), *_SEGMENT),
    "msg": (
        *(_Key(f"cf:{name}", name, _DECIMAL) for name in ("type", "size", "queue")),
        *_numbers("dev", "key"),
    ),
    "shm": (*_numbers("segment", "key", "uid", "gid"), _Key("cf:size", "size", _DECIMAL)),
    "eventfd": (*_numbers("number"), _Key("cf:flags", "flags", _HEX)),
    "path": (_Key("cf:truncated", "truncated", _if_true),),
    "argv": (_Key("cf:late", "late", _if_true),),
    "xattr": (_Key("cf:value", "value", _text), _Key("cf:truncated", "truncated", _if_true)),
    "machine": (_Key("cf:complete", "complete", _boolean),),
}

# file systems that keep inode number and generation on the disk: ext2 to ext4, XFS, F2FS
_LASTING = frozenset((0xEF53, 0x58465342, 0xF2F52010))

_LABELS = {
    **{"process_memory": "process", "packet_content": "content", "string": "log"},
    **dict.fromkeys(("msg", "shm", "sb", "machine", "disc_entity", "disc_activity", "disc_agent")),
}
_COMMON = frozenset(
    (
        *("id", "boot_id", "machine_id", "version", "date", "taint", "jiffies", "epoch", "time"),
        *("hasParent", "disclosed", "writer_pid", "writer_uid", "writer_gid"),
    )
)
_LABEL_ATTRIBUTE = {
    **{"xattr": "name", "string": "log", "path": "pathname", "argv": "value", "envp": "value"},
}


def _members(node: Node) -> tuple[str, str]:
    """The JSON members of a node's attributes: those of CamFlow, and those behind the label."""
    kind, attributes = node.kind, node.attributes
    if not attributes:
        return "", ""
    template, converted = _template(kind, tuple(attributes))
    values = dict(attributes)
    for key, attribute, convert in converted:
        value = convert(values[attribute])
        values[key] = f',"{key}":{value}' if value else ""
    before, _, after = (template % values).partition("\n")
    return before, after + _composed(kind, attributes)


@lru_cache(maxsize=1024)
def _template(
    kind: str, attributes: tuple[str, ...]
) -> tuple[str, list[tuple[str, str, Callable[[Any], str]]]]:
    """A template of the keys that these attributes fill (newline: the label), and converters."""
    parts, converted = [], []
    for keys in (CAMFLOW.get(kind, ()), OURS.get(kind, ())):
        for json, attribute, form in keys:
            if attribute not in attributes:
                continue
            if isinstance(form, str):
                parts.append(f',"{json}":{form.format(attribute)}')
            else:
                parts.append(f"%({json})s")
                converted.append((json, attribute, form))
        parts.append("\n")
    return "".join(parts[:-1]), converted


def _composed(kind: str, attributes: Mapping[str, Any]) -> str:
    """Members that one attribute or a pair of them makes several of."""
    if kind == "address" and "address" in attributes:
        return _address_parts(attributes["address"])
    if kind in ("stream", "packet6") and "sender" in attributes:
        ends = _stream_ends(attributes)
        return "".join(f',"cf:{key}":"{value}"' for key, value in ends.items())
    if attributes.get("magic") in _LASTING:
        return _file_key(attributes)
    if kind == "machine":
        losses = attributes.get("losses", {})
        return "".join(f',"cf:{key}":{quoted(value)}' for key, value in losses.items())
    if "writer" not in attributes:
        return _disclosed(attributes.get("disclosed", {}))
    return _disclosed(attributes.get("disclosed", {})) + _writer(attributes["writer"])


def _file_key(attributes: Mapping[str, Any]) -> str:
    """What names the file over reboots: file system, inode and who of its users."""
    if not any(attributes.get("uuid", b"")):
        return ""
    uuid = _uuid(attributes["uuid"]).strip('"')
    return f',"cf:file_key":"{uuid}/{attributes["ino"]}/{attributes["generation"]}"'


def _address(raw: bytes) -> str:
    """The whole address as one string, because PROV-JSON has no place for an object."""
    address = parse(raw)
    host = f"[{address.host}]" if address.family == "AF_INET6" else address.host
    if address.host is not None:
        return quoted(f"{address.family} {host}:{address.port}")
    if address.path is not None:
        at = "@" if address.abstract else ""
        return quoted(f"{address.family} {at}{text_of(address.path)}".rstrip(" "))
    return quoted(_numbered(address))


def _numbered(address: Address) -> str:
    numbers = (f" {name} {value}" for name, value in address.numbers.items())
    return address.family + "".join(numbers)


def _address_parts(raw: bytes) -> str:
    address = parse(raw)
    parts = [f',"cf:addr_family":"{address.family}"']
    if address.host is not None:
        parts.append(f',"cf:addr_host":"{address.host}","cf:addr_port":{address.port}')
    if address.path:
        parts.append(f',"cf:addr_path":{_text(address.path)}')
    if address.abstract:
        parts.append(',"cf:addr_abstract":"true"')
    if address.data:
        parts.append(f',"cf:addr_data":"{address.data.hex()}"')
    for name, value in address.numbers.items():
        parts.append(f',"cf:addr_{name}":{value if isinstance(value, int) else quoted(value)}')
    return "".join(parts)


def _writer(writer: Writer) -> str:
    """Who says so: an application, not the kernel."""
    return (
        f',"cf:disclosed":"true","cf:writer_pid":{writer.pid},"cf:writer_uid":{writer.uid},'
        f'"cf:writer_gid":{writer.gid}'
    )


def _address_label(raw: bytes) -> str:
    address = parse(raw)
    if address.host is not None:
        return f"IPV{6 if address.family == 'AF_INET6' else 4} {address.host} ({address.port})"
    if address.path is not None:
        return f"UNIX {'@' if address.abstract else ''}{text_of(address.path)}"
    return _numbered(address)


def _from_wire(raw: int, size: int) -> int:
    """A number in network order that was read as it lies in memory."""
    return int.from_bytes(raw.to_bytes(size, "little"), "big")


def _stream_ends(attributes: Mapping[str, Any]) -> dict[str, str]:
    return {
        side: endpoint(attributes[side], attributes[f"{side}_port"])
        for side in ("sender", "receiver")
    }


def _disclosed(members: Mapping[str, Any]) -> str:
    """What an application told: under our prefix, scalars only, never instead of a key of ours."""
    parts = []
    for key, value in members.items():
        name = key.removeprefix("cf:")
        name = f"cf:disclosed_{name}" if name in _COMMON else f"cf:{name}"
        parts.append(f",{quoted(name)}:{_scalar(value)}")
    return "".join(parts)


def _scalar(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return _boolean(value)
    return str(value) if isinstance(value, int) else quoted(str(value))


def _label(node: Node) -> str:
    """The member ``prov:label``, or nothing for kinds that have none."""
    kind, attributes = node.kind, node.attributes
    name = _LABELS.get(kind, kind)
    if "label" in attributes:  # of what an application disclosed: its name
        return f',"prov:label":{quoted(attributes["label"])}'
    if name is None:
        return ""
    what: object = node.identifier[4]  # the version
    if kind in _LABEL_ATTRIBUTE:
        what = text_of(attributes.get(_LABEL_ATTRIBUTE[kind], b""))
    elif kind == "address":
        what = _address_label(attributes.get("address", b""))
    elif kind == "packet_content":
        what = ""
    elif kind == "iattr":
        what = node.identifier.id
    elif kind in ("stream", "packet6") and "sender" in attributes:
        what = "->".join(_stream_ends(attributes).values())
    return f',"prov:label":{quoted(f"[{name}] {what}")}'


def _packet(node: Node, id: PacketIdentifier, time: str) -> str:
    """A packet is what its header says; it has an order of keys of its own."""
    sender = f"{'.'.join(map(str, id.source))}:{id.source_port}"
    receiver = f"{'.'.join(map(str, id.destination))}:{id.destination_port}"
    more = _members(node)[1]
    return (
        f'"cf:id":{id.id},"cf:seq":{id.sequence},"cf:sender":"{sender}",'
        f'"cf:receiver":"{receiver}","prov:type":"packet","cf:taint":"{node.taint:x}",'
        f'"cf:jiffies":"{node.at_ns // _TICK_NS}","cf:len":{node.attributes.get("len", 0)},'
        f'"prov:label":"[packet] {sender}->{receiver} ({id.id})","cf:time":"{time}"{more}'
    )


@lru_cache(maxsize=65_536)
def _reference(identifier: Identifier | PacketIdentifier) -> str:
    return f"cf:{identifier.text}"


def _document(sections: Mapping[str, Mapping[str, str]]) -> bytes:
    parts = [PREFIX]
    for name, records in sections.items():
        if records:
            members = ",".join(f'"{key}":{{{body}}}' for key, body in records.items())
            parts.append(f'"{name}":{{{members}}}')
    return f"{{{', '.join(parts)}}}\n".encode()
