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

static __always_inline struct prov_share *share_at_slot(__u32 index, __u32 slot)
{
	struct prov_shares *shares = shares_of(index);

	return shares && slot < SHARES ? &shares->share[slot & (SHARES - 1)] : NULL;
}

/* A place for an inode that this memory did not share yet: one that is free, else one that was unmapped */
VERIFIED_ONCE __u32 claim_slot(__u32 index, __u64 inode)
{
	struct prov_shares *shares = shares_of(index);

	if (!shares)
		return SHARES;
	for (__u32 i = 0; i < SHARES; i++)
		if (!__sync_val_compare_and_swap(&shares->share[i].mapped, 0, inode))
			return i;
	for (__u32 i = 0; i < SHARES; i++)
		if (take_unused(&shares->share[i])) {
			shares->share[i].mapped = inode;
			return i;
		}
	return SHARES;
}

/* The place of the inode whose pages are mapped; SHARES: none */
VERIFIED_ONCE __u32 slot_of_mapped(__u32 index, __u64 inode)
{
	struct prov_shares *shares = shares_of(index);

	if (!shares)
		return SHARES;
	for (__u32 i = 0; i < SHARES; i++)
		if (shares->share[i].mapped == inode)
			return i;
	return SHARES;
}

static __always_inline struct prov_share *claim_share(__u32 index, __u64 inode)
{
	return share_at_slot(index, claim_slot(index, inode));
}

static __always_inline struct prov_share *share_of(__u32 index, __u64 inode)
{
	return share_at_slot(index, slot_of_mapped(index, inode));
}

/* The value is too large for a stack. */
static const struct prov_shares nothing_shared;

static __always_inline bool make_shares(struct prov_memory *memory, __u32 index)
{
	if (memory->shares)
		return true;
	bpf_map_update_elem(&shares, &index, &nothing_shared, BPF_NOEXIST);
	if (shares_of(index))
		memory->shares = 1;
	return memory->shares;
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
		return anonymous_memory_node(inode) ? address : 0;
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

static __noinline struct prov_share *new_share(struct prov_scene *scene, struct inode *inode)
{
	__u64 node, address = (__u64)plain(inode);
	struct prov_share *share;
	bool fresh;

	if (!scene)
		return NULL;
	fresh = is_anonymous_memory(inode) && !mapped_at(&address);
	node = inode_with_node(scene->task, inode);
	share = node ? claim_share(scene->task->memory, address) : NULL;
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
VERIFIED_ONCE int spread_shares(__u32 index, bool written)
{
	struct prov_memory *memory = memory_at(index);

	if (!memory)
		return 0;
	add_bridges(index);
	memory->pulled = 0;
	if (written) {
		pull_shares(index);
		push_shares(index);
	}
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
	struct prov_share *share;
	bool more;

	if (!scene || !scene->memory)
		return 0;
	if (!make_shares(scene->memory, scene->task->memory)) {
		count_loss(COUNT_SHARES_FULL);
		return 0;
	}
	share = share_of(scene->task->memory, (__u64)plain(inode));
	more = !share || share->mappings <= 0 || access & ~share->access;
	if (!share || !count_mapping(share)) {
		share = new_share(scene, inode);
		if (!share)
			return 0;
		share->mappings = 1;
	}
	__sync_fetch_and_or(&share->access, access);
	scene->task->mapping.inode = 0;
	if (more)
		spread_shares(scene->task->memory,
			      share->access & VM_WRITE && is_recorded(scene));
	return 0;
}

#endif
