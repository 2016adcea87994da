"""A file on a disk is the same file after a reboot, and another one under its inode number is not.

Two boots of one kernel get the same disk, an image in the shared folder, one after the other. The
first is that of the other tests: it unmounts the disk, as a machine does that goes down.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from provcap.graph import queries
from provcap.graph.ingest import load, load_all
from provcap.graph.model import Graph
from provcap.records import Identifier
from provcap.services.replay import write_log
from provcap.vm.machine import Machine
from tests.vm.conftest import checked
from tests.vm.guest_recordings import PATIENCE_S, record_command

pytestmark = pytest.mark.vm

PLACE = "/tmp/reboot"  # where the disk is mounted in both
COPY, OTHER = f"{PLACE}.copy", f"{PLACE}.other"
MOUNT = f"""
modprobe -a loop ext4
mkdir -p {PLACE}
mount -o loop "$0" {PLACE}
"""
WRITE = f'head "$0/words" >{PLACE}/kept; head "$0/words" >{PLACE}/removed'
#: the last file gets the inode number of the one that was removed
READ = f"""
head {PLACE}/kept >{COPY}
rm {PLACE}/removed
echo new >{PLACE}/again
head {PLACE}/again >{OTHER}
"""


class Boots(NamedTuple):
    """What was recorded in the two boots, and both as one."""

    first: Graph
    second: Graph
    whole: Graph


def boot(machine: Machine, folder: Path, name: str, script: str) -> Path:
    """Record the script while the disk is there; the log of it."""
    out = folder / name
    image = str(folder / "disk.image")
    checked(machine.run(["sh", "-ec", MOUNT, image]))
    command = record_command(out, ["sh", "-ec", script, str(folder)])
    numbers = f"PROVCAP_IDENTITY={folder / 'identity'}"
    checked(machine.run(["env", numbers, *command], timeout_s=PATIENCE_S))
    checked(machine.run(["umount", PLACE]))
    checked(machine.run(["sync"]))
    write_log(out)
    return out / "audit.log"


@pytest.fixture(scope="module")
def boots(machine: Machine) -> Iterator[Boots]:
    """Write in the one, read in the other."""
    assert machine.share
    folder = machine.share / "reboot"
    (folder / "identity").mkdir(parents=True)
    (folder / "words").write_text("words\n")
    with (folder / "disk.image").open("wb") as image:
        image.truncate(8 << 20)
    checked(machine.run(["mkfs.ext4", "-q", str(folder / "disk.image")]))
    first = boot(machine, folder, "first", WRITE)
    with Machine(machine.kernel, share=folder) as again:
        second = boot(again, folder, "second", READ)
    yield Boots(load(str(first)), load(str(second)), load_all([str(first), str(second)]))
    (folder / "disk.image").unlink()


def file(graph: Graph, name: str) -> int:
    """The one object of this name on the disk."""
    (node,) = queries.find(graph, f"{PLACE}/{name}")
    return graph.object_of[node]


def numbers(graph: Graph) -> set[tuple[int, int]]:
    """Machine and boot of every file of a recording."""
    found = (
        Identifier.parse(text.removeprefix("cf:"))
        for node, text in enumerate(graph.identifiers)
        if graph.kind(node) == "file"
    )
    return {(one.machine_id, one.boot_id) for one in found}


def inputs(graph: Graph, path: str) -> set[str]:
    """The names of all that came into a file."""
    found = queries.ancestry(graph, queries.find(graph, path)[:1])
    return {name for node in found for name in graph.names(graph.object_of[node])}


def test_the_machine_is_the_same_and_the_boot_another(boots: Boots) -> None:
    """In every identifier: boots are counted from 1, in files that stay."""
    ((machine, first),) = numbers(boots.first)
    ((again, second),) = numbers(boots.second)

    assert (first, second) == (1, 2)
    assert machine == again != 0


def test_a_file_has_the_same_key_in_both_boots(boots: Boots) -> None:
    """UUID, inode number and generation are on the disk; the node is another one."""
    written, read = file(boots.first, "kept"), file(boots.second, "kept")

    assert boots.first.file_keys[written] == boots.second.file_keys[read]


def test_a_file_with_the_inode_number_of_another_has_another_key(boots: Boots) -> None:
    """The one was removed after the reboot, and its number was free."""
    old, new = file(boots.first, "removed"), file(boots.second, "again")

    assert boots.first.inodes[old] == boots.second.inodes[new]
    assert boots.first.file_keys[old] != boots.second.file_keys[new]


def test_what_was_read_after_the_reboot_comes_of_who_wrote_before(
    boots: Boots, machine: Machine
) -> None:
    """The two logs are one story: from the words in the first boot to the copy in the second."""
    words = str(machine.share / "reboot/words")

    assert words in inputs(boots.whole, COPY)
    assert words not in inputs(boots.second, COPY)
    assert words not in inputs(boots.whole, OTHER)
