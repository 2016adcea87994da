"""Soaks the recording that it runs in twice, and says what the kernel side kept after each.

    python -m tests.vm.stress.soak PROGRAM FOLDER OPERATIONS

Prints JSON: ``done``, the operations of both, and ``kept``, a list of what was there
after each: entries of each map, address spaces, slab memory that nothing can give back in KiB.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from provcap.bpf.layout import object_layout
from provcap.bpf.loader import find_object, read_object
from provcap.bpf.maps import HASH, Map
from provcap.bpf.pins import Pins


def soaked(program: str, folder: str, operations: int) -> int:
    """Run it; how many operations succeeded."""
    words = [program, folder, str(operations)]
    return int(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)


def entries() -> dict[str, int]:
    """Name of each map that grows by need -> its entries."""
    found = {}
    for path in Pins().maps.iterdir():
        with Map.pinned(path) as map:
            if map.info.type == HASH:
                found[path.name] = len(list(map.items()))
    return found


def address_spaces() -> int:
    """Those that a task holds."""
    record = object_layout(read_object(find_object())).record("prov_memory")
    with Map.pinned(Pins().maps / "memories") as memories:
        return sum(record.unpack(value)["references"] != 0 for _, value in memories.items())


def slab_kib() -> int:
    """Kernel memory that is no cache."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("SUnreclaim:"))


def kept() -> dict[str, int]:
    """Once the kernel has freed what is gone, which it does a little later."""
    time.sleep(1)
    Path("/proc/sys/vm/drop_caches").write_text("3")
    time.sleep(1)
    return {**entries(), "address spaces": address_spaces(), "slab KiB": slab_kib()}


def main() -> None:
    program, folder, operations = sys.argv[1], sys.argv[2], int(sys.argv[3])
    done, held = 0, []
    for _ in range(2):
        done += soaked(program, folder, operations // 2)
        held.append(kept())
    print(json.dumps({"done": done, "kept": held}))


if __name__ == "__main__":
    main()
