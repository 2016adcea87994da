"""why: the tree holds what really came before, and nothing else."""

import json
import random
from pathlib import Path

import pytest

from provcap.cli.main import main
from provcap.errors import UsageError
from provcap.graph import queries, words
from provcap.graph.checks import find_cycle
from provcap.graph.groups import Groups
from provcap.graph.text import plain
from provcap.graph.tree import Options, grow
from tests.graph.builder import Log
from tests.graph.story import file, story

GOLDEN = Path(__file__).parents[1] / "golden" / "why_story.txt"
REPORT = "/srv/data/report.txt"


@pytest.fixture
def recording(tmp_path):
    def write(log):
        path = tmp_path / "some.log"
        path.write_bytes(log.lines())
        return str(path)

    return write


def tree(log, target, **options):
    graph = log.graph()
    return plain(grow(graph, queries.resolve(graph, target), Options(**options)))


def test_the_story_is_told(recording, capsys):
    """The whole printed answer, as a person sees it."""
    assert main(["why", REPORT, "--log", recording(story())]) == 0

    assert capsys.readouterr().out == GOLDEN.read_text()


def test_the_story_names_server_and_page_but_not_what_was_read_later():
    """Versions make the answer respect time; a look at a file is no flow of its content."""
    text = tree(story(), REPORT, everything=True)

    assert "127.0.0.1:8000" in text
    assert "/srv/www/page.html" in text
    assert "read-after-sending" not in text
    assert "only-looked-at" not in text


def test_who_had_the_kernel_copy_is_named_and_is_no_source():
    """What cat has read before did not pass into the copy."""
    log = Log()
    log.process(300, "/usr/bin/cat", "cat")
    log.reads("300", file(log, "/srv/known"))
    log.edge("copy", file(log, "/srv/from"), file(log, "/srv/to"))
    log.raw("write", log.id("t300"), log.id("/srv/to"), **{"cf:flow": "control"})
    text = tree(log, "/srv/to")

    assert "copied from /srv/from (by cat (pid 300))" in text
    assert "/srv/known" not in text


def test_control_is_followed_on_request():
    flows = queries.ANCESTRY_FLOWS | {words.CONTROL}

    assert "looked at /srv/www/only-looked-at" in tree(story(), REPORT, flows=flows)


def test_ancestry_is_the_closure():
    graph = story().graph()
    paths = {
        path
        for node in queries.ancestry(graph, queries.find(graph, REPORT))
        for path in graph.names(graph.object_of[node])
    }

    assert "/srv/www/page.html" in paths
    assert "/srv/www/read-after-sending" not in paths


@pytest.mark.parametrize(
    ("relation", "attributes", "told"),
    [
        (
            "setattr",
            {"valid": "0x41", "mode": "0x8180", "uid": 0, "gid": 0, "size": "7"},
            "attributes changed by chmod (pid 5)  chmod 600 /out (mode 0600)",
        ),
        (
            "setattr",
            {"valid": "0x46", "mode": "0x8180", "uid": 1, "gid": 2, "size": "7"},
            "attributes changed by chmod (pid 5)  chmod 600 /out (owner 1, group 2)",
        ),
        (
            "setattr",
            {"valid": "0x68", "mode": "0x8180", "uid": 1, "gid": 2, "size": "0"},
            "attributes changed by chmod (pid 5)  chmod 600 /out (size 0)",
        ),
        (
            "setattr",
            {"valid": "0x1b0"},
            "attributes changed by chmod (pid 5)  chmod 600 /out (times)",
        ),
        ("setattr", {"valid": "damaged"}, "attributes changed by chmod (pid 5)  chmod 600 /out"),
        (
            "setxattr",
            {"name": "user.origin", "value": "here"},
            "attribute set by chmod (pid 5)  chmod 600 /out (user.origin)",
        ),
        (
            "removexattr",
            {"name": "user.\x1b"},
            "attribute removed by chmod (pid 5)  chmod 600 /out (user.\\x1b)",
        ),
    ],
)
def test_a_change_of_attributes_says_what_was_set(relation, attributes, told):
    """The change itself is no line of its own."""
    log = Log()
    log.process(5, "/usr/bin/chmod", "chmod", "600", "/out")
    kind = "iattr" if relation == "setattr" else "xattr"
    change = log.node("change", kind, **attributes)
    log.writes("5", change, relation)
    log.edge(f"{relation}_inode", change, file(log, "/out"))

    assert tree(log, "/out").splitlines()[1].removeprefix("└─ ") == told


def test_an_attribute_that_was_read_leads_to_its_file():
    """What its value says came from whoever set it."""
    log = Log()
    log.process(5, "/usr/bin/getfattr")
    log.edge("getxattr_inode", file(log, "/in"), log.node("x", "xattr", name="user.origin"))
    log.reads("5", "x", "getxattr")
    log.writes("5", file(log, "/out"))

    text = tree(log, "/out")

    assert "read attribute user.origin" in text
    assert "of /in" in text


def test_a_changed_system_file_is_never_hidden():
    """What somebody wrote during the recording is no mere library."""
    log = Log()
    log.process(5, "/usr/bin/evil")
    log.writes("5", file(log, "/usr/lib/libevil.so"))
    log.process(6, "/usr/bin/victim")
    log.reads("6", "/usr/lib/libevil.so", "mmap_private")
    log.writes("6", file(log, "/out"))

    assert "mapped /usr/lib/libevil.so" in tree(log, "/out")
    assert "written by evil (pid 5)" in tree(log, "/out")


def test_inputs_before_exec_belong_to_the_same_process():
    log = Log()
    log.process(5, "/usr/bin/dash")
    log.reads("5", file(log, "/script"))
    log.execs("5", "/usr/bin/cat", "cat", "x y")
    log.writes("5", file(log, "/out"))

    assert tree(log, "/out") == (
        "/out\n"
        "└─ written by cat (pid 5)  cat 'x y'\n"
        "   ├─ read /script (while it was dash)\n"
        "   └─ + 1 library or system file"
    )


def test_a_child_that_shares_its_parents_memory_is_started_by_it():
    """vfork: the child runs in the parent's memory until it executes something else."""
    log = Log()
    log.process(5, "/usr/bin/make")
    log.reads("5", file(log, "/Makefile"))
    log.node("t6", "task", pid=6)
    log.edge("memory_read", "m5", "t5")
    log.edge("clone", "t5", "t6")
    log.node("m6", "process_memory", tgid=6, name="/usr/bin/cc")
    log.edge("memory_read", "m5", "t6")
    log.edge("exec_task", "t6", "m6")
    log.writes("6", file(log, "/out"))

    assert tree(log, "/out") == (
        "/out\n└─ written by cc (pid 6)\n   └─ started by make (pid 5)\n      └─ read /Makefile"
    )


def reached_twice(*order):
    """The tree of /out, whose writer read in this order what a process wrote before and after."""
    log = Log()
    log.process(5, "/bin/a")
    log.process(6, "/bin/b")
    log.reads("5", file(log, "/one"))
    log.writes("5", file(log, "/early"))
    log.reads("5", file(log, "/two"))
    log.writes("5", file(log, "/late"))
    for path in order:
        log.reads("6", path)
    log.writes("6", file(log, "/out"))
    return tree(log, "/out")


def test_an_earlier_state_is_told_apart():
    """A process that is reached twice, once before it read more: the reference says so."""
    text = reached_twice("/late", "/early")

    assert "[1] written by a (pid 5)" in text
    assert "written by a (pid 5) (an earlier state, shown above as [1])" in text


def test_what_a_later_visit_adds_is_shown():
    """Reached first before it read more: the second visit shows only what is new."""
    text = reached_twice("/early", "/late")

    assert "written by a (pid 5) (continues [1])" in text
    assert text.count("/one") == text.count("/two") == 1


def test_a_stream_from_elsewhere_says_so():
    log = Log()
    log.process(5, "/usr/bin/curl")
    log.node("s", "socket")
    log.node("down", "stream", sender="192.0.2.7:443", receiver="10.0.0.5:41000")
    log.writes("5", "s", "connect")
    log.edge("receive_stream", "down", "s")
    log.reads("5", "s", "receive_msg")
    log.writes("5", file(log, "/out"))

    assert tree(log, "/out") == (
        "/out\n"
        "└─ written by curl (pid 5)\n"
        "   └─ received from socket 10.0.0.5:41000 <- 192.0.2.7:443"
        " (the sender is outside this recording)"
    )


def test_a_message_leads_to_who_sent_it():
    log = Log()
    log.process(5, "/bin/sender")
    log.process(6, "/bin/receiver")
    log.node("message", "msg")
    for relation in ("msg_create", "send_msg_queue"):
        log.writes("5", "message", relation)
    log.reads("6", "message", "receive_msg_queue")
    log.writes("6", file(log, "/out"))

    assert tree(log, "/out") == (
        "/out\n"
        "└─ written by receiver (pid 6)\n"
        "   └─ received message\n"
        "      └─ sent by sender (pid 5)"
    )


def test_what_was_typed_comes_from_the_other_end_of_the_terminal():
    log = Log()
    log.process(5, "/usr/bin/script")
    log.process(6, "/bin/tee")
    log.node("master", "char", name="/dev/ptmx")
    log.node("slave", "char", name="/dev/pts/3")
    log.writes("5", "master")
    log.edge("relay", "master", "slave")
    log.reads("6", "slave")
    log.writes("6", file(log, "/out"))

    assert tree(log, "/out") == (
        "/out\n"
        "└─ written by tee (pid 6)\n"
        "   └─ read terminal /dev/pts/3\n"
        "      └─ relayed from /dev/ptmx\n"
        "         └─ written by script (pid 5)"
    )


@pytest.mark.parametrize("kind", ["packet", "packet6"])
def test_a_datagram_leads_from_one_process_to_the_other(kind):
    """The packet and its two sockets are one step."""
    log = Log()
    for pid, name in ((5, "sender"), (6, "receiver")):
        log.process(pid, f"/usr/bin/{name}")
    log.node("from", "socket")
    log.node("to", "socket")
    log.node("datagram", kind, sender="10.0.0.1:53", receiver="10.0.0.2:2000")
    log.reads("5", file(log, "/in"))
    log.writes("5", "from", "send_msg")
    log.edge("send_packet", "from", "datagram")
    log.edge("receive_packet", "datagram", "to")
    log.reads("6", "to", "receive_msg")
    log.writes("6", file(log, "/out"))

    assert tree(log, "/out") == (
        "/out\n"
        "└─ written by receiver (pid 6)\n"
        "   └─ received from socket 10.0.0.2:2000 <- 10.0.0.1:53\n"
        "      └─ sent by sender (pid 5)\n"
        "         └─ read /in"
    )


def test_a_terminal_does_not_bring_in_everything_that_was_printed():
    log = Log()
    log.node("tty", "char", name="/dev/pts/3")
    for pid in (5, 6):
        log.process(pid, "/bin/a")
        log.writes(str(pid), "tty")
    log.process(7, "/bin/tee")
    log.reads("7", "tty")
    log.writes("7", file(log, "/out"))

    assert tree(log, "/out").endswith(
        "   └─ read terminal /dev/pts/3\n      └─ + 2 programs that wrote to it"
    )
    assert "written by a (pid 5)" in tree(log, "/out", everything=True)


def test_what_was_refused_is_no_flow():
    log = Log()
    log.process(5, "/bin/a")
    log.define(file(log, "/secret"))
    log.define("t5")
    log.raw("read", log.id("/secret"), log.id("t5"), **{"cf:allowed": "false"})
    log.writes("5", file(log, "/out"))

    assert "/secret" not in tree(log, "/out")


def test_of_many_inputs_the_newest_are_shown_and_the_others_counted():
    log = Log()
    log.process(5, "/bin/cat")
    for n in range(70):
        log.reads("5", file(log, f"/part{n:02}"))
    log.writes("5", file(log, "/out"))

    assert tree(log, "/out").endswith("├─ read /part69\n   └─ + 58 earlier inputs")
    assert "/part00" in tree(log, "/out", everything=True)


def test_bytes_that_are_no_text_can_be_asked_for():
    """Our logs write a broken byte as U+F700 + byte; a command line holds it as a surrogate."""
    log = Log()
    log.process(5, "/bin/a")
    log.writes("5", file(log, "/tmp/\uf7ff"))

    assert tree(log, "/tmp/\udcff").startswith("/tmp/\\xff\n")


def test_depth_is_limited_and_says_so():
    text = tree(story(), REPORT, depth=2)

    assert "uniq" in text
    assert "sort" not in text
    assert "... 1 input not shown (--depth 12 goes deeper)" in text


def test_a_deep_tree_needs_no_recursion():
    log = Log()
    log.node("f0", "file")
    for n in range(3000):
        log.process(n + 10, "/bin/cp")
        log.reads(str(n + 10), f"f{n}")
        log.node(f"f{n + 1}", "file", name=f"/f{n + 1}")
        log.writes(str(n + 10), f"f{n + 1}")

    assert tree(log, "/f3000", depth=10_000).count("\n") == 6000


def test_hostile_names_do_not_reach_the_terminal(recording, capsys):
    """Escapes, new lines, direction marks, broken bytes and markup are printed harmlessly."""
    log = Log()
    hostile = "/tmp/\x1b[2J\n\u202e[red]\udcff"
    log.process(5, "/bin/\x1b]0;x\x07", "a\nb", "$(id)")
    log.reads("5", file(log, hostile))
    log.writes("5", file(log, "/out"))

    assert main(["why", "/out", "--log", recording(log)]) == 0
    printed = capsys.readouterr().out
    assert all(c.isprintable() or c == "\n" for c in printed)
    assert r"/tmp/\x1b[2J\x0a\u202e[red]\xff" in printed
    assert main(["why", "/tmp/x", "--log", recording(log)]) == 2
    assert all(c.isprintable() or c == "\n" for c in capsys.readouterr().err)


def test_names_belong_to_objects():
    """A renamed file is found under both names; a name reused finds the newest file first."""
    log = Log()
    log.process(5, "/bin/a")
    log.writes("5", file(log, "/tmp/new"))
    log.named("/tmp/new", "/etc/conf")
    log.node("old", "file", name="/etc/conf")
    log.define("old")
    graph = log.graph()

    new, old = queries.find(graph, "/etc/conf")
    assert graph.names(graph.object_of[new]) == ["/etc/conf", "/tmp/new"]
    assert graph.identifiers[old] == log.id("old")
    assert tree(log, "/tmp/new").startswith("/etc/conf (also /tmp/new)\n")


def renamed():
    """Somebody writes /tmp/new and puts it in the place of /etc/conf."""
    log = Log()
    log.process(5, "/bin/a")
    log.writes("5", file(log, "/etc/conf"))
    log.process(6, "/bin/b")
    log.writes("6", file(log, "/tmp/new"))
    log.edge("replace", "t6", "/etc/conf")
    log.unnamed("/etc/conf", "/etc/conf")
    log.renames("6", "/tmp/new", "/tmp/new", "/etc/conf")
    return log


def test_a_renamed_file_is_found_under_both_names(recording, capsys):
    """The old name leads to it, and the answer says what it is called now."""
    assert main(["why", "/tmp/new", "--log", recording(renamed())]) == 0

    printed = capsys.readouterr().out
    assert printed.startswith("/etc/conf (was /tmp/new)\n└─ written by b (pid 6)\n")
    assert printed.endswith("/tmp/new is now /etc/conf\n")


def test_who_has_a_name_in_the_end_is_meant_by_it(recording, capsys):
    """The file that was replaced is the older one, even if somebody has used it since."""
    log = renamed()
    log.writes("5", "/etc/conf")
    graph = log.graph()
    new, old = queries.find(graph, "/etc/conf")

    assert main(["why", "/etc/conf", "--log", recording(log)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("/etc/conf (was /tmp/new)\n")
    assert graph.identifiers[new] == log.id("/tmp/new")
    assert f"1 earlier file(s) had this name: ask for {graph.identifiers[old]}" in printed
    assert tree(log, graph.identifiers[old]).startswith("/etc/conf (removed)\n")


def test_a_name_has_its_time():
    """From when it was given until it was taken away; it may come back."""
    log = Log()
    log.process(5, "/bin/a")
    log.writes("5", file(log, "/a"))
    log.renames("5", "/a", "/a", "/b")
    log.renames("5", "/a", "/b", "/a")
    graph = log.graph()
    now, *gone = graph.dated_names(graph.object_of[graph.number[log.id("/a")]])

    assert [name.path for name in (now, *gone)] == ["/a", "/b", "/a"]
    assert now.to_ns is None
    assert gone[1].from_ns < gone[1].to_ns <= gone[0].from_ns < gone[0].to_ns <= now.from_ns


def test_a_name_that_was_there_before_ends_when_it_is_taken():
    """Nobody used the file before it was renamed: only its end is known of the old name."""
    log = Log()
    log.process(5, "/bin/a")
    log.node("f", "file", ino=7)
    log.renames("5", "f", "/old", "/new")

    assert tree(log, "/old").startswith("/new (was /old)")
    assert tree(log, "/new").startswith("/new (was /old)")


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("report.txt", "did you mean '/srv/data/report.txt'"),
        ("/srv/data/reprot.txt", "did you mean '/srv/data/report.txt'"),
        ("/q", "other paths are"),
        ("pid:4", "no process 4"),
        ("pid:x", "write pid:123"),
        ("cf:nothing", "cf:nothing is not in"),
    ],
)
def test_what_is_not_there_is_answered_with_a_hint(asked, hint):
    with pytest.raises(UsageError, match=hint):
        queries.resolve(story().graph(), asked)


def test_a_process_or_an_identifier_may_be_asked_for():
    log = story()

    assert tree(log, "pid:202").startswith("sort (pid 202)  sort page.html\n")
    assert tree(log, log.id("m202")).startswith("sort (pid 202)  sort page.html\n")


def test_the_answer_says_what_is_missing(recording, capsys):
    log = story()
    log.account(complete=False, event_ring_full=7)
    main(["why", REPORT, "--log", recording(log)])
    assert "incomplete: 7 event ring full" in capsys.readouterr().out

    nothing = Log()
    nothing.node("f", "file", name="/f")
    nothing.define("f")
    main(["why", "/f", "--log", recording(nothing)])
    assert "completeness unknown" in capsys.readouterr().out


def test_json_holds_the_same_lines(recording, capsys):
    main(["why", REPORT, "--json", "--log", recording(story())])
    answer = json.loads(capsys.readouterr().out)

    assert answer["complete"] is True
    parents = [line["parent"] for line in answer["lines"]]
    assert parents[0] == -1
    assert all(parent < place for place, parent in enumerate(parents))


def test_ascii_is_ascii(recording, capsys):
    main(["why", REPORT, "--ascii", "--log", recording(story())])

    assert capsys.readouterr().out.isascii()


@pytest.mark.parametrize("seed", range(40))
def test_the_tree_shows_exactly_the_ancestry(seed):
    """Whatever programs do in whatever order: no ancestor is missing, nothing else is there."""
    chance = random.Random(seed)
    log = Log()
    pids = [log.process(pid, f"/bin/p{pid}") for pid in range(10, 14)]
    files = [file(log, f"/f{n}") for n in range(6)] + [log.node("pipe", "pipe")]
    log.node("left", "socket")
    log.node("right", "socket")
    log.node("flow", "stream", sender="l", receiver="r")
    for step in range(60):
        pid, what = chance.choice(pids), chance.random()
        if what < 0.4:
            log.reads(pid, chance.choice(files))
        elif what < 0.8:
            log.writes(pid, chance.choice(files))
        elif what < 0.85:
            log.writes(pid, "left", "send_msg")
            log.edge("send_stream", "left", "flow")
        elif what < 0.9:
            log.edge("receive_stream", "flow", "right")
            log.reads(pid, "right", "receive_msg")
        elif what < 0.95:
            pids.append(log.forks(pid, 100 + step, "/bin/fork"))
        else:
            log.execs(pid, f"/opt/x{step}")
    graph = log.graph()
    assert not find_cycle(graph)

    for path in files[:6]:
        if graph.number.get(log.id(path)) is None:
            continue
        nodes = queries.find(graph, path)
        lines = grow(graph, nodes, Options(depth=10_000, everything=True))
        seen = {graph.number[text] for line in lines for text in line.identifiers}
        assert _things(graph, seen) == _things(graph, queries.ancestry(graph, nodes))


def _things(graph, nodes):
    """The files, pipes, processes and connections that these nodes belong to."""
    groups = Groups(graph)
    return {groups.of(node) for node in nodes if graph.kind(node) != "argv"}


def test_a_file_that_is_here_may_be_named_from_here(recording, capsys, tmp_path, monkeypatch):
    (tmp_path / "out").touch()
    monkeypatch.chdir(tmp_path)
    log = Log()
    log.process(5, "/bin/a")
    log.writes("5", file(log, f"{tmp_path}/out"))

    assert main(["why", "out", "--log", recording(log)]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path}/out\n")
