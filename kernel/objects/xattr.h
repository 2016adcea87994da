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
};

struct prov_xattr {
	const char *name;
	const void *value; /* NULL: there is none */
	__u64 size; /* of the value */
};

/* Name, NUL, and as much of the value as there is room for; how many bytes */
static __always_inline __u32 put_xattr(struct prov_text_buffer *buffer,
				       const struct prov_xattr *xattr)
{
	long length = bpf_probe_read_kernel_str(buffer->room, XATTR_NAME_ROOM, xattr->name);
	__u32 named = length, size = xattr->size;

	if (length < 1 || length > XATTR_NAME_ROOM)
		return 0;
	if (xattr->size > XATTR_VALUE_ROOM)
		size = XATTR_VALUE_ROOM;
	if (xattr->value)
		bpf_probe_read_kernel(&buffer->room[named], size, xattr->value);
	return named + size;
}

static __noinline int send_xattr(struct prov_policy *policy, struct prov_node *node,
				 const struct prov_xattr *xattr)
{
	struct prov_text_buffer *buffer;
	struct prov_text *text;
	__u32 length;

	if (!policy || !node || !xattr || !(buffer = claim_buffer()))
		return 0;
	length = put_xattr(buffer, xattr);
	text = &buffer->text;
	fill_text(text, policy, node, NODE_XATTR, length);
	text->id = node->id;
	if (xattr->size > XATTR_VALUE_ROOM) {
		text->bits |= TEXT_TRUNCATED;
		text->total = length + xattr->size - XATTR_VALUE_ROOM;
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
