// SPDX-License-Identifier: GPL-2.0
/*
 * A program takes over: its file, the script it interprets, and its arguments become a new memory.
 * The kernel looks at one file after the other (script, interpreter) before the exec is certain, so
 * they are marked as sources and kept until then.
 */
#include "../objects/argv.h"
#include "../objects/inode.h"

/* Once per exec call, before any file is looked at */
SEC("lsm/bprm_creds_for_exec")
int BPF_PROG(bprm_creds_for_exec, struct linux_binprm *bprm, int ret)
{
	struct prov_scene scene;

	if (ret || !open_scene(&scene))
		return ret;
	scene.task->images = 0;
	return 0;
}

/* Once per file: the script first, then the program that reads it */
SEC("lsm/bprm_check_security")
int BPF_PROG(bprm_check_security, struct linux_binprm *bprm, int ret)
{
	struct prov_image *image;
	struct prov_scene scene;
	struct prov_node *node;
	__u32 slot;

	if (ret || !open_scene(&scene))
		return ret;
	node = file_node(&scene, bprm->file);
	slot = scene.task->images;
	if (!node || slot >= EXEC_IMAGES)
		return 0; /* the kernel allows fewer rounds than that */
	image = &scene.task->image[slot];
	image->id = node->id;
	image->version = mark(node);
	image->kind = kind_of_mode(bprm->file->f_inode->i_mode);
	scene.task->images = slot + 1;
	return 0;
}

/* What made the new memory: the old one through the task, the files, the arguments. */
static __always_inline void describe_exec(struct prov_scene *scene, struct linux_binprm *bprm)
{
	for (__u32 slot = 0; slot < EXEC_IMAGES; slot++)
		if (slot < scene->task->images)
			derives_from_image(scene, REL_EXEC, &scene->task->image[slot],
					   &scene->memory->node, NODE_MEMORY);
	if (!is_filtered(scene->policy, REL_ARG, NODE_ARGV))
		send_arguments(scene->policy, scene->memory, bprm);
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
	__u32 index;

	if (!open_scene(&scene))
		return 0;
	index = new_memory(bprm->file, bprm->cred, task->tgid);
	memory = memory_at(index);
	if (memory)
		generates(&scene, REL_EXEC_TASK, &memory->node, &detail);
	release_memory(scene.policy, __sync_lock_test_and_set(&scene.task->memory, index));
	if (!memory)
		return 0;
	/* a child that shared an opaque parent's memory until now is on its own from here */
	memory->node.marks = scene.task->node.marks;
	scene.silent = scene.task->node.marks & MARK_OPAQUE;
	scene.memory = memory;
	if (scene.silent)
		return 0;
	/* another name, another memory, maybe other ids: what was said of the task is out of date */
	describe_task(scene.policy, task, scene.task, bprm->cred);
	announce_actor(&scene, task);
	describe_exec(&scene, bprm);
	return 0;
}
