"""Compiles the workloads and the test-only build of the kernel object, once per run."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKLOADS = Path(__file__).parent / "stress"


@pytest.fixture(scope="session")
def workload(tmp_path_factory: pytest.TempPathFactory):
    """A function: name of a workload to its static program, at a path that guests see, too."""
    folder = tmp_path_factory.mktemp("workloads")

    def compiled(name: str, into: Path) -> Path:
        program = folder / name
        if not program.exists():
            flags = ["-static", "-O1", "-pthread", "-Wall", "-Wextra", "-Wno-unused-parameter"]
            command = ["gcc", *flags, str(WORKLOADS / f"{name}.c"), "-o", str(program)]
            subprocess.run(command, check=True)
        place = into / name
        place.write_bytes(program.read_bytes())
        place.chmod(0o700)
        return place

    return compiled


@pytest.fixture(scope="session")
def swapped_object(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernel object with the two steps of an event exchanged."""
    build = tmp_path_factory.mktemp("swapped")
    words = ["make", "-C", str(ROOT / "kernel"), f"BUILD={build}", "EXTRA=-DPROVCAP_SWAPPED_STEPS"]
    subprocess.run(words, check=True, capture_output=True)
    return build / "provcap.bpf.o"
