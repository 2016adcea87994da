// SPDX-License-Identifier: GPL-2.0
/* Open files: opening, creating, reading, writing, mapping, controlling, locking and receiving them. */
#include "../objects/copy.h"
#include "../objects/eventfd.h"
#include "../objects/ioctl.h"
#include "../objects/mapping.h"
#include "../objects/naming.h"
#include "../objects/ring.h"
#include "../objects/terminal.h"

#define MAY_WRITE 2
#define MAY_READ 4
#define FMODE_READ 1
#define FMODE_CREATED 0x100000
#define __O_TMPFILE 020000000
#define PROT_WRITE 2
#define MAP_TYPE 0xf
#define MAP_PRIVATE 2

/* Exec reads the head of a program for itself: that content gets nowhere but into the new memory. */
static __always_inline bool reads_for_exec(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return BPF_CORE_READ_BITFIELD(task, in_execve);
}

/*
 * A pipe or a terminal that is read: recorded when the read has succeeded (blocking.bpf.c). Here its name would be
 * sent, which most have not, and it would take over marks, which no file has as a rule.
 */
static __always_inline bool is_left_to_exit(struct inode *inode)
{
	if (is_terminal(inode))
		return true;
	return (inode->i_mode & S_IFMT) == S_IFIFO && !has_path(inode) &&
	       !(current_policy()->switches & SWITCH_MARKED_FILES);
}

/*
 * What other hooks see to, or nobody: found out before anything is looked up. A source is not left, be it
 * filtered: a copying call goes on without the memory of its task only if it knows its source.
 */
static __always_inline bool is_left(struct inode *inode, int mask)
{
	umode_t type = inode->i_mode & S_IFMT;

	if (!(mask & (MAY_READ | MAY_WRITE)))
		return true;
	if (type == S_IFREG)
		return false;
	if (is_socket_inode(inode))
		return true;
	if (mask & MAY_WRITE)
		return type == S_IFCHR && is_kind_filtered(current_policy(), NODE_CHAR);
	return is_left_to_exit(inode);
}

/*
 * The node is a plain one, so its marks are as they were when they were last looked at; nobody shares the memory,
 * and the task copies nothing within the kernel.
 */
static __always_inline bool is_direct(struct prov_scene *scene, struct prov_node *node)
{
	return node && !scene->task->copying.way && scene->memory && !scene->memory->shares;
}

/* Whether all is said already, asked before everything else: most reads and writes repeat what was said. */
static __always_inline bool is_said(struct prov_scene *scene, struct prov_node *node, int mask)
{
	return mask & MAY_WRITE ? has_generated(scene, REL_WRITE, node) :
				  has_used(scene, REL_READ, node);
}

/* A direct one that is not said yet */
static __noinline int says(struct prov_scene *scene, struct file *file, struct prov_node *node,
			   int mask)
{
	struct prov_detail detail = { .flags = mask, .is_news = true };

	if (!scene || !node || (mask == MAY_READ && reads_for_exec()))
		return 0;
	detail.offset = file->f_pos;
	detail.kind = kind_of_mode(file->f_inode->i_mode);
	join_scene(scene);
	node = named(scene, file, node, false);
	if (!node)
		return 0;
	if (mask == MAY_READ)
		uses(scene, REL_READ, node, &detail);
	else if (generates(scene, REL_WRITE, node, &detail))
		goes_on(file->f_inode, node);
	return 0;
}

static __noinline int reads_or_writes(struct prov_scene *scene, struct file *file, int mask)
{
	struct inode *inode = file->f_inode;
	struct prov_detail detail = {
		.flags = mask,
		.offset = file->f_pos,
		.kind = kind_of_mode(inode->i_mode),
	};
	struct prov_copying *copying;
	struct prov_node *node;

	if (!scene)
		return 0;
	join_scene(scene);
	copying = copying_with(scene, file, mask & MAY_WRITE);
	node = named(scene, file, inode_state(scene, inode), false);
	if (copying && is_copied(scene, copying, inode, node, mask & MAY_WRITE)) {
		if (mask & MAY_WRITE)
			goes_on(inode, node);
		return 0;
	}
	if (!node)
		return 0;
	if (mask & MAY_READ && !may_block(inode) && !reads_for_exec())
		uses(scene, REL_READ, node, &detail);
	if (mask & MAY_WRITE && generates(scene, REL_WRITE, node, &detail))
		goes_on(inode, node);
	return 0;
}

/* Sockets have hooks of their own. The node of a terminal and of an eventfd is not that of the inode. */
SEC("lsm/file_permission")
int BPF_PROG(file_permission, struct file *file, int mask, int ret)
{
	struct inode *inode = file->f_inode;
	struct prov_scene scene;
	struct prov_node *node;

	if (ret || is_left(inode, mask) || !meet_recorded(&scene))
		return ret;
	node = plain_node(&scene, inode);
	FORGET(node); /* one value from here on: else it is kept again at each question */
	if (is_direct(&scene, node) && (mask == MAY_READ || mask == MAY_WRITE))
		return is_said(&scene, node, mask) ? 0 : says(&scene, file, node, mask);
	if (is_terminal(inode))
		return writes_terminal(file, mask);
	if (is_eventfd(file))
		return mask & MAY_WRITE ? writes_eventfd(file, mask) : 0;
	return reads_or_writes(&scene, file, mask);
}

/*
 * The directory that the walk along the path has come to, where such a file system opens. In the file
 * itself newer verifiers do not trust it: its path is in a union there (6.18 at the latest).
 */
static __always_inline struct inode *opened_in(struct file *file)
{
	struct nameidata *walk = bpf_get_current_task_btf()->nameidata;
	struct inode *directory = walk ? walk->path.dentry->d_inode : NULL;

	if (directory && directory == FIELD(file, f_path.dentry, d_parent, d_inode))
		return directory;
	return NULL;
}

/*
 * This open made the file, and a file system that looks up, creates and opens in one step has not told
 * d_instantiate: the task is its origin, and its directory has a new name in it.
 */
static __always_inline int creates(struct prov_scene *scene, struct file *file)
{
	struct inode *directory = opened_in(file);
	struct prov_node *node;

	if (!directory) {
		count_loss(COUNT_INODE_STORAGE);
		return 0;
	}
	ask(scene, directory);
	node = changes(scene, REL_INODE_CREATE, file->f_inode, OUTCOME_DONE);
	if (node)
		inherit(scene, node);
	writes_directory(scene, directory, OUTCOME_DONE);
	return 0;
}

/*
 * A file that is made without a name, and without a trace in its directory; it may be linked later, and be
 * wanted only later.
 */
static __always_inline struct prov_node *nameless_node(struct prov_scene *scene,
							struct file *file)
{
	struct prov_node *node = inode_state(scene, file->f_inode);

	if (node)
		__sync_fetch_and_or(&node->nature, NATURE_NAMELESS);
	return changes(scene, REL_TMPFILE, file->f_inode, OUTCOME_DONE);
}

/*
 * While attaching, the recorder opens what others have mapped: only here can the node of such a file be
 * had, since iterators may not use inode storage. What it opens in /proc on the way is nobody's mapping.
 */
static __noinline int keep_for_mappings(struct prov_scene *scene, struct file *file)
{
	struct inode *inode = file->f_inode;
	struct prov_adopted_file kept = { .key = inode_key(inode) };
	__u64 address = (__u64)inode;
	struct prov_node *node;

	kept.image.kind = kind_of_mode(inode->i_mode);
	if (kept.image.kind != NODE_FILE || super_of(inode)->s_magic == PROC_MAGIC)
		return 0;
	if (FIELD(inode, i_mapping, i_mmap_writable.counter) > 0)
		shareable_node(inode); /* somebody can store into it, and did not pass mmap_file */
	node = file_node(scene, file);
	if (!node)
		return 0;
	fill_image(&kept.image, node, kept.image.kind);
	if (bpf_map_update_elem(&adopted_files, &address, &kept, BPF_ANY))
		count_loss(COUNT_INODE_STORAGE);
	return 0;
}

/* Its node, which the opening of the file above has made */
static __always_inline struct prov_node *node_above(struct file *file)
{
	__u64 address = inode_above(file);
	struct inode *inode = (void *)address;
	struct prov_blocking *kept;

	if (!address)
		return NULL;
	kept = bpf_map_lookup_elem(&mapped, &address); /* it begins with the same */
	if (!kept)
		kept = bpf_map_lookup_elem(&blocking, &address);
	if (!kept || kept->ino != FIELD(inode, i_ino) ||
	    kept->dev != FIELD(inode, i_sb, s_dev))
		return NULL;
	return kept->node.marks & MARKS_OPAQUE ? NULL : &kept->node;
}

/* below --stacked--> above */
static __noinline int shows(struct prov_scene *scene, struct file *file, struct prov_node *below)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_AT_HOOK,
		.offset = NO_OFFSET,
		.from_kind = NODE_FILE,
		.kind = NODE_FILE,
	};
	struct prov_node *above;

	if (!scene || !below)
		return 0;
	above = node_above(file);
	if (above)
		derives(scene, REL_STACKED, below, above, &detail);
	return 0;
}

/* It makes no file, which would be in its directory then. */
static __always_inline bool is_opened_unseen(__u8 kind)
{
	return kind != NODE_FILE && is_kind_filtered(current_policy(), kind);
}

/* This open has made the file, and the name under which it did has just been told. */
static __always_inline bool is_named_by_making(struct prov_scene *scene, struct file *file)
{
	if (!(file->f_mode & FMODE_CREATED))
		return false;
	if (has_made(scene->task, file->f_inode))
		return true;
	creates(scene, file);
	return false;
}

/* The copy-up that this file is opened for; NULL: none. The file system opens it for itself, and not for the caller. */
static __always_inline struct prov_copying *opening_copy_up(struct prov_scene *scene,
							    struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (scene->task->copying.way != COPY_UP || task->cred == task->real_cred ||
	    inode_above(file))
		return NULL;
	return copying_of(scene);
}

/* One of its two ends: the other one may come first. */
static __noinline int is_opened_for(struct prov_scene *scene, struct prov_copying *copying,
				    struct file *file, struct prov_node *node)
{
	bool written = file->f_mode & FMODE_WRITE;

	if (!scene || !copying)
		return 0;
	if (written)
		copying->out = (__u64)file;
	else
		copying->in = (__u64)file;
	is_copied(scene, copying, file->f_inode, node, written);
	return 0;
}

SEC("lsm/file_open")
int BPF_PROG(file_open, struct file *file, int ret)
{
	struct inode *inode = file->f_inode;
	struct prov_detail detail = {
		.flags = file->f_flags,
		.offset = NO_OFFSET,
		.kind = kind_of_mode(inode->i_mode),
	};
	struct prov_copying *copying;
	struct prov_scene scene;
	struct prov_node *node;
	bool is_named;

	if (ret || is_opened_unseen(detail.kind) || !open_scene(&scene))
		return ret;
	if (scene.silent) {
		if (scene.policy->switches & SWITCH_ADOPT)
			keep_for_mappings(&scene, file);
		return 0;
	}
	copying = opening_copy_up(&scene, file);
	is_named = is_named_by_making(&scene, file);
	if (file->f_flags & __O_TMPFILE)
		node = nameless_node(&scene, file);
	else
		node = named(&scene, file, inode_state(&scene, inode), !is_named);
	if (copying)
		is_opened_for(&scene, copying, file, node);
	if (!node)
		return 0;
	if (file->f_mode & FMODE_WRITE)
		inherit(&scene, node);
	uses(&scene, REL_OPEN, node, &detail);
	if (detail.kind == NODE_FILE && file->f_mode & FMODE_NOACCOUNT)
		shows(&scene, file, node);
	return 0;
}

/* The kernel compares the mapping with the mode of the open file only after the hook. */
static __always_inline bool may_map(struct file *file, unsigned long prot, bool shared)
{
	if (!(file->f_mode & FMODE_READ))
		return false;
	return !shared || !(prot & PROT_WRITE) || file->f_mode & FMODE_WRITE;
}

/*
 * The mapping is linked in later, where no inode storage can be had: hooks/sharing.bpf.c. What is recorded
 * of this hook is all that is in the file so far.
 */
static __noinline int will_share(struct prov_scene *scene, struct file *file, bool is_read)
{
	struct inode *inode = file->f_inode;
	struct prov_node *node;

	if (!scene || (inode->i_mode & S_IFMT) != S_IFREG)
		return 0;
	node = shareable_node(inode);
	if (!node)
		return 0;
	scene->task->mapping.inode = (__u64)plain(inode);
	scene->task->mapping.seen = 0;
	if (is_read && takes_part(scene, node) && is_recorded(scene))
		scene->task->mapping.seen = seen_now(scene->policy, node->entries);
	return 0;
}

/* One that can be neither read nor written carries nothing until file_mprotect says more. */
SEC("lsm/mmap_file")
int BPF_PROG(mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	struct prov_detail detail = { .flags = prot, .offset = NO_OFFSET };
	bool shared = (flags & MAP_TYPE) != MAP_PRIVATE;
	struct prov_scene scene;
	struct prov_node *node;

	if (ret || !file || !may_map(file, prot, shared) || !open_scene(&scene) ||
	    is_own_ring(&scene, file))
		return ret;
	if (shared)
		will_share(&scene, file, prot & VM_ACCESS);
	node = scene.silent ? NULL : file_node(&scene, file);
	if (!node)
		return 0;
	detail.kind = kind_of_mode(file->f_inode->i_mode);
	detail.no_content = !(prot & VM_ACCESS);
	if (shared)
		uses(&scene, REL_MMAP, node, &detail);
	else
		uses(&scene, REL_MMAP_PRIVATE, node, &detail);
	return 0;
}

/* What was kept of the file; NULL: nothing was, or of another inode that had this address. */
static __always_inline struct prov_adopted_file *kept_file(struct inode *inode)
{
	struct prov_inode_key key = inode_key(inode);
	__u64 address = (__u64)inode;
	struct prov_adopted_file *kept = bpf_map_lookup_elem(&adopted_files, &address);

	if (!kept || kept->key.ino != key.ino || kept->key.dev != key.dev ||
	    kept->key.generation != key.generation)
		return NULL;
	return kept;
}

/* Of a process the first thread alone is asked: all have the same mappings, and each is to count once. */
static __always_inline void adopt_share(struct prov_scene *scene, struct task_struct *task,
					struct vm_area_struct *vma)
{
	struct inode *inode = vma->vm_file->f_inode;
	__u64 address = (__u64)plain(inode);

	if (!(vma->vm_flags & VM_MAYSHARE) || task->pid != task->tgid ||
	    (inode->i_mode & S_IFMT) != S_IFREG)
		return;
	if (is_anonymous_memory(inode) || mapped_at(&address))
		share_inode(scene, inode, vma->vm_flags & VM_ACCESS);
}

/*
 * Run once, when the recorder has opened what is mapped: each file goes into the address spaces that it
 * was already mapped into. A file has several mappings in each; one edge tells all of a kind.
 */
SEC("iter/task_vma")
int adopt_mappings(struct bpf_iter__task_vma *ctx)
{
	struct task_struct *task = ctx->task;
	struct vm_area_struct *vma = ctx->vma;
	struct prov_adopted_file *kept;
	struct prov_scene scene;
	struct file *file;
	bool shared;

	if (!task || !vma)
		return 0;
	file = vma->vm_file;
	if (!file)
		return 0;
	if (!scene_of(&scene, task) || scene.silent || !scene.memory)
		return 0;
	adopt_share(&scene, task, vma);
	kept = kept_file(file->f_inode);
	if (!kept)
		return 0;
	if (!scene.wanted && !(kept->image.marks & MARK_TRACKED))
		return 0;
	if (!is_introduced(&scene))
		introduce_other(&scene, task);
	shared = vma->vm_flags & VM_MAYSHARE;
	if (kept->given[shared] == scene.memory->node.id)
		return 0;
	kept->given[shared] = scene.memory->node.id;
	if (shared)
		uses_image(&scene, REL_MMAP, &kept->image);
	else
		uses_image(&scene, REL_MMAP_PRIVATE, &kept->image);
	return 0;
}

static __noinline int controls(struct file *file, __u32 command)
{
	struct inode *inode = file->f_inode;
	struct prov_detail detail = {
		.flags = command,
		.offset = NO_OFFSET,
		.kind = kind_of_file(file),
	};
	__u32 ways = ioctl_ways(command, is_terminal(inode));
	struct prov_scene scene;
	struct prov_node *node;

	if (!ways || !current_scene(&scene))
		return 0;
	node = descriptor_node(&scene, file);
	if (!node)
		return 0;
	detail.no_content = ways & IOCTL_NO_CONTENT;
	if (ways & IOCTL_WRITES)
		generates(&scene, REL_WRITE_IOCTL, node, &detail);
	if (ways & IOCTL_READS)
		uses(&scene, REL_READ_IOCTL, node, &detail);
	return 0;
}

SEC("lsm/file_ioctl")
int BPF_PROG(file_ioctl, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
	if (!ret)
		controls(file, cmd);
	return ret;
}

/* 32-bit callers; since f1bb47a31dff "lsm: new security_file_ioctl_compat() hook" (6.8, and stable 6.1) */
SEC("lsm/file_ioctl_compat")
int BPF_PROG(file_ioctl_compat, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
	if (!ret)
		controls(file, cmd);
	return ret;
}

SEC("lsm/file_lock")
int BPF_PROG(file_lock, struct file *file, unsigned int cmd, int ret)
{
	struct prov_detail detail = {
		.flags = cmd,
		.offset = NO_OFFSET,
		.kind = kind_of_file(file),
	};
	struct prov_scene scene;
	struct prov_node *node;

	if (ret || !current_scene(&scene))
		return ret;
	node = descriptor_node(&scene, file);
	if (node)
		generates(&scene, REL_FILE_LOCK, node, &detail);
	return 0;
}

/* From a message, or taken out of another process; the sender's half is in socket.bpf.c. */
SEC("lsm/file_receive")
int BPF_PROG(file_receive, struct file *file, int ret)
{
	struct prov_detail detail = {
		.flags = file->f_flags,
		.offset = NO_OFFSET,
		.kind = kind_of_file(file),
	};
	struct prov_handed *handed;
	struct prov_scene scene;
	struct prov_node *node;

	if (ret || !current_scene(&scene))
		return ret;
	handed = handed_file(&scene, file);
	node = descriptor_node(&scene, file);
	if (!node)
		return 0;
	if (scene.task->taken_from > TAKING)
		comes_from_owner(&scene, node, detail.kind);
	else if (handed)
		comes_from_sender(&scene, handed, (__u64)file, node, detail.kind);
	uses(&scene, REL_FILE_RCV, node, &detail);
	return 0;
}
