"""Moves records from where they are drained to everything that wants them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from provcap.capture.stages import Stage
from provcap.records import Record

_Batch = TypeVar("_Batch")


class Sink(Protocol):
    """Takes nodes and edges: a format with its output, the store, the rules."""

    def accept(self, records: Sequence[Record]) -> None:
        """Take one batch, which may be empty; OutputError if it cannot be kept."""

    def close(self) -> None:
        """The stream is over: write what is held, release what is open."""


def pump(
    batches: Iterable[_Batch],
    decode: Callable[[_Batch], Any],
    stages: Sequence[Stage],
    sinks: Sequence[Sink],
) -> None:
    """Move every batch to every sink, in order, then what the stages had held back.

    Errors of the source, of the decoder and of sinks come through as they are; call ``drain`` to
    get out what the stages hold then.
    """
    for batch in batches:
        _pass_on(decode(batch), stages, sinks)
    drain(stages, sinks)


def drain(stages: Sequence[Stage], sinks: Sequence[Sink]) -> None:
    """End the stream: each stage's remainder goes through the stages behind it."""
    for place, stage in enumerate(stages, 1):
        _pass_on(stage.finish(), stages[place:], sinks)


def _pass_on(records: Any, stages: Sequence[Stage], sinks: Sequence[Sink]) -> None:
    for stage in stages:
        records = stage(records)
    for sink in sinks:
        sink.accept(records)
