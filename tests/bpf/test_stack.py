"""No chain of calls takes more stack than the verifier allows, on any kernel."""

from pathlib import Path

import pytest

from kernel.tools import stack

pytestmark = pytest.mark.object

ROOT = Path(__file__).resolve().parents[2]


def test_every_chain_of_calls_fits(kernel_object: bytes) -> None:
    """A frame less than the limit is left: other compilers and kernels count a little otherwise."""
    found = stack.chains(ROOT / "build/provcap.bpf.o")
    deepest = max(found)

    assert len(found) > 50
    assert len(deepest.functions) > 3
    assert deepest.bytes <= stack.LIMIT_BYTES - stack.FRAME_BYTES, deepest
    assert max(len(chain.functions) for chain in found) <= stack.LIMIT_CALLS
