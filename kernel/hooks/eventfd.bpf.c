// SPDX-License-Identifier: GPL-2.0
/* Counters behind a descriptor: written, read, and released. */
#include "../objects/eventfd.h"

#define MAY_WRITE 2

SEC("lsm/file_permission")
int BPF_PROG(eventfd_permission, struct file *file, int mask, int ret)
{
	struct prov_detail detail = { .flags = mask, .offset = NO_OFFSET, .kind = NODE_EVENTFD };
	struct prov_scene scene;
	struct prov_node *node;

	if (ret || !(mask & MAY_WRITE) || !is_eventfd(file) || !current_scene(&scene))
		return ret;
	node = eventfd_node(&scene, file);
	if (node)
		generates(&scene, REL_WRITE, node, &detail);
	return 0;
}

/* Reading waits until the counter is not 0. */
SEC("fexit/eventfd_read")
int PROBE(eventfd_read, struct kiocb *iocb, struct iov_iter *to, long ret)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = NODE_EVENTFD,
	};
	struct prov_scene scene;
	struct prov_node *node;

	if (ret <= 0 || !current_scene(&scene))
		return 0;
	node = eventfd_node(&scene, iocb->ki_filp);
	if (node)
		uses(&scene, REL_READ, node, &detail);
	return 0;
}

/* The file is gone. The kernel itself may still count on, but nobody can read that. */
SEC("fentry/eventfd_release")
int PROBE(eventfd_release, struct inode *inode, struct file *file)
{
	end_loose(file->private_data, NODE_EVENTFD);
	return 0;
}
