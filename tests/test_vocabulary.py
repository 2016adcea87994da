"""The committed vocabulary and layout are what the object says, and what CamFlow knows."""

import csv
import json
from pathlib import Path

import pytest

from kernel.tools import contract
from provcap.capture import layout
from provcap.vocabulary import KINDS, RELATIONS

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests/golden"
OURS = {  # words that CamFlow does not have
    *("stream", "send_stream", "receive_stream", "unnamed", "file_snd", "packet6"),
    *("mkdir", "mknod", "tmpfile", "rmdir", "replace", "exchange"),
    "stacked",
    *("copy", "reflink", "ring_message"),
    *("setgid", "setgroups", "capset", "setns", "mount", "umount", "chroot", "pivot_root"),
    *("signal", "load_bpf"),
    *("eventfd", "relay", "sh_detach", "sh_attach_read"),
    *("munmap", "vm_write", "vm_read"),
}
NEVER_SENT = {"unknown"}  # CamFlow has it, too, but not in its list of types


@pytest.mark.object
def test_the_committed_contract_is_what_the_object_says(kernel_object: bytes) -> None:
    """`make vocabulary` changes nothing: neither names nor layouts."""
    stale = [p.name for p, text in contract.texts(kernel_object).items() if p.read_text() != text]

    assert stale == [], "run: make vocabulary"


@pytest.mark.object
def test_the_layout_shows_what_passes_between_kernel_and_python(kernel_object: bytes) -> None:
    """The fingerprint covers the kernel's own state as well, the golden listing does not."""
    shown = contract.contract(kernel_object)

    assert {"prov_event", "prov_text", "prov_policy", "prov_marks"} <= set(shown.records)
    assert "prov_task" not in shown.records
    assert {"prov_record_kind", "prov_switch", "prov_mark", "prov_counter"} <= set(shown.enums)


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
    """All 26 node kinds keep name, type word (its long-record bit, too) and PROV class."""
    ours = {k.name: (k.type, k.prov_class) for k in KINDS}
    rows = golden_rows("node")

    assert len(rows) == 26
    for row in rows:
        assert ours[row["name"]] == (int(row["id_hex"], 16), row["w3c_section"])


def test_what_camflow_does_not_have_is_listed() -> None:
    """Any other name of ours would be a new word that no consumer of CamFlow knows."""
    theirs = {row["name"] for kind in ("relation", "node") for row in golden_rows(kind)}

    assert {word.name for word in (*KINDS, *RELATIONS)} - theirs == OURS | NEVER_SENT


def test_a_layout_survives_json() -> None:
    """A layout in a recording's header is read back as it was."""
    first = layout.from_json(json.loads((GOLDEN / "layout.json").read_text()))

    assert layout.from_json(json.loads(json.dumps(layout.to_json(first)))) == first
