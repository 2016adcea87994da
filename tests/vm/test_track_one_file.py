"""The examples of docs/howto/track-one-file.md do what they say, in a guest of their own."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from provcap.graph.ingest import load
from provcap.graph.losses import completeness
from provcap.graph.queries import ancestry, find

pytestmark = pytest.mark.vm

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/howto/track-one-file.md").read_text()
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", PAGE, re.M)]


def typed(block: str, folder: Path) -> str:
    """What a shell says that is given these lines in this folder."""
    search = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": search, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        ["sh", "-ec", block], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran
    return ran.stdout


def test_only_what_came_of_the_file_is_recorded(tmp_path: Path) -> None:
    """The options reach the recorder in the guest; its marks are there before the command."""
    typed(BLOCKS[0], tmp_path)
    said = typed(BLOCKS[1], tmp_path)
    graph = load(str(tmp_path / "results/audit.log"))
    nodes = ancestry(graph, find(graph, str(tmp_path / "results/count")))
    names = {name for node in nodes for name in graph.names(graph.object_of[node])}

    assert {"/etc/hostname", "/tmp/sorted"} <= names
    assert "/etc/hostname" in said
    everything = {name for one in graph.named_objects() for name in graph.names(one)}
    assert not everything & {"/etc/passwd", "/tmp/other"}
    assert completeness(graph) == (
        "complete: no record was lost; only what is tracked (whole-system capture off)"
    )


def test_a_recording_is_steered_from_within(tmp_path: Path) -> None:
    """The guest finds camflow by its name."""
    said = typed(BLOCKS[2], tmp_path)

    assert "File is tracked.\n" in said
    assert said.endswith("File propagates tracking.\n")
