"""Loads the programs of probes.bpf.c and semantics.bpf.c in the guest and attaches one of them.

Public: :func:`attached`, :class:`Probe`, :data:`NAMES`, :data:`OBJECTS`.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from provcap.bpf import libbpf
from provcap.bpf.libbpf import address, call, opened, pointer, text
from provcap.bpf.targets import ATTACH_TYPES, Program


class Probe(NamedTuple):
    """One program that is attached alone, and the phases in which it is timed."""

    about: str
    phases: Sequence[str] = ("pread",)
    object: str = "probes"
    """Its source, without ``.bpf.c``."""
    rounds: int = 4


_SEMANTICS = "semantics"
NAMES: Mapping[str, Probe] = {
    "empty": Probe("an empty program at an LSM hook"),
    "empty_entry": Probe("an empty program at a function's entry"),
    "empty_exit": Probe("an empty program at a function's exit"),
    "task_look_up": Probe("the task's storage"),
    "inode_look_up": Probe("the inode's storage"),
    "both_look_ups": Probe("both"),
    "one_record": Probe("both, and a record of 64 bytes"),
    "one_large_record": Probe("both, and a record of 256 bytes"),
    "opaque_process": Probe("as far as an opaque process gets", object=_SEMANTICS),
    "read_or_write": Probe(
        "these semantics", ("pread", "copy_settled", "copy_new"), object=_SEMANTICS
    ),
    "no_inode": Probe("nothing, for a new inode", ("create_unlink",), object=_SEMANTICS),
    "new_inode": Probe("a new inode's storage", ("create_unlink",), object=_SEMANTICS),
    "new_task": Probe("a new task's storage", ("fork_exit",), object=_SEMANTICS, rounds=2),
}
"""Program -> what it does."""
OBJECTS = sorted({f"{probe.object}.bpf.o" for probe in NAMES.values()})
"""Their files, compiled."""


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
