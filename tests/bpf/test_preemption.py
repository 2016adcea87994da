"""What a kernel shows of how it is preempted."""

import pytest

from provcap.bpf import preemption

RT = "#1 SMP PREEMPT_RT Debian 6.12.117-1"
DYNAMIC = "#1 SMP PREEMPT_DYNAMIC Debian 7.3.4-1"


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("none (voluntary) full \n", "voluntary"),
        ("none voluntary full (lazy)\n", "lazy"),
        ("(full) lazy\n", "full"),
        ("none voluntary full\n", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_mode_that_is_chosen_stands_in_brackets(text, mode):
    """Whichever others there are."""
    assert preemption.chosen_mode(text) == mode


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ("#1 SMP Debian 6.1.1-1", "none"),
        ("#1 SMP PREEMPT Fri", "full"),
        ("#1 SMP PREEMPT_LAZY,DYNAMIC", "lazy"),
        (RT, "rt"),
        (DYNAMIC, "unknown"),
    ],
)
def test_without_a_choice_the_kernel_was_built_so(version, mode):
    """As uname -v says."""
    assert preemption.built_mode(version) == mode


def test_debugfs_tells_wherever_it_is(tmp_path, monkeypatch):
    """Its file counts before what the version says."""
    (tmp_path / "sched").mkdir()
    (tmp_path / preemption.MODES).write_text("none (voluntary) full\n")
    monkeypatch.setattr(preemption, "DEBUGFS", tmp_path)
    monkeypatch.setattr(preemption.platform, "version", lambda: DYNAMIC)

    assert preemption.preemption() == "voluntary"
    assert not preemption.preempts_itself()


@pytest.mark.parametrize(("version", "may"), [(DYNAMIC, True), ("#1 SMP", False)])
def test_what_is_not_shown_is_taken_for_the_worse(version, may, tmp_path, monkeypatch):
    """A kernel that hides its choice may have made any."""
    monkeypatch.setattr(preemption, "DEBUGFS", tmp_path)
    monkeypatch.setattr(preemption, "_debugfs", refused)
    monkeypatch.setattr(preemption.platform, "version", lambda: version)

    assert preemption.preempts_itself() is may


def refused():
    """As a kernel under lockdown answers, or a user who may not mount."""
    raise PermissionError
