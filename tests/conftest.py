"""What every level of the tests shares: one guest per kernel, booted when the first test asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from provcap.vm import kernels
from provcap.vm.machine import Machine


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
