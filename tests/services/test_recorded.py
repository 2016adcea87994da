"""A recording that a real kernel made, on the user's side alone: no guest is needed.

``cat /etc/hostname | wc -c > /tmp/x``, recorded whole-system on 6.12 with two CPUs. It carries its
own layout, so it stays readable when the records change.
"""

import gzip
from pathlib import Path

import prov.model
import pytest

from provcap.graph.checks import verify
from provcap.graph.ingest import load
from provcap.graph.losses import arrived, is_complete
from provcap.graph.model import Graph
from provcap.graph.queries import ancestry, find
from provcap.services.replay import replay_file

RECORDING = Path(__file__).parents[1] / "golden/recordings/pipeline.raw.gz"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    raw = folder / "audit.raw"
    raw.write_bytes(gzip.decompress(RECORDING.read_bytes()))
    replay_file(raw, "w3c", "log", str(folder / "audit.log"))
    return folder / "audit.log"


@pytest.fixture(scope="module")
def graph(log: Path) -> Graph:
    return load(str(log))


def test_it_is_sound_and_whole(graph: Graph) -> None:
    assert verify(graph).passed
    assert is_complete(graph)
    assert set(arrived(graph)) == {0, 1}


def test_each_line_is_a_document_of_its_own(log: Path) -> None:
    """The prov library reads it and writes an equal one."""
    for line in log.read_text().splitlines():
        document = prov.model.ProvDocument.deserialize(content=line, format="json")
        again = prov.model.ProvDocument.deserialize(
            content=document.serialize(format="json"), format="json"
        )
        assert again == document


def test_the_output_comes_from_what_the_pipeline_read(graph: Graph) -> None:
    """Through both programs and the pipe between them, and from nothing else in /etc."""
    nodes = ancestry(graph, find(graph, "/tmp/x"))
    names = {name for node in nodes for name in graph.names(graph.object_of[node])}

    assert {name for name in names if name.startswith("/etc/host")} == {"/etc/hostname"}
