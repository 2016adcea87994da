/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_SEGMENT_H
#define PROVCAP_OBJECTS_SEGMENT_H
/*
 * Shared memory of System V. A segment is a descriptor and the inode that is mapped when it is
 * attached. The inode has its own node, which memory is read from and written to; what attaches
 * has the segment in between.
 */
#include "inode.h"
#include "loose.h"

#define VM_MAYWRITE 0x20
#define PF_EXITING 4
#define FMODE_WRITE 2

/*
 * As it is asked for: its id and size are not known before somebody attaches it, its owner not
 * set.
 */
static __always_inline void fill_new_segment(struct prov_segment_record *record)
{
	const struct cred *cred = FIELD(bpf_get_current_task_btf(), cred);

	record->size = 0;
	record->segment = -1;
	record->uid = FIELD(cred, euid.val);
	record->gid = FIELD(cred, egid.val);
}

static __always_inline void fill_segment(struct prov_segment_record *record,
					 struct kern_ipc_perm *perm)
{
	struct shmid_kernel *segment;

	segment = (void *)perm - bpf_core_field_offset(struct shmid_kernel, shm_perm);
	record->size = FIELD(segment, shm_segsz);
	record->segment = FIELD(perm, id);
	record->uid = FIELD(perm, uid.val);
	record->gid = FIELD(perm, gid.val);
}

static __noinline int send_segment(struct prov_policy *policy, struct kern_ipc_perm *perm,
				   struct prov_node *node, bool is_new)
{
	struct prov_segment_record *record;

	if (!node)
		return 0;
	record = RESERVE(struct prov_segment_record, RECORD_SEGMENT, NODE_SHM,
			 COUNT_NODE_RING_FULL);
	if (!record)
		return 0;
	fill_node(&record->node, node, policy);
	if (is_new)
		fill_new_segment(record);
	else
		fill_segment(record, perm);
	record->key = FIELD(perm, key);
	record->mode = FIELD(perm, mode);
	record->reserved[0] = 0;
	record->reserved[1] = 0;
	record->reserved[2] = 0;
	submit(record);
	node->sent = policy->epoch;
	return 0;
}

static __always_inline struct inode *inode_of_segment(struct kern_ipc_perm *perm)
{
	struct shmid_kernel *segment;

	segment = (void *)perm - bpf_core_field_offset(struct shmid_kernel, shm_perm);
	return FIELD(segment, shm_file, f_inode);
}

/* Detaching knows the inode alone: it leads back to the segment, until that ends. */
static __always_inline void link_segment(struct prov_loose *segment, struct kern_ipc_perm *perm,
					 struct inode *inode)
{
	struct prov_loose *back;

	if (segment->other == (__u64)inode)
		return;
	segment->other = (__u64)inode;
	outdate(&segment->node); /* and by now it has an id */
	back = new_loose(inode);
	if (back)
		back->other = (__u64)perm;
}

/* The inode has gone before, and its address may be that of another segment's by now. */
static __always_inline void unlink_segment(struct prov_loose *segment, struct kern_ipc_perm *perm)
{
	const void *inode = (void *)segment->other;
	struct prov_loose *back = met_loose(inode);

	if (back && back->other == (__u64)perm)
		forget_loose(inode);
}

static __always_inline struct prov_loose *segment_behind(struct inode *inode)
{
	struct prov_loose *back = met_loose(inode);

	return back && back->other ? met_loose((void *)back->other) : NULL;
}

#endif
