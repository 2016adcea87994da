/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_MAPPING_H
#define PROVCAP_OBJECTS_MAPPING_H
/* What an address space shares: which inodes, how often they are mapped, and what may be done with them. */
#include "inode.h"

/*
 * Mappings are linked and unlinked under a lock of the address space, one after the other. An entry that
 * has none left is freed without it, by who makes the count -1 first.
 */
static __always_inline bool take_unused(struct prov_share *share)
{
	return !__sync_val_compare_and_swap(&share->mappings, 0, -1);
}

/* A place for an inode that this memory did not share yet: one that is free, else one that was unmapped */
static __always_inline struct prov_share *claim_share(struct prov_shares *shares, __u64 mapped)
{
	for (__u32 i = 0; i < SHARES; i++)
		if (!__sync_val_compare_and_swap(&shares->share[i].mapped, 0, mapped))
			return &shares->share[i];
	for (__u32 i = 0; i < SHARES; i++)
		if (take_unused(&shares->share[i])) {
			shares->share[i].mapped = mapped;
			return &shares->share[i];
		}
	return NULL;
}

static __always_inline struct prov_share *share_of(struct prov_shares *shares, __u64 mapped)
{
	for (__u32 i = 0; i < SHARES; i++)
		if (shares->share[i].mapped == mapped)
			return &shares->share[i];
	return NULL;
}

/* The value is too large for a stack. */
static const struct prov_shares nothing_shared;

static __always_inline struct prov_shares *make_shares(struct prov_memory *memory, __u32 index)
{
	struct prov_shares *found = shares_of(index);

	if (!found) {
		bpf_map_update_elem(&shares, &index, &nothing_shared, BPF_NOEXIST);
		found = shares_of(index);
	}
	if (found)
		memory->shares = 1;
	return found;
}

/*
 * The inode that has the node. A stacked file system links the mapping to an inode of its own below: there
 * it is the one that mmap_file has seen. 0: it was mapped before anybody looked.
 */
static __always_inline __u64 inode_with_node(struct prov_task *task, struct inode *inode)
{
	__u64 address = (__u64)plain(inode);

	if (mapped_at(&address))
		return address;
	if (is_anonymous_memory(inode))
		return mapped_place(inode, NULL) ? address : 0;
	return mapped_at(&task->mapping.inode) ? task->mapping.inode : 0;
}

static __always_inline void begin_share(struct prov_scene *scene, struct prov_share *share,
					__u64 inode, bool fresh)
{
	struct prov_mapping *mapping = &scene->task->mapping;

	share->seen = mapping->inode == inode ? mapping->seen : 0;
	if (fresh) /* nothing is in it yet */
		share->seen = seen_now(scene->policy, 0);
	share->access = 0;
	share->inode = inode;
	share->mappings = 0;
}

static __noinline struct prov_share *new_share(struct prov_scene *scene, struct inode *inode,
					       struct prov_shares *shares)
{
	__u64 node, address = (__u64)plain(inode);
	struct prov_share *share;
	bool fresh;

	if (!scene || !shares)
		return NULL;
	fresh = is_anonymous_memory(inode) && !mapped_at(&address);
	node = inode_with_node(scene->task, inode);
	share = node ? claim_share(shares, address) : NULL;
	if (!share) {
		count_loss(COUNT_SHARES_FULL);
		return NULL;
	}
	begin_share(scene, share, node, fresh);
	return share;
}

/*
 * There is more that the memory can reach than before: what it has may go on there, and by it what others
 * have shared with it.
 */
static __noinline int spread_shares(struct prov_scene *scene, bool written)
{
	struct prov_memory *memory;
	__u32 index;

	if (!scene)
		return 0;
	index = scene->task->memory;
	memory = memory_at(index);
	if (!memory)
		return 0;
	add_bridges(index);
	memory->pulled = 0;
	if (!written || !is_recorded(scene))
		return 0;
	pull_shares(index);
	push_shares(index);
	return 0;
}

/* One mapping more; false: the entry is being freed. */
static __always_inline bool count_mapping(struct prov_share *share)
{
	__s32 before = *(volatile __s32 *)&share->mappings;

	return before >= 0 &&
	       __sync_val_compare_and_swap(&share->mappings, before, before + 1) == before;
}

static __noinline int share_inode(struct prov_scene *scene, struct inode *inode, __u32 access)
{
	struct prov_shares *shares;
	struct prov_share *share;
	bool more;

	if (!scene || !scene->memory)
		return 0;
	shares = make_shares(scene->memory, scene->task->memory);
	if (!shares) {
		count_loss(COUNT_SHARES_FULL);
		return 0;
	}
	share = share_of(shares, (__u64)plain(inode));
	more = !share || share->mappings <= 0 || access & ~share->access;
	if (!share || !count_mapping(share)) {
		share = new_share(scene, inode, shares);
		if (!share)
			return 0;
		share->mappings = 1;
	}
	__sync_fetch_and_or(&share->access, access);
	scene->task->mapping.inode = 0;
	if (more)
		spread_shares(scene, share->access & VM_WRITE);
	return 0;
}

#endif
