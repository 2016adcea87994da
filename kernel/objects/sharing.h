/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_SHARING_H
#define PROVCAP_OBJECTS_SHARING_H
/*
 * Memory that is shared: loads and stores pass no hook. What a process may store has come into its memory
 * by an input before, and what it has loaded leaves it by an output later. So each input pushes the memory
 * into all that the process may write, and each output pulls all that it may read, first.
 *
 * A process between two others may make no call at all. Each push goes on through such processes, over
 * all that can be reached without a call. docs/explanation/sharing.md says why nothing is missing.
 */
#include "inode_record.h"

enum {
	VM_READ = 1,
	VM_WRITE = 2,
	VM_EXEC = 4,
	VM_ACCESS = VM_READ | VM_WRITE | VM_EXEC, /* what may be written may be read, too: so are the pages */
	VM_MAYSHARE = 0x80, /* as the mapping was asked for: VM_SHARED is gone where nobody may write */
};

/*
 * What a push or a pull works with, and no more than that: it lies below every input and output. The acting
 * task may be another than those whose memory it is about.
 */
struct prov_sharing {
	struct prov_task *task;
	struct prov_shares *shares;
	__u32 index; /* of the memory */
	bool failed; /* an edge could not be sent */
	bool found; /* what was looked for */
};

/* By reference, so that it takes no room on the stack */
static __always_inline struct prov_mapped *mapped_at(__u64 *address)
{
	return *address ? bpf_map_lookup_elem(&mapped, address) : NULL;
}

static __always_inline struct prov_shares *shares_of(__u32 index)
{
	return index ? bpf_map_lookup_elem(&shares, &index) : NULL;
}

static __always_inline bool is_shared(const struct prov_share *share, __u32 access)
{
	return share->inode && share->mappings > 0 && share->access & access;
}

/* Entries of an inode, in this recording */
static __always_inline __u64 seen_now(struct prov_policy *policy, __u32 entries)
{
	return (__u64)policy->epoch << 32 | entries;
}

static __always_inline __u64 seen_of(struct prov_policy *policy, struct prov_mapped *mapped)
{
	return seen_now(policy, *(volatile __u32 *)&mapped->at.node.entries);
}

/* As above for all that is shared by anybody: as long as this stays, there is nothing to pull. */
static __always_inline __u64 shared_now(struct prov_policy *policy)
{
	return ((__u64)policy->epoch << 48) + *(volatile __u64 *)&the_machine()->shared + 1;
}

static __always_inline struct prov_event *reserve_share(struct prov_policy *policy,
							struct prov_task *task, bool reads)
{
	return reads ? reserve_event_of(policy, task, REL_SH_READ) :
		       reserve_event_of(policy, task, REL_SH_WRITE);
}

static __always_inline bool is_share_filtered(struct prov_policy *policy, bool reads)
{
	enum prov_relation relation = reads ? REL_SH_READ : REL_SH_WRITE;

	return is_filtered(policy, relation, NODE_FILE) ||
	       is_filtered(policy, relation, NODE_MEMORY);
}

/*
 * What a memory has put there itself it need not read again, unless others have entered meanwhile. False:
 * it was not sent.
 */
static __always_inline bool send_share(struct prov_task *task, struct prov_node *inode,
				  struct prov_node *memory, struct prov_share *share, bool reads)
{
	struct prov_policy *policy = current_policy();
	struct prov_event *event;
	struct prov_step step;
	__u8 bits;

	if (!task || !inode || !memory || !share)
		return false;
	event = reserve_share(policy, task, reads);
	if (!event)
		return false;
	if (!was_announced(policy, &task->node)) { /* the recorder, taking in what was mapped before */
		event->through = 0;
		event->through_version = 0;
	}
	event->flow = FLOW_DATA;
	event->outcome = OUTCOME_AT_HOOK;
	event->flags = share->access;
	event->offset = NO_OFFSET;
	if (reads) {
		fill_from(event, inode->id, mark(inode), NODE_FILE);
		fill_to(event, memory, NODE_MEMORY);
	} else {
		fill_from(event, memory->id, mark(memory), NODE_MEMORY);
		step = fill_to(event, inode, NODE_FILE);
		if (share->seen == seen_now(policy, step.entry))
			share->seen = seen_now(policy, step.entry + 1);
	}
	bits = event->bits;
	submit(event);
	return was_sent(bits);
}

/* One edge between an inode and a memory that maps it, both announced; false: it was not sent. */
VERIFIED_ONCE bool relate(struct prov_task *task, struct prov_mapped *mapped,
			  struct prov_memory *memory, struct prov_share *share, bool reads)
{
	struct prov_policy *policy = current_policy();
	struct prov_node *inode;

	if (!task || !mapped || !memory || !share ||
	    is_share_filtered(policy, reads))
		return false;
	inode = &mapped->at.node;
	if ((inode->marks | memory->node.marks) & MARKS_OPAQUE)
		return false;
	if (reads)
		spread(policy, REL_SH_READ, inode->marks, inode->taint, &memory->node,
		       NODE_MEMORY);
	else
		spread(policy, REL_SH_WRITE, memory->node.marks, memory->node.taint, inode,
		       NODE_FILE);
	if (inode->sent != policy->epoch)
		send_inode(share->inode, inode);
	announce_memory(policy, memory);
	return send_share(task, inode, &memory->node, share, reads);
}

/* The entries are counted before the inode is marked: what comes in between is taken twice, not never. */
static __always_inline bool pull_share(struct prov_sharing *sharing, struct prov_mapped *mapped,
				       struct prov_memory *memory, struct prov_share *share)
{
	struct prov_policy *policy = current_policy();
	__u64 now;

	now = seen_of(policy, mapped);
	if (share->seen == now)
		return true;
	if (!relate(sharing->task, mapped, memory, share, true))
		return false;
	share->seen = now;
	return true;
}

static long pull_one(__u32 slot, struct prov_sharing *pull)
{
	struct prov_share *share = &pull->shares->share[slot & (SHARES - 1)];
	struct prov_memory *memory = memory_at(pull->index);
	struct prov_mapped *mapped;

	if (!memory || !is_shared(share, VM_ACCESS))
		return 0;
	mapped = mapped_at(&share->inode);
	if (mapped && !pull_share(pull, mapped, memory, share))
		pull->failed = true;
	return 0;
}

/* Of the acting task, which is known */
static __always_inline bool begin_sharing(struct prov_sharing *sharing)
{
	struct task_struct *task = bpf_get_current_task_btf();

	sharing->task = bpf_task_storage_get(&tasks, task, NULL, 0);
	sharing->shares = bpf_map_lookup_elem(&shares, &sharing->index);
	if (!sharing->task)
		count_loss(COUNT_TASK_STORAGE);
	return sharing->task;
}

/* Before an output of this memory: whatever it may have loaded. */
VERIFIED_ONCE int pull_shares(__u32 index)
{
	struct prov_sharing pull = { .index = index };
	struct prov_memory *memory = bpf_map_lookup_elem(&memories, &pull.index);
	struct prov_policy *policy = current_policy();
	__u64 now;

	if (!memory || !begin_sharing(&pull) || !pull.shares)
		return 0;
	now = shared_now(policy);
	if (memory->pulled == now)
		return 0;
	bpf_loop(SHARES, pull_one, &pull, 0);
	if (!pull.failed)
		memory->pulled = now;
	return 0;
}

static long find_tracked(__u32 slot, struct prov_sharing *sharing)
{
	struct prov_share *share = &sharing->shares->share[slot & (SHARES - 1)];
	struct prov_mapped *mapped;

	if (!is_shared(share, VM_ACCESS))
		return 0;
	mapped = mapped_at(&share->inode);
	if (!mapped || !(mapped->at.node.marks & MARK_TRACKED))
		return 0;
	sharing->found = true;
	return 1;
}

/* Whoever shares what is tracked takes part in it. See acts_tracked */
VERIFIED_ONCE bool shares_tracked(__u32 index)
{
	struct prov_sharing sharing = { .shares = shares_of(index) };

	if (sharing.shares)
		bpf_loop(SHARES, find_tracked, &sharing, 0);
	return sharing.found;
}

static __always_inline bool is_reached(struct prov_task *task, __u64 inode)
{
	for (__u32 i = 0; i < REACHED; i++)
		if (i < task->reached_count && task->reached[i] == inode)
			return true;
	return false;
}

static __always_inline void reach(struct prov_task *task, __u64 inode)
{
	__u32 at = task->reached_count;

	if (at >= REACHED) {
		count_loss(COUNT_BRIDGES_FULL);
		return;
	}
	task->reached[at] = inode;
	task->reached_count = at + 1;
}

static long push_one(__u32 slot, struct prov_sharing *push)
{
	struct prov_share *share = &push->shares->share[slot & (SHARES - 1)];
	struct prov_memory *memory = memory_at(push->index);
	struct prov_mapped *mapped;

	if (!memory || !is_shared(share, VM_WRITE))
		return 0;
	mapped = mapped_at(&share->inode);
	if (!mapped)
		return 0;
	relate(push->task, mapped, memory, share, false);
	reach(push->task, share->inode);
	return 0;
}

/* Where a memory has what it knows of an inode that it can use; SHARES: nowhere */
VERIFIED_ONCE __u32 share_at(__u32 index, __u64 inode)
{
	struct prov_shares *shares = shares_of(index);

	if (!shares)
		return SHARES;
	for (__u32 i = 0; i < SHARES; i++)
		if (shares->share[i].inode == inode && is_shared(&shares->share[i], VM_ACCESS))
			return i;
	return SHARES;
}

/* Who may take it further from there; false: nobody more */
static __always_inline bool next_bridge(struct prov_task *task, __u32 at)
{
	struct prov_mapped *mapped = mapped_at(&task->crossing);

	task->bridge = mapped ? mapped->bridges[at & (BRIDGES - 1)] : 0;
	return task->bridge;
}

/*
 * The memory that is passed through reads what has been reached, and may write what has not. One loop for all
 * that may take it further and for all that each of them shares, with who passes kept with the task: there is
 * little room on the stack.
 */
static long relay_one(__u32 step, struct prov_sharing *push)
{
	struct prov_task *task = push->task;
	struct prov_mapped *from, *to;
	struct prov_share *read, *written;
	struct prov_memory *memory;
	struct prov_shares *shares;
	__u32 index, at;

	if (!(step & (SHARES - 1)) && !next_bridge(task, step / SHARES))
		return 1;
	index = task->bridge & (MEMORIES - 1);
	if (index == push->index)
		return 0;
	memory = memory_at(index);
	shares = shares_of(index);
	if (!memory || !shares)
		return 0;
	written = &shares->share[step & (SHARES - 1)];
	if (!is_shared(written, VM_WRITE) || is_reached(task, written->inode))
		return 0;
	at = share_at(index, task->crossing);
	from = mapped_at(&task->crossing);
	to = mapped_at(&written->inode);
	if (at >= SHARES || !from || !to)
		return 0;
	FORGET(at); /* the verifier has forgotten the comparison when it is used */
	read = &shares->share[at & (SHARES - 1)];
	pull_share(push, from, memory, read);
	relate(task, to, memory, written, false);
	reach(task, written->inode);
	return 0;
}

static long relay_from(__u32 at, struct prov_sharing *push)
{
	struct prov_task *task = push->task;

	if (at >= task->reached_count)
		return 1;
	task->crossing = task->reached[at & (REACHED - 1)];
	bpf_loop(BRIDGES * SHARES, relay_one, push, 0);
	return 0;
}

/* After an input of this memory: whatever it may store, and where others may carry that. */
VERIFIED_ONCE int push_shares(__u32 index)
{
	struct prov_sharing push = { .index = index };

	if (!begin_sharing(&push) || !push.shares)
		return 0;
	push.task->reached_count = 0;
	bpf_loop(SHARES, push_one, &push, 0);
	bpf_loop(REACHED, relay_from, &push, 0);
	return 0;
}

/* After a write to an inode by a call: where those who have it mapped may carry it. */
VERIFIED_ONCE int relay_write(__u64 inode)
{
	struct prov_sharing push = {};

	if (!begin_sharing(&push))
		return 0;
	push.task->reached[0] = inode;
	push.task->reached_count = 1;
	bpf_loop(REACHED, relay_from, &push, 0);
	return 0;
}

static __always_inline bool is_bridge(struct prov_mapped *mapped, __u32 index)
{
	for (__u32 i = 0; i < BRIDGES; i++)
		if (*(volatile __u32 *)&mapped->bridges[i] == index)
			return true;
	return false;
}

/* One that does not read this inode any more has left its place to another. */
VERIFIED_ONCE int add_bridge(struct prov_mapped *mapped, __u64 inode, __u32 index)
{
	__u32 old;

	if (!mapped || is_bridge(mapped, index)) /* once alone: an index may come back behind a free place */
		return 0;
	for (__u32 i = 0; i < BRIDGES; i++) {
		old = *(volatile __u32 *)&mapped->bridges[i];
		if (old && share_at(old, inode) < SHARES)
			continue;
		if (__sync_val_compare_and_swap(&mapped->bridges[i], old, index) == old)
			return 0;
	}
	count_loss(COUNT_BRIDGES_FULL);
	return 0;
}

static long bridge_one(__u32 slot, struct prov_sharing *sharing)
{
	struct prov_share *share = &sharing->shares->share[slot & (SHARES - 1)];
	struct prov_mapped *mapped;

	if (!is_shared(share, VM_ACCESS))
		return 0;
	mapped = mapped_at(&share->inode);
	if (mapped)
		add_bridge(mapped, share->inode, sharing->index);
	return 0;
}

/* It may carry content from one inode to another: more than one is shared, and not only read. */
static __always_inline bool may_bridge(struct prov_shares *shares)
{
	bool one = false, several = false, written = false;

	for (__u32 i = 0; i < SHARES; i++) {
		if (!is_shared(&shares->share[i], VM_ACCESS))
			continue;
		several |= one;
		one = true;
		written |= is_shared(&shares->share[i], VM_WRITE);
	}
	return several && written;
}

VERIFIED_ONCE int add_bridges(__u32 index)
{
	struct prov_sharing sharing = { .index = index, .shares = shares_of(index) };

	if (sharing.shares && may_bridge(sharing.shares))
		bpf_loop(SHARES, bridge_one, &sharing, 0);
	return 0;
}

/* A copy of an address space has the same mappings; what it knows of them it has from the copied one. */
VERIFIED_ONCE int inherit_shares(__u32 parent, __u32 child)
{
	struct prov_shares *old = shares_of(parent);
	struct prov_memory *memory = memory_at(child);

	if (!old || !memory)
		return 0;
	if (bpf_map_update_elem(&shares, &child, old, BPF_ANY)) {
		count_loss(COUNT_SHARES_FULL);
		return 0;
	}
	memory->shares = 1;
	add_bridges(child);
	return 0;
}

#endif
