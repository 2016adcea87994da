"""Follows single calls of a program, instruction by instruction, and says where they go.

    python -m benchmarks.kernel.trace PHASE:PROGRAM...

A call is stepped through by QEMU's own debugger interface. Each instruction is counted for the line
of our source that it belongs to, those of the kernel's helpers for the line that calls them and for
their own name. PROGRAM may also be a function of the kernel.
"""

import argparse
import contextlib
import json
import re
import select
import socket
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import guests
from benchmarks.kernel import measure
from provcap.bpf.btf import Btf, object_btf
from provcap.bpf.loader import find_object
from provcap.cli.vm import progress
from provcap.errors import GuestError, ProvcapError
from provcap.vm import kernels
from provcap.vm.machine import Machine

LONGEST = 200_000  # instructions of one call
STEPS = 400  # fresh names: enough for some minutes
_RIP, _RSP = 16, 7  # numbers of registers for the debugger
_PATIENCE_S = 900.0
_SILENCE_S = 0.5


class Place(NamedTuple):
    """Where an instruction belongs: a function, and of ours the line of the source."""

    symbol: str
    line: str = ""


class Code:
    """What lies where in the guest's kernel."""

    def __init__(self, found: Mapping[str, Any], btf: Btf) -> None:
        """``found``: what traced.py wrote; ``btf``: that of the object, which has the names."""
        symbols = re.findall(r"^(\w+) \w (\S+)", found["symbols"], re.M)
        ordered = sorted((int(address, 16), name) for address, name in symbols)
        self._addresses = [address for address, _ in ordered]
        self._names = [name for _, name in ordered]
        self.programs = {program["name"]: program for program in found["programs"]}
        rows = [
            (place, _line(btf, *row[1:]))
            for program in found["programs"]
            for place, row in zip(program["places"], program["lines"], strict=True)
        ]
        self._lines = sorted(rows)
        self._line_at = [place for place, _ in self._lines]

    def entry(self, name: str) -> int:
        """Where a program, or a function of the kernel, begins."""
        if name in self.programs:
            return int(self.programs[name]["places"][0])
        if name not in self._names:
            raise GuestError(f"neither a program nor a function of the kernel: {name}")
        return self._addresses[self._names.index(name)]

    def place(self, address: int) -> Place:
        """What the instruction at this address belongs to."""
        symbol = self._names[bisect_right(self._addresses, address) - 1]
        if not symbol.startswith("bpf_prog_"):
            return Place(symbol)
        return Place(symbol, self._lines[max(bisect_right(self._line_at, address) - 1, 0)][1])


def _line(btf: Btf, file: int, text: int, line_and_column: int) -> str:
    name = btf.string(file).rpartition("kernel/")[2]
    return f"{name}:{line_and_column >> 10} {btf.string(text).strip()}"


class Stub:
    """The debugger interface of a guest: stops it, steps it, lets it go."""

    def __init__(self, path: Path) -> None:
        """Connect, which stops the guest."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._data = b""
        self._discard()  # that it has stopped
        self._socket.send(b"+")
        self._ask("QStartNoAckMode")
        self._socket.send(b"+")
        self._ask("qXfer:features:read:target.xml:0,ffb")  # else QEMU gives no single registers
        self._discard()

    def stop_at(self, address: int) -> None:
        """Let the guest run until it gets there."""
        self._ask(f"Z1,{address:x},1")
        self._ask("c")
        self._ask(f"z1,{address:x},1")

    def step(self) -> int:
        """One instruction; where the next one is."""
        self._ask("s")
        return self.register(_RIP)

    def register(self, number: int) -> int:
        """The value of a register."""
        return int.from_bytes(bytes.fromhex(self._ask(f"p{number:x}"))[:8], "little")

    def word(self, address: int) -> int:
        """Eight bytes of memory."""
        return int.from_bytes(bytes.fromhex(self._ask(f"m{address:x},8")), "little")

    def close(self) -> None:
        """Let the guest run on."""
        self._ask("D")
        self._socket.close()

    def _discard(self) -> None:
        while select.select([self._socket], [], [], _SILENCE_S)[0]:
            self._socket.recv(4096)
        self._data = b""

    def _ask(self, words: str) -> str:
        data = words.encode()
        self._socket.sendall(b"$%s#%02x" % (data, sum(data) & 255))
        while b"#" not in self._data or len(self._data) < self._data.index(b"#") + 3:
            self._data += self._socket.recv(4096)
        answer, _, self._data = self._data.lstrip(b"+$").partition(b"#")
        self._data = self._data[2:]
        return answer.decode()


class Profile(NamedTuple):
    """One call: instructions by line of our source, and by function of the kernel."""

    total: int
    own: int
    lines: Counter[str]
    symbols: Counter[str]


def follow(stub: Stub, code: Code, name: str) -> Profile:
    """The next call of a program, from its first instruction to its return."""
    stub.stop_at(code.entry(name))
    back, at = stub.word(stub.register(_RSP)), code.entry(name)
    line, lines, symbols, own = "", Counter[str](), Counter[str](), 0
    for total in range(LONGEST):
        if at == back:
            return Profile(total, own, lines, symbols)
        place = code.place(at)
        line = place.line or line
        own += bool(place.line)
        lines[line] += 1
        symbols[place.symbol] += 1
        at = stub.step()
    raise GuestError(f"a call of {name} does not end within {LONGEST} instructions")


class _TracedMachine(Machine):
    """A guest with a debugger interface."""

    debugger: Path

    def _qemu(self, *arguments: Any) -> list[str]:
        chardev = f"socket,id=debugger,path={self.debugger},server=on,wait=off"
        command = super()._qemu(*arguments)
        return [*command, "-chardev", chardev, "-gdb", "chardev:debugger"]


def trace(
    wanted: list[tuple[str, str]],
    samples: int,
    kernel: str,
    programs: Sequence[str] | None,
    report: guests.Report,
) -> Iterator[str]:
    """A text on each (phase, program); ``programs``: load these alone."""
    with tempfile.TemporaryDirectory(prefix="provcap-trace-") as name:
        folder = Path(name)
        machine = _TracedMachine(
            kernels.resolve(kernel, report),
            share=folder,
            kernel_args=["lsm=bpf"],
            icount=True,
            report=report,
        )
        machine.debugger = folder / "debugger"
        (folder / "phase").write_text("")
        with machine:
            measure.lay_out(machine, STEPS)
            with _recording(machine, folder, measure.recording_words(programs)):
                report("loading the capture")
                code = _code(folder)
                for phase, program in wanted:
                    report(f"following {program} in {phase}")
                    yield _told(folder, code, phase, program, samples)


@contextlib.contextmanager
def _recording(machine: Machine, folder: Path, record: list[str]) -> Iterator[None]:
    command = [*record, sys.executable, "-m", "benchmarks.kernel.traced", str(folder)]
    thread = threading.Thread(target=lambda: print(machine.run(command, timeout_s=None)))
    thread.start()
    try:
        yield
    finally:
        (folder / "phase").write_text("end")
        thread.join()


def _code(folder: Path) -> Code:
    until = time.monotonic() + _PATIENCE_S
    while True:
        with contextlib.suppress(OSError, ValueError):
            found = json.loads((folder / "programs.json").read_text())
            break
        if time.monotonic() > until:
            raise GuestError("the capture does not load")
        time.sleep(1)
    return Code(found, object_btf(find_object().read_bytes()))


def _told(folder: Path, code: Code, phase: str, program: str, samples: int) -> str:
    (folder / "phase").write_text(phase)
    time.sleep(3)
    stub = Stub(folder / "debugger")
    try:
        calls = [follow(stub, code, program) for _ in range(samples)]
    finally:
        stub.close()
    (folder / "phase").write_text("")
    return describe(f"{phase}: {program}", sorted(calls)[len(calls) // 2], [c.total for c in calls])


def describe(title: str, call: Profile, totals: list[int]) -> str:
    """What a call consists of, the dearest first."""
    lines = [
        f"## {title}",
        f"{call.total} instructions, {call.own} of them our own; calls: {totals}",
    ]
    lines += [f"  {count:6} {name}" for name, count in call.symbols.most_common(25)]
    lines += ["  by line, with what it calls:"]
    lines += [f"  {count:6} {name}" for name, count in call.lines.most_common(60)]
    return "\n".join(lines)


def main() -> int:
    """Follow what is asked for and tell."""
    parser = argparse.ArgumentParser("benchmarks.kernel.trace", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("wanted", nargs="+", metavar="PHASE:PROGRAM")
    parser.add_argument("--kernel", default="6.12")
    parser.add_argument("--samples", type=int, default=3, help="calls of each (default 3)")
    parser.add_argument(
        "--programs", type=lambda word: word.split(","), help="load these alone (default: all)"
    )
    args = parser.parse_args()
    pairs = [(phase, name) for phase, _, name in (word.partition(":") for word in args.wanted)]
    try:
        with progress() as report:
            for text in trace(pairs, args.samples, args.kernel, args.programs, report):
                report("")
                print(text, flush=True)
    except ProvcapError as error:
        print(f"trace: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
