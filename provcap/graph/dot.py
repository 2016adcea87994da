"""Draw a picture with Graphviz: its text (``dot``), SVG and PNG, or only where things stand.

``dot`` runs as a program that reads standard input, with a time limit: a picture too big for it
ends with a hint, not with a machine that is busy for an hour.
"""

import html
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from math import log

from provcap.errors import OutputError, SetupError
from provcap.graph import labels, palette
from provcap.graph.picture import Edge, Node, Picture

TIMEOUT_S = 120
_SHAPES = {"activity": "box", "entity": "ellipse", "agent": "house"}
_MANY_EDGES, _VERY_MANY_EDGES = 100, 800
_SCREEN = 1.6  # width by height
_FONTS = "DejaVu Sans,Verdana,Helvetica,sans-serif"


def render(picture: Picture, form: str) -> bytes:
    """Return the picture as ``dot``, ``svg`` or ``png``.

    Raises SetupError without Graphviz, OutputError if it fails or takes too long.
    """
    text = as_dot(picture)
    return text.encode() if form == "dot" else run(text, form)


def run(text: str, form: str) -> bytes:
    """Return what Graphviz makes of a graph in its own language; raises as ``render`` does."""
    program = shutil.which("dot")
    if program is None:
        raise SetupError("Graphviz is missing (no program dot): apt-get install graphviz")
    try:
        done = subprocess.run(
            [program, f"-T{form}"], input=text.encode(), capture_output=True, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise OutputError(
            f"Graphviz did not finish in {TIMEOUT_S} s: draw less (--max-nodes, --depth)"
        ) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise OutputError(f"Graphviz failed: {said or f'status {done.returncode}'}")
    return done.stdout


def as_dot(picture: Picture) -> str:
    """Return the picture in the language of Graphviz."""
    many = len(picture.nodes) > labels.MANY
    minor = labels.minor_edges(picture)
    texts = labels.all_lines(picture)
    lines = [*_head(picture, many)]
    lines += [_node(number, node, texts[number]) for number, node in enumerate(picture.nodes)]
    lines += [
        _edge(picture, edge, many)
        for number, edge in enumerate(picture.edges)
        if number not in minor
    ]
    return "\n".join(("digraph provcap {", *lines, "}\n"))


def _head(picture: Picture, many: bool) -> Iterator[str]:
    title, completeness, *notes = map(_marked_up, labels.banner(picture))
    colour = {True: palette.GOOD, False: palette.BAD, None: palette.UNSURE}[picture.complete]
    more = "".join(f"<BR/>{note}" for note in notes)
    label = f'<<B>{title}</B><BR/><FONT COLOR="{colour}">{completeness}</FONT>{more}<BR/>&#160;>'
    yield (
        f'graph [rankdir={direction(picture)}, fontname="{_FONTS}", fontsize=14, labelloc=t, '
        f"label={label}, {effort(picture)}, ranksep={0.45 if many else 0.35}, "
        f'nodesep={0.12 if many else 0.2}, tooltip=" "]'
    )
    yield (
        f'node [fontname="{_FONTS}", fontsize={10 if many else 11}, style=filled, '
        'margin="0.09,0.05", height=0.3]'
    )
    yield (
        f'edge [fontname="{_FONTS}", fontsize=9, color="{palette.EDGE}", '
        f'fontcolor="{palette.EDGE_TEXT}", arrowsize=0.7]'
    )


def effort(picture: Picture) -> str:
    """Return how hard Graphviz shall try: its time grows with the square of the edges and worse."""
    edges = len(picture.edges) - len(labels.minor_edges(picture))
    if edges > _VERY_MANY_EDGES:
        return "nslimit=0.3, nslimit1=1, mclimit=0.1, splines=line"
    if edges > _MANY_EDGES:
        return "nslimit=2, mclimit=1, splines=polyline"
    return "nslimit=4, mclimit=2, splines=true"


def direction(picture: Picture) -> str:
    """Return TB or LR, whichever comes closer to the shape of a screen.

    A node is about 190 wide and 45 high; between two of them stands an arrow with its words.
    """
    layers = Counter(_layers(picture))
    long, wide = len(layers), max(layers.values(), default=1)
    down, right = (190 * wide) / (85 * long), (320 * long) / (50 * wide)
    return "TB" if abs(log(down / _SCREEN)) <= abs(log(right / _SCREEN)) else "LR"


def _layers(picture: Picture) -> list[int]:
    """Return how many arrows lead to each node on the longest way from a beginning."""
    after: dict[int, list[int]] = defaultdict(list)
    waiting = Counter[int]()
    minor = labels.minor_edges(picture)
    for number, edge in enumerate(picture.edges):
        if not edge.is_back and number not in minor:
            after[edge.source].append(edge.target)
            waiting[edge.target] += 1
    layers = [0] * len(picture.nodes)
    ready = [node for node in range(len(layers)) if not waiting[node]]
    for node in ready:  # grows as it goes
        for target in after[node]:
            layers[target] = max(layers[target], layers[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return layers


def _node(number: int, node: Node, texts: list[str]) -> str:
    colour = palette.of_node(node.kind, bool(node.members))
    first, *rest = map(_marked_up, texts)
    small = "".join(f'<BR/><FONT POINT-SIZE="8.5">{line}</FONT>' for line in rest)
    attributes = {
        "label": f"<{f'<B>{first}</B>' if node.is_target else first}{small}>",
        "shape": _SHAPES[node.prov_class],
        "color": quoted(colour.stroke),
        "fillcolor": quoted(colour.fill),
        "style": quoted("filled,dashed" if node.members else "filled"),
        "penwidth": "2.6" if node.is_target else "1.2",
        "tooltip": quoted(labels.node_tip(node)),
    }
    return f"n{number} [{_joined(attributes)}]"


def _edge(picture: Picture, edge: Edge, many: bool) -> str:
    tip = quoted(labels.edge_tip(picture, edge))
    attributes = {"tooltip": tip, "labeltooltip": tip}
    if not many:
        attributes["label"] = quoted(f" {labels.edge_line(edge)} ")
    ends = f"n{edge.source} -> n{edge.target}"
    if edge.is_back:  # turned round, so that it does not turn the layout round
        ends = f"n{edge.target} -> n{edge.source}"
        attributes |= {"dir": "back", "style": "dashed", "color": quoted(palette.EDGE_BACK)}
    return f"{ends} [{_joined(attributes)}]"


def quoted(text: str) -> str:
    """Return a string of the language, in which nothing has a special meaning but line ends."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return '"' + text.replace("\n", "\\n") + '"'


def _marked_up(text: str) -> str:
    """Return text for labels with markup.

    There ``\\N`` is the node's name and no backslash can be escaped; one that is marked up for
    itself stands apart from its letter.
    """
    return re.sub(r"\\(?=[A-Z])", r"<FONT>\\</FONT>", html.escape(text))


def _joined(attributes: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in attributes.items())
