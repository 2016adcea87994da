"""Says what is lost on a kernel that lacks what a program of the object attaches to."""

from collections.abc import Iterable, Iterator

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


def explained() -> set[str]:
    """Every hook and function that something is said of."""
    return {*_WITHOUT, *_STAND_INS, *_WITH_ANOTHER}
