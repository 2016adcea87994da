// SPDX-License-Identifier: GPL-2.0
/* Counters behind a descriptor: read, and released. Writing one is in file.bpf.c. */
#include "../objects/eventfd.h"

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
