"""Where the instructions of one call are counted, over a made-up stretch of code."""

from collections.abc import Iterator

import pytest

from benchmarks.kernel.trace import Code, Place, describe, follow
from provcap.errors import GuestError

ENTRY, HELPER, BACK = 0x1000, 0x5000, 0x9000
SYMBOLS = """0000000000001000 t bpf_prog_0123_file_open\t[bpf]
0000000000005000 T bpf_task_storage_get
0000000000009000 t bpf_trampoline_42\t[bpf]
"""
WORDS = {1: "../kernel/hooks/file.bpf.c", 2: "open_scene()", 3: "return 0;"}


class Strings:
    """Of a BTF only what is looked up here."""

    def string(self, offset: int) -> str:
        return WORDS[offset]


class Scripted:
    """A debugger whose guest goes a known way."""

    def __init__(self, way: list[int]) -> None:
        self._way: Iterator[int] = iter(way)

    def stop_at(self, address: int) -> None:
        assert address == ENTRY

    def register(self, number: int) -> int:
        return 0

    def word(self, address: int) -> int:
        return BACK

    def step(self) -> int:
        return next(self._way)


@pytest.fixture
def code() -> Code:
    """A program with two lines that calls one helper."""
    lines = [[0, 1, 2, 7 << 10], [4, 1, 3, 9 << 10]]
    program = {"name": "file_open", "places": [ENTRY, ENTRY + 16], "lines": lines}
    return Code({"symbols": SYMBOLS, "programs": [program]}, Strings())


def test_an_instruction_belongs_to_the_line_before_it(code: Code) -> None:
    """Those of the kernel belong to its function."""
    assert code.place(ENTRY + 20) == Place(
        "bpf_prog_0123_file_open", "hooks/file.bpf.c:9 return 0;"
    )
    assert code.place(HELPER + 4) == Place("bpf_task_storage_get")


def test_what_a_helper_takes_counts_for_the_line_that_calls_it(code: Code) -> None:
    """And for its own name."""
    way = [ENTRY + 4, HELPER, HELPER + 4, ENTRY + 8, ENTRY + 16, BACK]

    call = follow(Scripted(way), code, "file_open")

    assert (call.total, call.own) == (6, 4)
    assert call.lines["hooks/file.bpf.c:7 open_scene()"] == 5
    assert call.symbols["bpf_task_storage_get"] == 2
    assert "6 instructions, 4 of them our own" in describe("open_close: file_open", call, [6])


def test_a_program_that_is_not_there_is_named(code: Code) -> None:
    """Instead of waiting for it."""
    with pytest.raises(GuestError, match="file_opne"):
        code.entry("file_opne")
