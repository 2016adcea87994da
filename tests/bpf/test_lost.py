"""What a kernel without some of the hooks does not see."""

import pytest

from provcap.bpf import loader
from provcap.bpf.lost import explained, losses

ACCESS_LISTS = ("inode_get_acl", "inode_post_remove_acl", "inode_post_set_acl", "vfs_get_acl")
BEHIND = ("inode_post_removexattr", "inode_post_setattr")
PIPES = ("anon_pipe_read", "fifo_pipe_read")
TREE = ("vma_interval_tree_insert", "vma_interval_tree_remove")
NEW_TREE = ("mapping_rmap_tree_insert", "mapping_rmap_tree_remove")


@pytest.mark.parametrize(
    ("missing", "lost"),
    [
        ((*PIPES, *NEW_TREE, "kernel_sendpage", "cgroup_release"), []),  # 6.12
        ((*ACCESS_LISTS, *BEHIND, *PIPES, *NEW_TREE), BEHIND),  # 6.1
        (("pipe_read", *NEW_TREE, "kernel_sendpage"), []),  # since 6.15
        (("pipe_read", *TREE, "kernel_sendpage", "cgroup_release"), []),  # 7.3
        ((*TREE, *NEW_TREE), [*TREE, *NEW_TREE]),
        (("pipe_read", *PIPES), [*PIPES, "pipe_read"]),
        (("inode_post_set_acl",), ["inode_post_set_acl"]),  # 6.2 to 6.8
        (("uring_cmd",), ["uring_cmd"]),
    ],
)
def test_what_nothing_stands_in_for_is_lost(missing, lost):
    """Each kernel lacks what others have; only some of it matters."""
    found = dict(losses(missing))

    assert sorted(found) == sorted(lost)
    assert all(found.values())


@pytest.mark.object
def test_what_is_explained_is_in_the_object(kernel_object):
    """No sentence stays behind when a program goes."""
    targets = {program.target for program in loader.object_programs(kernel_object)}

    assert explained() <= targets
