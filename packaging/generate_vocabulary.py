"""Write what the user side knows of the kernel side: its vocabulary, and its layout for tests.

    python packaging/generate_vocabulary.py

Compiles kernel/record.h and kernel/vocabulary.h with clang and reads the object back: types from
its BTF (bpftool), vocabulary rows from its data. Both files are committed, because formats and
graph must work where neither compiler nor object is; a test regenerates them and compares.
"""

import json
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VOCABULARY = ROOT / "provcap/vocabulary.py"
LAYOUT = ROOT / "tests/golden/layout.json"

_INTEGERS = ("INT", "ENUM", "ENUM64")
_ALIASES = ("TYPEDEF", "CONST", "VOLATILE")

_CLASSES = {0x4000: "activity", 0x2000: "entity", 0x1000: "agent"}
_SECTIONS = {
    0x8080: "wasDerivedFrom",
    0x8040: "wasGeneratedBy",
    0x8020: "used",
    0x8010: "wasInformedBy",
    0x8008: "wasInfluencedBy",
    0x8004: "wasAssociatedWith",
}

_HEAD = '''\
"""The words of the graph: node kinds and relations, in the order of their numbers in the records.

Generated from kernel/vocabulary.h by packaging/generate_vocabulary.py: change it there.
"""

from typing import NamedTuple


class Kind(NamedTuple):
    """A node kind: its name, type word and PROV class (activity, entity, agent)."""

    name: str
    type: int
    prov_class: str


class Relation(NamedTuple):
    """A relation: name, type word, PROV relation and flow class (its meaning for ancestry)."""

    name: str
    type: int
    section: str
    flow: str


'''

_TAIL = """
KIND = {kind.name: kind for kind in KINDS}
RELATION = {relation.name: relation for relation in RELATIONS}
"""


def main() -> None:
    """Write both files."""
    VOCABULARY.write_text(vocabulary_text())
    LAYOUT.write_text(layout_text())


def vocabulary_text() -> str:
    """The whole of provcap/vocabulary.py."""
    with tempfile.TemporaryDirectory() as folder:
        btf, sections, symbols = _compile(Path(folder))
    flows = _enums(btf)["prov_flow"]
    flow_names = ["", *(_plain(name, "FLOW_") for name in sorted(flows, key=lambda n: flows[n]))]
    parts = [_HEAD, f"FLOWS = {_quoted(flow_names)}  # by enum prov_flow; 0 is none\n"]
    outcomes = [_plain(name, "OUTCOME_") for name in _enums(btf)["prov_outcome"]]
    parts.append(f"OUTCOMES = {_quoted(outcomes)}  # by enum prov_outcome\n\n")
    for bits in ("prov_event_bits", "prov_text_bits"):
        parts += [f"{name} = {value}\n" for name, value in _enums(btf)[bits].items()]
    parts.append("\nKINDS = (\n")
    for word, name in struct.iter_unpack("<Q24s", _symbol("node_rows", sections, symbols)):
        parts.append(f'    Kind("{_c(name)}", 0x{word:016X}, "{_CLASSES[word >> 48 & 0xF000]}"),\n')
    parts.append(")\n\nRELATIONS = (\n")
    for word, name, flow in struct.iter_unpack(
        "<Q24sI4x", _symbol("relation_rows", sections, symbols)
    ):
        section = _SECTIONS[word >> 48]
        parts.append(
            f'    Relation("{_c(name)}", 0x{word:016X}, "{section}", "{flow_names[flow]}"),\n'
        )
    return "".join([*parts, ")\n", _TAIL])


def layout_text() -> str:
    """The layout of every record as JSON, one field a line: review sees a change."""
    with tempfile.TemporaryDirectory() as folder:
        btf, _, _ = _compile(Path(folder))
    structs = {
        t["name"]: {"size": t["size"], "fields": list(_leaves(t, btf))}
        for t in btf.values()
        if t["kind"] == "STRUCT" and not t["name"].endswith("_row")
    }
    enums = _enums(btf)
    return _lines({"structs": structs, "enums": enums})


def _compile(folder: Path) -> tuple[dict[int, Any], bytes, dict[str, tuple[int, int]]]:
    """(BTF types by id, bytes of .rodata.vocabulary, symbol -> (offset, size)) of the contract."""
    target, data = folder / "contract.o", folder / "vocabulary.bin"
    source, include = ROOT / "packaging/contract.c", ROOT / "kernel"
    flags = ["-target", "bpf", "-g", "-O2", "-Wall", "-Werror"]
    _run("clang-16", *flags, "-I", include, "-c", source, "-o", target)
    _run("llvm-objcopy-16", "-O", "binary", "--only-section=.rodata.vocabulary", target, data)
    types = json.loads(_run("bpftool", "btf", "dump", "file", target, "-j"))["types"]
    symbols = {}
    for line in _run("llvm-nm-16", "-S", target).splitlines():
        offset, size, _, name = line.split()
        symbols[name] = (int(offset, 16), int(size, 16))
    return {t["id"]: t for t in types}, data.read_bytes(), symbols


def _run(*words: object) -> str:
    return subprocess.run(
        [str(w) for w in words], check=True, capture_output=True, text=True
    ).stdout


def _symbol(name: str, data: bytes, symbols: dict[str, tuple[int, int]]) -> bytes:
    offset, size = symbols[name]
    return data[offset : offset + size]


def _leaves(owner: dict[str, Any], btf: dict[int, Any], base: int = 0) -> Any:
    """[name, offset, size, signed, count, shift, width] of every leaf but a flexible array."""
    for member in owner["members"]:
        target, bits = _resolve(member["type_id"], btf), base + member["bits_offset"]
        if target["kind"] == "STRUCT":
            yield from _leaves(target, btf, bits)
        elif target["kind"] == "ARRAY":
            element = _resolve(target["type_id"], btf)
            if target["nr_elems"]:
                yield [member["name"], bits // 8, element["size"], False, target["nr_elems"], 0, 0]
        else:
            yield _integer(member, target, bits)


def _integer(member: dict[str, Any], target: dict[str, Any], bits: int) -> list[object]:
    size, width = target["size"], member.get("bitfield_size", 0)
    assert target["kind"] in _INTEGERS, f"{member['name']}: a record holds integers only"
    start = bits - bits % (size * 8)
    signed = target.get("encoding") == "SIGNED"
    return [member["name"], start // 8, size, signed, 0, bits - start if width else 0, width]


def _resolve(type_id: int, btf: dict[int, Any]) -> dict[str, Any]:
    target: dict[str, Any] = btf[type_id]
    return _resolve(target["type_id"], btf) if target["kind"] in _ALIASES else target


def _enums(btf: dict[int, Any]) -> dict[str, dict[str, int]]:
    return {
        t["name"]: {value["name"]: value["val"] for value in t["values"]}
        for t in btf.values()
        if t["kind"].startswith("ENUM")
    }


def _lines(layout: dict[str, Any]) -> str:
    """JSON with each field and each enumerator on its own line and nothing else broken up."""
    structs = []
    for name, body in layout["structs"].items():
        fields = ",\n".join(f"   {json.dumps(field)}" for field in body["fields"])
        structs.append(f'  "{name}": {{"size": {body["size"]}, "fields": [\n{fields}\n  ]}}')
    enums = []
    for name, values in layout["enums"].items():
        rows = ",\n".join(f'   "{key}": {value}' for key, value in values.items())
        enums.append(f'  "{name}": {{\n{rows}\n  }}')
    both = ",\n".join(structs), ",\n".join(enums)
    return '{{"structs": {{\n{}\n }},\n "enums": {{\n{}\n }}}}\n'.format(*both)


def _c(name: bytes) -> str:
    return name.rstrip(b"\0").decode("ascii")


def _plain(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower()


def _quoted(names: list[str]) -> str:
    return "(" + ", ".join(f'"{name}"' for name in names) + ")"


if __name__ == "__main__":
    main()
