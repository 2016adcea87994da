/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_NAMING_H
#define PROVCAP_OBJECTS_NAMING_H
/*
 * What the hooks of one system call tell each other about a name. The path_* hook knows the mount,
 * but runs before the kernel's own checks; the inode_* hook runs after them; and a new inode is known
 * only to d_instantiate. A stacked file system does the same again below, with other dentries and
 * without any path_* hook.
 */
#include "inode.h"

/* Neither opens a scene nor says anything: the operation may still be refused. */
static __always_inline void announce_change(const struct path *where, struct dentry *dentry,
					    __u32 flags)
{
	struct prov_policy *policy = current_policy();
	struct prov_task *task = current_state(policy);

	if (!task)
		return;
	task->naming.dentry = (__u64)plain(dentry);
	task->naming.mount = (__u64)ADDRESS_IN(where, mnt);
	task->naming.flags = flags;
	task->made = 0;
}

static __always_inline bool is_announced(struct prov_task *task, struct dentry *dentry)
{
	return task->naming.dentry && task->naming.dentry == (__u64)plain(dentry);
}

/* The mount of an announced name, which is good for once; NULL: nobody knows it. */
static __always_inline struct vfsmount *announced_mount(struct prov_task *task,
							struct dentry *dentry)
{
	if (!is_announced(task, dentry))
		return NULL;
	task->naming.dentry = 0;
	return (void *)task->naming.mount;
}

/* Of the name, salted with the directory */
static __always_inline __u32 name_hash(struct dentry *dentry)
{
	return FIELD(dentry, d_name.hash_len);
}

/* This name will get an inode, and then the relation will be known to have an object. */
static __always_inline void expect_inode(struct prov_task *task, struct dentry *dentry,
					 enum prov_relation relation)
{
	struct vfsmount *mount = announced_mount(task, dentry);
	struct prov_making *making = &task->making[mount ? LEVEL_OUTER : LEVEL_INNER];

	making->dentry = (__u64)plain(dentry);
	making->mount = (__u64)mount;
	making->relation = relation;
	making->name = name_hash(dentry);
}

static __always_inline bool is_lookup(struct dentry *dentry)
{
	if (bpf_core_enum_value_exists(enum dentry_flags___as_enum, DCACHE_PAR_LOOKUP___as_enum))
		return dentry->d_flags &
		       bpf_core_enum_value(enum dentry_flags___as_enum, DCACHE_PAR_LOOKUP___as_enum);
	return dentry->d_flags & DCACHE_PAR_LOOKUP_AS_MACRO;
}

/* What was to be made under this name, once; an open that finds the file there makes nothing. */
static __always_inline bool take_making(struct prov_task *task, struct dentry *dentry,
					struct prov_making *taken)
{
	__u64 address = (__u64)plain(dentry);
	struct prov_making *making = &task->making[LEVEL_OUTER];

	if (making->dentry != address)
		making = &task->making[LEVEL_INNER];
	if (making->dentry != address)
		return false;
	*taken = *making;
	making->dentry = 0;
	return taken->name == name_hash(dentry) && !is_lookup(dentry);
}

/* Whether d_instantiate has seen this task make the inode; asked once. */
static __always_inline bool has_made(struct prov_task *task, struct inode *inode)
{
	bool made = task->made == (__u64)plain(inode);

	task->made = 0;
	return made;
}

/*
 * path --named--> node, or --unnamed-->: the path that `as` stands for now, and `dentry` from now on
 * or until now.
 */
static __always_inline void tell_name(struct prov_scene *scene, struct prov_node *node,
				      struct inode *inode, struct vfsmount *mount,
				      struct dentry *dentry, struct dentry *as, __u8 bits)
{
	struct prov_place place = {
		.dentry = plain(as),
		.mount = mount,
		.kind = kind_of_mode(inode->i_mode),
		.bits = bits,
	};

	if (!node || !mount)
		return;
	place.key = place_key(plain(dentry), place.dentry, mount);
	name_node(node, &place);
}

/* Before the first edge everything that takes part is asked: one that is tracked is enough for all. */
static __noinline int ask(struct prov_scene *scene, struct inode *inode)
{
	struct prov_node *node;

	if (scene->wanted)
		return 0;
	node = inode_state(scene, inode);
	if (node)
		takes_part(scene, node);
	return 0;
}

/* As inode_node, after everybody has been asked: fewer calls deep, since 6.1 has stack for few. */
static __always_inline struct prov_node *asked_node(struct prov_scene *scene, struct inode *inode)
{
	struct prov_node *node = scene->wanted ? inode_state(scene, inode) : NULL;

	if (!node || node->marks & MARKS_OPAQUE)
		return NULL;
	announce_inode(scene, inode, node);
	return node;
}

/* A name is made, changed or removed: the directory has other content. */
static __noinline int writes_directory(struct prov_scene *scene, struct inode *directory,
				       __u8 outcome)
{
	struct prov_detail detail = {
		.outcome = outcome,
		.offset = NO_OFFSET,
		.kind = NODE_DIRECTORY,
	};
	struct prov_node *node;

	if (is_filtered(scene->policy, REL_WRITE, NODE_DIRECTORY))
		return 0;
	node = asked_node(scene, directory);
	if (node)
		generates(scene, REL_WRITE, node, &detail);
	return 0;
}

/* current task --relation--> inode; its node, or NULL: it is not wanted */
static __noinline struct prov_node *changes(struct prov_scene *scene, enum prov_relation relation,
					    struct inode *inode, __u8 outcome)
{
	struct prov_detail detail = { .outcome = outcome, .offset = NO_OFFSET };
	struct prov_node *node = asked_node(scene, inode);

	if (!node)
		return NULL;
	detail.kind = kind_of_mode(inode->i_mode);
	generates(scene, relation, node, &detail);
	return node;
}

#endif
