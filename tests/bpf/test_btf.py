"""BTF is decoded from bytes: rightly if they are right, with a named error if not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provcap.bpf import btf, elf
from provcap.bpf.layout import describe
from provcap.errors import KernelError


def decode_all(raw: bytes) -> None:
    """Everything that can be asked of BTF."""
    types = btf.Btf(raw)
    for id, _type in types.types():
        types.resolve(id)
    for id in range(len(types)):
        try:
            types.size_of(id)
        except KernelError:
            continue
    describe(types, "")


@given(st.binary(max_size=400))
def test_any_bytes_give_types_or_a_named_error(raw):
    """Nothing but KernelError comes out, with or without a right header."""
    header = b"\x9f\xeb\x01\x00\x18\0\0\0" + b"".join(
        n.to_bytes(4, "little") for n in (0, len(raw) // 8 * 4, len(raw) // 8 * 4, len(raw) // 4)
    )
    for data in (raw, header + raw):
        try:
            decode_all(data)
        except KernelError:
            continue


@pytest.mark.object
@given(edits=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=8))
def test_damaged_btf_gives_types_or_a_named_error(raw_btf, edits):
    """The same for real BTF with some bytes changed."""
    damaged = bytearray(raw_btf)
    for place, value in edits:
        damaged[place % len(damaged)] = value
    try:
        decode_all(bytes(damaged))
    except KernelError:
        return


@pytest.mark.object
@given(edits=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=6))
def test_a_damaged_object_gives_sections_or_a_named_error(image, edits):
    """The same for the ELF file around it."""
    damaged = bytearray(image)
    for place, value in edits:
        damaged[place % 4096 if place & 1 else place % len(damaged)] = value
    try:
        elf.symbols(bytes(damaged))
        elf.section(bytes(damaged), ".BTF")
    except KernelError:
        return


@pytest.fixture(scope="module")
def raw_btf(image):
    return elf.section(image, ".BTF")


@pytest.mark.object
def test_enumerators_keep_sign_and_all_64_bits(image):
    """Negative values and the highest bit come out as the source has them."""
    types = btf.object_btf(image)

    assert types.enum("prov_kind").values["KIND_NEGATIVE"] == -2
    assert types.enum("prov_wide").values["WIDE_HIGH"] == 1 << 63


@pytest.mark.object
def test_a_missing_struct_is_named(image):
    """Asking for what is not there says its name."""
    with pytest.raises(KernelError, match="prov_absent"):
        btf.object_btf(image).struct("prov_absent")


@pytest.mark.skipif(not btf.KERNEL_BTF.exists(), reason="this kernel has no BTF")
def test_the_running_kernel_describes_its_tasks():
    """The kernel's own BTF is read within the limits of the decoder."""
    types = btf.kernel_btf()

    assert any(member.name == "pid" for member in types.struct("task_struct").members)
    assert types.has_func("schedule")
    assert not types.has_func("no_such_function")
