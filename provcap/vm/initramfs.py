"""Builds the first root file system of a guest: busybox, a few modules, where to mount what.

Public: :func:`build`. The same input gives the same bytes; nothing is written.
"""

import lzma
import shutil
import stat
import subprocess
from pathlib import Path

from provcap.errors import SetupError

# Needed before the root file system can be mounted, in the order in which they depend on each
# other. A kernel that has one of them built in has no such file, and it is left out.
MODULES = (
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "virtio_console",
    "fuse",
    "virtiofs",
)


def build(modules: Path | None, files: dict[str, bytes]) -> bytes:
    """A cpio archive of ``files`` (path to content), busybox and the modules the root needs.

    ``modules`` is a ``lib/modules/VERSION``. Raises SetupError without a static busybox.
    """
    entries = [("bin", stat.S_IFDIR | 0o755, b""), ("modules", stat.S_IFDIR | 0o755, b"")]
    entries.append(("bin/busybox", stat.S_IFREG | 0o755, _busybox()))
    for position, (name, content) in enumerate(_modules(modules)):
        entries.append((f"modules/{position}-{name}.ko", stat.S_IFREG | 0o644, content))
    entries += [(name, stat.S_IFREG | 0o755, content) for name, content in files.items()]
    return b"".join(_entry(*entry) for entry in [*entries, ("TRAILER!!!", 0, b"")])


def _entry(name: str, mode: int, content: bytes) -> bytes:
    """One file of a cpio archive in the ``newc`` format: header, name and content, padded to 4."""
    path = name.encode() + b"\0"
    # ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
    numbers = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
    header = b"070701" + b"".join(b"%08x" % number for number in numbers)
    return _padded(header + path) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _modules(folder: Path | None) -> list[tuple[str, bytes]]:
    """Name and content of each of MODULES that ``folder`` has as a file, unpacked."""
    if folder is None:
        return []
    found = {path.name.split(".ko")[0]: path for path in folder.rglob("*.ko*")}
    return [(name, _module(found[name])) for name in MODULES if name in found]


def _module(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(content)
    if path.suffix == ".zst":  # no decoder in the standard library of the Pythons we support
        return subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
    return content


def _busybox() -> bytes:
    path = shutil.which("busybox", path="/bin:/usr/bin:/usr/local/bin")
    content = Path(path).read_bytes() if path else b""
    if b"/ld-linux" in content or not content:  # the interpreter of a dynamic program
        raise SetupError("no static busybox to start a guest with: apt-get install busybox-static")
    return content
