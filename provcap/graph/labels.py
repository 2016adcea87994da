"""What is written on a picture: short lines on nodes and edges, longer ones behind them.

All drawings share it, so a node reads the same in each. Everything here is clean already; each
drawing still escapes it by the rules of its own language.
"""

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime

from provcap.graph.model import NO_TIME
from provcap.graph.naming import counted
from provcap.graph.picture import Edge, Node, Picture
from provcap.graph.places import LIBRARIES
from provcap.graph.titles import STARTED, STARTS

TITLE_WIDTH, DETAIL_WIDTH, EDGE_WIDTH = 34, 40, 24
MANY = 80  # from here on edges carry no words, only tool tips, and labels are smaller
MEMBERS_IN_TIP, TIP_WIDTH = 12, 160


def short(text: str, width: int) -> str:
    """Return text that is cut in its middle; of a path begin and end tell the most."""
    if len(text) <= width:
        return text
    head = width // 3
    return f"{text[:head]}\u2026{text[head + 1 - width :]}"


def columns(text: str) -> int:
    """Return how many columns a fixed-width font takes: letters of East Asia are double."""
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def node_lines(node: Node) -> list[str]:
    """Return the lines on a node: its name, then arguments and versions if it has them."""
    lines = [short(node.title, TITLE_WIDTH)]
    if node.detail:
        lines.append(short(node.detail, DETAIL_WIDTH))
    if len(node.versions) > 1 and not node.members:
        lines.append(f"{len(node.versions)} versions")
    if node.libraries:
        lines.append(f"+ {counted(len(node.libraries), LIBRARIES)}")
    return lines


def all_lines(picture: Picture) -> list[list[str]]:
    """Return the lines on each node; in a big picture they tell what minor edges would show."""
    lines = [node_lines(node) for node in picture.nodes]
    for number in minor_edges(picture):
        edge = picture.edges[number]
        lines[edge.target].append(
            short(f"{STARTED} {picture.nodes[edge.source].title}", DETAIL_WIDTH)
        )
    return lines


def minor_edges(picture: Picture) -> set[int]:
    """Return the edges that a big picture does without: who started what, mostly one parent.

    A process that read nothing keeps the arrow from its parent: nothing else would tie it in.
    """
    if len(picture.nodes) <= MANY or picture.exact:
        return set()
    started = {number for number, edge in enumerate(picture.edges) if edge.verb == STARTS}
    fed = {edge.target for number, edge in enumerate(picture.edges) if number not in started}
    return {number for number in started if picture.edges[number].target in fed}


def edge_line(edge: Edge) -> str:
    """Return the verb, and how often the most frequent of its relations was recorded."""
    times = max(count for _, count in edge.relations)
    return short(edge.verb, EDGE_WIDTH) + (f" \u00d7{times}" if times > 1 else "")


def node_tip(node: Node) -> str:
    """Return what a node says when the pointer rests on it."""
    return "\n".join(short(line, TIP_WIDTH) for line in _node_tip(node))


def _node_tip(node: Node) -> Iterator[str]:
    yield node.title
    if node.detail:
        yield node.detail
    yield span(node.first_ns, node.last_ns)
    yield from node.members[:MEMBERS_IN_TIP]
    if len(node.members) > MEMBERS_IN_TIP:
        yield f"and {len(node.members) - MEMBERS_IN_TIP} more"
    if node.libraries:
        yield f"with {counted(len(node.libraries), LIBRARIES)}"
    if node.beyond:
        yield f"{node.beyond} flows beyond it are not shown"


def edge_tip(picture: Picture, edge: Edge) -> str:
    """Return what an edge says when the pointer rests on it: both ends, relations and times."""
    ends = picture.nodes[edge.source].title, picture.nodes[edge.target].title
    lines = [
        f"{ends[0]} \u2192 {ends[1]}",
        ", ".join(relation_counts(edge)),
        span(edge.first_ns, edge.last_ns),
    ]
    if edge.is_back:
        lines.append("closes a cycle of folded versions: not all of it came first")
    return "\n".join(short(line, TIP_WIDTH) for line in lines)


def relation_counts(edge: Edge) -> list[str]:
    """Return the relations of an edge, with their counts where there are several."""
    return [name + (f" \u00d7{count}" if count > 1 else "") for name, count in edge.relations]


def span(first_ns: int, last_ns: int) -> str:
    """Return a period as text."""
    if first_ns == NO_TIME:
        return "time not recorded"
    first, last = time(first_ns), time(last_ns)
    return f"{first} UTC" if first == last else f"{first} to {last[11:]} UTC"


def time(at_ns: int) -> str:
    """Return a moment as text, to the microsecond."""
    moment = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{at_ns % 1_000_000_000 // 1000:06}"


def banner(picture: Picture) -> list[str]:
    """Return the lines that stand above a picture: what it shows, and what may be missing."""
    first = picture.title[:1].upper() + picture.title[1:]
    completeness = picture.completeness
    if picture.complete is False:
        completeness = f"PARTIAL PICTURE \u2013 {completeness}"
    return [first, completeness, *picture.notes]
