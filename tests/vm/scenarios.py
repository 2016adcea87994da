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
    tcp4 tcp6 udp4 udp6 udp_send_to udp_answered udp_mapped udp_many udp_peeked udp_corked
    udp_segmented udp_multicast udp_fragments udp4_network udp6_network tcp4_network tcp6_network
    many_messages peeked passed_descriptor send_file_socket
    early_unix early_tcp4 early_tcp6 early_mapping early_store early_reader
    shared_page sysv_memory sysv_queue posix_queue event_counter
    terminal_input terminal_output other_memory proc_memory attribute link_text folder_name
    changed_name signal_value taken_descriptor
    peeked_message waiting_for_message waiting_for_post own_terminal left_in_memory
    splice_in splice_out splice_pipes splice_late tee vmsplice vmsplice_out send_file_pipe
    relay_unix relay_tcp
    ring_at_once ring_by_worker ring_polled ring_opens ring_sockets ring_pipe ring_splice
    ring_message
    stored_later load_unmapped vfork_store shared_memfd shared_file shared_file_ext4
    shared_file_overlay shared_moved shared_protected map_protected mapped_written
    shared_silently shared_by_chain vm_written poked peeked_memory
    proc_memory_written attribute_name access_list_ext4 reflinked_btrfs copied_up
    vsock netlink disclosed ring_handed_on
""")

NOT_YET = {
    "early_reader": "exit probes do not see a call that was waiting when recording began",
    "vsock": "a socket of this family has no peer yet",
    "netlink": "as vsock",
    "ring_handed_on": "a ring is memory of who made it: another may read its queue without a call",
}

# In each, one process takes "secret" and gives "own", another takes "other" and gives "clean"
PAIRS = _listed("""
    siblings output library shared_map data_file open_file same_program directory namesake
    null zero full random urandom map_zero made_again made_again_ext4
    open_refused read_refused map_refused execute_refused looked_at locked
    pipe_unread pipe_held pipe_drained socket_unread fifo_drained terminal_unread datagrams
    listener_unix listener_tcp early_write read_after_fork child_exits child_waits
    order_of_pipes order_of_pairs order_of_unix order_of_tcp4 order_of_tcp6
    datagrams_udp4 datagrams_udp6 listener_udp udp_same_header udp_refused udp_not_for_it
    udp_unread udp_nothing twin_networks order_of_udp4 order_of_udp6 order_of_one_port
    fifo_discarded read_at_end read_nothing read_to_nowhere map_unreadable
    cut_on_open cut_by_name written_over not_said accepted_late
    sent_by_kernel copied_by_kernel spliced_by_kernel spliced_into_pipe teed_into_pipe
    sent_into_socket stored_from_pipe stored_from_file rings rings_alone spliced_by_ring
    signalled signal_refused value_for_another change_refused same_group same_namespace
    mounted same_machine
    other_queue same_queue second_peeked other_posix_queue same_posix_queue
    other_counter counter_drained other_terminal printed_and_typed other_segment
    private_stores shared_readers different_maps shared_unreadable idle_carrier
    unmapped_before other_read access_refused
    descriptors_taken descriptor_unread proc_memory_nowhere
    tracer_that_peeks_not tracer_that_pokes_not other_memory_file pages_in_other_pipe pages_drained
    other_attribute attribute_refused other_list_ext4 reflinked_by_first_btrfs
    copied_up_by_first other_copied_up
    other_link other_nameless_file vsock_unread netlink_unread other_disclosed message_to_a_third
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
    "written_over": "a file is one node: which of its bytes are new is not known",
    "printed_and_typed": "an end of a terminal is one node: what is printed there and typed there",
    "copied_up_by_first": "the attributes of a copy-up are recorded as set by who caused it",
    "not_said": "a process is one node: all it knows goes into all it writes",
}

# Here whoever gives "own" knows of "other" what the writer of "clean" knew before
ONE_WAY = {
    *("early_write", "other_read", "unmapped_before"),
    *(name for name in PAIRS if name.startswith("order_of")),
}
SILENT = {"child_waits"}  # whoever has read the secret writes nothing
