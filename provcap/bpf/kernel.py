"""Asks the running kernel which security modules are active. Loads nothing to find out."""

import ctypes
import os
import platform
from pathlib import Path

LSM_LIST = Path("/sys/kernel/security/lsm")


def active_lsms(path: Path = LSM_LIST) -> list[str] | None:
    """Names of the active modules in call order, ``None`` if the kernel gives no way to know.

    Where securityfs is not mounted, kernels since 6.8 answer a system call (commit ad4aff9ec25f,
    "LSM: Create lsm_list_modules system call").
    """
    try:
        return [name for name in path.read_text().strip().split(",") if name]
    except OSError:
        ids = _listed_ids()
        return None if ids is None else [_NAMES.get(id, f"module {id}") for id in ids]


# Numbers of include/uapi/linux/lsm.h.
_NAMES = {
    100: "capability", 101: "selinux", 102: "smack", 103: "tomoyo", 104: "apparmor", 105: "yama",
    106: "loadpin", 107: "safesetid", 108: "lockdown", 109: "bpf", 110: "landlock", 111: "ima",
    112: "evm", 113: "ipe",
}  # fmt: skip
_LIST_MODULES = {"x86_64": 461, "aarch64": 461}
_MOST_MODULES = 64


def _listed_ids() -> list[int] | None:
    number = _LIST_MODULES.get(platform.machine())
    if number is None or os.name != "posix":
        return None
    ids = (ctypes.c_uint64 * _MOST_MODULES)()
    size = ctypes.c_uint32(ctypes.sizeof(ids))
    found = ctypes.CDLL(None).syscall(
        ctypes.c_long(number), ids, ctypes.byref(size), ctypes.c_uint32(0)
    )
    return None if found < 0 else list(ids[:found])
