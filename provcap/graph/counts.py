"""How much of what is in a graph, and what its recorder lost."""

from collections import Counter
from typing import NamedTuple

from provcap.graph.losses import Loss, losses
from provcap.graph.model import Graph


class KindCount(NamedTuple):
    """Nodes of one type."""

    kind: str
    objects: int
    versions: int


class Counts(NamedTuple):
    """Everything ``provcap summary`` shows."""

    kinds: list[KindCount]
    relations: list[tuple[str, int]]
    losses: list[Loss]
    first_ns: int  # time of the first and the last relation, 0 if the recording has no times
    last_ns: int


def count(graph: Graph) -> Counts:
    """Count nodes by type, edges by relation and losses by cause and CPU, the largest first."""
    first, last = _span(graph)
    return Counts(_kinds(graph), _relations(graph), losses(graph), first, last)


def _kinds(graph: Graph) -> list[KindCount]:
    versions = Counter(graph.kind_number)
    objects = Counter(
        number for number, _ in set(zip(graph.kind_number, graph.object_of, strict=True))
    )
    return [
        KindCount(graph.kinds[number], objects[number], total)
        for number, total in versions.most_common()
    ]


def _relations(graph: Graph) -> list[tuple[str, int]]:
    totals: Counter[str] = Counter()
    for number, total in Counter(graph.relation_number).items():
        totals[graph.relations[number][0]] += total
    return totals.most_common()


def _span(graph: Graph) -> tuple[int, int]:
    known = [at for at in graph.at_ns if at]
    return (min(known), max(known)) if known else (0, 0)
