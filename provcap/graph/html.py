"""Write a picture as one HTML file that works offline: pan, zoom, search, unfold.

Graphviz says where things stand; the script in ``page/`` draws them. Names in a recording are
chosen by whoever made the files, so they travel as JSON in which no character can end the element,
and the page sets them as text only. Its policy forbids any connection and any other script.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from provcap.graph import dot, labels, palette
from provcap.graph.facts import Facts
from provcap.graph.model import Graph
from provcap.graph.naming import Names
from provcap.graph.picture import Edge, Node, Picture
from provcap.graph.words import FLOWS

MAX_VERSIONS = 20_000  # of all nodes together; a page with more would be slow to open
_PARTS = ("state", "layout", "drawing", "view", "versions", "details", "input")
_POINTS = 72  # Graphviz measures nodes in inches and places in points
_LETTER, _SMALL, _LINE = 6.9, 5.6, 14  # of the page's fonts: mean widths, height of a line
_SAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}  # json.dumps already escapes what is not ASCII
# the versions of an unfolded node stand in rows
_CELL = {"width": 74, "height": 22, "gap": 12, "perRow": 8}
_LEGEND = (
    ("process", "activity", "process"),
    ("file", "entity", "file, directory"),
    ("connection", "entity", "connection, socket"),
    ("pipe", "entity", "pipe, shared memory, message"),
    ("device", "entity", "terminal, device"),
    ("agent", "agent", "machine, agent"),
)
Point = tuple[float, float]
Size = tuple[float, float]
_INNER = frozenset((FLOWS["data"], FLOWS["version"]))


def render(graph: Graph, picture: Picture, names: Names) -> bytes:
    """Return the page; raises as ``dot.run`` does."""
    data = json.dumps(_data(graph, picture, names), separators=(",", ":")).translate(_SAFE)
    style, script = _page("page.css"), _script()
    parts = {
        "policy": f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'",
        "title": html.escape(f"{picture.title} - provcap"),
        "style": style,
        "script": script,
        "data": data,
    }
    # one pass: nothing that is put in is looked at again
    page = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _page("template.html"))
    return page.encode()


def _page(name: str) -> str:
    return (files("provcap.graph") / "page" / name).read_text(encoding="utf-8")


def _script() -> str:
    """Return the parts of the script as one, in a scope of their own: ``open`` is the window's."""
    return "".join(("(() => {\n", *(_page(f"{part}.js") for part in _PARTS), "})();\n"))


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _data(graph: Graph, picture: Picture, names: Names) -> dict[str, Any]:
    texts = labels.all_lines(picture)
    sizes = [_size(node, lines) for node, lines in zip(picture.nodes, texts, strict=True)]
    shown = _shown(picture)
    wide = [_wide(size, len(versions)) for size, versions in zip(sizes, shown, strict=True)]
    layout = _layout(picture, sizes)
    unfolded = layout if wide == sizes else _layout(picture, wide)
    facts = Facts(graph, names)
    minor = labels.minor_edges(picture)
    return {
        "banner": labels.banner(picture),
        "complete": picture.complete,
        "cell": _CELL,
        "colours": palette.COLOURS | {"fold": palette.FOLD},
        "legend": _legend(picture),
        "nodes": [
            _node_data(graph, facts, node, shown[number])
            | {"lines": texts[number], "at": layout.nodes[number], "size": sizes[number]}
            | {"wideAt": unfolded.nodes[number], "wideSize": wide[number]}
            for number, node in enumerate(picture.nodes)
        ],
        "edges": [
            _edge_data(graph, picture, edge, shown)
            | {"curve": _along(edge, layout.curves.get(number, []))}
            | {"at": layout.words.get(number), "minor": number in minor}
            for number, edge in enumerate(picture.edges)
        ],
    }


def _shown(picture: Picture) -> list[tuple[int, ...]]:
    """Return the versions that each node can be unfolded to, as many as a page can hold."""
    budget = 0 if picture.exact else MAX_VERSIONS  # each node is a version already
    shown = []
    for node in picture.nodes:
        shown.append(node.versions if len(node.versions) <= budget and not node.members else ())
        budget -= len(shown[-1])
    return shown


def _legend(picture: Picture) -> list[list[str]]:
    kinds = {node.kind for node in picture.nodes}
    return [list(entry) for entry in _LEGEND if entry[0] in kinds]


def _size(node: Node, lines: list[str]) -> Size:
    """Return width and height of a node: what its lines need in the page's fonts."""
    first, *rest = lines
    widths = [labels.columns(first) * _LETTER, *(labels.columns(line) * _SMALL for line in rest)]
    extra = {"activity": 18, "entity": 30, "agent": 30}[node.prov_class]
    return round(max(*widths, 30) + extra), (len(rest) + 1) * _LINE + 12


def _wide(size: Size, versions: int) -> Size:
    """Return the size of a node with its versions below its lines."""
    if not versions:
        return size
    gap = _CELL["gap"]
    columns, rows = min(versions, _CELL["perRow"]), -(-versions // _CELL["perRow"])
    width = columns * (_CELL["width"] + gap) + gap
    return max(width, size[0]), size[1] + rows * (_CELL["height"] + gap) + gap


class _Layout(NamedTuple):
    """Where things stand: the middles of nodes and of the words of edges, and curves."""

    nodes: list[Point]
    curves: dict[int, list[Point]]
    words: dict[int, Point]


def _layout(picture: Picture, sizes: list[Size]) -> _Layout:
    found = json.loads(dot.run(_layout_text(picture, sizes), "json0"))
    height = float(found["bb"].split(",")[3])
    places = {place["name"]: _point(place["pos"], height) for place in found.get("objects", ())}
    edges = found.get("edges", ())
    return _Layout(
        [places[f"n{number}"] for number in range(len(sizes))],
        {int(e["id"]): [_point(word, height) for word in e["pos"].split()] for e in edges},
        {int(e["id"]): _point(e["lp"], height) for e in edges if "lp" in e},
    )


def _layout_text(picture: Picture, sizes: list[Size]) -> str:
    """Return the picture without words: only what takes part in placing it."""
    many = len(picture.nodes) > labels.MANY
    lines = [
        f"graph [rankdir={dot.direction(picture)}, nodesep=0.3, ranksep={0.6 if many else 0.3}, "
        f"{dot.effort(picture)}]",
        'node [shape=box, fixedsize=true, label=""]',
        "edge [dir=none, fontsize=10]",  # the curve shall reach the node: the page draws the arrow
    ]
    for number, (width, height) in enumerate(sizes):
        lines.append(f"n{number} [width={width / _POINTS:.3f}, height={height / _POINTS:.3f}]")
    minor = labels.minor_edges(picture)
    for number, edge in enumerate(picture.edges):
        ends = (edge.target, edge.source) if edge.is_back else (edge.source, edge.target)
        words = "" if many else f", label={dot.quoted(f' {labels.edge_line(edge)} ')}"
        if number not in minor:
            lines.append(f'n{ends[0]} -> n{ends[1]} [id="{number}"{words}]')
    return "\n".join(("digraph provcap {", *lines, "}\n"))


def _point(text: str, height: float) -> Point:
    """Read ``x,y``; Graphviz counts from below, a page from above."""
    x, y = text.split(",")
    return round(float(x), 1), round(height - float(y), 1)


def _along(edge: Edge, curve: list[Point]) -> list[Point]:
    """Return the curve from source to target: those that run back were laid out turned round."""
    return curve[::-1] if edge.is_back else curve


def _node_data(graph: Graph, facts: Facts, node: Node, shown: tuple[int, ...]) -> dict[str, Any]:
    return {
        "title": node.title,
        "tip": labels.node_tip(node),
        "kind": node.kind,
        "shape": node.prov_class,
        "fold": bool(node.members),
        "target": node.is_target,
        "facts": facts.of(node),
        "versions": [facts.version(version) for version in shown],
        "inner": _inner(graph, shown),
    }


def _inner(graph: Graph, versions: tuple[int, ...]) -> list[list[int]]:
    """Return the edges between the versions of a node, as pairs of places."""
    place = {version: number for number, version in enumerate(versions)}
    pairs = {
        (place[version], place[graph.receiver[edge]])
        for version in versions
        for edge in graph.edges_out(version)
        if graph.flow[edge] in _INNER and graph.receiver[edge] in place
    }
    return [list(pair) for pair in sorted(pairs)]


def _edge_data(
    graph: Graph, picture: Picture, edge: Edge, shown: Sequence[tuple[int, ...]]
) -> dict[str, Any]:
    sent, got = ({v: at for at, v in enumerate(shown[end])} for end in (edge.source, edge.target))
    pairs = {(sent.get(graph.sender[f], -1), got.get(graph.receiver[f], -1)) for f in edge.flows}
    return {
        "from": edge.source,
        "to": edge.target,
        "words": labels.edge_line(edge),
        "tip": labels.edge_tip(picture, edge),
        "relations": labels.relation_counts(edge),
        "time": labels.span(edge.first_ns, edge.last_ns),
        "back": edge.is_back,
        "pairs": [list(pair) for pair in sorted(pairs)],
    }
