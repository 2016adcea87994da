"""W3C PROV-JSON: CamFlow's own output key by key, and any bytes through real parsers."""

import base64
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prov.model import ProvDocument

from provcap.capture import losses
from provcap.formats.address import parse
from provcap.formats.text import bytes_of, text_of
from provcap.formats.w3c import CAMFLOW, OURS, SECTIONS, W3c
from provcap.records import Identifier, Node, PacketIdentifier, Record, Writer
from provcap.vocabulary import KIND
from tests.formats.golden_records import (
    AT_NS,
    GOLDEN,
    RECORDS,
    WALL_OFFSET_NS,
    a_node,
    an_edge,
    golden,
    inode,
    text,
)

PAGE = Path(__file__).parent.parent.parent / "docs/reference/w3c.md"

ADDITIONS = {  # keys that CamFlow has not -> reason
    "prov:time": "the time of the event, where PROV has a place for it",
    "cf:time": "the time of the record, where it has none",
    "cf:flow": "what the edge means for ancestry",
    "cf:outcome": "recorded before or after the operation",
    "cf:addr_family": "an address as scalars instead of an object",
    "cf:addr_host": "an address as scalars instead of an object",
    "cf:addr_port": "an address as scalars instead of an object",
    "cf:addr_path": "an address as scalars instead of an object",
    "cf:addr_abstract": "the original loses the name of abstract sockets",
    **dict.fromkeys(
        ("cf:addr_data", "cf:addr_pid", "cf:addr_groups"),
        "the original loses addresses of other families",
    ),
}

V4 = bytes([10, 0, 0, 1])
ADDRESSES: list[tuple[str, str, dict[str, object]]] = [  # of other families, in hex
    ("1000 0000 2a000000 03000000", "AF_NETLINK pid 42 groups 3", {"pid": 42, "groups": 3}),
    ("2800 0000 50000000 03000000", "AF_VSOCK port 80 cid 3", {"port": 80, "cid": 3}),
    (
        "1100 0800 02000000 0100 00 06 0a0b0c0d0e0f0000",
        "AF_PACKET protocol 2048 ifindex 2 hardware 0a:0b:0c:0d:0e:0f",
        {"protocol": 2048, "ifindex": 2, "hardware": "0a:0b:0c:0d:0e:0f"},
    ),
    ("1d00 0102", "29", {"data": "0102"}),
]
RAW = "text stays as it is and comes back byte for byte"
STRING = "PROV-JSON has no place for an object"
REPAIRS: dict[tuple[str, str], tuple[object, str]] = {  # (file, key) -> (our value, reason)
    ("variant_path_backslash", "cf:pathname"): ("/tmp/back\\slash", RAW),
    ("variant_path_backslash", "prov:label"): ("[path] /tmp/back\\slash", RAW),
    ("variant_argv_escapes_truncated", "cf:value"): ('a\\b "q"\tt\nn', RAW),
    ("variant_argv_escapes_truncated", "prov:label"): ('[argv] a\\b "q"\tt\nn', RAW),
    ("variant_string_sanitised", "cf:log"): ('say "hi" ~ \x01 café', RAW),
    ("variant_string_sanitised", "prov:label"): ('[log] say "hi" ~ \x01 café', RAW),
    ("variant_file_ino_above_32bit", "cf:ino"): (2**32 + 1, "inode numbers have 64 bits"),
    ("node_address", "cf:address"): ("AF_INET 192.0.2.10:443", STRING),
    ("variant_address_inet6", "cf:address"): ("AF_INET6 [2001:db8::1]:8443", STRING),
    ("variant_address_unix", "cf:address"): ("AF_UNIX /run/dbus/system_bus_socket", STRING),
    ("variant_address_unix_abstract", "cf:address"): ("AF_UNIX @abstract", STRING),
    ("variant_address_unix_abstract", "prov:label"): ("[address] UNIX @abstract", "was lost"),
    ("variant_address_netlink", "cf:address"): ("AF_NETLINK pid 0 groups 0", STRING),
    ("variant_address_netlink", "prov:label"): (
        "[address] AF_NETLINK pid 0 groups 0",
        "no error to report",
    ),
}


def lines(*records: Record) -> list[bytes]:
    return W3c(WALL_OFFSET_NS).encode(records)


def document(*records: Record) -> dict[str, Any]:
    """The only document of these records; a key that stands twice is an error."""
    (line,) = lines(*records)
    value: dict[str, Any] = json.loads(line, object_pairs_hook=_unique)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(pairs) == len(dict(pairs)), "a key stands twice"
    return dict(pairs)


def loaded(line: bytes) -> ProvDocument:
    """The document as the prov library has it, which must not have complained."""
    result = ProvDocument.deserialize(content=line.decode(), format="json")
    assert (
        ProvDocument.deserialize(content=result.serialize(format="json"), format="json") == result
    )
    return result


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.json")))
def test_every_golden_file_is_matched_key_by_key(name: str) -> None:
    """Sections, identifiers, keys, order and values are CamFlow's, but for the listed repairs."""
    theirs, ours = golden(name), document(*RECORDS[name])
    theirs.pop("prefix"), ours.pop("prefix")

    assert list(ours) == list(theirs)
    for section, records in theirs.items():
        assert list(ours[section]) == list(records)
        for id, record in records.items():
            _compare(name, ours[section][id], record)


def _compare(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    added = [key for key in ours if key not in theirs]
    assert set(added) <= set(ADDITIONS)
    assert [key for key in ours if key not in added] == list(theirs)
    for key, value in theirs.items():
        wanted, _ = REPAIRS.get((name, key), (value, ""))
        assert ours[key] == wanted, key


def test_every_repair_is_used() -> None:
    """The table of repairs lists nothing that is the same on both sides."""
    for (name, key), (value, _) in REPAIRS.items():
        records = [r for s, rs in golden(name).items() if s != "prefix" for r in rs.values()]
        assert records[0][key] != value


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_the_prov_library_loads_every_document(name: str, caplog: Any) -> None:
    """Each line alone loads, and is the same after a round trip; nothing is warned about."""
    with caplog.at_level(logging.WARNING):
        loaded(lines(*RECORDS[name])[0])

    assert not caplog.records


def test_prefixes_end_where_the_name_begins() -> None:
    """An expanded name is an IRI of its own, and prov: is PROV."""
    assert document(*RECORDS["node_path"])["prefix"] == {
        "prov": "http://www.w3.org/ns/prov#",
        "cf": "http://www.camflow.org/",
    }


def test_times_are_those_of_the_event() -> None:
    """prov:time on used and wasGeneratedBy, cf:time elsewhere: UTC with nanoseconds."""
    read, clone = an_edge("read", at_ns=AT_NS + 7), an_edge("clone", at_ns=AT_NS + 10**9)
    value = document(read, clone, inode("file"))

    assert only(value, "used")["prov:time"] == "2024-01-02T03:04:05.000000007Z"
    assert only(value, "wasInformedBy")["cf:time"] == "2024-01-02T03:04:06.000000000Z"
    assert only(value, "entity")["cf:time"] == "2024-01-02T03:04:05.000000000Z"


def only(value: dict[str, Any], section: str) -> dict[str, Any]:
    (record,) = value[section].values()
    result: dict[str, Any] = record
    return result


def test_a_node_that_says_more_begins_a_new_document() -> None:
    """No key stands twice and nothing is lost; the same node again is written once."""
    bare, full = a_node("file", 1), a_node("file", 1, mode=0o600)
    read = an_edge("read")

    assert len(lines(bare, bare, read)) == 1
    first, second = lines(bare, read, full)
    assert only(json.loads(second), "entity")["cf:mode"] == "0x180"
    assert "used" in json.loads(first)


def test_a_document_has_a_bounded_number_of_records() -> None:
    """Ten thousand records are not one line."""
    sizes = [
        sum(len(records) for section, records in json.loads(line).items() if section != "prefix")
        for line in lines(*(an_edge("read", id) for id in range(1200)))
    ]

    assert sizes == [512, 512, 176]


def test_no_records_make_no_line() -> None:
    """An empty batch writes nothing."""
    assert lines() == []


def test_what_the_kernel_tells_of_a_task_is_written() -> None:
    """Keys that CamFlow has not: credentials, login, cgroup, working directory, comm."""
    facts = {"loginuid": 1000, "sessionid": 2**32 - 1, "cgroup": 2**40, "euid": 0}
    task = only(document(a_node("task", 1, comm=b"a b\0junk", **facts)), "activity")

    assert (task["cf:loginuid"], task["cf:cgroup"], task["cf:euid"]) == (1000, str(2**40), 0)
    assert task["cf:comm"] == "a b"
    assert "cf:sessionid" not in task


def test_an_extended_attribute_has_its_value() -> None:
    """Any bytes, escaped as others are; the key that says so only if it was cut."""
    facts = {"name": b"user.x", "value": b"v\0\xff", "size": 5000, "truncated": True}
    (line,) = W3c(WALL_OFFSET_NS).encode([a_node("xattr", 606, **facts)])
    (node,) = json.loads(line)["entity"].values()

    assert node["cf:name"] == "user.x"
    assert bytes_of(node["cf:value"]) == b"v\0\xff"
    assert (node["cf:size"], node["cf:truncated"]) == (5000, "true")


def test_a_stream_names_both_ends() -> None:
    """IPv4 ends are written as such; ports stand in network order in the record."""
    mapped = bytes(10) + b"\xff\xff" + bytes([10, 0, 0, 1])
    ends = {"sender": mapped, "receiver": bytes(15) + b"\1", "sender_port": 0xBB01}
    stream = only(document(a_node("stream", 1, **ends, receiver_port=0x5000, netns=3)), "entity")

    assert (stream["cf:sender"], stream["cf:receiver"]) == ("10.0.0.1:443", "[::1]:80")
    assert stream["prov:label"] == "[stream] 10.0.0.1:443->[::1]:80"


def test_a_packet_tells_its_numbers_as_the_header_has_them() -> None:
    """Behind CamFlow's keys, whose numbers are the bytes of the wire read the other way round."""
    id = PacketIdentifier(KIND["packet"].type, 0x3930, V4, V4, 53, 2000, 6, 0x01000000, 0x30002)
    facts = {"len": 60, "protocol": 6, "netns": 5, "ip_id": 0x3930, "sequence": 0x01000000}
    packet = only(document(Node("packet", id, 1, 0, 0, facts)), "entity")

    assert (packet["cf:id"], packet["cf:seq"]) == (0x3930, 0x01000000)
    assert (packet["cf:ip_id"], packet["cf:sequence"]) == (12345, 1)
    assert (packet["cf:len"], packet["cf:protocol"], packet["cf:netns"]) == (60, 6, 5)


def test_a_serial_number_stands_in_bytes_that_camflow_leaves_zero() -> None:
    """10 and 11, then 25 to 27; the rest of the identifier is the header."""
    id = PacketIdentifier(KIND["packet"].type, 1, V4, V4, 53, 2000, 17, 0, 0x0504030201)
    raw = base64.b64decode(id.text)

    assert raw[10:12] + raw[25:28] == bytes([1, 2, 3, 4, 5])
    assert base64.b64decode(id._replace(serial=0).text) == (
        raw[:10] + bytes(2) + raw[12:25] + bytes(3) + raw[28:]
    )


def test_an_ipv6_packet_names_both_ends() -> None:
    """It has an identifier as other nodes have, and its header as attributes."""
    ends = {"sender": bytes(15) + b"\1", "receiver": bytes(15) + b"\2"}
    ports = {"sender_port": 0x3500, "receiver_port": 0x5000}
    facts = {"len": 60, "protocol": 17, "sequence": 0, **ends, **ports}
    packet = only(document(a_node("packet6", 1, **facts)), "entity")

    assert (packet["cf:sender"], packet["cf:receiver"]) == ("[::1]:53", "[::2]:80")
    assert packet["prov:label"] == "[packet6] [::1]:53->[::2]:80"
    assert (packet["cf:len"], packet["cf:protocol"], packet["cf:sequence"]) == (60, 17, 0)


@pytest.mark.parametrize(("raw", "said", "numbers"), ADDRESSES)
def test_addresses_of_other_families_tell_their_numbers(
    raw: str, said: str, numbers: dict[str, object]
) -> None:
    """Netlink, vsock and packet sockets; in one string and as scalars."""
    node = only(document(text("address", 605, "address", bytes.fromhex(raw))), "entity")

    assert node["cf:address"] == said
    assert {name: node[f"cf:addr_{name}"] for name in numbers} == numbers


def test_what_processes_share_by_number_tells_it() -> None:
    """Messages, segments and counters; what does not fit a double is a string."""
    facts = {"type": -(2**63), "size": 3, "queue": 2**53 + 1, "dev": 0, "key": -1}
    message = only(document(a_node("msg", 1, **facts)), "entity")
    owned = {"uid": 0, "gid": 5, "mode": 0o640}
    segment = only(document(a_node("shm", 2, segment=-1, key=7, size=4096, **owned)), "entity")
    counter = only(document(a_node("eventfd", 3, number=4, flags=0x800)), "entity")

    assert (message["cf:type"], message["cf:queue"]) == (str(-(2**63)), str(2**53 + 1))
    assert (message["cf:key"], message["cf:size"]) == (-1, "3")
    assert (segment["cf:segment"], segment["cf:size"], segment["cf:gid"]) == (-1, "4096", 5)
    assert (counter["cf:number"], counter["cf:flags"]) == (4, "0x800")
    assert counter["prov:label"] == "[eventfd] 0"


@given(st.binary())
def test_any_bytes_have_a_text_and_come_back(data: bytes) -> None:
    """text_of and bytes_of are inverse; no lone surrogate appears; UTF-8 stays what it is."""
    text = text_of(data)

    assert bytes_of(text) == data
    text.encode()


@given(st.text())
def test_ordinary_text_is_unchanged(text: str) -> None:
    """Valid UTF-8 outside the 128 escape characters is its own text."""
    if not re.search("[\ud800-\udfff\uf780-\uf7ff]", text):
        assert text_of(text.encode()) == text


@pytest.mark.parametrize(
    "data",
    [
        *(b"\xff", b"\xed\xa0\x80", "\uf7ff\xff".encode(), "\uf77f\uf780\uf7ff\uf800".encode()),
        *(b"\xc3", b"\xc3\xc3\xa9", b"\xf0\x9f\x98", '\u2028\x85\n\0"\\'.encode(), b"\xef\x9e"),
    ],
)
def test_awkward_bytes_come_back(data: bytes) -> None:
    """Half characters, encoded surrogates and the escape characters themselves."""
    assert bytes_of(text_of(data)) == data


NASTY = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([b'/a"b', b"/a\nb", b"/a\\b", b"\x1b[0m", b"/\xff\xfe", b"\xe2\x80\xa8"]),
)


@given(NASTY, NASTY, NASTY)
def test_any_bytes_come_back_through_a_document(path: bytes, value: bytes, name: bytes) -> None:
    """Path, argument, name and comm survive JSON and the prov library; a document is one line."""
    records = (
        text("path", 1, "pathname", path),
        text("argv", 2, "value", value),
        a_node("task", 3, name=name, comm=name[:15].split(b"\0")[0]),
    )
    (line,) = lines(*records)
    found = {
        r["prov:type"]: r for s in ("entity", "activity") for r in json.loads(line)[s].values()
    }

    assert bytes_of(found["path"].get("cf:pathname", "")) == path
    assert bytes_of(found["argv"].get("cf:value", "")) == value
    assert bytes_of(found["task"].get("cf:name", "")) == name
    assert line.decode().splitlines(keepends=True) == [line.decode()]
    literals = {str(v) for r in loaded(line).get_records() for _, v in r.attributes}
    assert not path or text_of(path) in literals


@given(st.binary(max_size=40), st.integers(0, 40))
def test_any_socket_address_has_a_text(data: bytes, family: int) -> None:
    """Short, odd and unknown addresses are valid records, too."""
    raw = family.to_bytes(2, "little") + data
    parse(raw[: len(data)])
    loaded(lines(text("address", 1, "address", raw))[0])


def test_the_longest_names_and_command_lines_pass() -> None:
    """A path of 4095 bytes and an argument of 128 kB, both all quotes."""
    path, value = b'/"' * 2047 + b"x", b'"' * 131_072
    (line,) = lines(text("path", 1, "pathname", path), text("argv", 2, "value", value))
    found = [bytes_of(r.get("cf:pathname") or r["cf:value"])
             for r in json.loads(line)["entity"].values()]  # fmt: skip

    assert found == [path, value]


def test_identifiers_come_back_from_their_text() -> None:
    """The text of an identifier names all its parts."""
    id = Identifier(2**63, 2**64 - 1, 2**32 - 1, 7, 2**32 - 1)

    assert Identifier.parse(id.text) == id
    with pytest.raises(ValueError):
        Identifier.parse("AAAA")


@pytest.mark.parametrize("at_ns", [0, 2**64 - 1])
def test_any_time_can_be_written(at_ns: int) -> None:
    """A damaged time is a strange date, not a crash."""
    for offset in (-(2**63), 0, 2**63 - 1):
        W3c(offset).encode([an_edge("read", at_ns=at_ns)])


WRITER = Writer(100, 1000, 1001)
DISCLOSED = [
    a_node(
        "disc_entity",
        610,
        writer=WRITER,
        label="May",
        disclosed={"rows": 3, "done": True, "share": 0.5, "id": 7, "writer_uid": 0},
    ),
    an_edge("used_disc", writer=WRITER),
]


def test_what_was_disclosed_says_who_wrote_it() -> None:
    """Its name is the label; its keys cannot take the place of ours."""
    found = document(*DISCLOSED)
    (node,), (edge,) = found["entity"].values(), found["used"].values()
    marks = {"cf:disclosed": "true", "cf:writer_pid": 100, "cf:writer_uid": 1000}

    for record in (node, edge):
        assert {**record, **marks, "cf:writer_gid": 1001} == record
    assert node["prov:label"] == "May"
    assert (node["cf:rows"], node["cf:done"], node["cf:share"]) == (3, "true", "0.5")
    assert (node["cf:disclosed_id"], node["cf:disclosed_writer_uid"]) == (7, 0)


LASTING = [inode("file", magic=0xEF53, generation=7)]


def test_a_file_on_a_disk_has_a_key_that_stays() -> None:
    """File system, inode number and generation; none where one of them does not last."""
    (file,) = document(*LASTING)["entity"].values()
    others = [
        inode("file", magic=0x01021994, generation=7),  # in memory
        inode("file", magic=0x9123683E, generation=7),  # btrfs: one number in each volume
        inode("file", magic=0xEF53, generation=7, uuid=bytes(16)),
        inode("file", generation=7),
    ]

    assert file["cf:file_key"] == f"{file['cf:uuid']}/39081/7"
    for other in others:
        (found,) = document(other)["entity"].values()
        assert "cf:file_key" not in found


def keys_of_the_module() -> set[str]:
    """Every key that the format may write."""
    listed = {key.json for table in (CAMFLOW, OURS) for keys in table.values() for key in keys}
    addresses = [[text("address", 605, "address", bytes.fromhex(raw))] for raw, _, _ in ADDRESSES]
    seen = {
        key
        for records in (*RECORDS.values(), *addresses, DISCLOSED, LASTING)
        for section in SECTIONS
        for record in document(*records).get(section, {}).values()
        for key in record
    }
    theirs = {"cf:app", "cf:step", "cf:rows", "cf:done", "cf:share"}
    return {key for key in listed | seen if "disclosed_" not in key} - theirs


def test_every_key_has_its_row_in_the_reference() -> None:
    """docs/reference/w3c.md has one row for each key, and none for a key that is never written."""
    rows = set(re.findall(r"^\| `((?:cf|prov):\w+)` ", PAGE.read_text(), re.MULTILINE))

    assert rows == keys_of_the_module() | {f"cf:{key}" for key in losses.KEYS}
