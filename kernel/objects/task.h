/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_TASK_H
#define PROVCAP_OBJECTS_TASK_H
/* Threads: their state, their record, and the scene that every hook opens with. */
#include "argv.h"
#include "namespace.h"
#include "path.h"

#define PAGE_KIB 4

static __always_inline __u64 resident_pages(struct mm_struct *mm)
{
	struct mm_struct___before_6_2 *old = (void *)mm;
	__u64 pages = 0;

	/* file, anonymous, (swap), shared: the kernel's own sum leaves swap out */
	if (bpf_core_field_exists(old->rss_stat.count)) {
		pages += FIELD(old, rss_stat.count[0].counter);
		pages += FIELD(old, rss_stat.count[1].counter);
		pages += FIELD(old, rss_stat.count[3].counter);
	} else {
		pages += mm->rss_stat[0].count;
		pages += mm->rss_stat[1].count;
		pages += mm->rss_stat[3].count;
	}
	return pages;
}

static __always_inline void fill_usage(struct prov_task_record *record, struct task_struct *task)
{
	struct mm_struct *mm = READ_ONLY(task)->mm;
	__u64 resident = mm ? resident_pages(mm) : 0;
	__u64 peak = mm ? mm->hiwater_rss : 0;
	__u64 vm = mm ? mm->total_vm : 0;
	__u64 vm_peak = mm ? mm->hiwater_vm : 0;

	record->utime_us = task->utime / 1000;
	record->stime_us = task->stime / 1000;
	record->vm_kib = vm * PAGE_KIB;
	record->rss_kib = resident * PAGE_KIB;
	record->hw_vm_kib = (vm_peak > vm ? vm_peak : vm) * PAGE_KIB;
	record->hw_rss_kib = (peak > resident ? peak : resident) * PAGE_KIB;
	record->read_bytes = 0;
	record->write_bytes = 0;
	record->cancel_write_bytes = 0;
	if (bpf_core_field_exists(task->ioac)) {
		record->read_bytes = task->ioac.read_bytes;
		record->write_bytes = task->ioac.write_bytes;
		record->cancel_write_bytes = task->ioac.cancelled_write_bytes;
	}
}

/* An exiting task has given its namespaces back: all zero then. */
static __always_inline void fill_namespaces(struct prov_task_record *record,
					    struct task_struct *task, struct nsproxy *ns)
{
	struct pid *pid = READ_ONLY(task)->thread_pid;
	struct pid_namespace *own;
	struct upid *last;

	record->utsns = ns ? ns->uts_ns->ns.inum : 0;
	record->ipcns = ns ? ns->ipc_ns->ns.inum : 0;
	record->mntns = ns ? ns->mnt_ns->ns.inum : 0;
	record->netns = ns ? ns->net_ns->ns.inum : 0;
	record->cgroupns = ns ? ns->cgroup_ns->ns.inum : 0;
	record->vpid = 0;
	record->pidns = 0;
	if (!pid)
		return;
	last = &((struct pid *)plain(pid))->numbers[pid->level];
	own = FIELD(last, ns);
	record->vpid = FIELD(last, nr);
	record->pidns = own ? FIELD(own, ns.inum) : 0;
}

static __always_inline void fill_identity(struct prov_task_record *record, struct task_struct *task,
					  const struct cred *cred)
{
	struct tty_struct *tty = READ_ONLY(task)->signal->tty;
	struct dentry *cwd = READ_ONLY(task)->fs->pwd.dentry;

	record->pid = task->pid;
	record->tgid = task->tgid;
	record->ppid = READ_ONLY(task)->real_parent->tgid;
	record->uid = cred->uid.val;
	record->gid = cred->gid.val;
	record->euid = cred->euid.val;
	record->egid = cred->egid.val;
	record->userns = cred->user_ns->ns.inum;
	record->capabilities = effective_capabilities(cred);
	record->loginuid = ~0u;
	record->sessionid = ~0u;
	if (bpf_core_field_exists(task->loginuid)) {
		record->loginuid = task->loginuid.val;
		record->sessionid = task->sessionid;
	}
	record->tty = 0;
	if (tty)
		record->tty = tty->driver->major << 20 | (tty->driver->minor_start + tty->index);
	record->cwd_ino = cwd ? cwd->d_inode->i_ino : 0;
	record->cwd_dev = cwd ? cwd->d_inode->i_sb->s_dev : 0;
	record->reserved = 0;
	record->start_ns = task->start_boottime;
	if (CAN_CAST)
		COPY_WORDS(record->comm, &task->comm, 2);
	else
		bpf_core_read(&record->comm, sizeof(record->comm), &task->comm);
}

/*
 * `cred` and `namespaces` are the task's own, or those that it is about to get. Of the task itself numbers are loaded as
 * they are, which is cheapest, and pointers by way of a cast, for the sake of the verifier.
 */
static __noinline int send_task(struct prov_policy *policy, struct task_struct *task,
				struct prov_task *state, const struct cred *cred,
				struct nsproxy *namespaces)
{
	struct prov_task_record *record;
	struct prov_memory *memory;

	if (!state || !task || is_kind_filtered(policy, NODE_TASK))
		return 0;
	record = RESERVE(struct prov_task_record, RECORD_TASK, NODE_TASK, COUNT_NODE_RING_FULL);
	if (!record)
		return 0;
	memory = memory_at(state->memory);
	fill_node(&record->node, &state->node, policy);
	record->memory = memory ? memory->node.id : 0;
	record->cgroup = READ_ONLY(task)->cgroups->dfl_cgrp->kn->id;
	fill_identity(record, task, READ_ONLY(cred));
	fill_namespaces(record, task, READ_ONLY(namespaces));
	fill_usage(record, task);
	submit(record);
	state->node.sent = policy->epoch;
	return 0;
}

/* One node for the running kernel, which every task runs on: its first version has been a source already. */
static __always_inline struct prov_node *machine_node(void)
{
	struct prov_node *node = &the_machine()->node;

	if (!is_born(node))
		give_birth(node, MACHINE_ID, WORD_OUT);
	return node;
}

static __always_inline void announce_task(struct prov_policy *policy, struct task_struct *task,
					  struct prov_task *state)
{
	if (state->node.sent != policy->epoch)
		send_task(policy, task, state, READ_ONLY(task)->cred, READ_ONLY(task)->nsproxy);
}

/*
 * A thread that was there before us, or whose birth went unseen: it gets the memory that other such
 * threads of its mm have got. Two may come at once (the thread itself and the iterator that looks for
 * it): the first index stays.
 */
static __always_inline __u32 adopt_memory(struct prov_policy *policy, struct task_struct *task)
{
	__u64 mm = (__u64)task->mm;
	struct file *exe = task->mm->exe_file;
	__u32 index, *first;

	if (!mm)
		return 0;
	first = policy->switches & SWITCH_ADOPT ? bpf_map_lookup_elem(&adopted, &mm) : NULL;
	if (first) {
		share_memory(*first);
		return *first;
	}
	index = new_memory(exe, task->cred, task->tgid, new_ids(1));
	if (!index || !(policy->switches & SWITCH_ADOPT) ||
	    !bpf_map_update_elem(&adopted, &mm, &index, BPF_NOEXIST))
		return index;
	first = bpf_map_lookup_elem(&adopted, &mm);
	if (!first)
		return index;
	bpf_map_push_elem(&free_memories, &index, BPF_ANY);
	share_memory(*first);
	return *first;
}

static __noinline int set_up_task(struct prov_policy *policy, struct task_struct *task,
				  struct prov_task *state)
{
	__u32 index;

	if (!task || !state)
		return 0;
	if (!state->memory) {
		index = adopt_memory(policy, READ_ONLY(task));
		if (index && __sync_val_compare_and_swap(&state->memory, 0, index) != 0)
			release_memory(policy, index, 0);
	}
	give_birth(&state->node, new_ids(1), 0);
	return 0;
}

/* Asked twice, because of two CPUs that make the first storage of a thread one is refused. */
static __always_inline struct prov_task *stored_task(struct task_struct *task)
{
	struct prov_task *state;

	state = bpf_task_storage_get(&tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!state)
		state = bpf_task_storage_get(&tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!state)
		count_loss(COUNT_TASK_STORAGE);
	return state;
}

static __always_inline struct prov_task *task_state(struct prov_policy *policy,
						    struct task_struct *task)
{
	struct prov_task *state = stored_task(task);

	if (!state)
		return NULL;
	if (!is_born(&state->node))
		set_up_task(policy, task, state);
	return state;
}

/* Marks are set on the process, which is its leading thread; memory that is its own follows. */
static __noinline int read_marks(struct prov_policy *policy, struct task_struct *task,
				 struct prov_task *state)
{
	struct prov_memory *memory;
	struct prov_marks *marks;

	if (!task || !state)
		return 0;
	marks = bpf_task_storage_get(&task_marks, task->group_leader, NULL, 0);
	memory = memory_at(state->memory);
	apply_marks(&state->node, marks);
	if (memory && memory->tgid == (__u32)task->tgid)
		apply_marks(&memory->node, marks);
	state->node.checked = policy->generation;
	return 0;
}

/* The state of a thread with its marks as they are now; NULL: could not be had, and that was counted */
static __always_inline struct prov_task *known_task(struct prov_policy *policy,
						   struct task_struct *task)
{
	struct prov_task *state = task_state(policy, task);

	if (state && state->node.checked != policy->generation)
		read_marks(policy, task, state);
	return state;
}

/* The same of the current thread, for where it is not known yet */
VERIFIED_ONCE bool meet_current(void)
{
	return known_task(current_policy(), bpf_get_current_task_btf());
}

/* With which the current thread came into the kernel; a thread of the kernel's own has none that mean anything */
static __always_inline struct pt_regs *registers(void)
{
	return (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

static __always_inline __u32 system_call(void)
{
	return registers()->orig_ax;
}

/* The current thread's state: as a rule there is nothing to do. */
static __always_inline struct prov_task *current_state(struct prov_policy *policy)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct prov_task *state = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (state && is_born(&state->node) && state->node.checked == policy->generation)
		return state;
	if (!meet_current())
		return NULL;
	state = bpf_task_storage_get(&tasks, task, NULL, 0);
	if (!state)
		count_loss(COUNT_TASK_STORAGE);
	return state;
}

/* The thread, its memory, and what that is called */
static __always_inline int introduce(struct prov_policy *policy, struct task_struct *task,
				     struct prov_task *state)
{
	struct prov_memory *memory;
	struct file *exe;

	if (!task || !state)
		return 0;
	announce_task(policy, task, state);
	memory = memory_at(state->memory);
	if (!memory)
		return 0;
	announce_memory(policy, memory);
	exe = READ_ONLY(task)->mm->exe_file;
	if (!exe)
		return 0; /* its address space ends at this moment */
	announce_name(policy, &memory->node, NODE_MEMORY, exe);
	announce_arguments(policy, memory, task);
	return 0;
}

VERIFIED_ONCE int introduce_current(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return introduce(current_policy(), task, bpf_task_storage_get(&tasks, task, NULL, 0));
}

static __noinline int introduce_other(struct prov_scene *scene, struct task_struct *task)
{
	return scene && task ? introduce(scene->policy, task, scene->task) : 0;
}

static __always_inline bool is_introduced(struct prov_scene *scene)
{
	__u32 epoch = scene->policy->epoch;

	return scene->task->node.sent == epoch &&
	       (!scene->memory ||
		(scene->memory->node.sent == epoch && scene->memory->node.named == epoch &&
		 (scene->memory->argued == epoch ||
		  !wants_arguments(scene->policy))));
}

/* The current thread */
static __always_inline void announce_actor(struct prov_scene *scene)
{
	if (!is_introduced(scene))
		introduce_current();
}

static __always_inline bool is_silent(struct prov_scene *scene)
{
	return !(scene->policy->switches & SWITCH_ENABLED) ||
	       scene->task->node.marks & MARK_OPAQUE ||
	       (scene->memory && scene->memory->node.marks & MARKS_OPAQUE);
}

static __always_inline void let_join(struct prov_scene *scene)
{
	scene->wanted = true;
	if (!scene->silent)
		announce_actor(scene);
}

/*
 * Whether what touches this node is recorded. Each object that takes part in an operation is asked before
 * the first of its edges is made: one that is tracked is enough for all of them.
 */
static __always_inline bool takes_part(struct prov_scene *scene, struct prov_node *node)
{
	if (node->marks & MARKS_OPAQUE)
		return false;
	if (!scene->wanted && node->marks & MARK_TRACKED)
		let_join(scene);
	return scene->wanted;
}

static __always_inline bool acts_tracked(struct prov_scene *scene)
{
	if (is_tracked(scene->policy, actor_node(scene)))
		return true;
	return has_shares(scene->memory) && shares_tracked(scene->task->memory);
}

static __always_inline void set_actor(struct prov_scene *scene, struct prov_task *state)
{
	scene->task = state;
	scene->memory = memory_at(state->memory);
	scene->silent = is_silent(scene);
}

/* The scene with this task as its actor; false: state could not be had, and that was counted. */
static __always_inline bool scene_of(struct prov_scene *scene, struct task_struct *task)
{
	struct prov_task *state;

	scene->policy = current_policy();
	state = known_task(scene->policy, task);
	if (!state)
		return false;
	set_actor(scene, state);
	scene->wanted = acts_tracked(scene);
	return true;
}

/*
 * Who acts and whether that is recorded: enough to find out that all is said. Nothing may be recorded before
 * join_scene.
 */
static __always_inline bool meet_scene(struct prov_scene *scene)
{
	struct prov_task *state;

	scene->policy = current_policy();
	state = current_state(scene->policy);
	if (!state)
		return false;
	set_actor(scene, state);
	return true;
}

/*
 * The same for hooks that have nothing to do for an actor who is silent: false then. While capture is off nothing
 * is looked up.
 */
static __always_inline bool meet_recorded(struct prov_scene *scene)
{
	return current_policy()->switches & SWITCH_ENABLED && meet_scene(scene) && !scene->silent;
}

/* There may be something to record. */
static __always_inline void join_scene(struct prov_scene *scene)
{
	scene->wanted = acts_tracked(scene);
	if (is_recorded(scene))
		announce_actor(scene);
}

/* Who acts here and now; false: state could not be had, and that was counted. */
static __always_inline bool open_scene(struct prov_scene *scene)
{
	if (!meet_scene(scene))
		return false;
	join_scene(scene);
	return true;
}

/* As open_scene, for hooks that have nothing to do for who is silent */
static __always_inline bool current_scene(struct prov_scene *scene)
{
	if (!meet_recorded(scene))
		return false;
	join_scene(scene);
	return true;
}

/* What a tracked process makes, or opens to write, is tracked too: but for what keeps nothing and all use. */
static __always_inline void inherit(struct prov_scene *scene, struct prov_node *made)
{
	if (!(made->nature & NATURE_NULL))
		add_marks(made, actor_node(scene)->marks & MARK_TRACKED);
}

#endif
