"""Knows what each kind of program attaches to, and whether a kernel has it."""

import re
from typing import NamedTuple

from provcap.bpf.btf import Btf
from provcap.errors import KernelError


class Program(NamedTuple):
    """One program of an object: ``lsm.s/file_open`` has kind ``lsm`` and target ``file_open``."""

    name: str
    section: str
    kind: str
    target: str

    @classmethod
    def of(cls, name: str, section: str) -> "Program":
        """Take the section apart; raises ``KernelError`` for a kind that nothing here attaches."""
        word, _, target = section.partition("/")
        kind = word.removesuffix(".s")  # sleepable programs attach as the others do
        if kind not in ATTACH_TYPES or not target:
            kinds = ", ".join(ATTACH_TYPES)
            raise KernelError(f"program {name}: cannot attach section {section} (known: {kinds})")
        return cls(name, section, kind, target)


class Skipped(NamedTuple):
    """A program that is switched off: this kernel lacks what it attaches to, or the need for it."""

    program: Program
    missing: str


#: kind -> number in enum bpf_attach_type of include/uapi/linux/bpf.h
ATTACH_TYPES = {
    "lsm": 27,
    "fentry": 24,
    "fexit": 25,
    "fmod_ret": 26,
    "tp_btf": 23,
    "iter": 28,
}


#: function to attach to -> function of kernels on which another program does the same
_NEEDLESS_WITH = {"cgroup_release": "bpf_task_storage_get_recur"}


def missing_target(program: Program, kernel: Btf) -> str | None:
    """What the kernel lacks for this program, or the need for it (for people), or ``None``.

    Only the kernel image is looked at: what a module brings may be gone with it.
    """
    target = program.target
    if target in _NEEDLESS_WITH and kernel.has_func(_NEEDLESS_WITH[target]):
        return f"need for {target}"
    if program.kind == "lsm":
        return None if kernel.has_func(f"bpf_lsm_{target}") else f"LSM hook {target}"
    if program.kind == "tp_btf":
        return None if kernel.has_typedef(f"btf_trace_{target}") else f"tracepoint {target}"
    if program.kind == "iter":
        return None if kernel.has_func(f"bpf_iter_{target}") else f"iterator {target}"
    return None if kernel.has_func(target) else f"function {target}"


def skipped(programs: list[Program], kernel: Btf) -> list[Skipped]:
    """Every program that this kernel lacks the target of, or the need for."""
    return [
        Skipped(program, missing)
        for program in programs
        if (missing := missing_target(program, kernel)) is not None
    ]


def copy_name(name: str, copy: int) -> str:
    """Name of a copy of a probe, counted from 0 in the order in which they run."""
    return f"{name}_spare{copy}" if copy else name


def _copy_of(name: str) -> int:
    spare = re.search(r"_spare(\d+)$", name)
    return int(spare[1]) if spare else 0


def attach_rank(program: Program) -> tuple[int, int, str]:
    """Sort key for attaching; detach in the opposite order.

    What frees state comes first, so that nothing is made whose end is not seen. What makes it for
    new objects follows, then the exit probes, so that an input recorded on success never finds
    only its entry half attached. Iterators are last: they take in what was there before.
    The last copy of a probe comes first: what is attached last runs first.
    """
    return _turn(program), -_copy_of(program.name), program.name


def _turn(program: Program) -> int:
    if program.kind == "iter":
        return 4
    if any(word in program.target for word in _ENDS):
        return 0
    if any(word in program.target for word in _BEGINNINGS):
        return 1
    return 3 if program.kind == "lsm" else 2


#: words in the names of hooks that end, and that begin, the life of a kernel object
_ENDS = ("free", "destruct", "release", "process_exit")
_BEGINNINGS = ("alloc", "newtask", "bprm_committ", "clone")
