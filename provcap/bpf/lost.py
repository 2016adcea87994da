"""Says what is lost on a kernel that lacks something: what a program attaches to, or anything else.

``GAPS`` is the table of docs/reference/conformance.md, and what ``provcap doctor`` looks for.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from provcap.bpf.btf import Btf, Struct
from provcap.errors import KernelError


class Gap(NamedTuple):
    """What some kernels lack, and what follows from that.

    It is there without one of the ``hooks`` (what stands in for them considered), with one of the
    programs in ``with_programs``, or if one of the ``needs`` is not met: ``function NAME``,
    ``field STRUCT.MEMBER``, ``symbol NAME``, ``release 6.4`` (only where the kernel shows nothing
    else) or ``preemption``. ``harmless``: no edge, name or attribute is missing.
    """

    kernel: str
    lacks: str
    so: str
    hooks: tuple[str, ...] = ()
    with_programs: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    harmless: bool = False


PREEMPTION = "preemption"
GAPS = (
    Gap(
        "before 6.9",
        "hooks behind a change of attributes (`inode_post_setattr`, `inode_post_removexattr`)",
        "`setattr` and `removexattr` are recorded before they are done, so that a refused one "
        "shows; a truncated file keeps its old content as ancestor",
        hooks=("inode_post_setattr", "inode_post_removexattr"),
    ),
    Gap(
        "6.2 to 6.8",
        "hooks behind a change of an access control list (`inode_post_set_acl`, "
        "`inode_post_remove_acl`)",
        "setting and removing one is not recorded",
        hooks=("inode_post_set_acl", "inode_post_remove_acl"),
    ),
    # 1934b212615d "file: reclaim 24 bytes from f_owner"
    Gap(
        "before 6.12",
        "a way from the owner of a file to the file",
        "`file_sigio` of sockets and leases is counted (`owner_unseen`), not recorded",
        needs=("field fown_struct.file",),
    ),
    # def3ae83da02 "fs: store real path instead of fake path in backing file f_path"
    Gap(
        "before 6.6",
        "a path of its own for the file below one of a stacked file system",
        "files of a layer have no name, unless they are opened there",
        needs=("field backing_file.user_path",),
    ),
    # afed6271f5b0 "pipe: set FMODE_NOWAIT on pipes"
    Gap(
        "before 6.4",
        "pipes that io_uring asks without waiting",
        "a worker reads and writes them, which the edges show",
        needs=("release 6.4",),
        harmless=True,
    ),
    Gap(
        "before 6.2",
        "an answer to a look-up that interrupts another one",
        "the end of a task is told as soon as it has been waited for; what a refused look-up was "
        "for is counted (`task_storage`), not recorded",
        with_programs=("cgroup_release",),
    ),
    # 271de525e1d7 "bpf: Remove prog->active check for bpf_lsm and bpf_iter"; some 6.1 have it, too
    Gap(
        "before 6.2",
        "programs on hooks of the security modules that are never skipped",
        "what the kernel skips is counted, and makes a recording incomplete",
        needs=("release 6.2",),
    ),
    Gap(
        "since 7.0, before if it was booted so",
        "a mode in which programs are not preempted",
        "probes are attached twice, and what both copies miss is counted "
        "([losses](losses.md#programs-that-are-skipped))",
        needs=(PREEMPTION,),
    ),
    Gap(
        "since 6.15",
        "`pipe_read`",
        "its two successors are used ([inputs](inputs.md))",
        needs=("function pipe_read",),
        harmless=True,
    ),
    Gap(
        "since 7.3 at the latest",
        "the request of a file in a message (`msghdr.msg_iocb`)",
        "what a ring reads from a socket or writes to it is a `receive_msg` or a `send_msg`",
        needs=("field msghdr.msg_iocb",),
        harmless=True,
    ),
    Gap(
        "before 7.0",
        "the look-ups of a pivot_root(2) that is refused",
        "none are recorded: the right is asked for first",
        needs=("function path_pivot_root",),
        harmless=True,
    ),
    Gap(
        "without CONFIG_TASK_IO_ACCOUNTING",
        "the bytes that a task has read and written",
        "`cf:rbytes`, `cf:wbytes` and `cf:cancel_wbytes` are 0",
        needs=("field task_struct.ioac",),
    ),
    Gap(
        "without CONFIG_AUDIT",
        "who has logged in",
        "`cf:loginuid` and `cf:sessionid` are omitted",
        needs=("field task_struct.loginuid",),
    ),
    Gap(
        "without CONFIG_RANDOMIZE_MEMORY",
        "variables that say where memory and its pages are (`page_offset_base`, `vmemmap_base`)",
        "the content of a packet is cut where it goes on in a page of its own",
        needs=("symbol page_offset_base", "symbol vmemmap_base"),
    ),
)

_MAPPED = "what is stored in shared memory and loaded by others"
_UNMAPPED = "that a shared mapping is gone: what others store later is taken as read"

#: hook or function -> what is not seen without it
_WITHOUT = {
    "inode_post_setattr": "changes of attributes are recorded before they are done, and a file "
    "that is truncated keeps its old content as an ancestor",
    "inode_post_removexattr": "removing an extended attribute is recorded before it is done",
    "inode_post_set_acl": "setting an access control list",
    "inode_post_remove_acl": "removing an access control list",
    "vfs_get_acl": "reading an access control list",
    "module_load": "modules that are loaded",
    "pipe_read": "reads of pipes",
    "anon_pipe_read": "reads of pipes",
    "fifo_pipe_read": "reads of FIFOs",
    "vma_interval_tree_insert": _MAPPED,
    "vma_interval_tree_remove": _UNMAPPED,
    "mapping_rmap_tree_insert": _MAPPED,
    "mapping_rmap_tree_remove": _UNMAPPED,
}

#: without the first nothing is lost while the second is there
_STAND_INS = {
    "pipe_read": "anon_pipe_read",
    "anon_pipe_read": "pipe_read",
    "fifo_pipe_read": "pipe_read",
    "vma_interval_tree_insert": "mapping_rmap_tree_insert",
    "mapping_rmap_tree_insert": "vma_interval_tree_insert",
    "vma_interval_tree_remove": "mapping_rmap_tree_remove",
    "mapping_rmap_tree_remove": "vma_interval_tree_remove",
    "cgroup_release": "task_free",  # which is enough from 6.2 on
    "do_clone_file_range": "vfs_clone_file_range",  # since 6.8 that one shares for overlayfs, too
    "kernel_sendpage": "do_sendfile",  # since 6.5 sendfile is a splice
}
#: without the first nothing is lost while the second is absent, too
_WITH_ANOTHER = {  # before 6.2 access control lists came by the hooks of extended attributes
    "inode_post_set_acl": "inode_get_acl",
    "inode_post_remove_acl": "inode_get_acl",
    "inode_get_acl": "inode_get_acl",
    "vfs_get_acl": "inode_get_acl",
}


def losses(missing: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(hook or function, what is lost) of those that are missing and that nothing stands in for.

    One that no sentence is known for is named all the same.
    """
    absent = set(missing)
    for name in sorted(absent):
        stood_in = name in _STAND_INS and _STAND_INS[name] not in absent
        if not stood_in and _WITH_ANOTHER.get(name) not in absent:
            yield name, _WITHOUT.get(name, "what kernel/README.md says of it")


def unmet_needs(kernel: Btf, release: str, symbols: str) -> list[str]:
    """The needs of all gaps, but preemption, that a kernel does not meet.

    ``release`` is as ``uname -r`` prints it, ``symbols`` as /proc/kallsyms has them.
    """
    needs = {need for gap in GAPS for need in gap.needs if need != PREEMPTION}
    return sorted(need for need in needs if not _is_met(need, kernel, release, symbols))


def gaps(missing: Iterable[str], unmet: Iterable[str]) -> list[Gap]:
    """The gaps of a kernel without these hooks and functions, which does not meet these needs."""
    absent, short = set(missing), set(unmet)
    lost = {name for name, _ in losses(absent)}
    return [
        gap
        for gap in GAPS
        if lost & set(gap.hooks) or set(gap.with_programs) - absent or short & set(gap.needs)
    ]


def plain(text: str) -> str:
    """A text of the table for the terminal: without quotes of code, and pages in words."""
    paged = re.sub(r"\[[^]]+\]\(([\w-]+\.md)[^)]*\)", r"docs/reference/\1", text)
    return paged.replace("`", "")


def _is_met(need: str, kernel: Btf, release: str, symbols: str) -> bool:
    kind, _, name = need.partition(" ")
    if kind == "function":
        return kernel.has_func(name)
    if kind == "field":
        return _has_field(kernel, *name.split("."))
    if kind == "symbol":
        return re.search(rf" {name}$", symbols, re.M) is not None
    return _version(release) >= _version(name)


def _has_field(kernel: Btf, struct: str, field: str) -> bool:
    try:
        return _is_member(kernel, kernel.struct(struct), field)
    except KernelError:
        return False


def _is_member(kernel: Btf, struct: Struct, field: str) -> bool:
    """Also of the nameless structures in it."""
    for member in struct.members:
        if member.name == field:
            return True
        inner = None if member.name else kernel.resolve(member.type)
        if isinstance(inner, Struct) and _is_member(kernel, inner, field):
            return True
    return False


def _version(text: str) -> tuple[int, ...]:
    """Of ``6.12.117+deb12`` the first two numbers."""
    return tuple(map(int, re.findall(r"\d+", text)[:2]))


def explained() -> set[str]:
    """Every hook and function that something is said of."""
    return {*_WITHOUT, *_STAND_INS, *_WITH_ANOTHER}
