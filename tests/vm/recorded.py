"""The notation in which expected edges are written by hand, versions and all."""

import re

from provcap.coverage.recorded import Recording, parse_names

__all__ = ["FORK", "Recording", "expected", "parse_names"]

#: what a fork leaves, of the task that forks
FORK = """
    memory@0 -memory_read-> task@1           task@0..2
    task@1 -clone_mem-> memory:1@0
    memory@0 -memory_read-> task@2
    task@2 -clone-> task:1@0
    machine -ran_on-> task:1@0
    path:act -named-> memory:1@0
"""


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
