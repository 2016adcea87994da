/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_RING_H
#define PROVCAP_OBJECTS_RING_H
/* io_uring: whose a ring is. Its address is that of its context in the kernel. */
#include "task.h"

/* Index of its memory, 0: not a ring, or the process that made it is gone or has executed another program */
static __always_inline __u32 memory_of_ring(struct file *file)
{
	__u64 address = (__u64)file->private_data;
	struct prov_ring *ring = bpf_map_lookup_elem(&io_rings, &address);
	struct prov_memory *memory = ring ? memory_at(ring->memory) : NULL;

	return memory && memory->node.id == ring->id && memory->references ? ring->memory : 0;
}

/* What a process and the kernel hand to each other by it is of the process alone. */
static __always_inline bool is_own_ring(struct prov_scene *scene, struct file *file)
{
	return super_of(file->f_inode)->s_magic == ANON_INODE_MAGIC && scene->memory &&
	       memory_of_ring(file) == scene->task->memory;
}

#endif
