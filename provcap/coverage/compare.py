"""Compares what was recorded of each operation with what is expected: seen, missing, wrong.

Public: :class:`Verdict`, :func:`judge`, :func:`judge_all`.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from provcap.coverage.flows import Flow
from provcap.coverage.recorded import Recording


class Verdict(NamedTuple):
    """What one flow came to on one kernel."""

    flow: Flow
    state: str
    """``as promised``, ``not yet``, ``differs``, ``works`` (against the promise), ``not played``"""
    seen: int
    missing: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    reason: str = ""
    """Why this kernel gives less than others, or nothing yet."""

    @property
    def is_kept(self) -> bool:
        """Whether the promise is kept."""
        return self.state in ("as promised", "not yet")


def judge(flow: Flow, found: Collection[str] | None, kernel: str) -> Verdict:
    """Compare ``found`` (None: the operation could not be played) with what ``kernel`` promises."""
    promised, reason = flow.promised(kernel)
    if found is None:
        return Verdict(flow, "not played", 0, tuple(sorted(promised)), reason="it failed")
    counted = {edge for edge in found if flow.compares(edge)}
    forbidden = sorted(filter(flow.forbids, counted))
    seen, missing = len(counted & promised), tuple(sorted(promised - counted))
    wrong = tuple(sorted(counted - promised))
    if flow.not_yet and (forbidden or missing or wrong):
        state = "differs" if forbidden else "not yet"
        return Verdict(flow, state, seen, missing, tuple(forbidden), flow.not_yet)
    if flow.not_yet:
        return Verdict(flow, "works", seen, reason=f"marked as not yet: {flow.not_yet}")
    state = "differs" if missing or wrong else "as promised"
    return Verdict(flow, state, seen, missing, wrong, reason)


def judge_all(flows: Iterable[Flow], recording: Recording, kernel: str) -> list[Verdict]:
    """The verdict of each flow of a recording that was made on ``kernel``."""
    return [judge(flow, _found(recording, flow.name), kernel) for flow in flows]


def _found(recording: Recording, name: str) -> set[str] | None:
    if name in recording.failed:
        return None
    return recording.window(name).flows
