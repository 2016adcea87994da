// SPDX-License-Identifier: GPL-2.0
/*
 * Signals that one task sends to another by a system call, and those by which a file calls its owner. Of
 * the former the LSM hook knows that somebody asked for it and may, and the tracepoint what became of it,
 * but not who is behind it: timers and the kernel itself pass there, too, and can look the same. So both
 * are needed.
 */
#include "../objects/descriptor.h"
#include "../objects/other.h"

/* include/trace/events/signal.h */
enum {
	TRACE_SIGNAL_DELIVERED,
	TRACE_SIGNAL_IGNORED,
	TRACE_SIGNAL_ALREADY_PENDING,
	TRACE_SIGNAL_OVERFLOW_FAIL,
	TRACE_SIGNAL_LOSE_INFO,
};

enum {
	SEND_SIG_PRIV = 1, /* as address, for the kernel; 0 for the task that runs: kill(2), in 7.3 */
	SI_USER = 0,
	SI_TKILL = -6,
};

static __always_inline struct prov_task *own_state(void)
{
	return bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, 0);
}

/* Signal 0 asks whether there is such a process: nothing is sent. */
SEC("lsm/task_kill")
int BPF_PROG(task_kill, struct task_struct *task, struct kernel_siginfo *info, int number,
	     const struct cred *cred, int ret)
{
	struct prov_scene scene;

	if (ret || !number || (__u64)plain(info) == SEND_SIG_PRIV || !open_scene(&scene))
		return ret;
	scene.task->signals = (__u64)plain(task);
	return 0;
}

/* Who or what sent it. At address 0 is a 0, and so it is at that of SEND_SIG_PRIV. */
static __always_inline int code_of(struct kernel_siginfo *info)
{
	struct kernel_siginfo___code *read = plain(info);

	return FIELD(read, si_code);
}

/* Only what sigqueue(3) and its kind send has a value that the sender chose. */
static __always_inline bool has_value(int code)
{
	return code != SI_USER && code != SI_TKILL;
}

/* Of a child that ends, a fault, a timer: no permission is asked for such, and nobody may claim it. */
static __always_inline bool is_of_kernel(int code)
{
	return code > SI_USER;
}

/* The value goes on into the receiver's memory, where any of its threads may use it. */
static __noinline int hands_on(struct prov_scene *scene, struct prov_node *receiver,
			       struct task_struct *task)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = NODE_MEMORY,
		.from_kind = NODE_TASK,
	};
	struct prov_node *memory = memory_of(scene, task);

	if (memory && receiver && derives(scene, REL_MEMORY_WRITE, receiver, memory, &detail))
		stores(scene, task);
	return 0;
}

static __noinline int signals(struct task_struct *task, int number, bool value)
{
	struct prov_detail detail = {
		.flags = number,
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = NODE_TASK,
		.no_content = !value,
	};
	struct prov_scene scene;
	struct prov_node *node;

	if (!task || !current_scene(&scene))
		return 0;
	node = node_of(&scene, task);
	if (!node)
		return 0;
	generates(&scene, REL_SIGNAL, node, &detail);
	if (value)
		hands_on(&scene, node, task);
	return 0;
}

/* An ignored signal tells nothing, and neither does one that is waiting already. */
SEC("tp_btf/signal_generate")
int BPF_PROG(signal_generate, int number, struct kernel_siginfo *info, struct task_struct *task,
	     int group, int result)
{
	int code = code_of(info);
	struct prov_task *state = is_of_kernel(code) ? NULL : own_state();

	if (!state || !state->signals || state->signals != (__u64)plain(task))
		return 0;
	state->signals = 0;
	if (result == TRACE_SIGNAL_DELIVERED || result == TRACE_SIGNAL_LOSE_INFO)
		if (task != bpf_get_current_task_btf())
			signals(task, number, has_value(code));
	return 0;
}

/*
 * Before 6.12 the owner is a part of the file, and nothing leads from it to the file but arithmetic, which
 * the verifier takes for no file any more. What has its node by address can be found all the same.
 */
static __always_inline struct prov_node *blocking_node_of(struct fown_struct *owner,
							  struct prov_detail *detail)
{
	struct file *file = plain(owner) - bpf_core_field_offset(struct file___before_6_12, f_owner);
	struct inode *inode = ADDRESS_IN(file, f_inode);
	__u64 address = (__u64)inode;
	struct prov_blocking *kept = bpf_map_lookup_elem(&blocking, &address);

	detail->kind = kind_of_mode(FIELD(inode, i_mode));
	if (kept && kept->ino == FIELD(inode, i_ino) &&
	    kept->dev == FIELD(inode, i_sb, s_dev) &&
	    !(kept->node.marks & MARKS_OPAQUE))
		return &kept->node;
	count_loss(COUNT_OWNER_UNSEEN);
	return NULL;
}

static __noinline int calls(struct prov_scene *scene, struct file *file, struct prov_detail *detail)
{
	detail->kind = kind_of_mode(file->f_inode->i_mode);
	return reaches(scene, REL_FILE_SIGIO, descriptor_node(scene, file), detail);
}

/* In any context: `current` is whoever was interrupted. Who is called decides whether it is wanted. */
SEC("lsm/file_send_sigiotask")
int BPF_PROG(file_send_sigiotask, struct task_struct *task, struct fown_struct *owner, int number,
	     int ret)
{
	struct prov_detail detail = { .flags = number, .offset = NO_OFFSET };
	struct prov_scene scene;

	if (ret || !scene_of(&scene, task) || !is_recorded(&scene))
		return ret;
	if (!is_introduced(&scene))
		introduce_other(&scene, task);
	if (bpf_core_field_exists(owner->file))
		calls(&scene, owner->file, &detail);
	else
		reaches(&scene, REL_FILE_SIGIO, blocking_node_of(owner, &detail), &detail);
	return 0;
}
