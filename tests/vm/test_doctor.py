"""In a guest of each kernel the doctor says what the table of older kernels says, and no more."""

import re
import sys

import pytest

from provcap.bpf.lost import GAPS, PREEMPTION, Gap, plain
from provcap.vm.machine import Machine
from tests.vm.conftest import checked

pytestmark = pytest.mark.vm

LINE = re.compile(r"  (ok|no)   (.+)")


def numbers(text: str) -> tuple[int, ...]:
    """``6.12`` as a pair, so that it comes after 6.9."""
    return tuple(map(int, re.findall(r"\d+", text)[:2]))


def holds(kernels: str, release: tuple[int, ...]) -> bool:
    """Whether the first column of the table means this kernel, as Debian builds and boots it."""
    found = re.match(r"(before|since)? ?([\d.]+)(?: to ([\d.]+))?", kernels)
    if not found:
        return False  # without something that Debian's have
    word, first, last = found.groups()
    if word == "before":
        return release < numbers(first)
    return numbers(first) <= release and (not last or release <= numbers(last))


def is_told(gap: Gap, lines: set[tuple[str, str]]) -> bool:
    """By a line for each of its hooks, by that on preemption, or by one of its own."""
    if gap.hooks:
        return all(
            any(("no", hook) == (mark, text.split()[0]) for mark, text in lines)
            for hook in gap.hooks
        )
    if PREEMPTION in gap.needs:
        return any("preemption" in text and "attached 2 times" in text for _, text in lines)
    said = plain(f"{gap.kernel:<16} lacks {gap.lacks}: {gap.so}")
    return ("ok" if gap.harmless else "no", said) in lines


def doctor(machine: Machine) -> str:
    """What it prints in the guest."""
    return checked(machine.run([sys.executable, "-m", "provcap.cli.main", "doctor"]))


def test_the_doctor_tells_the_rows_that_hold(machine: Machine) -> None:
    """What it finds in the types of the kernel is what the page says of its release."""
    release = numbers(checked(machine.run(["uname", "-r"])))
    found = map(LINE.fullmatch, doctor(machine).splitlines())
    lines = {(match[1], match[2]) for match in found if match}

    assert [gap.kernel for gap in GAPS if is_told(gap, lines)] == [
        gap.kernel for gap in GAPS if holds(gap.kernel, release)
    ]


def subject(text: str) -> str:
    """What a line is about: a hook's name may be longer than its column."""
    return re.split(r"  | lacks | lost: ", text)[0].strip()


def test_what_the_doctor_says_is_lost_is_in_the_table(machine: Machine) -> None:
    """Nothing is missing on a kernel of Debian that no row speaks of."""
    here = doctor(machine).partition("guest kernel:")[0]
    found = map(LINE.fullmatch, here.splitlines())
    lost = {subject(match[2]) for match in found if match and match[1] == "no"}

    assert lost <= {"hooks", *(name for gap in GAPS for name in (*gap.hooks, gap.kernel))}
