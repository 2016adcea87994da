/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_INODE_RECORD_H
#define PROVCAP_OBJECTS_INODE_RECORD_H
/* What is told of an inode: its kind, and its record. */
#include "task.h"

enum {
	S_IFMT = 0170000,
	S_IFSOCK = 0140000,
	S_IFLNK = 0120000,
	S_IFREG = 0100000,
	S_IFBLK = 0060000,
	S_IFDIR = 0040000,
	S_IFCHR = 0020000,
	S_IFIFO = 0010000,
};

static __always_inline struct super_block *super_of(struct inode *inode)
{
	return READ_ONLY(inode)->i_sb;
}

/* A table: cheaper than to compare, and no ways for the verifier to follow. */
static const __u8 kinds[] = {
	[0] = NODE_INODE_UNKNOWN,
	[S_IFREG >> 12] = NODE_FILE,
	[S_IFDIR >> 12] = NODE_DIRECTORY,
	[S_IFCHR >> 12] = NODE_CHAR,
	[S_IFBLK >> 12] = NODE_BLOCK,
	[S_IFIFO >> 12] = NODE_PIPE,
	[S_IFLNK >> 12] = NODE_LINK,
	[S_IFSOCK >> 12] = NODE_SOCKET,
	/* what is no type */
	[3] = NODE_INODE_UNKNOWN, [5] = NODE_INODE_UNKNOWN, [7] = NODE_INODE_UNKNOWN,
	[9] = NODE_INODE_UNKNOWN, [11] = NODE_INODE_UNKNOWN, [13 ... 15] = NODE_INODE_UNKNOWN,
};

static __always_inline __u8 kind_of_mode(umode_t mode)
{
	return kinds[mode >> 12 & 15];
}

/*
 * By its address alone, as a number: see VERIFIED_ONCE. What is mapped shared may have to be described when
 * no hook has its inode, and other inodes may be ones that the verifier knows nothing of.
 */
VERIFIED_ONCE int send_inode(__u64 address, struct prov_node *node)
{
	struct prov_policy *policy = current_policy();
	struct inode *inode = (void *)address;
	struct prov_inode_record *record;
	umode_t mode = FIELD(inode, i_mode);

	if (!node)
		return 0;
	record = RESERVE(struct prov_inode_record, RECORD_INODE, kind_of_mode(mode),
			 COUNT_NODE_RING_FULL);
	if (!record)
		return 0;
	fill_node(&record->node, node, policy);
	record->ino = FIELD(inode, i_ino);
	record->size = FIELD(inode, i_size);
	record->dev = FIELD(inode, i_sb, s_dev);
	record->rdev = FIELD(inode, i_rdev);
	record->generation = FIELD(inode, i_generation);
	record->uid = FIELD(inode, i_uid.val);
	record->gid = FIELD(inode, i_gid.val);
	record->magic = FIELD(inode, i_sb, s_magic);
	record->mode = mode;
	record->reserved[0] = 0;
	record->reserved[1] = 0;
	record->reserved[2] = 0;
	if (CAN_CAST)
		COPY_WORDS(record->uuid, &FIELD(inode, i_sb)->s_uuid, 2);
	else
		BPF_CORE_READ_INTO(&record->uuid, inode, i_sb, s_uuid);
	submit(record);
	node->sent = policy->epoch;
	return 0;
}

#endif
