"""The guest keeps its promises: the host is safe, results come back, and nothing is left over."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from provcap.errors import GuestDied, GuestError
from provcap.vm import kernels
from provcap.vm.machine import Machine

pytestmark = pytest.mark.vm


def shell(machine: Machine, script: str) -> str:
    """What ``script`` prints in the guest; it must succeed."""
    result = machine.run(["sh", "-ec", script])
    assert result.status == 0, result
    return result.stdout.decode()


def children(pid: int) -> list[int]:
    """The processes that every thread of ``pid`` has started and not yet collected."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for task in tasks for word in task.read_text().split()]


def test_the_guest_runs_the_kernel_asked_for(machine):
    """The version is that of the image, not of the host."""
    assert shell(machine, "uname -r").strip() == machine.kernel.version


def test_bpf_is_an_active_security_module(machine):
    """Capture needs it, with no word of ours on the kernel command line."""
    assert "bpf" in shell(machine, "cat /sys/kernel/security/lsm").split(",")


def test_the_host_is_visible_under_its_own_names(machine):
    """A file of the host has the same path and content in the guest."""
    assert shell(machine, "cat /etc/debian_version") == Path("/etc/debian_version").read_text()


def test_the_checkout_is_visible_wherever_it_lies(machine):
    """The command starts in the caller's folder, and this very file is there."""
    assert shell(machine, "pwd").strip() == str(Path.cwd())
    assert shell(machine, f"cat {__file__}") == Path(__file__).read_text()


@pytest.mark.parametrize("place", ["/etc", "/usr", Path(__file__).parent])
def test_the_host_cannot_be_written(machine, place):
    """Not even after the guest has made its own mount writable."""
    result = machine.run(["sh", "-c", f"mount -o remount,rw /; touch {place}/provcap-was-here"])

    assert result.status != 0
    assert b"Read-only file system" in result.stderr
    assert not Path(place, "provcap-was-here").exists()


@pytest.mark.parametrize("place", ["/tmp", "/run", "/var/tmp", "/var/log", "/var/lib", "~"])
def test_writes_elsewhere_vanish(machine, place):
    """Programs can write where they are used to; the host sees nothing of it."""
    shell(machine, f"echo x >{place}/provcap-was-here; test -s {place}/provcap-was-here")

    assert not (Path(place).expanduser() / "provcap-was-here").exists()


def test_the_shared_folder_goes_both_ways(machine):
    """Under the same name inside and outside, at once in both directions."""
    (machine.share / "in").write_text("from the host")
    assert shell(machine, f"cat {machine.share}/in; echo from the guest >{machine.share}/out")
    assert (machine.share / "out").read_text() == "from the guest\n"

    (machine.share / "in").write_text("again")
    assert shell(machine, f"cat {machine.share}/in") == "again"


def test_status_and_output_come_back(machine):
    """Standard output and error stay apart, bytes stay bytes."""
    result = machine.run(["sh", "-c", r"printf '\000\377'; echo oh >&2; exit 7"])

    assert result == (7, b"\0\xff", b"oh\n")


def test_a_killed_command_has_the_status_a_shell_would_give(machine):
    """128 + the number of the signal."""
    assert machine.run(["sh", "-c", "kill -SEGV $$"]).status == 128 + signal.SIGSEGV


def test_standard_input_is_what_was_given_or_empty(machine):
    """A command that reads never hangs."""
    assert machine.run(["cat"], stdin=b"given\n" * 50000).stdout == b"given\n" * 50000
    assert machine.run(["cat"]).stdout == b""


def test_environment_and_folder_are_the_callers_choice(machine):
    """And nothing else is in the environment but what the guest needs."""
    result = machine.run(["sh", "-c", "pwd; echo $A"], cwd="/usr", env={"A": "b=c"})

    assert result.stdout == b"/usr\nb=c\n"


def test_output_is_handed_on_as_it_comes(machine):
    """A sink gets the first line long before the command ends."""
    arrivals: list[tuple[float, bytes]] = []
    machine.run(
        ["sh", "-c", "echo first; sleep 0.5; echo second"],
        stdout=lambda data: arrivals.append((time.monotonic(), data)),
    )

    assert [data for _, data in arrivals] == [b"first\n", b"second\n"]
    assert arrivals[1][0] - arrivals[0][0] > 0.25


def test_much_output_arrives_whole(machine):
    """More than any buffer on the way holds."""
    result = machine.run(["head", "-c", "4000000", "/dev/zero"])

    assert result.stdout == bytes(4000000)


def test_a_command_that_does_not_exist_is_127(machine):
    """With one message that names it."""
    result = machine.run(["no-such-command"])

    assert result.status == 127
    assert result.stderr == (
        b"cannot run no-such-command in the guest: No such file or directory\n"
    )


def test_a_folder_that_the_guest_lacks_is_not_blamed_on_the_command(machine):
    """The message names the folder."""
    result = machine.run(["true"], cwd="/tmp/no-such-folder")

    assert result.status == 126
    assert b"cannot enter the folder /tmp/no-such-folder (No such file" in result.stderr


def test_a_command_that_takes_too_long_is_stopped(machine):
    """The error says which; the guest lives on."""
    with pytest.raises(GuestError, match="sleep 60 did not end within 0.3 s") as caught:
        machine.run(["sleep", "60"], timeout_s=0.3)

    assert not isinstance(caught.value, GuestDied)
    assert "sleep 60" not in shell(machine, "ps -eo args")


def test_a_daemon_left_behind_holds_nothing_up(machine):
    """The command's own end counts, not that of the pipe its child still holds."""
    started = time.monotonic()
    pid = int(shell(machine, "sleep 60 & echo $!"))

    assert time.monotonic() - started < 20
    shell(machine, f"kill {pid}; while kill -0 {pid} 2>/dev/null; do :; done")


def test_modules_of_the_guest_kernel_load(machine):
    """By hand and on demand: the second line makes the kernel itself ask for one."""
    shell(machine, "modprobe loop; test -e /dev/loop-control")
    shell(
        machine,
        "mkdir -p /tmp/o/a /tmp/o/b /tmp/o/c /tmp/o/d; cd /tmp/o;"
        "mount -t overlay -o lowerdir=a,upperdir=b,workdir=c o d; umount d",
    )
    shell(machine, "ip link add v0 type veth peer name v1; ip link del v0")


def test_the_usual_file_systems_are_mounted(machine):
    """What a capture needs, and what programs expect."""
    mounted = {line.split()[1] for line in shell(machine, "cat /proc/mounts").splitlines()}

    assert mounted >= {
        *("/proc", "/sys", "/dev", "/dev/pts", "/dev/shm", "/sys/fs/cgroup", "/sys/fs/bpf"),
        *("/sys/kernel/tracing", "/sys/kernel/security"),
    }
    assert "UP" in shell(machine, "ip link show lo")
    assert shell(machine, "hostname") == "provcap-guest\n"


@pytest.mark.parametrize("name", ["6.12", "6.1"])
def test_a_guest_that_dies_is_told_from_a_command_that_fails(name):
    """The error shows the end of the console, and every process is gone."""
    before = children(os.getpid())
    with Machine(kernels.resolve(name)) as machine:
        assert machine.run(["false"]).status == 1
        with pytest.raises(GuestDied, match="Kernel panic - not syncing: sysrq triggered crash"):
            machine.run(["sh", "-c", "echo c >/proc/sysrq-trigger"])
        assert children(os.getpid()) == before
        with pytest.raises(GuestDied):
            machine.run(["true"])


def test_a_killed_parent_leaves_no_process():
    """SIGKILL gives no chance to clean up; the kernel does it."""
    script = (
        "import time; from provcap.vm import kernels, machine\n"
        "with machine.Machine(kernels.resolve('6.1')): print('up', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"up\n"
    helpers = children(parent.pid)
    parent.kill()
    parent.communicate()

    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}/exe").exists() for pid in helpers):
        assert time.monotonic() < deadline, helpers
        time.sleep(0.05)
    assert len(helpers) == 2


def test_vm_run_shows_output_and_passes_the_status_on(tmp_path):
    """The whole command, from outside, in a pipe: output only, no progress."""
    out = tmp_path / "out"
    script = f"echo said; echo kept >{out}/file; exit 3"
    words = ["vm", "run", "--kernel", "6.1", "--no-record", "--out", str(out), "--"]
    words += ["sh", "-c", script]
    done = subprocess.run([sys.executable, "-m", "provcap.cli.main", *words], capture_output=True)

    assert (done.returncode, done.stdout, done.stderr) == (3, b"said\n", b"")
    assert (out / "file").read_text() == "kept\n"
