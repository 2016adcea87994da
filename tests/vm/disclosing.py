"""Applications that disclose what they do, and files on a disk that is mounted twice.

Prints what the recorder refused, one line each.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from provcap import disclose
from provcap.disclose import SELF, Session
from provcap.errors import DisclosureError

NOBODY = 65534


def main(folder: Path) -> None:
    """Everything, in ``folder``, which is made."""
    folder.mkdir()
    folder.chmod(0o777)
    _child(lambda: _as_nobody(folder / "apart"))
    _child(lambda: _disclose(folder / "result"))
    _child(lambda: _from_a_shell(folder / "by_shell"))
    _mounted_twice(folder)


def _child(act: Callable[[], None]) -> None:
    """A process of its own, so that what one does is not of the other."""
    child = os.fork()
    if not child:
        act()
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def _as_nobody(result: Path) -> None:
    os.setuid(NOBODY)
    with disclose.connect() as session:
        session.used(SELF, session.entity("seen by nobody", {"uid": 0}))
    result.write_text("apart")


def _disclose(result: Path) -> None:
    with disclose.connect() as session:
        data, run = session.entity("measurements", {"rows": 3}), session.activity("training")
        session.used(run, data)
        model = session.entity("model")
        session.generated(model, run)
        session.derived(data, model)  # and it was a source before
        session.informed(SELF, run)
        session.associated(run, session.agent("somebody"))
        session.influenced(model, data)
        session.log("a line of the log")
        _refused(session, {"do": "write", "activity": SELF, "entity": data})
        _refused(session, {"do": "used", "activity": SELF, "entity": "cf:" + "A" * 43 + "="})
    result.write_text("result")


def _refused(session: Session, request: dict[str, str]) -> None:
    try:
        session.ask(request)
    except DisclosureError as error:
        print(error)


def _from_a_shell(result: Path) -> None:
    provcap = f"{sys.executable} -m provcap.cli.main"
    script = f'id=$({provcap} disclose entity "of a shell") && {provcap} disclose used self $id'
    script += f" && {provcap} log told by a shell && echo done >{result}"
    subprocess.run(["sh", "-c", script], check=True)


def _mounted_twice(folder: Path) -> None:
    """On one device and then on another, which is what a reboot may do to a disk."""
    image, place = folder / "image", folder / "twice"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(8 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    devices = [_attached(image) for _ in range(2)]
    subprocess.run(["mount", devices[0], place], check=True)
    (place / "kept").write_text("kept")
    (place / "remade").write_text("first")
    inode = (place / "remade").stat().st_ino
    (place / "remade").unlink()
    (place / "remade").write_text("second")
    assert (place / "remade").stat().st_ino == inode
    subprocess.run(["umount", place], check=True)
    subprocess.run(["mount", devices[1], place], check=True)
    (folder / "copy").write_text((place / "kept").read_text())
    subprocess.run(["umount", place], check=True)
    for device in devices:
        subprocess.run(["losetup", "--detach", device], check=True)


def _attached(image: Path) -> str:
    words = ["losetup", "--find", "--show", image]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
