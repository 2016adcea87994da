"""Lays out what the measurement found as a page of the reference.

Public: :func:`page`.
"""

from collections.abc import Iterator, Mapping

from benchmarks.kernel import figures
from benchmarks.show import NOTHING, Page, Table, number
from benchmarks.volume.plan import (
    HEADERS,
    MODES,
    PAGE_BYTES,
    SOURCES,
    WORKLOADS,
)
from benchmarks.volume.recorded import Part, Recorded
from benchmarks.volume.results import Volumes

_HEAD = """# Volume

How much is recorded, of the kernel's records and of W3C PROV-JSON (`provcap replay`), for a
compile, for fetching a page and for an idle machine. Measured and written by

    make bench-volume

in a guest with Linux {kernel} and one CPU,
in one recording that lost nothing, or the numbers would have been refused. Each mode begins an
epoch (`camflow --change-epoch`) and its PROV-JSON is made of its own records alone, so that
everything it meets is described in it.

- **Build**: `make` of {sources} small C files that share {headers} headers, then `ar` and a link:
  whatever `make`, `sh`, `gcc`, `cc1`, `as`, `ar` and `ld` do, each file compiled by a process of
  its own.
- **wget**: `wget -q -O FILE http://127.0.0.1/page` in a shell's loop, as often as the row says; the
  page has {page_bytes} bytes. The server (Python's `http.server`, a thread for each
  request) runs in the same guest since before the recording: what it does is recorded, too.
  *Without the server* leaves out the edges that its threads make, and nodes that only those touch.
- **Idle**: as long as the row says. Running then: the recorder, which is not recorded, the
  web server, the program that waits for the time to pass, the guest's agent, which waits for a
  command, and the kernel's own threads; no service of a distribution. Time without anything to do
  passes at once in this guest, and every timer in it has gone off as often as in reality.

*Shipped filters* leave out directories, unknown inodes, character devices and environments.
"""


def page(found: Volumes) -> Page:
    """The whole page."""
    head = _HEAD.format(
        kernel=found.kernel,
        sources=SOURCES,
        headers=HEADERS,
        page_bytes=PAGE_BYTES,
    )
    tables = [_totals(found), _kinds(found), _compression(found), _settings(found), _wget(found)]
    return Page(head, tables)


def _title(workload: str, recorded: Recorded) -> str:
    return WORKLOADS[workload].title.format(many=recorded.many)


def _totals(found: Volumes) -> Table:
    rows = []
    for name in WORKLOADS:
        for mode in _both(found, name):
            recorded = found.modes[mode][name]
            records, size = _sum(recorded.kinds)
            cells = [number(value) for value in _sizes(recorded)]
            cells.insert(2, number(size / records if records else None))
            rows.append([_title(name, recorded), MODES[mode].title, *cells])
    head = ["what", "mode", "records", "bytes", "bytes each"]
    head += ["nodes in PROV-JSON", "relations", "bytes of it", "recorder's own bytes"]
    about = (
        "*Records* and *bytes* are what goes through the rings, without the 8 bytes of a ring's"
        " head; the file has those, too, 64 bytes for each time that a ring was drained and"
        " found not empty, and the *recorder's own*: its counters, every two seconds if one has"
        " changed."
    )
    return Table("In all", about, head, rows, texts=2)


def _both(found: Volumes, workload: str) -> list[str]:
    """Those of the two modes with compressed edges in which it was recorded."""
    return [mode for mode in ("shipped", "whole") if workload in found.modes[mode]]


def _sizes(recorded: Recorded) -> Iterator[float]:
    """Records, their bytes, nodes, relations, bytes of PROV-JSON, bytes of the recorder."""
    yield from _sum(recorded.kinds)
    yield recorded.json["nodes"].number
    yield recorded.json["relations"].number
    yield recorded.json["all"].bytes
    yield recorded.status_bytes


def _sum(kinds: Mapping[str, Part]) -> Part:
    parts = kinds.values()
    return Part(sum(part.number for part in parts), sum(part.bytes for part in parts))


def _kinds(found: Volumes) -> Table:
    rows = []
    for name in WORKLOADS:
        if not _both(found, name):
            continue
        parts = [found.modes[mode].get(name) for mode in ("shipped", "whole")]
        first = next(_title(name, part) for part in parts if part)
        for kind in sorted({kind for part in parts if part for kind in part.kinds}, key=_order):
            cells = [
                number(value) if part else NOTHING
                for part in parts
                for value in (part.kinds if part else {}).get(kind, Part(0, 0))
            ]
            rows.append([first, kind, *cells])
            first = ""
    head = ["what", "kind of record", "records", "bytes"]
    head += ["records, unfiltered", "bytes, unfiltered"]
    about = (
        "*Events* are the operations: each becomes one relation or several. *Names* are paths"
        " with what they are the name of; *nodes* what is known of an object, once for each"
        " time that it changes."
    )
    return Table("By kind of record", about, head, rows, texts=2)


def _order(kind: str) -> tuple[bool, bool, str]:
    return kind != "events", kind.startswith("nodes"), kind


def _compression(found: Volumes) -> Table:
    rows = []
    for name in WORKLOADS:
        for mode in _both(found, name):
            compressed, every = (
                found.modes[each].get(name) for each in (mode, f"{mode}_all_edges")
            )
            if compressed and every and compressed.kinds:
                cells = _saved(compressed, every)
                rows.append([_title(name, compressed), MODES[mode].title, *cells])
    head = ["what", "mode", "records", "records, every operation", "bytes"]
    head += ["bytes, every operation", "PROV-JSON", "PROV-JSON, every operation", "saved"]
    about = (
        "`--compress-edge true`, which is what is done if nothing is said, leaves out operations"
        " that the graph already has; with `false` every one is recorded. *Saved* is of the"
        " bytes of the records."
    )
    return Table("Edge compression", about, head, rows, texts=2)


def _saved(compressed: Recorded, every: Recorded) -> Iterator[str]:
    """Numbers with and without compression, side by side, and what it saves."""
    sizes = [_sum(recorded.kinds) for recorded in (compressed, every)]
    yield from (number(part.number) for part in sizes)
    yield from (number(part.bytes) for part in sizes)
    yield from (number(recorded.json["all"].bytes) for recorded in (compressed, every))
    yield f"{1 - sizes[0].bytes / sizes[1].bytes:.0%}"


def _settings(found: Volumes) -> Table:
    """CamFlow's four settings, what each is here, and what the others would come to."""
    rows = [row for name in ("build", "wget") for row in _settings_of(found, name)]
    about = (
        "The four settings of CamFlow's `[compression]`, with shipped filters, in nodes and"
        " relations of PROV-JSON. The default of CamFlow (`version`, `node` and `edge` true,"
        " `duplicate` false) is what is recorded here if nothing is said; only `edge` has a"
        " switch ([camflow](camflow.md) says why). What the others would come to is counted in"
        " the same recording, not recorded: without versions their nodes and relations are missing,"
        " and the graph has cycles; with `node` false every relation but those makes a version of"
        " where it leads to; with `duplicate` both ends are told again with each relation; at the"
        " mean size of what there is."
    )
    head = ["what", "setting", "here", "nodes", "relations", "bytes"]
    return Table("CamFlow's compression", about, head, rows, texts=3)


def _settings_of(found: Volumes, name: str) -> Iterator[list[str]]:
    default, every = (found.modes[mode][name] for mode in ("shipped", "shipped_all_edges"))
    nodes, relations = default.json["nodes"], default.json["relations"]
    title, size = _title(name, default), nodes.bytes / nodes.number
    yield [title, "version, node, edge; no duplicate", "the default", *_told(default)]
    yield [NOTHING, "edge = false", "`--compress-edge false`", *_told(every)]
    if "versions" in default.json:
        versions = default.json["versions"]
        less = versions.bytes + versions.number * size
        yield _not_here("version = false", default, -versions.number, -versions.number, -less)
        more = relations.number - 2 * versions.number
        larger = more * (size + relations.bytes / relations.number)
        yield _not_here("node = false", default, more, more, larger)
    again = 2 * relations.number
    yield _not_here("duplicate = true", default, again, 0, again * size)


def _told(recorded: Recorded) -> Iterator[str]:
    yield from (number(recorded.json[part].number) for part in ("nodes", "relations"))
    yield number(recorded.json["all"].bytes)


def _not_here(
    setting: str, default: Recorded, nodes: int, relations: int, size: float
) -> list[str]:
    """A setting that there is none for: so many more than with the default."""
    cells = [
        default.json["nodes"].number + nodes,
        default.json["relations"].number + relations,
        default.json["all"].bytes + size,
    ]
    return [NOTHING, setting, "there is none", *map(number, cells)]


def _wget(found: Volumes) -> Table:
    rows = []
    for mode in ("shipped", "whole"):
        recorded = found.modes[mode]["wget"]
        whole, client = recorded.json["all"].bytes, recorded.client.bytes
        raw = _sum(recorded.kinds).bytes
        cells = [f"{size / recorded.many / 1000:.2f}" for size in (whole, client, raw)]
        rows.append([f"provcap, {MODES[mode].title}", *cells])
    for known in figures.published().values():
        rows.append([known.title, "", f"{known.bytes / 1000:.2f}", ""])
    sources = ", ".join(dict.fromkeys(known.source for known in figures.published().values()))
    about = (
        "Kilobytes for one fetch, the mean of those in the rows above. CamFlow's numbers are as"
        f" published ({sources}), of Linux 4.9,"
        " another C library and another `wget`, which did not have the server beside it. Whether"
        " they are of the whole system or of the one program, and from the start of the program"
        " or not, is not known here; ours are of the whole system, with the shell that starts"
        " each `wget` and all that loading it takes. So the column without the server is the"
        " nearest, and still not the same."
    )
    head = ["what", "PROV-JSON", "without the server", "records"]
    return Table("One wget", about, head, rows, more=_compared(found))


def _compared(found: Volumes) -> str:
    """How much more it is than what is published, and what one fetch is made of."""
    recorded = found.modes["shipped"]["wget"]
    theirs = figures.published()["wget"].bytes
    ours, raw = (
        size / recorded.many for size in (recorded.client.bytes, _sum(recorded.kinds).bytes)
    )
    nodes, relations = (
        recorded.json[name].number / recorded.many for name in ("nodes", "relations")
    )
    each = recorded.json["all"].bytes / (
        recorded.json["nodes"].number + recorded.json["relations"].number
    )
    return (
        f"As PROV-JSON one fetch takes **{ours / theirs:.0f} times** what CamFlow's authors publish"
        f" (shipped filters, without the server): it is {nodes:,.0f} nodes and {relations:,.0f}"
        f" relations, server included, of {each:,.0f} bytes each, while so many bytes as theirs"
        f" hold about {theirs / each:,.0f}. The kernel's own records of it are {raw / 1000:.1f} kB."
    )
