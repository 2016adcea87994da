"""The words a recording is read with, as numbers that the graph can hold by the million.

The vocabulary is the source; recordings that do not say a flow class themselves (CamFlow's) get it
from there.
"""

import binascii
import struct
from typing import NamedTuple

from provcap import vocabulary

ACTIVITY, ENTITY, AGENT, UNKNOWN_CLASS = 0x40, 0x20, 0x10, 0
CLASS_NAMES = {ACTIVITY: "activity", ENTITY: "entity", AGENT: "agent", UNKNOWN_CLASS: "unknown"}
SECTION_CLASS = {"activity": ACTIVITY, "entity": ENTITY, "agent": AGENT}

FLOWS = {name: number for number, name in enumerate(vocabulary.FLOWS) if name}
FLOW_NAMES = {number: name for name, number in FLOWS.items()}
DATA, CONTROL, VERSION, INFLUENCE = (
    FLOWS[name] for name in ("data", "control", "version", "influence")
)


class Ends(NamedTuple):
    """The keys of a PROV relation's ends, in the direction that information flows."""

    sender: str
    receiver: str
    sender_class: int  # 0: any
    receiver_class: int


_END_CLASSES = {
    "used": (ENTITY, ACTIVITY),
    "wasGeneratedBy": (ACTIVITY, ENTITY),
    "wasInformedBy": (ACTIVITY, ACTIVITY),
    "wasDerivedFrom": (ENTITY, ENTITY),
    "wasInfluencedBy": (0, 0),
    "wasAssociatedWith": (AGENT, ACTIVITY),
}
SECTIONS = {name: Ends(*vocabulary.ENDS[name], *classes) for name, classes in _END_CLASSES.items()}


def _bit(type_word: int) -> int:
    """The number of the one bit among the lower 48 of a type word that tells the kind."""
    return (type_word & 0xFFFFFFFFFFFF).bit_length() - 1


# subtype bit of the type word -> name
KINDS = {_bit(kind.type): kind.name for kind in vocabulary.KINDS}
INODE_KINDS = frozenset(
    ("inode_unknown", "link", "file", "directory", "char", "block", "pipe", "socket")
)
DISCLOSED_KINDS = frozenset(("disc_entity", "disc_activity", "disc_agent"))

# relation -> (section, flow class)
RELATIONS = {word.name: (word.section, FLOWS[word.flow]) for word in vocabulary.RELATIONS}


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
    kind = KINDS.get(_bit(type_word))
    if kind is None or prov_class not in CLASS_NAMES:
        return None
    if kind == "packet":
        return Word(kind, prov_class, 0, 0, b"p" + raw[8:])
    # bytes 8 to 23 are id, boot and machine
    family = _FAMILY.get(kind) or kind.encode()
    return Word(kind, prov_class, number, version, family + raw[8:24])
