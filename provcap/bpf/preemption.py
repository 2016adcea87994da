"""Says whether the kernel preempts itself: then it skips programs that stand on functions.

A program that stands on a function does not run while the same CPU is inside of it already, and a
task that is preempted there leaves it so.
"""

import contextlib
import ctypes
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

DEBUGFS = Path("/sys/kernel/debug")
MODES = Path("sched/preempt")
AT_WILL = frozenset(("none", "voluntary"))  # only where the kernel says so itself: not in a program


def preemption() -> str:
    """How the running kernel is preempted: ``none``, ``voluntary``, ``lazy``, ``full`` or ``rt``.

    ``unknown`` if it is chosen when booting and the kernel does not show it.
    """
    text = _modes_text()
    return built_mode(platform.version()) if text is None else chosen_mode(text)


def preempts_itself() -> bool:
    """Whether a task can be preempted inside a program; also if that is not known."""
    return preemption() not in AT_WILL


def chosen_mode(text: str) -> str:
    """The mode in brackets: ``none (voluntary) full``."""
    found = re.search(r"\((\w+)\)", text)
    return found[1] if found else "unknown"


def built_mode(version: str) -> str:
    """From the text that ``uname -v`` prints, where there is no choice: ``#1 SMP PREEMPT ...``."""
    words = set(version.replace(",", " ").split())
    built = {"PREEMPT_RT": "rt", "PREEMPT_DYNAMIC": "unknown", "PREEMPT_LAZY": "lazy"}
    built["PREEMPT"] = "full"
    return next((mode for word, mode in built.items() if word in words), "none")


def _modes_text() -> str | None:
    """Content of the file that lists the modes, wherever debugfs is; ``None`` without one."""
    try:
        return (DEBUGFS / MODES).read_text()
    except OSError:
        pass
    try:
        with _debugfs() as root:
            return Path(f"/proc/self/fd/{root}", MODES).read_text()
    except OSError:
        return None


# Numbers of include/uapi/asm-generic/unistd.h and include/uapi/linux/mount.h.
_FSOPEN, _FSCONFIG, _FSMOUNT = 430, 431, 432
_CREATE = 6


@contextlib.contextmanager
def _debugfs() -> Iterator[int]:
    """Descriptor of the root of debugfs, mounted nowhere; raises ``OSError``."""
    with contextlib.ExitStack() as stack:
        context = _call(_FSOPEN, b"debugfs", 0)
        stack.callback(os.close, context)
        _call(_FSCONFIG, context, _CREATE, None, None, 0)
        root = _call(_FSMOUNT, context, 0, 0)
        stack.callback(os.close, root)
        yield root


def _call(number: int, *arguments: int | bytes | None) -> int:
    c = ctypes.CDLL(None, use_errno=True)
    result: int = c.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
