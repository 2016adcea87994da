"""Finding kernels: the cache first, then apt, and an error that says what to do."""

import os
from pathlib import Path

import pytest

from provcap.errors import SetupError
from provcap.vm import kernels


def make_package(root: Path, version: str, config: str = "CONFIG_BPF_LSM=y\n") -> Path:
    """An unpacked image package under ``root``, as small as it can be."""
    tree = root / f"linux-image-{version}"
    (tree / "boot").mkdir(parents=True)
    (tree / "lib" / "modules" / version).mkdir(parents=True)
    (tree / "boot" / f"vmlinuz-{version}").touch()
    (tree / "boot" / f"config-{version}").write_text(config)
    return tree


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and no tool to fill it with."""
    monkeypatch.setenv("PROVCAP_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "kernels"


def fake_tool(cache: Path, name: str, script: str) -> None:
    """Put a shell script called ``name`` where tools are looked for."""
    tool = cache.parent / "bin" / name
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)


def test_a_cached_kernel_needs_no_network(cache):
    """apt is not even there."""
    tree = make_package(cache, "6.12.9-cloud-amd64")

    kernel = kernels.resolve("6.12")

    assert kernel.version == "6.12.9-cloud-amd64"
    assert kernel.modules == tree / "lib" / "modules" / "6.12.9-cloud-amd64"


def test_the_newest_cached_kernel_is_taken(cache):
    """By number, not by letter; and 6.1 is not 6.12."""
    for version in ("6.1.0-9", "6.1.0-10", "6.12.9"):
        make_package(cache, f"{version}-cloud-amd64")

    assert kernels.resolve("6.1").version == "6.1.0-10-cloud-amd64"


def test_fetching_without_apt_says_so(cache):
    """On a machine that is no Debian."""
    with pytest.raises(SetupError, match="apt-cache is missing: kernels are fetched on Debian"):
        kernels.resolve("6.12")


def test_apt_without_lists_is_told_to_update(cache):
    """A fresh container has none."""
    fake_tool(cache, "apt-cache", "exit 0")

    with pytest.raises(SetupError, match="run `apt-get update`"):
        kernels.resolve("6.12")


def test_a_number_may_be_exact(cache):
    """As long as it is there; and 7 is the newest of its series."""
    for version in ("7.2.9", "7.3.4"):
        make_package(cache, f"{version}+deb13-cloud-amd64")

    assert kernels.resolve("7").version == "7.3.4+deb13-cloud-amd64"
    assert kernels.resolve("7.2").version == "7.2.9+deb13-cloud-amd64"
    assert kernels.resolve("7.2.9").version == "7.2.9+deb13-cloud-amd64"


def test_a_later_kernel_needs_a_source_of_debian(cache):
    """Its host is taken from there, and a machine of another kind has none."""
    fake_tool(cache, "apt-get", "echo 'Ubuntu http://example.org/'")

    with pytest.raises(SetupError, match="no source of apt here is Debian's"):
        kernels.resolve("7")


SUITES = """
case "$*" in
*indextargets*) echo 'Debian http://example.org/debian/' ;;
*update*) grep Suites: "$(echo "$*" | grep -o '[^=]*later.sources')" >>"$0.suites" ;;
*depends*linux-image-cloud-amd64) echo "  Depends: $(cat "$0.newest")" ;;
*depends*) printf '  Depends: linux-%s-7.3.4-cloud-amd64\\n' base binary modules ;;
*download*) echo "$*" >>"$0.downloads"; echo 'E: no route to host' >&2; exit 100 ;;
esac
"""


def test_a_later_kernel_is_looked_for_in_later_suites(cache):
    """In order, until one has it; nothing of the machine's own apt is touched."""
    fake_tool(cache, "apt-get", SUITES)
    fake_tool(cache, "apt-cache", SUITES)
    for tool in ("grep", "cat"):
        (cache.parent / "bin" / tool).symlink_to(f"/usr/bin/{tool}")
    (cache.parent / "bin/apt-cache.newest").write_text("linux-image-8.0.1-cloud-amd64")

    with pytest.raises(SetupError, match="not a 7 kernel for apt here in trixie-backports or sid"):
        kernels.resolve("7")
    suites = (cache.parent / "bin/apt-get.suites").read_text().split()
    assert suites == ["Suites:", "trixie-backports", "Suites:", "sid"]


def test_image_and_modules_may_be_apart(cache):
    """The image package of later releases is empty itself."""
    fake_tool(cache, "apt-get", SUITES)
    fake_tool(cache, "apt-cache", SUITES)
    for tool in ("grep", "cat"):
        (cache.parent / "bin" / tool).symlink_to(f"/usr/bin/{tool}")
    (cache.parent / "bin/apt-cache.newest").write_text("linux-image-7.3.4-cloud-amd64")

    with pytest.raises(SetupError, match="no route to host"):
        kernels.resolve("7")
    asked = (cache.parent / "bin/apt-get.downloads").read_text().split()[-3:]
    assert asked == [f"linux-{part}-7.3.4-cloud-amd64" for part in ("base", "binary", "modules")]


def test_an_image_may_lie_beside_its_modules(tmp_path):
    """As those packages have it; the configuration is there, too."""
    folder = tmp_path / "usr/lib/modules/7.3.4-cloud"
    (folder / "kernel").mkdir(parents=True)
    (folder / "vmlinuz").touch()
    (folder / "config").write_text("CONFIG_BPF_LSM=y\n")

    for path in (tmp_path, folder / "vmlinuz"):
        assert kernels.resolve(str(path)) == ("7.3.4-cloud", folder / "vmlinuz", folder)
    (folder / "config").write_text("# CONFIG_BPF_LSM is not set\n")
    with pytest.raises(SetupError, match=r"without CONFIG_BPF_LSM=y"):
        kernels.resolve(str(tmp_path))


def test_a_failed_download_leaves_nothing_behind(cache):
    """The reason is apt's own last line; the next try starts afresh."""
    fake_tool(cache, "apt-cache", "echo '  Depends: linux-image-6.12.9-cloud-amd64'")
    fake_tool(cache, "apt-get", "echo 'E: no route to host' >&2; exit 100")

    with pytest.raises(SetupError, match="no route to host.*check the network"):
        kernels.resolve("6.12")
    assert list(cache.iterdir()) == []


def test_a_kernel_without_bpf_lsm_is_refused(tmp_path):
    """The error names the option that is missing and the kernels that have it."""
    tree = make_package(tmp_path, "5.10.0", config="# CONFIG_BPF_LSM is not set\n")

    with pytest.raises(
        SetupError, match=r"5\.10\.0 .*CONFIG_BPF_LSM=y.*--kernel 6\.12 or 6\.1 or 7"
    ):
        kernels.resolve(str(tree))


def test_a_path_may_be_the_image_itself(tmp_path):
    """Its modules are found beside it."""
    tree = make_package(tmp_path, "6.6.1")

    kernel = kernels.resolve(str(tree / "boot" / "vmlinuz-6.6.1"))

    assert kernel == ("6.6.1", tree / "boot" / "vmlinuz-6.6.1", tree / "lib" / "modules" / "6.6.1")


@pytest.mark.parametrize("name", ["6.13", "/no/such/kernel", "5"])
def test_an_unknown_kernel_is_refused_with_the_known_ones(name):
    with pytest.raises(SetupError, match="give 6.12, 6.1, 7, a vmlinuz file"):
        kernels.resolve(name)


def test_a_folder_that_is_no_package_is_refused(tmp_path):
    with pytest.raises(SetupError, match="holds no boot/vmlinuz"):
        kernels.resolve(os.fspath(tmp_path))
