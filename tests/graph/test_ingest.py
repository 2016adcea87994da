"""Reading logs: ours, CamFlow's, and damaged ones."""

import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provcap.errors import RecordingError, TruncatedError
from provcap.graph import words
from provcap.graph.ingest import load, read
from tests.graph.builder import Log, identifier
from tests.graph.story import file, story

CAMFLOW = Path(__file__).parents[1] / "golden" / "camflow_batch.json"


def test_a_document_of_camflow_itself_is_read():
    """No flow classes, no event times, an address in parts: all of it is understood."""
    graph = load(str(CAMFLOW))

    assert graph.edge_count == 6
    flows = {graph.relation(e): words.FLOW_NAMES[graph.flow[e]] for e in range(6)}
    assert flows["read"] == "data"
    assert flows["named"] == "naming"
    assert flows["ran_on"] == "influence"
    assert set(graph.paths.values()) == {"/usr/bin/wget"}
    assert graph.contradiction_count == 0


def test_versions_are_one_object():
    log = Log()
    log.process(1, "/bin/a")
    log.reads("1", file(log, "/in"))
    log.writes("1", file(log, "/out"))
    graph = log.graph()

    task = graph.number[log.id("t1")]
    assert [graph.version_of[n] for n in graph.versions(graph.object_of[task])] == [0, 1]


def test_a_relation_may_stand_before_its_nodes():
    """Documents are arbitrary slices: the order of lines does not matter."""
    log = Log()
    log.node("f", "file", name="/f")
    log.process(1, "/bin/a")
    log.reads("1", "f")
    nodes = {k: v for k, v in log.document.items() if k in words.SECTION_CLASS}
    edges = {k: v for k, v in log.document.items() if k in words.SECTIONS}
    graph = read([json.dumps(edges).encode() + b"\n", json.dumps(nodes).encode() + b"\n"], "x")

    assert all(graph.defined)
    assert graph.edge_count == log.edges


def test_url_safe_identifiers_are_the_same_objects():
    text = identifier("file", (1 << 62) + 0x3FFFFF, 3)
    safe = "cf:" + text[3:].replace("+", "-").replace("/", "_").rstrip("=")

    assert words.decode(safe) == words.decode(text)
    assert words.decode(text).version == 3
    assert words.decode("cf:short") is None
    assert words.decode("cf:" + "é" * 43) is None


@pytest.mark.parametrize(
    ("when", "at_ns"),
    [
        ("1970-01-01T00:00:01.000000001Z", 1_000_000_001),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T00:00:02Z", 2_000_000_000),
        ("1970-01-01T01:00:01.25+01:00", 1_250_000_000),
        ("9999-01-01T00:00:00Z", 0),
        ("yesterday", 0),
    ],
)
def test_times_are_nanoseconds(when, at_ns):
    log = Log()
    log.node("f", "file")
    log.node("g", "file")
    for number in range(2):  # the second one takes the fast path
        log.raw("version_entity", log.id("f", number), log.id("g"), **{"prov:time": when})

    assert list(log.graph().at_ns) == [at_ns, at_ns]


def test_a_cut_last_line_is_named_and_the_rest_stays_usable(tmp_path):
    """The message names file and line; what came before can be used on request."""
    log = tmp_path / "cut.log"
    log.write_bytes(story().lines() + story().lines()[:500])

    with pytest.raises(TruncatedError, match=r"cut.log:2: .* --intact"):
        load(str(log))
    graph = load(str(log), intact_only=True)
    assert graph.edge_count == story().edges
    assert len(graph.damage) == 1


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"hello\n", "not a JSON document"),
        (b"[" * 100_000 + b"\n", "not a JSON document"),
        (b"[]\n", "not a PROV document"),
        (b'{"used": []}\n', "is not an object"),
        (b'{"used": {"cf:a": 5}}\n', "is not an object"),
        (b'{"used": {"cf:a": {"prov:entity": "cf:b"}}}\n', "has no prov:activity"),
    ],
)
def test_what_is_no_prov_document_is_named(line, problem):
    with pytest.raises(RecordingError, match=problem) as caught:
        read([b"\n", line], "some.log")

    assert "some.log:2" in str(caught.value)
    assert len(read([line, story().lines()], "x", intact_only=True).damage) == 1


def test_a_missing_file_is_named():
    with pytest.raises(RecordingError, match="nowhere.log: No such file"):
        load("nowhere.log")


def test_packed_logs_are_read(tmp_path):
    whole, cut = tmp_path / "a.log.gz", tmp_path / "b.log.gz"
    packed = gzip.compress(story().lines())
    whole.write_bytes(packed)
    cut.write_bytes(packed[: len(packed) // 2])

    assert load(str(whole)).edge_count == story().edges
    with pytest.raises(RecordingError, match=r"b\.log\.gz"):
        load(str(cut))


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["$", "cf:a", "host"]), inner, max_size=3)
    ),
    max_leaves=5,
)
_keys = ["prov:type", "cf:flow", "prov:time", "cf:ino", "cf:pid", "cf:address", "cf:name"]
_records = st.dictionaries(st.sampled_from([*_keys, "prov:entity", "prov:activity"]), _values)
_documents = st.dictionaries(
    st.sampled_from(["entity", "activity", "agent", "used"]),
    st.dictionaries(st.text(max_size=5), _records, max_size=3),
)


@given(_documents | _values)
def test_any_json_is_a_graph_or_a_named_error(document):
    try:
        graph = read([json.dumps(document).encode() + b"\n"], "x")
    except RecordingError:
        return
    assert graph.edge_count == len(graph.receiver)


@given(st.binary())
def test_any_bytes_are_a_graph_or_a_named_error(data):
    try:
        read(io.BytesIO(data), "x")
    except RecordingError as error:
        assert "x:" in str(error)
