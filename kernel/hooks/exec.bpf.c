// SPDX-License-Identifier: GPL-2.0
/*
 * A program takes over: its file, the script it interprets, and its arguments become a new memory.
 * The kernel looks at one file after the other (script, interpreter) before the exec is certain, so
 * they are marked as sources and kept until then.
 */
#include "../objects/inode.h"

/* Once per exec call, before any file is looked at */
SEC("lsm/bprm_creds_for_exec")
int BPF_PROG(bprm_creds_for_exec, struct linux_binprm *bprm, int ret)
{
	struct prov_scene scene;

	if (!ret && meet_scene(&scene))
		scene.task->images = 0;
	return ret;
}

/* Once per file: the script first, then the program that reads it */
SEC("lsm/bprm_check_security")
int BPF_PROG(bprm_check_security, struct linux_binprm *bprm, int ret)
{
	struct file *file = bprm->file;
	struct inode *inode = file->f_inode;
	struct prov_scene scene;
	struct prov_node *node;
	__u32 slot;

	if (ret || !open_scene(&scene))
		return ret;
	node = inode_state(&scene, inode);
	slot = scene.task->images;
	if (!node || slot >= EXEC_IMAGES)
		return 0; /* the kernel allows fewer rounds than that */
	fill_image(&scene.task->image[slot], node, kind_of_mode(inode->i_mode));
	scene.task->images = slot + 1;
	if (scene.policy->switches & SWITCH_ENABLED && !(scene.task->node.marks & MARK_OPAQUE))
		file_node(&scene, file);
	return 0;
}

/* What made the new memory: the old one through the task, the files, the arguments. */
static __always_inline void describe_exec(struct prov_scene *scene, struct linux_binprm *bprm)
{
	for (__u32 slot = 0; slot < EXEC_IMAGES; slot++)
		if (slot < scene->task->images)
			derives_from_image(scene, REL_EXEC, &scene->task->image[slot],
					   &scene->memory->node, NODE_MEMORY);
	send_arguments(scene->policy, scene->memory, bprm);
}

/* An executed file makes its process tracked or opaque; the process was it already if it was tracked. */
static __always_inline __u32 marks_by_exec(struct prov_scene *scene)
{
	__u32 marks = scene->task->node.marks & MARK_OPAQUE;

	if (scene->memory)
		marks |= scene->memory->node.marks & MARK_TRACKED;
	for (__u32 slot = 0; slot < EXEC_IMAGES; slot++) {
		if (slot >= scene->task->images)
			continue;
		marks |= scene->task->image[slot].marks & MARK_TRACKED;
		if (scene->task->image[slot].marks & MARK_OPAQUE)
			marks |= MARK_OPAQUE_PROGRAM;
	}
	return marks;
}

/* The scene with the new memory in place of the old one, whose process it was or shared */
static __always_inline void move_into(struct prov_scene *scene, struct prov_memory *memory,
				      struct task_struct *task)
{
	if (scene->memory && scene->memory->tgid == (__u32)task->tgid)
		memory->node.applied = scene->memory->node.applied;
	scene->memory = memory;
	scene->task->node.checked = 0; /* after vfork, marks could not be given to the parent's memory */
	scene->silent = is_silent(scene);
	scene->wanted = is_tracked(scene->policy, &memory->node);
}

/* The point of no return is behind us and the new mm is in place; credentials follow at once. */
SEC("lsm/bprm_committing_creds")
int BPF_PROG(bprm_committing_creds, struct linux_binprm *bprm)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = NODE_MEMORY,
	};
	struct task_struct *task = bpf_get_current_task_btf();
	struct prov_memory *memory;
	struct prov_scene scene;
	__u32 index, old;

	if (!open_scene(&scene))
		return 0;
	index = new_memory(bprm->file, bprm->cred, task->tgid, new_ids(1));
	memory = memory_at(index);
	if (memory) {
		add_marks(&memory->node, marks_by_exec(&scene));
		if (takes_part(&scene, &memory->node))
			generates(&scene, REL_EXEC_TASK, &memory->node, &detail);
		move_into(&scene, memory, task);
	}
	old = __sync_lock_test_and_set(&scene.task->memory, index);
	release_memory(scene.policy, old, 0);
	if (!memory || !is_recorded(&scene))
		return 0;
	memory->argued = scene.policy->epoch; /* by describe_exec, at the very end */
	/* another name, another memory, maybe other ids: what was said of the task is out of date */
	send_task(scene.policy, task, scene.task, bprm->cred, task->nsproxy);
	announce_actor(&scene);
	describe_exec(&scene, bprm);
	return 0;
}
