"""Numbers of this machine and boot that stay: in CamFlow's two files, and one of our own.

    camflow-machine_id   u32, little-endian: random, made once
    camflow-boot_id      u32, little-endian: boots counted, from 1
    camflow-boot_uuid    text: the number, and the kernel's own id of the boot that has it

The third says whether a boot has been counted: a recorder that starts again does not count it
twice. A file that makes no sense is an error: a new number in its place would be another machine.
"""

import contextlib
import errno
import fcntl
import os
import secrets
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from provcap.errors import SetupError

FOLDER = Path("/etc")
VARIABLE = "PROVCAP_IDENTITY"  #: another folder for the files
MACHINE, BOOT, BOOT_UUID = "camflow-machine_id", "camflow-boot_id", "camflow-boot_uuid"

_WORD = struct.Struct("<I")
_LAST = 0xFFFFFFFF
_NO_PLACE = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR)


class Identity(NamedTuple):
    """Who records; ``note`` says why the numbers hold for this boot only, empty if they stay."""

    machine_id: int
    boot_id: int
    note: str = ""


def identity(
    folder: Path | None = None,
    uuid: Path = Path("/proc/sys/kernel/random/boot_id"),
    systemd: Path = Path("/etc/machine-id"),
) -> Identity:
    """The numbers, made or counted if this is the first to ask.

    ``folder``: default ``$PROVCAP_IDENTITY``, else /etc. Where nothing can be written they are the
    first 32 bits of ``systemd`` and of ``uuid``. SetupError for a file that makes no sense.
    """
    place = folder or Path(os.environ.get(VARIABLE) or FOLDER)
    boot = uuid.read_text().strip()
    try:
        with _locked(place):
            return Identity(_machine(place / MACHINE), _boot(place, boot))
    except OSError as error:
        if error.errno not in _NO_PLACE:
            raise SetupError(f"cannot write {place / MACHINE}: {error.strerror}") from error
        why = f"{place} cannot be written ({error.strerror})"
        return _passing(place, boot, systemd, why)


def _passing(place: Path, boot: str, systemd: Path, why: str) -> Identity:
    """What holds without files of ours; a file that is there counts all the same."""
    known = _number(place / MACHINE)
    counted = _counted(place, boot)
    note = f"{why}: machine and boot have the numbers that other files give them"
    machine = _first_bits(systemd) if known is None else known
    return Identity(machine, counted or _bits(boot), "" if known and counted else note)


def _machine(path: Path) -> int:
    found = _number(path)
    if found is None:
        found = secrets.randbelow(_LAST) + 1
        _write(path, _WORD.pack(found))
    return found


def _boot(place: Path, boot: str) -> int:
    found = _counted(place, boot)
    if found is None:
        before = _number(place / BOOT) or 0
        if before == _LAST:
            raise SetupError(f"{place / BOOT}: there is no number left for another boot")
        found = before + 1
        # a number is used up before it is given to a boot, so no two boots have the same
        _write(place / BOOT, _WORD.pack(found))
        _write(place / BOOT_UUID, f"{found} {boot}\n".encode())
    return found


def _counted(place: Path, boot: str) -> int | None:
    """The number of this boot, None if it has not been counted."""
    path = place / BOOT_UUID
    text = _content(path)
    if text is None:
        return None
    number, _, name = text.decode("ascii", "replace").strip().partition(" ")
    if not (number.isdecimal() and 0 < int(number) <= _LAST and name):
        raise SetupError(_damaged(path, 'a number and the id of a boot: "3 2b1c..."'))
    return int(number) if name == boot and _number(place / BOOT) == int(number) else None


def _number(path: Path) -> int | None:
    """The number in a file, None if there is no file."""
    data = _content(path)
    if data is None:
        return None
    number: int = _WORD.unpack(data)[0] if len(data) == _WORD.size else 0
    if not number:
        raise SetupError(_damaged(path, f"{_WORD.size} bytes that are not all zero"))
    return number


def _damaged(path: Path, expected: str) -> str:
    return (
        f"{path} is damaged: expected {expected} "
        "(bring it back from a backup, or remove it to begin anew)"
    )


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Nobody else reads and writes the files meanwhile; the folder itself is locked."""
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _write(path: Path, data: bytes) -> None:
    """The file is there whole and on the disk, or as it was before."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)  # of a recorder that was killed
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(fd, 0o644)  # whatever the umask
        file.write(data)
        file.flush()
        os.fsync(fd)
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _first_bits(path: Path) -> int:
    return _bits((_content(path) or b"").decode("ascii", "replace"))


def _bits(digits: str) -> int:
    """First 32 bits of an identity that is written in hexadecimal; 0 if there is none."""
    try:
        return int(digits.replace("-", "")[:8], 16)
    except ValueError:
        return 0
