/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_TERMINAL_H
#define PROVCAP_OBJECTS_TERMINAL_H
/*
 * Terminals. Device 5 has files that stand for a terminal which has another name, or none: all
 * masters of pseudo-terminals are opened as /dev/ptmx, and /dev/tty is whichever terminal the
 * process has. The open file knows which one: a master is a node of its own, by its tty_struct,
 * and a slave is the inode in devpts.
 *
 * Pointers found here are only read from: nothing but the file itself is known to the verifier.
 */
#include "inode.h"
#include "loose.h"

#define STAND_IN_MAJOR 5

enum prov_pty {
	PTY_MASTER = 1, /* as the kernel numbers them */
	PTY_SLAVE = 2,
};

static __always_inline bool stands_in(struct inode *inode)
{
	return is_terminal(inode) && DEVICE_MAJOR(inode->i_rdev) == STAND_IN_MAJOR;
}

static __always_inline struct tty_struct *tty_of(struct file *file)
{
	struct tty_file_private *opened = file->private_data;

	return FIELD(opened, tty);
}

static __always_inline bool is_end(struct tty_struct *tty, enum prov_pty end)
{
	struct tty_driver___as_enum *newer = (void *)FIELD(tty, driver);
	struct tty_driver *driver = (void *)newer;

	if (bpf_core_field_exists(newer->type))
		return FIELD(newer, subtype) == (__u32)end &&
		       FIELD(newer, type) ==
			       bpf_core_enum_value(enum tty_driver_type___as_enum,
						   TTY_DRIVER_TYPE_PTY___as_enum);
	return FIELD(driver, subtype) == (short)end &&
	       FIELD(driver, type) == TTY_DRIVER_TYPE_PTY_AS_MACRO;
}

static __always_inline struct inode *slave_inode(struct tty_struct *slave)
{
	struct dentry *dentry = FIELD(slave, driver_data);

	return FIELD(dentry, d_inode);
}

static __noinline struct prov_node *slave_node(struct inode *inode)
{
	struct prov_blocking fresh = {
		.ino = FIELD(inode, i_ino),
		.dev = FIELD(inode, i_sb, s_dev),
		.generation = FIELD(inode, i_generation),
	};
	__u64 address = (__u64)inode;
	struct prov_blocking *kept = bpf_map_lookup_elem(&blocking, &address);

	if (!fresh.dev)
		return NULL; /* the file system is gone */
	if (kept && kept->ino == fresh.ino && kept->dev == fresh.dev)
		return &kept->node;
	give_birth(&fresh.node, new_ids(1), 0);
	bpf_map_update_elem(&blocking, &address, &fresh, BPF_ANY);
	kept = bpf_map_lookup_elem(&blocking, &address);
	if (!kept)
		count_here(COUNT_INODE_STORAGE);
	return kept ? &kept->node : NULL;
}

static __always_inline struct prov_node *master_node(struct tty_struct *master)
{
	struct prov_loose *found = loose_object(master);

	return found ? &found->node : NULL;
}

/* The node of a terminal that is not described yet. May be used by exit probes, too. */
static __noinline struct prov_node *end_node(struct file *file)
{
	struct tty_struct *tty;

	if (stands_in(file->f_inode)) {
		tty = tty_of(file);
		if (is_end(tty, PTY_MASTER))
			return master_node(tty);
		if (is_end(tty, PTY_SLAVE))
			return slave_node(slave_inode(tty));
	}
	return blocking_node(file->f_inode);
}

/* What describes it: a slave that goes by the name of /dev/tty has an inode of its own. */
static __always_inline void announce_end(struct prov_scene *scene, struct file *file,
					 struct prov_node *node)
{
	struct inode *inode = file->f_inode;

	if (node->sent == scene->policy->epoch)
		return;
	if (stands_in(inode) && is_end(tty_of(file), PTY_SLAVE))
		send_inode((__u64)plain(slave_inode(tty_of(file))), node);
	else
		send_inode((__u64)plain(inode), node);
}

/* LSM programs only. The node of an open terminal, announced, with its name if it is its own */
static __noinline struct prov_node *terminal_node(struct prov_scene *scene, struct file *file)
{
	struct inode *inode = file->f_inode;
	struct prov_node *node;

	if (!scene)
		return NULL;
	if (!stands_in(inode))
		return file_node(scene, file);
	node = end_node(file);
	if (!node || !takes_part(scene, node))
		return NULL;
	announce_end(scene, file, node);
	if (is_end(tty_of(file), PTY_MASTER))
		announce_name(scene->policy, node, NODE_CHAR, file);
	return node;
}

/* Where that comes out which goes in here; NULL: this is no pseudo-terminal. */
static __noinline struct prov_node *other_end(struct file *file)
{
	struct tty_struct *tty = tty_of(file), *other = FIELD(tty, link);

	if (!other)
		return NULL;
	if (is_end(tty, PTY_MASTER))
		return slave_node(slave_inode(other));
	return is_end(tty, PTY_SLAVE) ? master_node(other) : NULL;
}

/* Who reads there may be tracked although who writes here is not. */
static __always_inline void ask_other_end(struct prov_scene *scene, struct file *file)
{
	struct prov_node *other = other_end(file);

	if (other)
		takes_part(scene, other);
}

/* The other end is described when it is used itself. */
static __noinline int relays(struct prov_scene *scene, struct file *file, struct prov_node *node)
{
	struct prov_detail detail = {
		.offset = NO_OFFSET,
		.from_kind = NODE_CHAR,
		.kind = NODE_CHAR,
	};
	struct prov_node *other = other_end(file);

	if (!scene || !node || !other || !takes_part(scene, other))
		return 0;
	derives(scene, REL_RELAY, node, other, &detail);
	return 0;
}

/* The hook of every file that is written leads here. */
static __noinline int writes_terminal(struct file *file, int mask)
{
	struct prov_detail detail = { .flags = mask, .offset = NO_OFFSET, .kind = NODE_CHAR };
	struct prov_scene scene;
	struct prov_node *node;

	if (!current_scene(&scene))
		return 0;
	if (!scene.wanted)
		ask_other_end(&scene, file);
	node = terminal_node(&scene, file);
	if (!node)
		return 0;
	generates(&scene, REL_WRITE, node, &detail);
	relays(&scene, file, node);
	return 0;
}

#endif
