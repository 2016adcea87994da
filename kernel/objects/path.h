/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_PATH_H
#define PROVCAP_OBJECTS_PATH_H
/*
 * Names: the path as the host sees it, through every mount. Built from the dentry and mount chain,
 * because bpf_d_path may be called from few hooks only and gives the view of the process.
 */
#include "../graph/scene.h"
#include "../graph/text.h"

#define PATH_STEPS 2048 /* components and mounts: more than 4,096 bytes can hold */

struct prov_walk {
	struct dentry *dentry;
	struct mount *mount;
	struct prov_text_buffer *buffer;
	__u32 length;
	bool complete;
};

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

static __always_inline bool append_component(struct prov_walk *walk)
{
	__u32 at = walk->length, length = BPF_CORE_READ(walk->dentry, d_name.len) & 255;
	const unsigned char *name = BPF_CORE_READ(walk->dentry, d_name.name);

	if (at + length + 1 > TEXT_ROOM)
		return false;
	at &= TEXT_ROOM - 1;
	bpf_probe_read_kernel(&walk->buffer->room[at], length, name);
	walk->buffer->room[at + length] = '/';
	walk->length += length + 1;
	return true;
}

/* One step towards the root: a component, or from the root of a mount to where it is mounted. */
static long walk_step(__u32 step, struct prov_walk *walk)
{
	struct dentry *parent = BPF_CORE_READ(walk->dentry, d_parent);
	struct mount *above;

	if (walk->dentry == BPF_CORE_READ(walk->mount, mnt.mnt_root)) {
		above = BPF_CORE_READ(walk->mount, mnt_parent);
		if (above == walk->mount) {
			walk->complete = true;
			return 1;
		}
		walk->dentry = BPF_CORE_READ(walk->mount, mnt_mountpoint);
		walk->mount = above;
		return 0;
	}
	if (parent == walk->dentry) { /* not reachable from here: a lazily unmounted or hidden tree */
		walk->complete = true;
		return 1;
	}
	if (!append_component(walk))
		return 1;
	walk->dentry = parent;
	return 0;
}

static __always_inline void send_path(struct prov_policy *policy, struct prov_node *node, __u8 kind,
				      struct prov_walk *walk)
{
	struct prov_text *text = &walk->buffer->text;
	__u32 length = walk->length;

	fill_text(text, policy, node, kind, length);
	if (!walk->complete) {
		text->bits |= TEXT_TRUNCATED;
		count_loss(COUNT_NAME_TOO_LONG);
	}
	if (length <= TEXT_ROOM && send_text(text, sizeof(*text) + length, NODE_PATH))
		node->named = policy->epoch;
}

static __noinline int name_node(struct prov_policy *policy, struct prov_node *node, __u8 kind,
				struct vfsmount *mnt, struct dentry *dentry)
{
	struct prov_walk walk = { .dentry = dentry, .mount = mount_of(mnt) };

	if (!policy || !node || !(walk.buffer = claim_buffer()))
		return 0;
	bpf_loop(PATH_STEPS, walk_step, &walk, 0);
	send_path(policy, node, kind, &walk);
	give_back(walk.buffer);
	return 0;
}

/* The node has a name in this epoch. */
static __always_inline void announce_name(struct prov_policy *policy, struct prov_node *node,
					  __u8 kind, struct file *file)
{
	if (node->named != policy->epoch && file)
		name_node(policy, node, kind, BPF_CORE_READ(file, f_path.mnt),
			  BPF_CORE_READ(file, f_path.dentry));
}

#endif
