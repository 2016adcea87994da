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

static __always_inline __u8 kind_of_mode(umode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return NODE_FILE;
	case S_IFDIR:
		return NODE_DIRECTORY;
	case S_IFCHR:
		return NODE_CHAR;
	case S_IFBLK:
		return NODE_BLOCK;
	case S_IFIFO:
		return NODE_PIPE;
	case S_IFLNK:
		return NODE_LINK;
	case S_IFSOCK:
		return NODE_SOCKET;
	default:
		return NODE_INODE_UNKNOWN;
	}
}

/* By its address alone: what is mapped shared may have to be described when no hook has its inode. */
static __noinline int send_inode(struct prov_policy *policy, struct inode *inode,
				 struct prov_node *node)
{
	struct super_block *sb = BPF_CORE_READ(inode, i_sb);
	umode_t mode = BPF_CORE_READ(inode, i_mode);
	struct prov_inode_record *record;

	if (!policy || !node)
		return 0;
	record = RESERVE(struct prov_inode_record, RECORD_INODE, kind_of_mode(mode),
			 COUNT_NODE_RING_FULL);
	if (!record)
		return 0;
	fill_node(&record->node, node, policy);
	BPF_CORE_READ_INTO(&record->ino, inode, i_ino);
	BPF_CORE_READ_INTO(&record->size, inode, i_size);
	BPF_CORE_READ_INTO(&record->dev, sb, s_dev);
	BPF_CORE_READ_INTO(&record->rdev, inode, i_rdev);
	BPF_CORE_READ_INTO(&record->generation, inode, i_generation);
	BPF_CORE_READ_INTO(&record->uid, inode, i_uid.val);
	BPF_CORE_READ_INTO(&record->gid, inode, i_gid.val);
	BPF_CORE_READ_INTO(&record->uuid, sb, s_uuid);
	record->magic = BPF_CORE_READ(sb, s_magic);
	record->mode = mode;
	record->reserved[0] = 0;
	record->reserved[1] = 0;
	record->reserved[2] = 0;
	submit(record);
	node->sent = policy->epoch;
	return 0;
}

#endif
