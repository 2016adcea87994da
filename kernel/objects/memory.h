/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_MEMORY_H
#define PROVCAP_OBJECTS_MEMORY_H
/*
 * Address spaces. BPF has no storage for an mm_struct, so each is an entry of an array, found through
 * the tasks that share it, and counted by them. Measured against a hash by mm address this is cheaper,
 * and no hook tells when an mm dies.
 */
#include "../graph/flow.h"

static __always_inline struct prov_memory *memory_at(__u32 index)
{
	return index ? bpf_map_lookup_elem(&memories, &index) : NULL;
}

static __always_inline void describe_memory(struct prov_memory *memory, struct file *exe,
					    const struct cred *cred, __u32 tgid)
{
	memory->tgid = tgid;
	memory->uid = cred->uid.val;
	memory->gid = cred->gid.val;
	memory->exe_ino = exe->f_inode->i_ino;
	memory->exe_dev = exe->f_inode->i_sb->s_dev;
}

/* An index that nobody holds: one that was given back, else one never used; 0: all are in use. */
static __always_inline __u32 free_index(void)
{
	struct prov_machine *all = the_machine();
	__u32 index = 0;

	if (!bpf_map_pop_elem(&free_memories, &index))
		return index;
	if (all->memories_used >= MEMORIES - 1)
		return 0;
	index = __sync_fetch_and_add(&all->memories_used, 1) + 1;
	return index < MEMORIES ? index : 0;
}

/*
 * A fresh entry with one reference, or 0. The word goes last: until then the entry is not a node. No
 * one else can hold this index: it came from the stack of free ones.
 */
static __noinline __u32 new_memory(struct file *exe, const struct cred *cred, __u32 tgid, __u64 id)
{
	struct prov_memory *memory;
	__u32 index = free_index();

	memory = memory_at(index);
	if (!memory) {
		count_loss(COUNT_MEMORIES_FULL);
		return 0;
	}
	memory->node.sent = 0;
	memory->node.named = 0;
	memory->node.nature = 0;
	memory->node.checked = 0;
	memory->node.marks = 0;
	memory->node.applied = 0;
	memory->node.taint = 0;
	memory->node.name = 0;
	describe_memory(memory, exe, cred, tgid);
	memory->references = 1;
	memory->argued = 0;
	memory->shares = 0;
	memory->pulled = 0;
	memory->node.id = id;
	memory->node.word = WORD_LIVE;
	return index;
}

static __always_inline void share_memory(__u32 index)
{
	struct prov_memory *memory = memory_at(index);

	if (memory)
		__sync_fetch_and_add(&memory->references, 1);
}

static __noinline int send_memory(struct prov_policy *policy, struct prov_memory *memory)
{
	struct prov_memory_record *record;

	if (!memory)
		return 0;
	record = RESERVE(struct prov_memory_record, RECORD_MEMORY, NODE_MEMORY,
			 COUNT_NODE_RING_FULL);
	if (!record)
		return 0;
	fill_node(&record->node, &memory->node, policy);
	record->exe_ino = memory->exe_ino;
	record->exe_dev = memory->exe_dev;
	record->tgid = memory->tgid;
	record->uid = memory->uid;
	record->gid = memory->gid;
	submit(record);
	memory->node.sent = policy->epoch;
	return 0;
}

static __always_inline void announce_memory(struct prov_policy *policy, struct prov_memory *memory)
{
	if (memory->node.sent != policy->epoch)
		send_memory(policy, memory);
}

/* `status` is that of the last task, if it has ended. */
static __noinline int release_memory(struct prov_policy *policy, __u32 index, __u32 status)
{
	struct prov_memory *memory = memory_at(index);

	if (!memory || __sync_fetch_and_add(&memory->references, -1) != 1)
		return 0;
	if (policy->switches & SWITCH_ENABLED && !(memory->node.marks & MARKS_OPAQUE)) {
		if (is_tracked(policy, &memory->node))
			announce_memory(policy, memory);
		ends(policy, REL_TERMINATE_PROC, &memory->node, NODE_MEMORY, status);
	}
	if (memory->shares)
		bpf_map_delete_elem(&shares, &index);
	bpf_map_push_elem(&free_memories, &index, BPF_ANY);
	return 0;
}

#endif
