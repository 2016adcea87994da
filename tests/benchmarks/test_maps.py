"""That the pages know every map of the compiled object: whose it is, and what its bound means."""

from pathlib import Path

import pytest

from benchmarks.maps import TYPES, MapShape, map_shapes, written_globals
from benchmarks.memory import bounds
from benchmarks.memory.__main__ import MEASUREMENT
from benchmarks.memory.page import bounded_bytes
from benchmarks.scale import shared
from provcap.bpf import loader
from provcap.bpf.layout import object_layout

pytestmark = pytest.mark.object
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def image() -> bytes:
    return loader.read_object(loader.find_object())


@pytest.fixture(scope="module")
def shapes(image: bytes) -> dict[str, MapShape]:
    return {shape.name: shape for shape in map_shapes(image)}


def test_every_map_says_who_writes_it(shapes: dict[str, MapShape]) -> None:
    """So that what all CPUs write can be looked up: none missing, none too many."""
    assert set(shared.read()) == set(shapes)


def test_no_global_variable_is_written(image: bytes) -> None:
    """One that was would be shared by all CPUs."""
    assert written_globals(image) == []


def test_every_map_says_what_happens_at_its_bound(shapes: dict[str, MapShape]) -> None:
    """None missing, none too many."""
    assert set(bounds.read()) == set(shapes)


def test_every_counter_of_a_bound_exists(image: bytes) -> None:
    """In the object, and on the page that says what it costs."""
    counters = {name.lower() for name in object_layout(image).enum("prov_counter")}
    page = (ROOT / "docs/reference/losses.md").read_text()
    named = {bound.counter for bound in bounds.read().values()} - {""}

    assert {f"count_{name}" for name in named} <= counters
    assert all(f"| `{name}` |" in page for name in named)


def test_every_map_is_on_the_page(shapes: dict[str, MapShape]) -> None:
    """With the bound that the object gives it."""
    rows = [
        line.split(" | ")
        for line in MEASUREMENT.page_path.read_text().partition("## Bounds")[2].splitlines()
        if line.startswith("| `")
    ]
    told = {row[0].strip("| `"): row for row in rows}

    assert set(told) == set(shapes)
    for name, shape in shapes.items():
        entries = told[name][6]
        assert told[name][4] == TYPES[shape.type]
        assert entries in ("", f"{shape.entries:,}")


def test_a_hash_takes_its_table_and_its_entries(shapes: dict[str, MapShape]) -> None:
    """48 bytes of head for each entry, rounded up to what the allocator gives."""
    shape = MapShape("some", 1, 8, 88, 1000, preallocated=False)

    assert bounds.element_bytes(shape) == 192
    assert bounds.most_bytes(shape, 1) == 1000 * 192 + 1024 * 16


def test_a_storage_has_no_bound_of_its_own() -> None:
    """It is as many as there are objects."""
    shape = MapShape("some", 28, 4, 72, 0, preallocated=False)

    assert bounds.most_bytes(shape, 1) is None
    assert bounds.element_bytes(shape) == 192 + 192


def test_the_sum_of_the_bounds_leaves_out_what_has_none() -> None:
    """A storage is as many as there are objects, and rings are as large as is wished."""
    hashed = MapShape("some", 1, 8, 88, 1000, preallocated=False)
    storage = MapShape("other", 28, 4, 72, 0, preallocated=False)

    assert bounded_bytes([hashed, storage]) == bounds.most_bytes(hashed, 1)
