"""Memory that is shared with others, and the memory of others: every edge of each operation."""

import pytest

from tests.vm.recorded import FORK, expected

pytestmark = pytest.mark.vm

NOTHING = ""

READ_B = """
    file:b@0 -read-> task@1                  task@0..1
    task@1 -memory_write-> memory@1          memory@0..1
"""
CHILD_READS = f"""
    {FORK}
    file:b@0 -read-> task:1@0
    task:1@0 -memory_write-> memory:1@0
"""
# of whom nothing has been told yet: it has slept since it was born
MAY_ATTACH = """
    machine -ran_on-> task:1@0
    task@0 -ptrace_attach-> memory:1@0
    task@0 -ptrace_attach_task-> task:1@0
"""
VM_READ = """
    memory:1@0 -vm_read-> task@1             task@0..1
    task@1 -memory_write-> memory@1          memory@0..1
"""
VM_WRITE = """
    memory@0 -memory_read-> task@1           task@0..1
    task@1 -vm_write-> memory:1@0
"""

SHARING = {
    "share_input": f"""
        {READ_B}
        memory@1 -sh_write-> file:a@0
    """,
    "share_read_only": READ_B,
    "share_private": READ_B,
    # the page came from the parent, so it is in it, too; the child's input is what is new
    "share_output": f"""
        {CHILD_READS}
        memory:1@0 -sh_write-> file:1@0
        file:1@0 -sh_read-> memory@1             memory@0..1
        memory@1 -memory_read-> task@3           task@2..3
        task@3 -write-> file:a@1                 file:a@0..1
    """,
    "share_no_output": f"""
        {CHILD_READS}
        memory@0 -memory_read-> task@3           task@2..3
        task@3 -write-> file:a@1                 file:a@0..1
    """,
    "unmap_shared": """
        task@0 -munmap-> file:a@0
    """,
    "unmap_private": NOTHING,
    "unmap_one_of_two": NOTHING,
    "input_after_unmap": READ_B,
    "map_unreadable": """
        file:a@0 -mmap_private/control-> task@1  task@0..1
    """,
    "protect_private": """
        file:a@0 -mmap_private-> task@1          task@0..1
        task@1 -memory_write-> memory@1          memory@0..1
    """,
    "protect_less": NOTHING,
    # all that is in it has come into the memory when it was mapped; now it can go the other way
    "protect_shared": """
        memory@0 -sh_write-> file:a@1            file:a@0..1
    """,
    "protect_refused": NOTHING,
    "vm_read": f"""
        {MAY_ATTACH}
        {VM_READ}
    """,
    "vm_write": f"""
        {MAY_ATTACH}
        {VM_WRITE}
    """,
    "vm_read_failed": MAY_ATTACH,
    "vm_read_self": NOTHING,
    "compare": """
        machine -ran_on-> task:1@0
        task:1@0 -ptrace_read_task-> task@1      task@0..1
        memory:1@0 -ptrace_read-> task@1
    """,
    "access_refused": NOTHING,
    # permission was asked for when the file was opened
    "proc_mem_read": """
        file:1@0 -read-> task@1                  task@0..2
        task@1 -memory_write-> memory@1          memory@0..1
        memory:1@0 -vm_read-> task@2
        task@2 -memory_write-> memory@1
    """,
    "proc_mem_write": """
        memory@0 -memory_read-> task@1           task@0..2
        task@1 -write-> file:1@1                 file:1@0..1
        memory@0 -memory_read-> task@2
        task@2 -vm_write-> memory:1@0
    """,
    "attach": MAY_ATTACH,
    "peek": VM_READ,
    "poke": VM_WRITE,
    "peek_registers": VM_READ,
    "trace_me": f"""
        {FORK}
        task:1@0 -ptrace_traceme-> task@3        task@2..3
    """,
}


@pytest.mark.parametrize("operation", SHARING)
def test_an_operation_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert recording.window(operation).lines == expected(SHARING[operation])
