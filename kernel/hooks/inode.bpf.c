// SPDX-License-Identifier: GPL-2.0
/* Inodes without an open file: looked up, looked at, released. */
#include "../objects/inode.h"

/* Every dentry of this file system hangs below the mount. */
static __always_inline bool covers(struct vfsmount *mount, struct super_block *sb)
{
	return FIELD(mount, mnt_sb) == sb &&
	       FIELD(mount, mnt_root) == FIELD(sb, s_root);
}

/* Where the acting task can see the file system from: its root or its working directory */
static __always_inline struct vfsmount *mount_in_sight(struct super_block *sb)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vfsmount *root = ADDRESS_IN(READ_ONLY(task)->fs, root.mnt);
	struct vfsmount *working = ADDRESS_IN(READ_ONLY(task)->fs, pwd.mnt);

	if (covers(root, sb))
		return root;
	return covers(working, sb) ? working : NULL;
}

/* Where in a dentry the list of its inode's names leads to */
static __always_inline __u32 alias_offset(void)
{
	if (bpf_core_field_exists(struct dentry___without_d_u, d_alias))
		return bpf_core_field_offset(struct dentry___without_d_u, d_alias);
	return bpf_core_field_offset(struct dentry, d_u.d_alias);
}

/*
 * No file and no path is at hand here, so the name is that of any dentry of the inode (a directory has
 * only one), seen from a mount that is known to lead to it. Else it waits for an open.
 */
static __noinline int name_by_dentry(struct prov_scene *scene, struct prov_node *node,
				     struct inode *inode)
{
	struct hlist_node *first = ADDRESS_IN(inode, i_dentry.first);
	struct prov_place place = {};

	if (!scene || !node || !first)
		return 0;
	place.mount = mount_in_sight(FIELD(inode, i_sb));
	if (!place.mount)
		return 0;
	place.dentry = (void *)first - alias_offset();
	place.kind = kind_of_mode(FIELD(inode, i_mode));
	place.key = place_key(place.dentry, place.dentry, place.mount);
	return name_node(node, &place);
}

/*
 * A recording of the whole system would have a name for each file that anybody walked past, at ten times
 * the cost of the edge. Of what is tracked every node is told with its name.
 */
static __always_inline bool wants_name(struct prov_scene *scene, struct prov_node *node)
{
	return node->named != scene->policy->epoch && !(scene->policy->switches & SWITCH_ALL);
}

/* Filters come before any look-up: these are the hooks that run most, one of them once per path component. */
static __always_inline void looks_at(struct inode *inode, enum prov_relation relation, __u32 flags)
{
	struct prov_detail detail;
	struct prov_scene scene;
	struct prov_node *node;

	if (is_filtered(current_policy(), relation, kind_of_mode(inode->i_mode)) ||
	    !meet_recorded(&scene))
		return;
	node = inode_state(&scene, inode);
	if (node && !wants_name(&scene, node) && has_used(&scene, relation, node))
		return;
	join_scene(&scene);
	node = announced(&scene, inode, node);
	if (!node)
		return;
	if (wants_name(&scene, node))
		name_by_dentry(&scene, node, inode);
	detail = (struct prov_detail) {
		.flags = flags,
		.offset = NO_OFFSET,
		.kind = kind_of_mode(inode->i_mode),
	};
	uses(&scene, relation, node, &detail);
}

#define MAY_ANYTHING 0xf /* exec, write, read, append */
#define MAY_CHDIR 0x40 /* it becomes a working directory or a root */

/*
 * An open that makes its file asks too, for nothing: that is no check, and it would make the new file a
 * source before its maker has entered it.
 */
static __noinline int checks(struct inode *inode, int mask)
{
	if (!(mask & MAY_ANYTHING))
		return 0;
	if (mask & MAY_CHDIR)
		looks_at(inode, REL_SEARCH, mask);
	else
		looks_at(inode, REL_PERM_CHECK, mask);
	return 0;
}

/* Apart: a directory, which as a rule is filtered, is left before registers are saved for all the rest. */
SEC("lsm/inode_permission")
int BPF_PROG(inode_permission, struct inode *inode, int mask, int ret)
{
	if (!ret && !is_kind_filtered(current_policy(), kind_of_mode(inode->i_mode)))
		checks(inode, mask);
	return ret;
}

SEC("lsm/inode_getattr")
int BPF_PROG(inode_getattr, const struct path *path, int ret)
{
	struct inode *inode = path->dentry->d_inode;

	if (!ret && inode)
		looks_at(inode, REL_GETATTR, 0);
	return ret;
}

SEC("lsm/inode_readlink")
int BPF_PROG(inode_readlink, struct dentry *dentry, int ret)
{
	struct inode *inode = dentry->d_inode;

	if (!ret && inode)
		looks_at(inode, REL_READ_LINK, 0);
	return ret;
}

/* The names of the extended attributes; their values are read one by one: see attributes.bpf.c */
SEC("lsm/inode_listxattr")
int BPF_PROG(inode_listxattr, struct dentry *dentry, int ret)
{
	struct inode *inode = dentry->d_inode;

	if (!ret && inode)
		looks_at(inode, REL_LISTXATTR, 0);
	return ret;
}

/*
 * The inode leaves memory. With a name left on disk it is only evicted: it will come back as the same
 * node. Without, or on a file system that makes new numbers each time or has gone, this is its end.
 */
SEC("lsm/inode_free_security")
int BPF_PROG(inode_free_security, struct inode *inode)
{
	struct prov_policy *policy = current_policy();
	struct prov_node *node = met_inode(inode);
	__u64 address = (__u64)inode;

	if (!node) { /* it may have come back only to be removed by somebody opaque */
		if (!inode->i_nlink)
			forget_evicted(inode);
		return 0;
	}
	if (!comes_back(inode) || !keep_evicted(inode, node)) {
		ends(policy, REL_FREE, node, kind_of_mode(inode->i_mode), 0);
		forget_evicted(inode);
	}
	if (by_address(inode))
		bpf_map_delete_elem(&blocking, &address);
	if (node->nature & NATURE_MAPPED)
		bpf_map_delete_elem(&mapped, &address);
	return 0;
}
