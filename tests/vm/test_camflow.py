"""camflow steers a recording that is under way: marks, switches, and what it says of them."""

import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from provcap.records import Identifier
from tests.vm.guest_recordings import Graph, Recording, record

pytestmark = pytest.mark.vm

Said = tuple[int, str, str]


class Steered(NamedTuple):
    """The recording, the folder that it was about, and what camflow said in it by step."""

    folder: Path
    recording: Recording
    graph: Graph
    said: dict[str, Said]

    def done(self, name: str) -> str:
        """Output of a step that must have succeeded."""
        status, out, err = self.said[name]
        assert (status, err) == (0, ""), name
        return out

    def refused(self, name: str) -> str:
        """What a step said that must have failed."""
        status, out, err = self.said[name]
        assert (status, out) == (1, ""), name
        return err

    def named(self, name: str) -> bool:
        """Whether a file of the folder is in the recording."""
        return str(self.folder / name) in self.graph.paths()


@pytest.fixture(scope="module")
def steered(machine) -> Steered:
    folder = machine.share / "steered"
    folder.mkdir()
    for name in ("unused", "secret", "other"):
        (folder / name).write_text("words\n")
    command = [sys.executable, "-m", "tests.vm.steer", str(folder)]
    recording, _ = record(machine, folder / "out", command)
    said = json.loads((folder / "said.json").read_text())
    return Steered(folder, recording, recording.graph(), said)


def test_every_step_is_done_or_refused(steered):
    """Nothing fails but what must, and nothing was lost over it."""
    failed = {name for name, (status, _, _) in steered.said.items() if status}

    assert failed == {"eventfd", "socket", "as a program"}
    assert steered.said["as a program"][0] == 1
    assert steered.done("nothing lost") == "Graph elements dropped: \t\t0\n"
    losses = steered.recording.losses
    assert not (losses.causes or losses.missing or losses.skipped or losses.cut), losses


def test_the_recording_says_that_it_was_off_meanwhile(steered):
    """So it is not complete, whatever it holds."""
    restrictions = ("filtered", "opaque", "switched_off", "tracked_only")
    assert steered.recording.losses.restrictions == restrictions
    assert not steered.recording.losses.complete


def test_the_state_follows_the_switches(steered):
    """And at the end it is what it was, with the same hash."""
    first, off, last = (steered.done(name) for name in ("state", "off shown", "state at the end"))

    assert "- capture enabled;\n- all enabled;\n" in first
    assert "- capture disabled;\n- all enabled;\n" in off
    assert last == first.replace("was not captured", "has been captured")


def test_nothing_is_recorded_while_capture_is_off(steered):
    """And everything once it is on again."""
    assert not steered.named("while-off")
    assert steered.graph.comes_from(steered.folder / "while-on", steered.folder / "other")


def test_a_filtered_relation_is_not_recorded(steered):
    """Until the filters are reset; the file itself is there."""
    other = steered.folder / "other"
    assert "Generated filter (20):\nwrite\nUsed filter" in steered.done("filter shown")
    assert not steered.graph.comes_from(steered.folder / "filtered", other)
    assert steered.graph.comes_from(steered.folder / "unfiltered", other)


def test_a_step_of_the_epoch_has_nodes_sent_again(steered):
    """The same node, once in each epoch; its relations carry on."""
    other = steered.graph.node(steered.folder / "other")
    epochs = {node.epoch for node in steered.recording.nodes() if node.id == other}
    assert epochs == {1, 2}


def test_the_identifier_shown_is_that_of_the_recording(steered):
    """So that it can be asked for; a mark set before the first use shows with it."""
    text = steered.done("unused shown")
    said = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    identifier = Identifier.parse(said["Identifier"])
    origin = steered.recording.header.origin

    assert identifier.id == int(said["ID"]) == steered.graph.node(steered.folder / "unused")
    assert (identifier.boot_id, identifier.machine_id) == (origin.boot_id, origin.machine_id)
    assert identifier in steered.graph.number
    assert said["Type"] == "file"
    assert "File is tracked.\nFile is not opaque.\nFile propagates tracking.\n" in text


def test_the_process_shown_is_in_the_recording(steered):
    """It is an address space."""
    (id,) = re.findall(r"^ID: (\d+)$", steered.done("pid shown"), re.M)

    assert int(id) in {node.id for node in steered.recording.nodes() if "tgid" in node.attributes}


def test_an_opaque_file_leaves_no_edge(steered):
    """Until it is no longer opaque."""
    assert "File is opaque.\n" in steered.done("opaque shown")
    hidden = steered.folder / "hidden"
    assert not steered.graph.comes_from(steered.folder / "of-hidden", hidden)
    assert steered.graph.comes_from(steered.folder / "of-unhidden", hidden)


def test_tracking_follows_the_data_and_only_the_data(steered):
    """Over two processes and the file between them; its taint comes along."""
    for name in ("secret again", "of-of-secret"):
        shown = steered.done(name)
        assert "Taint: 200000000\n" in shown
        assert "File is tracked.\nFile is not opaque.\nFile propagates tracking.\n" in shown
    assert "File is not tracked.\n" in steered.done("of-other")
    assert steered.graph.comes_from(steered.folder / "of-of-secret", steered.folder / "secret")
    assert not steered.named("of-other")


def test_a_running_process_can_be_tracked(steered):
    """From the next thing that it does."""
    assert steered.named("by-tracked")
    assert not steered.named("by-untracked")


def test_what_has_no_inode_of_its_own_is_refused(steered):
    """A mark would be on strangers as well."""
    assert "cannot be marked: anon_inode:[eventfd] shares its inode" in steered.refused("eventfd")
    assert "a socket cannot be marked by its path" in steered.refused("socket")


def test_a_pipe_takes_marks_and_says_that_its_node_is_not_at_hand(steered):
    """It is kept by address, which user space does not know."""
    shown = steered.done("pipe shown")

    assert shown.startswith("Not seen yet: ")
    assert "File is tracked.\n" in shown


def test_the_graph_of_a_recording_that_was_steered_is_sound(steered):
    """Leaving out must leave no loose end."""
    assert steered.graph.in_cycles() == 0
    assert not steered.graph.dangling
