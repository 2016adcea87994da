"""What every measurement needs of its guest: boots it, runs commands there, records them.

Public: :func:`counting`, :func:`done`, :func:`require_count`, :func:`require_built`,
:func:`recording_words`, :data:`ROOT`, :data:`BUILD`, :data:`WORK`, :data:`RECORDING`.
"""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from provcap.cli.vm import guest_command
from provcap.errors import GuestError, SetupError
from provcap.vm.kernels import Kernel
from provcap.vm.machine import Machine

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"
WORK = "/tmp/bench"
"""Where the workload is in a guest."""
RECORDING = "/tmp/bench-recording"  # in memory: waiting for the host would be counted as time
TIMEOUT_S = 7200.0  # a real hour in which a guest idles takes most of one where others are busy
_PARTS = ("bench", "nothing")
MHZ, MHZ_OFF = 1000.0, 2.0

Report = Callable[[str], object]


@contextlib.contextmanager
def counting(
    kernel: Kernel, report: Report, *, cpus: int = 1, memory_mib: int = 2048
) -> Iterator[tuple[Machine, Path]]:
    """A guest that counts instructions, and the folder that it shares with this machine.

    On several CPUs the counters of all of them are one: it counts what all have executed. Raises
    ``GuestError`` if the guest does not come up or does not count, ``SetupError`` if a tool or a
    part of the workload is missing.
    """
    require_built(_PARTS)
    with (
        tempfile.TemporaryDirectory(prefix="provcap-bench-") as folder,
        Machine(
            kernel,
            cpus=cpus,
            memory_mib=memory_mib,
            share=Path(folder),
            kernel_args=["lsm=bpf"],
            icount=True,
            report=report,
        ) as machine,
    ):
        done(machine, ["mkdir", "-m", "755", WORK])
        done(machine, ["cp", *(str(BUILD / part) for part in _PARTS), WORK])
        require_count(machine)
        yield machine, Path(folder)


def require_built(parts: Iterable[str]) -> None:
    """SetupError unless these are among what ``benchmarks/kernel/Makefile`` makes."""
    for part in parts:
        if not (BUILD / part).exists():
            raise SetupError(f"{BUILD / part} is missing: run make -C benchmarks/kernel")


def require_count(machine: Machine) -> None:
    """GuestError unless the guest's time stamp counter counts instructions."""
    mhz = float(done(machine, [f"{WORK}/bench", "clock"]))
    if abs(mhz - MHZ) > MHZ_OFF:
        raise GuestError(
            f"the guest's time stamp counter runs at {mhz:.3f} MHz, not {MHZ:g}: it does not "
            "count instructions (QEMU needs -icount shift=0,sleep=off, the kernel tsc=reliable)"
        )


def done(machine: Machine, words: list[str], cwd: Path | str = ROOT) -> str:
    """Standard output of a command that must succeed in the guest."""
    result = machine.run(words, cwd=cwd, timeout_s=TIMEOUT_S)
    if result.status:
        said = result.stderr.decode(errors="replace").strip()[-2000:] or "it said nothing"
        raise GuestError(f"{' '.join(words)} failed with status {result.status}: {said}")
    return result.stdout.decode()


def recording_words(options: Sequence[str] = ()) -> list[str]:
    """The words that record what comes behind them in the guest, into ``RECORDING``/audit.raw."""
    return guest_command([], Path(RECORDING), list(options))


def compiler() -> str:
    """What the objects were compiled with: counts change with it."""
    return (BUILD / "compiler").read_text().strip()


def python(module: str, *words: str) -> list[str]:
    """The words that run a module of ours in the guest."""
    return [sys.executable, "-m", module, *words]
