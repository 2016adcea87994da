"""What is played in ``precision/``, and what recorded graphs do not know of it, with the reason.

docs/explanation/precision.md tells of each.
"""


def _listed(text: str) -> list[str]:
    return text.split()


# Each brings the words of its file "secret" into its file "copy"
FLOWS = _listed("""
    read_write read_write_ext4 read_write_overlay pread_pwrite readv_writev preadv_pwritev
    map_private map_shared map_later map_unlocked send_file copy_range duplicated
    by_file by_file_ext4 by_file_overlay append_log evicted_ext4
    renamed hard_link symbolic_link listing by_proc shared_mapping
    forked forked_twice vfork_exec fork_exec spawned environment script written_program
    inherited_descriptor inherited_output memory_file nameless_file threads shared_memory
    pipe three_processes waiting_reader fifo pair_stream pair_datagram pair_packets
    unix_stream unix_packets unix_abstract_stream unix_datagram unix_abstract_datagram unix_send_to
    tcp4 tcp6 udp4 udp6 many_messages peeked passed_descriptor send_file_socket
    early_unix early_tcp4 early_tcp6 early_mapping early_reader
    splice_in splice_out tee vmsplice shared_page sysv_memory sysv_queue posix_queue event_counter
    terminal_input terminal_output other_memory proc_memory attribute link_text folder_name
    changed_name ring_at_once ring_by_worker
    peeked_message waiting_for_message waiting_for_post own_terminal left_in_memory
    taken_descriptor
""")

NOT_YET = {
    "shared_mapping": "no hook reports what is written through a shared mapping",
    "shared_page": "as shared_mapping, without a file",
    "udp4": "what is sent in packets is not followed to the socket that gets it",
    "udp6": "as udp4",
    "early_reader": "exit probes do not see a call that was waiting when recording began",
    "splice_in": "no hook for what splice puts into a pipe",
    "splice_out": "splice does not come by pipe_read",
    "tee": "no hook for what goes from pipe to pipe",
    "vmsplice": "no hook for memory that becomes the content of a pipe",
    "other_memory": "no hook for process_vm_readv",
    "proc_memory": "no hook for /proc/PID/mem",
}

# Kernels before this one do it without a hook
SINCE = {
    "send_file_socket": ((6, 5), "sendfile(2) puts pages into a socket by sendpage"),
}

# In each, one process takes "secret" and gives "own", another takes "other" and gives "clean"
PAIRS = _listed("""
    siblings output library shared_map data_file open_file same_program directory namesake
    null zero full random urandom map_zero made_again made_again_ext4
    open_refused read_refused map_refused execute_refused looked_at locked
    pipe_unread pipe_held pipe_drained socket_unread fifo_drained terminal_unread datagrams
    listener_unix listener_tcp early_write read_after_fork child_exits child_waits
    order_of_pipes order_of_pairs order_of_unix order_of_tcp4 order_of_tcp6
    fifo_discarded read_at_end read_nothing read_to_nowhere map_unreadable
    cut_on_open cut_by_name written_over not_said accepted_late
    other_queue same_queue second_peeked other_posix_queue same_posix_queue
    other_counter counter_drained other_terminal printed_and_typed other_segment
""")

# Kept apart only since a kernel: before it the old content stays an ancestor
APART_SINCE = dict.fromkeys(
    ("cut_on_open", "cut_by_name"), ((6, 9), "no hook runs behind a truncation")
)

TOO_MUCH = {
    "fifo_discarded": "a FIFO is one node; that it was closed by all and emptied is not seen",
    "read_at_end": "a read of a file is recorded at its hook, before it returns nothing",
    "read_nothing": "as read_at_end",
    "read_to_nowhere": "as read_at_end: EFAULT comes later",
    "map_unreadable": "mprotect can make it readable later, and no hook reports that",
    "written_over": "a file is one node: which of its bytes are new is not known",
    "printed_and_typed": "an end of a terminal is one node: what is printed there and typed there",
    "not_said": "a process is one node: all it knows goes into all it writes",
}

# Here whoever gives "own" knows of "other" what the writer of "clean" knew before
ONE_WAY = {"early_write", *(name for name in PAIRS if name.startswith("order_of"))}
SILENT = {"child_waits"}  # whoever has read the secret writes nothing
