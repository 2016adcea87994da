"""Makes many objects of each kind in the guest and says what the kernel's memory is meanwhile.

    python -m benchmarks.memory.guest MODE OUT

MODE is ``base``, or ``recorded``: then this must be the command that is recorded, and first the
maps and programs are told. JSON goes to OUT.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from benchmarks.guests import WORK
from benchmarks.memory import slab
from benchmarks.memory.plan import KINDS
from provcap.bpf.libbpf import call, opened
from provcap.bpf.maps import ARRAY_OF_MAPS, Map, u32
from provcap.bpf.pins import Pins

BENCH = f"{WORK}/bench"
_WARM = 50
_GONE_S = 30.0  # passes at once: nothing else happens in this guest


def fixed() -> dict[str, object]:
    """Name of each map -> what it has in memory; and how many programs there are, with theirs."""
    maps = {path.name: _map_bytes(path) for path in sorted(Pins().maps.iterdir())}
    programs = [_program_bytes(path) for path in sorted(Pins().root.glob("programs/*/*"))]
    return {"maps": maps, "programs": len(programs), "program_bytes": sum(programs)}


def _map_bytes(path: Path) -> int:
    """With the maps in it, if it holds such."""
    with Map.pinned(path) as outer:
        size = _memlock(outer.fd)
        if outer.info.type != ARRAY_OF_MAPS:
            return size
        for place in range(outer.info.max_entries):
            held = outer.lookup(u32(place))
            if held is not None:
                with Map.by_id(int.from_bytes(held, sys.byteorder)) as inner:
                    size += _memlock(inner.fd)
        return size


def _program_bytes(path: Path) -> int:
    with opened(call("bpf_obj_get", os.fsencode(path), about=str(path))) as fd:
        return _memlock(fd)


def _memlock(fd: int) -> int:
    return slab.parse_fdinfo(Path(f"/proc/self/fdinfo/{fd}").read_text())["memlock"]


def held(kind: str, number: int) -> Iterator[slab.Snapshot]:
    """Before there are so many objects, while there are, when they are gone; the last two twice."""
    yield slab.take()
    for _ in range(2):
        words = [BENCH, "hold", kind, str(number)]
        with subprocess.Popen(
            words, cwd=f"{WORK}/hold", env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdin and holder.stdout
            _await(holder.stdout, b"held")
            yield slab.take()
            holder.stdin.close()
            _await(holder.stdout, b"gone")
        if holder.returncode:
            raise subprocess.CalledProcessError(holder.returncode, words)
        time.sleep(_GONE_S)
        yield slab.take()


def _await(said: IO[bytes], word: bytes) -> None:
    line = said.readline().strip()
    if line != word:
        raise RuntimeError(f"the workload says {line!r}, not {word!r}")


def main(mode: str, out: Path) -> None:
    """Everything."""
    Path(f"{WORK}/hold").mkdir(exist_ok=True)
    found: dict[str, object] = fixed() if mode != "base" else {}
    for kind in KINDS:  # what is made once for each kind of object is not of the measurement
        list(held(kind, _WARM))
    found["kinds"] = {
        kind: [snapshot._asdict() for snapshot in held(kind, about.number)]
        for kind, about in KINDS.items()
    }
    out.write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
