"""Reads what is known of the memory that programs write: whose it is and how often.

Public: :class:`Written`, :func:`read`, :data:`CLASSES`.
"""

import tomllib
from importlib import resources
from typing import NamedTuple

CLASSES = {"all": "all CPUs", "object": "the object", "cpu": "each CPU"}
"""Class -> whose it is, what is shared most first."""


class Written(NamedTuple):
    """One map: whose its memory is, which hooks write it and how often."""

    whose: str
    by: str
    often: str


def read() -> dict[str, Written]:
    """Map -> what is known of it; raises ``KeyError`` for a class that there is not."""
    text = (resources.files("benchmarks.scale") / "shared.toml").read_text()
    found = {
        name: Written(CLASSES[row["class"]], row["by"], row["often"])
        for name, row in tomllib.loads(text).items()
    }
    order = list(CLASSES.values())
    return dict(sorted(found.items(), key=lambda item: (order.index(item[1].whose), item[0])))
