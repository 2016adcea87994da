"""Replay: a raw recording becomes documents, whole or as far as it goes."""

import io
import json
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prov.model import ProvDocument

from provcap.cli.main import main
from provcap.errors import RecordingError, TruncatedError, UsageError
from provcap.formats import w3c
from provcap.services.replay import Formatted, open_output, replay, replay_file
from tests.recordings import recording, small_disclosures, small_rings, status

REFUSED = status(final=True, node_ring_full=5)._replace(refused={"disclosed_invalid": 2})
WHOLE = recording(small_rings(), status(), REFUSED, small_disclosures())
RAW_HEAD = struct.Struct("<8sIII4x")  # of the file, see capture/raw.py
BLOCKS = len(recording([])) - 64  # where the first block begins


def replayed(tmp_path: Path, data: bytes) -> tuple[list[dict[str, Any]], BaseException | None]:
    """The documents that come of a recording, and how the replay ended."""
    source, target = tmp_path / "raw", tmp_path / "out"
    source.write_bytes(data)
    target.unlink(missing_ok=True)
    error: BaseException | None = None
    try:
        replay_file(source, "w3c", "log", str(target))
    except RecordingError as raised:
        error = raised
    return [json.loads(line) for line in target.read_bytes().splitlines()], error


def test_a_recording_becomes_documents_that_prov_loads(tmp_path: Path) -> None:
    """Across CPUs in the order of time, with names; each line loads alone."""
    documents, error = replayed(tmp_path, WHOLE)
    types = [r["prov:type"] for d in documents for s in d.values() for r in s.values() if s is not
             d["prefix"]]  # fmt: skip
    tasks = [t for d in documents for t in d.get("activity", {}).values()]

    assert error is None
    assert {"read", "memory_write", "memory_read", "write", "ran_on", "version_activity"} <= {
        *types
    }
    assert tasks[-1]["cf:name"] == "/bin/sh"
    for document in documents:
        ProvDocument.deserialize(content=json.dumps(document), format="json")


def test_the_last_document_says_what_is_missing(tmp_path: Path) -> None:
    """The machine node comes once more, with losses, under the same identifier."""
    documents, _ = replayed(tmp_path, WHOLE)
    (id, machine), *_ = documents[-1]["agent"].items()

    assert machine["cf:complete"] == "true"
    assert machine["cf:lost_node_ring_full"] == "5"
    assert machine["cf:u_nodename"] == "host1"
    assert id in documents[0]["agent"]


def test_what_was_disclosed_stands_where_it_was_said(tmp_path: Path) -> None:
    """Between the read and the write that came after it, though its block comes last."""
    documents, _ = replayed(tmp_path, WHOLE)
    edges = [r for d in documents for s in ("used", "wasInformedBy", "wasGeneratedBy")
             for r in d.get(s, {}).values()]  # fmt: skip
    ticks = sorted((r.get("prov:time") or r["cf:time"], r["prov:type"]) for r in edges)
    order = [name for _, name in ticks]

    assert order.index("read") < order.index("informed_disc") < order.index("write")
    assert order.index("log") < order.index("write")


def test_what_was_refused_is_told_by_its_cause(tmp_path: Path) -> None:
    """What made no sense is no loss; what was one too many is."""
    limit = status(final=True)._replace(refused={"disclosed_limit": 3, "disclosed_rate": 0})
    said = []
    for data in (WHOLE, recording(small_rings(), status(), limit)):
        documents, _ = replayed(tmp_path, data)
        (machine,) = documents[-1]["agent"].values()
        said.append({k: v for k, v in machine.items() if "disclosed" in k or "complete" in k})

    assert said == [
        {"cf:complete": "true", "cf:lost_disclosed_invalid": "2"},
        {"cf:complete": "false", "cf:lost_disclosed_limit": "3"},
    ]


def test_a_cut_recording_is_written_as_far_as_it_goes_and_marked(tmp_path: Path) -> None:
    """At every cut behind the header: readable lines, marked as cut, and TruncatedError."""
    for end in range(BLOCKS, len(WHOLE), 7):
        documents, error = replayed(tmp_path, WHOLE[:end])
        machine = next(iter(documents[-1]["agent"].values()))

        assert isinstance(error, TruncatedError)
        assert (machine["cf:complete"], machine["cf:cut"]) == ("false", "true")


def test_replay_gives_the_same_each_time(tmp_path: Path) -> None:
    """Identifiers included, so two replays can be compared."""
    assert replayed(tmp_path, WHOLE) == replayed(tmp_path, WHOLE)


@given(st.integers(BLOCKS, len(WHOLE) - 1), st.integers(0, 255))
def test_a_damaged_recording_is_replayed_or_named(place: int, value: int) -> None:
    """One wrong byte in any block: documents that load, and at worst a RecordingError."""
    data, output = bytearray(WHOLE), []
    data[place] = value

    class Kept:
        def write(self, message: bytes) -> None:
            output.append(message)

        def close(self) -> None:
            pass

    with suppress(RecordingError):
        replay(io.BytesIO(bytes(data)), lambda origin: [Formatted(w3c.make(origin), Kept())])
    assert all(json.loads(line) for line in output)


def test_an_unknown_format_is_a_usage_error(tmp_path: Path) -> None:
    """The message suggests what was meant."""
    with pytest.raises(UsageError, match="did you mean .w3c"):
        replay_file(tmp_path / "x", "w3", "null", None)
    with pytest.raises(UsageError, match="among the formats"):
        replay_file(tmp_path / "x", "text", "null", None)


def test_the_command_writes_to_standard_output(tmp_path: Path, capfd: Any) -> None:
    """Documents on standard output, one line of summary on standard error."""
    (tmp_path / "raw").write_bytes(WHOLE)
    status = main(["replay", str(tmp_path / "raw")])
    out, err = capfd.readouterr()

    assert status == 0
    assert all(json.loads(line) for line in out.splitlines())
    assert err == "provcap replay: 5 records, complete, 5 node ring full, 2 disclosed invalid\n"


def test_the_command_fails_for_a_cut_recording(tmp_path: Path, capfd: Any) -> None:
    """The partial result is on standard output, the exit status is not 0."""
    (tmp_path / "raw").write_bytes(WHOLE[:-1])
    status = main(["replay", str(tmp_path / "raw")])
    out, err = capfd.readouterr()

    assert status == 1
    assert '"cf:cut":"true"' in out.splitlines()[-1]
    assert "the recording ends" in err


def test_a_missing_recording_is_named(tmp_path: Path, capfd: Any) -> None:
    """No traceback for a wrong word."""
    assert main(["replay", str(tmp_path / "none")]) == 1
    assert f"{tmp_path / 'none'}: cannot be read: No such file" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"root:x:0:0", "this is not a raw recording of provcap"),
        (WHOLE[:12], "the recording ends inside its header, after 12 bytes: nothing of it"),
        (b"", "the recording ends inside its header, after 0 bytes: nothing of it"),
    ],
)
def test_a_file_that_is_no_recording_is_named(
    data: bytes, said: str, tmp_path: Path, capfd: Any
) -> None:
    """Which file, and whether anything of it can be had."""
    (tmp_path / "raw").write_bytes(data)

    assert main(["replay", str(tmp_path / "raw")]) == 1
    assert f"provcap replay: {tmp_path / 'raw'}: {said}" in capfd.readouterr().err


WRONG: list[Any] = [0.5, 1e400, -(1 << 80), 1 << 80, None, "x", [], {}]


@given(st.data())
def test_a_header_with_wrong_values_is_refused_by_name(data: st.DataObject) -> None:
    """Its checksum protects from accidents only: anyone can make a header."""
    magic, version, length, _ = RAW_HEAD.unpack_from(WHOLE)
    header = json.loads(WHOLE[RAW_HEAD.size : RAW_HEAD.size + length])
    struct_name = data.draw(st.sampled_from(sorted(header["layout"]["structs"])))
    known = header["layout"]["structs"][struct_name]
    places = [header, header["origin"], known, *known["fields"]]
    place = data.draw(st.sampled_from(places))
    key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
    place[key] = data.draw(st.sampled_from(WRONG))
    body = json.dumps(header).encode()
    head = RAW_HEAD.pack(magic, version, len(body), zlib.crc32(body))

    with suppress(RecordingError):
        replay(
            io.BytesIO(head + body + WHOLE[RAW_HEAD.size + length :]),
            lambda origin: [Formatted(w3c.make(origin), open_output("null", None))],
        )
