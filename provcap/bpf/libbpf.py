"""Calls libbpf: the functions this room uses, their types, and errors with libbpf's own words.

``call`` runs a function that returns an error number or a file descriptor, ``pointer`` one that
returns an address; both raise ``CallError``. ``messages`` holds the last lines libbpf printed.
"""

import collections
import contextlib
import ctypes
import errno as errno_names
import functools
import os
from collections.abc import Iterator
from ctypes import POINTER, c_bool, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any

from provcap.errors import KernelError, SetupError

INSTALL = "apt install libbpf1"

#: the last lines libbpf printed, oldest first; a verifier log arrives here line by line
messages: collections.deque[str] = collections.deque(maxlen=4000)


class CallError(KernelError):
    """A libbpf function failed; ``errno`` is the kernel's error number."""

    def __init__(self, function: str, number: int, about: str = "") -> None:
        """``about`` is what was worked on (a path, a map), said behind the function's name."""
        self.errno = number
        where = f"{function} {about}".rstrip()
        super().__init__(f"{where}: {errno_name(number)} ({os.strerror(number)}){_hint(number)}")


def errno_name(number: int) -> str:
    """``ENOENT`` for 2; the number itself if the system has no name for it."""
    return errno_names.errorcode.get(number, str(number))


def call(function: str, *arguments: Any, about: str = "") -> int:
    """Result of an int function of libbpf, never negative; raises ``CallError``."""
    result = int(getattr(library(), function)(*arguments))
    if result < 0:
        raise CallError(function, -result, about)
    return result


def pointer(function: str, *arguments: Any, about: str = "") -> int:
    """Address that a function of libbpf returned, never null; raises ``CallError``."""
    ctypes.set_errno(0)
    result = getattr(library(), function)(*arguments)
    if not result:
        raise CallError(function, ctypes.get_errno() or errno_names.EINVAL, about)
    return int(result)


def text(function: str, *arguments: Any) -> str:
    """String that a function of libbpf returned (``""`` for null)."""
    result: bytes | None = getattr(library(), function)(*arguments)
    return (result or b"").decode(errors="replace")


def address(function: str, *arguments: Any) -> int | None:
    """Address that a function of libbpf returned, ``None`` for null (the end of a list)."""
    result: int | None = getattr(library(), function)(*arguments)
    return result


@functools.cache
def library() -> ctypes.CDLL:
    """The loaded libbpf with every type declared; ``SetupError`` if the machine has none."""
    try:
        found = ctypes.CDLL("libbpf.so.1", use_errno=True)
    except OSError as error:
        raise SetupError(f"libbpf.so.1 is missing (run: {INSTALL})") from error
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(found, name)
        except AttributeError as error:
            raise SetupError(f"libbpf has no {name}: it is too old (run: {INSTALL})") from error
        function.restype, function.argtypes = result, arguments
    found.libbpf_set_print(_print)
    return found


@contextlib.contextmanager
def opened(fd: int) -> Iterator[int]:
    """Close the descriptor at the end of the block, whatever happens in it."""
    try:
        yield fd
    finally:
        os.close(fd)


def possible_cpus() -> int:
    """Number of CPUs that may ever be online: how many values a per-CPU map holds."""
    return call("libbpf_num_possible_cpus")


class OpenOptions(ctypes.Structure):
    """The first members of ``struct bpf_object_open_opts``; ``sz`` tells libbpf where we stop."""

    _fields_ = [("sz", c_size_t), ("object_name", c_char_p)]


class LinkOptions(ctypes.Structure):
    """``struct bpf_link_create_opts`` as far as programs on functions use it."""

    _fields_ = [
        ("sz", c_size_t),
        ("flags", c_uint32),
        ("iter_info", c_void_p),
        ("iter_info_len", c_uint32),
        ("target_btf_id", c_uint32),
        ("cookie", c_uint64),
    ]


_PRINT = ctypes.CFUNCTYPE(c_int, c_int, c_char_p, c_void_p)
_OBJECT = _PROGRAM = _MAP = c_void_p
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "libbpf_set_print": (c_void_p, [_PRINT]),
    "libbpf_num_possible_cpus": (c_int, []),
    "bpf_object__open_mem": (_OBJECT, [c_char_p, c_size_t, POINTER(OpenOptions)]),
    "bpf_object__load": (c_int, [_OBJECT]),
    "bpf_object__close": (None, [_OBJECT]),
    "bpf_object__next_program": (_PROGRAM, [_OBJECT, _PROGRAM]),
    "bpf_object__next_map": (_MAP, [_OBJECT, _MAP]),
    "bpf_object__find_map_by_name": (_MAP, [_OBJECT, c_char_p]),
    "bpf_program__name": (c_char_p, [_PROGRAM]),
    "bpf_program__section_name": (c_char_p, [_PROGRAM]),
    "bpf_program__autoload": (c_bool, [_PROGRAM]),
    "bpf_program__set_autoload": (c_int, [_PROGRAM, c_bool]),
    "bpf_program__fd": (c_int, [_PROGRAM]),
    "bpf_map__name": (c_char_p, [_MAP]),
    "bpf_map__fd": (c_int, [_MAP]),
    "bpf_map__type": (c_int, [_MAP]),
    "bpf_map__inner_map": (_MAP, [_MAP]),
    "bpf_map__reuse_fd": (c_int, [_MAP, c_int]),
    "bpf_map__max_entries": (c_uint32, [_MAP]),
    "bpf_map__set_max_entries": (c_int, [_MAP, c_uint32]),
    "bpf_map__initial_value": (c_void_p, [_MAP, POINTER(c_size_t)]),
    "bpf_map_create": (
        c_int,
        [c_int, c_char_p, c_uint32, c_uint32, c_uint32, c_void_p],
    ),
    "bpf_map_lookup_elem": (c_int, [c_int, c_char_p, c_void_p]),
    "bpf_map_lookup_and_delete_elem": (c_int, [c_int, c_char_p, c_void_p]),
    "bpf_map_update_elem": (c_int, [c_int, c_char_p, c_char_p, c_uint64]),
    "bpf_map_delete_elem": (c_int, [c_int, c_char_p]),
    "bpf_map_get_next_key": (c_int, [c_int, c_char_p, c_void_p]),
    "bpf_map_get_fd_by_id": (c_int, [c_uint32]),
    "bpf_prog_get_fd_by_id": (c_int, [c_uint32]),
    "bpf_obj_get": (c_int, [c_char_p]),
    "bpf_obj_pin": (c_int, [c_int, c_char_p]),
    "bpf_obj_get_info_by_fd": (c_int, [c_int, c_void_p, POINTER(c_uint32)]),
    "bpf_link_create": (c_int, [c_int, c_int, c_int, POINTER(LinkOptions)]),
    "bpf_iter_create": (c_int, [c_int]),
    "bpf_enable_stats": (c_int, [c_int]),
}

_DEBUG_LEVEL = 2
_LONGEST_MESSAGE_BYTES = 1 << 18  # a verifier log can have megabytes; only its end matters


def _keep(level: int, form: bytes, arguments: int) -> int:
    """Keep what libbpf says; ``arguments`` is the va_list, which only the C library can read."""
    if level >= _DEBUG_LEVEL:
        return 0
    # A va_list parameter is an address on x86-64 (array) and arm64 (structure over 16 bytes) alike.
    c, out = _c_library(), c_void_p()
    if c.vasprintf(ctypes.byref(out), form, arguments) < 0 or not out.value:
        return 0
    said = ctypes.string_at(out.value)[-_LONGEST_MESSAGE_BYTES:]
    c.free(out)
    messages.extend(said.decode(errors="replace").rstrip("\n").split("\n"))
    return 0


_print = _PRINT(_keep)  # held for ever: libbpf keeps the address


@functools.cache
def _c_library() -> ctypes.CDLL:
    c = ctypes.CDLL(None)
    c.vasprintf.argtypes = [POINTER(c_void_p), c_char_p, c_void_p]
    c.vasprintf.restype = c_int
    c.free.argtypes, c.free.restype = [c_void_p], None
    return c


def _hint(number: int) -> str:
    if number in (errno_names.EPERM, errno_names.EACCES):
        return "; BPF needs root, or CAP_BPF with CAP_PERFMON and CAP_SYS_ADMIN"
    return ""
