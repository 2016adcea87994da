"""Recorded graphs against the truth: every flow is found, and none where there was none.

The scenarios lie in ``precision/``. Every process there hands on whatever it has read, so that the
files themselves say in the end what came where; the graph must say the same. What it does not
know yet, or cannot know, stands in ``scenarios.py`` with its reason: its test must fail until then.
"""

import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from provcap.capture.losses import Losses
from provcap.graph import queries
from provcap.graph.ingest import load
from provcap.graph.model import Graph
from provcap.services.replay import write_log
from tests.vm.conftest import checked
from tests.vm.guest_recordings import record
from tests.vm.scenarios import APART_SINCE, FLOWS, NOT_YET, ONE_WAY, PAIRS, SILENT, TOO_MUCH

pytestmark = pytest.mark.vm

SOURCES = Path(__file__).parent / "precision"
WORK = "/tmp/precision"

FILE_SYSTEMS = f"""
mkdir -m 755 {WORK} {WORK}/disk {WORK}/overlay {WORK}/shared
mkdir -p {WORK}.layers/lower {WORK}.layers/upper {WORK}.layers/work
truncate -s 32M {WORK}.disk {WORK}.shared
mkfs.ext4 -q {WORK}.disk
mkfs.btrfs -q --mixed {WORK}.shared
modprobe -a loop ext4 btrfs overlay veth vsock_loopback
mount "$(losetup --find --show {WORK}.disk)" {WORK}/disk
mount "$(losetup --find --show {WORK}.shared)" {WORK}/shared
cd {WORK}.layers
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none {WORK}/overlay
"""

# Two pairs of network namespaces with the same addresses: left1 - right1, left2 - right2
NETWORKS = """
for pair in 1 2; do
  for side in left right; do
    ip netns add $side$pair
    ip -n $side$pair link set lo up
  done
  ip -n left$pair link add wire type veth peer name wire netns right$pair
  number=1
  for side in left right; do
    ip -n $side$pair addr add 10.9.0.$number/24 dev wire
    ip -n $side$pair addr add fd09::$number/64 dev wire nodad
    ip -n $side$pair link set wire up
    number=2
  done
done
"""


def must_fail(reason: str) -> pytest.MarkDecorator:
    """A test that is wrong as soon as it succeeds."""
    return pytest.mark.xfail(strict=True, reason=reason, raises=AssertionError)


def cases(names: Iterable[str], reasons: Mapping[str, str]) -> list[object]:
    """The names as parameters; those with a reason must fail."""
    marks = {name: [must_fail(reason)] for name, reason in reasons.items()}
    return [pytest.param(name, marks=marks.get(name, [])) for name in names]


class Played(NamedTuple):
    """What the scenarios left behind: a graph, and the truth."""

    graph: Graph
    scenarios: list[str]
    losses: Losses
    holds: Mapping[tuple[str, str], set[str]]
    """The secrets in each file: (scenario, name) -> scenarios whose secret it is."""

    def known_as(self, scenario: str, name: str) -> list[list[int]]:
        """The versions of each object that had this name, the newest object first."""
        return self.versions(path_of(scenario, name))

    def versions(self, path: str) -> list[list[int]]:
        """The same for any path."""
        found = queries.find(self.graph, path)
        return [self.graph.versions(self.graph.object_of[node]) for node in found]

    def way(self, scenario: str, source: str, target: str) -> list[str] | None:
        """How what was in one file at first came into another: relations, or None."""
        first = [versions[0] for versions in self.known_as(scenario, source)]
        return self.way_between(first, sum(self.known_as(scenario, target), []))

    def any_way(self, scenario: str, source: str, target: str) -> list[str] | None:
        """The same from the source as it was at any time."""
        anytime = sum(self.known_as(scenario, source), [])
        return self.way_between(anytime, sum(self.known_as(scenario, target), []))

    def way_between(self, sources: list[int], targets: list[int]) -> list[str] | None:
        """Each edge on the way as a line; None: there is no way."""
        edges = queries.way(self.graph, sources, targets)
        return None if edges is None else [self.told(edge) for edge in edges]

    def told(self, edge: int) -> str:
        """An edge in words, for whoever reads a failure."""
        ends = (self.graph.sender[edge], self.graph.receiver[edge])
        sender, receiver = map(self.title, ends)
        return f"{sender} -{self.graph.relation(edge)}-> {receiver}"

    def title(self, node: int) -> str:
        """Kind, name or process id, and version."""
        graph, obj = self.graph, self.graph.object_of[node]
        name = next(iter(graph.names(obj)), graph.tgids.get(obj, obj))
        return f"{graph.kind(node)}:{name}@{graph.version_of[node]}"


def kernel_of(machine) -> tuple[int, ...]:
    """Its version, as far as it tells features: (6, 12)."""
    return tuple(int(part) for part in machine.kernel.version.split(".")[:2])


#: word in the name of a scenario -> where the file system is that it needs
FOLDERS = {"ext4": "/disk", "overlay": "/overlay", "btrfs": "/shared"}


def path_of(scenario: str, name: str) -> str:
    """Where a scenario has its files: those of other file systems say so in their names."""
    folder = next((folder for word, folder in FOLDERS.items() if word in scenario), "")
    return f"{WORK}{folder}/{scenario}/{name}"


def _built(folder: Path) -> str:
    play = folder / "play"
    compiler = ["gcc", "-O1", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
    files = sorted(SOURCES.glob("*.c"))
    subprocess.run([*compiler, "-static", "-pthread", "-o", play, *files], check=True)
    return str(play)


def _truth(machine) -> Mapping[tuple[str, str], set[str]]:
    """Every secret that lies in a file in the end, as the guest finds it."""
    search = ["grep", "-aros", "--devices=skip", r"secret-of-[a-z_0-9.]*", WORK]
    holds = defaultdict(set)
    for line in machine.run(search).stdout.decode().splitlines():
        path, secret = line.split(":")
        scenario, name = path.split("/")[-2:]
        holds[scenario, name].add(secret.removeprefix("secret-of-"))
    return holds


@pytest.fixture(scope="module")
def played(machine) -> Played:
    """Every scenario, recorded once."""
    folder = machine.share / "precision"
    folder.mkdir()
    play, out = _built(folder), folder / "out"
    checked(machine.run(["sh", "-ec", FILE_SYSTEMS]))
    checked(machine.run(["sh", "-ec", NETWORKS]))
    checked(machine.run([play, "prepare", WORK]))
    checked(machine.run(["sh", "-c", f"{play} early {WORK} </dev/null >/dev/null 2>&1"]))
    recording, result = record(machine, out, [play, "run", WORK], "--env=true")
    write_log(out)
    scenarios = result.stdout.decode().split()
    return Played(load(str(out / "audit.log")), scenarios, recording.losses, _truth(machine))


def test_every_scenario_was_played_and_nothing_was_lost(played, machine):
    """The graph is all of it, but for what all anonymous inodes share."""
    twice = [f"{name}.{how}" for name in PAIRS for how in ("apart", "joined")]

    assert sorted(played.scenarios) == sorted([*FLOWS, *twice])
    assert not played.losses.missing and not played.losses.skipped
    harmless = {"shared_anonymous", "packet_copied"}  # the eventfd and the rings; udp_segmented
    if kernel_of(machine) < (6, 2):
        harmless.add("task_storage")  # of tasks that are freed while another hook is interrupted
    assert played.losses.causes.keys() <= harmless


@pytest.mark.parametrize("flow", FLOWS)
def test_the_words_arrived(played, flow):
    """The workload does what it says: otherwise the next test would show nothing."""
    assert played.holds[flow, "copy"] == {flow}


@pytest.mark.parametrize("flow", cases(FLOWS, NOT_YET))
def test_a_flow_is_found(played, flow):
    """From the secret as it was before, to the file that has its words; and not back."""
    assert played.way(flow, "secret", "copy")
    assert not played.any_way(flow, "copy", "secret")


@pytest.mark.parametrize("pair", PAIRS)
def test_the_words_stayed_apart(played, pair):
    """And would have come, had the two talked to each other."""
    apart, joined = f"{pair}.apart", f"{pair}.joined"

    assert played.holds[apart, "clean"] == set()
    assert played.holds[joined, "clean"] == {joined}
    assert played.holds[apart, "own"] == (set() if pair in SILENT else {apart})


@pytest.mark.parametrize("pair", PAIRS)
def test_each_of_a_pair_is_in_the_graph(played, pair):
    """Each has read its file and written its own: without that, being apart says nothing."""
    apart = f"{pair}.apart"

    assert played.way(apart, "other", "clean")
    if pair not in SILENT:
        assert played.way(apart, "secret", "own")


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_that_talks_is_connected(played, pair):
    """The same two processes, and a pipe between them that was used."""
    assert played.way(f"{pair}.joined", "secret", "clean")


@pytest.mark.parametrize("pair", cases(PAIRS, TOO_MUCH))
def test_a_pair_that_does_not_talk_is_apart(played, pair, machine, request):
    """Whatever else the two have in common, in whatever state."""
    since, reason = APART_SINCE.get(pair, ((0, 0), ""))
    if kernel_of(machine) < since:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    assert played.any_way(f"{pair}.apart", "secret", "clean") is None


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair not in ONE_WAY | SILENT])
def test_a_pair_is_apart_the_other_way_round(played, pair):
    """The first knows nothing of the second either, even where the second hears it."""
    for how in ("apart", "joined"):
        assert played.any_way(f"{pair}.{how}", "other", "own") is None


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.startswith("order_of")])
def test_a_server_knows_at_the_second_request_what_the_first_said(played, pair):
    """One process saw both: its second answer comes from both."""
    assert played.way(f"{pair}.apart", "other", "own")


def test_a_log_comes_from_all_who_wrote_to_it(played):
    """Sharing an output joins nobody, but what is in it has all of them."""
    assert played.way("output.apart", "secret", "log")
    assert played.way("output.apart", "other", "log")


def test_a_folder_comes_from_all_who_made_names_in_it(played):
    """Nobody who only makes and looks up names knows of them; the folder does."""
    assert played.way("directory.apart", "secret", "inner")
    assert played.way("directory.apart", "other", "inner")


@pytest.mark.parametrize("pair", ["made_again", "made_again_ext4"])
def test_a_name_that_is_used_again_is_another_file(played, pair):
    """The old one has the secret, the new one has not."""
    secret = played.known_as(f"{pair}.apart", "secret")[0]
    new, old = played.known_as(f"{pair}.apart", "again")

    assert played.way_between(secret, old)
    assert played.way_between(secret, new) is None


def test_a_file_on_disk_had_the_inode_number_of_the_one_before(played):
    """Else the test above were easy."""
    new, old = played.known_as("made_again_ext4.apart", "again")
    inode = played.graph.inodes

    assert inode[played.graph.object_of[new[0]]] == inode[played.graph.object_of[old[0]]]


@pytest.mark.parametrize(
    ("scenario", "text", "kind"),
    [
        ("fork_exec", "secret-of-fork_exec", "argv"),
        ("environment", "WORDS=secret-of-environment", "envp"),
    ],
)
def test_a_program_comes_from_the_text_that_it_is_given(played, scenario, text, kind):
    """The argument or the variable itself is a node that says what the file has."""
    graph = played.graph
    found = [graph.versions(obj)[0] for obj, told in graph.texts.items() if told.startswith(text)]

    assert found
    assert {graph.kind(node) for node in found} == {kind}
    assert played.way_between(found, played.known_as(scenario, "copy")[0])


def test_a_secret_of_the_environment_never_leaves_the_recorder(played, machine):
    """The name of the variable does."""
    raw = (machine.share / "precision/out/audit.raw").read_bytes()

    assert b"not-for-the-log" not in raw
    assert "SOME_TOKEN=***" in played.graph.texts.values()


def test_a_script_and_its_interpreter_lead_to_what_it_writes(played):
    """Both files became the process."""
    (interpreter,) = played.versions(str(Path("/bin/sh").resolve()))

    assert played.way_between(interpreter[:1], played.known_as("script", "copy")[0])
    assert played.way("script", "middle", "copy")
