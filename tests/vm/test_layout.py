"""What a guest sees where, and the words that start it: all without booting one."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from provcap.cli import main, vm
from provcap.errors import UsageError
from provcap.vm import initramfs, layout


def points(lines: str) -> list[str]:
    """Where the lines of an fstab mount, without the guest's new root."""
    return [line.split()[1].removeprefix("/guest") for line in lines.splitlines()]


def folders(plan: layout.Layout) -> set[str]:
    """The names in the skeleton of ``plan``."""
    with tarfile.open(fileobj=io.BytesIO(plan.skeleton)) as tar:
        return {f"/{name}" for name in tar.getnames()}


def plan(share: Path | None = None, working_dir: Path = Path("/usr")) -> layout.Layout:
    return layout.plan(share, None, working_dir, Path("/nonexistent"))


def test_places_that_programs_write_are_covered():
    assert {"/tmp", "/run", "/var/tmp", "/var/log", "/var/lib"} <= set(points(plan().covers))


def test_a_checkout_below_a_cover_is_bound_back(tmp_path):
    """From its top, wherever in it the command starts."""
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    (tmp_path / "checkout" / "deep").mkdir()

    made = plan(working_dir=tmp_path / "checkout" / "deep")

    assert str(tmp_path / "checkout") in points(made.binds)
    assert str(tmp_path / "checkout" / "deep") not in points(made.binds)
    assert str(tmp_path / "checkout") in folders(made)


def test_the_shared_folder_comes_after_what_holds_it(tmp_path):
    """Else the bind of the checkout would hide it."""
    (tmp_path / ".git").mkdir()
    share = tmp_path / "out"
    share.mkdir()

    order = points(plan(share, tmp_path).binds)

    assert order.index(str(tmp_path)) < order.index(str(share))


def test_a_checkout_inside_the_shared_folder_stays_writable(tmp_path):
    """It is seen through the share already; a bind would make it read-only."""
    (tmp_path / "inner").mkdir()

    assert str(tmp_path / "inner") not in points(plan(tmp_path, tmp_path / "inner").binds)


@pytest.mark.parametrize("place", layout.REFUSED)
def test_what_the_guest_needs_itself_cannot_be_shared(place):
    with pytest.raises(UsageError, match="cannot share"):
        plan(Path(place))


def test_odd_names_survive_the_mount_table(tmp_path):
    """Blank, tab, newline and backslash are what fstab escapes."""
    share = tmp_path / "a b\tc\nd\\e"
    share.mkdir()

    assert r"/a\040b\011c\012d\134e" in plan(share).binds


def test_the_first_root_holds_the_files_given(tmp_path):
    """As cpio itself reads them, with names and content of any length."""
    files = {"init": b"#!", "a": b"", "abc": b"12345"}
    image = tmp_path / "image"
    image.write_bytes(initramfs.build(None, files))

    subprocess.run(["busybox", "cpio", "-id", "-F", image], cwd=tmp_path, check=True)

    assert {name: (tmp_path / name).read_bytes() for name in files} == files
    assert (tmp_path / "bin" / "busybox").stat().st_mode & 0o111


def test_the_recorded_command_is_wrapped_whole():
    """Words after -- are the user's own, options or not."""
    words = vm.guest_command(["sh", "-c", "--", "x y"], Path("/out"), ["--all=false"])

    recorder = ["record", "--out=/out", "--raw", "--all=false"]
    assert words[3:] == [*recorder, "--", "sh", "-c", "--", "x y"]


def test_a_command_that_does_not_exist_is_found_out_before_booting(capsys):
    """127, as a shell gives, and one line."""
    assert main.main(["vm", "run", "--", "no-such-command"]) == 127
    assert capsys.readouterr().err == "provcap vm: no such command: no-such-command\n"


def test_no_command_is_a_usage_error(capsys):
    assert main.main(["vm", "run"]) == 2
    assert "no command" in capsys.readouterr().err
