// SPDX-License-Identifier: GPL-2.0
/*
 * The tree of files that processes see: what is mounted where, and where it begins. Who can be seen to change
 * it has no content from it: all of this is control.
 */
#include "../objects/namespace.h"
#include "../objects/naming.h"

#define MS_MOVE 8192

/* The place where a path leads to, with that name */
static __always_inline struct prov_node *place_node(struct prov_scene *scene,
						    const struct path *path)
{
	struct inode *inode = path->dentry->d_inode;
	struct prov_node *node = inode_node(scene, inode);

	if (node && node->named != scene->policy->epoch)
		tell_name(scene, node, inode, plain(path->mnt), path->dentry, path->dentry, 0);
	return node;
}

static __always_inline void fill_place(struct prov_detail *detail, struct inode *inode,
				       __u32 flags)
{
	detail->flags = flags;
	detail->outcome = OUTCOME_AT_HOOK;
	detail->no_content = true;
	detail->offset = NO_OFFSET;
	detail->kind = kind_of_mode(inode->i_mode);
}

/* current task --mount--> the place */
static __noinline int mounts_at(const struct path *path, __u32 flags)
{
	struct prov_detail detail = {};
	struct prov_scene scene;
	struct prov_node *node;

	if (!path || !current_scene(&scene))
		return 0;
	fill_place(&detail, path->dentry->d_inode, flags);
	node = place_node(&scene, path);
	if (node)
		generates(&scene, REL_MOUNT, node, &detail);
	return 0;
}

/* the new root --relation--> current task */
static __noinline int takes_root(const struct path *path, bool for_all)
{
	struct prov_detail detail = {};
	struct prov_scene scene;
	struct prov_node *node;

	if (!path || !current_scene(&scene))
		return 0;
	fill_place(&detail, path->dentry->d_inode, 0);
	node = place_node(&scene, path);
	if (node && for_all)
		uses(&scene, REL_PIVOT_ROOT, node, &detail);
	else if (node)
		uses(&scene, REL_CHROOT, node, &detail);
	return 0;
}

/* As the kernel asks after this hook, and before it does anything */
static __always_inline bool may_mount(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return may_in(task->cred, FIELD(task, nsproxy, mnt_ns, user_ns), CAP_SYS_ADMIN);
}

/* mount(2): it moves mounts, too, and names below them become others. */
SEC("lsm/sb_mount")
int BPF_PROG(sb_mount, const char *device, const struct path *path, const char *type,
	     unsigned long flags, void *data, int ret)
{
	if (flags & MS_MOVE)
		count_move();
	if (!ret && may_mount())
		mounts_at(path, flags);
	return ret;
}

/* What fsmount(2) or open_tree(2) has made gets its place here; others move. */
SEC("lsm/move_mount")
int BPF_PROG(move_mount, const struct path *from, const struct path *to, int ret)
{
	count_move();
	if (!ret)
		mounts_at(to, 0);
	return ret;
}

SEC("lsm/sb_umount")
int BPF_PROG(sb_umount, struct vfsmount *mount, int flags, int ret)
{
	struct inode *root = mount->mnt_root->d_inode;
	struct prov_detail detail = {};
	struct prov_scene scene;
	struct prov_node *node;

	if (ret || !current_scene(&scene))
		return ret;
	fill_place(&detail, root, flags);
	node = inode_node(&scene, root);
	if (node)
		generates(&scene, REL_UMOUNT, node, &detail);
	return 0;
}

/* The old root is mounted where `old` is, and every process that had it gets `new`. */
SEC("lsm/sb_pivotroot")
int BPF_PROG(sb_pivotroot, const struct path *old, const struct path *new, int ret)
{
	count_move();
	if (ret)
		return ret;
	takes_root(new, true);
	mounts_at(old, 0);
	return 0;
}

/* Nothing can fail after it. */
SEC("lsm/path_chroot")
int BPF_PROG(path_chroot, const struct path *path, int ret)
{
	if (!ret)
		takes_root(path, false);
	return ret;
}
