"""What is made of the numbers that the kernel gives of its memory."""

import pytest

from benchmarks import show
from benchmarks.memory.page import page
from benchmarks.memory.results import Footprint, Held, held
from benchmarks.memory.slab import Snapshot, parse_fdinfo, parse_meminfo, parse_slabs

SLABINFO = """\
slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables
kmalloc-192          1000   1050    192   21    1 : tunables    0    0    0
dentry                  0      0    192   21    1 : tunables    0    0    0
"""


def test_a_cache_has_the_bytes_of_its_live_objects() -> None:
    """Not of those that it has room for."""
    assert parse_slabs(SLABINFO) == {"kmalloc-192": 192_000}


def test_meminfo_is_in_bytes() -> None:
    """The kernel says KiB."""
    assert parse_meminfo("Percpu:       12 kB\nHugePages_Total:   0\n") == {"Percpu": 12288}


def test_of_a_descriptor_the_decimal_numbers_are_read() -> None:
    """Flags are octal or hexadecimal."""
    text = "pos:\t0\nflags:\t02000002\nmap_flags:\t0x1\nmemlock:\t4096\n"

    assert parse_fdinfo(text)["memlock"] == 4096
    assert "map_flags" not in parse_fdinfo(text)


def moments(*sizes: int) -> list[Snapshot]:
    return [Snapshot({"kmalloc-192": size, "other": 5}, 100) for size in sizes]


@pytest.mark.parametrize(("after", "left"), [(1000, 0), (1400, 400)])
def test_what_capture_adds_is_the_difference_of_two_differences(after: int, left: int) -> None:
    """What the kernel takes for the objects themselves is in both."""
    base = moments(0, 2000, 0, 2000, 0)
    found = held(10, base, moments(1000, 6840, after, 6840, after))

    assert (found.base, found.added, found.each) == (2000, 3840, 384.0)
    assert found.caches == {"kmalloc-192": 3840}
    assert (found.left, found.left_again) == (left, left)
    assert found.added_again == 3840 - left


@pytest.mark.object
@pytest.mark.parametrize(("again", "grows"), [(2000, False), (4000, True)])
def test_what_is_left_grows_only_if_more_is_left_after_a_second_time(
    again: int, grows: bool
) -> None:
    """What the kernel keeps for the next such objects is no growth."""
    found = Held(10, 0, 2000, 2000, 0, again, {}, 0)
    footprint = Footprint("6.12", 1, {}, 0, 0, {"pipes": found})

    said = show.page(page(footprint))

    assert ("**It grows for: pipe, used.**" in said) is grows
