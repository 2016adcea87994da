"""Reads what is known of the measured operations from elsewhere.

Public: :class:`Figure`, :class:`Published`, :func:`read`, :func:`published`, :func:`hooks`,
:data:`TOLERANCES`.
"""

import tomllib
from importlib import resources
from typing import Any, NamedTuple

TOLERANCES = {"simple": 0.02, "fork": 0.05, "macro": 0.15}
"""How far two measurements of the same may differ, by kind."""
_PUBLISHED, _HOOKS = "published", "provbpf_hooks"


class Figure(NamedTuple):
    """What is known of one operation; None: nothing is."""

    title: str
    provbpf: int | None = None
    """Instructions that ProvBPF adds."""
    camflow: str = ""
    """What CamFlow's authors, or others, have published."""
    ceiling: int | None = None
    """Of what whole-system capture may add, with the shipped filters."""
    kind: str = "simple"
    summed: bool = False
    """It repeats no better than what capture adds: the sum of its programs counts."""

    @property
    def tolerance(self) -> float:
        """How far two measurements may differ, as a part of the first."""
        return TOLERANCES[self.kind]


class Published(NamedTuple):
    """How much another system records of something, as its authors say."""

    title: str
    bytes: int
    source: str


def read() -> dict[str, Figure]:
    """Phase -> what is known of it, in the order of the page."""
    return {
        name: Figure(**fields)
        for name, fields in _tables().items()
        if name not in (_PUBLISHED, _HOOKS)
    }


def published() -> dict[str, Published]:
    """Name -> what is known of the volume of others."""
    return {name: Published(**fields) for name, fields in _tables()[_PUBLISHED].items()}


def hooks() -> dict[str, str]:
    """Program -> what one of ProvBPF at the same hook takes, as words."""
    return dict(_tables()[_HOOKS])


def _tables() -> dict[str, Any]:
    return tomllib.loads((resources.files("benchmarks.kernel") / "figures.toml").read_text())
