"""Record formats come out of the compiled object."""

import pytest

from provcap.bpf import layout
from provcap.bpf.btf import object_btf
from provcap.errors import KernelError

pytestmark = pytest.mark.object


@pytest.fixture(scope="module")
def everything(image):
    return layout.object_layout(image).record("prov_all")


LISTING = """\
struct prov_all: 112 bytes
     0    8  8Q         head.at_ns
     8    4  4I         head.seq
    12    2  2H         head.cpu
    14    1  1B         head.kind
    15    1  1B         head.what
    16    4  4i         kind  enum prov_kind
    20    4  (padding)
    24    8  8Q         wide  enum prov_wide
    32    1  bits 0+4   low
    32    1  bits 4+4   high
    33    1  1B         flag
    34    6  bytes[6]   text
    40    8  4i[2]      numbers
    48    2  2H         port
    50    2  2H         zone
    52    4  (padding)
    56    8  8Q         pair[0].at_ns
    64    4  4I         pair[0].seq
    68    2  2H         pair[0].cpu
    70    1  1B         pair[0].kind
    71    1  1B         pair[0].what
    72    8  8Q         pair[1].at_ns
    80    4  4I         pair[1].seq
    84    2  2H         pair[1].cpu
    86    1  1B         pair[1].kind
    87    1  1B         pair[1].what
    88   16  bytes[16]  address
   104    4  bytes[4]   union_at_104
   108    4  4I         tail
   112    0  bytes[0]   rest"""


def test_every_shape_of_field_has_its_place(everything):
    """Nesting, arrays, unions, bitfields and padding are listed with offset and size."""
    assert everything.listing() == LISTING


def test_what_is_packed_comes_back(everything):
    """Packing and unpacking agree on every field."""
    values = {field.name: 3 for field in everything.fields if field.code != "s"}
    values |= {"kind": -2, "numbers": (-1, 5), "low": 9, "high": 14, "wide": 1 << 63}
    values |= {"text": b"abcdef", "address": b"x" * 16, "union_at_104": b"wxyz"}

    assert everything.unpack(everything.pack(values)) == values


def test_a_position_finds_the_value_in_the_raw_tuple(everything):
    """A decoder that unpacks without names can still ask where a field stands."""
    raw = everything.format.unpack(everything.pack({"tail": 77, "numbers": (1, 2)}))

    assert raw[everything.position("tail")] == 77
    assert raw[everything.position("numbers") + 1] == 2


@pytest.mark.parametrize("values", [{"absent": 1}, {"low": 16}, {"tail": -1}])
def test_a_value_that_does_not_fit_is_refused(everything, values):
    """A wrong name or number is an error, not another record."""
    with pytest.raises(KernelError, match="prov_all"):
        everything.pack(values)


def test_too_few_bytes_are_refused(everything):
    """A short record is an error that tells both sizes."""
    with pytest.raises(KernelError, match="112 bytes, not 5"):
        everything.unpack(b"short")


def test_the_fingerprint_changes_with_the_layout(image):
    """The same object has the same fingerprint; less of it has another."""
    whole = layout.object_layout(image)

    assert whole.fingerprint() == layout.object_layout(image).fingerprint()
    assert len(whole.fingerprint()) == 32
    assert whole.fingerprint() != layout.describe(object_btf(image), "prov_a").fingerprint()


def test_what_lives_on_a_stack_only_is_no_layout(image):
    """A structure that no map and no variable holds may change without another fingerprint."""
    assert object_btf(image).struct("prov_passing")
    assert "prov_passing" not in layout.object_layout(image).records


def test_a_table_spread_over_a_section_is_read_in_order(image):
    """Rows come from every array of that structure; other data between them is passed over."""
    rows = layout.rows(image, ".rodata.vocabulary", "prov_row")

    assert rows == [
        {"type": 1 << 40, "bit": 40, "name": "read"},
        {"type": 2, "bit": 1, "name": "write"},
        {"type": 4, "bit": 2, "name": "exec"},
    ]


def test_an_absent_table_is_named(image):
    """A structure without table is an error that names both."""
    with pytest.raises(KernelError, match=r"prov_head in \.rodata\.vocabulary"):
        layout.rows(image, ".rodata.vocabulary", "prov_head")
