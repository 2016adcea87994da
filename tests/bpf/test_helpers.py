"""The helpers of an object are read out of its instructions."""

import shutil
import subprocess
from pathlib import Path

import pytest

from provcap.bpf.helpers import helpers_used

SOURCE = """
static long (*const ktime_get_boot_ns)(void) = (void *)125;
static long (*const get_smp_processor_id)(void) = (void *)8;
static __attribute__((noinline)) long ours(long n) { return n * get_smp_processor_id(); }
__attribute__((section("lsm/file_open"))) long program(void) { return ours(ktime_get_boot_ns()); }
"""


@pytest.mark.object
@pytest.mark.skipif(not shutil.which("clang-16"), reason="needs clang-16")
def test_calls_of_helpers_are_told_from_calls_of_functions(tmp_path: Path) -> None:
    """Also in sections other than the program's own."""
    source, built = tmp_path / "p.c", tmp_path / "p.o"
    source.write_text(SOURCE)
    words = ["clang-16", "-O2", "-target", "bpf", "-c", str(source), "-o", str(built)]
    subprocess.run(words, check=True)

    assert helpers_used(built.read_bytes()) == {125, 8}
