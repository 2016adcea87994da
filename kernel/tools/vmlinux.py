"""Write kernel/vmlinux.h: the types that kernel/vmlinux.fields lists, as one kernel has them.

    python kernel/tools/vmlinux.py [/sys/kernel/btf/vmlinux]

The loader matches fields by name against the running kernel (CO-RE), so sizes and offsets in the
header mean nothing, and any kernel that has all the fields gives a header that works for all.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from provcap.bpf.btf import (
    KERNEL_BTF,
    Alias,
    Array,
    Btf,
    Float,
    Int,
    Member,
    Pointer,
    Struct,
    Void,
    kernel_btf,
)
from provcap.errors import KernelError, ProvcapError

KERNEL = Path(__file__).resolve().parents[1]
FIELDS = KERNEL / "vmlinux.fields"
HEADER = KERNEL / "vmlinux.h"

_HEAD = """\
/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_VMLINUX_H
#define PROVCAP_VMLINUX_H
/*
 * The kernel types that we touch, and of each only the fields that we touch. Written from
 * vmlinux.fields by `make -C kernel vmlinux`: change the list, not this file.
 */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
"""
_TAIL = """
#pragma clang attribute pop

#endif
"""


def wanted(text: str) -> tuple[dict[str, list[str]], list[str]]:
    """Fields by struct and the typedefs that a list asks for."""
    structs: dict[str, list[str]] = {}
    typedefs: list[str] = []
    for line in text.splitlines():
        name, colon, names = line.partition("#")[0].partition(":")
        if colon:
            fields = typedefs if name == "typedef" else structs.setdefault(name, [])
            fields += names.split()
    return structs, typedefs


def header(btf: Btf, fields: str) -> str:
    """The whole header; raises ``KernelError`` for a type or field that this kernel lacks."""
    structs, typedefs = wanted(fields)
    writer = _Writer(btf, structs)
    for name in typedefs:
        writer.define_typedef(name)
    for name in structs:
        writer.define_struct(name)
    return _HEAD + "\n" + "\n\n".join(writer.blocks()) + "\n" + _TAIL


def field(btf: Btf, struct: Struct, name: str) -> Member:
    """A field, also one of a member without name; raises ``KernelError`` if there is none."""
    for member in members(btf, struct):
        if member.name == name:
            return member
    raise KernelError(f"struct {struct.name} of this kernel has no field {name}")


def members(btf: Btf, struct: Struct) -> Iterator[Member]:
    """The named fields; those of a member without name stand for it."""
    for member in struct.members:
        inner = btf.resolve(member.type)
        if not member.name and isinstance(inner, Struct):
            yield from members(btf, inner)
        else:
            yield member


class _Writer:
    """Definitions in an order in which each finds what it needs above it."""

    def __init__(self, btf: Btf, structs: dict[str, list[str]]) -> None:
        self._btf = btf
        self._structs = structs
        self._named: dict[str, str] = {}  # "struct file" -> its declaration
        self._typedefs: dict[str, str] = {}
        self._definitions: dict[str, str] = {}

    def blocks(self) -> Iterator[str]:
        """The text, piece by piece. Typedefs of plain numbers come first, of structs in place."""
        yield "\n".join(self._typedefs.values())
        yield "\n".join(sorted(self._named.values()))
        yield from self._definitions.values()

    def define_typedef(self, name: str) -> None:
        if name in self._typedefs or name in self._definitions:
            return
        target = self._btf.typedef(name).target
        text = f"typedef {self._declare(target, name)};"
        whole = isinstance(self._btf.decode(target), Struct)
        (self._definitions if whole else self._typedefs)[name] = text

    def define_struct(self, name: str) -> None:
        struct = self._btf.struct(name)
        self._name(struct)
        if name in self._definitions or not self._structs[name]:
            return
        members = [field(self._btf, struct, wanted) for wanted in self._structs[name]]
        self._definitions[name] = f"{_tag(struct)} {self._body(members)};"

    def _body(self, members: list[Member]) -> str:
        lines = []
        for member in members:
            width = f" : {member.bit_size}" if member.bit_size else ""
            lines.append(
                f"\t{self._declare(member.type, member.name)}{width};".replace("\n", "\n\t")
            )
        return "{\n" + "\n".join(lines) + "\n}"

    def _name(self, struct: Struct) -> None:
        self._named[_tag(struct)] = f"{_tag(struct)};"

    def _declare(self, id: int, name: str) -> str:
        """The C declaration of ``name`` with this type; what it needs is defined before."""
        found = self._btf.decode(id)
        if isinstance(found, Alias):
            return self._declare_alias(found, name)
        if isinstance(found, Pointer):
            return self._declare_pointer(found, name)
        if isinstance(found, Array):
            return self._declare(found.element, f"{name}[{found.length or ''}]")
        if isinstance(found, Int | Float | Void):
            return f"{found.name} {name}"
        if isinstance(found, Struct) and not found.name:
            return f"{_tag(found)}{self._body(list(found.members))} {name}"
        if isinstance(found, Struct) and found.name in self._structs:
            self.define_struct(found.name)
            return f"{_tag(found)} {name}"
        raise KernelError(f"{name} is of type {found.name}: list its fields, too")

    def _declare_alias(self, alias: Alias, name: str) -> str:
        if alias.kind == "typedef":
            self.define_typedef(alias.name)
            return f"{alias.name} {name}"
        text = self._declare(alias.target, name)
        return text if alias.kind == "type_tag" else f"{alias.kind} {text}"

    def _declare_pointer(self, pointer: Pointer, name: str) -> str:
        """A struct behind a pointer need not be known: naming it is enough."""
        id, words = pointer.target, ""
        while isinstance(alias := self._btf.decode(id), Alias) and alias.kind != "typedef":
            words += f"{alias.kind} " if alias.kind != "type_tag" else ""
            id = alias.target
        target = self._btf.decode(id)
        if isinstance(target, Struct) and target.name:
            self._name(target)
            return f"{words}{_tag(target)} *{name}"
        return words + self._declare(id, f"*{name}")


def _tag(struct: Struct) -> str:
    return f"{'union' if struct.union else 'struct'} {struct.name}"


def main() -> int:
    """Write the header from the BTF file that is given; status 1 if it lacks a type or field."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else KERNEL_BTF
    try:
        HEADER.write_text(header(kernel_btf(source), FIELDS.read_text()))
    except ProvcapError as error:
        print(f"{source}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
