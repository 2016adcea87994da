"""The reference says what is there, and all of it."""

import ast
import importlib
import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from provcap.capture.disclosed import EDGE_RELATIONS
from provcap.cli.camflow import FLAGS, UNSUPPORTED
from provcap.cli.main import COMMANDS
from provcap.cli.recording import OPTIONS
from provcap.disclose import NODES
from provcap.disclose import RELATIONS as RELATIONS_DISCLOSED
from provcap.policy.model import INSEPARABLE
from provcap.services.ledger import CAUSES
from provcap.vocabulary import RELATION, RELATIONS

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs/reference"
KERNEL = ROOT / "kernel"
LAYOUT = (ROOT / "tests/golden/layout.txt").read_text()

# edges that the recorder writes out, that come with a record of another kind, or are disclosed
IMPLIED = INSEPARABLE | frozenset((*EDGE_RELATIONS, "ran_on"))


def rows(text: str) -> list[list[str]]:
    """The cells of every table row that begins with a `name`."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def names(cell: str) -> list[str]:
    """Every `name` in a cell."""
    return re.findall(r"`(\w+)`", cell)


def first_names(text: str) -> list[str]:
    """The name that each row is about."""
    return [names(cells[0])[0] for cells in rows(text) if names(cells[0])]


def sources(folder: str) -> dict[str, str]:
    """C file name -> text."""
    return {path.name: path.read_text() for path in sorted((KERNEL / folder).glob("*.[ch]"))}


def relations_in(text: str) -> set[str]:
    """The relations that C code names."""
    return {found.lower() for found in re.findall(r"\bREL_([A-Z_]+)\b", text)}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_an_example_and_a_place_in_the_reference(command: str) -> None:
    """Its help shows a line to type, and docs/reference tells of it."""
    module = importlib.import_module(f"provcap.cli.{command}")

    assert re.search(rf"^ +provcap {command}\b", module.__doc__ or "", re.M)
    assert f"`provcap {command}" in (REFERENCE / "commands.md").read_text()


def test_every_flag_of_camflow_has_its_row() -> None:
    """camflow.md has the flags that work, with their parameters, and those that do not yet."""
    page = (REFERENCE / "camflow.md").read_text()
    first, _, second = page.partition("## Different")[0].partition("## Not supported yet")
    told = [[cell.replace("\\|", "|").strip("`") for cell in row] for row in rows(first)]

    assert [(row[0], row[1]) for row in told] == [
        (name, " ".join(flag.parameters)) for name, flag in FLAGS.items()
    ]
    assert [row[0].strip("`") for row in rows(second)] == list(UNSUPPORTED)


def own_fields(listing: str) -> set[str]:
    """Names of a struct's fields out of its listing; an embedded struct is one field."""
    shown = [line for line in listing.splitlines() if not line.endswith("(padding)")]
    return {line.partition("  enum ")[0].split()[-1].split(".")[0] for line in shown}


def test_every_field_of_every_record_is_explained() -> None:
    """records.md has a heading for each struct and a row for each of its own fields."""
    page = (REFERENCE / "records.md").read_text()
    sections = re.findall(r"^## (prov_\w+)\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    structs = re.findall(r"^struct (\w+): .*\n((?: .*\n)+)", LAYOUT, re.M)

    assert {name: set(first_names(text)) for name, text in sections} == {
        name: own_fields(listing) for name, listing in structs
    }


def test_every_relation_is_explained() -> None:
    """relations.md has one row for each, in their order, with PROV relation and flow class."""
    told = rows((REFERENCE / "relations.md").read_text())

    assert [(names(cells[0])[0], cells[1], cells[3]) for cells in told] == [
        (relation.name, relation.section, relation.flow) for relation in RELATIONS
    ]


def test_the_reference_says_which_relations_are_recorded() -> None:
    """What no hook names is marked as never recorded, and nothing else is."""
    told = rows((REFERENCE / "relations.md").read_text())
    recorded = {names(cells[0])[0] for cells in told if not cells[4].startswith("never: ")}
    code = "\n".join((*sources("hooks").values(), *sources("objects").values()))

    assert recorded == relations_in(code) | IMPLIED
    assert relations_in(code) <= RELATION.keys()


def test_every_counter_is_explained() -> None:
    """losses.md has a row for each counter of the kernel side."""
    enums = json.loads((ROOT / "tests/golden/layout.json").read_text())["enums"]
    counters = {name.removeprefix("COUNT_").lower() for name in enums["prov_counter"]}
    page = (REFERENCE / "losses.md").read_text().partition("## What the recorder finds")[0]

    assert set(first_names(page)) == counters - {"counter_count"}


def test_every_setting_is_explained() -> None:
    """settings.md has a row for each switch, mark, filter and variable, and for nothing else."""
    layout = json.loads((ROOT / "tests/golden/layout.json").read_text())
    code = "".join(path.read_text() for path in (ROOT / "provcap").rglob("*.py"))
    page = (REFERENCE / "settings.md").read_text()
    listing = re.search(r"^struct prov_policy: .*\n((?: .*\n)+)", LAYOUT, re.M)
    assert listing
    policy = own_fields(listing[1]) - {"switches", "generation", "restrictions"}
    marks, switches = layout["enums"]["prov_mark"], layout["enums"]["prov_switch"]

    assert set(first_names(page)) == {
        *marks,
        *switches,
        *policy,
        *re.findall(r'"(PROVCAP_\w+)"', code),
    }


def test_every_option_of_a_recording_is_explained() -> None:
    """commands.md has a row for each."""
    page = (REFERENCE / "commands.md").read_text()

    assert set(re.findall(r"^\| `(--[\w-]+)", page, re.M)) == set(OPTIONS)


def test_everything_that_can_be_disclosed_is_explained() -> None:
    """disclosure.md has each request with its keys and its relation; losses.md each cause."""
    table = rows((REFERENCE / "disclosure.md").read_text())
    told = {name: cells for cells in table for name in names(cells[0])}
    causes = (REFERENCE / "losses.md").read_text().partition("## What applications")[2]

    assert told.keys() == {*NODES, *RELATIONS_DISCLOSED, "log"}
    for word, (relation, ends) in RELATIONS_DISCLOSED.items():
        assert (names(told[word][1]), names(told[word][2])) == (list(ends), [relation])
    assert set(CAUSES) <= set(first_names(causes))


COPYING = ("copy.bpf.c", "ring.bpf.c")  # these have a page of their own


def test_every_input_that_may_wait_is_explained() -> None:
    """inputs.md has a row for each function exit that stands for an input."""
    functions = {
        name
        for file, text in sources("hooks").items()
        for name in re.findall(r'SEC\("fexit/(\w+)"', text)
        if file not in COPYING
    }

    assert set(first_names((REFERENCE / "inputs.md").read_text())) == functions


def test_every_function_that_copies_is_explained() -> None:
    """copies.md has a row for each function that is looked at, and says when."""
    text = "".join(sources("hooks")[file] for file in COPYING) + 'SEC("fentry/kernel_sendpage")'
    seen = defaultdict(set)
    for moment, name in re.findall(r'SEC\("(fentry|fexit)/(\w+)"', text):
        seen[name].add({"fentry": "entry", "fexit": "exit"}[moment])
    page = (REFERENCE / "copies.md").read_text().partition("## Where it is seen")[2]

    assert {names(cells[0])[0]: cells[1] for cells in rows(page)} == {
        name: "both" if len(moments) == 2 else min(moments) for name, moments in seen.items()
    }


HOOKS = rows((KERNEL / "README.md").read_text().partition("## Hooks")[2])


def test_every_hook_is_in_the_table_of_its_file() -> None:
    """kernel/README.md names the programs and the files they are in."""
    there = [
        (hook, file)
        for file, text in sources("hooks").items()
        for hook in re.findall(r'^SEC\("\w+(?:\.s)?/(\w+)"\)', text, re.M)
    ]

    assert sorted((names(cells[0])[0], cells[2].strip("`")) for cells in HOOKS) == sorted(there)


@pytest.mark.parametrize("file", sources("hooks"))
def test_the_table_of_hooks_has_the_relations_of_each_file(file: str) -> None:
    """The rows of a file together name what its code names."""
    told = {name for cells in HOOKS if cells[2] == f"`{file}`" for name in names(cells[1])}

    assert told == relations_in(sources("hooks")[file])


def test_links_between_pages_lead_somewhere() -> None:
    """Every relative link in docs/ has its file, and so has every page that code refers to."""
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in (ROOT / "docs").rglob("*.md")
        for target in re.findall(r"\]\(([^)#:]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    code = [*KERNEL.rglob("*.[ch]"), *(ROOT / "provcap").rglob("*.py")]
    dead += [
        f"{path.relative_to(ROOT)}: {target}"
        for path in code
        for target in re.findall(r"\bdocs/[\w/-]+\.md", path.read_text())
        if not (ROOT / target).exists()
    ]

    assert dead == []


def test_every_module_says_what_it_is_for() -> None:
    """The first thing in a module is a sentence."""
    silent = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "provcap").rglob("*.py"))
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert silent == []
