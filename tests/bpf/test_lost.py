"""What a kernel without some of the hooks does not see."""

import pytest

from provcap.bpf import loader
from provcap.bpf.btf import Member, Struct
from provcap.bpf.lost import GAPS, explained, gaps, losses, plain, unmet_needs
from provcap.errors import KernelError

ACCESS_LISTS = ("inode_get_acl", "inode_post_remove_acl", "inode_post_set_acl", "vfs_get_acl")
BEHIND = ("inode_post_removexattr", "inode_post_setattr")
SINCE_6_8 = ("kernel_sendpage", "do_clone_file_range")
PIPES = ("anon_pipe_read", "fifo_pipe_read")
TREE = ("vma_interval_tree_insert", "vma_interval_tree_remove")
NEW_TREE = ("mapping_rmap_tree_insert", "mapping_rmap_tree_remove")


@pytest.mark.parametrize(
    ("missing", "lost"),
    [
        ((*PIPES, *NEW_TREE, *SINCE_6_8, "cgroup_release"), []),  # 6.12
        ((*ACCESS_LISTS, *BEHIND, *PIPES, *NEW_TREE), BEHIND),  # 6.1
        (("pipe_read", *NEW_TREE, *SINCE_6_8), []),  # since 6.15
        (("pipe_read", *TREE, *SINCE_6_8, "cgroup_release"), []),  # 7.3
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


class Kernel:
    """The types of a kernel, as far as the gaps ask for them."""

    def __init__(self, functions: set[str], fields: dict[str, tuple[str, ...]]) -> None:
        self._functions = functions
        self._fields = fields

    def has_func(self, name: str) -> bool:
        return name in self._functions

    def struct(self, name: str) -> Struct:
        """A field that begins with a dot lies in a nameless structure within."""
        if name not in self._fields:
            raise KernelError(f"BTF has no struct {name}")
        members = [
            Member("", at, 0, 0) if field.startswith(".") else Member(field, 0, 0, 0)
            for at, field in enumerate(self._fields[name])
        ]
        self._inner = [field.removeprefix(".") for field in self._fields[name]]
        return Struct(name, 8, tuple(members), False)

    def resolve(self, id: int) -> Struct:
        return Struct("", 8, (Member(self._inner[id], 0, 0, 0),), True)


TASK = {"task_struct": ("pid", "ioac", "loginuid")}
MESSAGE = {"msghdr": ("msg_name", "msg_iocb")}
SYMBOLS = "ffff0000 D vmemmap_base\nffff0008 D page_offset_base\n"
OLD = Kernel({"pipe_read"}, TASK | MESSAGE | {"fown_struct": ("lock",)})
USUAL = Kernel(
    {"pipe_read"},
    TASK | MESSAGE | {"fown_struct": ("file",), "backing_file": ("file", "user_path")},
)
NEW = Kernel(
    {"path_pivot_root"}, TASK | {"fown_struct": ("file",), "backing_file": ("file", ".user_path")}
)
BARE = Kernel({"pipe_read"}, MESSAGE | {"fown_struct": ("file",), "backing_file": ("user_path",)})
WITHOUT = ["without CONFIG_TASK_IO_ACCOUNTING", "without CONFIG_AUDIT"]


@pytest.mark.parametrize(
    ("kernel", "release", "symbols", "missing", "told"),
    [
        (
            OLD, "6.1.0-56-cloud-amd64", SYMBOLS, (*ACCESS_LISTS, *BEHIND),
            ["before 6.9", "before 6.12", "before 6.6", "before 6.4", "before 6.2", "before 6.2",
             "before 7.0"],
        ),
        (
            OLD, "6.2", SYMBOLS, (*ACCESS_LISTS[1:3], *BEHIND, "cgroup_release"),
            ["before 6.9", "6.2 to 6.8", "before 6.12", "before 6.6", "before 6.4", "before 7.0"],
        ),
        (USUAL, "6.12.117+deb12", SYMBOLS, ("cgroup_release",), ["before 7.0"]),
        (
            NEW,
            "7.3.4",
            SYMBOLS,
            ("cgroup_release", "pipe_read"),
            ["since 6.15", "since 7.3 at the latest"],
        ),
        (
            BARE, "6.12.1", "", ("cgroup_release",),
            ["before 7.0", *WITHOUT, "without CONFIG_RANDOMIZE_MEMORY"],
        ),
        (
            USUAL, "6.12", "ffff0000 t my_page_offset_base\n0 D vmemmap_base\n",
            ("cgroup_release",), ["before 7.0", "without CONFIG_RANDOMIZE_MEMORY"],
        ),
    ],
)  # fmt: skip
def test_each_kernel_has_the_gaps_of_its_release(kernel, release, symbols, missing, told):
    """Looked for where they show: only what shows nowhere is told by the release."""
    unmet = unmet_needs(kernel, release, symbols)

    assert [gap.kernel for gap in gaps(missing, unmet)] == told


def test_a_gap_is_told_for_people():
    """The table is for a page, the line for a terminal."""
    assert plain("`a` is ([b](c.md#d))") == "a is (docs/reference/c.md)"
    assert not any(sign in plain(gap.lacks + gap.so) for gap in GAPS for sign in "`[]")


@pytest.mark.object
def test_what_is_explained_is_in_the_object(kernel_object):
    """No sentence stays behind when a program goes."""
    targets = {program.target for program in loader.object_programs(kernel_object)}

    assert explained() <= targets
    assert {name for gap in GAPS for name in (*gap.hooks, *gap.with_programs)} <= targets
