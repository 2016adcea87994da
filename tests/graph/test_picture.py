"""draw: the picture has what was recorded, once, under its name, and in an order that reads."""

import pytest

from provcap.graph import labels, queries
from provcap.graph.checks import find_cycle
from provcap.graph.cycles import against_the_flow
from provcap.graph.picture import BOTH, TO, Options, Picture, make
from provcap.graph.words import ACTIVITY
from tests.graph import crowds
from tests.graph.builder import Log
from tests.graph.story import file, story

REPORT = "/srv/data/report.txt"
PROCESSES = {
    f"{name} (pid {pid})"
    for name, pid in (
        ("python3.11", 101),
        ("bash", 200),
        ("wget", 201),
        ("sort", 202),
        ("uniq", 203),
    )
}
FILES = {"/srv/www/page.html", "/srv/data/page.html", "/srv/data/report.sh", REPORT}
WIRE = "127.0.0.1:41234 \u2194 127.0.0.1:8000"


def picture(log: Log, target: str = "", **options: object) -> Picture:
    graph = log.graph()
    targets = queries.resolve(graph, target) if target else []
    if options.get("direction"):
        targets = queries.all_versions(graph, targets)
    return make(graph, targets, Options(**options), target)[0]  # type: ignore[arg-type]


def titles(drawn: Picture) -> list[str]:
    return [node.title for node in drawn.nodes]


def arrows(drawn: Picture) -> set[tuple[str, str, str]]:
    names = titles(drawn)
    return {(names[edge.source], edge.verb, names[edge.target]) for edge in drawn.edges}


def is_acyclic(ends: list[tuple[int, int]]) -> bool:
    while ends:
        receivers = {receiver for _, receiver in ends}
        left = [pair for pair in ends if pair[0] in receivers]
        if len(left) == len(ends):
            return False
        ends = left
    return True


@pytest.mark.parametrize("target", ["", REPORT])
def test_every_process_and_file_of_the_story_is_there_once(target: str) -> None:
    names = titles(picture(story(), target))

    assert set(names) >= PROCESSES | FILES | {WIRE, "127.0.0.1:8000", "pipe"}
    assert all(names.count(name) == 1 for name in PROCESSES | FILES)


def test_arrows_say_what_flowed() -> None:
    assert arrows(picture(story(), REPORT)) >= {
        ("/srv/www/page.html", "read by", "python3.11 (pid 101)"),
        ("python3.11 (pid 101)", "sends", WIRE),
        (WIRE, "received by", "wget (pid 201)"),
        ("wget (pid 201)", "writes", "/srv/data/page.html"),
        ("bash (pid 200)", "starts", "sort (pid 202)"),
        ("sort (pid 202)", "writes", "pipe"),
        ("pipe", "read by", "uniq (pid 203)"),
        ("uniq (pid 203)", "writes", REPORT),
    }


def test_shapes_follow_the_prov_class() -> None:
    """A process is an activity though its memory, an entity, is folded into it."""
    log = story()
    log.edge("ran_on", "machine", "t200")
    classes = {node.title: node.prov_class for node in picture(log, control=True).nodes}

    assert {classes[name] for name in PROCESSES} == {"activity"}
    assert {classes[name] for name in (*FILES, WIRE, "pipe")} == {"entity"}
    assert classes["machine"] == "agent"


def test_what_was_read_later_is_in_the_whole_but_not_in_the_ancestry() -> None:
    later = "/srv/www/read-after-sending"

    assert later not in titles(picture(story(), REPORT))
    assert later in titles(picture(story()))


def test_a_look_at_a_file_is_drawn_on_request() -> None:
    looked = ("/srv/www/only-looked-at", "looked at by", "python3.11 (pid 101)")

    assert looked not in arrows(picture(story()))
    assert looked in arrows(picture(story(), control=True))


def test_libraries_of_a_process_are_one_node() -> None:
    drawn = picture(story(), REPORT)
    folds = {node.title: node.members for node in drawn.nodes if node.members}

    assert folds["3 libraries and system files"] == (
        *("/usr/lib/libc.so.6", "/usr/lib/libz.so.1", "/usr/lib/locale/locale-archive"),
    )
    assert ("3 libraries and system files", "used by", "python3.11 (pid 101)") in arrows(drawn)


def test_libraries_are_drawn_on_request() -> None:
    drawn = picture(story(), libraries=True)

    assert "/usr/lib/libz.so.1" in titles(drawn)
    assert not [node for node in drawn.nodes if node.members]


def test_a_changed_system_file_is_never_folded() -> None:
    log = Log()
    log.process(5, "/usr/bin/evil")
    log.writes("5", file(log, "/usr/lib/libevil.so"))
    log.process(6, "/usr/bin/victim")
    log.reads("6", "/usr/lib/libevil.so", "mmap_private")

    assert arrows(picture(log)) == {
        ("evil (pid 5)", "writes", "/usr/lib/libevil.so"),
        ("/usr/lib/libevil.so", "mapped by", "victim (pid 6)"),
    }


def test_direction_to_shows_what_came_of_it() -> None:
    names = set(titles(picture(story(), "/srv/www/page.html", direction=TO)))

    assert names >= {REPORT, "wget (pid 201)", "uniq (pid 203)"}
    assert "/srv/data/report.sh" not in names


def test_direction_both_has_both_sides() -> None:
    names = set(titles(picture(story(), "/srv/data/page.html", direction=BOTH)))

    assert names >= {"/srv/www/page.html", REPORT}


def test_depth_is_counted_in_nodes_and_what_lies_beyond_is_told() -> None:
    drawn = picture(story(), REPORT, depth=2)

    assert {REPORT, "uniq (pid 203)", "pipe", "bash (pid 200)"} <= set(titles(drawn))
    assert "sort (pid 202)" not in titles(drawn)
    assert next(node for node in drawn.nodes if node.title == "pipe").beyond == 1


def test_parallel_edges_are_one_with_their_counts() -> None:
    log = Log()
    log.process(5, "/bin/tool")
    log.reads("5", file(log, "/in"))
    for _ in range(3):
        log.writes("5", "/in")
    drawn = picture(log)

    assert {(edge.verb, edge.count) for edge in drawn.edges} == {("read by", 1), ("writes", 3)}


def test_versions_are_counted_on_their_node() -> None:
    log = Log()
    log.process(5, "/bin/tool")
    for _ in range(3):
        log.reads("5", file(log, "/x") if "/x" not in log.kinds else "/x")
        log.writes("5", "/x")
    node = next(node for node in picture(log).nodes if node.title == "/x")

    assert len(node.versions) == 4


def test_a_cycle_that_folding_makes_is_marked_and_the_rest_has_one_direction() -> None:
    """The request went the other way than the page."""
    drawn = picture(story(), REPORT)
    names = titles(drawn)
    back = {(names[e.source], names[e.target]) for e in drawn.edges if e.is_back}

    assert back == {("wget (pid 201)", WIRE), (WIRE, "python3.11 (pid 101)")}
    assert is_acyclic([(e.source, e.target) for e in drawn.edges if not e.is_back])


def test_unfolded_the_graph_is_exact_and_acyclic() -> None:
    """Every version is a node of its own."""
    log = story()
    graph = log.graph()
    drawn = picture(log, versions=True, libraries=True)
    tasks = [n for n in range(graph.node_count) if graph.class_of[n] == ACTIVITY]

    assert find_cycle(graph) == []
    assert is_acyclic([(e.source, e.target) for e in drawn.edges])
    assert not [edge for edge in drawn.edges if edge.is_back]
    assert {n for node in drawn.nodes for n in node.versions} >= set(tasks)
    assert all(len(node.versions) == 1 for node in drawn.nodes)


def test_a_terminal_is_shown_but_not_what_others_wrote_to_it() -> None:
    log = Log()
    log.node("tty", "char", name="/dev/pts/0")
    log.process(5, "/bin/noise")
    log.writes("5", "tty")
    log.process(6, "/bin/shell")
    log.reads("6", "tty")
    log.writes("6", file(log, "/out"))

    assert set(titles(picture(log, "/out"))) == {"/out", "shell (pid 6)", "terminal /dev/pts/0"}
    assert "noise (pid 5)" in titles(picture(log, "/out", libraries=True))


def test_what_nothing_tells_apart_is_one_node() -> None:
    log = Log()
    log.process(2, "kthreadd")
    for number in range(25):
        log.node(f"k{number}", "task")
        log.writes("2", f"k{number}", "clone")

    assert arrows(picture(log)) == {("kthreadd (pid 2)", "starts", "25 processes")}


def test_an_exact_picture_of_any_size_keeps_every_arrow() -> None:
    """A folded one may tell who started a process on the process; this one must not."""
    drawn = picture(crowds.jumble(200), versions=True, limit=5000)

    assert len(drawn.nodes) > 400
    assert labels.minor_edges(drawn) == set()


def test_a_picture_of_fifty_is_complete() -> None:
    names = titles(picture(crowds.build(7)))

    assert {f"/src/part{unit}.{kind}" for unit in range(7) for kind in "co"} <= set(names)
    assert {f"cc1 (pid {100 + 2 * unit})" for unit in range(7)} <= set(names)


def test_a_big_picture_puts_the_same_parts_together() -> None:
    """71 compilers are one node, with one node for all they read."""
    drawn = picture(crowds.build(71))
    cc1 = next(node for node in drawn.nodes if node.title == "71 cc1 processes")

    assert len(cc1.members) == 71
    assert cc1.libraries == ("/usr/bin/cc1", crowds.LIBC)
    assert arrows(drawn) >= {
        ("71 files in /src", "read by", "71 cc1 processes"),
        ("71 cc1 processes", "writes", "71 files in /tmp"),
        ("71 files in /tmp", "read by", "71 as processes"),
        ("71 files in /src", "read by", "ld (pid 11)"),
        ("ld (pid 11)", "writes", "/src/program"),
    }
    assert not drawn.notes


def test_the_target_of_a_big_picture_stays_alone() -> None:
    drawn = picture(crowds.build(71), "/src/part3.o", limit=5)
    target = [node for node in drawn.nodes if node.is_target]

    assert [node.title for node in target] == ["/src/part3.o"]


@pytest.mark.parametrize("limit", [20, 150, 500])
def test_the_limit_holds_and_what_is_left_out_is_told(limit: int) -> None:
    """Where no two things are alike, some have to go."""
    drawn = picture(crowds.jumble(500), limit=limit)

    assert len(drawn.nodes) <= limit
    assert "more nodes are not shown" in drawn.notes[0]


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_a_cycle_the_least_important_edge_is_turned(newest_first: bool) -> None:
    moments = {(0, 1): 5, (1, 2): 6, (2, 0): 7, (2, 3): 1}

    assert against_the_flow(moments, newest_first) == {(0, 1) if newest_first else (2, 0)}


def test_losses_are_part_of_the_picture() -> None:
    log = story()
    log.account(complete=False, event_ring_full=7)
    drawn = picture(log, REPORT)

    assert drawn.complete is False
    assert "7 event ring full" in drawn.completeness


def test_a_renamed_file_has_its_name_first_and_the_old_one_below() -> None:
    """A title with both would be cut in its middle, where the name ends."""
    log = Log()
    log.process(6, "/bin/b")
    log.writes("6", file(log, "/srv/data/before"))
    log.renames("6", "/srv/data/before", "/srv/data/before", "/srv/data/now")
    drawn = picture(log, "/srv/data/now")
    (node,) = (node for node in drawn.nodes if "now" in node.title)

    assert (node.title, node.detail) == ("/srv/data/now", "was /srv/data/before")
