"""Compiles the test objects, once per run."""

import shutil
import subprocess
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def object_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled records.bpf.c."""
    clang = shutil.which("clang-16") or shutil.which("clang")
    if clang is None or not Path("/usr/include/bpf/bpf_helpers.h").exists():
        pytest.skip("needs clang and libbpf-dev")
    made = tmp_path_factory.mktemp("object") / "records.bpf.o"
    flags = ["-g", "-O2", "-target", "bpf", "-mcpu=v3", f"-I{FIXTURES}"]
    subprocess.run([clang, *flags, "-c", FIXTURES / "records.bpf.c", "-o", made], check=True)
    return made


@pytest.fixture(scope="session")
def image(object_path: Path) -> bytes:
    """Its bytes."""
    return object_path.read_bytes()
