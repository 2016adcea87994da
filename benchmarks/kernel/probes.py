"""Loads the programs of probes.bpf.c in the guest and attaches one of them.

Public: :func:`attached`, :data:`NAMES`.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

from provcap.bpf import libbpf
from provcap.bpf.libbpf import address, call, opened, pointer, text
from provcap.bpf.targets import ATTACH_TYPES, Program

NAMES = {
    "empty": "an empty program at an LSM hook",
    "empty_entry": "an empty program at a function's entry",
    "empty_exit": "an empty program at a function's exit",
    "task_look_up": "the task's storage",
    "inode_look_up": "the inode's storage",
    "both_look_ups": "both",
    "one_record": "both, and a record of 64 bytes",
}
"""Program -> what it does, all of them on the way of pread(2)."""


@contextlib.contextmanager
def attached(path: Path, name: str, folder: Path) -> Iterator[None]:
    """This program runs within the block, pinned below ``folder`` as the capture pins its own."""
    with _loaded(path.read_bytes(), name) as (fd, program), _link(fd, program):
        place = folder / program.kind / name
        place.parent.mkdir(parents=True, exist_ok=True)
        call("bpf_obj_pin", fd, os.fsencode(place), about=str(place))
        try:
            yield
        finally:
            place.unlink()


def _link(fd: int, program: Program) -> contextlib.AbstractContextManager[int]:
    kind = ATTACH_TYPES[program.kind]
    return opened(call("bpf_link_create", fd, 0, kind, None, about=program.name))


@contextlib.contextmanager
def _loaded(image: bytes, name: str) -> Iterator[tuple[int, Program]]:
    """Descriptor of this program alone, the others left out."""
    options = libbpf.OpenOptions(ctypes.sizeof(libbpf.OpenOptions), b"probes")
    handle = pointer("bpf_object__open_mem", image, len(image), ctypes.byref(options))
    try:
        chosen, step = None, address("bpf_object__next_program", handle, None)
        while step:
            own = text("bpf_program__name", step)
            call("bpf_program__set_autoload", step, own == name)
            if own == name:
                chosen = step, Program.of(own, text("bpf_program__section_name", step))
            step = address("bpf_object__next_program", handle, step)
        assert chosen, f"no program {name}"
        call("bpf_object__load", handle)
        yield call("bpf_program__fd", chosen[0]), chosen[1]
    finally:
        libbpf.library().bpf_object__close(handle)
