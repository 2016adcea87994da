"""What must hold of everything that was recorded, whatever the system did meanwhile."""

from collections import defaultdict
from graphlib import TopologicalSorter

import pytest

import provcap
from provcap.records import Node
from provcap.vocabulary import RELATIONS

pytestmark = pytest.mark.vm

# relations that the kernel side promises so far
PROMISED = {
    *("named", "version_entity", "send_unix", "receive_unix", "free", "accept_socket", "exec"),
    *("terminate_proc", "arg", "addressed", "clone_mem", "socket_create", "inode_create", "write"),
    *("memory_write", "connect", "listen", "bind", "send_msg", "exec_task", "read", "memory_read"),
    *("accept", "receive_msg", "open", "getattr", "perm_check", "mmap", "mmap_private", "clone"),
    *("version_activity", "terminate_task", "ran_on", "send_stream", "receive_stream"),
    *("unnamed", "link", "rename", "replace", "exchange", "unlink", "rmdir", "mkdir", "mknod"),
    *("symlink", "tmpfile", "setattr", "setattr_inode", "read_link", "listxattr", "search"),
    *("setxattr", "setxattr_inode", "getxattr", "getxattr_inode", "file_lock"),
    *("removexattr", "removexattr_inode", "read_ioctl", "write_ioctl"),
    *("setuid", "setpgid", "getpgid", "socket_pair_create", "connect_unix_stream"),
    *("file_rcv", "file_snd", "load_file", "load_module", "load_kexec_image", "load_bpf"),
    *("setgid", "setgroups", "capset", "setns", "signal", "file_sigio"),
    *("mount", "umount", "chroot", "pivot_root"),
    *("send_packet", "receive_packet", "packet_content"),
    *("msg_create", "send_msg_queue", "receive_msg_queue", "relay"),
    *("sh_create", "sh_attach", "sh_attach_read", "sh_detach"),
    *("copy", "reflink", "splice_out", "stacked", "ring_message"),
    *("sh_read", "sh_write", "munmap", "vm_read", "vm_write"),
    *("ptrace_attach", "ptrace_attach_task", "ptrace_traceme"),
    *("ptrace_read", "ptrace_read_task"),
}
STEPS = {"version_entity", "version_activity", "free", "terminate_task", "terminate_proc"}


def test_every_promised_relation_was_recorded(recording):
    """And no other: a new one wants its test."""
    assert {edge.relation for edge in recording.edges} == PROMISED
    assert {relation.name for relation in RELATIONS} >= PROMISED


def test_no_version_depends_on_itself(recording):
    """Sorting raises CycleError if one does, on however many CPUs it was made."""
    sources = defaultdict(set)
    for edge in recording.edges:
        sources[edge.receiver].add(edge.sender)

    assert len(list(TopologicalSorter(sources).static_order())) > 1000


def test_every_version_follows_from_the_one_before(recording):
    """Each object's versions are a chain without a gap, made by edges that say so."""
    steps = defaultdict(set)
    for edge in recording.edges:
        if edge.relation in STEPS:  # one that holds nothing older is a step, too
            assert edge.receiver.id == edge.sender.id
            assert edge.receiver.version == edge.sender.version + 1
            steps[edge.sender.id].add(edge.receiver.version)

    assert all(found == set(range(1, max(found) + 1)) for found in steps.values())


def test_every_end_of_an_edge_is_a_node_told_before(recording):
    """A reader of the stream never meets a name that it has not seen."""
    seen = set()
    for record in recording.expanded:
        if isinstance(record, Node):
            seen.add(record.identifier)
        else:
            assert {record.sender, record.receiver} <= seen


def test_every_task_ran_on_the_machine_and_has_its_record(recording):
    """Whatever acted has told who it is."""
    ran = {edge.receiver.id for edge in recording.edges if edge.relation == "ran_on"}
    acted = {edge.task_id for edge in recording.edges if edge.task_id}

    assert acted <= ran
    assert {recording.kind(id) for id in acted} == {"task"}


def test_the_machine_tells_its_kernel(recording, machine):
    """As uname does."""
    (facts,) = {tuple(node.attributes.items()) for node in recording.expanded
                if isinstance(node, Node) and node.kind == "machine"}  # fmt: skip

    assert dict(facts)["release"] == machine.kernel.version
    assert dict(facts)["sysname"] == "Linux"
    assert dict(facts)["k_version"] == provcap.__version__
