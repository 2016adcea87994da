// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of another process: who may get at it, and who has read it or written it. The permission is
 * no flow, and is asked for much that never comes; what is done with it is recorded when it has succeeded.
 */
#include "../objects/naming.h"

#define PTRACE_MODE_READ 1
#define PTRACE_MODE_ATTACH 2
#define FOLL_WRITE 1

/* Requests of ptrace(2) for registers and the signal at hand; those for memory pass __access_remote_vm. */
enum {
	PTRACE_PEEKUSR = 3,
	PTRACE_POKEUSR = 6,
	PTRACE_GETREGS = 12,
	PTRACE_SETREGS = 13,
	PTRACE_GETFPREGS = 14,
	PTRACE_SETFPREGS = 15,
	PTRACE_GETFPXREGS = 18,
	PTRACE_SETFPXREGS = 19,
	PTRACE_GETSIGINFO = 0x4202,
	PTRACE_SETSIGINFO = 0x4203,
	PTRACE_GETREGSET = 0x4204,
	PTRACE_SETREGSET = 0x4205,
	PTRACE_PEEKSIGINFO = 0x4209,
	PTRACE_GET_SYSCALL_INFO = 0x420e,
};

/* The acting task and another one, whose state is made if need be */
struct prov_encounter {
	struct prov_scene scene;
	struct prov_task *other;
	struct prov_memory *memory; /* of the other; NULL: the same, or none */
};

static __always_inline bool meets(struct prov_encounter *met, struct task_struct *task)
{
	struct prov_scene *scene = &met->scene;

	met->other = task_state(scene->policy, task);
	if (!met->other || met->other == scene->task || met->other->node.marks & MARK_OPAQUE)
		return false;
	met->memory = NULL;
	if (met->other->memory != scene->task->memory)
		met->memory = memory_at(met->other->memory);
	return !met->memory || takes_part(scene, &met->memory->node);
}

/* Control both ways: no content yet */
static __noinline int may_read(struct prov_encounter *met, __u32 mode)
{
	struct prov_detail detail = { .flags = mode, .offset = NO_OFFSET, .kind = NODE_TASK };

	if (!met || !met->other)
		return 0;
	uses(&met->scene, REL_PTRACE_READ_TASK, &met->other->node, &detail);
	detail.kind = NODE_MEMORY;
	if (met->memory)
		uses(&met->scene, REL_PTRACE_READ, &met->memory->node, &detail);
	return 0;
}

static __noinline int may_attach(struct prov_encounter *met, __u32 mode)
{
	struct prov_detail detail = { .flags = mode, .offset = NO_OFFSET, .kind = NODE_MEMORY };

	if (!met || !met->other)
		return 0;
	if (met->memory)
		generates(&met->scene, REL_PTRACE_ATTACH, &met->memory->node, &detail);
	detail.kind = NODE_TASK;
	generates(&met->scene, REL_PTRACE_ATTACH_TASK, &met->other->node, &detail);
	return 0;
}

static __always_inline bool encounters(struct prov_encounter *met, struct task_struct *task)
{
	if (!current_scene(&met->scene) || !meets(met, task) || !is_recorded(&met->scene))
		return false;
	announce_task(met->scene.policy, task, met->other);
	if (met->memory)
		announce_memory(met->scene.policy, met->memory);
	return true;
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(ptrace_access_check, struct task_struct *child, unsigned int mode, int ret)
{
	struct prov_encounter met;

	if (ret || !encounters(&met, child))
		return ret;
	if (mode & PTRACE_MODE_READ)
		may_read(&met, mode);
	if (mode & PTRACE_MODE_ATTACH)
		may_attach(&met, mode);
	return 0;
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(ptrace_traceme, struct task_struct *parent, int ret)
{
	struct prov_detail detail = { .offset = NO_OFFSET, .kind = NODE_TASK };
	struct prov_encounter met;

	if (ret || !encounters(&met, parent))
		return ret;
	generates(&met.scene, REL_PTRACE_TRACEME, &met.other->node, &detail);
	return 0;
}

#define MEMORY_DETAIL(mask)                                                                    \
	{                                                                                       \
		.flags = (mask), .outcome = OUTCOME_DONE, .offset = NO_OFFSET, .kind = NODE_MEMORY \
	}

/* What the other shares with others is in its memory, too, and goes on to there. */
static __noinline int reads_memory(struct prov_scene *scene, __u32 index, __u32 flags)
{
	struct prov_detail detail = MEMORY_DETAIL(flags);
	struct prov_memory *memory = memory_at(index);

	if (!scene || !memory)
		return 0;
	if (memory->shares)
		pull_shares(index);
	uses(scene, REL_VM_READ, &memory->node, &detail);
	return 0;
}

static __noinline int writes_memory(struct prov_scene *scene, __u32 index, __u32 flags)
{
	struct prov_detail detail = MEMORY_DETAIL(flags);
	struct prov_memory *memory = memory_at(index);

	if (!scene || !memory)
		return 0;
	if (generates(scene, REL_VM_WRITE, &memory->node, &detail) && memory->shares)
		push_shares(index);
	return 0;
}

/* `index` is not the actor's own. */
static __noinline int touches(struct prov_scene *scene, __u32 index, bool writes, __u32 flags)
{
	struct prov_memory *memory = memory_at(index);

	if (!scene || !memory || index == scene->task->memory ||
	    !takes_part(scene, &memory->node))
		return 0;
	announce_memory(scene->policy, memory);
	return writes ? writes_memory(scene, index, flags) : reads_memory(scene, index, flags);
}

static __always_inline int touches_task(struct task_struct *task, bool writes, __u32 flags)
{
	struct prov_task *other;
	struct prov_scene scene;

	if (!current_scene(&scene))
		return 0;
	other = task_state(scene.policy, task);
	if (other && !(other->node.marks & MARK_OPAQUE))
		touches(&scene, other->memory, writes, flags);
	return 0;
}

/*
 * /proc/PID/mem, environ and cmdline, and the requests of ptrace for memory: all have only the mm. Its
 * owner is one of the tasks that use it.
 */
SEC("fexit/__access_remote_vm")
int PROBE(access_remote_vm, struct mm_struct *mm, unsigned long addr, void *buf, int len,
	     unsigned int gup_flags, int ret)
{
	struct task_struct *owner = mm->owner;

	if (ret <= 0 || !owner)
		return 0;
	return touches_task(owner, gup_flags & FOLL_WRITE, 0);
}

static __always_inline int ptraced(struct task_struct *child, __u32 request)
{
	switch (request) {
	case PTRACE_PEEKUSR:
	case PTRACE_GETREGS:
	case PTRACE_GETFPREGS:
	case PTRACE_GETFPXREGS:
	case PTRACE_GETSIGINFO:
	case PTRACE_GETREGSET:
	case PTRACE_PEEKSIGINFO:
	case PTRACE_GET_SYSCALL_INFO:
		return touches_task(child, false, request);
	case PTRACE_POKEUSR:
	case PTRACE_SETREGS:
	case PTRACE_SETFPREGS:
	case PTRACE_SETFPXREGS:
	case PTRACE_SETSIGINFO:
	case PTRACE_SETREGSET:
		return touches_task(child, true, request);
	default:
		return 0;
	}
}

SEC("fexit/arch_ptrace")
int PROBE(arch_ptrace, struct task_struct *child, long request, unsigned long addr,
	     unsigned long data, long ret)
{
	return ret < 0 ? 0 : ptraced(child, request);
}

SEC("fexit/compat_arch_ptrace")
int PROBE(compat_arch_ptrace, struct task_struct *child, int request, unsigned int addr,
	     unsigned int data, long ret)
{
	return ret < 0 ? 0 : ptraced(child, request);
}

/* Whose memory it is that process_vm_readv and process_vm_writev are about: they have only a number. */
SEC("fentry/mm_access")
int PROBE(mm_access, struct task_struct *task)
{
	struct prov_policy *policy = current_policy();
	struct prov_task *self, *other;

	self = current_state(policy);
	other = task_state(policy, task);
	if (self && other)
		self->accessed = other->node.marks & MARK_OPAQUE ? 0 : other->memory;
	return 0;
}

static __always_inline int vectors_moved(bool writes, long moved)
{
	struct prov_scene scene;

	if (moved <= 0 || !current_scene(&scene))
		return 0;
	return touches(&scene, scene.task->accessed, writes, 0);
}

SEC("fexit/__x64_sys_process_vm_readv")
int PROBE(process_vm_readv, void *regs, long ret)
{
	return vectors_moved(false, ret);
}

SEC("fexit/__x64_sys_process_vm_writev")
int PROBE(process_vm_writev, void *regs, long ret)
{
	return vectors_moved(true, ret);
}

SEC("fexit/__ia32_sys_process_vm_readv")
int PROBE(process_vm_readv_32, void *regs, long ret)
{
	return vectors_moved(false, ret);
}

SEC("fexit/__ia32_sys_process_vm_writev")
int PROBE(process_vm_writev_32, void *regs, long ret)
{
	return vectors_moved(true, ret);
}
