"""Which kernel helpers an object calls, and which of them a kernel lacks; nothing is loaded."""

import struct

from provcap.bpf import elf
from provcap.bpf.btf import Btf

_INSTRUCTION = struct.Struct("<BBhi")  # opcode, registers, offset, immediate
_CALL, _WIDE = 0x85, 0x18
_HELPER = 0  # source register of a call: 1 is a function of our own, 2 a kernel function


def helpers_used(image: bytes) -> set[int]:
    """Numbers of the helpers that any program of the object calls."""
    used: set[int] = set()
    for section in elf.sections(image):
        if section.is_code:
            used |= _calls(section.data)
    return used


def missing_helpers(image: bytes, kernel: Btf) -> list[str]:
    """The helpers that this kernel does not name, as texts for a person."""
    there = set(kernel.enum("bpf_func_id").values.values())
    return [f"BPF helper number {number}" for number in sorted(helpers_used(image) - there)]


def _calls(code: bytes) -> set[int]:
    found: set[int] = set()
    at = 0
    while at + _INSTRUCTION.size <= len(code):
        opcode, registers, _, immediate = _INSTRUCTION.unpack_from(code, at)
        if opcode == _CALL and registers >> 4 == _HELPER:
            found.add(immediate)
        at += _INSTRUCTION.size * (2 if opcode == _WIDE else 1)
    return found
