"""The log output: private, append-only, whole lines whatever happens."""

import subprocess
import sys
from pathlib import Path

import pytest

from provcap.errors import OutputError
from provcap.outputs import log, null


def test_messages_are_appended_to_a_private_file(tmp_path: Path) -> None:
    """A second opening continues the file, which only its owner may read."""
    path = tmp_path / "out"
    for message in (b"one\n", b"two\n"):
        output = log.open_output(str(path))
        output.write(message)
        output.close()
        output.close()

    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_left_in_the_middle_of_a_line_is_continued_on_a_new_one(tmp_path: Path) -> None:
    """What another program left unfinished does not spoil our first line, nor is it deleted."""
    path = tmp_path / "out"
    path.write_bytes(b"half")
    log.Log(path).write(b"ours\n")

    assert path.read_bytes() == b"half\nours\n"


def test_a_full_disk_keeps_every_whole_line(tmp_path: Path) -> None:
    """A message that does not fit is cut off again; the error says what was kept."""
    program = """
import resource, sys
from pathlib import Path
from provcap.errors import OutputError
from provcap.outputs.log import Log
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
output = Log(Path(sys.argv[1]))
output.write(b"12345\\n")
try:
    output.write(b"123456789\\n")
except OutputError as error:
    print(error)
"""
    path = tmp_path / "out"
    words = [sys.executable, "-c", program, str(path)]
    result = subprocess.run(words, capture_output=True, text=True, check=True)

    assert path.read_bytes() == b"12345\n"
    assert "its 6 bytes up to the last whole line were kept" in result.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_without_room_is_an_error() -> None:
    """What cannot be cut back is said to be incomplete."""
    with pytest.raises(OutputError, match="No space left"):
        log.Log(Path("/dev/full")).write(b"x\n")


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    """The error names the file and the reason."""
    with pytest.raises(OutputError, match="No such file"):
        log.Log(tmp_path / "no" / "out")


def test_null_counts_what_it_forgets() -> None:
    """For measuring: messages and bytes."""
    output = null.open_output()
    output.write(b"abc")

    assert (output.messages, output.size_bytes) == (1, 3)
