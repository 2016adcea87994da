"""The notation in which expected edges are written by hand, versions and all."""

import re

from provcap.coverage.recorded import Recording, parse_names

__all__ = ["Recording", "expected", "parse_names"]


def expected(text: str) -> list[str]:
    """The edges of ``text`` in order, version steps written out; two blanks or a line part them."""
    lines = set()
    for line in filter(None, re.split(r"\n\s*|\s{2,}", text)):
        steps = re.fullmatch(r"(\S+)@(\d+)\.\.(\d+)", line)
        if not steps:
            lines.add(line)
            continue
        name, first, last = steps[1], int(steps[2]), int(steps[3])
        kind = "version_activity" if name.partition(":")[0] == "task" else "version_entity"
        lines |= {f"{name}@{v} -{kind}-> {name}@{v + 1}" for v in range(first, last)}
    return sorted(lines)
