"""The guest's half of a trace: repeats what the host asks for, says where the programs are.

    python -m benchmarks.kernel.traced FOLDER

This must be the command that is recorded. FOLDER is shared with the host, which writes the name of
a phase into ``phase`` there and ``end`` in the end; ``programs.json`` is written for it once.
"""

import ctypes
import json
import subprocess
import sys
import time
from ctypes import c_uint32, c_uint64
from pathlib import Path

from benchmarks.kernel.guest import BENCH, shipped
from benchmarks.kernel.plan import PROGRAMS, WORK
from provcap.bpf.libbpf import call, opened
from provcap.bpf.programs import _RawProgramInfo
from provcap.policy import apply

_ROUNDS = 20  # so many that hardly any call is our own
_LINE_WORDS = 4  # of struct bpf_line_info: instruction, file, text, line and column


def serve(folder: Path) -> None:
    """Play whatever phase is asked for until the end."""
    with apply.opened() as control:
        control.change_policy(shipped)
    programs = [_program(path) for path in sorted(Path(PROGRAMS).glob("*/*"))]
    symbols = Path("/proc/kallsyms").read_text()
    (folder / "programs.json").write_text(json.dumps({"programs": programs, "symbols": symbols}))
    step = 0
    while (phase := (folder / "phase").read_text().strip()) != "end":
        if not phase:
            time.sleep(0.05)
            continue
        words = [BENCH, "play", str(step), str(_ROUNDS), "1", "0", "-", phase]
        subprocess.run(words, cwd=WORK, env={}, stdout=subprocess.DEVNULL, check=True)
        step += _ROUNDS


def _program(path: Path) -> dict[str, object]:
    """Name of a program and, of each of its pieces of source, where its instructions begin."""
    with opened(call("bpf_obj_get", str(path).encode())) as fd:
        sizes, size = _RawProgramInfo(), c_uint32(ctypes.sizeof(_RawProgramInfo))
        call("bpf_obj_get_info_by_fd", fd, ctypes.byref(sizes), ctypes.byref(size))
        count = sizes.nr_jited_line_info
        places = (c_uint64 * count)()
        lines = (c_uint32 * (count * _LINE_WORDS))()
        wanted = _RawProgramInfo(
            nr_jited_line_info=count,
            jited_line_info=ctypes.addressof(places),
            jited_line_info_rec_size=8,
            nr_line_info=count,
            line_info=ctypes.addressof(lines),
            line_info_rec_size=4 * _LINE_WORDS,
        )
        call("bpf_obj_get_info_by_fd", fd, ctypes.byref(wanted), ctypes.byref(size))
    rows = [list(lines[at : at + _LINE_WORDS]) for at in range(0, len(lines), _LINE_WORDS)]
    return {"name": path.name, "btf": sizes.btf_id, "places": list(places), "lines": rows}


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
