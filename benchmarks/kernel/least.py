"""The least that the programs of an operation could take for what they have to know and say.

Public: :func:`least`, :data:`LOOK_UPS`.
"""

from collections.abc import Mapping

from benchmarks.kernel.results import Results, attach_cost, beyond

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


def least(results: Results, mode: str, name: str) -> float | None:
    """Attaching, look-ups and records of one repetition, each as its probe measured it.

    All else is left out: what decides, what fills the records, making new state. None: not
    measured.
    """
    seen, phase = results.phase(f"{mode}_programs", name), results.phase(mode, name)
    if seen is None or phase is None:
        return None
    calls = sum(
        program.calls
        * (attach_cost(results, key.partition("/")[0]) + _look_ups(results, mode, key))
        for key, program in seen.programs.items()
    )
    return calls + (phase.records or 0) * beyond(results, "one_record", "both_look_ups")


def _look_ups(results: Results, mode: str, program: str) -> float:
    known = LOOK_UPS if mode == "shipped" else {**LOOK_UPS, **_UNFILTERED}
    tasks, objects = known.get(program, (0, 0))
    of_task = beyond(results, "task_look_up", "empty")
    return tasks * of_task + objects * beyond(results, "inode_look_up", "empty")
