"""The ``camflow`` command: looks at the capture that is loaded on this kernel, and steers it.

    camflow -s
    camflow --track-file /etc/passwd propagate

One operation per invocation, in the words of CamFlow's command of the same name. Where the two
differ is told in docs/reference/camflow.md.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import provcap
from provcap.capture import counters
from provcap.cli.outcome import outcome
from provcap.errors import SetupError, UsageError
from provcap.policy import apply, report, targets
from provcap.policy.apply import Control
from provcap.policy.model import (
    Change,
    Policy,
    Seen,
    boolean,
    opaqueness,
    stepped,
    suggestion,
    taint,
    tracking,
    with_node_filter,
    with_relation_filter,
    without_filters,
)
from provcap.services.origin import origin

FOLLOWED = "camflow-cli 0.2.3"
_GREEN, _YELLOW, _PLAIN = "\033[32m", "\033[33m", "\033[0m"

Connect = Callable[[], AbstractContextManager[Control]]


class Flag(NamedTuple):
    """One operation: its parameters by name, one line on it, an example of them, what it does."""

    parameters: tuple[str, ...]
    meaning: str
    example: str
    run: Callable[..., None]  # takes what connects to the capture, then the parameters


def main(argv: Sequence[str] | None = None, connect: Connect = apply.opened) -> int:
    """Do the one operation that is asked for; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    return outcome("camflow", lambda: _run(words, connect))


def _run(words: list[str], connect: Connect) -> int:
    if not words:
        raise UsageError("nothing to do: name one operation (camflow -h lists them)")
    name, parameters = _ALIASES.get(words[0], words[0]), words[1:]
    flag = _flag(name)
    if len(parameters) != len(flag.parameters):
        raise UsageError(
            f"{name} takes {_counted(flag.parameters)}, got {len(parameters)} "
            f"(example: {_line(name, flag)}; one operation per invocation)"
        )
    flag.run(connect, *parameters)
    return 0


def _flag(name: str) -> Flag:
    """The operation of this name; UsageError, with the nearest, if there is none."""
    if name in FLAGS:
        return FLAGS[name]
    if name in UNSUPPORTED:
        raise SetupError(f"{name} is not supported yet: {UNSUPPORTED[name]}")
    hint = suggestion(name.partition("=")[0], FLAGS) or " (camflow -h lists the flags)"
    raise UsageError(f'unknown flag "{name}"{hint}')


def _counted(parameters: tuple[str, ...]) -> str:
    return " ".join(parameters) if parameters else "nothing behind it"


def _line(name: str, flag: Flag) -> str:
    return f"camflow {name} {flag.example}".rstrip()


def _help(_connect: Connect) -> None:
    print("\n".join(_help_lines(colours=sys.stdout.isatty())))


def _help_lines(colours: bool) -> Iterable[str]:
    green, yellow, plain = (_GREEN, _YELLOW, _PLAIN) if colours else ("", "", "")
    yield "usage: camflow FLAG [PARAMETER]...\n"
    yield "Looks at the capture that is loaded on this kernel and steers it."
    for name, flag in FLAGS.items():
        parameters = "".join(f" {yellow}{word}{plain}" for word in flag.parameters)
        yield f"\n{green}{name}{plain}{parameters}\n    {flag.meaning}"
        yield f"    {_line(name, flag)}"
    yield "\nFlags of CamFlow that are not supported yet:"
    yield from (f"    {name}" for name in UNSUPPORTED)


def _versions(_connect: Connect) -> None:
    print(f"provcap v{provcap.__version__}\n\n{FOLLOWED} is the program whose flags these are")


def _state(connect: Connect) -> None:
    with connect() as control:
        given = counters.read(control.capture, control.layout).given
        policy = control.policy()
        digest, written = control.policy_hash(policy), any(given.values())
        print("\n".join(report.state(policy, digest, origin(), written)))


def _hash(connect: Connect) -> None:
    with connect() as control:
        print(control.policy_hash(control.policy()))


def _drop(connect: Connect) -> None:
    with connect() as control:
        lost = counters.read(control.capture, control.layout).lost
    print(f"Graph elements dropped: \t\t{lost}")


def _edit(connect: Connect, edit: Callable[[Policy], Policy]) -> None:
    with connect() as control:
        control.change_policy(edit)


def _enable(connect: Connect, word: str) -> None:
    on = boolean(word)
    _edit(connect, lambda policy: policy._replace(enabled=on))


def _all(connect: Connect, word: str) -> None:
    on = boolean(word)
    _edit(connect, lambda policy: policy._replace(all=on))


def _compress_edge(connect: Connect, word: str) -> None:
    on = boolean(word)
    _edit(connect, lambda policy: policy._replace(repeat_edges=not on))


def _node_filter(connect: Connect, name: str, word: str) -> None:
    on = boolean(word)
    with_node_filter(Policy(), name, on)  # a wrong name is told without any capture
    _edit(connect, lambda policy: with_node_filter(policy, name, on))


def _edge_filter(connect: Connect, name: str, word: str) -> None:
    on = boolean(word)
    with_relation_filter(Policy(), name, on)
    _edit(connect, lambda policy: with_relation_filter(policy, name, on))


def _node_propagate_filter(connect: Connect, name: str, word: str) -> None:
    on, field = boolean(word), "propagate_node_filter"
    with_node_filter(Policy(), name, on, field)
    _edit(connect, lambda policy: with_node_filter(policy, name, on, field))


def _edge_propagate_filter(connect: Connect, name: str, word: str) -> None:
    on, field = boolean(word), "propagate_relation_filter"
    with_relation_filter(Policy(), name, on, field)
    _edit(connect, lambda policy: with_relation_filter(policy, name, on, field))


def _reset_filter(connect: Connect) -> None:
    _edit(connect, without_filters)


def _change_epoch(connect: Connect) -> None:
    _edit(connect, lambda policy: policy._replace(epoch=stepped(policy.epoch)))


def _file(connect: Connect, path: str) -> None:
    with targets.opened_file(path) as fd, connect() as control:
        kind = targets.kind_of(fd)
        print("\n".join(report.file(_markable(control, fd, path), kind, origin())))


def _process(connect: Connect, pid: str) -> None:
    with targets.opened_process(pid) as pidfd, connect() as control:
        print("\n".join(report.process(control.process(pidfd), origin())))


def _marks_file(reading: Callable[[str], Change]) -> Callable[[Connect, str, str], None]:
    """The operation that asks for the change of a file that ``reading`` makes of a word."""

    def run(connect: Connect, path: str, word: str) -> None:
        change = reading(word)
        with targets.opened_file(path) as fd, connect() as control:
            targets.require_lasting(fd, path)
            _markable(control, fd, path)
            control.mark_file(fd, change)
            targets.kind_of(fd)  # shows the file to the capture, which takes the mark over

    return run


def _marks_process(reading: Callable[[str], Change]) -> Callable[[Connect, str, str], None]:
    """As ``_marks_file``, for a process."""

    def run(connect: Connect, pid: str, word: str) -> None:
        change = reading(word)
        with targets.opened_process(pid) as pidfd, connect() as control:
            control.mark_process(pidfd, change)

    return run


def _markable(control: Control, fd: int, path: str) -> Seen:
    """What is known of the file; SetupError if its inode stands for others, too."""
    seen = control.file(fd)
    if seen.shared:
        raise SetupError(
            f"{path}: cannot be marked: unrelated descriptors share its inode "
            "(mark the process that uses it)"
        )
    return seen


_BOOL, _TRACK = "true|false", "true|false|propagate"
_BIT = "BIT"

FLAGS = {
    "-h": Flag((), "print this text", "", _help),
    "-v": Flag((), "print the version", "", _versions),
    "-s": Flag((), "print the state of the capture", "", _state),
    "-p": Flag((), "print the hash of the policy", "", _hash),
    "-e": Flag((_BOOL,), "switch capture on or off", "false", _enable),
    "-a": Flag((_BOOL,), "record the whole system, or only what is tracked", "false", _all),
    "--compress-edge": Flag(
        (_BOOL,),
        "leave out operations that the graph already has, or record every one",
        "false",
        _compress_edge,
    ),
    "--file": Flag(("PATH",), "print what is known of a file", "/etc/passwd", _file),
    "--track-file": Flag(
        ("PATH", _TRACK),
        "track a file; propagate: and all that comes of it",
        "/etc/passwd propagate",
        _marks_file(tracking),
    ),
    "--taint-file": Flag(
        ("PATH", _BIT), "add a taint bit (0 to 63) to a file", "/etc/passwd 5", _marks_file(taint)
    ),
    "--opaque-file": Flag(
        ("PATH", _BOOL),
        "record nothing that touches a file, or record it again",
        "/bin/bash true",
        _marks_file(opaqueness),
    ),
    "--process": Flag(("PID",), "print what is known of a process", "1", _process),
    "--track-process": Flag(
        ("PID", _TRACK),
        "track a process; propagate: and all that comes of it",
        "4711 propagate",
        _marks_process(tracking),
    ),
    "--taint-process": Flag(
        ("PID", _BIT), "add a taint bit (0 to 63) to a process", "4711 5", _marks_process(taint)
    ),
    "--opaque-process": Flag(
        ("PID", _BOOL),
        "record nothing that a process does, or record it again",
        "4711 true",
        _marks_process(opaqueness),
    ),
    "--node-filter": Flag(
        ("TYPE", _BOOL),
        "leave a node type out, or record it again",
        "directory true",
        _node_filter,
    ),
    "--edge-filter": Flag(
        ("RELATION", _BOOL),
        "leave a relation out, or record it again",
        "getattr true",
        _edge_filter,
    ),
    "--node-propagate-filter": Flag(
        ("TYPE", _BOOL),
        "keep tracking from spreading into a node type, or let it",
        "directory false",
        _node_propagate_filter,
    ),
    "--edge-propagate-filter": Flag(
        ("RELATION", _BOOL),
        "keep tracking from spreading along a relation, or let it",
        "mmap_private true",
        _edge_propagate_filter,
    ),
    "--reset-filter": Flag((), "set all filters to what a capture begins with", "", _reset_filter),
    "--change-epoch": Flag(
        (), "send every node and name again with its next use", "", _change_epoch
    ),
    "--drop": Flag((), "print how much was lost", "", _drop),
}
_ALIASES = {"--help": "-h", "--version": "-v"}

#: flags of CamFlow that are known and not there yet -> how things stand without them
UNSUPPORTED = {
    "-c": "the state is printed by -s, and there is no configuration file yet",
    "--duplicate": "a node is sent once for each of its versions",
    "--enable-version": "versions are always made: without them the graph would have cycles",
    "--compress-node": "a version is always made only where the graph would have a cycle",
    "--track-ipv4-ingress": "mark the process with --track-process",
    "--track-ipv4-egress": "mark the process with --track-process",
    "--track-secctx": "mark files with --track-file or processes with --track-process",
    "--track-cgroup": "mark processes with --track-process",
    "--track-user": "mark processes with --track-process",
    "--track-group": "mark processes with --track-process",
}


if __name__ == "__main__":
    sys.exit(main())
