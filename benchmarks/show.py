"""Tables of words, and pages of them: as Markdown for the documentation, in columns for a terminal.

Public: :class:`Table`, :class:`Page`, :func:`markdown`, :func:`page`, :func:`show`,
:func:`wrapped`, :func:`number`.
"""

import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table as RichTable

NOTHING = ""


class Table(NamedTuple):
    """Words in rows under a heading; the first column is text, the others are numbers."""

    title: str
    about: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    """So many columns from the left are text."""
    more: str = ""
    """A paragraph below it."""


class Page(NamedTuple):
    """A page of the reference: its head, which ends with a line feed, and its tables."""

    head: str
    tables: Sequence[Table]


def page(page: Page) -> str:
    """The whole page as Markdown."""
    parts = [page.head]
    for table in page.tables:
        parts += [f"## {table.title}\n", f"{wrapped(table.about)}\n", *markdown(table), ""]
        parts += [f"{wrapped(table.more)}\n"] * bool(table.more)
    return "\n".join(parts)


def wrapped(text: str, indent: str = "") -> str:
    """A paragraph in lines of at most 100 characters; ``indent`` before all but the first."""
    return textwrap.fill(
        text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def markdown(table: Table) -> Iterator[str]:
    """The lines of a table."""
    yield f"| {' | '.join(table.head)} |"
    yield "|---" * table.texts + "|---:" * (len(table.head) - table.texts) + "|"
    yield from (f"| {' | '.join(row)} |" for row in table.rows)


def show(tables: Sequence[Table]) -> None:
    """Print the tables: drawn on a terminal, aligned columns otherwise."""
    console = Console() if sys.stdout.isatty() else None
    for table in tables:
        if console:
            console.print(_rich(table))
        else:
            print(f"\n{table.title}. {table.about}")
            print("\n".join(_plain(table)))
        print(*([f"\n{table.more}"] if table.more else []), sep="\n")


def number(value: float | None) -> str:
    """A number of whole units for people, nothing if there is none."""
    return NOTHING if value is None else f"{round(value):,}"


def _plain(table: Table) -> Iterator[str]:
    rows = [list(table.head), *([cell.replace("`", "") for cell in row] for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            f"{cell:<{width}}" if place < table.texts else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _rich(table: Table) -> RichTable:
    drawn = RichTable(title=f"{table.title}. {table.about}", title_justify="left")
    for place, name in enumerate(table.head):
        drawn.add_column(name, justify="left" if place < table.texts else "right")
    for row in table.rows:
        cells = [cell.replace("`", "") for cell in row]
        drawn.add_row(*(f"[red]{cell}" if cell == "not met" else cell for cell in cells))
    return drawn
