/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_LOOSE_H
#define PROVCAP_OBJECTS_LOOSE_H
/*
 * Nodes of what has neither storage nor an inode of its own, by address. Whoever ends the object
 * takes its node out of the table, and who makes one puts a fresh node in, so an address that is
 * used again is another node.
 */
#include "task.h"

static __always_inline struct prov_loose *met_loose(const void *object)
{
	__u64 address = (__u64)object;

	return bpf_map_lookup_elem(&loose, &address);
}

static __noinline struct prov_loose *make_loose(const void *object)
{
	struct prov_loose fresh = {}, *made;
	__u64 address = (__u64)object;

	give_birth(&fresh.node, new_ids(1), 0);
	bpf_map_update_elem(&loose, &address, &fresh, BPF_NOEXIST);
	made = bpf_map_lookup_elem(&loose, &address);
	if (!made)
		count_here(COUNT_LOOSE_FULL);
	return made;
}

/* One that may have been there before us, too */
static __always_inline struct prov_loose *loose_object(const void *object)
{
	struct prov_loose *found = met_loose(object);

	return found ? found : make_loose(object);
}

/* One that has just been made: what is left of another at this address ended unseen. */
static __always_inline struct prov_loose *new_loose(const void *object)
{
	__u64 address = (__u64)object;

	bpf_map_delete_elem(&loose, &address);
	return make_loose(object);
}

static __noinline int forget_loose(const void *object)
{
	__u64 address = (__u64)object;

	bpf_map_delete_elem(&loose, &address);
	return 0;
}

/* The object is gone. Nobody acts: it may be the kernel's own time. */
static __always_inline void end_loose(const void *object, __u8 kind)
{
	struct prov_policy *policy = current_policy();
	struct prov_loose *found = met_loose(object);

	if (!found)
		return;
	ends(policy, REL_FREE, &found->node, kind, 0);
	forget_loose(object);
}

/* What is known of it has changed: its record is due again. */
static __always_inline void outdate(struct prov_node *node)
{
	if (node->sent)
		node->sent |= SENT_OUTDATED;
}

#endif
