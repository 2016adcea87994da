// SPDX-License-Identifier: GPL-2.0
/* What is written to a terminal, and its end. What is read from one is in blocking.bpf.c. */
#include "../objects/descriptor.h"

#define MAY_WRITE 2

SEC("lsm/file_permission")
int BPF_PROG(terminal_permission, struct file *file, int mask, int ret)
{
	struct prov_detail detail = { .flags = mask, .offset = NO_OFFSET, .kind = NODE_CHAR };
	struct prov_scene scene;
	struct prov_node *node;

	if (ret || !(mask & MAY_WRITE) || !is_terminal(file->f_inode) || !current_scene(&scene))
		return ret;
	if (!scene.wanted)
		ask_other_end(&scene, file);
	node = terminal_node(&scene, file);
	if (!node)
		return 0;
	generates(&scene, REL_WRITE, node, &detail);
	relays(&scene, file, node);
	return 0;
}

/* Queued when the last reference is gone: both ends of a pseudo-terminal come here. */
SEC("fentry/release_one_tty")
int PROBE(release_one_tty, struct work_struct *work)
{
	end_loose((void *)work - bpf_core_field_offset(struct tty_struct, hangup_work), NODE_CHAR);
	return 0;
}
