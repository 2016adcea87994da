"""The committed vocabulary and layout are what the headers say, and what CamFlow knows."""

import csv
import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from provcap.capture import layout
from provcap.vocabulary import KINDS, RELATIONS

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests/golden"

needs_compiler = pytest.mark.skipif(
    not all(map(shutil.which, ("clang-16", "bpftool", "llvm-objcopy-16", "llvm-nm-16"))),
    reason="needs clang-16, llvm-16 and bpftool",
)


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "generate_vocabulary", ROOT / "packaging/generate_vocabulary.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@needs_compiler
@pytest.mark.object
def test_the_committed_vocabulary_is_what_the_headers_say(generator: ModuleType) -> None:
    """Regenerating provcap/vocabulary.py changes nothing."""
    assert generator.vocabulary_text() == generator.VOCABULARY.read_text()


@needs_compiler
@pytest.mark.object
def test_the_committed_layout_is_what_the_headers_say(generator: ModuleType) -> None:
    """Regenerating tests/golden/layout.json changes nothing."""
    assert generator.layout_text() == generator.LAYOUT.read_text()


def golden_rows(kind: str) -> list[dict[str, str]]:
    with (GOLDEN / "types.tsv").open() as lines:
        return [
            row
            for row in csv.DictReader(lines, delimiter="\t")
            if (row["kind"] == "relation") == (kind == "relation")
        ]


def test_every_relation_of_camflow_has_its_type_word_and_section() -> None:
    """All 93 relations keep name, type word and PROV relation."""
    ours = {r.name: (r.type, r.section) for r in RELATIONS}
    rows = golden_rows("relation")

    assert len(rows) == 93
    for row in rows:
        assert ours[row["name"]] == (int(row["id_hex"], 16), row["w3c_section"])


def test_every_node_kind_of_camflow_has_its_type_word_and_class() -> None:
    """All 26 node kinds keep name, type word and PROV class."""
    ours = {k.name: (k.type, k.prov_class) for k in KINDS}
    rows = golden_rows("node")

    assert len(rows) == 26
    for row in rows:
        assert ours[row["name"]] == (int(row["id_hex"], 16), row["w3c_section"])


def test_a_layout_survives_json() -> None:
    """A layout in a recording's header is read back as it was."""
    first = layout.from_json(json.loads((GOLDEN / "layout.json").read_text()))

    assert layout.from_json(json.loads(json.dumps(layout.to_json(first)))) == first
