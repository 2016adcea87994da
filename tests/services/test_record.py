"""Recording, as far as it can be tested without loading anything."""

import pytest

from provcap.errors import SetupError
from provcap.services import record


@pytest.fixture
def lock(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "LOCK", tmp_path / "lock")
    return record._only_recorder


def test_only_one_recorder_is_at_work(lock):
    """The second is refused while the first is there, and not after it."""
    with lock(), pytest.raises(SetupError, match="another recorder is at work"), lock():
        pass

    with lock():
        pass


def test_a_lock_that_cannot_be_made_is_named(lock, tmp_path, monkeypatch):
    """Most likely the user is not root."""
    monkeypatch.setattr(record, "LOCK", tmp_path / "missing" / "lock")

    with pytest.raises(SetupError, match="cannot open .*missing/lock: No such file"), lock():
        pass
