/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_IATTR_H
#define PROVCAP_OBJECTS_IATTR_H
/*
 * A change of an inode's attributes (chmod, chown, utimes, truncate): a node of its own, which
 * lives for one event on the stack; and whether a truncation has left anything of the content.
 */
#include "inode.h"

#define ATTR_MODE (1 << 0)
#define ATTR_UID (1 << 1)
#define ATTR_GID (1 << 2)
#define ATTR_SIZE (1 << 3)
#define ATTR_ATIME (1 << 4)
#define ATTR_MTIME (1 << 5)
#define ATTR_CTIME (1 << 6)
#define ATTR_FILE (1 << 13) /* by an open file */
#define ATTR_OPEN (1 << 15) /* by opening it, O_TRUNC */

#define FMODE_WRITE 2

#define EXT4_MAGIC 0xEF53
#define TMPFS_MAGIC 0x01021994
#define XFS_MAGIC 0x58465342

/* Owner, mode and size of the inode as it is */
static __always_inline void fill_state(struct prov_iattr_record *record, struct inode *inode)
{
	record->size = inode->i_size;
	record->uid = inode->i_uid.val;
	record->gid = inode->i_gid.val;
	record->mode = inode->i_mode;
	record->atime = 0;
	record->mtime = 0;
	record->ctime = 0;
	record->reserved = 0;
}

/*
 * Times that have been set. 3aa63a569c64 "fs: switch timespec64 fields in inode to discrete integers"
 * (6.11)
 */
static __always_inline void fill_times(struct prov_iattr_record *record, struct inode *inode)
{
	struct inode___before_6_11 *old = (void *)inode;
	bool discrete = bpf_core_field_exists(inode->i_atime_sec);

	if (record->valid & ATTR_ATIME)
		record->atime = discrete ? inode->i_atime_sec : old->__i_atime.tv_sec;
	if (record->valid & ATTR_MTIME)
		record->mtime = discrete ? inode->i_mtime_sec : old->__i_mtime.tv_sec;
	if (record->valid & ATTR_CTIME)
		record->ctime = discrete ? inode->i_ctime_sec : old->__i_ctime.tv_sec;
}

/* What is going to be set */
static __always_inline void fill_wish(struct prov_iattr_record *record, struct iattr *wish)
{
	if (record->valid & ATTR_MODE)
		record->mode = wish->ia_mode;
	if (record->valid & ATTR_UID)
		record->uid = wish->ia_uid.val;
	if (record->valid & ATTR_GID)
		record->gid = wish->ia_gid.val;
	if (record->valid & ATTR_SIZE)
		record->size = wish->ia_size;
	if (record->valid & ATTR_ATIME)
		record->atime = wish->ia_atime.tv_sec;
	if (record->valid & ATTR_MTIME)
		record->mtime = wish->ia_mtime.tv_sec;
	if (record->valid & ATTR_CTIME)
		record->ctime = wish->ia_ctime.tv_sec;
}

/* `wish`: what is going to be set, on kernels that do not tell when it has been; else NULL */
static __noinline int send_iattr(struct prov_policy *policy, struct prov_node *change,
				 struct inode *inode, __u32 valid, struct iattr *wish)
{
	struct prov_iattr_record *record;

	if (!change)
		return 0;
	record = RESERVE(struct prov_iattr_record, RECORD_IATTR, NODE_IATTR, COUNT_NODE_RING_FULL);
	if (!record)
		return 0;
	fill_node(&record->node, change, policy);
	record->valid = valid;
	fill_state(record, inode);
	if (has_hook(inode_post_setattr))
		fill_times(record, inode);
	else
		fill_wish(record, wish);
	submit(record);
	return 0;
}

/*
 * How many writers the kernel counts for a truncation that takes everything, by itself: one for
 * the truncation, one for a file that is being opened to write. 0: something stays, or
 * (ftruncate) others may be writing through the same open file.
 */
static __always_inline __u32 own_writers(struct iattr *wish)
{
	__u32 valid = wish->ia_valid;

	if (!(valid & ATTR_SIZE) || wish->ia_size)
		return 0;
	if (!(valid & ATTR_FILE))
		return 1;
	if (!(valid & ATTR_OPEN))
		return 0;
	return wish->ia_file->f_mode & FMODE_WRITE ? 2 : 1;
}

/*
 * Writes of these wait for the inode's lock, which the truncation holds: none can be between its
 * bytes and its end now. Others need not, and a file system over another one has its writers
 * elsewhere.
 */
static __always_inline bool locks_writers(struct inode *inode)
{
	unsigned long magic = super_of(inode)->s_magic;

	return (inode->i_mode & S_IFMT) == S_IFREG &&
	       (magic == EXT4_MAGIC || magic == TMPFS_MAGIC || magic == XFS_MAGIC ||
		magic == BTRFS_MAGIC);
}

/*
 * A version that begins with the truncation, and holds nothing older. A writer's edge is
 * made at its hook, before it waits for the lock: it may be in the version that we close, while
 * its bytes come after. But then its file is open, and is counted. So the look at the count comes
 * last.
 */
static __always_inline void wipe(struct inode *inode, struct prov_node *node, __u32 own)
{
	__u32 version;

	if (!own || inode->i_size || !locks_writers(inode) || node->nature & NATURE_ANNOTATED ||
	    (__u32)inode->i_writecount.counter != own)
		return;
	version = cut(node);
	if ((__u32)*(volatile int *)&inode->i_writecount.counter == own)
		node->fresh = version;
}

#endif
