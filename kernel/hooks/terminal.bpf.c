// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a terminal. What is read from one is in blocking.bpf.c, what is written to it in
 * file.bpf.c.
 */
#include "../objects/terminal.h"

/* Queued when the last reference is gone: both ends of a pseudo-terminal come here. */
SEC("fentry/release_one_tty")
int BPF_PROG(release_one_tty, struct work_struct *work)
{
	end_loose((void *)work - bpf_core_field_offset(struct tty_struct, hangup_work), NODE_CHAR);
	return 0;
}
