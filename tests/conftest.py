"""What every level of the tests shares: the compiled object, and one guest per kernel."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provcap.vm import kernels
from provcap.vm.machine import Machine

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def kernel_object() -> bytes:
    """The bytes of build/provcap.bpf.o, compiled from the sources as they are now."""
    if not (shutil.which("clang-16") and (shutil.which("bpftool", path="/usr/sbin:/usr/bin"))):
        pytest.skip("needs clang-16 and bpftool")
    subprocess.run(["make", "-s", "-C", str(ROOT / "kernel")], check=True)
    return (ROOT / "build/provcap.bpf.o").read_bytes()


@pytest.fixture(scope="session", params=["6.12", "6.1"])
def machine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """A guest, once per kernel and session; ``machine.share`` is the folder both sides can write.

    Tests that use it carry the marker ``vm``. What one test leaves in the guest, the next one sees.
    """
    share: Path = tmp_path_factory.mktemp(f"share-{request.param}")
    with Machine(kernels.resolve(request.param), share=share) as guest:
        yield guest
