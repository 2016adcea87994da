"""Steers the recording that it runs in: every answer of camflow goes into a file, by name.

    python -m tests.vm.steer FOLDER

FOLDER holds ``unused``, ``secret``, ``other``; what this writes lies there as well.
"""

import contextlib
import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from provcap.cli import camflow

WAITING = 'echo ready; read -r go; cat "$0" >"$1"'


def main() -> None:
    """One story; each step leaves something that the recording must or must not have."""
    folder = Path(sys.argv[1])
    os.chdir(folder)
    said: dict[str, tuple[int, str, str]] = {}

    def do(name: str, *words: object) -> None:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = camflow.main([str(word) for word in words])
        said[name] = status, out.getvalue(), err.getvalue()

    do("state", "-s")
    do("unused", "--track-file", "unused", "propagate")
    do("unused shown", "--file", "unused")
    copy("unused", "of-unused")  # a name is known from the first open on
    do("pid shown", "--process", os.getpid())
    switch_off_and_on(do)
    filtered(do)
    opaque(do)
    tracked_only(do)
    running_process(do)
    refusals(do)
    do("whole system", "-a", "true")
    do("nothing lost", "--drop")
    do("state at the end", "-s")
    words = [sys.executable, "-m", "provcap.cli.camflow", "--file", "/none"]
    said["as a program"] = subprocess.run(words, check=False).returncode, "", ""
    Path("said.json").write_text(json.dumps(said))


def copy(source: str, target: str) -> None:
    """As a process of its own."""
    subprocess.run(["sh", "-c", 'head "$0" >"$1"', source, target], check=True)


def switch_off_and_on(do) -> None:
    """What is copied meanwhile is not recorded."""
    do("off", "-e", "false")
    do("off shown", "-s")
    copy("other", "while-off")
    do("on", "-e", "true")
    copy("other", "while-on")


def filtered(do) -> None:
    """One relation is left out for a while; then everything is sent again."""
    do("filter", "--edge-filter", "write", "true")
    do("filter shown", "-s")
    copy("other", "filtered")
    do("no filter", "--reset-filter")
    do("epoch", "--change-epoch")
    copy("other", "unfiltered")


def opaque(do) -> None:
    """A file of which nothing is recorded, and then again."""
    Path("hidden").write_text("not seen\n")
    do("opaque", "--opaque-file", "hidden", "true")
    copy("hidden", "of-hidden")
    do("opaque shown", "--file", "hidden")
    do("not opaque", "--opaque-file", "hidden", "false")
    copy("hidden", "of-unhidden")


def tracked_only(do) -> None:
    """The way of one file, and nothing else."""
    do("tracked only", "-a", "false")
    do("secret", "--track-file", "secret", "propagate")
    do("tainted", "--taint-file", "secret", 33)
    copy("secret", "of-secret")
    copy("of-secret", "of-of-secret")
    copy("other", "of-other")
    do("secret again", "--file", "secret")
    do("of-of-secret", "--file", "of-of-secret")
    do("of-other", "--file", "of-other")


def running_process(do) -> None:
    """A process that has run since before it is tracked, and one that is not."""
    for name, tracked in (("tracked", True), ("untracked", False)):
        words = ["sh", "-c", WAITING, "other", f"by-{name}"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
            assert shell.stdin and shell.stdout
            shell.stdout.readline()
            if tracked:
                do("process", "--track-process", shell.pid, "propagate")
            shell.stdin.write(b"go\n")
            shell.stdin.flush()
            shell.wait()


def refusals(do) -> None:
    """What has no inode of its own; a pipe has one."""
    event, (reading, writing) = os.eventfd(0), os.pipe()
    with socket.socket(socket.AF_UNIX) as made:
        for name, fd in (("eventfd", event), ("socket", made.fileno()), ("pipe", writing)):
            do(name, "--track-file", f"/proc/{os.getpid()}/fd/{fd}", "true")
    do("pipe shown", "--file", f"/proc/{os.getpid()}/fd/{writing}")
    for fd in (event, reading, writing):
        os.close(fd)


if __name__ == "__main__":
    main()
