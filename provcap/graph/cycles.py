"""Which edges of a folded picture run backwards, so that the others have one direction.

A recorded graph has no cycle; folding its versions makes some: a program reads a file that it
writes later. The picture is laid out along the edges that matter most and shows the rest as such.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

Ends = tuple[int, int]


def against_the_flow(moments: Mapping[Ends, int], newest_first: bool) -> set[Ends]:
    """Return the edges to be drawn backwards; the others form no cycle.

    Of a cycle the edge with the least important moment is taken: the oldest if ``newest_first``,
    because what came from something is told by its last inputs, else the newest.
    """
    core = _on_cycles(moments)
    core.sort(key=lambda ends: (moments[ends], ends), reverse=newest_first)
    after: dict[int, list[int]] = defaultdict(list)
    back: set[Ends] = set()
    for source, target in core:
        if _leads_to(after, target, source):
            back.add((source, target))
        else:
            after[source].append(target)
    return back


def _on_cycles(edges: Iterable[Ends]) -> list[Ends]:
    """Peel off edges from a node that nothing enters or to one that nothing leaves."""
    left = list(edges)
    while True:
        sources, targets = {source for source, _ in left}, {target for _, target in left}
        kept = [(s, t) for s, t in left if s in targets and t in sources]
        if len(kept) == len(left):
            return kept
        left = kept


def _leads_to(after: Mapping[int, list[int]], start: int, end: int) -> bool:
    seen, todo = {start}, [start]
    while todo:
        node = todo.pop()
        if node == end:
            return True
        for following in after.get(node, ()):
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return False
