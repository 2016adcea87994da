"""Finds kernels for guests: Debian's unmodified cloud images, fetched once and kept in a cache.

Public: :class:`Kernel`, :func:`resolve`, :func:`cached`, :func:`cache_dir`, :data:`KNOWN`.
"""

import os
import platform
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from provcap.errors import SetupError
from provcap.vm.apt import Apt, tool

KNOWN = {
    "6.12": "linux-image-6.12-cloud-amd64",
    "6.1": "linux-image-cloud-amd64",
    "7": "linux-image-cloud-amd64",
}
"""The names a user may type, each with the Debian package that points at its newest image."""

LATER = {"7": ("trixie-backports", "sid")}
"""Of these the package is not in the release of this machine but in a later one: where to look."""


class Kernel(NamedTuple):
    """A kernel that a guest can boot."""

    version: str
    """What ``uname -r`` prints in the guest."""
    vmlinuz: Path
    modules: Path | None
    """Its ``lib/modules/VERSION``; None for an image without modules."""


def resolve(name: str, report: Callable[[str], object] = lambda step: None) -> Kernel:
    """The kernel called ``name``: see :data:`KNOWN`, a vmlinuz file, or an unpacked package.

    A known name may go on to the exact number (``7.3.4``).

    A known kernel is fetched when the cache lacks it (``report`` is then told what is going on);
    one that is cached is used without asking the network. Raises SetupError.
    """
    if _series(name):
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
    """The kernels in the cache whose version is ``name`` or begins with it, oldest first."""
    found = cache_dir().glob(f"linux-image-{name}[.+-]*cloud-amd64")
    return [_unpacked(path) for path in sorted(found, key=lambda path: _numbers(path.name))]


def cache_dir() -> Path:
    """Where kernels are kept: $PROVCAP_CACHE, else the checkout's ``.cache``, else the user's."""
    chosen = os.environ.get("PROVCAP_CACHE")
    if chosen:
        return Path(chosen).resolve() / "kernels"
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".cache" / "kernels"
    return Path.home() / ".cache" / "provcap" / "kernels"


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _series(name: str) -> str | None:
    """The key of KNOWN that ``name`` is or begins with."""
    return next((known for known in KNOWN if f"{name}.".startswith(f"{known}.")), None)


def _fetch(name: str, report: Callable[[str], object]) -> Kernel:
    """Download and unpack the newest image of the series of ``name``."""
    if platform.machine() != "x86_64":
        raise SetupError(f"guests need an x86_64 machine; this one is {platform.machine()}")
    cache = cache_dir()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as work:
            return _fetch_into(Path(work), name, report)
    except OSError as error:
        raise SetupError(f"cannot keep a kernel in {cache}: {error.strerror}") from error


def _fetch_into(work: Path, name: str, report: Callable[[str], object]) -> Kernel:
    apt, package = _find(name, work, report)
    if not re.match(rf"linux-image-{re.escape(name)}[.+-]", package):
        raise SetupError(f"no kernel {name} for apt here: the newest of its series is {package}")
    report(f"fetching {package}")
    tree = apt.unpack(_parts(apt, package), work)
    _index_modules(tree)
    target = cache_dir() / package
    _keep(tree, target)
    return _unpacked(target)


def _find(name: str, work: Path, report: Callable[[str], object]) -> tuple[Apt, str]:
    """The concrete image package behind the metapackage of a series, and the apt that has it."""
    series = _series(name) or name
    meta, suites = KNOWN[series], LATER.get(series, ())
    for suite in suites or ("",):
        if suite:
            report(f"looking for a kernel {series} in {suite}")
        apt = Apt.later(suite, work / suite) if suite else Apt()
        for package in apt.dependencies(meta):
            if package.startswith(f"linux-image-{series}."):
                return apt, package
    where = f" in {' or '.join(suites)}" if suites else ""
    raise SetupError(
        f"{meta} is not a {series} kernel for apt here{where}: run `apt-get update`, or on a "
        "machine other than Debian 12 give the path of an unpacked image package"
    )


def _parts(apt: Apt, package: str) -> list[str]:
    """What to unpack: the image package of later releases is empty, image and modules apart."""
    version = package.removeprefix("linux-image-")
    wanted = [f"linux-{part}-{version}" for part in ("base", "binary", "modules")]
    parts = [part for part in apt.dependencies(package) if part in wanted]
    return parts if f"linux-binary-{version}" in parts else [package]


def _index_modules(tree: Path) -> None:
    """Write what modprobe reads; the package leaves this to its installation script."""
    kernel = _unpacked(tree)
    if not (tree / "lib").exists():
        (tree / "lib").symlink_to("usr/lib")  # where depmod looks
    depmod = shutil.which("depmod", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if not depmod:
        raise SetupError("depmod is missing: apt-get install kmod")
    tool([depmod, "-b", str(tree), kernel.version], "apt-get install kmod")


def _keep(tree: Path, target: Path) -> None:
    """Move a finished tree into the cache in one step; another fetch may have been quicker."""
    try:
        tree.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _unpacked(tree: Path) -> Kernel:
    """The kernel of an unpacked image package; SetupError when ``tree`` is not one."""
    images = [*(tree / "boot").glob("vmlinuz-*"), *tree.glob("usr/lib/modules/*/vmlinuz")]
    if not images:
        raise SetupError(f"{tree} holds no boot/vmlinuz-*: remove it, or give another directory")
    image = max(images, key=lambda path: _numbers(_version(path)))
    version = _version(image)
    places = (tree / "lib" / "modules" / version, tree / "usr" / "lib" / "modules" / version)
    modules = next((place for place in places if place.is_dir()), None)
    return Kernel(version, image, modules)


def _version(image: Path) -> str:
    """The version of a kernel image: in its name, or that of the folder with its modules."""
    if image.name == "vmlinuz":
        return image.parent.name
    return image.name.removeprefix("vmlinuz-")


def _beside(vmlinuz: Path) -> Kernel:
    """The kernel of a vmlinuz file: its package tree when it lies in one, else the bare image."""
    version, root = _version(vmlinuz), vmlinuz.parent.parent
    if vmlinuz.name == "vmlinuz" and (vmlinuz.parent / "kernel").is_dir():
        return Kernel(version, vmlinuz, vmlinuz.parent)
    places = (root / "lib" / "modules" / version, Path("/lib/modules") / version)
    modules = next((place for place in places if place.is_dir()), None)
    return Kernel(version, vmlinuz, modules)


def _checked(kernel: Kernel) -> Kernel:
    """The same kernel; SetupError when its configuration says that it cannot capture."""
    names = (f"config-{kernel.version}", "config")
    configs = (kernel.vmlinuz.with_name(name) for name in names)
    config = next((path.read_text() for path in configs if path.is_file()), None)
    if config is not None and not re.search(r"^CONFIG_BPF_LSM=y$", config, re.M):
        known = " or ".join(KNOWN)
        raise SetupError(
            f"kernel {kernel.version} was built without CONFIG_BPF_LSM=y: "
            f"rebuild it with that option, or use --kernel {known}"
        )
    return kernel
