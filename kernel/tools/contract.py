"""Write what Python knows of the kernel side, as the compiled object says it.

    python kernel/tools/contract.py [--check | --layout] build/provcap.bpf.o

writes the tables of provcap/vocabulary.py, tests/golden/layout.json and tests/golden/layout.txt.
They are committed, because formats and graph must work where no object is, and because a change of
layout shall show in review. ``--check`` only names the files that differ; ``--layout`` prints the
layout.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from provcap.bpf import layout as objects
from provcap.capture import layout as captures

ROOT = Path(__file__).resolve().parents[2]
VOCABULARY = ROOT / "provcap/vocabulary.py"
# what user space writes; captures.RECORDS: what it reads
DOWN = ("prov_policy", "prov_marks", "prov_recorded_prefix", "prov_recorded")

_CLASSES = {"ACTIVITY": "activity", "ENTITY": "entity", "AGENT": "agent"}
_SECTIONS = {
    "DERIVED": "wasDerivedFrom",
    "GENERATED": "wasGeneratedBy",
    "USED": "used",
    "INFORMED": "wasInformedBy",
    "INFLUENCED": "wasInfluencedBy",
    "ASSOCIATED": "wasAssociatedWith",
}
_CLASS_BITS = 0xF000  # of the upper 16 bits of a type word
_FIRST, _BEHIND = "FLOWS = ", "\nKIND = "  # what stands before and behind is written by hand


def main() -> int:
    """Write, check or print; the exit status is 1 if a check found a difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("object", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--layout", action="store_true", help="print the layout of the records")
    args = parser.parse_args()
    image = args.object.read_bytes()
    if args.layout:
        print(contract(image).listing(), end="")
        return 0
    stale = [path for path, text in texts(image).items() if path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'differs' if args.check else 'written'}")
        if not args.check:
            path.write_text(texts(image)[path])
    return int(bool(stale) and args.check)


def texts(image: bytes) -> dict[Path, str]:
    """Each file that is made from the object, with its whole text."""
    return {
        VOCABULARY: vocabulary(image),
        ROOT / "tests/golden/layout.json": _json(captures.of_object(objects.object_layout(image))),
        ROOT / "tests/golden/layout.txt": contract(image).listing(),
    }


def contract(image: bytes) -> objects.Layout:
    """The records that pass between kernel and Python, without the kernel's own state."""
    whole = objects.object_layout(image)
    names = (*captures.RECORDS, *DOWN)
    return objects.Layout({name: whole.record(name) for name in names}, whole.enums)


def vocabulary(image: bytes) -> str:
    """The text of provcap/vocabulary.py: its tables from the object, the rest as it is."""
    now = VOCABULARY.read_text()
    before, behind = now.partition(_FIRST)[0], now.rpartition(_BEHIND)[2]
    return before + "\n".join(_tables(image)) + "\n" + _BEHIND + behind


def _tables(image: bytes) -> Iterator[str]:
    layout = objects.object_layout(image)
    flows = _names(layout, "prov_flow")
    classes = {bits: _CLASSES[name] for bits, name in _names(layout, "prov_class").items()}
    sections = {bits: _SECTIONS[name] for bits, name in _names(layout, "prov_category").items()}
    yield f"FLOWS = {_tuple(['', *(name.lower() for name in flows.values())])}" + (
        "  # by enum prov_flow; 0 is none"
    )
    outcomes = [name.lower() for name in _names(layout, "prov_outcome").values()]
    yield f"OUTCOMES = {_tuple(outcomes)}  # by enum prov_outcome\n"
    for enum in ("prov_event_bits", "prov_text_bits", "prov_fixed_id"):
        yield from (f"{name} = {value}" for name, value in layout.enum(enum).items())
    yield "\nKINDS = ("
    for row in objects.rows(image, ".rodata.node_rows", "prov_node_row"):
        word = int(row["type"])
        prov_class = classes[word >> 48 & _CLASS_BITS]
        yield f'    Kind("{row["name"]}", 0x{word:016X}, "{prov_class}"),'
    yield ")\n\nRELATIONS = ("
    for row in objects.rows(image, ".rodata.relation_rows", "prov_relation_row"):
        word = int(row["type"])
        flow = flows[int(row["flow"])].lower()
        yield f'    Relation("{row["name"]}", 0x{word:016X}, "{sections[word >> 48]}", "{flow}"),'
    yield ")"


def _names(layout: objects.Layout, enum: str) -> dict[int, str]:
    """Value -> name without its prefix (FLOW_DATA: DATA), by rising value."""
    values = sorted(layout.enum(enum).items(), key=lambda item: item[1])
    return {value: name.partition("_")[2] for name, value in values}


def _tuple(words: list[str]) -> str:
    return "(" + ", ".join(f'"{word}"' for word in words) + ")"


def _json(layout: captures.Layout) -> str:
    """The layout for tests: a struct or an enumeration a line."""
    groups = [
        f' "{group}": {{\n'
        + ",\n".join(f'  "{name}": {json.dumps(body)}' for name, body in bodies.items())
        + "\n }"
        for group, bodies in captures.to_json(layout).items()
    ]
    return "{\n" + ",\n".join(groups) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
