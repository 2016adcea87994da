"""Says that a recording ended too early, with a status that a script notices."""

import sys

from provcap.graph.losses import was_cut
from provcap.graph.model import Graph
from provcap.graph.titles import clean


def status(command: str, graph: Graph, intact: bool = False) -> int:
    """1, said on standard error, if the graph is of a recording that was cut; else 0.

    ``intact``: the caller knows, and wants what is there.
    """
    if intact or not was_cut(graph):
        return 0
    print(
        f"provcap {command}: {clean(graph.source)}: the recording was cut before its end; "
        "what is shown is what came before (--intact: status 0 all the same)",
        file=sys.stderr,
    )
    return 1
