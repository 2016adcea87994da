"""What the kernel takes for itself, from files and from memory, becomes a part of the machine."""

import pytest

from tests.vm.recorded import expected

pytestmark = pytest.mark.vm

NOTHING = ""

# the kernel reads with the task's hands
READ = """
    {0}@0 -read-> task@1                         task@0..{1}
    task@1 -memory_write-> memory@1              memory@0..1
    {0}@0 -load_file-> task@2
    task@2 -memory_write-> memory@1
"""
# each makes a version of the machine
TAKEN = """
    {1} -memory_read-> {2}
    {2} -{0}-> machine                           machine -version_entity-> machine
"""
FROM_MEMORY = TAKEN.format("{0}", "memory@0", "task@1") + "task@0..1"

LOADS = {
    "load_module": READ.format("file:module", 3)
    + TAKEN.format("load_module", "memory@1", "task@3"),
    # the kernel has read it, and found out that it is no module
    "load_no_module": READ.format("file:text", 2),
    "load_unreadable": NOTHING,
    "load_from_memory": FROM_MEMORY.format("load_module"),
    "load_garbage": NOTHING,
    "load_kernel": FROM_MEMORY.format("load_kexec_image"),
    "load_kernel_refused": NOTHING,
    "load_kernel_file": READ.format("file:image", 6)
    + TAKEN.format("load_kexec_image", "memory@1", "task@3")
    + """
        file:a@0 -read-> task@4
        task@4 -memory_write-> memory@2          memory@1..2
        file:a@0 -load_file-> task@5
        task@5 -memory_write-> memory@2
    """
    + TAKEN.format("load_kexec_initramfs", "memory@2", "task@6"),
    "unload_kernel_file": NOTHING,
    "load_kernel_file_refused": NOTHING,
    "load_program": FROM_MEMORY.format("load_bpf"),
    "load_bad_program": NOTHING,
    "ask_for_program": NOTHING,
}


@pytest.mark.parametrize("operation", LOADS)
def test_an_operation_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert recording.window(operation).lines == expected(LOADS[operation])


def _load(recording, operation):
    """The one edge of the operation that leads to the machine."""
    (edge,) = (e for e in recording.window(operation).found if e.relation.startswith("load_")
               and e.relation != "load_file")  # fmt: skip
    return edge


@pytest.mark.parametrize(
    ("operation", "flags", "outcome"),
    [
        ("load_module", 2, "done"),  # READING_MODULE
        ("load_from_memory", 2, "done"),
        ("load_kernel", 3, "at_hook"),  # LOADING_KEXEC_IMAGE: may still fail
        ("load_program", 1, "done"),  # BPF_PROG_TYPE_SOCKET_FILTER
    ],
)
def test_a_load_says_what_and_whether_it_is_certain(recording, operation, flags, outcome):
    """What the kernel takes it for; the type of a program."""
    edge = _load(recording, operation)

    assert (edge.flags, edge.outcome, edge.flow) == (flags, outcome, "influence")


def test_each_load_makes_a_version_of_the_machine(recording):
    """One after the other, each its own."""
    operations = ("load_module", "load_from_memory", "load_kernel", "load_program")
    versions = [_load(recording, operation).receiver.version for operation in operations]

    assert versions[0] > 0
    assert versions == sorted(set(versions))


def test_whoever_starts_later_runs_on_what_was_loaded(recording):
    """And whoever was there before does not."""
    load = _load(recording, "load_program")
    ran = {e.receiver.id: e.sender for e in recording.edges if e.relation == "ran_on"}
    starts = {id: recording.attributes(id)["start_ns"] for id in ran}
    later = {sender.version for id, sender in ran.items() if starts[id] > load.at_ns}
    before = {sender.version for id, sender in ran.items() if starts[id] < load.at_ns}

    assert later
    assert min(later) >= load.receiver.version > max(before)


def test_a_task_runs_on_the_machine_once(recording):
    """However often it is described."""
    ran = [e.receiver.id for e in recording.edges if e.relation == "ran_on"]

    assert len(ran) == len(set(ran))
