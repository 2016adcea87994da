"""The records behind CamFlow's golden files, from the input values that come with them."""

import json
from pathlib import Path
from typing import Any

from provcap.records import Edge, Identifier, Node, PacketIdentifier, Record
from provcap.vocabulary import KIND, RELATION, RELATIONS

GOLDEN = Path(__file__).parent.parent / "golden/w3c"
AT_NS = 4296340808 * 4_000_000
WALL_OFFSET_NS = 1_704_164_645 * 10**9 - AT_NS  # 2024-01-02T03:04:05Z

SECCTX = {"secctx": b"system_u:object_r:lib_t:s0"}
NAMED = {"name": b"/usr/bin/wget"}
OWNER = {"uid": 1000, "gid": 1001, **SECCTX}
UUID = bytes(range(0, 256, 17))
TASK_FIELDS = {
    **{"pid": 2578, "vpid": 12, "utime_us": 2329176, "stime_us": 5129935, "vm_kib": 1839908},
    **{"rss_kib": 150492, "hw_vm_kib": 1841252, "hw_rss_kib": 222676, "read_bytes": 6860800},
    **{"write_bytes": 4096, "cancel_write_bytes": 512, "utsns": 4026531838},
    **{"ipcns": 4026531839, "mntns": 4026531840, "pidns": 4026531836},
    **{"netns": 4026531993, "cgroupns": 4026531835},
}
EMPTY_TASK = {**dict.fromkeys(TASK_FIELDS, 0), "pid": 2578}
MACHINE = {
    **{"sysname": "Linux", "nodename": "host1", "release": "5.15.5-camflow"},
    **{"version": "#1 SMP Mon Nov 29 2021", "machine": "x86_64", "domainname": "(none)"},
    **{"k_version": "0.9.0", "k_commit": "deadbeef", "l_version": "v0.5.5"},
}
IATTR = {
    **{"valid": 0x41, "mode": 0x81A4, "size": 1234, "uid": 1000, "gid": 1001},
    **{"atime": 1704164640, "ctime": 1704164641, "mtime": -1},
}
HTTP = b"GET / HTTP/1.1\r\n"
MODES = {
    **{"inode_unknown": 0, "link": 0xA1FF, "file": 0x81A4, "directory": 0x41ED},
    **{"char": 0x21B6, "block": 0x61B0, "pipe": 0x1180, "socket": 0xC1FF},
}
INET = bytes.fromhex("0200 01bb c000020a") + bytes(8)
INET6 = bytes.fromhex("0a00 20fb 00000000 20010db8000000000000000000000001 00000000")
UNIX = b"\x01\x00/run/dbus/system_bus_socket\0"
ABSTRACT = b"\x01\x00\0abstract"
NETLINK = b"\x10\x00" + bytes(10)


def identifier(kind: str, id: int, version: int = 0) -> Identifier:
    return Identifier(KIND[kind].type, id, 28, 509509127, version)


def a_node(kind: str, id: int, version: int = 0, /, **attributes: Any) -> Node:
    return Node(kind, identifier(kind, id, version), 2, 0x2A, AT_NS, attributes)


def text(kind: str, id: int, key: str, value: bytes, truncated: bool = False) -> Node:
    return a_node(kind, id, **{key: value, "truncated": truncated})


def an_edge(relation: str, id: int = 766, **more: Any) -> Edge:
    """As in every rel_* file: from id 1001 version 3 to id 2002 version 4."""
    word, section, flow = RELATION[relation][1:]
    ends = {
        "wasDerivedFrom": ("process_memory", "file"),
        "wasGeneratedBy": ("task", "file"),
        "used": ("file", "task"),
        "wasInformedBy": ("task", "task"),
        "wasInfluencedBy": ("file", "task"),
        "wasAssociatedWith": ("machine", "task"),
    }
    sender, receiver = ends[section]
    if id != 766 and relation == "named":
        sender = "path"
    edge = Edge(
        relation, section, flow, identifier(sender, 1001, 3), identifier(receiver, 2002, 4),
        AT_NS, 2, True, None, 0x8002, 123990, "at_hook",
        Identifier(word, id, 28, 509509127, 0),
    )  # fmt: skip
    return edge._replace(**more)


def inode(kind: str, **more: Any) -> Node:
    facts = {**NAMED, **OWNER, "mode": MODES[kind], "ino": 39081, "uuid": UUID, **more}
    return a_node(kind, 124010, 11, **facts)


def packet() -> Node:
    id = PacketIdentifier(
        KIND["packet"].type, 54321, bytes([10, 0, 0, 1]), bytes([192, 168, 1, 20]),
        443, 51000, 6, 305419896,
    )  # fmt: skip
    return Node("packet", id, 2, 0x2A, AT_NS, {"len": 1500})


def disclosed(kind: str, id: int) -> Node:
    members = {"cf:app": "wf", "cf:step": 3}
    return a_node(kind, id, parent=identifier("task", 123990, 16), disclosed=members)


def _batch() -> list[Record]:
    relations = ("read", "write", "clone", "named", "load_module", "ran_on")
    return [
        a_node("task", 123990, 16, **EMPTY_TASK, **NAMED),
        inode("file", name=b"", uuid=bytes(16)),
        text("path", 220331, "pathname", b"/usr/bin/wget"),
        *(an_edge(name, id, flags=0) for id, name in enumerate(relations, 766)),
        a_node("machine", 5381, 1, sysname="Linux", k_version="0.0.0", l_version="v0.5.5"),
    ]


RECORDS: dict[str, list[Record]] = {
    **{f"rel_{r.name}": [an_edge(r.name)] for r in RELATIONS},
    **{f"node_{kind}": [inode(kind)] for kind in MODES},
    "batch_document": _batch(),
    "variant_read_offset": [an_edge("read", offset=4096)],
    "variant_read_offset_zero": [an_edge("read", offset=0)],
    "variant_read_disallowed": [an_edge("read", allowed=False)],
    "node_task": [a_node("task", 123990, 16, **NAMED, **TASK_FIELDS)],
    "variant_task_no_name": [a_node("task", 123990, 16, **EMPTY_TASK)],
    "node_process_memory": [a_node("process_memory", 123991, 3, **NAMED, **OWNER, tgid=2578)],
    "variant_file_ino_above_32bit": [inode("file", ino=2**32 + 1, name=b"", uuid=bytes(16))],
    "node_iattr": [a_node("iattr", 555, **IATTR)],
    "node_msg": [a_node("msg", 556)],
    "node_shm": [a_node("shm", 557, 1, mode=0x1B6)],
    "node_packet": [packet()],
    "node_sb": [a_node("sb", 558, uuid=UUID)],
    "node_string": [text("string", 600, "log", b"job 42 started")],
    "variant_string_sanitised": [text("string", 600, "log", b'say "hi" ~ \x01 caf\xc3\xa9')],
    "node_path": [text("path", 220331, "pathname", b"/usr/bin/wget")],
    "variant_path_backslash": [text("path", 220332, "pathname", b"/tmp/back\\slash")],
    "variant_path_utf8": [text("path", 220333, "pathname", "/tmp/café".encode())],
    "node_address": [text("address", 601, "address", INET)],
    "variant_address_inet6": [text("address", 602, "address", INET6)],
    "variant_address_unix": [text("address", 603, "address", UNIX)],
    "variant_address_unix_abstract": [text("address", 604, "address", ABSTRACT)],
    "variant_address_netlink": [text("address", 605, "address", NETLINK)],
    "node_xattr": [a_node("xattr", 606, name=b"user.xdg.origin.url", size=22)],
    "variant_xattr_empty": [a_node("xattr", 606, name=b"user.empty", size=0)],
    "node_packet_content": [
        a_node("packet_content", 607, content=HTTP, length=16, truncated=False)
    ],
    "variant_packet_content_truncated": [
        a_node("packet_content", 607, content=HTTP, length=16, truncated=True)
    ],
    "node_argv": [text("argv", 608, "value", b"--name=x")],
    "variant_argv_escapes_truncated": [text("argv", 608, "value", b'a\\b "q"\tt\nn', True)],
    "node_envp": [text("envp", 609, "value", b"PATH=/usr/bin:/bin")],
    "node_disc_entity": [disclosed("disc_entity", 610)],
    "node_disc_activity": [disclosed("disc_activity", 611)],
    "node_disc_agent": [disclosed("disc_agent", 612)],
    "node_machine": [a_node("machine", 5381, 1, **MACHINE)],
}


def golden(name: str) -> dict[str, Any]:
    """The golden document; dicts keep the order of keys."""
    document: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_bytes())
    return document
