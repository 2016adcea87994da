"""The words of the graph: node kinds and relations, in the order of their numbers in the records.

`make vocabulary` writes all from FLOWS to RELATIONS out of the compiled kernel/vocabulary.h and
record.h: change it there.
"""

from typing import NamedTuple


class Kind(NamedTuple):
    """A node kind: its name, type word and PROV class (activity, entity, agent)."""

    name: str
    type: int
    prov_class: str


class Relation(NamedTuple):
    """A relation: name, type word, PROV relation and flow class (its meaning for ancestry)."""

    name: str
    type: int
    section: str
    flow: str


# PROV relation -> the keys of sender and receiver in PROV-JSON
ENDS = {
    "used": ("prov:entity", "prov:activity"),
    "wasGeneratedBy": ("prov:activity", "prov:entity"),
    "wasInformedBy": ("prov:informant", "prov:informed"),
    "wasDerivedFrom": ("prov:usedEntity", "prov:generatedEntity"),
    "wasInfluencedBy": ("prov:influencer", "prov:influencee"),
    "wasAssociatedWith": ("prov:agent", "prov:activity"),
}

# counters that may be above zero in a complete recording -> why
HARMLESS = {
    "node_ring_full": "descriptions that were sent again",
    "descriptor_unseen": "descriptors handed over, of which only the receipt is recorded",
    "disclosed_invalid": "disclosures that made no sense: their writers were told",
    "packet_copied": "datagrams copied on their way, told by their addresses",
}
# those among them that stand for edges which are missing, none of content: an answer has to say so
PARTIAL = frozenset(("descriptor_unseen",))

# programs that only record segments of TCP: an interrupt may have one skipped, and no flow is lost
UNCOUNTED = frozenset(("ip_local_out", "ip6_output", "socket_sock_rcv_skb"))

FLOWS = ("", "data", "control", "naming", "version", "influence")  # by enum prov_flow; 0 is none
OUTCOMES = ("at_hook", "done")  # by enum prov_outcome

EVENT_THROUGH = 1
EVENT_THROUGH_STEPPED = 2
EVENT_TO_STEPPED = 4
EVENT_TO_LOST = 8
EVENT_THROUGH_LOST = 16
EVENT_FRESH = 32
TEXT_STEPPED = 1
TEXT_TRUNCATED = 2
TEXT_LAST = 4
TEXT_REMOVED = 8
TEXT_LATE = 16
MACHINE_ID = 1

KINDS = (
    Kind("unknown", 0x2000800000000000, "entity"),
    Kind("task", 0x4000000000000001, "activity"),
    Kind("disc_activity", 0x4400000000000002, "activity"),
    Kind("machine", 0x1400000000000010, "agent"),
    Kind("disc_agent", 0x1400000000000020, "agent"),
    Kind("inode_unknown", 0x2000000000000040, "entity"),
    Kind("link", 0x2000000000000080, "entity"),
    Kind("file", 0x2000000000000100, "entity"),
    Kind("directory", 0x2000000000000200, "entity"),
    Kind("char", 0x2000000000000400, "entity"),
    Kind("block", 0x2000000000000800, "entity"),
    Kind("pipe", 0x2000000000001000, "entity"),
    Kind("socket", 0x2000000000002000, "entity"),
    Kind("msg", 0x2000000000004000, "entity"),
    Kind("shm", 0x2000000000008000, "entity"),
    Kind("sb", 0x2000000000010000, "entity"),
    Kind("packet", 0x2000000000020000, "entity"),
    Kind("iattr", 0x2000000000040000, "entity"),
    Kind("process_memory", 0x2000000000080000, "entity"),
    Kind("string", 0x2400000000100000, "entity"),
    Kind("address", 0x2400000000200000, "entity"),
    Kind("path", 0x2400000000400000, "entity"),
    Kind("xattr", 0x2400000000800000, "entity"),
    Kind("packet_content", 0x2400000001000000, "entity"),
    Kind("argv", 0x2400000002000000, "entity"),
    Kind("envp", 0x2400000004000000, "entity"),
    Kind("disc_entity", 0x2400000008000000, "entity"),
    Kind("stream", 0x2000000010000000, "entity"),
    Kind("packet6", 0x2000000040000000, "entity"),
    Kind("eventfd", 0x2000000020000000, "entity"),
)

RELATIONS = (
    Relation("named", 0x8080000000000001, "wasDerivedFrom", "naming"),
    Relation("version_entity", 0x8080000000000002, "wasDerivedFrom", "version"),
    Relation("send_packet", 0x8080000000000004, "wasDerivedFrom", "data"),
    Relation("send_unix", 0x8080000000000008, "wasDerivedFrom", "data"),
    Relation("receive_packet", 0x8080000000000010, "wasDerivedFrom", "data"),
    Relation("receive_unix", 0x8080000000000020, "wasDerivedFrom", "data"),
    Relation("free", 0x8080000000000040, "wasDerivedFrom", "version"),
    Relation("setattr_inode", 0x8080000000000080, "wasDerivedFrom", "data"),
    Relation("accept_socket", 0x8080000000000100, "wasDerivedFrom", "data"),
    Relation("getxattr_inode", 0x8080000000000200, "wasDerivedFrom", "data"),
    Relation("setxattr_inode", 0x8080000000000400, "wasDerivedFrom", "data"),
    Relation("removexattr_inode", 0x8080000000000800, "wasDerivedFrom", "data"),
    Relation("exec", 0x8080000000001000, "wasDerivedFrom", "data"),
    Relation("terminate_proc", 0x8080000000002000, "wasDerivedFrom", "version"),
    Relation("arg", 0x8080000000004000, "wasDerivedFrom", "data"),
    Relation("env", 0x8080000000008000, "wasDerivedFrom", "data"),
    Relation("sh_read", 0x8080000000010000, "wasDerivedFrom", "data"),
    Relation("sh_write", 0x8080000000020000, "wasDerivedFrom", "data"),
    Relation("packet_content", 0x8080000000040000, "wasDerivedFrom", "data"),
    Relation("addressed", 0x8080000000080000, "wasDerivedFrom", "naming"),
    Relation("derived_disc", 0x8080000000100000, "wasDerivedFrom", "data"),
    Relation("clone_mem", 0x8040000000000001, "wasGeneratedBy", "data"),
    Relation("msg_create", 0x8040000000000002, "wasGeneratedBy", "data"),
    Relation("socket_create", 0x8040000000000004, "wasGeneratedBy", "data"),
    Relation("socket_pair_create", 0x8040000000000008, "wasGeneratedBy", "data"),
    Relation("inode_create", 0x8040000000000010, "wasGeneratedBy", "data"),
    Relation("write", 0x8040000000000020, "wasGeneratedBy", "data"),
    Relation("write_ioctl", 0x8040000000000040, "wasGeneratedBy", "data"),
    Relation("memory_write", 0x8040000000000080, "wasGeneratedBy", "data"),
    Relation("connect", 0x8040000000000100, "wasGeneratedBy", "data"),
    Relation("connect_unix_stream", 0x8040000000000200, "wasGeneratedBy", "data"),
    Relation("listen", 0x8040000000000400, "wasGeneratedBy", "data"),
    Relation("bind", 0x8040000000000800, "wasGeneratedBy", "data"),
    Relation("send", 0x8040000000001000, "wasGeneratedBy", "data"),
    Relation("send_msg", 0x8040000000002000, "wasGeneratedBy", "data"),
    Relation("send_msg_queue", 0x8040000000004000, "wasGeneratedBy", "data"),
    Relation("link", 0x8040000000008000, "wasGeneratedBy", "naming"),
    Relation("rename", 0x8040000000010000, "wasGeneratedBy", "naming"),
    Relation("unlink", 0x8040000000020000, "wasGeneratedBy", "naming"),
    Relation("symlink", 0x8040000000040000, "wasGeneratedBy", "data"),
    Relation("setattr", 0x8040000000080000, "wasGeneratedBy", "data"),
    Relation("setxattr", 0x8040000000100000, "wasGeneratedBy", "data"),
    Relation("removexattr", 0x8040000000200000, "wasGeneratedBy", "data"),
    Relation("setuid", 0x8040000000400000, "wasGeneratedBy", "data"),
    Relation("setpgid", 0x8040000000800000, "wasGeneratedBy", "control"),
    Relation("sh_attach", 0x8040000001000000, "wasGeneratedBy", "data"),
    Relation("sh_create", 0x8040000002000000, "wasGeneratedBy", "data"),
    Relation("file_lock", 0x8040000004000000, "wasGeneratedBy", "control"),
    Relation("splice_out", 0x8040000008000000, "wasGeneratedBy", "data"),
    Relation("exec_task", 0x8040000010000000, "wasGeneratedBy", "data"),
    Relation("ptrace_attach", 0x8040000020000000, "wasGeneratedBy", "control"),
    Relation("generated_disc", 0x8040000040000000, "wasGeneratedBy", "data"),
    Relation("read", 0x8020000000000001, "used", "data"),
    Relation("read_ioctl", 0x8020000000000002, "used", "data"),
    Relation("memory_read", 0x8020000000000004, "used", "data"),
    Relation("accept", 0x8020000000000008, "used", "control"),
    Relation("receive", 0x8020000000000010, "used", "data"),
    Relation("receive_msg", 0x8020000000000020, "used", "data"),
    Relation("receive_msg_queue", 0x8020000000000040, "used", "data"),
    Relation("open", 0x8020000000000080, "used", "control"),
    Relation("file_rcv", 0x8020000000000100, "used", "control"),
    Relation("file_sigio", 0x8020000000000200, "used", "control"),
    Relation("search", 0x8020000000000400, "used", "control"),
    Relation("getattr", 0x8020000000000800, "used", "control"),
    Relation("read_link", 0x8020000000001000, "used", "data"),
    Relation("getxattr", 0x8020000000002000, "used", "data"),
    Relation("listxattr", 0x8020000000004000, "used", "data"),
    Relation("log", 0x8020000000008000, "used", "data"),
    Relation("perm_check", 0x8020000000010000, "used", "control"),
    Relation("getpgid", 0x8020000000020000, "used", "control"),
    Relation("mmap", 0x8020000000040000, "used", "data"),
    Relation("mmap_private", 0x8020000000080000, "used", "data"),
    Relation("load_file", 0x8020000000100000, "used", "data"),
    Relation("ptrace_read", 0x8020000000200000, "used", "control"),
    Relation("used_disc", 0x8020000000400000, "used", "data"),
    Relation("clone", 0x8010000000000001, "wasInformedBy", "data"),
    Relation("version_activity", 0x8010000000000002, "wasInformedBy", "version"),
    Relation("terminate_task", 0x8010000000000004, "wasInformedBy", "version"),
    Relation("ptrace_attach_task", 0x8010000000000008, "wasInformedBy", "control"),
    Relation("ptrace_read_task", 0x8010000000000010, "wasInformedBy", "control"),
    Relation("ptrace_traceme", 0x8010000000000020, "wasInformedBy", "control"),
    Relation("informed_disc", 0x8010000000000040, "wasInformedBy", "data"),
    Relation("load_unknown", 0x8008000000000001, "wasInfluencedBy", "influence"),
    Relation("load_firmware", 0x8008000000000002, "wasInfluencedBy", "influence"),
    Relation("load_module", 0x8008000000000004, "wasInfluencedBy", "influence"),
    Relation("load_kexec_image", 0x8008000000000008, "wasInfluencedBy", "influence"),
    Relation("load_kexec_initramfs", 0x8008000000000010, "wasInfluencedBy", "influence"),
    Relation("load_policy", 0x8008000000000020, "wasInfluencedBy", "influence"),
    Relation("load_certificate", 0x8008000000000040, "wasInfluencedBy", "influence"),
    Relation("load_undefined", 0x8008000000000080, "wasInfluencedBy", "influence"),
    Relation("influenced_disc", 0x8008000000000100, "wasInfluencedBy", "influence"),
    Relation("ran_on", 0x8004000000000001, "wasAssociatedWith", "influence"),
    Relation("associated_disc", 0x8004000000000002, "wasAssociatedWith", "influence"),
    Relation("send_stream", 0x8080000000200000, "wasDerivedFrom", "data"),
    Relation("receive_stream", 0x8080000000400000, "wasDerivedFrom", "data"),
    Relation("unnamed", 0x8080000000800000, "wasDerivedFrom", "naming"),
    Relation("file_snd", 0x8080000001000000, "wasDerivedFrom", "control"),
    Relation("mkdir", 0x8040000080000000, "wasGeneratedBy", "data"),
    Relation("mknod", 0x8040000100000000, "wasGeneratedBy", "data"),
    Relation("tmpfile", 0x8040000200000000, "wasGeneratedBy", "data"),
    Relation("rmdir", 0x8040000400000000, "wasGeneratedBy", "naming"),
    Relation("replace", 0x8040000800000000, "wasGeneratedBy", "naming"),
    Relation("exchange", 0x8040001000000000, "wasGeneratedBy", "naming"),
    Relation("stacked", 0x8080010000000000, "wasDerivedFrom", "data"),
    Relation("copy", 0x8080000002000000, "wasDerivedFrom", "data"),
    Relation("reflink", 0x8080000004000000, "wasDerivedFrom", "data"),
    Relation("ring_message", 0x8080000008000000, "wasDerivedFrom", "data"),
    Relation("setgid", 0x8040040000000000, "wasGeneratedBy", "data"),
    Relation("setgroups", 0x8040080000000000, "wasGeneratedBy", "data"),
    Relation("capset", 0x8040100000000000, "wasGeneratedBy", "data"),
    Relation("setns", 0x8040200000000000, "wasGeneratedBy", "data"),
    Relation("mount", 0x8040400000000000, "wasGeneratedBy", "control"),
    Relation("umount", 0x8040800000000000, "wasGeneratedBy", "control"),
    Relation("chroot", 0x8020000080000000, "used", "control"),
    Relation("pivot_root", 0x8020000100000000, "used", "control"),
    Relation("signal", 0x8010000000000100, "wasInformedBy", "data"),
    Relation("load_bpf", 0x8008000000000200, "wasInfluencedBy", "influence"),
    Relation("relay", 0x8080000010000000, "wasDerivedFrom", "data"),
    Relation("sh_detach", 0x8040004000000000, "wasGeneratedBy", "data"),
    Relation("sh_attach_read", 0x8020000001000000, "used", "data"),
    Relation("munmap", 0x8040010000000000, "wasGeneratedBy", "control"),
    Relation("vm_write", 0x8040020000000000, "wasGeneratedBy", "data"),
    Relation("vm_read", 0x8020000004000000, "used", "data"),
)

KIND = {kind.name: kind for kind in KINDS}
RELATION = {relation.name: relation for relation in RELATIONS}
