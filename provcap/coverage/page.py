"""Writes the reference page of what was seen on each kernel.

Public: :func:`page`, :func:`result`.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from provcap.coverage.compare import Verdict
from provcap.coverage.flows import Flow, version

Results = Mapping[str, Sequence[Verdict]]
"""Kernel version -> the verdict of each flow, in the same order."""

_HEAD = """# Coverage

Small workloads, each with every edge that it must leave in the graph: written by hand from what the
operation means (`provcap/coverage/flows.toml`), played in a guest, recorded and compared by

    provcap coverage --kernel 6.12 --kernel 6.1 --kernel 7 --page docs/reference/coverage.md

*Seen* counts the edges that are there as promised; *nothing* is promised of an operation that is
refused, fails or finds nothing. An edge that is not expected is wrong, so each row also says what
is not there. A line through the task stands for two edges: `read file:a -> task -> memory` is a
`read` and a `memory_write`, `write memory -> task -> file:b` a `memory_read` and a `write`.
[Relations](relations.md) explains each, [conformance](conformance.md) sets them beside CamFlow's.
"""


def page(results: Results) -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_summaries(results), "", *_tables(results), *_reasons(results)])


def result(verdict: Verdict) -> str:
    """One flow on one kernel, in a word or two."""
    if verdict.state == "as promised":
        return f"seen {verdict.seen}" if verdict.seen else "nothing"
    if verdict.state == "differs":
        counts = {"missing": len(verdict.missing), "wrong": len(verdict.wrong)}
        return ", ".join(f"{what} {count}" for what, count in counts.items() if count)
    return verdict.state


def summary(kernel: str, verdicts: Sequence[Verdict]) -> str:
    """One sentence on one kernel."""
    kept = [verdict for verdict in verdicts if verdict.state == "as promised"]
    twins = sum(bool(verdict.flow.twin) for verdict in kept)
    counts = {
        "edges seen": sum(verdict.seen for verdict in kept),
        "missing": sum(len(v.missing) for v in verdicts if v.state != "not yet"),
        "wrong": sum(len(verdict.wrong) for verdict in verdicts),
    }
    counted = ", ".join(f"{count} {what}" for what, count in counts.items())
    late = sum(verdict.state == "not yet" for verdict in verdicts)
    rest = f", {late} not yet" if late else ""
    return (
        f"{kernel}: {len(kept)} of {len(verdicts)} workloads as promised "
        f"({twins} of them refused, failed or empty){rest}; {counted}"
    )


def _summaries(results: Results) -> Iterator[str]:
    for kernel, verdicts in results.items():
        yield f"- {summary(kernel, verdicts)}"


def _tables(results: Results) -> Iterator[str]:
    columns = list(zip(*results.values(), strict=True))
    for subject, rows in groupby(columns, lambda row: row[0].flow.subject):
        yield f"## {subject.capitalize()}\n"
        kernels = " | ".join(map(_short, results))
        yield f"| Workload | Calls | What it does | Edges | {kernels} |"
        yield "|---" * (4 + len(results)) + "|"
        yield from (_row(row) for row in rows)
        yield ""


def _row(row: Sequence[Verdict]) -> str:
    flow = row[0].flow
    cells = [f"`{flow.name}`", f"`{' '.join(flow.calls)}`", _does(flow), _edges(flow)]
    return f"| {' | '.join([*cells, *map(result, row)])} |"


def _does(flow: Flow) -> str:
    return f"{flow.does} (twin of `{flow.twin}`)" if flow.twin else flow.does


def _edges(flow: Flow) -> str:
    return "<br>".join(f"`{line}`" for line in flow.written) or "none"


def _reasons(results: Results) -> Iterator[str]:
    """Why a kernel gives less, or nothing yet."""
    found: dict[tuple[str, str], list[str]] = {}
    for kernel, verdicts in results.items():
        for verdict in verdicts:
            if verdict.reason:
                found.setdefault((verdict.flow.name, verdict.reason), []).append(_short(kernel))
    yield "## Why not all\n"
    yield "| Workload | Kernels | Why |\n|---|---|---|"
    for (name, reason), kernels in found.items():
        yield f"| `{name}` | {', '.join(kernels)} | {reason} |"
    yield ""


def _short(kernel: str) -> str:
    return ".".join(map(str, version(kernel)))
