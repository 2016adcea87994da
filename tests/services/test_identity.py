"""A machine keeps its number, and a boot is counted once."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from provcap.errors import SetupError
from provcap.services.identity import BOOT, BOOT_UUID, MACHINE, Identity, identity

ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND = "2b1c0d3e-0000-4000-8000-000000000001", "9f000000-0000-4000-8000-000000000002"


class Place:
    """A folder for the files, and a kernel that says which boot it is."""

    def __init__(self, folder: Path) -> None:
        self.etc, self.uuid, self.systemd = folder / "etc", folder / "uuid", folder / "machine-id"
        self.etc.mkdir()
        self.systemd.write_text("0123456789abcdef0123456789abcdef\n")
        self.reboot(FIRST)

    def reboot(self, uuid: str) -> None:
        self.uuid.write_text(f"{uuid}\n")

    def identity(self) -> Identity:
        return identity(self.etc, self.uuid, self.systemd)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """On its first boot, with nothing written yet."""
    return Place(tmp_path)


def test_the_machine_stays_and_boots_are_counted(place: Place) -> None:
    """However often a recorder starts in one boot."""
    found = [place.identity()]
    for uuid in (FIRST, SECOND, SECOND, FIRST):
        place.reboot(uuid)
        found.append(place.identity())

    assert {who.machine_id for who in found} == {found[0].machine_id}
    assert 0 < found[0].machine_id < 1 << 32
    assert [who.boot_id for who in found] == [1, 1, 2, 2, 3]
    assert not any(who.note for who in found)


def test_the_files_are_those_of_camflow(place: Place) -> None:
    """Four bytes each, readable by all, and nothing else is left in the folder."""
    who = place.identity()

    assert (place.etc / MACHINE).read_bytes() == who.machine_id.to_bytes(4, "little")
    assert (place.etc / BOOT).read_bytes() == (1).to_bytes(4, "little")
    assert {path.name for path in place.etc.iterdir()} == {MACHINE, BOOT, BOOT_UUID}
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.etc.iterdir()} == {0o644}


def test_what_camflow_left_is_taken_over(place: Place) -> None:
    """Its machine keeps its number, and counting goes on."""
    (place.etc / MACHINE).write_bytes((509509127).to_bytes(4, "little"))
    (place.etc / BOOT).write_bytes((27).to_bytes(4, "little"))

    assert place.identity() == Identity(509509127, 28)


def test_two_machines_differ(place: Place, tmp_path: Path) -> None:
    """The number is random."""
    (tmp_path / "other").mkdir()

    assert place.identity().machine_id != Place(tmp_path / "other").identity().machine_id


def test_a_killed_recorder_costs_a_number_at_most(place: Place) -> None:
    """The counter has gone on, and its boot is not known: the next one counts again."""
    place.identity()
    (place.etc / BOOT).write_bytes((2).to_bytes(4, "little"))
    (place.etc / f".{BOOT_UUID}.new").write_text("half")

    assert place.identity().boot_id == 3
    assert place.identity().boot_id == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((MACHINE, content) for content in (b"", b"123", b"12345", bytes(4))),
        *((BOOT, content) for content in (b"", b"1\n", bytes(4), b"\xff" * 4)),
        *((BOOT_UUID, content) for content in (b"", b"x y", b"0 y", b"7", b"\xff\xfe \xff")),
    ],
)
def test_a_damaged_file_is_an_error_and_stays(place: Place, name: str, content: bytes) -> None:
    """Another machine in silence would be worse."""
    place.identity()
    place.reboot(SECOND)
    (place.etc / name).write_bytes(content)

    with pytest.raises(SetupError, match=name):
        place.identity()
    assert (place.etc / name).read_bytes() == content


def test_without_a_place_to_write_the_numbers_are_passing(place: Place) -> None:
    """And a note says so; a number that is there is used all the same."""
    place.etc.rmdir()
    found = place.identity()
    assert (found.machine_id, found.boot_id) == (0x01234567, 0x2B1C0D3E)
    assert "cannot be written (No such file" in found.note

    place.systemd.unlink()
    assert place.identity().machine_id == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_who_may_not_write_reads(place: Place) -> None:
    """Another user sees the numbers that the recorder made, and none are made by it."""
    script = (
        "import os, pathlib, sys; from provcap.services.identity import identity;"
        "os.setuid(65534); p = pathlib.Path('.');"
        "print(*identity(p / 'etc', p / 'uuid', p / 'machine-id')[:2])"
    )
    for folder in (place.etc.parent, *place.etc.parent.parents[:2]):
        folder.chmod(0o755)
    said = []
    for _ in range(2):
        words = [sys.executable, "-c", script]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        run = subprocess.run(
            words, cwd=place.etc.parent, env=environment, capture_output=True, text=True
        )
        said.append(run.stdout.split())
        known = place.identity()

    assert said[0] == [str(0x01234567), str(0x2B1C0D3E)]
    assert said[1] == [str(known.machine_id), str(known.boot_id)]


def test_recorders_that_start_at_once_agree(place: Place) -> None:
    """The folder is locked: one machine, one boot."""
    script = (
        "import pathlib, sys; from provcap.services.identity import identity;"
        "p = pathlib.Path('.'); print(identity(p / 'etc', p / 'uuid', p / 'machine-id'))"
    )
    words, environment = [sys.executable, "-c", script], {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen(words, cwd=place.etc.parent, env=environment, stdout=subprocess.PIPE)
        for _ in range(6)
    ]

    assert len({process.communicate()[0] for process in running}) == 1
    assert place.identity().boot_id == 1
