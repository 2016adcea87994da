"""The first process of the guest: takes commands from the host, sends back what they print.

It is started with a bare interpreter and imports next to nothing, because every module costs tens
of milliseconds on an emulated CPU. Each message, either way, is one letter, the length of what
follows (4 bytes, big-endian) and that many bytes:

    host to guest   R  run: working directory, number of arguments, arguments, NAME=value..., joined
                       by NUL bytes
                    I  what the next command reads from its standard input
                    K  kill the running command
    guest to host   H  the guest is ready
                    O  a piece of standard output         E  a piece of standard error
                    F  the command cannot be started: the error number and its text, with a space
                    X  the command ended: its status (128 + the signal that killed it)
"""

import _signal  # type: ignore[import-not-found]  # signal itself would bring enum, re, ...
import errno
import os
import select
import sys

CHUNK = 65536
"""Bytes moved at once."""


def find_port() -> int:
    """Open the one virtio-serial port; its number depends on the order of the devices."""
    name = next(name for name in os.listdir("/dev") if name.startswith("vport"))  # noqa: PTH208
    return os.open(f"/dev/{name}", os.O_RDWR)


def serve(port: int) -> None:
    """Serve the host until it hangs up."""
    send(port, b"H")
    stdin = b""
    while True:
        kind, payload = receive(port)
        if kind == b"R":
            run(port, payload, stdin)
            stdin = b""
        elif kind == b"I":
            stdin = payload
        elif kind == b"":
            return


def send(port: int, kind: bytes, payload: bytes = b"") -> None:
    """Send one whole message."""
    data = kind + len(payload).to_bytes(4, "big") + payload
    while data:
        data = data[os.write(port, data) :]


def receive(port: int) -> tuple[bytes, bytes]:
    """The next message; an empty kind when the host hung up."""
    head = _exactly(port, 5)
    return head[:1], _exactly(port, int.from_bytes(head[1:], "big"))


def _exactly(port: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(port, min(size, CHUNK))
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def run(port: int, payload: bytes, stdin: bytes) -> None:
    """Run one command to its end and report it."""
    working_dir, count, *words = payload.split(b"\0")
    arguments, settings = words[: int(count)], words[int(count) :]
    environment = dict(setting.split(b"=", 1) for setting in settings)
    out, err, failed = os.pipe(), os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        become(working_dir, arguments, environment, stdin, (out[1], err[1], failed[1]))
    for pair in (out, err, failed):
        os.close(pair[1])
    problem = b""
    while part := os.read(failed[0], CHUNK):
        problem += part
    os.close(failed[0])
    relay(port, child, {out[0]: b"O", err[0]: b"E"})
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.sync()  # pages that a command mapped and dirtied in the shared folder reach the host
    if problem:
        send(port, b"F", problem)
    send(port, b"X", b"%d" % (status if status >= 0 else 128 - status))


def become(
    working_dir: bytes,
    arguments: list[bytes],
    environment: dict[bytes, bytes],
    stdin: bytes,
    ends: tuple[int, int, int],
) -> None:
    """Turn this new process into the command; what prevents it goes into the last of ``ends``."""
    try:
        os.setsid()
        os.dup2(_input(stdin), 0)
        os.dup2(ends[0], 1)
        os.dup2(ends[1], 2)
        # ignored by Python, and a program inherits what is ignored
        _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
        _signal.signal(_signal.SIGXFSZ, _signal.SIG_DFL)
        enter(working_dir, ends[2])
        os.execvpe(arguments[0], arguments, environment)
    except OSError as error:
        number = error.errno or errno.EIO
        os.write(ends[2], b"%d " % number + (os.strerror(number)).encode())
    finally:
        os._exit(127)


def enter(working_dir: bytes, failed: int) -> None:
    """Change to ``working_dir``; if that fails, say that it is the folder which is missing."""
    try:
        os.chdir(working_dir)
    except OSError as error:
        os.write(failed, b"%d cannot enter the folder " % errno.ENOTDIR + working_dir)
        os.write(failed, b" (%s)" % os.strerror(error.errno or errno.EIO).encode())
        os._exit(127)


def _input(content: bytes) -> int:
    if not content:
        return os.open("/dev/null", os.O_RDONLY)
    fd = os.memfd_create("stdin")
    while content:
        content = content[os.write(fd, content) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def relay(port: int, child: int, kinds: dict[int, bytes]) -> None:
    """Pass on what ``child`` prints, until it has ended and its pipes hold no more.

    A pipe may stay open: a daemon that the command left behind inherits it. So the end of the
    command, not the end of the pipe, ends the reading.
    """
    ended = os.pidfd_open(child)
    poll = select.poll()
    for fd in (port, ended, *kinds):
        poll.register(fd, select.POLLIN)
    running = True
    while running or kinds:
        ready = [fd for fd, _ in poll.poll(None if running else 0)]
        for fd in ready:
            if fd in kinds and not _pass(port, fd, kinds[fd]):
                poll.unregister(fd)
                os.close(fd)
                del kinds[fd]
        if ended in ready:
            running = False
            poll.unregister(ended)
        if port in ready and running:
            _obey(port, child)
        if not running and not any(fd in kinds for fd in ready):
            break
    for fd in (ended, *kinds):
        os.close(fd)


def _pass(port: int, source: int, kind: bytes) -> bool:
    """Send on one piece of ``source``; False at its end."""
    data = os.read(source, CHUNK)
    if data:
        send(port, kind, data)
    return bool(data)


def _obey(port: int, child: int) -> None:
    kind, _ = receive(port)
    if kind == b"":
        sys.exit(0)
    if kind == b"K":
        os.killpg(child, _signal.SIGKILL)


def reap(agent: int) -> None:
    """Collect whatever ends, as the first process must; returns when the agent itself has ended."""
    while os.wait()[0] != agent:
        pass


if __name__ == "__main__":
    agent = os.fork()
    if agent:
        reap(agent)  # the first process then ends too, the kernel panics, and the host sees it
    else:
        serve(find_port())
