// SPDX-License-Identifier: GPL-2.0
/* Birth and death of threads, and the groups they are in between. */
#include "../objects/other.h"
#include "../objects/sharing.h"

#define CLONE_VM 0x100

/* Somebody who has found it in the list of tasks may have given it a memory of its own a moment ago. */
static __always_inline void share_with(struct prov_scene *scene, struct prov_task *child)
{
	__u32 met;

	share_memory(scene->task->memory);
	met = __sync_lock_test_and_set(&child->memory, scene->task->memory);
	release_memory(scene->policy, met, 0);
}

static __always_inline struct prov_memory *own_memory(struct prov_scene *scene,
						      struct prov_task *child,
						      struct task_struct *task, __u64 id)
{
	__u32 index = new_memory(task->mm->exe_file, task->cred, task->tgid, id);

	if (__sync_val_compare_and_swap(&child->memory, 0, index) != 0)
		release_memory(scene->policy, index, 0);
	return memory_at(child->memory);
}

/* Its memory: shared, or a copy that derives from the parent's */
static __always_inline void give_memory(struct prov_scene *scene, struct prov_task *child,
					struct task_struct *task, __u64 id,
					struct prov_detail *detail)
{
	struct prov_memory *memory;

	if (!scene->memory)
		return;
	if (detail->flags & CLONE_VM) {
		share_with(scene, child);
		return;
	}
	memory = own_memory(scene, child, task, id);
	if (!memory)
		return;
	detail->kind = NODE_MEMORY;
	memory->argued = scene->memory->argued; /* those of the parent, which it derives from */
	add_marks(&memory->node,
		  scene->memory->node.marks & (MARK_TRACKED | MARK_OPAQUE_PROGRAM));
	generates(scene, REL_CLONE_MEM, &memory->node, detail);
	if (scene->memory->shares)
		inherit_shares(scene->task->memory, child->memory);
}

/* Nothing can fail any more, and the child has not run yet; at task_alloc the kernel may still change its mind. */
SEC("tp_btf/task_newtask")
int BPF_PROG(task_newtask, struct task_struct *task, unsigned long clone_flags)
{
	struct prov_detail detail = { .flags = clone_flags, .offset = NO_OFFSET };
	struct prov_scene scene;
	struct prov_task *child;
	__u64 id;

	if (!open_scene(&scene))
		return 0;
	child = stored_task(task);
	if (!child)
		return 0;
	id = new_ids(2); /* of the task, and of the memory that it may get */
	detail.is_first = !is_born(&child->node);
	give_memory(&scene, child, task, id + 1, &detail);
	give_birth(&child->node, id, 0);
	detail.kind = NODE_TASK;
	generates(&scene, REL_CLONE, &child->node, &detail);
	return 0;
}

/* A thread may have been cloned in an edge and never have acted: then its end is where it is described. */
static __always_inline void tell_end(struct prov_policy *policy, struct task_struct *task,
				     struct prov_task *state, __u32 status)
{
	struct prov_scene scene = {
		.policy = policy,
		.task = state,
		.memory = memory_at(state->memory),
	};

	if (is_silent(&scene))
		return;
	if (is_tracked(policy, actor_node(&scene)))
		announce_task(policy, task, state);
	ends(policy, REL_TERMINATE_TASK, &state->node, NODE_TASK, status);
}

SEC("lsm/task_setpgid")
int BPF_PROG(task_setpgid, struct task_struct *task, int pgid, int ret)
{
	struct prov_detail detail = { .flags = pgid, .offset = NO_OFFSET, .kind = NODE_MEMORY };
	struct prov_scene scene;
	struct prov_node *target;

	if (ret || !current_scene(&scene))
		return ret;
	target = memory_of(&scene, task);
	if (target)
		generates(&scene, REL_SETPGID, target, &detail);
	return 0;
}

SEC("lsm/task_getpgid")
int BPF_PROG(task_getpgid, struct task_struct *task, int ret)
{
	struct prov_detail detail = { .offset = NO_OFFSET, .kind = NODE_MEMORY };
	struct prov_scene scene;
	struct prov_node *target;

	if (ret || !current_scene(&scene))
		return ret;
	target = memory_of(&scene, task);
	if (target)
		uses(&scene, REL_GETPGID, target, &detail);
	return 0;
}

/* Told by the first of the two programs below that comes by. */
static __always_inline void finish_task(struct prov_policy *policy, struct task_struct *task,
				   struct prov_task *state)
{
	__u32 status;

	if (!is_born(&state->node) || __sync_lock_test_and_set(&state->finished, 1))
		return;
	status = task->exit_code;
	tell_end(policy, task, state, status);
	release_memory(policy, __sync_lock_test_and_set(&state->memory, 0), status);
}

/*
 * Only for 6.1, which refuses a look-up that interrupts another one, as task_free can: each thread that
 * has ended comes by here before, and nothing interrupts for it.
 */
SEC("fentry/cgroup_release")
int BPF_PROG(cgroup_release, struct task_struct *task)
{
	struct prov_task *state = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (state)
		finish_task(current_policy(), task, state);
	else
		count_loss(COUNT_TASK_STORAGE);
	return 0;
}

/* After the last reference is gone; runs in any context, so `current` means nothing here. */
SEC("lsm/task_free")
int BPF_PROG(task_free, struct task_struct *task)
{
	struct prov_task *state = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (state)
		finish_task(current_policy(), task, state);
	return 0;
}

/* Run once right after attaching: every thread that is already there gets its node and its memory. */
SEC("iter/task")
int adopt_tasks(struct bpf_iter__task *ctx)
{
	struct prov_policy *policy = current_policy();
	struct task_struct *task = ctx->task;

	if (task)
		task_state(policy, task);
	return 0;
}
