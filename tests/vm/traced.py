"""The calls that strace saw each operation of the workload make, between its marks."""

import re
from collections import defaultdict
from collections.abc import Mapping

# with -f and -o a line begins with the thread; with -y a descriptor is told with its path
_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed>)")
_MARK = re.compile(r"(\d+) +pwrite64\(\d+</\S+/marks/(\w+)\.(begin|end)>")
_BIRTH = re.compile(r"(\d+) +(?:<\.\.\. )?(?:clone3?|v?fork)\b.* = (\d+)")


def calls_made(trace: str) -> dict[str, set[str]]:
    """Operation -> names of the calls of whoever wrote its marks and of their descendants.

    A call counts if it begins or ends between the marks: what waits before is woken in between.
    """
    lines = trace.splitlines()
    parents = {birth[2]: birth[1] for birth in map(_BIRTH.match, lines) if birth}
    made: dict[str, set[str]] = defaultdict(set)
    acting = operation = ""
    for line in lines:
        if mark := _MARK.match(line):
            acting, operation = mark[1], mark[2] if mark[3] == "begin" else ""
            made[mark[2]] |= set()
        elif operation and (call := _LINE.match(line)) and _descends(call[1], acting, parents):
            made[operation].add(call[2])
    return dict(made)


def _descends(thread: str, ancestor: str, parents: Mapping[str, str]) -> bool:
    while thread != ancestor and thread in parents:
        thread = parents[thread]
    return thread == ancestor
