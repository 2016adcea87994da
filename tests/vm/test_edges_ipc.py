"""Messages, segments of shared memory, counters, both ends of terminals, descriptors taken."""

import pytest

pytestmark = pytest.mark.vm

NAMES = """send_message receive_message receive_second receive_nothing receive_too_long
receive_nowhere receive_forbidden send_forbidden send_nowhere send_full peek_message
receive_waiting send_posix receive_posix receive_posix_empty send_posix_full send_posix_refused
receive_posix_waiting create_segment create_segment_refused attach_segment attach_to_read
attach_refused detach_segment detach_read exit_attached write_counter read_counter
read_counter_empty two_counters read_counter_waiting type_line print_line two_terminals
print_to_own_terminal take_from_child take_forbidden write_terminal""".split()


def test_show(recording):
    for name in NAMES:
        window = recording.window(name)
        print("==", name)
        print("\n".join(window.lines))
        for label, id in window.ids.items():
            if label.split(":")[0] in ("msg", "shm", "eventfd", "char"):
                print("   ", label, id, dict(recording.attributes(id)) if id in recording.nodes else None, recording.endings(id), recording.names(id) if label.startswith("char") else "")
    print(recording.losses)
