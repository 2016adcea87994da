// SPDX-License-Identifier: GPL-2.0
/* The end of a terminal. What is written to one is in file.bpf.c, what is read from one in blocking.bpf.c. */
#include "../objects/descriptor.h"

/* Queued when the last reference is gone: both ends of a pseudo-terminal come here. */
SEC("fentry/release_one_tty")
int PROBE(release_one_tty, struct work_struct *work)
{
	end_loose((void *)work - bpf_core_field_offset(struct tty_struct, hangup_work), NODE_CHAR);
	return 0;
}
