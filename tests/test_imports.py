"""Imports go downward only, in Python and in C."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# room -> what it may import besides itself; a room is the longest of these names that fits
PLAIN = ("errors", "records", "vocabulary")
MIDDLE = ("disclose", "vm", "outputs", "policy", "formats", "graph", "rules", "capture")
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "errors": (),
    "records": ("errors",),
    "vocabulary": ("errors",),
    "disclose": ("errors",),
    "bpf": ("errors",),
    "vm": ("errors",),
    "outputs": ("errors",),
    "policy": (),
    "policy.addresses": ("errors",),
    "policy.model": PLAIN,
    "policy.report": (*PLAIN, "policy.model"),
    "policy.targets": ("errors",),
    "policy.ini": (*PLAIN, "policy.model"),
    "policy.apply": ("errors", "policy.model", "policy.addresses", "bpf"),
    "formats": PLAIN,
    "graph": PLAIN,
    "rules": PLAIN,
    "capture": (*PLAIN, "bpf"),
    "coverage": (*PLAIN, "vm", "capture"),
    "services": (*PLAIN, "bpf", *MIDDLE),
    "__main__": ("cli",),
    "cli": (*PLAIN, *MIDDLE, "coverage", "services"),
}
LAYERS = ("hooks", "objects", "graph", "maps.h", "record.h")  # of C, from the top


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of provcap by its name within it; the package itself is left out."""
    for path in sorted((ROOT / "provcap").rglob("*.py")):
        parts = path.relative_to(ROOT / "provcap").with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        if name != "__init__":
            yield name, path


def imports(path: Path) -> Iterator[str]:
    """The modules of provcap that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix("provcap.") for name in names if name.startswith("provcap."))


def room_of(module: str) -> str | None:
    """The room of the table that a module is in."""
    fits = [room for room in MAY_IMPORT if f"{module}.".startswith(f"{room}.")]
    return max(fits, key=len, default=None)


@pytest.mark.parametrize(("module", "path"), [pytest.param(*m, id=m[0]) for m in modules()])
def test_a_module_imports_only_rooms_below_its_own(module: str, path: Path) -> None:
    """The graph and the formats work where no libbpf is; nothing runs backwards."""
    room = room_of(module)
    assert room, f"{module} is in no room of the table"
    allowed = (room, *MAY_IMPORT[room])
    offending = [
        name
        for name in imports(path)
        if name != "__version__" and not any(f"{name}.".startswith(f"{a}.") for a in allowed)
    ]

    assert offending == []


def test_includes_go_downward_only() -> None:
    """hooks -> objects -> graph -> maps.h -> record.h: no header knows who uses it."""
    sources = sorted((ROOT / "kernel").rglob("*.[ch]"))
    offending = [
        f"{path.relative_to(ROOT)} includes {name}"
        for path in sources
        for name in re.findall(r'^#include "(.+)"', path.read_text(), re.M)
        if layer_of(path.parent / name) < layer_of(path)
    ]

    assert len(sources) > len(LAYERS)
    assert offending == []


def layer_of(path: Path) -> int:
    """Place of a file in the order of C; the other headers stand with record.h at the bottom."""
    first = path.resolve().relative_to(ROOT / "kernel").parts[0]
    if first == "maps.bpf.c":
        return LAYERS.index("maps.h")
    return LAYERS.index(first) if first in LAYERS else LAYERS.index("record.h")
