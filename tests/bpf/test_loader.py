"""What can be said of an object before loading it, and the pins on an ordinary folder."""

import os
import stat

import pytest

from provcap.bpf import libbpf, loader, pins
from provcap.bpf.btf import KERNEL_BTF
from provcap.bpf.layout import object_layout
from provcap.bpf.targets import Program, attach_rank, copy_name, missing_target
from provcap.errors import KernelError, LayoutError, LoadError, SetupError


@pytest.mark.object
def test_programs_of_an_opened_object_are_listed(image):
    """Opening needs no privilege and tells kind and target of each program."""
    found = {program.name: (program.kind, program.target) for program in
             loader.object_programs(image)}  # fmt: skip

    assert found["file_open"] == ("lsm", "file_open")
    assert found["no_such_hook"] == ("lsm", "no_such_hook")
    assert found["each_task"] == ("iter", "task")


@pytest.mark.parametrize(
    ("functions", "why"),
    [
        ({"cgroup_release"}, None),
        (set(), "function cgroup_release"),
        ({"cgroup_release", "bpf_task_storage_get_recur"}, "need for cgroup_release"),
    ],
)
def test_what_only_old_kernels_need_is_off_on_others(functions, why):
    """Where a look-up that interrupts another one is answered, too."""

    class Kernel:
        has_func = functions.__contains__

    program = Program.of("cgroup_release", "fentry/cgroup_release")

    assert missing_target(program, Kernel) == why


@pytest.mark.object
@pytest.mark.skipif(not KERNEL_BTF.exists(), reason="this kernel has no BTF")
def test_programs_without_target_are_switched_off(image):
    """What the running kernel lacks is named, what it has stays."""
    off = {program.name: missing for program, missing in loader.skipped_programs(image)}

    assert off == {
        "no_such_hook": "LSM hook no_such_hook",
        "no_such_function": "function no_such_function",
    }


INTERRUPTS = {"sk_destruct", "ip_local_out", "ip6_output", "cgroup_release"}


@pytest.mark.object
def test_every_program_on_a_function_may_have_copies(kernel_object):
    """But for those that interrupts run, which would take the marks of the task below."""
    programs = loader.object_programs(kernel_object)
    on_functions = {p.name for p in programs if p.kind in ("fentry", "fexit", "fmod_ret")}
    places = object_layout(kernel_object).record("prov_cpu").field("probes").length

    assert loader.probes(kernel_object) == on_functions - INTERRUPTS
    assert len(on_functions - INTERRUPTS) <= places


@pytest.mark.object
def test_rings_get_a_slot_for_each_possible_cpu(image):
    """The sizes are set on the opened object, before anything is loaded."""
    with loader._opened_object("records.bpf.o", image) as opened:
        loader._size_rings(opened)
        rings = loader._named_map(opened, "rings")

        assert libbpf.library().bpf_map__max_entries(rings) == libbpf.possible_cpus()


@pytest.mark.object
def test_settings_reach_the_read_only_globals(image):
    """A named setting is written at its place; an unknown one is refused."""
    with loader._opened_object("records.bpf.o", image) as opened:
        loader._set_globals(opened, image, {"setting_two": 0x1122334455667788})
        data = bytes(loader._initial_value(opened, "rodata"))

        assert (0x1122334455667788).to_bytes(8, "little") in data
        assert (3).to_bytes(4, "little") in data
        with pytest.raises(KernelError, match="setting_three"):
            loader._set_globals(opened, image, {"setting_three": 1})


def test_a_broken_object_is_refused_by_name():
    """The error names the object and says what libbpf said."""
    with pytest.raises(KernelError, match=r"broken\.o"), loader._opened_object("broken.o", b"x"):
        pass


def test_a_kernel_without_the_bpf_module_is_told_what_to_boot_with():
    """The text holds the whole parameter for the kernel command line."""
    with pytest.raises(LoadError, match=r"cannot load p\.o: .*add lsm=lockdown,yama,bpf"):
        loader.require_kernel("p.o", ["lockdown", "yama"])


def test_a_refusal_names_the_program_and_ends_with_the_log():
    """Twenty lines of the verifier, none of libbpf's frame."""
    said = [
        "libbpf: prog 'file_open': BPF program load failed: Permission denied",
        "libbpf: prog 'file_open': -- BEGIN PROG LOAD LOG --",
        *(f"{n}: (b7) r0 = 0" for n in range(40)),
        "R1 invalid mem access 'scalar'",
        "-- END PROG LOAD LOG --",
        "libbpf: prog 'file_open': failed to load: -13",
        "libbpf: failed to load object 'provcap'",
    ]

    text = str(loader.refusal("provcap.bpf.o", 13, said))

    assert text.startswith("cannot load provcap.bpf.o: program file_open was refused (EACCES)\n")
    assert text.endswith("R1 invalid mem access 'scalar'")
    assert len(text.splitlines()) == 21


def test_what_frees_state_attaches_first_and_iterators_last():
    """Nothing is made before its end can be seen."""
    sections = [
        "iter/task",
        "lsm/file_open",
        "fexit/do_read",
        "lsm/task_alloc",
        "fentry/sk_destruct",
    ]
    programs = [Program.of(f"p{n}", section) for n, section in enumerate(sections)]

    order = [program.target for program in sorted(programs, key=attach_rank)]

    assert order == ["sk_destruct", "task_alloc", "do_read", "file_open", "task"]


def test_the_first_copy_of_a_probe_attaches_last():
    """What is attached last runs first."""
    names = [copy_name("pipe_read", copy) for copy in range(3)]
    programs = [Program(name, "fexit", "fexit", name) for name in names]

    assert [program.name for program in sorted(programs, key=attach_rank)] == names[::-1]


def test_an_unknown_kind_of_program_is_refused():
    """What this loader cannot attach is never silently left out."""
    with pytest.raises(KernelError, match="xdp"):
        Program.of("filter", "xdp/eth0")


def test_a_missing_bpf_file_system_is_told_with_the_mount_command():
    """The error can be pasted into a shell."""
    pins.require_bpffs("none /sys/fs/bpf bpf rw 0 0\n")
    with pytest.raises(SetupError, match="mount -t bpf bpf /sys/fs/bpf"):
        pins.require_bpffs("tmpfs /sys/fs/bpf tmpfs rw 0 0\n")


def test_the_tree_of_pins_is_private_and_can_be_cleared(tmp_path):
    """Only the owner may enter; clearing leaves nothing, whatever a killed loader left."""
    tree = pins.Pins(tmp_path / "provcap")
    with tree.locked():
        assert stat.S_IMODE(tree.root.stat().st_mode) == 0o700
        for path in (tree.link("a"), tree.program("lsm", "a"), tree.maps / "rings", tree.marker):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        assert tree.complete()
        assert tree.attached() == ["a"]
        assert tree.pinned_programs() == [("lsm", "a")]
        tree.clear()

    assert not tree.root.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_tree_that_may_not_be_entered_is_told_from_an_empty_one(tmp_path):
    """Whoever is not root cannot see whether a capture is there."""
    tree = pins.Pins(tmp_path / "provcap")
    with tree.locked():
        tree.maps.mkdir()
        tree.marker.touch()
    os.seteuid(65534)
    try:
        with pytest.raises(SetupError, match="cannot look into .*provcap .are you root"):
            tree.complete()
    finally:
        os.seteuid(0)


def test_a_tree_that_others_may_enter_is_refused(tmp_path):
    """A folder that somebody else prepared could swap our maps."""
    tree = pins.Pins(tmp_path / "provcap")
    tree.root.mkdir(mode=0o755)
    with pytest.raises(KernelError, match="another user"), tree.locked():
        pass


def test_a_capture_of_another_build_is_refused(tmp_path, monkeypatch):
    """The message holds both layouts and the way out."""
    tree = pins.Pins(tmp_path / "provcap")
    tree.maps.mkdir(parents=True)
    tree.marker.touch()
    monkeypatch.setattr(loader.Capture, "fingerprint", b"\xaa" * 32)
    with pytest.raises(LayoutError, match="layout aaaaaaaaaaaa, this is bbbbbbbbbbbb.*rm -r"):
        loader.find_pinned(b"\xbb" * 32, tree)


def test_without_pins_there_is_no_capture(tmp_path):
    """An absent tree is no error."""
    assert loader.find_pinned(b"", pins.Pins(tmp_path / "provcap")) is None


def test_map_names_lose_what_pins_may_not_have():
    """The BPF file system refuses dots."""
    assert pins.pin_name("provcap.rodata") == "rodata"
    assert pins.pin_name(".rodata.vocabulary") == "rodata_vocabulary"
    assert pins.pin_name(".data.policy") == "policy"
    assert pins.pin_name("rings") == "rings"


@pytest.mark.parametrize("size", [0, 5000, 3 * 4096])
def test_a_ring_size_that_the_kernel_would_refuse_is_named(object_path, size):
    """Before anything is touched."""
    with pytest.raises(KernelError, match=f"power of two of pages, not {size}"):
        loader.load(object_path, ring_bytes=size)
