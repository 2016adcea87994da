"""The examples of the how-tos do what they say."""

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from provcap.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
RECORDING = ROOT / "tests/golden/recordings/pipeline.raw.gz"
BLOCKS = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "docs/howto/read-the-log.md").read_text(), re.M | re.S
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recording where the examples look for it."""
    results = tmp_path_factory.mktemp("howto") / "results"
    results.mkdir()
    (results / "audit.raw").write_bytes(gzip.decompress(RECORDING.read_bytes()))
    words = ["replay", str(results / "audit.raw"), "--format", "w3c"]
    assert main([*words, "--out", str(results / "audit.log")]) == 0
    return results.parent


@pytest.mark.parametrize(("block", "shows"), list(zip(BLOCKS, ["used(", "argv"], strict=True)))
def test_an_example_runs_and_shows_something(folder: Path, block: str, shows: str) -> None:
    """As it stands there, but for the name of the file."""
    code = block.replace("/tmp/report.txt", "/tmp/x")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", code]
    said = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)

    assert (said.returncode, said.stderr) == (0, "")
    assert shows in said.stdout
