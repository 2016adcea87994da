"""What the measurement found, as values, and as the text that is stored.

Public: :class:`Volumes`, :func:`dumps`, :func:`loads`.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from benchmarks.volume.recorded import Part, Recorded


class Volumes(NamedTuple):
    """Everything that was measured."""

    kernel: str
    modes: Mapping[str, Mapping[str, Recorded]]
    """Mode -> workload -> what was recorded of it."""
    lost: tuple[str, ...] = ()


def dumps(found: Volumes) -> str:
    """The results as JSON, one line for each recording of a workload."""
    rows = [
        f" {json.dumps(mode)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {_line(part)}" for name, part in parts.items())
        + "\n }"
        for mode, parts in found.modes.items()
    ]
    modes = ",\n".join(rows)
    head = f'"kernel": {json.dumps(found.kernel)}, "lost": {json.dumps(found.lost)}'
    return f'{{{head}, "modes": {{\n{modes}\n}}}}\n'


def loads(text: str) -> Volumes:
    """The inverse of ``dumps``."""
    value: dict[str, Any] = json.loads(text)
    modes = {
        mode: {name: _recorded(part) for name, part in parts.items()}
        for mode, parts in value["modes"].items()
    }
    return Volumes(value["kernel"], modes, tuple(value["lost"]))


def _line(part: Recorded) -> str:
    return json.dumps(part._asdict())


def _recorded(value: Mapping[str, Any]) -> Recorded:
    kinds, members = (
        {name: Part(*part) for name, part in value[key].items()} for key in ("kinds", "json")
    )
    return Recorded(kinds, members, Part(*value["client"]), value["status_bytes"], value["many"])
