"""Says what a guest sees where: the host read-only, memory where programs write, one shared folder.

Public: :class:`Layout`, :func:`plan`. Nothing is mounted here: ``guest_init.sh`` does that.
"""

import io
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from provcap.errors import UsageError

EMPTY = ("/tmp", "/run", "/var/tmp")
"""Covered by empty memory file systems."""
FOLDERS = ("/var/log", "/var/cache", "/var/spool")
"""Covered too; their folders are there, empty, for the programs that write into them."""
MIRRORED = ("/var/lib",)
"""Covered too, as is the home folder; what the host has there is seen, read-only."""
REFUSED = ("/", "/dev", "/proc", "/run", "/sys")
"""Folders that cannot be shared, for the guest needs its own."""

STATE = "/run/provcap"
"""Where the guest keeps what its own set-up needs."""


class Layout(NamedTuple):
    """What ``guest_init.sh`` does below the new root, in this order."""

    covers: str
    """Lines as in fstab: memory file systems."""
    skeleton: bytes
    """A tar archive of the folders and empty files to lay out in them."""
    binds: str
    """Lines as in fstab: pieces of the host bound back, and the shared folder."""
    environment: dict[str, str]
    """What every command of the guest needs to find its way in this layout."""


def plan(share: Path | None, modules: Path | None, working_dir: Path, home: Path) -> Layout:
    """The layout of a guest whose commands start in ``working_dir`` (all paths absolute).

    ``share`` is the one folder of the host that the guest may write to, ``modules`` the
    ``lib/modules/VERSION`` of its kernel. Raises UsageError when ``share`` cannot be shared.
    """
    if share is not None and str(share) in REFUSED:
        raise UsageError(f"cannot share {share} with a guest: choose a folder below it")
    module_root = "" if Path("/lib/modules").is_dir() else f"{STATE}/kernel"
    covers = _covers(home) + ([_real("/lib/modules")] if modules and not module_root else [])
    binds = _mirrored([*map(Path, MIRRORED), home], covers, share)
    for path in _needed(working_dir):  # outer ones first, which make inner ones visible
        if _hidden(path, covers, binds, share):
            binds[path] = path
    if modules:
        place = Path(module_root) if module_root else _real("/lib/modules").parents[1]
        binds[place / "lib" / "modules" / modules.name] = modules
    skeleton = _skeleton(covers, binds, share, bool(module_root))
    environment = {"PROVCAP_IDENTITY": "/run"}  # its /etc is the host's, which it cannot write
    if modules and module_root:
        environment["MODPROBE_OPTIONS"] = f"-d {module_root}"
    return Layout(_cover_lines(covers), skeleton, _bind_lines(binds, share), environment)


def _real(path: str | Path) -> Path:
    return Path(path).resolve()


def _covers(home: Path) -> list[Path]:
    """The folders to cover; names that lead elsewhere, or to nothing, are left alone."""
    wanted = [Path(path) for path in (*EMPTY, *FOLDERS, *MIRRORED)]
    real = [path for path in wanted if path.is_dir() and _real(path) == path]
    outside = not any(home.is_relative_to(path) for path in real)
    return real + ([home] if outside and home.is_dir() and str(home) not in REFUSED else [])


def _mirrored(folders: Iterable[Path], covers: list[Path], share: Path | None) -> dict[Path, Path]:
    """Every folder and file in ``folders`` bound to itself, if covered and not shared."""
    wanted = [path for path in folders if path in covers]
    entries = [entry for folder in wanted for entry in folder.iterdir()]
    shared = [entry for entry in entries if share and entry.is_relative_to(share)]
    plain = [entry for entry in entries if not entry.is_symlink() and entry not in shared]
    return {entry: entry for entry in plain if entry.is_dir() or entry.is_file()}


def _needed(working_dir: Path) -> list[Path]:
    """What a command must see wherever it lies: its checkout, Python and this package."""
    above = (path for path in (working_dir, *working_dir.parents) if (path / ".git").exists())
    checkout = next(above, working_dir)
    package = Path(__file__).resolve().parents[2]
    places = [checkout, working_dir, package, *map(Path, (sys.prefix, sys.base_prefix))]
    return sorted({_real(path) for path in places if path.is_dir()})


def _hidden(path: Path, covers: list[Path], seen: Iterable[Path], share: Path | None) -> bool:
    """Whether ``path`` is lost below a cover: not seen in another way, and not a cover itself."""
    visible = [*seen, *([share] if share else [])]
    return (
        path not in covers
        and any(path.is_relative_to(cover) for cover in covers)
        and not any(path.is_relative_to(other) for other in visible)
    )


def _skeleton(
    covers: list[Path], binds: dict[Path, Path], share: Path | None, own_modules: bool
) -> bytes:
    """The archive of the points to mount on, the folders programs expect, and our modprobe."""
    points = {*_laid_out(covers), *binds, *([share] if share else [])}
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted({*points, *_parents(points, covers)} - {*covers}):
            if any(path.is_relative_to(cover) for cover in covers):
                tar.addfile(_member(path, binds.get(path, path)))
        for name in ("lock", "netns", "provcap"):
            tar.addfile(_folder(f"run/{name}"))
        if own_modules:
            content = f'#!/bin/sh\nexec /sbin/modprobe -d {STATE}/kernel "$@"\n'.encode()
            script = tarfile.TarInfo(f"{STATE}/modprobe".lstrip("/"))
            script.mode, script.size = 0o755, len(content)
            tar.addfile(script, io.BytesIO(content))
    return archive.getvalue()


def _laid_out(covers: list[Path]) -> list[Path]:
    """What the skeleton repeats of the host: folders of FOLDERS, symbolic links of the mirrored."""
    found = [entry for cover in covers if str(cover) not in EMPTY for entry in cover.iterdir()]
    empty = {Path(place) for place in FOLDERS}
    return [path for path in found if path.is_symlink() or (path.is_dir() and path.parent in empty)]


def _parents(points: Iterable[Path], covers: list[Path]) -> set[Path]:
    return {
        parent
        for point in points
        for parent in point.parents
        if any(parent.is_relative_to(cover) for cover in covers)
    }


def _member(point: Path, source: Path) -> tarfile.TarInfo:
    """An empty stand-in for ``source`` at ``point``, with its mode and owner."""
    entry = _folder(str(point).lstrip("/"))
    if source.is_symlink():
        entry.type, entry.linkname = tarfile.SYMTYPE, str(source.readlink())
    elif source.exists():
        found = source.stat()
        entry.mode, entry.uid, entry.gid = found.st_mode & 0o7777, found.st_uid, found.st_gid
        entry.type = tarfile.DIRTYPE if source.is_dir() else tarfile.REGTYPE
    return entry


def _folder(name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    return entry


def _cover_lines(covers: list[Path]) -> str:
    sticky = ("/tmp", "/var/tmp")
    lines = []
    for path in covers:
        found = path.stat()
        mode = 0o1777 if str(path) in sticky else found.st_mode & 0o7777
        options = f"mode={mode:o},uid={found.st_uid},gid={found.st_gid}"
        lines.append(f"tmpfs /guest{_escaped(path)} tmpfs {options} 0 0\n")
    return "".join(lines)


def _bind_lines(binds: dict[Path, Path], share: Path | None) -> str:
    """The binds and the shared folder, outer ones first: a later mount hides what lies below it."""
    lines = {
        point: f"/host{_escaped(source)} /guest{_escaped(point)} none bind 0 0\n"
        for point, source in binds.items()
    }
    if share is not None:
        lines[share] = f"share /guest{_escaped(share)} virtiofs rw 0 0\n"
    return "".join(lines[point] for point in sorted(lines, key=lambda point: len(point.parts)))


def _escaped(path: Path) -> str:
    """``path`` as fstab wants it; a backslash goes first, for the others bring new ones."""
    text = str(path)
    for character in "\\ \t\n":
        text = text.replace(character, f"\\{ord(character):03o}")
    return text
