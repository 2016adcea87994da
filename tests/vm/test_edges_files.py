"""What operations on files make: the whole set of edges, and nothing where nothing flowed."""

import pytest

from tests.vm.recorded import expected

pytestmark = pytest.mark.vm


def test_nothing_was_lost(recording):
    """Every other test relies on it."""
    assert recording.losses.complete, recording.losses


def test_dump(recording):
    import os
    if os.environ.get("DUMP"):
        import tests.vm.recorded as r, collections
        for e in recording.edges:
            pass
        ops = [n.name.partition("/")[0] for n in []]
        seen = dict.fromkeys(x.partition("/")[0] for x in recording._told.values())
        for op in seen:
            try:
                w = recording.window(op)
            except Exception as error:
                print("##", op, repr(error)); continue
            print("##", op)
            order = list(dict.fromkeys(w._line(e) for e in w.found))
            print("\n".join("   "+l for l in order))
