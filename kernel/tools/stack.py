"""Says how much stack the longest chain of calls of each program takes.

The verifier allows 512 bytes for a chain, each frame rounded up to 32; what is refused is refused
as a whole, so the object must stay below on every kernel.

    python kernel/tools/stack.py build/provcap.bpf.o
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

LIMIT_BYTES = 512
LIMIT_CALLS = 8  # functions in a chain, the program itself among them
FRAME_BYTES = 32  # a frame is a multiple of it, and never less
_CALL, _LOAD = 0x85, 0x18  # opcodes: call, load of a 64-bit constant (an address)
_LOCAL = 1  # source register of a call into the same object
_INSTRUCTION = re.compile(r"^\s+(\d+):\s+((?:[0-9a-f]{2} )+)\s*(.*)")
_SECTION = re.compile(r"^Disassembly of section (.+):")
_FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:")
_RELOCATION = re.compile(r"R_BPF_64_(?:32|64)\s+(\S+)")
_FRAME = re.compile(r"\br10 - (0x[0-9a-f]+|\d+)|^r\d+ \+= -(0x[0-9a-f]+|\d+)")

_Place = tuple[str, int]  # section, byte


class Chain(NamedTuple):
    """A program and the calls below it that take most stack together."""

    bytes: int
    functions: tuple[str, ...]


class _Code:
    """The functions of one object: their frames, and whom they call."""

    def __init__(self, listing: Iterable[str]) -> None:
        self.frames: dict[str, int] = {}
        self.sections: dict[str, str] = {}
        self._at: dict[_Place, str] = {}
        self._calls: list[tuple[str, str | _Place]] = []
        self._section = self._function = ""
        self._pending: tuple[int, int] | None = None  # opcode, constant of the last instruction
        for line in listing:
            self._read(line)

    def called(self, function: str) -> Iterator[str]:
        """The functions that this one calls, or hands on to be called."""
        for caller, target in self._calls:
            name = target if isinstance(target, str) else self._at.get(target)
            if caller == function and name in self.frames:
                yield name

    def _read(self, line: str) -> None:
        if found := _SECTION.match(line):
            self._section = found[1]
        elif found := _FUNCTION.match(line):
            self._begin(found[2], int(found[1], 16))
        elif found := _INSTRUCTION.match(line):
            raw = bytes.fromhex(found[2].replace(" ", ""))
            self._instruction(int(found[1]), raw, found[3])
        elif (found := _RELOCATION.search(line)) and self._pending:
            self._relocation(found[1], *self._pending)

    def _begin(self, name: str, at: int) -> None:
        if not name.startswith("LBB"):
            self._function = name
            self.frames[name], self.sections[name] = 0, self._section
            self._at[self._section, at] = name

    def _instruction(self, number: int, raw: bytes, text: str) -> None:
        for found in _FRAME.finditer(text):
            used = int(found[1] or found[2], 0)
            if used <= LIMIT_BYTES:
                self.frames[self._function] = max(self.frames[self._function], used)
        constant = int.from_bytes(raw[4:8], "little", signed=True)
        self._pending = (raw[0], constant) if raw[0] in (_CALL, _LOAD) else None
        if raw[0] == _CALL and raw[1] >> 4 == _LOCAL:
            self._calls.append((self._function, (self._section, (number + 1 + constant) * 8)))

    def _relocation(self, target: str, opcode: int, constant: int) -> None:
        if opcode == _CALL:
            place: str | _Place = (".text", (constant + 1) * 8) if target == ".text" else target
            self._calls[-1] = (self._function, place)
        else:
            place = (".text", constant) if target == ".text" else target
            self._calls.append((self._function, place))


def chains(path: Path) -> list[Chain]:
    """The longest chain of each program of an object, the longest first."""
    words = ["llvm-objdump-16", "-d", "-r", str(path)]
    listing = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    code = _Code(listing.splitlines())
    programs = (name for name, section in code.sections.items() if section != ".text")
    return sorted((_longest(code, name) for name in programs), reverse=True)


def _longest(code: _Code, function: str) -> Chain:
    frame = max(-(-code.frames[function] // FRAME_BYTES), 1) * FRAME_BYTES
    below = max((_longest(code, name) for name in code.called(function)), default=Chain(0, ()))
    return Chain(frame + below.bytes, (function, *below.functions))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for chain in chains(Path(name)):
            print(f"{chain.bytes:4} {' > '.join(chain.functions)}")
