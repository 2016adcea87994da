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
    commands: Sequence[str] = ()
    """Of the macro set these; empty: all."""


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
        return [Run("shipped", QUICK, 2), Run("whole", QUICK, 2), Run("shipped_programs", QUICK, 2)]
    return [
        Run("whole", (), 3),
        Run("shipped", (), 3, MACRO_ROUNDS),
        Run("shipped_programs", (), 2),
        Run("whole_programs", (), 2),
        Run("awake", AWAKE, 2, MACRO_ROUNDS, AWAKE_COMMANDS),
        Run("opaque", STILL, 2),
        Run("opaque_programs", STILL, 2),
        Run("switched_off", (), 2),
    ]


MACRO_ROUNDS = 3
STILL = ("pread", "pwrite", "open_close", "stat", "pipe")
"""Phases that show what a process costs of which nothing is recorded."""
AWAKE = ("settled_many", "copy_many", "pipe_many", "create_many")
"""Phases that are so long that the reader wakes up ten times or more meanwhile."""
AWAKE_COMMANDS = ("50 pipelines",)
"""Commands of the macro set that are, too."""
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
