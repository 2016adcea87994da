"""Soaks the recording that it runs in twice, and says what the kernel side kept after each.

    python -m tests.vm.stress.soak PROGRAM FOLDER OPERATIONS

Prints JSON: ``done``, the operations of both, ``rounds``, those of the second, and ``kept``, a list
of what was there after each: entries of each map, address spaces; ``slabs``: live objects of the
caches that storages lie in.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from provcap.bpf.layout import object_layout
from provcap.bpf.loader import find_object, read_object
from provcap.bpf.maps import HASH, LPM_TRIE, Map
from provcap.bpf.pins import Pins
from tests.vm.stress import leaks

GROWING = (HASH, LPM_TRIE)  # one that forgets by itself (LRU) is to fill up with what is gone
BURSTS, BURST = 3, 2000  # operations
SETTLE_S = 3.0  # a few grace periods


def worked(program: str, folder: str, operations: int) -> tuple[int, int]:
    """Run it; how many operations succeeded, and in how many rounds."""
    words = [program, folder, str(operations)]
    done, rounds = subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout.split()
    return int(done), int(rounds)


def entries() -> dict[str, int]:
    """Name of each map that grows by need -> its entries."""
    found = {}
    for path in Pins().maps.iterdir():
        with Map.pinned(path) as map:
            if map.info.type in GROWING:
                found[path.name] = len(list(map.items()))
    return found


def address_spaces() -> int:
    """Those that a task holds."""
    record = object_layout(read_object(find_object())).record("prov_memory")
    with Map.pinned(Pins().maps / "memories") as memories:
        return sum(record.unpack(value)["references"] != 0 for _, value in memories.items())


def slabs() -> dict[str, int]:
    """Live objects of each cache that storages lie in; those of inodes go with the inode."""
    Path("/proc/sys/vm/drop_caches").write_text("3")
    time.sleep(SETTLE_S)
    for cache in leaks.CACHES:  # else what is free on a CPU's own list counts as live
        Path("/sys/kernel/slab", cache, "shrink").write_text("1")
    rows = [line.split() for line in Path("/proc/slabinfo").read_text().splitlines()]
    return {row[0]: int(row[1]) for row in rows if row[0] in leaks.CACHES}


def settle(program: str, folder: str) -> None:
    """The allocator of BPF gives back what was freed when more is freed, a grace period later."""
    for _ in range(BURSTS):
        worked(program, folder, BURST)
        time.sleep(1)


def main() -> None:
    program, folder, operations = sys.argv[1], sys.argv[2], int(sys.argv[3])
    done, rounds, held = 0, 0, []
    for _ in range(2):
        more, rounds = worked(program, folder, operations // 2)
        done += more
        settle(program, folder)
        objects = slabs()
        held.append({**entries(), "address spaces": address_spaces(), "slabs": objects})
    print(json.dumps({"done": done, "rounds": rounds, "kept": held}))


if __name__ == "__main__":
    main()
