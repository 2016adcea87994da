"""Does the workloads in the guest, in each way to record; this must be what is recorded.

    python -m benchmarks.volume.guest play FOLDER OUT
    python -m benchmarks.volume.guest prepare FOLDER

``prepare`` comes before the recording: it makes what the workloads need and starts a web server. A
line of JSON for each workload goes to OUT, see ``Stretch``.
"""

import functools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.kernel.guest import shipped
from benchmarks.volume import project
from benchmarks.volume.plan import (
    FETCHES,
    IDLE_S,
    MANY_FETCHES,
    MODES,
    PAGE_BYTES,
    PORT,
    WARMING,
    WORKLOADS,
    Mode,
    Stretch,
)
from provcap.policy import apply
from provcap.policy.model import Policy, stepped, without_filters

_SETTLE_S, _START_S = 1.0, 3.0
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp"}
_FETCH = "for i in $(seq {first} {last}); do wget -q -O pages/$i http://127.0.0.1:{port}/page; done"


def prepare(folder: Path) -> None:
    """Files for every mode, and a web server with one page, which goes on when this has ended."""
    for mode in MODES:
        project.lay_out(folder / mode / "project")
        (folder / mode / "pages").mkdir()
    (folder / "site").mkdir()
    (folder / "site/page").write_bytes(b"x" * PAGE_BYTES)
    subprocess.Popen(
        ["python3", "-m", "http.server", "--bind", "127.0.0.1", str(PORT)],
        cwd=folder / "site",
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(_START_S)


def play(folder: Path, out: Path) -> None:
    """Everything, in one recording; each mode begins with an epoch of its own."""
    with out.open("w") as file:
        for name, mode in MODES.items():
            since_ns = _now_ns()
            with apply.opened() as control:
                control.change_policy(functools.partial(_policy, mode))
            for stretch in _workloads(name, since_ns, folder / name):
                file.write(json.dumps(stretch) + "\n")


def _policy(mode: Mode, policy: Policy) -> Policy:
    filtered = shipped(policy) if mode.filtered else without_filters(policy)
    return filtered._replace(epoch=stepped(policy.epoch), repeat_edges=not mode.compressed)


def _workloads(mode: str, since_ns: int, folder: Path) -> Iterator[Stretch]:
    _shell(folder, _fetching(0, WARMING))
    parts: dict[str, Callable[[], object]] = {
        "idle": lambda: time.sleep(IDLE_S),
        "wget": lambda: _shell(folder, _fetching(WARMING, FETCHES)),
        "wget_many": lambda: _shell(folder, _fetching(WARMING + FETCHES, MANY_FETCHES)),
        "build": lambda: _shell(folder / "project", "make -s"),
    }
    for name, act in parts.items():
        if mode not in WORKLOADS[name].modes:
            continue
        time.sleep(_SETTLE_S)
        from_ns = _now_ns()
        act()
        yield Stretch(mode, since_ns, name, from_ns, _now_ns())
    time.sleep(_SETTLE_S)


def _fetching(first: int, many: int) -> str:
    return _FETCH.format(first=first, last=first + many - 1, port=PORT)


def _now_ns() -> int:
    """By the clock that records have."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def _shell(folder: Path, command: str) -> None:
    subprocess.run(["sh", "-c", command], cwd=folder, env=_ENVIRONMENT, check=True)


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]))
    else:
        play(Path(sys.argv[2]), Path(sys.argv[3]))
