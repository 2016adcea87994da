// SPDX-License-Identifier: GPL-2.0
/* Inodes without an open file: looked up, looked at, released. */
#include "../objects/inode.h"

SEC("lsm/inode_permission")
int BPF_PROG(inode_permission, struct inode *inode, int mask, int ret)
{
	struct prov_detail detail = { .flags = mask, .offset = NO_OFFSET };
	struct prov_policy *policy = current_policy();
	struct prov_scene scene;
	struct prov_file object;

	if (ret || !mask || !policy ||
	    is_filtered(policy, REL_PERM_CHECK, kind_of_mode(inode->i_mode)))
		return ret;
	if (current_scene(&scene) && inode_node(&scene, inode, &object))
		uses(&scene, REL_PERM_CHECK, object.node, object.kind, &detail);
	return 0;
}

SEC("lsm/inode_getattr")
int BPF_PROG(inode_getattr, const struct path *path, int ret)
{
	struct prov_detail detail = { .offset = NO_OFFSET };
	struct inode *inode = path->dentry->d_inode;
	struct prov_policy *policy = current_policy();
	struct prov_scene scene;
	struct prov_file object;

	if (ret || !policy || !inode ||
	    is_filtered(policy, REL_GETATTR, kind_of_mode(inode->i_mode)))
		return ret;
	if (current_scene(&scene) && inode_node(&scene, inode, &object))
		uses(&scene, REL_GETATTR, object.node, object.kind, &detail);
	return 0;
}

static __always_inline struct prov_node *leaving_node(struct inode *inode)
{
	__u64 address = (__u64)inode;

	if (may_block(inode))
		return bpf_map_lookup_elem(&blocking, &address);
	return bpf_inode_storage_get(&inodes, inode, NULL, 0);
}

/*
 * The inode leaves memory. With a name left on disk it is only evicted: it will come back as the same
 * node. Without, or on a file system that makes new numbers each time, this is its end.
 */
SEC("lsm/inode_free_security")
int BPF_PROG(inode_free_security, struct inode *inode)
{
	struct prov_policy *policy = current_policy();
	struct prov_node *node = leaving_node(inode);
	__u64 address = (__u64)inode;

	if (!policy || !node || !is_born(node))
		return 0;
	if (!is_lasting(inode) || !inode->i_nlink || !keep_evicted(inode, node)) {
		ends(policy, REL_FREE, node, kind_of_mode(inode->i_mode), 0);
		forget_evicted(inode);
	}
	if (may_block(inode))
		bpf_map_delete_elem(&blocking, &address);
	return 0;
}
