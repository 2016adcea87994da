/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_XATTR_H
#define PROVCAP_OBJECTS_XATTR_H
/*
 * Extended attributes: name and value are a node that is used once, so that what was written can
 * be told from what was read. The value is read when its edge is certain, the inode is looked at
 * before.
 */
#include "inode.h"

enum {
	XATTR_NAME_ROOM = 256, /* the kernel allows 255 bytes and NUL */
	XATTR_VALUE_ROOM = TEXT_ROOM - XATTR_NAME_ROOM,
	ACL_HEAD = 4,
	ACL_VERSION = 2,
	ACL_ENTRIES = 32, /* told of one access control list */
};

/* An access control list has this form as an attribute's value. */
struct prov_acl_entry {
	__u16 tag;
	__u16 permissions;
	__u32 id;
};

struct prov_xattr {
	const char *name;
	const void *value; /* NULL: there is none */
	__u64 size; /* of the value */
	struct posix_acl *acl; /* instead of a value */
};

static __always_inline void put_acl(struct prov_text_buffer *buffer, __u32 at,
				    struct posix_acl *acl, __u32 size)
{
	const __u32 version = ACL_VERSION, count = (size - ACL_HEAD) / sizeof(struct prov_acl_entry);
	struct posix_acl_entry *entry = acl->a_entries;
	struct prov_acl_entry told;

	__builtin_memcpy(&buffer->room[at], &version, sizeof(version));
	at += ACL_HEAD;
	for (__u32 i = 0; i < ACL_ENTRIES && i < count; i++, entry++, at += sizeof(told)) {
		told.tag = BPF_CORE_READ(entry, e_tag);
		told.permissions = BPF_CORE_READ(entry, e_perm);
		told.id = BPF_CORE_READ(entry, e_uid.val);
		__builtin_memcpy(&buffer->room[at], &told, sizeof(told));
	}
}

static __always_inline __u64 acl_size(__u32 entries)
{
	return ACL_HEAD + entries * sizeof(struct prov_acl_entry);
}

static __always_inline __u32 told_size(const struct prov_xattr *xattr)
{
	__u64 room = xattr->acl ? acl_size(ACL_ENTRIES) : XATTR_VALUE_ROOM;

	return xattr->size > room ? room : xattr->size;
}

/* Name, NUL, and as much of the value as there is room for; how many bytes */
static __always_inline __u32 put_xattr(struct prov_text_buffer *buffer,
				       const struct prov_xattr *xattr)
{
	long length = bpf_probe_read_kernel_str(buffer->room, XATTR_NAME_ROOM, xattr->name);
	__u32 named = length, size = told_size(xattr);

	if (length < 1 || length > XATTR_NAME_ROOM)
		return 0;
	if (xattr->acl)
		put_acl(buffer, named, xattr->acl, size);
	else if (xattr->value)
		bpf_probe_read_kernel(&buffer->room[named], size, xattr->value);
	return named + size;
}

static __noinline int send_xattr(struct prov_policy *policy, struct prov_node *node,
				 const struct prov_xattr *xattr)
{
	struct prov_text_buffer *buffer;
	struct prov_text *text;
	__u32 length;

	if (!node || !xattr || !(buffer = claim_buffer()))
		return 0;
	length = put_xattr(buffer, xattr);
	text = &buffer->text;
	fill_text(text, policy, node, NODE_XATTR, length);
	text->id = node->id;
	if (xattr->size > told_size(xattr)) {
		text->bits |= TEXT_TRUNCATED;
		text->total = length + xattr->size - told_size(xattr);
	}
	if (length <= TEXT_ROOM)
		send_text(text, sizeof(*text) + length, NODE_XATTR);
	give_back(buffer);
	return 0;
}

/*
 * Where this thread keeps what it asks of this file: overlay file systems ask the one below
 * meanwhile.
 */
static __always_inline struct prov_asked *asked_of(struct prov_task *task, struct dentry *dentry)
{
	__u64 us = (__u64)dentry;

	for (__u32 i = 0; i < ASKED_FILES; i++)
		if (task->asked[i].dentry == us)
			return &task->asked[i];
	return NULL;
}

static __always_inline struct prov_asked *place_to_ask(struct prov_task *task,
						       struct dentry *dentry)
{
	struct prov_asked *place = asked_of(task, dentry);

	if (!place)
		place = asked_of(task, NULL);
	return place ? place : &task->asked[0]; /* full of what never came to its end */
}

#endif
