// SPDX-License-Identifier: GPL-2.0
/*
 * A descriptor that is taken out of another process (pidfd_getfd). Who is asked for it is known to
 * ptrace_access_check, and the file to file_receive: what the first finds is kept for the second.
 */
#include "../objects/task.h"

static __always_inline void note_owner(__u64 id, __u32 index)
{
	struct prov_task *state;

	state = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, 0);
	if (!state)
		return;
	state->taken_from = id;
	state->taken_index = index;
}

SEC("fentry/pidfd_getfd")
int PROBE(pidfd_getfd)
{
	note_owner(TAKING, 0);
	return 0;
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(descriptor_owner, struct task_struct *owner, unsigned int mode, int ret)
{
	struct prov_scene scene;
	struct prov_task *state;

	state = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, 0);
	if (ret || !state || state->taken_from != TAKING)
		return ret;
	if (!scene_of(&scene, owner) || scene.silent || !scene.memory)
		return 0;
	if (is_recorded(&scene) && !is_introduced(&scene))
		introduce_other(&scene, owner);
	note_owner(scene.memory->node.id, scene.task->memory);
	return 0;
}

/* It has come, or it never will. */
SEC("fexit/pidfd_getfd")
int PROBE(pidfd_getfd_done)
{
	note_owner(0, 0);
	return 0;
}
