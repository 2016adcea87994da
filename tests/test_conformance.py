"""The page that sets provcap beside CamFlow has every row, and says what is so."""

import re
from pathlib import Path

import pytest

from provcap.bpf.lost import GAPS
from provcap.coverage.flows import Flow, read, relation_of
from provcap.vocabulary import KINDS, RELATIONS
from tests.test_docs import REFERENCE, ROOT, first_names, names, rows, sources

PAGE = (REFERENCE / "conformance.md").read_text()
CAMFLOW_HOOKS = (ROOT / "tests/golden/camflow-hooks.txt").read_text().split()  # netfilter last
CAMFLOW_RELATIONS = 93
WEAKNESSES = 42
PLAYED, NOT_PLAYED = "recorded", "recorded, not played"
FLOWS = [flow for flow in read() if not flow.not_yet]


def section(title: str) -> str:
    """The text below a heading."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    assert found, title
    return found[1]


def states(title: str) -> dict[str, str]:
    """Name of each row of a table -> what its last column begins with."""
    found = {}
    for cells in rows(section(title)):
        state = re.match(r"recorded, not played(?=:)|recorded|never(?=:)", cells[2])
        assert state, f"{cells[0]} begins with none of the words"
        found[names(cells[0])[0]] = state[0]
    return found


def edges(flow: Flow) -> set[str]:
    """Everything that this flow may promise."""
    return set(flow.expect).union(*(older.expect for older in flow.older))


def played_relations() -> set[str]:
    """Relations that a workload expects."""
    return {relation_of(edge) for flow in FLOWS for edge in edges(flow)}


def played_kinds() -> set[str]:
    """Node types that a workload expects at the end of an edge."""
    ends = {
        end.partition(":")[0]
        for flow in FLOWS
        for edge in edges(flow)
        for end in edge.split(" ", 1)[1].split(" -> ")
    }
    return {"process_memory" if end == "memory" else end for end in ends}


def test_every_relation_has_its_row() -> None:
    """CamFlow's first, in the order of the vocabulary, and then ours."""
    told = first_names(section("Relations"))

    assert told == [relation.name for relation in RELATIONS]
    assert all(cells[1] == "none" or cells[1].startswith("none:") for cells in
               rows(section("Relations"))[CAMFLOW_RELATIONS:])  # fmt: skip


def test_every_node_type_has_its_row() -> None:
    """All that have a name in CamFlow, and ours."""
    told = first_names(section("Nodes"))

    assert sorted(told) == sorted(kind.name for kind in KINDS if kind.name != "unknown")


def test_what_is_called_recorded_is_what_the_reference_calls_so() -> None:
    """One page must not promise what the other denies."""
    reference = {
        names(cells[0])[0]: not cells[4].startswith("never: ")
        for cells in rows((REFERENCE / "relations.md").read_text())
    }

    assert {
        name: state in (PLAYED, NOT_PLAYED) for name, state in states("Relations").items()
    } == reference


@pytest.mark.parametrize(
    ("title", "played"), [("Relations", played_relations()), ("Nodes", played_kinds())]
)
def test_what_is_called_recorded_is_played(title: str, played: set[str]) -> None:
    """A workload expects it, unless the row says why none can; and nothing else is expected."""
    called = {name for name, state in states(title).items() if state == PLAYED}

    assert called == played


NOT_PLAYED_ROWS = [
    pytest.param(names(cells[0])[0], cells[2], id=f"{title}-{names(cells[0])[0]}")
    for title in ("Nodes", "Relations")
    for cells in rows(section(title))
    if cells[2].startswith(f"{NOT_PLAYED}:")
]


@pytest.mark.parametrize(("name", "said"), NOT_PLAYED_ROWS)
def test_what_is_not_played_is_seen_elsewhere_or_called_untested(name: str, said: str) -> None:
    """The row ends with the test that speaks of it, or with the word."""
    found = re.search(r"(?:\buntested|seen in `(tests/vm/test_\w+\.py)`)$", said)

    assert found, said
    if found[1]:
        assert re.search(rf"\b{name}\b", (ROOT / found[1]).read_text())


def hooks_of_the_object() -> set[str]:
    """Every function or hook that a program of the kernel side attaches to."""
    text = "\n".join(sources("hooks").values())
    return set(re.findall(r'^SEC\("\w+(?:\.s)?/(\w+)"\)', text, re.M))


def test_every_hook_has_its_row() -> None:
    """Each of CamFlow's, and each of ours either beside one of those or on its own."""
    theirs, ours = section("Hooks").split("And the hooks that CamFlow has no counterpart of.")
    beside = {name for cells in rows(theirs) for name in names(cells[2].partition(":")[0])}
    alone = first_names(ours)

    assert first_names(theirs) == CAMFLOW_HOOKS
    assert beside | set(alone) == hooks_of_the_object()
    assert not beside & set(alone)
    assert len(alone) == len(set(alone))


def test_a_hook_that_is_not_used_says_why() -> None:
    """There is a reason, or it is still to come."""
    theirs = section("Hooks").split("And the hooks")[0]
    silent = [cells[0] for cells in rows(theirs) if cells[2] == "none" or not cells[2]]

    assert silent == []


def test_every_weakness_is_answered() -> None:
    """By number, with what has become of it."""
    found = re.findall(
        r"^\| (\d+) \| .+ \| (closed|in part|open)\b", section("Weaknesses of CamFlow"), re.M
    )

    assert [int(number) for number, _ in found] == list(range(1, WEAKNESSES + 1))
    assert len(rows(PAGE)) > len(CAMFLOW_HOOKS) + CAMFLOW_RELATIONS


def test_the_kernels_of_older_promises_are_told_of() -> None:
    """What the expectations say of kernels before a release is on the page."""
    releases = {".".join(map(str, older.before)) for flow in read() for older in flow.older}
    told = set(re.findall(r"^\| before ([\d.]+) \|", section("What an older kernel lacks"), re.M))

    assert releases <= told


def test_what_a_kernel_lacks_is_what_the_doctor_looks_for() -> None:
    """Row by row: `provcap doctor` and the page have one list."""
    lines = section("What an older kernel lacks").splitlines()
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")][1:]

    assert table == [[gap.kernel, gap.lacks, gap.so] for gap in GAPS]


def test_the_page_is_reached_from_others() -> None:
    """Nobody reads what nothing leads to."""
    pages = [Path(REFERENCE / name).read_text() for name in ("relations.md", "coverage.md")]

    assert all("conformance.md" in text for text in pages)
