// SPDX-License-Identifier: GPL-2.0
/*
 * Shared mappings: which there are, and what becomes of them. Every mapping of a file is linked to its
 * inode while it is there, those of shared anonymous memory and of segments too: so the two functions that
 * link and unlink see all, and mmap_file (file.bpf.c) has told of most before.
 */
#include "../objects/mapping.h"

static __always_inline bool is_shared_file(struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_MAYSHARE && vma->vm_file;
}

static __always_inline bool is_ours(struct vm_area_struct *vma)
{
	return vma->vm_mm == bpf_get_current_task_btf()->mm;
}

static __always_inline int links(void *ctx, struct vm_area_struct *vma)
{
	struct prov_scene scene;
	struct inode *inode;

	if (!is_shared_file(vma) || !is_ours(vma) || is_seen_to(ctx))
		return 0;
	inode = vma->vm_file->f_inode;
	if ((inode->i_mode & S_IFMT) == S_IFREG && open_scene(&scene))
		share_inode(&scene, inode, vma->vm_flags & VM_ACCESS);
	return 0;
}

SEC("fentry/vma_interval_tree_insert")
PROBE_MARK int BPF_PROG(vma_interval_tree_insert, struct vm_area_struct *vma)
{
	return links(ctx, vma);
}

/* the same under its name in 7.3 */
SEC("fentry/mapping_rmap_tree_insert")
PROBE_MARK int BPF_PROG(mapping_rmap_tree_insert, struct vm_area_struct *vma)
{
	return links(ctx, vma);
}

static __always_inline struct prov_share *own_share(struct prov_scene *scene, __u64 mapped)
{
	return scene->memory ? share_of(scene->task->memory, mapped) : NULL;
}

/*
 * The last mapping of it: what was loaded until now counts, what comes later does not. Who `ends` can give
 * nothing of it to anybody.
 */
static __noinline int leave_inode(struct prov_scene *scene, __u64 mapped, bool ends)
{
	struct prov_share *share = scene ? own_share(scene, mapped) : NULL;

	if (!share)
		return 0;
	if (share->mappings == 1 && is_recorded(scene) && !ends)
		pull_shares(scene->task->memory);
	if (share->mappings > 0)
		__sync_fetch_and_add(&share->mappings, -1);
	return 0;
}

/* A task that ends has given its address space up before the mappings in it go. */
static __always_inline bool is_ending(void)
{
	return !bpf_get_current_task_btf()->mm;
}

/*
 * A mapping that is moved or cut is unlinked, too, and linked again. Apart: most mappings are private, and are
 * left before registers are saved for all the rest.
 */
static __noinline int unlinks(void *ctx, struct vm_area_struct *vma)
{
	struct prov_scene scene;
	bool ends = is_ending();

	if ((ends || is_ours(vma)) && !is_seen_to(ctx) && open_scene(&scene) && scene.memory &&
	    scene.memory->shares)
		leave_inode(&scene, (__u64)plain(vma->vm_file->f_inode), ends);
	return 0;
}

SEC("fentry/vma_interval_tree_remove")
PROBE_MARK int BPF_PROG(vma_interval_tree_remove, struct vm_area_struct *vma)
{
	return is_shared_file(vma) ? unlinks(ctx, vma) : 0;
}

/* the same under its name in 7.3 */
SEC("fentry/mapping_rmap_tree_remove")
PROBE_MARK int BPF_PROG(mapping_rmap_tree_remove, struct vm_area_struct *vma)
{
	return is_shared_file(vma) ? unlinks(ctx, vma) : 0;
}

struct prov_leaving {
	struct prov_scene *scene;
	struct prov_shares *shares;
};

/* The node may have gone with its file. */
static long tell_unmapped(__u32 slot, struct prov_leaving *leaving)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = NODE_FILE,
	};
	struct prov_share *share = &leaving->shares->share[slot & (SHARES - 1)];
	struct prov_mapped *mapped;

	if (!share->mapped || !take_unused(share))
		return 0;
	mapped = mapped_at(&share->inode);
	detail.flags = share->access;
	share->inode = 0;
	share->mapped = 0; /* last: from here on it is free */
	if (mapped && !(mapped->at.node.marks & MARKS_OPAQUE) &&
	    was_announced(leaving->scene->policy, &mapped->at.node))
		generates(leaving->scene, REL_MUNMAP, &mapped->at.node, &detail);
	return 0;
}

static __noinline int tell_all_unmapped(void)
{
	struct prov_leaving leaving;
	struct prov_scene scene;

	if (!current_scene(&scene) || !scene.memory || !scene.memory->shares)
		return 0;
	leaving.scene = &scene;
	leaving.shares = shares_of(scene.task->memory);
	if (leaving.shares)
		bpf_loop(SHARES, tell_unmapped, &leaving, 0);
	return 0;
}

SEC("fexit/__vm_munmap")
int PROBE(vm_munmap, unsigned long start, size_t length, bool unlock, int ret)
{
	return ret ? 0 : tell_all_unmapped();
}

SEC("fexit/ksys_shmdt")
int PROBE(ksys_shmdt, char *address, long ret)
{
	return ret ? 0 : tell_all_unmapped();
}

/* The pages may now be used in a way in which they could not: only that is new. */
static __noinline int gain_access(struct prov_scene *scene, struct file *file, bool shared,
				  __u32 prot)
{
	struct prov_detail detail = { .flags = prot, .offset = NO_OFFSET, .kind = NODE_FILE };
	struct prov_node *node = file_node(scene, file);

	if (!node)
		return 0;
	if (shared)
		uses(scene, REL_MMAP, node, &detail);
	else
		uses(scene, REL_MMAP_PRIVATE, node, &detail);
	return 0;
}

static __noinline int share_more(struct prov_scene *scene, __u64 mapped, __u32 access)
{
	struct prov_share *share = scene ? own_share(scene, mapped) : NULL;

	if (!share || !(access & ~share->access))
		return 0;
	__sync_fetch_and_or(&share->access, access);
	spread_shares(scene->task->memory, access & VM_WRITE && is_recorded(scene));
	return 0;
}

/* PROT_* are the VM_* of the same name. */
SEC("lsm/file_mprotect")
int BPF_PROG(file_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot,
	     int ret)
{
	struct file *file = vma->vm_file;
	struct prov_scene scene;
	bool shared;

	if (ret || !file || !(prot & ~vma->vm_flags & VM_ACCESS) || !open_scene(&scene))
		return ret;
	if ((file->f_inode->i_mode & S_IFMT) != S_IFREG)
		return 0;
	shared = vma->vm_flags & VM_MAYSHARE;
	if (!scene.silent)
		gain_access(&scene, file, shared, prot);
	if (shared)
		share_more(&scene, (__u64)plain(file->f_inode), prot & VM_ACCESS);
	return 0;
}
