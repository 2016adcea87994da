"""Control, locks, identities, sockets both ways, descriptors handed on."""

import pytest

from tests.vm.recorded import FORK, expected

pytestmark = pytest.mark.vm

NOTHING = ""

INPUT = """
    {0} -{1}-> task@1                        task@0..1
    task@1 -memory_write-> memory@1          memory@0..1
"""
OUTPUT = """
    memory@0 -memory_read-> task@1           task@0..1
    task@1 -{1}-> {0}
"""

CONTROL = {
    "ioctl_reads": INPUT.format("file:a@0", "read_ioctl"),
    "ioctl_writes": OUTPUT.format("file:a@1", "write_ioctl") + "file:a@0..1",
    # an old command does not say which way it goes
    "ioctl_of_a_socket": f"""
        {OUTPUT.format("socket:made@0", "write_ioctl")}
        socket:made@0 -read_ioctl-> task@2       task@1..2
        task@2 -memory_write-> memory@1          memory@0..1
    """,
    # how much there is, and how the descriptor behaves, is no content; once is enough
    "ioctl_how_much": "pipe:pipe@0 -read_ioctl/control-> task@1    task@0..1",
    "ioctl_nonblocking": "task@0 -write_ioctl/control-> pipe:pipe@0",
    # two programs that ask for the settings of a terminal do not talk to each other
    "ask_terminal": "char:terminal@0 -read_ioctl/control-> task@1    task@0..1",
    "set_terminal": "task@0 -write_ioctl/control-> char:terminal@1    char:terminal@0..1",
    # but this is input for whoever reads from it
    "push_input": OUTPUT.format("char:terminal@1", "write_ioctl") + "char:terminal@0..1",
    "ioctl_refused": NOTHING,
    "ioctl_of_32_bits": INPUT.format("file:a@0", "read_ioctl"),
    "lock_file": "task@0 -file_lock-> file:a@1    file:a@0..1",
    # the lock that there is shows after the hook; it was this task that has it, a version ago
    "lock_file_refused": "task@0 -file_lock-> file:a@0",
    "lock_part": "task@0 -file_lock-> file:a@1    file:a@0..1",
    "lock_refused": NOTHING,
    "change_directory": """
        directory:here@0 -perm_check-> task@1    task@0..1
        directory:folder@0 -search-> task@1
    """,
    "change_to_descriptor": "directory:folder@0 -search-> task@1    task@0..1",
    "change_root": """
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -clone-> task:1@0
        machine -ran_on-> task:1@0
        directory:here@0 -perm_check-> task:1@0
        directory:folder@0 -search-> task:1@0
        path:folder -named-> directory:folder@0
        directory:folder@0 -chroot-> task:1@0
    """,
    "change_directory_refused": "directory:here@0 -perm_check-> task@1    task@0..1",
}

IDENTITY = {
    # the same memory, one version on
    "set_user": f"""
        {FORK}
        memory:1@0 -memory_read-> task:1@0
        task:1@0 -setuid-> memory:1@1            memory:1@0..1
    """,
    "set_user_refused": NOTHING,
    "set_group": "task@0 -setpgid-> memory:1@0",
    "get_group": "memory:1@0 -getpgid-> task@1    task@0..1",
    "set_group_refused": NOTHING,
    "get_group_absent": NOTHING,
}

THERE_AND_BACK = """
    memory@0 -memory_read-> task@1               task@0..4
    task@1 -send_msg-> socket:left@0
    socket:left@0 -receive_unix-> socket:right@0
    socket:right@0 -receive_msg-> task@2
    task@2 -memory_write-> memory@1              memory@0..2
    memory@1 -memory_read-> task@3
    task@3 -send_msg-> socket:right@1            socket:right@0..1
    socket:right@1 -receive_unix-> socket:left@1    socket:left@0..1
    socket:left@1 -receive_msg-> task@4
    task@4 -memory_write-> memory@2
"""

SOCKETS = {
    "pair_refused": NOTHING,
    "stream_both_ways": THERE_AND_BACK,
    "packets_both_ways": THERE_AND_BACK,
    "connect_packets": """
        address:@provcap-seqpacket -addressed-> socket:client@0
        memory@0 -memory_read-> task@1           task@0..2
        task@1 -connect-> socket:client@0
        memory@0 -memory_read-> task@2
        task@2 -connect_unix_stream-> socket:client@0
    """,
    # it has asked, but there was no one
    "connect_nobody": """
        address:@provcap-nobody -addressed-> socket:client@0
        memory@0 -memory_read-> task@1           task@0..1
        task@1 -connect-> socket:client@0
    """,
    # the bytes got into the socket's hands and not a step further
    "datagram_refused": OUTPUT.format("socket:from@0", "send_msg"),
}

DESCRIPTORS = {
    # what is in the message leaves with it
    "send_descriptor": f"""
        {OUTPUT.format("socket:left@0", "send_msg")}
        file:a@0 -file_snd-> socket:left@0
        socket:left@0 -receive_unix-> socket:right@0
    """,
    "receive_descriptor": f"""
        file:a@0 -file_rcv-> task@1
        {INPUT.format("socket:right@0", "receive_msg")}
    """,
    "send_several": f"""
        {OUTPUT.format("socket:left@0", "send_msg")}
        file:a@0 -file_snd-> socket:left@0
        pipe:pipe@0 -file_snd-> socket:left@0
        socket:made@0 -file_snd-> socket:left@0
        socket:left@0 -send_unix-> socket:right@0
    """,
    "receive_several": f"""
        file:a@0 -file_rcv-> task@1
        pipe:pipe@0 -file_rcv-> task@1
        socket:made@0 -file_rcv-> task@1
        {INPUT.format("socket:right@0", "receive_msg")}
    """,
    # it shares its inode with others, and has a node all the same
    "send_counter": f"""
        {OUTPUT.format("socket:left@0", "send_msg")}
        eventfd:1@0 -file_snd-> socket:left@0
        socket:left@0 -receive_unix-> socket:right@0
        eventfd:1@0 -file_rcv-> task@2           task@1..2
        socket:right@0 -receive_msg-> task@2
        task@2 -memory_write-> memory@1          memory@0..1
    """,
    # refused after the hook: the send is there, the descriptor is not
    "send_closed": f"""
        {OUTPUT.format("socket:left@0", "send_msg")}
        socket:left@0 -receive_unix-> socket:right@0
    """,
    # the verifier lets nobody look into a table of more than 64: told when it is received
    "send_from_large_table": f"""
        {FORK}
        memory:1@0 -memory_read-> task:1@0
        task:1@0 -send_msg-> socket:left@0
        socket:left@0 -receive_unix-> socket:right@0
    """,
    "receive_from_large_table": f"""
        memory:1@0 -file_snd-> file:a@1          file:a@0..1
        file:a@1 -file_rcv-> task@1
        {INPUT.format("socket:right@0", "receive_msg")}
    """,
    # only the last sender of a file that is under way is known, the other one counted
    "receive_from_large_tables": f"""
        memory:1@0 -file_snd-> file:a@1          file:a@0..1
        file:a@1 -file_rcv-> task@1
        {INPUT.format("socket:right@0", "receive_msg")}
        memory:1@0 -file_snd-> file:a@2          file:a@1..2
        file:a@2 -file_rcv-> task@2              task@1..2
        socket:right@0 -receive_msg-> task@2
        task@2 -memory_write-> memory@1
    """,
    "take_from_itself": "file:a@0 -file_rcv-> task@1    task@0..1",
}

KINDS = {
    "read_block_device": INPUT.format("block:loop@0", "read"),
    "look_at_link": """
        link:link@0 -getattr-> task@1            task@0..1
    """,
}

EVERYDAY = CONTROL | IDENTITY | SOCKETS | DESCRIPTORS | KINDS


@pytest.mark.parametrize("operation", EVERYDAY)
def test_an_operation_makes_exactly_these_edges(recording, operation):
    """Nothing is missing, nothing is there that did not happen."""
    assert recording.window(operation).lines == expected(EVERYDAY[operation])


@pytest.mark.parametrize(
    ("operation", "relation", "flags"),
    [
        ("ioctl_reads", "read_ioctl", 0x80086601),  # FS_IOC_GETFLAGS
        ("ioctl_of_32_bits", "read_ioctl", 0x80046601),  # FS_IOC32_GETFLAGS
        ("ioctl_of_a_socket", "write_ioctl", 0x8933),  # SIOCGIFINDEX
        ("ask_terminal", "read_ioctl", 0x5401),  # TCGETS
        ("lock_file", "file_lock", 1),  # F_WRLCK
        ("change_directory", "search", 0x41),  # MAY_CHDIR | MAY_EXEC
        ("set_user", "setuid", 4),  # LSM_SETID_RES
    ],
)
def test_flags_are_those_of_the_call(recording, operation, relation, flags):
    """The command, the kind of lock, the access mask, what the kernel reads the file for."""
    assert recording.window(operation).only(relation).flags == flags


def test_a_change_of_user_is_told_with_the_next_version(recording):
    """Task and memory are described again, with the users that they have from then on."""
    window = recording.window("set_user")
    memory = recording.nodes[window.ids["memory:1"]]
    task = recording.nodes[window.ids["task:1"]]

    assert [(r.attributes["uid"], r.attributes["gid"]) for r in memory] == [(0, 0), (1000, 0)]
    assert [r.attributes["euid"] for r in task] == [0, 1000]
    assert [r.version for r in memory] == [0, 1]


def test_a_refused_change_of_user_leaves_the_description(recording):
    """It speaks of the user that the task still has."""
    task = recording.window("set_user_refused").ids["task"]
    users = {record.attributes["uid"] for record in recording.nodes[task]}

    assert users == {0, 1000}  # what it was set up with; never the 5 that it asked for


def test_a_sender_whom_another_one_has_overtaken_is_counted(recording):
    """The receiver has the descriptor all the same, so the recording is not incomplete for it."""
    assert sum(recording.losses.causes["descriptor_unseen"].values()) == 1
    assert recording.losses.complete


@pytest.mark.parametrize(
    ("name", "kind", "mode"),
    [("read_block_device/loop", "block", 0o060000), ("look_at_link/link", "link", 0o120777)],
)
def test_an_inode_tells_what_it_is(recording, name, kind, mode):
    """A device node its own number, too."""
    (id,) = recording.ids(name)
    facts = recording.attributes(id)

    assert recording.kind(id) == kind
    assert facts["ino"] == recording.told(name).inode
    assert facts["mode"] & 0o170000 == mode & 0o170000
    assert (facts["rdev"] >> 20 == 7) == (kind == "block")
