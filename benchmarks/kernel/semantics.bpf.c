// SPDX-License-Identifier: GPL-2.0
/*
 * The least that these semantics take: reading and writing files, with what an event of this capture has to
 * know and to say, and nothing else. No pipes, terminals, shared mappings, copies within the kernel, names,
 * descriptions of nodes, truncations; one ring for all CPUs, eight remembered edges. What it does:
 *
 *   the task, its address space and the inode looked up; capture on; their marks up to date with the policy;
 *   nobody opaque, somebody tracked; relation and kind not filtered; is the edge known?; else three atomic
 *   steps (source marked, the middle passed, the destination entered), the clock, a number of this CPU, one
 *   event of 72 bytes, the edge remembered.
 *
 * The benchmark attaches one program at a time, see probes.py. Nobody reads the ring.
 */
#include "vmlinux.h"
#include "compat.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "vocabulary.h"
#include "record.h"

char _license[] SEC("license") = "GPL";

enum { MAY_WRITE = 2, MAY_READ = 4, NO_WAKEUP = 1, MEMORIES = 1024, EDGES = 8, TRIES = 16 };
enum { OUT = 1, LIVE = 2, VERSION_SHIFT = 32 };
enum { OPAQUE = 1, TRACKED = 2, PROPAGATE = 4, SPREADING = TRACKED | PROPAGATE };

struct node {
	__u64 word; /* version << 32 | OUT | LIVE */
	__u64 id;
	__u32 checked; /* generation of the policy at the last look at its marks; 0: not set up */
	__u32 marks;
};

struct edge {
	__u64 object;
	__u64 memory;
	__u32 version;
	__u32 arrivals;
	__u32 epoch;
	__u32 relation;
};

struct task {
	struct node node;
	__u64 left; /* its word as it left it */
	__u32 arrivals;
	__u32 memory;
	struct edge edges[EDGES];
};

/* What each CPU counts for itself */
struct numbers {
	__u64 seq;
	__u64 next_id;
};

/* Who acts, and on what */
struct scene {
	struct task *task;
	struct node *memory;
	struct node *object;
	__u8 kind;
};

struct {
	__u32 enabled;
	__u32 all;
	__u32 generation;
	__u32 epoch;
	__u64 relation_filter[2];
	__u64 node_filter;
} policy = { .enabled = 1, .all = 1, .generation = 1, .epoch = 1 };

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct node);
} inodes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MEMORIES);
	__type(key, __u32);
	__type(value, struct node);
} memories SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct numbers);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} ring SEC(".maps");

static __always_inline struct numbers *own_numbers(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&numbers, &zero);
}

static __noinline int renew(struct node *node)
{
	struct numbers *own = own_numbers();

	if (!node || !own)
		return 0;
	__sync_val_compare_and_swap(&node->id, 0, __sync_fetch_and_add(&own->next_id, 1) + 1);
	__sync_val_compare_and_swap(&node->word, 0, LIVE);
	node->checked = policy.generation;
	return 0;
}

static __always_inline void bring_up_to_date(struct node *node)
{
	if (node->checked != policy.generation)
		renew(node);
}

/* The task and its address space; false: it is opaque, or there is no memory for its state. */
static __always_inline bool meet(struct scene *scene)
{
	scene->task = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL,
					   BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!scene->task)
		return false;
	bring_up_to_date(&scene->task->node);
	scene->memory = bpf_map_lookup_elem(&memories, &scene->task->memory);
	if (!scene->memory)
		return false;
	bring_up_to_date(scene->memory);
	return !((scene->task->node.marks | scene->memory->marks) & OPAQUE);
}

static __always_inline bool find(struct scene *scene, struct inode *inode)
{
	scene->object = bpf_inode_storage_get(&inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!scene->object)
		return false;
	bring_up_to_date(scene->object);
	scene->kind = inode->i_mode >> 12;
	return true;
}

static __always_inline bool is_wanted(struct scene *scene, __u32 relation)
{
	__u32 marks = scene->task->node.marks | scene->memory->marks | scene->object->marks;

	return (policy.all || marks & TRACKED) &&
	       !(policy.relation_filter[relation >> 6 & 1] >> (relation & 63) & 1) &&
	       !(policy.node_filter >> scene->kind & 1);
}

static __always_inline __u32 version_of(__u64 word)
{
	return word >> VERSION_SHIFT;
}

/* Another thread may have entered the task meanwhile. */
static __always_inline void notice_entry(struct task *task, __u64 seen, __u64 left)
{
	if (seen != task->left)
		task->arrivals++;
	task->left = left;
}

/* What is read and what is written are never in each other's place. */
static __always_inline struct edge *slot_of(struct task *task, const struct edge *edge)
{
	__u32 place = edge->object << 1 | (edge->relation == REL_WRITE);

	return &task->edges[place & (EDGES - 1)];
}

static __always_inline void fill_edge(struct edge *edge, struct scene *scene, struct node *from,
				      __u32 relation)
{
	__u64 word = *(volatile __u64 *)&scene->task->node.word;

	notice_entry(scene->task, word, word);
	edge->object = scene->object->id;
	edge->memory = scene->memory->id;
	edge->version = version_of(*(volatile __u64 *)&from->word);
	edge->arrivals = scene->task->arrivals;
	edge->epoch = policy.epoch;
	edge->relation = relation;
}

static __always_inline bool is_known(struct scene *scene, const struct edge *edge)
{
	const struct edge *old = slot_of(scene->task, edge);

	return old->object == edge->object && old->memory == edge->memory &&
	       old->version == edge->version && old->arrivals == edge->arrivals &&
	       old->epoch == edge->epoch && old->relation == edge->relation;
}

static __always_inline __u32 mark(struct node *node)
{
	return version_of(__sync_fetch_and_or(&node->word, OUT));
}

/* Into this version if nothing has left it yet, else into a new one */
static __always_inline __u32 enter(struct node *node, struct prov_event *event)
{
	for (int i = 0; i < TRIES; i++) {
		__u64 seen = *(volatile __u64 *)&node->word, left;

		if (!(seen & OUT))
			return version_of(seen);
		left = (seen + (1ull << VERSION_SHIFT)) & ~(__u64)OUT;
		if (__sync_val_compare_and_swap(&node->word, seen, left) == seen) {
			event->bits |= EVENT_TO_STEPPED;
			return version_of(left);
		}
	}
	event->bits |= EVENT_TO_LOST;
	return 0;
}

/* Destination and, in the same step, source */
static __always_inline void pass(struct task *task, struct prov_event *event)
{
	for (int i = 0; i < TRIES; i++) {
		__u64 seen = __sync_fetch_and_or(&task->node.word, OUT), left = seen | OUT;

		if (seen & OUT) {
			left = seen + (1ull << VERSION_SHIFT);
			if (__sync_val_compare_and_swap(&task->node.word, seen, left) != seen)
				continue;
			event->bits |= EVENT_THROUGH_STEPPED;
		}
		event->through_version = version_of(left);
		notice_entry(task, seen, left);
		return;
	}
	event->bits |= EVENT_THROUGH_LOST;
}

static __always_inline void fill_head(struct prov_event *event, __u32 relation)
{
	struct numbers *own = own_numbers();

	event->head.at_ns = bpf_ktime_get_boot_ns();
	event->head.seq = own ? __sync_fetch_and_add(&own->seq, 1) : 0;
	event->head.cpu = bpf_get_smp_processor_id();
	event->head.kind = RECORD_EVENT;
	event->head.what = relation;
}

/* What has entered a version is in it, its marks, too. */
static __always_inline void spread(struct node *from, struct node *to)
{
	if ((from->marks & SPREADING) == SPREADING)
		__sync_fetch_and_or(&to->marks, SPREADING);
}

static __always_inline void send(struct scene *scene, struct edge *edge, struct node *from,
				 struct node *to, struct file *file, int mask)
{
	struct prov_event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	__u8 bits;

	if (!event)
		return;
	fill_head(event, edge->relation);
	event->bits = EVENT_THROUGH;
	event->from = from->id;
	event->from_kind = scene->kind;
	event->from_version = edge->version = mark(from);
	spread(from, to);
	event->through = scene->task->node.id;
	pass(scene->task, event);
	event->to = to->id;
	event->to_kind = scene->kind;
	event->to_version = enter(to, event);
	event->flow = 1;
	event->outcome = OUTCOME_AT_HOOK;
	event->flags = mask;
	event->epoch = policy.epoch;
	event->offset = file->f_pos;
	bits = event->bits;
	bpf_ringbuf_submit(event, NO_WAKEUP);
	if (!(bits & (EVENT_TO_LOST | EVENT_THROUGH_LOST)))
		*slot_of(scene->task, edge) = *edge;
}

static __always_inline void flows(struct scene *scene, struct node *from, struct node *to,
				  __u32 relation, struct file *file, int mask)
{
	struct edge edge;

	fill_edge(&edge, scene, from, relation);
	if (!is_known(scene, &edge))
		send(scene, &edge, from, to, file, mask);
}

SEC("lsm/file_permission")
int BPF_PROG(read_or_write, struct file *file, int mask, int ret)
{
	struct scene scene;

	if (ret || !(mask & (MAY_READ | MAY_WRITE)) || !policy.enabled || !meet(&scene) ||
	    !find(&scene, file->f_inode))
		return ret;
	if (mask & MAY_READ && is_wanted(&scene, REL_READ))
		flows(&scene, scene.object, scene.memory, REL_READ, file, mask);
	if (mask & MAY_WRITE && is_wanted(&scene, REL_WRITE))
		flows(&scene, scene.memory, scene.object, REL_WRITE, file, mask);
	return ret;
}

/* As far as an opaque process gets: what it returns is 0 either way. */
SEC("lsm/file_permission")
int BPF_PROG(opaque_process, struct file *file, int mask, int ret)
{
	struct scene scene;

	return policy.enabled && meet(&scene) ? ret : 0;
}

/* Where a new inode gets its name, which is where its state is made; the kernel frees it with the inode. */
SEC("lsm/d_instantiate")
int BPF_PROG(new_inode, struct dentry *dentry, struct inode *inode)
{
	if (inode)
		bpf_inode_storage_get(&inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return 0;
}

SEC("lsm/d_instantiate")
int BPF_PROG(no_inode, struct dentry *dentry, struct inode *inode)
{
	return 0;
}

SEC("lsm/task_alloc")
int BPF_PROG(new_task, struct task_struct *task, unsigned long flags, int ret)
{
	bpf_task_storage_get(&tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return ret;
}
