"""The least that the programs of an operation could take for what they have to know and say.

Public: :func:`least`, :func:`least_with_semantics`, :func:`look_ups`, :data:`LOOK_UPS`.
"""

from collections.abc import Mapping
from typing import TypeVar

from benchmarks.kernel.results import (
    Results,
    added,
    beyond,
    probe_net,
    sum_of_attaching,
)

T = TypeVar("T")

LOOK_UPS: Mapping[str, tuple[int, int]] = {
    "lsm/file_permission": (1, 1),
    "lsm/file_open": (1, 1),
    "lsm/inode_getattr": (1, 1),
    "lsm/inode_create": (1, 1),
    "lsm/inode_unlink": (1, 2),
    "lsm/inode_rename": (1, 3),
    "lsm/inode_free_security": (0, 1),
    "lsm/d_instantiate": (1, 2),
    "lsm/path_mknod": (1, 0),
    "lsm/path_unlink": (1, 0),
    "lsm/path_rename": (1, 0),
    "lsm/mmap_file": (1, 1),
    "lsm/socket_sendmsg": (1, 1),
    "fexit/sock_recvmsg": (1, 1),
    "fexit/pipe_read": (1, 1),
    "lsm/task_alloc": (2, 0),
    "lsm/task_free": (1, 0),
    "lsm/bprm_check_security": (1, 1),
    "lsm/bprm_creds_for_exec": (1, 0),
    "lsm/bprm_committing_creds": (1, 0),
}
"""Program -> look-ups of a task and of another object in one call, without which it cannot tell
whether there is anything to say; programs that are not named here can, as a rule."""

_UNFILTERED = {"lsm/inode_permission": (1, 1)}
"""With the shipped filters nothing is asked: what most calls are about is a directory."""


_EVENT_BYTES, _RECORD_BYTES, _LARGE_BYTES = 72, 64, 256


class _NotMeasured(Exception):
    """Something that a sum is made of is missing."""


def look_ups(results: Results, mode: str, program: str) -> float | None:
    """What the look-ups of one call take; None: not measured."""
    try:
        return _look_ups(results, mode, program)
    except _NotMeasured:
        return None


def least(results: Results, mode: str, name: str, attaching: float | None = None) -> float | None:
    """Attaching, look-ups and bare records of one repetition, each as its probe measured it.

    All else is left out: what decides, what fills the records, making new state. ``attaching`` as
    for ``sum_of_programs``. None: not measured.
    """
    try:
        records = _need(_need(results.phase(mode, name)).records)
        return _calls(results, mode, name, attaching) + records * _bare(results)
    except _NotMeasured:
        return None


def least_with_semantics(
    results: Results, mode: str, name: str, attaching: float | None = None
) -> float | None:
    """The same, with all that an event has to know and say, as semantics.bpf.c does it.

    A call that looks up a task and an object, and has no event, decides that nothing is new; other
    records are bare ones of their size; new inodes and tasks get their storage.
    """
    try:
        known = _calls(results, mode, name, attaching)
        return known + _semantics(results, mode, name)
    except _NotMeasured:
        return None


def _semantics(results: Results, mode: str, name: str) -> float:
    """What comes on top of attaching and look-ups."""
    phase = _need(results.phase(mode, name))
    programs = _need(results.phase(f"{mode}_programs", name)).programs
    events = _need(phase.events)
    others = _need(phase.records) - events
    size = _need(phase.bytes) - events * _EVENT_BYTES
    deciding = sum(program.calls for key, program in programs.items() if all(_asked(mode, key)))
    return (
        events * _event(results)
        + max(deciding - events, 0) * _need(beyond(results, "read_or_write", "both_look_ups"))
        + others * (_bare(results) - _byte(results) * _RECORD_BYTES)
        + size * _byte(results)
        + sum(program.calls * _new_state(results, key) for key, program in programs.items())
    )


def _event(results: Results) -> float:
    """One event beyond the two look-ups."""
    two = _need(added(results, "probe:read_or_write", "copy_new"))
    return two / 2 - _need(added(results, "probe:both_look_ups", "pread"))


def _bare(results: Results) -> float:
    """One record of 64 bytes."""
    return _need(beyond(results, "one_record", "both_look_ups"))


def _byte(results: Results) -> float:
    """One byte more of a record."""
    more = _need(beyond(results, "one_large_record", "one_record"))
    return more / (_LARGE_BYTES - _RECORD_BYTES)


def _new_state(results: Results, program: str) -> float:
    """The storage that a call of this program makes, without the look-up.

    Of an inode with what freeing it takes; a task's is not among the programs, so not here, either.
    """
    if program == "lsm/inode_create":
        made = _need(beyond(results, "new_inode", "no_inode", "create_unlink"))
        return made - _need(beyond(results, "inode_look_up", "empty"))
    if program == "lsm/task_alloc":
        made = _need(probe_net(results, "new_task", "fork_exit"))
        return made - _need(beyond(results, "task_look_up", "empty"))
    return 0.0


def _calls(results: Results, mode: str, name: str, attaching: float | None) -> float:
    """Attaching and look-ups."""
    seen = _need(results.phase(f"{mode}_programs", name))
    return sum_of_attaching(results, seen, attaching) + sum(
        program.calls * _look_ups(results, mode, key) for key, program in seen.programs.items()
    )


def _look_ups(results: Results, mode: str, program: str) -> float:
    tasks, objects = _asked(mode, program)
    of_task = _need(beyond(results, "task_look_up", "empty"))
    return tasks * of_task + objects * _need(beyond(results, "inode_look_up", "empty"))


def _asked(mode: str, program: str) -> tuple[int, int]:
    """Look-ups of a task and of objects in one call of a program."""
    known = LOOK_UPS if mode == "shipped" else {**LOOK_UPS, **_UNFILTERED}
    return known.get(program, (0, 0))


def _need(value: T | None) -> T:
    if value is None:
        raise _NotMeasured
    return value
