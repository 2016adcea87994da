"""The words a recording is read with: node kinds, relations, PROV sections and flow classes.

``kernel/vocabulary.h`` is the source; the tables here hold what it says, for recordings that do not
say it themselves (CamFlow's have no flow class).
"""

import binascii
import struct
from typing import NamedTuple

ACTIVITY, ENTITY, AGENT, UNKNOWN_CLASS = 0x40, 0x20, 0x10, 0
CLASS_NAMES = {ACTIVITY: "activity", ENTITY: "entity", AGENT: "agent", UNKNOWN_CLASS: "unknown"}
SECTION_CLASS = {"activity": ACTIVITY, "entity": ENTITY, "agent": AGENT}

DATA, CONTROL, NAMING, VERSION, INFLUENCE = 1, 2, 3, 4, 5
FLOWS = {
    "data": DATA,
    "control": CONTROL,
    "naming": NAMING,
    "version": VERSION,
    "influence": INFLUENCE,
}
FLOW_NAMES = {number: name for name, number in FLOWS.items()}


class Ends(NamedTuple):
    """The keys of a PROV relation's ends, in the direction that information flows."""

    sender: str
    receiver: str
    sender_class: int  # 0: any
    receiver_class: int


SECTIONS = {
    "used": Ends("prov:entity", "prov:activity", ENTITY, ACTIVITY),
    "wasGeneratedBy": Ends("prov:activity", "prov:entity", ACTIVITY, ENTITY),
    "wasInformedBy": Ends("prov:informant", "prov:informed", ACTIVITY, ACTIVITY),
    "wasDerivedFrom": Ends("prov:usedEntity", "prov:generatedEntity", ENTITY, ENTITY),
    "wasInfluencedBy": Ends("prov:influencer", "prov:influencee", 0, 0),
    "wasAssociatedWith": Ends("prov:agent", "prov:activity", AGENT, ACTIVITY),
}

# subtype bit of the type word -> name
KINDS = {
    47: "unknown",
    0: "task",
    1: "disc_activity",
    4: "machine",
    5: "disc_agent",
    6: "inode_unknown",
    7: "link",
    8: "file",
    9: "directory",
    10: "char",
    11: "block",
    12: "pipe",
    13: "socket",
    14: "msg",
    15: "shm",
    16: "sb",
    17: "packet",
    18: "iattr",
    19: "process_memory",
    20: "string",
    21: "address",
    22: "path",
    23: "xattr",
    24: "packet_content",
    25: "argv",
    26: "envp",
    27: "disc_entity",
    28: "stream",
}
INODE_KINDS = frozenset(
    ("inode_unknown", "link", "file", "directory", "char", "block", "pipe", "socket")
)

# relation -> (section, flow class)
RELATIONS = {
    "named": ("wasDerivedFrom", NAMING),
    "version_entity": ("wasDerivedFrom", VERSION),
    "send_packet": ("wasDerivedFrom", DATA),
    "send_unix": ("wasDerivedFrom", DATA),
    "receive_packet": ("wasDerivedFrom", DATA),
    "receive_unix": ("wasDerivedFrom", DATA),
    "free": ("wasDerivedFrom", VERSION),
    "setattr_inode": ("wasDerivedFrom", DATA),
    "accept_socket": ("wasDerivedFrom", DATA),
    "getxattr_inode": ("wasDerivedFrom", DATA),
    "setxattr_inode": ("wasDerivedFrom", DATA),
    "removexattr_inode": ("wasDerivedFrom", DATA),
    "exec": ("wasDerivedFrom", DATA),
    "terminate_proc": ("wasDerivedFrom", VERSION),
    "arg": ("wasDerivedFrom", DATA),
    "env": ("wasDerivedFrom", DATA),
    "sh_read": ("wasDerivedFrom", DATA),
    "sh_write": ("wasDerivedFrom", DATA),
    "packet_content": ("wasDerivedFrom", DATA),
    "addressed": ("wasDerivedFrom", NAMING),
    "derived_disc": ("wasDerivedFrom", DATA),
    "clone_mem": ("wasGeneratedBy", DATA),
    "msg_create": ("wasGeneratedBy", DATA),
    "socket_create": ("wasGeneratedBy", DATA),
    "socket_pair_create": ("wasGeneratedBy", DATA),
    "inode_create": ("wasGeneratedBy", DATA),
    "write": ("wasGeneratedBy", DATA),
    "write_ioctl": ("wasGeneratedBy", DATA),
    "memory_write": ("wasGeneratedBy", DATA),
    "connect": ("wasGeneratedBy", DATA),
    "connect_unix_stream": ("wasGeneratedBy", DATA),
    "listen": ("wasGeneratedBy", DATA),
    "bind": ("wasGeneratedBy", DATA),
    "send": ("wasGeneratedBy", DATA),
    "send_msg": ("wasGeneratedBy", DATA),
    "send_msg_queue": ("wasGeneratedBy", DATA),
    "link": ("wasGeneratedBy", NAMING),
    "rename": ("wasGeneratedBy", NAMING),
    "unlink": ("wasGeneratedBy", NAMING),
    "symlink": ("wasGeneratedBy", DATA),
    "setattr": ("wasGeneratedBy", DATA),
    "setxattr": ("wasGeneratedBy", DATA),
    "removexattr": ("wasGeneratedBy", DATA),
    "setuid": ("wasGeneratedBy", DATA),
    "setpgid": ("wasGeneratedBy", CONTROL),
    "sh_attach": ("wasGeneratedBy", DATA),
    "sh_create": ("wasGeneratedBy", DATA),
    "file_lock": ("wasGeneratedBy", CONTROL),
    "splice_out": ("wasGeneratedBy", DATA),
    "exec_task": ("wasGeneratedBy", DATA),
    "ptrace_attach": ("wasGeneratedBy", DATA),
    "generated_disc": ("wasGeneratedBy", DATA),
    "read": ("used", DATA),
    "read_ioctl": ("used", DATA),
    "memory_read": ("used", DATA),
    "accept": ("used", DATA),
    "receive": ("used", DATA),
    "receive_msg": ("used", DATA),
    "receive_msg_queue": ("used", DATA),
    "open": ("used", CONTROL),
    "file_rcv": ("used", DATA),
    "file_sigio": ("used", CONTROL),
    "search": ("used", CONTROL),
    "getattr": ("used", CONTROL),
    "read_link": ("used", DATA),
    "getxattr": ("used", DATA),
    "listxattr": ("used", DATA),
    "log": ("used", DATA),
    "perm_check": ("used", CONTROL),
    "getpgid": ("used", CONTROL),
    "mmap": ("used", DATA),
    "mmap_private": ("used", DATA),
    "load_file": ("used", DATA),
    "ptrace_read": ("used", DATA),
    "used_disc": ("used", DATA),
    "clone": ("wasInformedBy", DATA),
    "version_activity": ("wasInformedBy", VERSION),
    "terminate_task": ("wasInformedBy", VERSION),
    "ptrace_attach_task": ("wasInformedBy", CONTROL),
    "ptrace_read_task": ("wasInformedBy", CONTROL),
    "ptrace_traceme": ("wasInformedBy", CONTROL),
    "informed_disc": ("wasInformedBy", DATA),
    "load_unknown": ("wasInfluencedBy", INFLUENCE),
    "load_firmware": ("wasInfluencedBy", INFLUENCE),
    "load_module": ("wasInfluencedBy", INFLUENCE),
    "load_kexec_image": ("wasInfluencedBy", INFLUENCE),
    "load_kexec_initramfs": ("wasInfluencedBy", INFLUENCE),
    "load_policy": ("wasInfluencedBy", INFLUENCE),
    "load_certificate": ("wasInfluencedBy", INFLUENCE),
    "load_undefined": ("wasInfluencedBy", INFLUENCE),
    "influenced_disc": ("wasInfluencedBy", INFLUENCE),
    "ran_on": ("wasAssociatedWith", INFLUENCE),
    "associated_disc": ("wasAssociatedWith", INFLUENCE),
    "send_stream": ("wasDerivedFrom", DATA),
    "receive_stream": ("wasDerivedFrom", DATA),
}


class Word(NamedTuple):
    """A node identifier, taken apart."""

    kind: str
    prov_class: int  # ACTIVITY, ENTITY, AGENT or UNKNOWN_CLASS
    id: int  # 0 for a packet: its identifier is its header
    version: int
    object_key: bytes  # equal for all versions of one object


_LAYOUT = struct.Struct("<QQIIII")
_FAMILY = dict.fromkeys(INODE_KINDS, b"i")  # the type of an inode may change with its mode
_URL_SAFE = str.maketrans("-_", "+/")


def decode(identifier: str) -> Word | None:
    """Take ``cf:<base64>`` apart (either alphabet, padding optional); None for other names."""
    text = identifier[3:].rstrip("=")
    if len(text) != 43 or not identifier.startswith("cf:"):
        return None
    try:
        raw = binascii.a2b_base64(text.translate(_URL_SAFE) + "=", strict_mode=True)
    except ValueError:
        return None
    type_word, number, _boot, _machine, version, _rest = _LAYOUT.unpack(raw)
    prov_class = (type_word >> 56) & 0xF0
    kind = KINDS.get((type_word & 0xFFFFFFFFFFFF).bit_length() - 1)
    if kind is None or prov_class not in CLASS_NAMES:
        return None
    if kind == "packet":
        return Word(kind, prov_class, 0, 0, b"p" + raw[8:])
    # bytes 8 to 23 are id, boot and machine
    family = _FAMILY.get(kind) or kind.encode()
    return Word(kind, prov_class, number, version, family + raw[8:24])
