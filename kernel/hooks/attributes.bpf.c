// SPDX-License-Identifier: GPL-2.0
/* Attributes of inodes: mode, owner, times, size, and the extended ones. */
#include "../objects/iattr.h"
#include "../objects/xattr.h"

/* current task --setattr--> change --setattr_inode--> inode; `wish`: see send_iattr */
static __always_inline void changes_attributes(struct prov_scene *scene, struct inode *inode, __u32 valid,
				    struct iattr *wish, __u32 own_writers)
{
	struct prov_detail detail = {
		.flags = valid,
		.outcome = has_hook(inode_post_setattr) ? OUTCOME_DONE : OUTCOME_AT_HOOK,
		.offset = NO_OFFSET,
		.from_kind = NODE_IATTR,
		.kind = NODE_IATTR,
	};
	struct prov_node change = { .word = WORD_LIVE }, *node = inode_node(scene, inode);

	if (!node)
		return;
	change.id = new_ids(1);
	send_iattr(scene->policy, &change, inode, valid, wish);
	generates(scene, REL_SETATTR, &change, &detail);
	detail.kind = kind_of_mode(inode->i_mode);
	if (is_recorded(scene))
		wipe(inode, node, own_writers);
	derives(scene, REL_SETATTR_INODE, &change, node, &detail);
}

/* All that can be told on a kernel without a hook behind the change */
static __noinline int will_change(struct dentry *dentry, struct iattr *wish)
{
	struct prov_scene scene;

	if (current_scene(&scene))
		changes_attributes(&scene, dentry->d_inode, wish->ia_valid, wish, 0);
	return 0;
}

/*
 * Only the request says by whom a truncation is made. A change that fails has no end, and every
 * other one on this thread begins here, too: so what is kept is never an older one's.
 */
static __noinline int may_truncate(struct iattr *wish)
{
	struct prov_scene scene;

	if (open_scene(&scene))
		scene.task->truncating = own_writers(wish);
	return 0;
}

/*
 * Of the change, or before it. The release with the hook behind the change has also put another
 * argument before these two (314a8dc728d0 "security: Align inode_setattr hook definition with
 * EVM", 6.9).
 */
SEC("lsm/inode_setattr")
int inode_setattr(unsigned long long *ctx)
{
	int ret;

	if (has_hook(inode_post_setattr)) {
		ret = ctx[3];
		if (!ret)
			may_truncate((void *)ctx[2]);
	} else {
		ret = ctx[2];
		if (!ret)
			will_change((void *)ctx[0], (void *)ctx[1]);
	}
	return ret;
}

SEC("lsm/inode_post_setattr")
int BPF_PROG(inode_post_setattr, void *idmap, struct dentry *dentry, int valid)
{
	struct inode *inode = dentry->d_inode;
	struct prov_scene scene;
	__u32 own;

	if (!open_scene(&scene))
		return 0;
	own = scene.task->truncating;
	scene.task->truncating = 0;
	if (inode && !scene.silent)
		changes_attributes(&scene, inode, valid, NULL, own);
	return 0;
}

/* current task --change--> xattr --arrival--> inode */
static __always_inline void changes_xattr(struct dentry *dentry, const struct prov_xattr *xattr,
					  enum prov_relation change, enum prov_relation arrival,
					  struct prov_detail *detail)
{
	struct prov_node fresh = { .word = WORD_LIVE }, *node;
	struct inode *inode = dentry->d_inode;
	struct prov_scene scene;

	if (!inode || !current_scene(&scene))
		return;
	node = inode_node(&scene, inode);
	if (!node)
		return;
	__sync_fetch_and_or(&node->nature, NATURE_ANNOTATED);
	fresh.id = new_ids(1);
	send_xattr(scene.policy, &fresh, xattr);
	detail->offset = NO_OFFSET;
	detail->from_kind = NODE_XATTR;
	detail->kind = NODE_XATTR;
	generates(&scene, change, &fresh, detail);
	detail->kind = kind_of_mode(inode->i_mode);
	derives(&scene, arrival, &fresh, node, detail);
}

/*
 * dentry, name, value, size, flags; a verifier that knows no `const void *` lets only its bytes
 * be read
 */
SEC("lsm/inode_post_setxattr")
int inode_post_setxattr(unsigned long long *ctx)
{
	struct prov_xattr xattr = { .name = (void *)ctx[1], .size = ctx[3] };
	struct prov_detail detail = { .flags = ctx[4], .outcome = OUTCOME_DONE };

	bpf_probe_read_kernel(&xattr.value, sizeof(xattr.value), &ctx[2]);
	changes_xattr((void *)ctx[0], &xattr, REL_SETXATTR, REL_SETXATTR_INODE, &detail);
	return 0;
}

SEC("lsm/inode_removexattr")
int BPF_PROG(inode_removexattr, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	struct prov_xattr xattr = { .name = name };
	struct prov_detail detail = { .outcome = OUTCOME_AT_HOOK };

	if (!ret && !has_hook(inode_post_removexattr))
		changes_xattr(dentry, &xattr, REL_REMOVEXATTR, REL_REMOVEXATTR_INODE, &detail);
	return ret;
}

SEC("lsm/inode_post_removexattr")
int BPF_PROG(inode_post_removexattr, struct dentry *dentry, const char *name)
{
	struct prov_xattr xattr = { .name = name };
	struct prov_detail detail = { .outcome = OUTCOME_DONE };

	changes_xattr(dentry, &xattr, REL_REMOVEXATTR, REL_REMOVEXATTR_INODE, &detail);
	return 0;
}

/*
 * Access control lists are extended attributes that have hooks of their own since 6.2, and those behind
 * the change since 6.9.
 */
static __always_inline struct prov_xattr as_xattr(const char *name, struct posix_acl *acl)
{
	struct prov_xattr xattr = { .name = name, .acl = acl };

	if (acl)
		xattr.size = acl_size(FIELD(acl, a_count));
	return xattr;
}

SEC("lsm/inode_post_set_acl")
int BPF_PROG(inode_post_set_acl, struct dentry *dentry, const char *name, struct posix_acl *acl)
{
	struct prov_xattr xattr = as_xattr(name, acl);
	struct prov_detail detail = { .outcome = OUTCOME_DONE };

	changes_xattr(dentry, &xattr, REL_SETXATTR, REL_SETXATTR_INODE, &detail);
	return 0;
}

SEC("lsm/inode_post_remove_acl")
int BPF_PROG(inode_post_remove_acl, void *idmap, struct dentry *dentry, const char *name)
{
	struct prov_xattr xattr = { .name = name };
	struct prov_detail detail = { .outcome = OUTCOME_DONE };

	changes_xattr(dentry, &xattr, REL_REMOVEXATTR, REL_REMOVEXATTR_INODE, &detail);
	return 0;
}

/*
 * The value is not known yet, and at the exit probe the inode's node is out of reach: it is kept.
 */
static __noinline int keep_asked(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;
	struct prov_asked *asked;
	struct prov_scene scene;
	struct prov_node *node;

	if (!inode || !current_scene(&scene))
		return 0;
	asked = place_to_ask(scene.task, dentry);
	asked->dentry = 0;
	node = inode_node(&scene, inode);
	if (!node)
		return 0;
	fill_image(&asked->image, node, kind_of_mode(inode->i_mode));
	asked->dentry = (__u64)dentry;
	return 0;
}

SEC("lsm/inode_getxattr")
int BPF_PROG(inode_getxattr, struct dentry *dentry, const char *name, int ret)
{
	return ret ? ret : keep_asked(dentry);
}

SEC("lsm/inode_get_acl")
int BPF_PROG(inode_get_acl, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	return ret ? ret : keep_asked(dentry);
}

/* inode --getxattr_inode--> xattr --getxattr--> current task */
static __always_inline void gets_xattr(struct prov_scene *scene, const struct prov_image *image,
				       const struct prov_xattr *xattr)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = NODE_XATTR,
	};
	struct prov_node fresh = { .word = WORD_LIVE };

	fresh.id = new_ids(1);
	send_xattr(scene->policy, &fresh, xattr);
	derives_from_image(scene, REL_GETXATTR_INODE, image, &fresh, NODE_XATTR);
	uses(scene, REL_GETXATTR, &fresh, &detail);
}

/* The end of what was asked of this file: `told` if something was handed out */
static __noinline int end_asked(struct dentry *dentry, const struct prov_xattr *xattr, bool told)
{
	struct prov_asked *asked;
	struct prov_scene scene;

	if (!xattr || !current_scene(&scene))
		return 0;
	asked = asked_of(scene.task, dentry);
	if (!asked)
		return 0;
	asked->dentry = 0;
	if (!scene.wanted && asked->image.marks & MARK_TRACKED)
		let_join(&scene);
	if (told && is_recorded(&scene))
		gets_xattr(&scene, &asked->image, xattr);
	return 0;
}

/* `size` 0 asks how long the value is: nothing of it is handed out. */
SEC("fexit/vfs_getxattr")
int PROBE(vfs_getxattr, void *idmap, struct dentry *dentry, const char *name, void *value,
	     size_t size, ssize_t ret)
{
	struct prov_xattr xattr = { .name = name, .value = value, .size = ret };

	return end_asked(dentry, &xattr, ret > 0 && value && size);
}

/* Its length cannot be asked for without the list: that is told, too. */
SEC("fexit/vfs_get_acl")
int PROBE(vfs_get_acl, void *idmap, struct dentry *dentry, const char *name,
	     struct posix_acl *ret)
{
	bool told = ret && (unsigned long)ret < (unsigned long)-MAX_ERRNO;
	struct prov_xattr xattr = as_xattr(name, told ? ret : NULL);

	return end_asked(dentry, &xattr, told);
}
