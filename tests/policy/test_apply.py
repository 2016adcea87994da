"""What is written for the kernel side when marks are asked for."""

import os
from pathlib import Path

import pytest

from provcap.bpf.layout import object_layout
from provcap.policy.apply import Control
from provcap.policy.model import OPAQUE, TRACKED, Change
from tests.policy.fake import FakeCapture

pytestmark = pytest.mark.object


@pytest.fixture
def control(kernel_object: bytes) -> Control:
    """Of a capture that has just begun."""
    layout = object_layout(kernel_object)
    return Control(FakeCapture(layout), layout)


def test_a_recorder_that_hides_marks_no_file(control: Control) -> None:
    """Hooks leave out looking for marks of pipes until there can be one."""
    control.hide_recorder(os.pidfd_open(os.getpid()))

    assert not control.policy().marked_files
    assert control.policy().generation == 2


def test_a_marked_file_is_remembered_as_long_as_the_capture_lasts(
    control: Control, tmp_path: Path
) -> None:
    """Also when its mark has gone again: an inode may have taken it over."""
    (tmp_path / "a").touch()
    fd = os.open(tmp_path / "a", os.O_PATH)

    control.mark_file(fd, Change(set=frozenset({TRACKED})))
    control.mark_file(fd, Change(clear=frozenset({TRACKED, OPAQUE})))

    assert control.policy().marked_files


def test_the_same_policy_has_the_same_hash_whatever_has_been_marked(
    control: Control, tmp_path: Path
) -> None:
    """The hash is of what is recorded, not of what has been asked for on the way."""
    before = control.policy_hash(control.policy())
    (tmp_path / "a").touch()

    control.mark_file(os.open(tmp_path / "a", os.O_PATH), Change(set=frozenset({TRACKED})))

    assert control.policy_hash(control.policy()) == before
