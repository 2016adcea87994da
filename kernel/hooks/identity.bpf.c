// SPDX-License-Identifier: GPL-2.0
/*
 * Who a process is and what it sees: users, groups, capabilities, namespaces. Each change leads into the
 * process's memory, which is the same before and after, a version on.
 */
#include "../objects/namespace.h"
#include "../objects/task.h"

/*
 * What was said of both is out of date. The thread takes the new ones when the hook is left, and may do
 * nothing more that is recorded, so they are told at once.
 */
static __always_inline void describe_again(struct prov_scene *scene, const struct cred *cred,
					   struct nsproxy *namespaces)
{
	send_memory(scene->policy, scene->memory);
	send_task(scene->policy, bpf_get_current_task_btf(), scene->task, cred, namespaces);
}

/* Threads of one memory can differ: it has what came last. */
static __noinline int becomes(enum prov_relation relation, const struct cred *cred,
			      struct nsproxy *namespaces, __u32 flags, __u8 outcome)
{
	struct prov_detail detail = {
		.flags = flags,
		.outcome = outcome,
		.offset = NO_OFFSET,
		.kind = NODE_MEMORY,
	};
	struct prov_scene scene;

	if (!open_scene(&scene) || !scene.memory)
		return 0;
	generates(&scene, relation, &scene.memory->node, &detail);
	scene.memory->uid = cred->uid.val;
	scene.memory->gid = cred->gid.val;
	if (is_recorded(&scene))
		describe_again(&scene, cred, namespaces);
	return 0;
}

static __always_inline struct nsproxy *own_namespaces(void)
{
	return bpf_get_current_task_btf()->nsproxy;
}

/* The whole set*uid family */
SEC("lsm/task_fix_setuid")
int BPF_PROG(task_fix_setuid, struct cred *new, const struct cred *old, int flags, int ret)
{
	if (!ret)
		becomes(REL_SETUID, new, own_namespaces(), flags, OUTCOME_AT_HOOK);
	return ret;
}

/* The whole set*gid family */
SEC("lsm/task_fix_setgid")
int BPF_PROG(task_fix_setgid, struct cred *new, const struct cred *old, int flags, int ret)
{
	if (!ret)
		becomes(REL_SETGID, new, own_namespaces(), flags, OUTCOME_AT_HOOK);
	return ret;
}

/* Which groups they are is not told, but how many. */
SEC("lsm/task_fix_setgroups")
int BPF_PROG(task_fix_setgroups, struct cred *new, const struct cred *old, int ret)
{
	if (!ret)
		becomes(REL_SETGROUPS, new, own_namespaces(), BPF_CORE_READ(new, group_info, ngroups),
			OUTCOME_AT_HOOK);
	return ret;
}

/* By now the kernel's own capability check has agreed, which is the first to be asked. */
SEC("lsm/capset")
int BPF_PROG(capset, struct cred *new, const struct cred *old, const void *effective,
	     const void *inheritable, const void *permitted, int ret)
{
	if (!ret)
		becomes(REL_CAPSET, new, own_namespaces(), effective_capabilities(new), OUTCOME_AT_HOOK);
	return ret;
}

/* unshare and setns meet here when all is done but the change itself; a task that exits gives all back. */
SEC("fentry/switch_task_namespaces")
int PROBE(switch_task_namespaces, struct task_struct *task, struct nsproxy *new)
{
	__u32 changed;

	if (!new || task != bpf_get_current_task_btf())
		return 0;
	changed = namespaces_that_differ(task->nsproxy, new);
	if (changed)
		becomes(REL_SETNS, task->cred, new, changed, OUTCOME_DONE);
	return 0;
}

/* The user namespace goes with the credentials; nothing fails from here on. */
SEC("fentry/commit_creds")
int PROBE(commit_creds, struct cred *new)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (new->user_ns != task->cred->user_ns)
		becomes(REL_SETNS, new, task->nsproxy, CLONE_NEWUSER, OUTCOME_DONE);
	return 0;
}
