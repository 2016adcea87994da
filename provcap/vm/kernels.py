"""Finds kernels for guests: Debian's unmodified cloud images, fetched once and kept in a cache.

Public: :class:`Kernel`, :func:`resolve`, :func:`cached`, :func:`cache_dir`, :data:`KNOWN`.
"""

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from provcap.errors import SetupError

KNOWN = {
    "6.12": "linux-image-6.12-cloud-amd64",
    "6.1": "linux-image-cloud-amd64",
}
"""The names a user may type, each with the Debian package that points at its newest image."""


class Kernel(NamedTuple):
    """A kernel that a guest can boot."""

    version: str
    """What ``uname -r`` prints in the guest."""
    vmlinuz: Path
    modules: Path | None
    """Its ``lib/modules/VERSION``; None for an image without modules."""


def resolve(name: str, report: Callable[[str], object] = lambda step: None) -> Kernel:
    """The kernel called ``name``: a key of :data:`KNOWN`, a vmlinuz file, or an unpacked package.

    A known kernel is fetched when the cache lacks it (``report`` is then told what is going on);
    one that is cached is used without asking the network. Raises SetupError.
    """
    if name in KNOWN:
        found = cached(name)
        return _checked(found[-1] if found else _fetch(name, report))
    path = Path(name)
    if path.is_dir():
        return _checked(_unpacked(path.resolve()))
    if path.is_file():
        return _checked(_beside(path.resolve()))
    known = ", ".join(KNOWN)
    raise SetupError(f"no kernel {name!r}: give {known}, a vmlinuz file or an unpacked package")


def cached(name: str) -> list[Kernel]:
    """The kernels of the series ``name`` (a key of :data:`KNOWN`) in the cache, oldest first."""
    found = cache_dir().glob(f"linux-image-{name}.*-cloud-amd64")
    return [_unpacked(path) for path in sorted(found, key=_version_key)]


def cache_dir() -> Path:
    """Where kernels are kept: $PROVCAP_CACHE, else the checkout's ``.cache``, else the user's."""
    chosen = os.environ.get("PROVCAP_CACHE")
    if chosen:
        return Path(chosen).resolve() / "kernels"
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".cache" / "kernels"
    return Path.home() / ".cache" / "provcap" / "kernels"


def _version_key(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path.name)]


def _fetch(name: str, report: Callable[[str], object]) -> Kernel:
    """Download and unpack the image that the package of ``name`` points at."""
    if platform.machine() != "x86_64":
        raise SetupError(f"guests need an x86_64 machine; this one is {platform.machine()}")
    package = _image_package(name)
    cache = cache_dir()
    target = cache / package
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as work:
            report(f"fetching {package}")
            _keep(_download(package, Path(work)), target)
    except OSError as error:
        raise SetupError(f"cannot keep a kernel in {cache}: {error.strerror}") from error
    return _unpacked(target)


def _image_package(name: str) -> str:
    """The concrete image package behind the metapackage of the series ``name``."""
    meta = KNOWN[name]
    answer = _tool(["apt-cache", "depends", meta], "run `apt-get update`")
    image = re.search(rf"Depends: (linux-image-{re.escape(name)}\.\S+)", answer)
    if not image:
        raise SetupError(
            f"{meta} is not a {name} kernel for apt here: run `apt-get update`, or on a machine "
            "other than Debian 12 give the path of an unpacked image package"
        )
    return image[1]


def _download(package: str, work: Path) -> Path:
    """Fetch ``package`` into ``work`` and unpack it there; returns the unpacked tree."""
    advice = "check the network and run `apt-get update`"
    # apt would drop to its own user, which may not write here
    fetch = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package]
    _tool(fetch, advice, cwd=work)
    archives = list(work.glob("*.deb"))
    if not archives:
        raise SetupError(f"apt-get downloaded no {package}: {advice}")
    tree = work / "tree"
    _tool(["dpkg", "-x", str(archives[0]), str(tree)], "free some disk space and try again")
    _index_modules(tree)
    return tree


def _index_modules(tree: Path) -> None:
    """Write what modprobe reads; the package leaves this to its installation script."""
    kernel = _unpacked(tree)
    depmod = shutil.which("depmod", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if not depmod:
        raise SetupError("depmod is missing: apt-get install kmod")
    _tool([depmod, "-b", str(tree), kernel.version], "apt-get install kmod")


def _keep(tree: Path, target: Path) -> None:
    """Move a finished tree into the cache in one step; another fetch may have been quicker."""
    try:
        tree.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _tool(command: list[str], advice: str, cwd: Path | None = None) -> str:
    """The output of ``command``; SetupError with ``advice`` when it is missing or fails."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SetupError(f"{command[0]} is missing: kernels are fetched on Debian only") from error
    if done.returncode:
        said = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
        raise SetupError(f"{' '.join(command[:2])} failed ({said}): {advice}")
    return done.stdout


def _unpacked(tree: Path) -> Kernel:
    """The kernel of an unpacked image package; SetupError when ``tree`` is not one."""
    images = sorted((tree / "boot").glob("vmlinuz-*"), key=_version_key)
    if not images:
        raise SetupError(f"{tree} holds no boot/vmlinuz-*: remove it, or give another directory")
    version = images[-1].name.removeprefix("vmlinuz-")
    places = (tree / "lib" / "modules" / version, tree / "usr" / "lib" / "modules" / version)
    modules = next((place for place in places if place.is_dir()), None)
    return Kernel(version, images[-1], modules)


def _beside(vmlinuz: Path) -> Kernel:
    """The kernel of a vmlinuz file: its package tree when it lies in one, else the bare image."""
    version = vmlinuz.name.removeprefix("vmlinuz-")
    root = vmlinuz.parent.parent
    places = (root / "lib" / "modules" / version, Path("/lib/modules") / version)
    modules = next((place for place in places if place.is_dir()), None)
    return Kernel(version, vmlinuz, modules)


def _checked(kernel: Kernel) -> Kernel:
    """The same kernel; SetupError when its configuration says that it cannot capture."""
    config = kernel.vmlinuz.with_name(f"config-{kernel.version}")
    if config.is_file() and not re.search(r"^CONFIG_BPF_LSM=y$", config.read_text(), re.M):
        known = " or ".join(KNOWN)
        raise SetupError(
            f"kernel {kernel.version} was built without CONFIG_BPF_LSM=y: "
            f"rebuild it with that option, or use --kernel {known}"
        )
    return kernel
