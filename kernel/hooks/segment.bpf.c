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

/* From now on whatever the process knows may be there. */
static __noinline int writes_segment(struct prov_scene *scene, struct prov_node *segment,
				     struct prov_node *inode, __u8 kind)
{
	struct prov_detail relayed = { .offset = NO_OFFSET, .from_kind = NODE_SHM, .kind = kind };
	struct prov_detail detail = SEGMENT_DETAIL;

	if (!scene || !inode || !segment)
		return 0;
	generates(scene, REL_SH_ATTACH, segment, &detail);
	derives(scene, REL_RELAY, segment, inode, &relayed);
	return 0;
}

static __always_inline int attaches(struct prov_scene *scene, struct file *file,
				    struct kern_ipc_perm *perm)
{
	struct inode *inode = file->f_inode;
	__u8 kind = kind_of_mode(inode->i_mode);
	struct prov_loose *segment = loose_object(perm);
	struct prov_node *mapped;

	if (!segment)
		return 0;
	link_segment(segment, perm, inode);
	takes_part(scene, &segment->node);
	mapped = inode_node(scene, inode);
	if (!mapped || !takes_part(scene, &segment->node))
		return 0;
	if (segment->node.sent != scene->policy->epoch)
		send_segment(scene->policy, perm, &segment->node, false);
	reads_segment(scene, mapped, kind, &segment->node);
	if (file->f_mode & FMODE_WRITE)
		writes_segment(scene, &segment->node, mapped, kind);
	return 0;
}

/* shmat(2) comes here last. */
SEC("lsm/mmap_file")
int BPF_PROG(mmap_segment, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	struct kern_ipc_perm *perm;
	struct prov_scene scene;

	if (ret || !file || !(super_of(file->f_inode)->s_flags & SB_NOUSER) || !current_scene(&scene))
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
int PROBE(shm_close, struct vm_area_struct *vma)
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
