// SPDX-License-Identifier: GPL-2.0
/* Shared memory of System V: made, attached, detached, released. */
#include "../objects/segment.h"

#define SEGMENT_DETAIL { .offset = NO_OFFSET, .kind = NODE_SHM }

SEC("lsm/shm_alloc_security")
int BPF_PROG(shm_alloc_security, struct kern_ipc_perm *perm, int ret)
{
	struct prov_detail detail = SEGMENT_DETAIL;
	struct prov_loose *segment;
	struct prov_scene scene;

	if (ret || !current_scene(&scene) || !scene.wanted)
		return ret;
	segment = new_loose(perm);
	if (!segment)
		return 0;
	inherit(&scene, &segment->node);
	send_segment(scene.policy, perm, &segment->node, true);
	generates(&scene, REL_SH_CREATE, &segment->node, &detail);
	return 0;
}

/* The inode that is going to be mapped is known at mmap_file, which can still refuse. */
SEC("lsm/shm_shmat")
int BPF_PROG(shm_shmat, struct kern_ipc_perm *perm, char *address, int flags, int ret)
{
	struct prov_scene scene;

	if (!ret && current_scene(&scene))
		scene.task->attaching = (__u64)perm;
	return ret;
}

/* What others have written there comes by the inode. */
static __noinline int reads_segment(struct prov_scene *scene, struct prov_node *inode, __u8 kind,
				    struct prov_node *segment)
{
	struct prov_detail relayed = { .offset = NO_OFFSET, .from_kind = kind, .kind = NODE_SHM };
	struct prov_detail detail = SEGMENT_DETAIL;

	if (!scene || !inode || !segment)
		return 0;
	derives(scene, REL_RELAY, inode, segment, &relayed);
	uses(scene, REL_SH_ATTACH_READ, segment, &detail);
	return 0;
}

/* From now on whatever the process knows may be there. True: the inode has been entered for that. */
static __noinline bool writes_segment(struct prov_scene *scene, struct prov_node *segment,
				      struct prov_node *inode, __u8 kind)
{
	struct prov_detail relayed = { .offset = NO_OFFSET, .from_kind = NODE_SHM, .kind = kind };
	struct prov_detail detail = SEGMENT_DETAIL;

	if (!scene || !inode || !segment)
		return false;
	generates(scene, REL_SH_ATTACH, segment, &detail);
	return derives(scene, REL_RELAY, segment, inode, &relayed);
}

/*
 * All that is in the inode so far comes with the attachment: what file.bpf.c has kept for the mapping that
 * follows does not have our own entry yet. `before`: entries before that one
 */
static __always_inline void knows_inode(struct prov_scene *scene, struct inode *inode,
					struct prov_node *node, __u32 before, bool entered)
{
	__u32 now = *(volatile __u32 *)&node->entries;

	if (scene->task->mapping.inode == (__u64)plain(inode) && is_recorded(scene))
		scene->task->mapping.seen =
			seen_now(scene->policy, now == before + entered ? now : before);
}

static __always_inline int attaches(struct prov_scene *scene, struct file *file,
				    struct kern_ipc_perm *perm)
{
	struct inode *inode = file->f_inode;
	__u8 kind = kind_of_mode(inode->i_mode);
	struct prov_loose *segment = loose_object(perm);
	struct prov_node *mapped;
	bool entered = false;
	__u32 before;

	if (!segment)
		return 0;
	link_segment(segment, perm, inode);
	takes_part(scene, &segment->node);
	mapped = inode_node(scene, inode);
	if (!mapped || !takes_part(scene, &segment->node))
		return 0;
	if (segment->node.sent != scene->policy->epoch)
		send_segment(scene->policy, perm, &segment->node, false);
	before = *(volatile __u32 *)&mapped->entries;
	reads_segment(scene, mapped, kind, &segment->node);
	if (file->f_mode & FMODE_WRITE)
		entered = writes_segment(scene, &segment->node, mapped, kind);
	knows_inode(scene, inode, mapped, before, entered);
	return 0;
}

/* shmat(2) comes here last. */
SEC("lsm/mmap_file")
int BPF_PROG(mmap_segment, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	struct kern_ipc_perm *perm;
	struct prov_scene scene;

	if (ret || !file || !(file->f_inode->i_sb->s_flags & SB_NOUSER) || !current_scene(&scene))
		return ret;
	perm = (void *)scene.task->attaching;
	if (!perm)
		return 0;
	scene.task->attaching = 0;
	if (inode_of_segment(perm) == file->f_inode)
		attaches(&scene, file, perm);
	return 0;
}

/*
 * The mapping is the acting task's own: it unmaps it, or its address space ends with exec or
 * exit.
 */
static __always_inline bool is_own(struct vm_area_struct *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->mm == vma->vm_mm || task->flags & PF_EXITING ||
	       BPF_CORE_READ_BITFIELD(task, in_execve);
}

/*
 * Every way to lose an attachment ends here. All that the process has come to know may be left
 * there.
 */
SEC("fentry/shm_close")
int BPF_PROG(shm_close, struct vm_area_struct *vma)
{
	struct prov_detail detail = SEGMENT_DETAIL;
	struct prov_loose *segment;
	struct prov_scene scene;

	segment = segment_behind(vma->vm_file->f_inode);
	if (!segment || !is_own(vma) || !current_scene(&scene))
		return 0;
	if (!takes_part(&scene, &segment->node))
		return 0;
	detail.flags = vma->vm_flags;
	detail.no_content = !(vma->vm_flags & VM_MAYWRITE);
	generates(&scene, REL_SH_DETACH, &segment->node, &detail);
	return 0;
}

SEC("lsm/shm_free_security")
int BPF_PROG(shm_free_security, struct kern_ipc_perm *perm)
{
	struct prov_loose *segment = met_loose(perm);

	if (segment)
		unlink_segment(segment, perm);
	end_loose(perm, NODE_SHM);
	return 0;
}
