"""kernel/vmlinux.h is what kernel/vmlinux.fields asks of a kernel."""

import re

import pytest

from kernel.tools import vmlinux
from provcap.bpf.btf import KERNEL_BTF, kernel_btf, object_btf
from provcap.errors import KernelError

STRUCTS, _TYPEDEFS = vmlinux.wanted(vmlinux.FIELDS.read_text())


def fields_of(header: str, word: str = "(?:struct|union)") -> dict[str, list[str]]:
    """Struct or union -> the fields that stand in its block of a header."""
    blocks = re.findall(rf"^{word} (\w+) \{{\n(.*?)^\}};", header, re.M | re.S)
    declared = re.compile(r"^\t(?:\}|\w).*?(\w+)(?:\[\d*\]| : \d+)*;$", re.M)
    return {name: declared.findall(body) for name, body in blocks}


def test_the_header_has_what_the_list_says_and_nothing_else() -> None:
    """Nobody edits the header by hand: what it has came from the list."""
    listed = {name: fields for name, fields in STRUCTS.items() if fields}

    assert fields_of(vmlinux.HEADER.read_text()) == listed


@pytest.mark.skipif(not KERNEL_BTF.exists(), reason="this kernel has no BTF")
def test_the_running_kernel_has_every_field() -> None:
    """A kernel that renamed a field is found here before the object is loaded on it."""
    btf = kernel_btf()
    missing = []
    for name, fields in STRUCTS.items():
        struct = btf.struct(name)
        found = {member.name for member in vmlinux.members(btf, struct)}
        missing += [f"{name}.{field}" for field in fields if field not in found]

    assert missing == []


@pytest.mark.object
def test_types_come_in_the_order_that_c_needs(kernel_object: bytes) -> None:
    """An embedded struct stands above, one behind a pointer is named; arrays and bits are kept."""
    btf = object_btf(kernel_object)
    text = vmlinux.header(
        btf, "task_struct: in_execve comm\npath: mnt\nfile: f_path\npid: numbers\nupid: ns nr\n"
    )

    assert "\tunsigned int in_execve : 1;\n\tchar comm[16];\n" in text
    assert "struct pid_namespace;\n" in text
    assert text.index("struct path {") < text.index("struct file {\n\tstruct path f_path;\n};")


@pytest.mark.object
@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("file: f_absent", "struct file of this kernel has no field f_absent"),
        ("file: f_path", "f_path is of type path: list its fields"),
        ("typedef: absent_t", "no typedef absent_t"),
    ],
)
def test_what_cannot_be_written_is_named(kernel_object: bytes, fields: str, problem: str) -> None:
    """A wrong list is an error with the name in it."""
    with pytest.raises(KernelError, match=problem):
        vmlinux.header(object_btf(kernel_object), fields)


def test_helpers_for_other_kernels_live_apart() -> None:
    """Shapes that only some kernels have are in compat.h, under a name with three underscores."""
    compat = fields_of((vmlinux.KERNEL / "compat.h").read_text(), "struct")

    assert compat
    assert all("___" in name for name in compat)
