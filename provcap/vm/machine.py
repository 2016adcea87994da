"""Boots a guest: an unmodified kernel in QEMU, the host's files read-only, commands on demand.

Public: :class:`Machine`, :class:`Result`. One boot serves many commands; nothing survives it.

    with Machine(resolve("6.12"), share=Path("out")) as machine:
        result = machine.run(["uname", "-r"])

Every process started here is told by the kernel to end with its parent, and everything it needs is
handed over as an open descriptor, so even a killed parent leaves no process, socket or file behind.
"""

import os
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from provcap.errors import GuestDied, GuestError, SetupError
from provcap.vm import initramfs, kvm, layout
from provcap.vm.kernels import Kernel

BOOT_ATTEMPTS = 3
"""Under emulation about one boot in ten panics early, before any command."""
BOOT_TIMEOUT_S = 120.0
CONSOLE_TAIL_LINES = 25
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Handle = IO[bytes] | socket.socket
Sink = Callable[[bytes], object]
"""Takes each piece of output as it comes."""


class Result(NamedTuple):
    """How a command ended. Output that went to a sink is empty here."""

    status: int
    """Its exit status, or 128 + the signal that killed it; 127 or 126 if it could not start."""
    stdout: bytes
    stderr: bytes


class Machine:
    """A guest that is up between ``__enter__`` and ``__exit__``."""

    def __init__(
        self,
        kernel: Kernel,
        *,
        cpus: int | None = None,
        memory_mib: int = 2048,
        share: Path | None = None,
        kernel_args: Sequence[str] = (),
        devices: Sequence[str] = (),
        icount: bool = False,
        report: Callable[[str], object] = lambda step: None,
    ) -> None:
        """Describe the guest; nothing is started yet.

        ``share`` is the one folder of the host that the guest may write to (made if absent), seen
        there under the same path. ``cpus`` run at the same time; if nothing is said, there are 2
        that take turns. With ``icount`` one guest instruction takes one nanosecond of all clocks,
        on 1 CPU if nothing is said; all take turns. ``devices`` are further ones, in QEMU's
        words. ``report`` is told each step of the boot.
        """
        self.kernel = kernel
        self.share = share.resolve() if share else None
        self._cpus = cpus or (1 if icount else 2)
        self._at_once = cpus is not None
        self._memory_mib = memory_mib
        self._kernel_args = tuple(kernel_args)
        self._devices = tuple(devices)
        self._icount = icount
        self._report = report
        self._environment: dict[str, str] = {}
        self._open = ExitStack()
        self._helpers: list[subprocess.Popen[bytes]] = []
        self._last_words = ""

    def __enter__(self) -> Self:
        """Boot; raises SetupError for a missing tool and GuestDied when no attempt came up."""
        if self.share:
            self.share.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, BOOT_ATTEMPTS + 1):
            self._report(f"booting {self.kernel.version}" + (f" (try {attempt})" * (attempt > 1)))
            try:
                self._boot()
                return self
            except GuestDied:
                self.close()
                if attempt == BOOT_ATTEMPTS:
                    raise
            except BaseException:
                self.close()
                raise
        raise AssertionError("unreachable")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the guest."""
        self.close()

    def close(self) -> None:
        """End every process of the guest and wait for it; safe to call twice."""
        self._last_words = self.console()
        self._helpers.clear()
        self._open.close()

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        stdout: Sink | None = None,
        stderr: Sink | None = None,
        cwd: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        timeout_s: float | None = 120.0,
    ) -> Result:
        """Run ``command`` in the guest to its end.

        Empty ``stdin`` means /dev/null. ``cwd`` defaults to the caller's; ``env`` to a search path,
        HOME and a UTF-8 locale. A command that cannot start gives 127 (not found) or 126 and says
        so on its standard error. Processes it leaves behind go on, but their output is lost.
        Raises GuestDied when the guest does, GuestError after ``timeout_s``.
        """
        if stdin:
            self._send(b"I", stdin)
        self._send(b"R", _request(command, cwd or Path.cwd(), self._complete(env)))
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        collected: dict[bytes, list[bytes]] = {b"O": [], b"E": []}
        sinks = {b"O": stdout or collected[b"O"].append, b"E": stderr or collected[b"E"].append}
        try:
            status = self._relay(command[0], sinks, deadline)
        except TimeoutError:
            self._kill_command()
            said = b"".join(collected[b"O"] + collected[b"E"])[-2000:].decode(errors="replace")
            text = f"{shlex.join(command)} did not end within {timeout_s:g} s in the guest"
            raise GuestError(f"{text}; it said: {said}" if said else text) from None
        except BaseException:
            self.close()  # a sink failed or the user interrupted: the channel is in mid-command
            raise
        return Result(status, b"".join(collected[b"O"]), b"".join(collected[b"E"]))

    def console(self) -> str:
        """What the guest kernel, and the helpers on the host, have printed so far."""
        if not self._helpers:
            return self._last_words
        return os.pread(self._console.fileno(), 1 << 20, 0).decode(errors="replace")

    def _boot(self) -> None:
        plan = layout.plan(self.share, self.kernel.modules, Path.cwd(), Path.home())
        self._environment = plan.environment
        # several processes write to the console file, so every write must append
        self._console = self._open.enter_context(tempfile.TemporaryFile("ab+"))  # noqa: SIM115
        initrd = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        initrd.write(initramfs.build(self.kernel.modules, _first_files(plan)))
        initrd.flush()
        folders = {"host": self._serve_folder(Path("/"), read_only=True)}
        if self.share:
            folders["share"] = self._serve_folder(self.share, read_only=False)
        self._channel, theirs = socket.socketpair()
        self._open.enter_context(self._channel)
        kvm_works = not self._icount and kvm.works(self.kernel.vmlinuz)
        command = self._qemu(initrd, folders, theirs, kvm_works)
        passed: list[Handle] = [initrd, theirs, *folders.values()]
        self._start(command, passed)
        for handle in passed:
            handle.close()  # QEMU holds its own; with ours closed, its end is seen as an end
        self._await_ready()

    def _qemu(
        self,
        initrd: IO[bytes],
        folders: dict[str, socket.socket],
        channel: socket.socket,
        kvm_works: bool,
    ) -> list[str]:
        """The QEMU command line; each descriptor in it is inherited under its own number."""
        memory = f"{self._memory_mib}M"
        command = [_tool("qemu-system-x86_64", "qemu-system-x86"), "-nodefaults", "-no-user-config"]
        command += ["-display", "none", "-no-reboot", "-smp", str(self._cpus), "-m", memory]
        command += ["-machine", "q35,memory-backend=memory"]
        # virtiofsd reads and writes the guest's memory, so it must be shared
        command += ["-object", f"memory-backend-memfd,id=memory,size={memory},share=on"]
        command += _accelerator(kvm_works, self._icount, self._at_once)
        command += [
            "-chardev",
            "file,id=console,append=on,path=/proc/self/fd/1",
            "-serial",
            "chardev:console",
        ]
        command += ["-chardev", f"socket,id=agent,fd={channel.fileno()}"]
        command += ["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=agent,nr=1"]
        for tag, handle in folders.items():
            command += ["-chardev", f"socket,id={tag},fd={handle.fileno()}"]
            command += ["-device", f"vhost-user-fs-pci,chardev={tag},tag={tag},queue-size=1024"]
        for device in self._devices:
            command += ["-device", device]
        command += ["-kernel", str(self.kernel.vmlinuz)]
        command += ["-initrd", f"/proc/self/fd/{initrd.fileno()}"]
        return [*command, "-append", " ".join(self._kernel_line())]

    def _kernel_line(self) -> list[str]:
        # panic=-1 reboots at once, which -no-reboot turns into an end of QEMU
        line = ["console=ttyS0", "quiet", "panic=-1", "random.trust_cpu=on"]
        return [*line, *(["tsc=reliable"] if self._icount else []), *self._kernel_args]

    def _serve_folder(self, folder: Path, read_only: bool) -> socket.socket:
        """Start a virtiofsd for ``folder``; returns the connected socket for QEMU.

        The socket is connected before virtiofsd starts and its name is gone at once, so nobody
        else can be the one client that virtiofsd takes.
        """
        command = [_virtiofsd(), "-o", f"source={folder}", "-o", "sandbox=chroot", "-f"]
        # what the host does to the shared folder must show in the guest at once
        caching = ["-o", "cache=always"] if read_only else ["-o", "cache=auto", "-o", "timeout=0"]
        listener, client = _connected_pair()
        with listener:
            command += [*caching, "-o", "log_level=err", f"--fd={listener.fileno()}"]
            self._start(_read_only(command) if read_only else command, [listener])
        return self._open.enter_context(client)

    def _start(
        self,
        command: list[str],
        passed: Sequence[Handle],
    ) -> None:
        """Start a helper that ends with us, out of reach of the terminal's Ctrl-C."""
        bound = [_tool("setpriv", "util-linux"), "--pdeathsig", "KILL", "--", *command]
        process = subprocess.Popen(
            bound,
            stdin=subprocess.DEVNULL,
            stdout=self._console,
            stderr=self._console,
            pass_fds=[handle.fileno() for handle in passed],
            start_new_session=True,
        )
        self._open.callback(_end, process)
        self._helpers.append(process)

    def _await_ready(self) -> None:
        try:
            kind, _ = self._receive(time.monotonic() + BOOT_TIMEOUT_S)
        except TimeoutError:
            raise self._death(f"did not come up within {BOOT_TIMEOUT_S:g} s") from None
        if kind != b"H":
            raise self._death("spoke nonsense")

    def _complete(self, env: Mapping[str, str] | None) -> dict[str, str]:
        basic = {"PATH": SEARCH_PATH, "HOME": str(Path.home()), "LANG": "C.UTF-8"}
        return {**self._environment, **(basic if env is None else env)}

    def _relay(self, name: str, sinks: dict[bytes, Sink], deadline: float | None) -> int:
        """Hand every piece of output to its sink until the command ends; returns its status."""
        refused = 0
        while True:
            kind, payload = self._receive(deadline)
            if kind == b"X":
                return refused or int(payload)
            if kind == b"F":
                number, _, text = payload.decode().partition(" ")
                refused = 127 if int(number) == 2 else 126
                sinks[b"E"](f"cannot run {name} in the guest: {text}\n".encode())
            else:
                sinks[kind](payload)

    def _kill_command(self) -> None:
        """Stop a command that took too long; the guest is given up if that does not help."""
        try:
            self._send(b"K")
            self._relay("", {b"O": len, b"E": len}, time.monotonic() + 10)
        except (TimeoutError, GuestDied):
            self.close()

    def _send(self, kind: bytes, payload: bytes = b"") -> None:
        try:
            self._channel.sendall(kind + len(payload).to_bytes(4, "big") + payload)
        except OSError:
            raise self._death("died") from None

    def _receive(self, deadline: float | None) -> tuple[bytes, bytes]:
        """The agent's next message; TimeoutError at ``deadline``, GuestDied when it is gone."""
        head = self._read(5, deadline)
        return head[:1], self._read(int.from_bytes(head[1:], "big"), deadline)

    def _read(self, size: int, deadline: float | None) -> bytes:
        data = b""
        while len(data) < size:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if left == 0:
                raise TimeoutError
            if select.select([self._channel], [], [], min(left or 1, 1))[0]:
                data += self._part(size - len(data))
            elif any(helper.poll() is not None for helper in self._helpers):
                raise self._death("lost its file system")
        return data

    def _part(self, size: int) -> bytes:
        """What is there of the next ``size`` bytes; GuestDied at the end of the channel."""
        try:
            part = self._channel.recv(size)
        except OSError:
            part = b""  # QEMU ended with something of ours unread
        if not part:
            raise self._death("died")
        return part

    def _death(self, what: str) -> GuestDied:
        """The error to raise, with the tail of the console; the guest is ended for good."""
        tail = _tail(self.console())
        self.close()
        return GuestDied(f"the guest ({self.kernel.version}) {what}; its console ends with\n{tail}")


def _tail(console: str) -> str:
    """The end of ``console``; after a panic, the lines that led to it rather than the registers."""
    lines = console.splitlines()
    panic = next((at for at, line in enumerate(lines) if "Kernel panic" in line), len(lines))
    return "\n".join(lines[: panic + 1][-CONSOLE_TAIL_LINES:]) or "(its console is empty)"


def _request(command: Sequence[str], cwd: Path | str, env: Mapping[str, str]) -> bytes:
    """The body of a request to run ``command``, as agent.py describes it."""
    settings = (f"{name}={value}" for name, value in env.items())
    fields: Iterable[str] = (str(cwd), str(len(command)), *command, *settings)
    return b"\0".join(os.fsencode(field) for field in fields)


def _first_files(plan: layout.Layout) -> dict[str, bytes]:
    """What guest_init.sh finds beside it in the initramfs."""
    package = resources.files("provcap.vm")
    # the bare interpreter: a virtual environment and site packages only cost time
    agent = [os.path.realpath(sys.executable), "-I", "-S", str(package / "agent.py")]
    return {
        "init": (package / "guest_init.sh").read_bytes(),
        "start": f"set -- {shlex.join(agent)}\n".encode(),
        "covers": os.fsencode(plan.covers),
        "skeleton.tar": plan.skeleton,
        "binds": os.fsencode(plan.binds),
    }


def _accelerator(kvm_works: bool, icount: bool, at_once: bool) -> list[str]:
    if icount:
        steady = ["-icount", "shift=0,sleep=off"]
        return ["-accel", "tcg,thread=single", "-cpu", "max", *steady]
    if kvm_works:
        return ["-accel", "kvm", "-cpu", "host"]
    # Attaching patches the kernel's code. Emulated beside the CPU that patches, another one may
    # keep what it translated just before: the guest dies of a breakpoint that is gone by now.
    threads = "multi" if at_once else "single"
    # with erms the kernel copies by "rep movsb", of which each byte is a turn of a loop here: a
    # load takes half as long again
    return ["-accel", f"tcg,thread={threads}", "-cpu", "max,-erms"]


def _connected_pair() -> tuple[socket.socket, socket.socket]:
    """A listening socket with one client already waiting, and that client; no name is left."""
    listener = socket.socket(socket.AF_UNIX)
    client = socket.socket(socket.AF_UNIX)
    with tempfile.TemporaryDirectory(prefix="provcap-") as folder:
        listener.bind(f"{folder}/socket")
        listener.listen(1)
        client.connect(f"{folder}/socket")
    return listener, client


def _read_only(command: list[str]) -> list[str]:
    """``command`` in a mount namespace where nothing can be written, whatever the guest tries.

    Where namespaces are not allowed (some containers) the guest's own read-only mount must do.
    """
    unshare = shutil.which("unshare")
    private = [unshare or "unshare", "--mount", "--propagation", "private"]
    if not unshare or subprocess.run([*private, "true"], capture_output=True).returncode:
        return command
    remount = (
        "while read -r _ _ _ _ point _; do "
        'mount -o remount,bind,ro "$(printf %b "$point")" 2>/dev/null; done </proc/self/mountinfo; '
        'if touch / 2>/dev/null; then echo "cannot make / read-only" >&2; exit 1; fi; '
        'exec "$@"'
    )
    return [*private, "sh", "-c", remount, "sh", *command]


def _virtiofsd() -> str:
    found = shutil.which("virtiofsd", path="/usr/lib/qemu:/usr/libexec:/usr/libexec/qemu:/usr/bin")
    if not found:
        raise SetupError("virtiofsd is missing: apt-get install qemu-system-common virtiofsd")
    return found


def _tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if not found:
        raise SetupError(f"{name} is missing: apt-get install {package}")
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()  # nothing in it needs saving: what the guest wrote to the share is on the host
    process.wait()
