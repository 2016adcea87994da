"""draw: the page holds its data and its policy; tests/browser opens it."""

import json
import re
import shutil
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings

from provcap.graph import html, queries
from provcap.graph.picture import Options, make
from provcap.graph.titles import clean
from tests.graph import crowds
from tests.graph.builder import Log
from tests.graph.hostile import NAMES, log_of, names
from tests.graph.story import story
from tests.graph.test_picture import REPORT

pytestmark = pytest.mark.skipif(not shutil.which("dot"), reason="needs graphviz")


class Elements(HTMLParser):
    """Collects the elements of a page, and what stands in its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script":
            self.scripts[-1] += data


def page(log: Log, target: str = "", **options: object) -> str:
    graph = log.graph()
    targets = queries.resolve(graph, target) if target else []
    picture, known = make(graph, targets, Options(**options), target)  # type: ignore[arg-type]
    return html.render(graph, picture, known).decode()


def data(text: str) -> dict:
    return json.loads(Elements(text).scripts[0])


def node(text: str, title: str) -> dict:
    return next(node for node in data(text)["nodes"] if node["title"] == title)


def test_nothing_is_fetched() -> None:
    """No address but the names of the SVG language, and a policy that allows no connection."""
    text = page(story(), REPORT)
    tags = Elements(text).tags
    policy = next(attrs["content"] for tag, attrs in tags if "http-equiv" in attrs)

    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not [attrs for _, attrs in tags if {"src", "href"} & set(attrs)]
    script = Elements(text).scripts[1]
    assert set(re.findall(r"https?://[^\s\"']+", script)) == {"http://www.w3.org/2000/svg"}


def test_a_node_carries_all_that_is_known() -> None:
    facts = dict(node(page(story(), REPORT), "wget (pid 201)")["facts"])

    assert facts["Kind"] == ["process (activity)"]
    assert facts["Process id"] == ["201"]
    assert facts["Arguments"] == ["wget -q http://127.0.0.1:8000/page.html"]
    assert facts["Time"][0].startswith("2026-01-02 03:04:05")
    assert len(facts["Identifiers"]) == int(facts["Versions"][0])


def test_a_file_carries_its_names_with_times_and_its_inode() -> None:
    facts = dict(node(page(story(), REPORT), "/srv/www/page.html")["facts"])

    assert facts["Names"] == ["/srv/www/page.html (since 03:04:05.058000)"]
    assert facts["Inode"][0].isdecimal()


def test_versions_and_what_flowed_between_them_are_there() -> None:
    sort = node(page(story(), REPORT), "sort (pid 202)")
    words = [label for label, _, _ in sort["versions"]]

    # two memories: of the shell's child, and of sort
    assert sorted(words) == [*(["memory v0"] * 2), *(f"task v{version}" for version in range(4))]
    assert all(from_ != to for from_, to in sort["inner"])


@pytest.mark.parametrize(("at", "size"), [("at", "size"), ("wideAt", "wideSize")])
def test_no_node_overlaps_another(at: str, size: str) -> None:
    """Neither folded nor with all versions."""
    placed = data(page(crowds.jumble(500), limit=500))["nodes"]
    overlapping = [
        (one["title"], two["title"])
        for place, one in enumerate(placed)
        for two in placed[:place]
        if all(
            abs(one[at][axis] - two[at][axis]) * 2 < one[size][axis] + two[size][axis] - 1
            for axis in (0, 1)
        )
    ]

    assert len(placed) == 500
    assert overlapping == []


def test_a_page_with_too_many_versions_leaves_some_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MAX_VERSIONS", 3)
    shown = [len(node["versions"]) for node in data(page(story(), REPORT))["nodes"]]

    assert sum(shown) <= 3
    assert dict(node(page(story(), REPORT), "sort (pid 202)")["facts"])["Versions"] == ["6"]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[1:20])
def test_names_arrive_as_they_are(name: str) -> None:
    titles = [node["title"] for node in data(page(log_of(name)))["nodes"]]

    assert clean(f"/in/{name}") in titles


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(name=names)
def test_no_name_breaks_the_page(name: str) -> None:
    """The page has the same elements whatever things are called, and its data can be read."""
    harmless = [tag for tag, _ in Elements(page(log_of("x"))).tags]
    text = page(log_of(name))

    assert [tag for tag, _ in Elements(text).tags] == harmless
    assert len(data(text)["nodes"]) == 4
    assert not re.search("[<>&\u2028\u2029]", Elements(text).scripts[0])


def test_a_page_of_versions_has_nothing_to_unfold() -> None:
    """Each node is a version already."""
    drawn = data(page(story(), versions=True))["nodes"]

    assert "sort (pid 202) v3" in [node["title"] for node in drawn]
    assert not any(node["versions"] for node in drawn)
