"""The doctor judges facts; these tests need no machine of any kind."""

import pytest

from provcap.cli import doctor as command
from provcap.services.doctor import TOOLS, Facts, diagnose, lockdown_mode

WELL = Facts(
    lsms=["lockdown", "bpf"],
    has_btf=True,
    has_bpf_lsm=True,
    euid=0,
    capabilities=(1 << 41) - 1,
    lockdown="none",
    bpffs=True,
    libbpf=True,
    object_path="build/provcap.bpf.o",
    missing_hooks=["cgroup_release"],
    unmet_needs=[],
    preemption="voluntary",
    missing_helpers=[],
    tools=dict.fromkeys(TOOLS, True),
)


def test_a_machine_with_everything_records_here():
    """Every line is ok and the last sentence names the command."""
    found = diagnose(WELL)

    assert all(line.ok for line in found.lines)
    assert "provcap record" in found.conclusion


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        ({"lsms": ["lockdown", "yama"]}, "lsm=lockdown,yama,bpf"),
        ({"lsms": None}, "mount -t securityfs"),
        ({"has_btf": False}, "CONFIG_DEBUG_INFO_BTF"),
        ({"has_bpf_lsm": False}, "CONFIG_BPF_LSM"),
        ({"euid": 1000}, "root"),
        ({"capabilities": 1 << 21}, "container"),
        ({"lockdown": "confidentiality"}, "lockdown"),
        ({"bpffs": False}, "mount -t bpf"),
        ({"libbpf": False}, "apt install libbpf1"),
        ({"object_path": None}, "make -C kernel"),
        ({"missing_hooks": None}, "make -C kernel"),
        ({"missing_helpers": None}, "CONFIG_DEBUG_INFO_BTF"),
        ({"missing_helpers": ["BPF helper number 181"]}, "6.1"),
    ],
)
def test_each_lack_shuts_this_kernel_and_tells_its_fix(change, fix):
    """One lack, one line marked no, and the guest is offered instead."""
    found = diagnose(WELL._replace(**change))

    assert [fix in line.fix for line in found.lines if not line.ok] == [True]
    assert "provcap vm run" in found.conclusion


def test_missing_hooks_are_told_but_shut_nothing():
    """The rest still records; what is lost is named."""
    found = diagnose(
        WELL._replace(missing_hooks=["cgroup_release", "fifo_pipe_read", "module_load"])
    )
    said = {line.subject: line for line in found.lines if not line.ok}

    assert found.can_record
    assert said["hooks"].meaning == "3 absent, others stand in for 2"
    assert said["module_load"].meaning.startswith("lost: ")
    assert said.keys() == {"hooks", "module_load"}


@pytest.mark.parametrize(
    ("unmet", "said"),
    [
        ("field fown_struct.file", "file_sigio of sockets and leases is counted"),
        ("release 6.2", "what the kernel skips is counted"),
        ("symbol page_offset_base", "the content of a packet is cut"),
        ("symbol vmemmap_base", "the content of a packet is cut"),
        ("field task_struct.loginuid", "cf:loginuid and cf:sessionid are omitted"),
    ],
)
def test_what_is_lost_though_every_hook_is_there_is_told(unmet, said):
    """It shuts nothing; the line begins with the kernels that it is so on."""
    found = diagnose(WELL._replace(unmet_needs=[unmet]))
    (line,) = (line for line in found.lines if not line.ok)

    assert found.can_record
    assert said in line.meaning
    assert line.subject.startswith(("before ", "without "))


def test_what_is_only_different_is_well():
    """A line all the same, so that nobody has to wonder."""
    found = diagnose(WELL._replace(unmet_needs=["release 6.4", "function pipe_read"]))
    told = {line.subject: line for line in found.lines}

    assert all(line.ok for line in found.lines)
    assert told["before 6.4"].meaning.endswith("which the edges show")
    assert told["since 6.15"].meaning.endswith("(docs/reference/inputs.md)")


def test_programs_that_only_some_kernels_need_tell_why():
    """Where the end of a task needs its stand-in, look-ups can be refused."""
    found = diagnose(WELL._replace(missing_hooks=[]))

    assert [line.subject for line in found.lines if not line.ok] == ["before 6.2"]


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("voluntary", "voluntary"),
        ("lazy", "lazy: programs on functions are attached 2 times"),
        ("unknown", "unknown: programs on functions are attached 2 times"),
    ],
)
def test_a_kernel_that_preempts_itself_costs_more_and_shuts_nothing(mode, said):
    """Whether it does is told in any case."""
    found = diagnose(WELL._replace(preemption=mode))

    assert [line.meaning for line in found.lines if line.subject == "preemption"] == [said]
    assert found.can_record


def test_with_neither_way_the_command_fails(monkeypatch, capsys):
    """Exit status 1 and a sentence that says so."""
    facts = WELL._replace(lsms=[], tools=dict.fromkeys(TOOLS, False))
    monkeypatch.setattr(command, "gather", lambda: facts)

    assert command.run(None) == 1
    assert "not possible yet" in capsys.readouterr().out


def test_a_guest_needs_an_object_or_the_means_to_build_one():
    """qemu alone is not enough."""
    tools = dict.fromkeys(TOOLS, True) | {"clang": False}

    assert not diagnose(WELL._replace(euid=1, object_path=None, tools=tools)).can_boot
    assert diagnose(WELL._replace(euid=1, tools=tools)).can_boot


def test_the_lockdown_mode_is_the_one_in_brackets():
    """As the kernel prints it."""
    assert lockdown_mode("none [integrity] confidentiality\n") == "integrity"
    assert lockdown_mode("") == "none"


def test_looking_at_this_machine_works_on_any_machine(capsys):
    """Whatever the machine lacks, the command ends with its sentence."""
    assert command.run(None) in (0, 1)
    assert capsys.readouterr().out.rstrip().splitlines()[-1].startswith("Capture ")
