/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_EVENTFD_H
#define PROVCAP_OBJECTS_EVENTFD_H
/*
 * Counters behind a descriptor (eventfd). All of them share one anonymous inode; what tells them
 * apart is the context that the open file points to, which lives as long as the file does.
 */
#include "inode.h"
#include "loose.h"

#define EVENTFD_NAME 0x6466746e6576655bull /* "[eventfd", as it lies in memory */

static __always_inline bool is_eventfd(struct file *file)
{
	__u64 name = 0;

	if (super_of(file->f_inode)->s_magic != ANON_INODE_MAGIC)
		return false;
	bpf_probe_read_kernel(&name, sizeof(name), file->f_path.dentry->d_name.name);
	return name == EVENTFD_NAME;
}

static __noinline int send_eventfd(struct prov_policy *policy, struct eventfd_ctx *counter,
				   struct prov_node *node)
{
	struct prov_eventfd_record *record;

	if (!node)
		return 0;
	record = RESERVE(struct prov_eventfd_record, RECORD_EVENTFD, NODE_EVENTFD,
			 COUNT_NODE_RING_FULL);
	if (!record)
		return 0;
	fill_node(&record->node, node, policy);
	record->number = FIELD(counter, id);
	record->flags = FIELD(counter, flags);
	submit(record);
	node->sent = policy->epoch;
	return 0;
}

static __always_inline struct prov_node *eventfd_state(struct file *file)
{
	struct prov_loose *found = loose_object(file->private_data);

	return found ? &found->node : NULL;
}

static __always_inline void announce_eventfd(struct prov_scene *scene, struct file *file,
					     struct prov_node *node)
{
	if (node->sent != scene->policy->epoch)
		send_eventfd(scene->policy, file->private_data, node);
}

/*
 * The node of an eventfd, announced; NULL: it is not wanted, or there is no room, which was
 * counted.
 */
static __noinline struct prov_node *eventfd_node(struct prov_scene *scene, struct file *file)
{
	struct prov_node *node = eventfd_state(file);

	if (!scene || !node || !takes_part(scene, node))
		return NULL;
	announce_eventfd(scene, file, node);
	return node;
}

/* The hook of every file that is written leads here. */
static __noinline int writes_eventfd(struct file *file, int mask)
{
	struct prov_detail detail = { .flags = mask, .offset = NO_OFFSET, .kind = NODE_EVENTFD };
	struct prov_scene scene;
	struct prov_node *node;

	if (!current_scene(&scene))
		return 0;
	node = eventfd_node(&scene, file);
	if (node)
		generates(&scene, REL_WRITE, node, &detail);
	return 0;
}

#endif
