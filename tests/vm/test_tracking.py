"""With whole-system capture off only what is tracked is recorded, and all of that."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provcap.records import Edge, Node
from provcap.vm.machine import Machine
from tests.vm.guest_recordings import PATIENCE_S
from tests.vm.recorded import Recording

pytestmark = pytest.mark.vm

# Each part works in files of its own, so that nothing spreads from one to the next.
# head reads and writes, cat and cp have the kernel copy.
SCRIPT = """
mkdir -p /tmp/track; cd /tmp/track
for file in plain tracked spreads hidden early source; do echo "$file" >$file; done

cat plain >plain.copy

camflow --track-file tracked true
head tracked >tracked.copy
cat tracked.copy >tracked.copy.copy
camflow --track-file tracked false
tail tracked >tracked.later

camflow --track-file spreads propagate
camflow --taint-file spreads 40
cat spreads >spread.1
sort spread.1 | tr a b >spread.2
head spread.2 >/dev/null
wc spread.2 plain >spread.3
cp spreads spread.4
head spread.4 >spread.5
wc spread.5 >/dev/null
stat spreads >stat.only

sh -c 'camflow --track-process $$ true; echo made >process.made; head process.made >process.child'
head process.made >process.read

cp /usr/bin/head program
camflow --track-file program propagate
./program plain >program.out

sh -c 'provcap log a line; echo said >said'
sh -c 'provcap log --propagate another; echo heard >heard'
cat heard >heard.copy
cat heard.copy >heard.copy.copy

python3 ../serve.py serve & server=$!
python3 ../serve.py datagram & receiver=$!
while [ ! -e ready -o ! -e ready.datagram ]; do sleep 0.1; done
python3 ../serve.py send <spreads
wait $server $receiver

mkfifo passage
python3 ../serve.py move & mover=$!
while [ ! -e ready.mover ]; do sleep 0.1; done; sleep 1
head spreads >passage
wait $mover
head moved >/dev/null

camflow --opaque-file hidden true
cat hidden spreads >hidden.out
cp /usr/bin/cat opaque
camflow --opaque-file opaque true
./opaque spreads >opaque.out

camflow --track-file disk/kept propagate
sync; echo 2 >/proc/sys/vm/drop_caches
cat disk/kept >kept.out

camflow -a true
cat plain >whole
camflow -a false
cat plain >partial
camflow -e false
cat spreads >switched.off
camflow -e true
cat spreads >switched.on
"""

# servers that are there before anything reaches them, and what they hear
SERVE = """
import os, socket, sys
if sys.argv[1] == "serve":
    inet, unix = socket.create_server(("127.0.0.1", 7070)), socket.socket(socket.AF_UNIX)
    unix.bind("/tmp/track/listener")
    unix.listen()
    open("/tmp/track/ready", "w").close()
    for listener in (inet, inet, unix):
        listener.accept()[0].recv(9)
elif sys.argv[1] == "datagram":
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 7070))
    open("/tmp/track/ready.datagram", "w").close()
    open("/tmp/track/datagram.out", "wb").write(receiver.recv(9))
elif sys.argv[1] == "move":
    moved = open("/tmp/track/moved", "wb")
    passage = os.open("/tmp/track/passage", os.O_RDWR)
    open("/tmp/track/ready.mover", "w").close()
    os.splice(passage, moved.fileno(), 8)
else:
    for _ in range(2):
        socket.create_connection(("127.0.0.1", 7070)).sendall(sys.stdin.buffer.read(2))
    peer = socket.socket(socket.AF_UNIX)
    peer.connect("/tmp/track/listener")
    peer.sendall(sys.stdin.buffer.read(2))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.sendto(sys.stdin.buffer.read(2), ("127.0.0.1", 7070))
"""

PREPARE = f"""
mkdir -p /tmp/track/disk
cat >/tmp/serve.py <<'END'
{SERVE}
END
truncate -s 16M /tmp/track.image
mkfs.ext4 -q /tmp/track.image
modprobe -a loop ext4
mount "$(losetup --find --show /tmp/track.image)" /tmp/track/disk
echo kept >/tmp/track/disk/kept
"""


class Tracked(Recording):
    """The recording, asked by the names of files."""

    def node(self, name: str) -> int:
        """The node id of the one file of this name."""
        path = f"/tmp/track/{name}".encode()
        found = [id for id in self.nodes if self.kind(id) == "file" and path in self.names(id)]
        assert len(found) == 1, f"{name}: {found}"
        return found[0]

    def is_there(self, name: str) -> bool:
        """Whether any file or text says this name."""
        path = f"/tmp/track/{name}".encode()
        return any(facts.get("pathname") == path for facts in self.texts.values())

    def flows(self, relation: str, name: str) -> list[Edge]:
        """Edges of this relation at the file."""
        id = self.node(name)
        ends = ((edge, edge.sender.id, edge.receiver.id) for edge in self.edges)
        return [edge for edge, *pair in ends if edge.relation == relation and id in pair]

    def reaches(self, source: str, target: str) -> bool:
        """Whether the target file derives from the source file."""
        start, wanted = self.node(source), self.node(target)
        known = {edge.sender for edge in self.edges if edge.sender.id == start}
        for edge in sorted(self.edges, key=lambda edge: edge.at_ns):
            if edge.flow in ("data", "version") and edge.sender in known:
                known.add(edge.receiver)
        return any(end.id == wanted for end in known)

    def taint(self, name: str) -> int:
        """What was last said of the file's taint."""
        return self.nodes[self.node(name)][-1].taint


@pytest.fixture(scope="module")
def tracked(machine: Machine) -> Iterator[Tracked]:
    """One recording of all parts."""
    assert machine.share
    out = machine.share / "tracked"
    assert machine.run(["sh", "-ec", PREPARE]).status == 0
    record = [sys.executable, "-m", "provcap.cli.main", "record", "--raw", "--out", str(out)]
    path = f"PATH={Path(sys.executable).parent}:/usr/bin:/usr/sbin:/bin:/sbin"
    command = ["env", path, *record, "--all", "false", "--", "sh", "-ec", SCRIPT]
    result = machine.run(command, timeout_s=PATIENCE_S)
    assert (result.status, result.stderr) == (0, b""), result
    yield Tracked(out / "audit.raw", "/tmp/track", [])
    machine.run(["umount", "/tmp/track/disk"])


def test_nothing_was_lost(tracked: Tracked) -> None:
    """But what was left out on purpose, and that is said."""
    losses = tracked.losses
    assert not (losses.causes or losses.missing or losses.skipped or losses.cut), losses
    assert set(losses.restrictions) == {"switched_off", "tracked_only", "opaque"}


@pytest.mark.parametrize(
    "name",
    [
        *("plain.copy", "tracked.copy", "tracked.copy.copy", "tracked.later", "stat.only"),
        *("process.read", "hidden", "opaque", "opaque.out", "partial", "switched.off"),
    ],
)
def test_what_is_not_tracked_is_not_there(tracked: Tracked, name: str) -> None:
    """Not even its name."""
    assert not tracked.is_there(name)


def test_who_touches_a_tracked_file_is_recorded_with_its_name_and_words(tracked: Tracked) -> None:
    """The reader is not tracked itself: what it writes is not there (see above)."""
    (read,) = tracked.flows("read", "tracked")
    reader = read.receiver.id
    memory = {e.receiver.id for e in tracked.edges
              if e.relation == "memory_write" and e.sender == read.receiver}  # fmt: skip
    (memory_id,) = memory
    words = [
        tracked.texts[edge.sender]["value"]
        for edge in tracked.edges
        if edge.relation == "arg" and edge.receiver.id == memory_id
    ]

    assert tracked.attributes(reader)["comm"].rstrip(b"\0") == b"head"
    assert tracked.names(memory_id) == [b"/usr/bin/head"]
    assert words == [b"head", b"tracked"]


def test_a_log_line_tracks_the_process_that_it_is_of(tracked: Tracked) -> None:
    """As CamFlow's log does; with --propagate, as logp, also what comes of it."""
    assert tracked.flows("write", "said")
    assert tracked.reaches("heard", "heard.copy.copy")


def test_tracking_ends_when_it_is_taken_back(tracked: Tracked) -> None:
    """One read before, none after."""
    assert len(tracked.flows("read", "tracked")) == 1


SPREAD = ["spread.1", "spread.2", "spread.3", "spread.4", "spread.5"]


@pytest.mark.parametrize("target", SPREAD)
def test_propagation_goes_on_without_end(tracked: Tracked, target: str) -> None:
    """Through files, a pipe, copies, and processes that were never told of."""
    assert tracked.reaches("spreads", target)


@pytest.mark.parametrize("target", SPREAD)
def test_taint_goes_with_it(tracked: Tracked, target: str) -> None:
    """A bit above the thirty-second is one, too."""
    assert tracked.taint(target) == 1 << 40


def test_what_joins_in_is_recorded_complete(tracked: Tracked) -> None:
    """The tracked reader's other inputs are edges, though their files are not tracked."""
    assert tracked.reaches("plain", "spread.3")
    assert not tracked.reaches("plain", "spread.2")


def test_a_tracked_process_has_tracked_children_and_files(tracked: Tracked) -> None:
    """What it wrote is tracked, so a reader of that is there; the reader's own file is not."""
    assert tracked.reaches("process.made", "process.child")
    assert len({edge.receiver.id for edge in tracked.flows("read", "process.made")}) == 2


def test_who_executes_a_marked_program_is_tracked(tracked: Tracked) -> None:
    """Its file is what the process, and all that it writes, derives from."""
    assert tracked.reaches("program", "program.out")
    assert tracked.reaches("plain", "program.out")


def test_a_listening_socket_tells_what_it_was_bound_to_before(tracked: Tracked) -> None:
    """It was bound unseen; what is accepted from it later leads back to its address."""
    bound = {e.receiver.id: tracked.texts[e.sender]["address"] for e in tracked.edges
             if e.relation == "addressed"}  # fmt: skip
    listening = {e.sender.id for e in tracked.edges if e.relation == "accept_socket"}

    assert {bound[id][:16].rstrip(b"\0") for id in listening} == {
        b"\x02\0" + (7070).to_bytes(2, "big") + b"\x7f\0\0\x01",
        b"\x01\0/tmp/track/lis",
    }


def test_a_datagram_carries_marks_to_a_process_that_was_never_told_of(tracked: Tracked) -> None:
    """Its packet is tracked, and so is the socket that it is read from."""
    assert tracked.reaches("spreads", "datagram.out")


def test_what_arrives_while_a_copy_waits_is_followed(tracked: Tracked) -> None:
    """Neither the pipe nor the file was tracked when the call began to wait."""
    (copy,) = tracked.flows("copy", "moved")

    assert tracked.reaches("spreads", "moved")
    assert tracked.taint("moved") == 1 << 40
    assert copy.flags == len("spreads\n")


def test_an_opaque_file_leaves_the_rest_as_it_is(tracked: Tracked) -> None:
    """Nothing tells that it was read, too."""
    assert tracked.reaches("spreads", "hidden.out")


def test_a_mark_outlives_the_cache(tracked: Tracked) -> None:
    """The inode left memory between the mark and the read."""
    assert tracked.reaches("disk/kept", "kept.out")


def test_switches_hold_from_now_on(tracked: Tracked) -> None:
    """Whole-system capture on and off, capture off and on."""
    assert tracked.reaches("plain", "whole")
    assert tracked.reaches("spreads", "switched.on")


def test_what_was_only_looked_at_has_a_name_too(tracked: Tracked) -> None:
    """Nobody has opened these directories; they lie where the task could see them from."""
    here = tracked.attributes(tracked.node("plain"))["dev"]
    inodes = [id for id in tracked.nodes if tracked.kind(id) in ("file", "directory", "link")]
    beside = [id for id in inodes if tracked.attributes(id)["dev"] == here]
    named = {name for id in beside for name in tracked.names(id)}

    assert [id for id in beside if not tracked.names(id)] == []
    assert {b"/tmp", b"/tmp/track"} <= named


def test_every_end_of_an_edge_has_its_record(tracked: Tracked) -> None:
    """Whatever takes part is described, as it is with the whole system."""
    bare = ("machine", "path", "argv", "address")
    packets = {end for end in tracked.texts if tracked.texts[end].get("len")}
    told = set(tracked.nodes)
    ends = {end for edge in tracked.edges for end in (edge.sender, edge.receiver)}
    kinds = {r.identifier: r.kind for r in tracked.expanded if isinstance(r, Node)}

    assert {end for end in ends - packets if end.id not in told and kinds[end] not in bare} == set()
