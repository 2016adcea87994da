"""What is to be measured, as a value that goes into the guest: modes, phases, rounds.

Public: :class:`Run`, :class:`Plan`, :func:`recorded_runs`, :data:`WORK`, :data:`MODES`.
"""

from collections.abc import Sequence
from typing import NamedTuple

WORK = "/tmp/bench"
SHIPPED_FILTERS = ("directory", "inode_unknown", "char", "envp")
PROGRAMS = "/sys/fs/bpf/provcap/programs"
PROBES = "/sys/fs/bpf/bench"

MODES = {
    "base": "nothing is loaded",
    "whole": "whole-system capture, no filter; the reader is stopped meanwhile",
    "shipped": "whole-system capture, shipped filters; the reader is stopped meanwhile",
    "awake": "as shipped, and the reader drains meanwhile",
    "whole_programs": "as whole, and the kernel counts the run time of each program",
    "shipped_programs": "as shipped, and the kernel counts the run time of each program",
    "opaque_programs": "as opaque, and the kernel counts the run time of each program",
    "opaque": "as shipped, by a process that is opaque",
    "switched_off": "everything is attached, and capture is off (camflow -e false)",
    "off": "capture has ended: the programs are detached and unloaded",
    "audit": "no capture; auditd with rules for the same system calls, stopped meanwhile",
}
"""What a name in the results means."""


class Run(NamedTuple):
    """One play of the workload: every phase in each of the rounds."""

    mode: str
    phases: Sequence[str] = ()
    """Empty: all."""
    rounds: int = 1
    macro: int = 0
    """How often to play the macro set, too."""


class Plan(NamedTuple):
    """Runs one after the other; each round has fresh names of its own, from ``step`` on."""

    runs: Sequence[Run]
    out: str
    """File for the lines of the phases."""
    step: int = 0
    share: int = 1
    """Each phase is repeated so many times less often."""

    @property
    def steps(self) -> int:
        """The first step that is not used here."""
        return self.step + sum(run.rounds for run in self.runs)


def recorded_runs(quick: bool) -> list[Run]:
    """What is measured while a recording runs."""
    if quick:
        return [Run("shipped", QUICK, 2), Run("whole", QUICK), Run("shipped_programs", QUICK)]
    return [
        Run("whole", (), 3),
        Run("shipped", (), 2, MACRO_ROUNDS),
        Run("shipped_programs"),
        Run("whole_programs"),
        Run("awake", ("settled_many", "copy_many"), 2),
        Run("opaque", STILL),
        Run("opaque_programs", STILL),
        Run("switched_off", STILL),
    ]


MACRO_ROUNDS = 3
STILL = ("pread", "pwrite", "open_close", "stat", "pipe")
"""Phases that show what a process costs of which nothing is recorded."""
AUDITED = (
    *("getppid", "pread", "pwrite", "copy_settled", "open_close", "stat", "fstat", "mmap_munmap"),
    *("create_unlink", "rename_two", "pipe", "unix_pair", "tcp", "fork_exit", "vfork_exec"),
)
"""Phases whose records can all wait for auditd."""
QUICK = (
    *("getppid", "pread", "pwrite", "copy_settled", "copy_new"),
    *("open_close", "stat", "fstat", "pipe"),
)
"""Phases of a quick measurement."""
QUICK_PROGRAMS = (
    *("adopt_tasks", "file_permission"),
    *("file_open", "inode_permission", "inode_getattr", "pipe_read"),
)
"""The programs that these phases pass."""
