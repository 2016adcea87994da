"""Lays out what the measurement found as a page of the reference.

Public: :func:`page`.
"""

from collections.abc import Iterator, Mapping

from benchmarks.kernel import figures
from benchmarks.show import Page, Table, number
from benchmarks.volume.plan import (
    FETCHES,
    HEADERS,
    IDLE_S,
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
- **wget**: `wget -q -O FILE http://127.0.0.1/page`, {fetches} times in a shell's loop, told as
  1,000; the page has {page_bytes} bytes. The server (Python's `http.server`, a thread for each
  request) runs in the same guest since before the recording: what it does is recorded, too.
  *Without the server* leaves out the edges that its threads make, and nodes that only those touch.
- **Idle**: {idle} seconds, told as an hour. Running then: the recorder, which is not recorded, the
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
        fetches=FETCHES,
        page_bytes=PAGE_BYTES,
        idle=IDLE_S,
    )
    return Page(head, [_totals(found), _kinds(found), _compression(found), _wget(found)])


def _totals(found: Volumes) -> Table:
    rows = []
    for name, workload in WORKLOADS.items():
        for mode in ("shipped", "whole"):
            recorded, title = found.modes[mode][name], workload.title
            records, size = _sum(recorded.kinds)
            cells = [number(value * workload.scale) for value in _sizes(recorded)]
            cells.insert(2, number(size / records if records else None))
            rows.append([title, MODES[mode].title, *cells])
    head = ["what", "mode", "records", "bytes", "bytes each"]
    head += ["nodes in PROV-JSON", "relations", "bytes of it", "recorder's own bytes"]
    about = (
        "*Records* and *bytes* are what goes through the rings, without the 8 bytes of a ring's"
        " head; the file has those, too, 64 bytes for each time that a ring was drained and"
        " found not empty, and the *recorder's own*: its counters, every two seconds if one has"
        " changed."
    )
    return Table("In all", about, head, rows, texts=2)


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
    for name, workload in WORKLOADS.items():
        shipped, whole = (found.modes[mode][name].kinds for mode in ("shipped", "whole"))
        first = workload.title
        for kind in sorted({*shipped, *whole}, key=_order):
            cells = [
                number(value * workload.scale)
                for kinds in (shipped, whole)
                for value in kinds.get(kind, Part(0, 0))
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
    for name, workload in WORKLOADS.items():
        for mode in ("shipped", "whole"):
            pair = [found.modes[each][name] for each in (mode, f"{mode}_all_edges")]
            sizes = [_sum(recorded.kinds) for recorded in pair]
            cells = [number(part.number * workload.scale) for part in sizes]
            cells += [number(part.bytes * workload.scale) for part in sizes]
            cells += [number(recorded.json["all"].bytes * workload.scale) for recorded in pair]
            every = sizes[1].bytes
            saved = f"{1 - sizes[0].bytes / every:.0%}" if every else ""
            rows.append([workload.title, MODES[mode].title, *cells, saved])
    head = ["what", "mode", "records", "records, every operation", "bytes"]
    head += ["bytes, every operation", "PROV-JSON", "PROV-JSON, every operation", "saved"]
    about = (
        "`--compress-edge true`, which is what is done if nothing is said, leaves out operations"
        " that the graph already has; with `false` every one is recorded. *Saved* is of the"
        " bytes of the records. The other two settings of CamFlow's `[compression]` have no"
        " switch here ([camflow](camflow.md) says why): a node gets a version only where the"
        " graph would have a cycle otherwise, and is sent once for each of its versions."
    )
    return Table("Edge compression", about, head, rows, texts=2)


def _wget(found: Volumes) -> Table:
    rows = []
    for mode in ("shipped", "whole"):
        recorded = found.modes[mode]["wget"]
        whole, client = recorded.json["all"].bytes, recorded.client.bytes
        raw = _sum(recorded.kinds).bytes
        cells = [f"{size / FETCHES / 1000:.2f}" for size in (whole, client, raw)]
        rows.append([f"provcap, {MODES[mode].title}", *cells])
    for known in figures.published().values():
        rows.append([known.title, "", f"{known.bytes / 1000:.2f}", ""])
    sources = ", ".join(dict.fromkeys(known.source for known in figures.published().values()))
    about = (
        f"Kilobytes for one fetch. CamFlow's numbers are as published ({sources}), of Linux 4.9,"
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
    ours, raw = (size / FETCHES for size in (recorded.client.bytes, _sum(recorded.kinds).bytes))
    nodes, relations = (recorded.json[name].number / FETCHES for name in ("nodes", "relations"))
    each = recorded.json["all"].bytes / (
        recorded.json["nodes"].number + recorded.json["relations"].number
    )
    return (
        f"As PROV-JSON one fetch takes **{ours / theirs:.0f} times** what CamFlow's authors publish"
        f" (shipped filters, without the server): it is {nodes:,.0f} nodes and {relations:,.0f}"
        f" relations, server included, of {each:,.0f} bytes each, while so many bytes as theirs"
        f" hold about {theirs / each:,.0f}. The kernel's own records of it are {raw / 1000:.1f} kB."
    )
