"""Recording, as far as it can be tested without loading anything."""

import pytest

from provcap.errors import SetupError
from provcap.policy.model import Change
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


def test_a_file_to_mark_that_is_not_there_ends_it_before_anything_is_loaded(
    lock, tmp_path, monkeypatch
):
    """An earlier recording and a capture that somebody left stay as they are."""

    def too_far(*_words, **_settings):
        raise AssertionError("went on")

    for name in ("load", "find_pinned"):
        monkeypatch.setattr(record.loader, name, too_far)
    monkeypatch.setattr(record.loader, "find_object", lambda: tmp_path)
    monkeypatch.setattr(record.loader, "read_object", lambda _path: b"")
    monkeypatch.setattr(record.objects, "object_layout", lambda _image: None)
    settings = record.Settings(marks=((str(tmp_path / "none"), Change()),))

    with pytest.raises(SetupError, match="none: No such file or directory"):
        record.record(["true"], tmp_path / "raw", settings)
