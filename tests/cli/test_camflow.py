"""The camflow command, over a capture in memory: what it says, what it changes, its status."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provcap.bpf.layout import object_layout
from provcap.cli import camflow
from provcap.errors import SetupError
from provcap.policy.apply import Control
from provcap.records import Origin
from tests.policy.fake import FakeCapture, connected

pytestmark = pytest.mark.object

GOLDEN = Path(__file__).parents[1] / "golden/camflow"
ENABLED, ALL, REPEAT, ADOPT = 4, 8, 1, 2

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def capture(kernel_object: bytes) -> FakeCapture:
    return FakeCapture(object_layout(kernel_object))


@pytest.fixture
def run(
    capture: FakeCapture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """A function: words to status, output and errors."""
    monkeypatch.setattr(camflow, "origin", lambda: Origin(28, 509509127, 0, {}))

    def run(*words: object) -> tuple[int, str, str]:
        status = camflow.main([str(word) for word in words], lambda: connected(capture))
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "file").touch()
    return str(tmp_path / "file")


def done(result: tuple[int, str, str]) -> str:
    """What an operation printed that must have succeeded."""
    assert (result[0], result[2]) == (0, "")
    return result[1]


def refused(result: tuple[int, str, str], status: int) -> str:
    """What an operation said that must have failed, and printed nothing else."""
    assert (result[0], result[1]) == (status, "")
    assert result[2].startswith("camflow: ")
    return result[2].removeprefix("camflow: ").rstrip("\n")


def test_the_state_has_the_shape_that_camflow_prints(run: Run, capture: FakeCapture) -> None:
    """Filters with CamFlow's masks and names; lists of rules that are not there are empty."""
    for name in ("envp", "char", "directory", "inode_unknown"):
        done(run("--node-filter", name, "true"))
    for name in ("getattr", "perm_check", "rmdir", "write"):
        done(run("--edge-filter", name, "true"))
    done(run("-a", "false"))
    done(run("--compress-edge", "false"))
    capture.count(seq=7)
    digest = done(run("-p")).strip()

    assert re.fullmatch("[0-9A-F]{64}", digest)
    expected = (GOLDEN / "state.txt").read_text()
    assert done(run("-s")) == expected.replace("HASH", digest)


def test_the_state_says_that_nothing_was_captured_yet(run: Run) -> None:
    assert "- provenance was not captured;\n" in done(run("-s"))


def test_the_hash_is_that_of_the_policy_and_of_nothing_that_only_counts(run: Run) -> None:
    """An epoch is no other policy; a filter is, and without it the policy is the first again."""
    first = done(run("-p"))
    done(run("--change-epoch"))
    assert done(run("-p")) == first
    done(run("--node-filter", "directory", "true"))
    assert done(run("-p")) != first
    done(run("--reset-filter"))
    assert done(run("-p")) == first


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (("-e", "false"), "switches", ALL | ADOPT),
        (("-e", "true"), "switches", ENABLED | ALL | ADOPT),
        (("-a", "false"), "switches", ENABLED | ADOPT),
        (("--compress-edge", "false"), "switches", ENABLED | ALL | ADOPT | REPEAT),
        (("--compress-edge", "true"), "switches", ENABLED | ALL | ADOPT),
        (("--change-epoch",), "epoch", 6),
        (("--node-filter", "directory", "true"), "node_filter", 1 << 8 | 1 << 27),
        (("--node-filter", "stream", "false"), "node_filter", 0),
        (("--edge-filter", "named", "true"), None, None),
        (("--node-propagate-filter", "directory", "false"), "propagate_node_filter", 0),
        (("--edge-propagate-filter", "write", "true"), "propagate_relation_filter", (1 << 26, 0)),
        (("--reset-filter",), "relation_filter", (0, 0)),
    ],
)
def test_an_operation_changes_one_field_and_keeps_the_others(
    run: Run, capture: FakeCapture, words: tuple[str, ...], field: str, value: object
) -> None:
    """The recorder may be in the middle of taking in what was there before: ADOPT stays."""
    before = {
        "epoch": 5,
        "generation": 9,
        "switches": ENABLED | ALL | ADOPT,
        "node_filter": 1 << 27,
        "relation_filter": (1 << 3, 1 << 20),
        "propagate_node_filter": 0,
        "propagate_relation_filter": (0, 0),
    }
    capture.write("policy", "prov_policy", bytes(4), before)
    status, _, _ = run(*words)
    changed = {} if field is None else {field: value}
    if words[0] == "--reset-filter":
        changed |= {"node_filter": 0, "propagate_node_filter": 1 << 8}

    assert status == (2 if field is None else 0)
    after = capture.policy()
    del after["restrictions"]
    assert after == before | changed


def test_the_policy_remembers_what_was_ever_left_out(
    run: Run, capture: FakeCapture, path: str
) -> None:
    """The recorder looks now and then only, and must know what was in between."""
    bits = capture.layout.enum("prov_restriction")
    done(run("--compress-edge", "false"))
    assert capture.policy()["restrictions"] == 0
    for words, name in (
        (("-e", "false"), "SWITCHED_OFF"),
        (("-a", "false"), "TRACKED_ONLY"),
        (("--edge-filter", "read", "true"), "FILTERED"),
        (("--opaque-file", path, "true"), "OPAQUE"),
    ):
        before = capture.policy()["restrictions"]
        done(run(*words))
        assert capture.policy()["restrictions"] == before | bits[f"RESTRICTION_{name}"]
    for words in (("-e", "true"), ("-a", "true"), ("--reset-filter",), ("--change-epoch",)):
        done(run(*words))
    done(run("--opaque-file", path, "false"))

    assert capture.policy()["restrictions"] == sum(bits.values())


def test_a_relation_beyond_the_first_word_has_its_bit_in_the_second(
    run: Run, capture: FakeCapture
) -> None:
    """There are more than 64 relations."""
    done(run("--edge-filter", "exchange", "true"))
    low, high = capture.policy()["relation_filter"]
    number = capture.layout.enum("prov_relation")["REL_EXCHANGE"]

    assert number >= 64
    assert (low, high) == (0, 1 << number - 64)


def test_a_file_is_shown_as_camflow_shows_it(run: Run, capture: FakeCapture, path: str) -> None:
    tracked = capture.layout.enum("prov_mark")["MARK_TRACKED"]
    capture.see_file(path, marks=tracked, taint=0x2A)

    assert done(run("--file", path)) == (GOLDEN / "file.txt").read_text()


def test_a_process_is_shown_as_camflow_shows_it(run: Run, capture: FakeCapture) -> None:
    """Its type as a number, and no version."""
    capture.see_process(os.getpid(), marks=capture.layout.enum("prov_mark")["MARK_OPAQUE"])

    assert done(run("--process", os.getpid())) == (GOLDEN / "process.txt").read_text()


def test_a_process_that_executes_an_opaque_file_is_opaque(run: Run, capture: FakeCapture) -> None:
    """The kernel has a mark of its own for that."""
    mark = capture.layout.enum("prov_mark")["MARK_OPAQUE_PROGRAM"]
    capture.see_process(os.getpid(), marks=mark)

    assert "Process is opaque.\n" in done(run("--process", os.getpid()))


def test_a_process_without_an_address_space_is_shown_itself(run: Run, capture: FakeCapture) -> None:
    """As the threads of the kernel are."""
    capture.see_process(os.getpid(), memory=0)

    assert "ID: 124011\n" in done(run("--process", os.getpid()))


def test_a_file_that_nobody_has_used_gets_no_invented_numbers(run: Run, path: str) -> None:
    """Its marks are said as they will be."""
    done(run("--track-file", path, "propagate"))

    assert done(run("--file", path)) == (GOLDEN / "unseen.txt").read_text()


def test_a_process_that_has_done_nothing_is_not_seen_yet(run: Run) -> None:
    done(run("--track-process", os.getpid(), "true"))
    shown = done(run("--process", os.getpid()))

    assert shown.startswith("Not seen yet: ")
    assert "Process is tracked.\n" in shown


def test_marks_are_shown_before_and_after_the_kernel_takes_them_over(
    run: Run, capture: FakeCapture, path: str
) -> None:
    """Several wishes in a row add up; taken over, the file shows the same."""
    capture.see_file(path, taint=1)
    done(run("--track-file", path, "propagate"))
    done(run("--taint-file", path, "63"))
    done(run("--opaque-file", path, "true"))
    done(run("--track-file", path, "false"))
    before = done(run("--file", path))
    capture.take_over(path)

    assert done(run("--file", path)) == before
    assert before.endswith(
        "Taint: 8000000000000001\n\n"
        "File is not tracked.\nFile is opaque.\nFile is not propagating tracking.\n"
    )


def test_a_wish_for_a_process_reaches_it(run: Run, capture: FakeCapture) -> None:
    capture.see_process(os.getpid())
    done(run("--track-process", os.getpid(), "propagate"))
    done(run("--taint-process", os.getpid(), "4"))
    done(run("--opaque-process", os.getpid(), "true"))
    shown = done(run("--process", os.getpid()))

    assert "Taint: 10\n" in shown
    assert "Process is tracked.\nProcess is opaque.\nProcess propagates tracking.\n" in shown


def test_every_wish_makes_nodes_look_again(run: Run, capture: FakeCapture, path: str) -> None:
    """The generation steps, under the lock of the capture."""
    done(run("--track-file", path, "true"))
    done(run("--taint-process", os.getpid(), "0"))

    assert capture.policy()["generation"] == 3
    assert capture.locks == 2


def test_what_was_lost_is_one_number(run: Run, capture: FakeCapture) -> None:
    """Of both CPUs and the skipped programs; descriptions that are sent again are not lost."""
    capture.count(event_ring_full=20, text_ring_full=3, node_ring_full=1000)

    assert done(run("--drop")) == "Graph elements dropped: \t\t48\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to do: name one operation (camflow -h lists them)"),
        (
            ("--trakc-file", "/x", "true"),
            'unknown flag "--trakc-file" (did you mean "--track-file"?)',
        ),
        (("--file=/etc/passwd",), 'unknown flag "--file=/etc/passwd" (did you mean "--file"?)'),
        (("bogus",), 'unknown flag "bogus" (camflow -h lists the flags)'),
        (
            ("-e",),
            "-e takes true|false, got 0 (example: camflow -e false; one operation per invocation)",
        ),
        (
            ("-s", "-v"),
            "-s takes nothing behind it, got 1 (example: camflow -s; one operation per invocation)",
        ),
        (("-e", "yes"), 'expected true or false, got "yes"'),
        (
            ("--opaque-file", "/", "ture"),
            'expected true or false, got "ture" (did you mean "true"?)',
        ),
        (("--track-file", "/", "maybe"), 'expected true, false or propagate, got "maybe"'),
        (("--taint-file", "/", "64"), 'expected a taint bit from 0 to 63, got "64"'),
        (("--process", "self"), 'expected the number of a process, got "self"'),
        (("--process", "0"), 'expected the number of a process, got "0"'),
        (
            ("--edge-filter", "wirte", "true"),
            'expected a relation, got "wirte" (did you mean "write"?)',
        ),
        (("--file", "a\0b"), r"'a\x00b' is no path: embedded null byte"),
    ],
)
def test_words_that_make_no_sense_are_refused(run: Run, words: tuple[str, ...], said: str) -> None:
    """With status 2 and the nearest word that does; nothing is changed."""
    assert refused(run(*words), 2) == said


@pytest.mark.parametrize("flag", camflow.UNSUPPORTED)
def test_a_flag_that_is_not_there_yet_is_answered(run: Run, flag: str) -> None:
    """Never in silence: a script must notice."""
    assert refused(run(flag, "true"), 1).startswith(f"{flag} is not supported yet: ")


def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    said = refused(run("--file", tmp_path / "none"), 1)

    assert said == f"{tmp_path}/none: No such file or directory"


def test_a_process_that_is_not_there_is_named(run: Run) -> None:
    with subprocess.Popen(["true"]) as process:
        pass

    said = refused(run("--track-process", process.pid, "true"), 1)
    assert said == f"there is no process {process.pid}"


def test_a_thread_is_told_from_a_process(run: Run) -> None:
    """Marks belong to the process, so its number is asked for."""
    numbers: list[int] = []
    stop = threading.Event()
    started = threading.Event()

    def work() -> None:
        numbers.append(threading.get_native_id())
        started.set()
        stop.wait()

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    try:
        said = refused(run("--process", numbers[0]), 1)
    finally:
        stop.set()
        thread.join()
    assert said.startswith(f"{numbers[0]} is a thread, not a process (Tgid in /proc/")


def test_an_inode_that_stands_for_many_descriptors_is_refused(run: Run) -> None:
    """All eventfds share one: a mark on it would mark strangers."""
    fd = os.eventfd(0)
    try:
        said = refused(run("--track-file", f"/proc/self/fd/{fd}", "true"), 1)
    finally:
        os.close(fd)
    assert "cannot be marked: anon_inode:[eventfd] shares its inode" in said


def test_what_the_kernel_side_knows_to_be_shared_is_refused(
    run: Run, capture: FakeCapture, path: str
) -> None:
    """Whatever its name in /proc is."""
    capture.see_file(path, nature=capture.layout.enum("prov_nature")["NATURE_SHARED"])

    assert "unrelated descriptors share its inode" in refused(run("--file", path), 1)


@pytest.mark.parametrize("named", [False, True])
def test_a_socket_is_refused(run: Run, tmp_path: Path, named: bool) -> None:
    """By its descriptor and by its name."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "socket"))
        path = tmp_path / "socket" if named else f"/proc/self/fd/{made.fileno()}"
        said = refused(run("--opaque-file", path, "true"), 1)
    assert said == (
        f"{path}: a socket cannot be marked by its path (mark the process that uses it)"
    )


def test_a_missing_capture_is_told_with_what_starts_one(
    capsys: pytest.CaptureFixture[str], path: str
) -> None:
    """Help and version are there all the same, and a wrong word is told first."""

    @contextlib.contextmanager
    def missing() -> Iterator[Control]:
        raise SetupError("no capture is loaded on this kernel")
        yield

    assert camflow.main(["-s"], missing) == 1
    assert camflow.main(["--track-file", path, "true"], missing) == 1
    assert camflow.main(["-e", "no"], missing) == 2
    assert camflow.main(["-h"], missing) == camflow.main(["-v"], missing) == 0
    assert capsys.readouterr().err == (
        "camflow: no capture is loaded on this kernel\n" * 2
        + 'camflow: expected true or false, got "no"\n'
    )


def test_help_shows_each_flag_with_an_example(run: Run) -> None:
    """In plain text where it is no terminal, and each example is one that is understood."""
    shown = done(run("-h"))

    assert "\033" not in shown
    for name, flag in camflow.FLAGS.items():
        assert f"\n    {' '.join(('camflow', name, flag.example)).rstrip()}\n" in shown
        assert len(flag.example.split()) == len(flag.parameters)


def test_help_has_colours_on_a_terminal() -> None:
    """Flags in green, parameters in yellow."""
    shown = "\n".join(camflow._help_lines(colours=True))

    assert "\033[32m--track-file\033[0m \033[33mPATH\033[0m" in shown


def test_the_module_is_a_command() -> None:
    """As its own process, with its own status."""
    words = [sys.executable, "-m", "provcap.cli.camflow", "--bogus"]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith('camflow: unknown flag "--bogus"')


@pytest.mark.parametrize("words", [("--track-file", "true"), ("--opaque-file", "true")])
def test_a_file_whose_inode_does_not_last_is_refused(run: Run, words: tuple[str, str]) -> None:
    """The mark would be accepted, and gone a moment later."""
    status, _, said = run(words[0], "/proc/version", words[1])

    assert status == 1
    assert "/proc/version: cannot be marked" in said


@pytest.mark.parametrize(
    ("path", "said"),
    [("", "'': No such file or directory"), ("/" + 5000 * "x", "...: File name too long")],
)
def test_a_path_that_makes_no_sense_is_said_in_short(run: Run, path: str, said: str) -> None:
    message = refused(run("--file", path), 1)

    assert message.endswith(said)
    assert len(message) < 300
