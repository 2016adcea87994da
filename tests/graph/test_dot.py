"""draw: what Graphviz is given and what it makes of it."""

import shutil
import subprocess
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings

from provcap.errors import OutputError, SetupError
from provcap.graph import dot, labels
from provcap.graph.picture import Picture
from provcap.graph.titles import clean
from tests.graph import crowds
from tests.graph.hostile import NAMES, log_of, names
from tests.graph.story import story
from tests.graph.test_picture import REPORT, picture

needs_dot = pytest.mark.skipif(not shutil.which("dot"), reason="needs graphviz")
SVG = "{http://www.w3.org/2000/svg}"


def boxes(drawn: Picture) -> list[tuple[float, float, float, float]]:
    """Left, bottom, right and top of each node."""
    lines = dot.run(dot.as_dot(drawn), "plain").decode().splitlines()
    places = [line.split(" ", 6) for line in lines if line.startswith("node ")]
    numbers = [[float(word) for word in words[2:6]] for words in places]
    return [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for x, y, w, h in numbers]


def svg_of(drawn: Picture) -> ET.Element:
    return ET.fromstring(dot.render(drawn, "svg"))


def texts(svg: ET.Element) -> list[str]:
    return [" ".join((element.text or "").split()) for element in svg.iter(f"{SVG}text")]


@needs_dot
@pytest.mark.parametrize("log", [story(), crowds.build(7), crowds.jumble(500)])
def test_no_two_nodes_overlap(log) -> None:
    drawn = picture(log, limit=500)
    placed = boxes(drawn)
    overlapping = [
        (one, two)
        for one, two in combinations(placed, 2)
        if one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]
    ]

    assert len(placed) == len(drawn.nodes)
    assert overlapping == []


@needs_dot
def test_svg_names_everything_and_shapes_by_class() -> None:
    svg = svg_of(picture(story(), REPORT))
    shape = {
        texts(group)[0]: [
            name for name in ("polygon", "ellipse") if group.find(f".//{SVG}{name}") is not None
        ]
        for group in svg.iter(f"{SVG}g")
        if group.get("class") == "node"
    }

    assert shape["sort (pid 202)"] == ["polygon"]
    assert shape["/srv/www/page.html"] == shape["pipe"] == ["ellipse"]
    assert "complete: no record was lost" in texts(svg)


@needs_dot
def test_unfolded_ranks_grow_with_time() -> None:
    """Each edge leads down, so a later version of a thing stands below an earlier one."""
    drawn = picture(story(), versions=True)
    placed = boxes(drawn)

    assert dot.direction(drawn) == "TB"
    assert all(placed[edge.target][3] < placed[edge.source][1] for edge in drawn.edges)


@needs_dot
def test_a_partial_picture_says_so() -> None:
    log = story()
    log.account(complete=False, event_ring_full=7)

    assert "PARTIAL PICTURE \u2013 incomplete: 7 event ring full" in texts(svg_of(picture(log)))


@needs_dot
@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[1:20])
def test_names_are_shown_as_they_are(name: str) -> None:
    """What the SVG says is the cleaned name, shortened, to the letter."""
    title = labels.short(clean(f"/in/{name}"), labels.TITLE_WIDTH)
    groups = list(svg_of(picture(log_of(name))).iter(f"{SVG}g"))

    assert "".join(title.split()) in [
        "".join("".join(texts(group)).split()) for group in groups if group.get("class") == "node"
    ]


@needs_dot
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(name=names)
def test_no_name_breaks_the_drawing(name: str) -> None:
    """Graphviz accepts the text without a word, and its SVG has the same nodes and edges."""
    drawn = picture(log_of(name))
    text = dot.as_dot(drawn)
    run = subprocess.run(["dot", "-Tsvg"], input=text.encode(), capture_output=True, check=True)
    classes = [group.get("class") for group in ET.fromstring(run.stdout).iter(f"{SVG}g")]

    assert run.stderr == b""
    assert (classes.count("node"), classes.count("edge")) == (len(drawn.nodes), len(drawn.edges))


@needs_dot
def test_png_is_a_png() -> None:
    assert dot.render(picture(story()), "png").startswith(b"\x89PNG\r\n")


def test_without_graphviz_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text can be had all the same."""
    monkeypatch.setenv("PATH", "/nowhere")

    assert dot.render(picture(story()), "dot").startswith(b"digraph provcap {")
    with pytest.raises(SetupError, match="apt-get install graphviz"):
        dot.render(picture(story()), "svg")


@needs_dot
def test_what_graphviz_refuses_is_passed_on() -> None:
    with pytest.raises(OutputError, match="syntax error in line 1"):
        dot.run("digraph {", "svg")


@needs_dot
def test_graphviz_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dot, "TIMEOUT_S", 0.001)
    with pytest.raises(OutputError, match="draw less"):
        dot.render(picture(crowds.jumble(500), limit=1000), "svg")


def test_a_big_picture_tells_parents_on_the_nodes() -> None:
    """Hundreds of arrows from init would hide all the others."""
    drawn = picture(crowds.jumble(200), limit=300)
    lines = labels.all_lines(drawn)
    told = [line for line in lines if line[-1] == "started by init (pid 10)"]

    assert len(told) == len(labels.minor_edges(drawn)) == 100


def test_graphviz_tries_less_hard_where_it_would_take_minutes() -> None:
    """A graph of versions has thousands of edges."""
    small, large = picture(story()), picture(crowds.build(60), versions=True, limit=5000)

    assert "splines=true" in dot.as_dot(small)
    assert len(large.edges) > 1000
    assert "nslimit=0.3" in dot.as_dot(large)
