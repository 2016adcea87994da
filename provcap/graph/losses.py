"""What a recording says about its own completeness: the account on its machine node.

A recorder that finishes describes its machine once more, with ``cf:complete`` and counters. Of each
machine (a log may hold several) the last account counts.
"""

from collections.abc import Iterator
from typing import NamedTuple

from provcap.graph.model import Graph
from provcap.vocabulary import HARMLESS, PARTIAL

_LOST = "lost_"
_CPUS = "_cpus"
#: what was left out on purpose, though nothing that was asked for -> how to say it
RESTRICTIONS = {
    "tracked_only": "only what is tracked (whole-system capture off)",
    "filtered": "some node types or relations were left out",
    "opaque": "what touched opaque files or processes was left out",
}
_OTHERS = {
    "skipped": "events the kernel skipped",
    "missing_uncounted": "records missing without a cause",
}


class Loss(NamedTuple):
    """Records of one cause that are missing; ``cpu`` is None if the CPUs are not told apart."""

    cause: str
    cpu: int | None
    records: int


def losses(graph: Graph) -> list[Loss]:
    """Return what was lost on all machines, by cause and CPU, the largest first."""
    totals: dict[tuple[str, int | None], int] = {}
    for account in graph.accounts.values():
        for loss in _of_account(account):
            key = loss.cause, loss.cpu
            totals[key] = totals.get(key, 0) + loss.records
    found = [Loss(cause, cpu, records) for (cause, cpu), records in totals.items() if records]
    return sorted(found, key=lambda loss: (-loss.records, loss.cause))


def arrived(graph: Graph) -> dict[int, int]:
    """Return the kernel records that arrived from each CPU, over all machines."""
    totals: dict[int, int] = {}
    for account in graph.accounts.values():
        for part in _by_cpu("", account.get("records_cpus", "")):
            cpu = part.cpu or 0
            totals[cpu] = totals.get(cpu, 0) + part.records
    return dict(sorted(totals.items()))


def is_complete(graph: Graph) -> bool | None:
    """Say whether nothing was lost; None if the recording does not say."""
    said = {account.get("complete") for account in graph.accounts.values()}
    if graph.damage or "false" in said or _reasons(graph):
        return False
    return True if said == {"true"} else None


def was_cut(graph: Graph) -> bool:
    """Say whether the raw recording, of any machine, ended before its recorder ended it."""
    return any(account.get("cut") == "true" for account in graph.accounts.values())


def restrictions(graph: Graph) -> list[str]:
    """Return what was left out on purpose, on any machine, as text."""
    return [text for name, text in RESTRICTIONS.items() if name in _left_out(graph)]


def completeness(graph: Graph) -> str:
    """Return one line on what the recording lacks; it may hold characters that need cleaning."""
    return "; ".join((_completeness(graph), *_partial(graph), *restrictions(graph)))


def _completeness(graph: Graph) -> str:
    complete = is_complete(graph)
    if complete:
        return "complete: no record was lost"
    if complete is None:
        return "completeness unknown: the recording does not say whether records were lost"
    return "incomplete: " + (", ".join(_reasons(graph)) or "the recorder says records were lost")


def _partial(graph: Graph) -> Iterator[str]:
    """What is missing though no content is: ``2 descriptors handed over, of which ...``."""
    for cause, count in _by_cause(graph).items():
        if cause in PARTIAL:
            yield f"{count} {HARMLESS[cause]}"


def _by_cause(graph: Graph) -> dict[str, int]:
    causes: dict[str, int] = {}
    for loss in losses(graph):
        causes[loss.cause] = causes.get(loss.cause, 0) + loss.records
    return causes


def _reasons(graph: Graph) -> list[str]:
    causes = {name: count for name, count in _by_cause(graph).items() if name not in HARMLESS}
    reasons = [f"{count} {cause.replace('_', ' ')}" for cause, count in causes.items()]
    if was_cut(graph):
        reasons.append("the raw recording was cut")
    if "switched_off" in _left_out(graph):
        reasons.append("capture was switched off meanwhile")
    if graph.damage:
        places = "place" if len(graph.damage) == 1 else "places"
        reasons.append(f"{len(graph.damage)} unreadable {places} in the log")
    return reasons


def _left_out(graph: Graph) -> set[str]:
    """The words for what was left out on purpose."""
    accounts = graph.accounts.values()
    return {word for account in accounts for word in account.get("restrictions", "").split()}


def _of_account(account: dict[str, str]) -> list[Loss]:
    """``lost_CAUSE`` holds a sum, ``lost_CAUSE_cpus`` the same as ``CPU:COUNT CPU:COUNT``."""
    found = [Loss(text, None, _number(account.get(key, ""))) for key, text in _OTHERS.items()]
    for key, value in account.items():
        if not key.startswith(_LOST) or key.endswith(_CPUS):
            continue
        cause, total = key.removeprefix(_LOST), _number(value)
        parts = _by_cpu(cause, account.get(key + _CPUS, ""))
        if sum(part.records for part in parts) == total:
            found += parts
        else:
            found.append(Loss(cause, None, total))
    return found


def _by_cpu(cause: str, text: str) -> list[Loss]:
    pairs = (word.partition(":") for word in text.split())
    return [Loss(cause, _number(cpu), _number(records)) for cpu, _, records in pairs]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
