"""Print a tree: branches, numbers for lines that are referred to, colours on a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from provcap.graph.places import LIBRARIES
from provcap.graph.tree import ENVIRONMENT, FURTHER, PRINTERS, Line

Piece = tuple[str, str]  # text and the name of a style


class Branches(NamedTuple):
    """The strings that draw the tree."""

    middle: str
    last: str
    bar: str
    blank: str


UNICODE = Branches("├─ ", "└─ ", "│  ", "   ")
ASCII = Branches("|- ", "`- ", "|  ", "   ")

_ONE = {
    LIBRARIES: "library or system file",
    ENVIRONMENT: "environment string",
    PRINTERS: "program that wrote to it",
    FURTHER: "earlier input",
    "inputs": "input",
}
_STYLES = {"process": "bold green", "connection": "bold cyan"}


def pieces(lines: Sequence[Line], ascii_only: bool = False) -> Iterator[list[Piece]]:
    """Yield each printed line as styled pieces; no text in them needs further escaping."""
    marks = ASCII if ascii_only else UNICODE
    numbers = _numbers(lines)
    last_child = _last_children(lines)
    bars: list[str] = []
    for place, line in enumerate(lines):
        del bars[max(line.depth - 1, 0) :]
        is_last = last_child.get(line.parent) == place and not _remarks(lines, line.parent)
        branch = "".join(bars) + (marks.last if is_last else marks.middle) if line.depth else ""
        if line.depth:
            bars.append(marks.blank if is_last else marks.bar)
        yield [(branch, "dim"), *_body(line, numbers, place)]
        for owner in _ended(lines, place, last_child):
            yield from _counted(lines[owner], bars, marks)


def _numbers(lines: Sequence[Line]) -> dict[int, int]:
    """Give a number to each line that another line refers to, in order of appearance."""
    targets = sorted({line.refers_to for line in lines if line.refers_to is not None})
    return {place: number for number, place in enumerate(targets, 1)}


def _last_children(lines: Sequence[Line]) -> dict[int, int]:
    return {line.parent: place for place, line in enumerate(lines)}


def _ended(lines: Sequence[Line], place: int, last_child: dict[int, int]) -> Iterator[int]:
    """Yield the lines whose part of the tree ends with this one, the innermost first."""
    if place in last_child:
        return
    while place >= 0:
        yield place
        if last_child[lines[place].parent] != place:
            return
        place = lines[place].parent


def _remarks(lines: Sequence[Line], place: int) -> list[str]:
    """Return what is printed below the last input of a line."""
    if place < 0:
        return []
    line = lines[place]
    return _remark_texts(line)


def _remark_texts(line: Line) -> list[str]:
    texts = [f"+ {_plural(count, what)}" for what, count in line.hidden.items()]
    if line.cut:
        inputs = _plural(line.cut, "inputs")
        texts.append(f"... {inputs} not shown (--depth {line.depth + 10} goes deeper)")
    return texts


def _plural(count: int, what: str) -> str:
    return f"{count} {_ONE.get(what, what) if count == 1 else what}"


def _counted(line: Line, bars: list[str], marks: Branches) -> Iterator[list[Piece]]:
    texts = _remark_texts(line)
    for number, text in enumerate(texts, 1):
        branch = marks.last if number == len(texts) else marks.middle
        yield [("".join(bars[: line.depth]) + branch, "dim"), (text, "dim")]


def _body(line: Line, numbers: dict[int, int], place: int) -> Iterator[Piece]:
    if place in numbers:
        yield f"[{numbers[place]}] ", "yellow"
    if line.verb:
        yield line.verb + " ", "dim"
    yield line.title, _STYLES.get(line.kind, "bold")
    if line.detail and line.refers_to is None:
        yield "  " + line.detail, ""
    notes = list(line.notes)
    if line.refers_to is not None:
        notes[-1] += f" [{numbers[line.refers_to]}]"
    if notes:
        yield f" ({'; '.join(notes)})", "dim"


def plain(lines: Sequence[Line], ascii_only: bool = False) -> str:
    """Return the tree as text without colours."""
    return "\n".join("".join(text for text, _ in row) for row in pieces(lines, ascii_only))


def as_data(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return the lines as plain values for JSON; a line's number is its place in the list."""
    return [vars(line) for line in lines]
