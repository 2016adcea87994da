// SPDX-License-Identifier: GPL-2.0
/*
 * Names that come and go: making, linking, renaming, removing. Recorded at the inode_* hooks, after
 * the kernel's own checks; what fails later than that (a directory that is not empty, a full disk)
 * has been recorded all the same.
 */
#include "../objects/naming.h"

#define RENAME_EXCHANGE 2

SEC("lsm/path_mkdir")
int BPF_PROG(path_mkdir, const struct path *dir, struct dentry *dentry, umode_t mode, int ret)
{
	if (!ret)
		announce_change(dir, dentry, 0);
	return ret;
}

SEC("lsm/path_mknod")
int BPF_PROG(path_mknod, const struct path *dir, struct dentry *dentry, umode_t mode,
	     unsigned int device, int ret)
{
	if (!ret)
		announce_change(dir, dentry, 0);
	return ret;
}

SEC("lsm/path_symlink")
int BPF_PROG(path_symlink, const struct path *dir, struct dentry *dentry, const char *target,
	     int ret)
{
	if (!ret)
		announce_change(dir, dentry, 0);
	return ret;
}

SEC("lsm/path_link")
int BPF_PROG(path_link, struct dentry *old, const struct path *dir, struct dentry *dentry, int ret)
{
	if (!ret)
		announce_change(dir, dentry, 0);
	return ret;
}

SEC("lsm/path_unlink")
int BPF_PROG(path_unlink, const struct path *dir, struct dentry *dentry, int ret)
{
	if (!ret)
		announce_change(dir, dentry, 0);
	return ret;
}

SEC("lsm/path_rmdir")
int BPF_PROG(path_rmdir, const struct path *dir, struct dentry *dentry, int ret)
{
	if (!ret)
		announce_change(dir, dentry, 0);
	return ret;
}

SEC("lsm/path_rename")
int BPF_PROG(path_rename, const struct path *old_dir, struct dentry *old, const struct path *dir,
	     struct dentry *dentry, unsigned int flags, int ret)
{
	if (!ret)
		announce_change(old_dir, old, flags);
	return ret;
}

static __always_inline void will_make(struct dentry *dentry, enum prov_relation relation)
{
	struct prov_scene scene;

	if (meet_recorded(&scene))
		expect_inode(scene.task, dentry, relation);
}

SEC("lsm/inode_create")
int BPF_PROG(inode_create, struct inode *dir, struct dentry *dentry, umode_t mode, int ret)
{
	if (!ret)
		will_make(dentry, REL_INODE_CREATE);
	return ret;
}

SEC("lsm/inode_mkdir")
int BPF_PROG(inode_mkdir, struct inode *dir, struct dentry *dentry, umode_t mode, int ret)
{
	if (!ret)
		will_make(dentry, REL_MKDIR);
	return ret;
}

SEC("lsm/inode_mknod")
int BPF_PROG(inode_mknod, struct inode *dir, struct dentry *dentry, umode_t mode, dev_t device,
	     int ret)
{
	if (!ret)
		will_make(dentry, REL_MKNOD);
	return ret;
}

SEC("lsm/inode_symlink")
int BPF_PROG(inode_symlink, struct inode *dir, struct dentry *dentry, const char *target, int ret)
{
	if (!ret)
		will_make(dentry, REL_SYMLINK);
	return ret;
}

static __noinline int record_making(struct prov_scene *scene, struct dentry *dentry,
				    struct inode *inode, struct prov_making *making)
{
	struct inode *directory = dentry->d_parent->d_inode;
	struct prov_node *node;
	__u32 relation;

	/* out of a map, once: the verifier wants to see that this very number is one of ours */
	relation = *(volatile __u32 *)&making->relation;
	if (!scene || relation >= RELATION_COUNT || !directory)
		return 0;
	join_scene(scene);
	ask(scene, directory);
	node = changes(scene, relation, inode, OUTCOME_DONE);
	if (node && (inode->i_mode & S_IFMT) != S_IFDIR) /* whoever looks up a name in one is nobody's child */
		inherit(scene, node);
	writes_directory(scene, directory, OUTCOME_DONE);
	tell_name(scene, node, inode, (void *)making->mount, dentry, dentry, 0);
	scene->task->made = (__u64)plain(inode);
	return 0;
}

/* Here a new inode meets its name. Every look-up from disk comes here, too. */
SEC("lsm/d_instantiate")
int BPF_PROG(d_instantiate, struct dentry *dentry, struct inode *inode)
{
	struct prov_making making;
	struct prov_scene scene;

	if (inode && meet_recorded(&scene) && take_making(scene.task, dentry, &making))
		record_making(&scene, dentry, inode, &making);
	return 0;
}

SEC("lsm/inode_link")
int BPF_PROG(inode_link, struct dentry *old, struct inode *dir, struct dentry *dentry, int ret)
{
	struct inode *inode = old->d_inode;
	struct prov_scene scene;
	struct prov_node *node;
	struct vfsmount *mount;

	if (ret || !inode || !current_scene(&scene))
		return ret;
	mount = announced_mount(scene.task, dentry);
	ask(&scene, inode);
	ask(&scene, dir);
	node = changes(&scene, REL_LINK, inode, OUTCOME_AT_HOOK);
	writes_directory(&scene, dir, OUTCOME_AT_HOOK);
	if (node)
		__sync_fetch_and_and(&node->nature, ~NATURE_NAMELESS);
	tell_name(&scene, node, inode, mount, dentry, dentry, 0);
	return 0;
}

static __noinline int removes(struct inode *dir, struct dentry *dentry, enum prov_relation relation)
{
	struct inode *inode = dentry->d_inode;
	struct prov_scene scene;
	struct prov_node *node;
	struct vfsmount *mount;

	if (!inode || !current_scene(&scene))
		return 0;
	mount = announced_mount(scene.task, dentry);
	ask(&scene, inode);
	ask(&scene, dir);
	node = changes(&scene, relation, inode, OUTCOME_AT_HOOK);
	writes_directory(&scene, dir, OUTCOME_AT_HOOK);
	tell_name(&scene, node, inode, mount, dentry, dentry, TEXT_REMOVED);
	return 0;
}

SEC("lsm/inode_unlink")
int BPF_PROG(inode_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
	if (!ret)
		removes(dir, dentry, REL_UNLINK);
	return ret;
}

SEC("lsm/inode_rmdir")
int BPF_PROG(inode_rmdir, struct inode *dir, struct dentry *dentry, int ret)
{
	if (!ret)
		removes(dir, dentry, REL_RMDIR);
	return ret;
}

/* Another file gives way to the one that takes its name. */
static __noinline int replaces(struct prov_scene *scene, struct dentry *dentry,
			       struct vfsmount *mount)
{
	struct inode *inode = dentry->d_inode;
	struct prov_node *node;

	if (!inode)
		return 0;
	node = changes(scene, REL_REPLACE, inode, OUTCOME_AT_HOOK);
	tell_name(scene, node, inode, mount, dentry, dentry, TEXT_REMOVED);
	return 0;
}

/* The inode of `from` goes to where `to` is. */
static __noinline int takes_name(struct prov_scene *scene, enum prov_relation relation,
				 struct dentry *from, struct dentry *to, struct vfsmount *mount)
{
	struct inode *inode = from->d_inode;
	struct prov_node *node;

	if (!inode)
		return 0;
	node = changes(scene, relation, inode, OUTCOME_AT_HOOK);
	tell_name(scene, node, inode, mount, from, from, TEXT_REMOVED);
	tell_name(scene, node, inode, mount, from, to, 0);
	return 0;
}

static __always_inline bool is_exchange(struct prov_task *task, struct dentry *dentry)
{
	return is_announced(task, dentry) && task->naming.flags & RENAME_EXCHANGE;
}

static __always_inline bool is_directory(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	return inode && (inode->i_mode & S_IFMT) == S_IFDIR;
}

static __always_inline void ask_all(struct prov_scene *scene, struct inode *old_dir,
				    struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *moved = old->d_inode, *replaced = dentry->d_inode;

	if (moved)
		ask(scene, moved);
	ask(scene, old_dir);
	ask(scene, dir);
	if (replaced)
		ask(scene, replaced);
}

/*
 * An exchange comes here twice: first as if the new name were to take the place of the old one. A
 * rename that nobody has announced may be an exchange: nothing is said of what had the new name.
 */
SEC("lsm/inode_rename")
int BPF_PROG(inode_rename, struct inode *old_dir, struct dentry *old, struct inode *dir,
	     struct dentry *dentry, int ret)
{
	struct prov_scene scene;
	struct vfsmount *mount;

	if (ret)
		return ret;
	if (is_directory(old))
		count_move();
	if (!current_scene(&scene))
		return 0;
	ask_all(&scene, old_dir, old, dir, dentry);
	if (is_exchange(scene.task, dentry)) {
		mount = (void *)scene.task->naming.mount;
		takes_name(&scene, REL_EXCHANGE, old, dentry, mount);
		return 0;
	}
	if (is_exchange(scene.task, old)) {
		mount = announced_mount(scene.task, old);
		takes_name(&scene, REL_EXCHANGE, old, dentry, mount);
	} else {
		mount = announced_mount(scene.task, old);
		if (mount && dentry->d_inode)
			replaces(&scene, dentry, mount);
		takes_name(&scene, REL_RENAME, old, dentry, mount);
	}
	writes_directory(&scene, old_dir, OUTCOME_AT_HOOK);
	if (dir != old_dir)
		writes_directory(&scene, dir, OUTCOME_AT_HOOK);
	return 0;
}
