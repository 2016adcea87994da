"""The colours of a picture, by what a node is.

The strokes are those of Okabe and Ito, which colour-blind people tell apart; the fills are so light
that black text stays readable and a grey print still shows the shapes.
"""

from typing import NamedTuple


class Colour(NamedTuple):
    """Line and area of a node."""

    stroke: str
    fill: str


COLOURS = {
    "process": Colour("#0072b2", "#dcecf7"),
    "file": Colour("#b37700", "#fff3d6"),
    "connection": Colour("#a8507f", "#f8e4ef"),
    "pipe": Colour("#00795a", "#dcf3ea"),
    "device": Colour("#5b5b5b", "#ececec"),
    "agent": Colour("#b84a00", "#fbe3d3"),
    "other": Colour("#5b5b5b", "#ffffff"),
}
FOLD = Colour("#767676", "#fafafa")
EDGE, EDGE_BACK, EDGE_TEXT = "#4a4a4a", "#b84a00", "#333333"
GOOD, BAD, UNSURE = "#00795a", "#b84a00", "#5b5b5b"


def of_node(kind: str, is_fold: bool) -> Colour:
    """Return the colours of a node."""
    return FOLD if is_fold else COLOURS[kind]
