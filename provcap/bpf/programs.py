"""Says how often each loaded program ran, how long it took, and how often the kernel skipped it."""

import contextlib
import ctypes
import os
from collections.abc import Iterator
from ctypes import c_char, c_uint8, c_uint32, c_uint64
from typing import NamedTuple

from provcap.bpf.libbpf import call, opened


class ProgramInfo(NamedTuple):
    """Counters of one program since it was loaded.

    ``run_count`` and ``run_time_ns`` stand still while statistics are off (see ``statistics``).
    ``recursion_misses`` always counts: each is an event that the program never saw. ``name`` is cut
    to 15 bytes by the kernel. ``verified`` is how many instructions the verifier looked at when the
    program was loaded; it gives up at a million.
    """

    id: int
    name: str
    type: int
    run_count: int
    run_time_ns: int
    recursion_misses: int
    verified: int


def program_info(fd: int) -> ProgramInfo:
    """Counters of the program behind ``fd``; raises ``CallError``."""
    raw, size = _RawProgramInfo(), c_uint32(ctypes.sizeof(_RawProgramInfo))
    call("bpf_obj_get_info_by_fd", fd, ctypes.byref(raw), ctypes.byref(size), about="(program)")
    name = raw.name.decode(errors="replace")
    counters = raw.run_cnt, raw.run_time_ns, raw.recursion_misses, raw.verified_insns
    return ProgramInfo(raw.id, name, raw.type, *counters)


def program_info_by_id(id: int) -> ProgramInfo:
    """Counters of the program with this id; raises ``CallError``."""
    with opened(call("bpf_prog_get_fd_by_id", id, about=f"{id}")) as fd:
        return program_info(fd)


@contextlib.contextmanager
def statistics() -> Iterator[None]:
    """Have the kernel count runs and run times within the block (a few ns for each run)."""
    fd = call("bpf_enable_stats", _RUN_TIME)
    try:
        yield
    finally:
        os.close(fd)


_RUN_TIME = 0  # BPF_STATS_RUN_TIME


class _RawProgramInfo(ctypes.Structure):
    """``struct bpf_prog_info`` up to what we read; a newer kernel fills this much of its own."""

    _fields_ = [
        ("type", c_uint32),
        ("id", c_uint32),
        ("tag", c_uint8 * 8),
        ("jited_prog_len", c_uint32),
        ("xlated_prog_len", c_uint32),
        ("jited_prog_insns", c_uint64),
        ("xlated_prog_insns", c_uint64),
        ("load_time", c_uint64),
        ("created_by_uid", c_uint32),
        ("nr_map_ids", c_uint32),
        ("map_ids", c_uint64),
        ("name", c_char * 16),
        ("ifindex", c_uint32),
        ("gpl_compatible", c_uint32),
        ("netns_dev", c_uint64),
        ("netns_ino", c_uint64),
        ("nr_jited_ksyms", c_uint32),
        ("nr_jited_func_lens", c_uint32),
        ("jited_ksyms", c_uint64),
        ("jited_func_lens", c_uint64),
        ("btf_id", c_uint32),
        ("func_info_rec_size", c_uint32),
        ("func_info", c_uint64),
        ("nr_func_info", c_uint32),
        ("nr_line_info", c_uint32),
        ("line_info", c_uint64),
        ("jited_line_info", c_uint64),
        ("nr_jited_line_info", c_uint32),
        ("line_info_rec_size", c_uint32),
        ("jited_line_info_rec_size", c_uint32),
        ("nr_prog_tags", c_uint32),
        ("prog_tags", c_uint64),
        ("run_time_ns", c_uint64),
        ("run_cnt", c_uint64),
        ("recursion_misses", c_uint64),
        ("verified_insns", c_uint32),
        ("attach_btf_obj_id", c_uint32),
        ("attach_btf_id", c_uint32),
        ("reserved", c_uint32),
    ]
