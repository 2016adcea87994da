"""Which files are part of the system: libraries and the like that stand behind every program."""

import re

SYSTEM_KINDS = frozenset(("file", "link", "directory", "inode_unknown"))
LIBRARIES = "libraries and system files"

_PLACES = (
    *("/usr/lib/", "/usr/lib32/", "/usr/lib64/", "/usr/libexec/", "/usr/share/", "/usr/bin/"),
    *("/usr/sbin/", "/usr/local/lib/", "/lib/", "/lib32/", "/lib64/", "/bin/", "/sbin/"),
    *("/proc/", "/sys/", "/etc/ld.so.", "/etc/locale.", "/etc/localtime", "/etc/nsswitch.conf"),
    *("/nix/store/", "/snap/", "/run/ld.so."),
)
# a run-time library wherever it is installed: shared objects, and the modules of an interpreter
_LIBRARY = re.compile(r"\.so(\.[0-9.]+)?$|/(site|dist)-packages(/|$)|/lib/python[0-9.]+(/|$)")


def is_system_path(path: str) -> bool:
    """Say whether a file of this path is a library or belongs to the system."""
    return path.startswith(_PLACES) or bool(_LIBRARY.search(path))
