"""What every level of the tests shares: the compiled object, and one guest per kernel."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from provcap.coverage import player
from provcap.errors import SetupError
from provcap.vm import kernels
from provcap.vm.machine import Machine

ROOT = Path(__file__).resolve().parent.parent
KERNELS = ("6.12", "6.1")

hypothesis.settings.register_profile("provcap", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("provcap")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--kernel 7 --kernel 6.12``: what the guests of the tests run (default: 6.12 and 6.1)."""
    parser.addoption("--kernel", action="append", default=[], help="kernel of the guests")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test with a guest runs once on each kernel."""
    if "machine" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--kernel") or KERNELS
        metafunc.parametrize("machine", chosen, indirect=True, scope="session")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares a guest runs in one process, if the tests run in several (``pytest -n``)."""
    for item in items:
        kernel = kernel_of(item)
        if kernel:
            item.add_marker(pytest.mark.xdist_group(kernel))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fail where pytest-xdist does not know the groups: each process would boot every kernel."""
    grouped = getattr(session.config.option, "loadgroup", False)
    for item in session.items:
        if grouped and kernel_of(item) and "@" not in item.nodeid.rpartition("]")[2]:
            raise pytest.UsageError(
                f"{item.nodeid}: this pytest-xdist takes no groups from this pytest "
                "(pyproject.toml has the versions that fit: run make setup)"
            )


def kernel_of(item: pytest.Item) -> str | None:
    """The kernel that a test is about, by its parameters."""
    callspec = getattr(item, "callspec", None)
    for value in callspec.params.values() if callspec else ():
        first = value[0] if isinstance(value, tuple) and value else value
        if isinstance(first, str) and first in kernels.KNOWN:
            return first
    return None


@pytest.fixture(scope="session", autouse=True)
def own_identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test asks for the numbers of the machine leaves no files in its /etc."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROVCAP_IDENTITY", str(tmp_path_factory.mktemp("identity")))
        yield


@pytest.fixture(scope="session")
def kernel_object() -> bytes:
    """The bytes of build/provcap.bpf.o, compiled from the sources as they are now."""
    if not (shutil.which("clang-16") and (shutil.which("bpftool", path="/usr/sbin:/usr/bin"))):
        pytest.skip("needs clang-16 and bpftool")
    subprocess.run(["make", "-s", "-C", str(ROOT / "kernel")], check=True)
    return (ROOT / "build/provcap.bpf.o").read_bytes()


@pytest.fixture(scope="session")
def machine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """A guest, once per kernel and session; ``machine.share`` is the folder both sides can write.

    Tests that use it carry the marker ``vm``. What one test leaves in the guest, the next one sees.
    A kernel of a later release is left out, with the reason, where it cannot be had.
    """
    share: Path = tmp_path_factory.mktemp(f"share-{request.param}")
    try:
        kernel = kernels.resolve(request.param)
    except SetupError as error:
        if request.param in kernels.LATER:
            pytest.skip(str(error))
        raise
    with Machine(kernel, share=share, devices=player.DEVICES) as guest:
        yield guest
