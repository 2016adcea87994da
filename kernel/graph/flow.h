/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_FLOW_H
#define PROVCAP_GRAPH_FLOW_H
/*
 * The verbs: uses (object -> task -> memory), generates (memory -> task -> object), derives (one
 * object -> another). Filtering, redundancy, versions and loss accounting happen in here, so a hook
 * cannot forget one.
 *
 * Order inside each, which the proof needs: known already? -> reserve -> mark the source -> step the
 * rest. A refused reservation has then changed nothing.
 */
#include "emit.h"
#include "probe.h"
#include "remember.h"
#include "scene.h"

/* What a hook knows besides the two ends */
struct prov_detail {
	__s64 offset; /* -1: none */
	__u32 flags;
	__u8 kind; /* of the object; of the destination of a derivation */
	__u8 from_kind; /* of the source of a derivation */
	__u8 outcome : 4; /* enum prov_outcome */
	bool no_content : 1; /* this operation carries less than its relation usually does */
	bool is_first : 1; /* the object is new: there is no edge to it that could be known, or come again */
	bool is_news : 1; /* the hook has asked whether the edge is known already: it is not */
	__u8 flow; /* enum prov_flow: filled in by the verb */
};

#define NO_OFFSET (-1)

/*
 * What is mapped shared is read and written without a call: at an input of its process, content may go on
 * from its memory to there; before an output, content may have come. objects/sharing.h does both.
 */
VERIFIED_ONCE int push_shares(__u32 index);
VERIFIED_ONCE int pull_shares(__u32 index);

/* Of what it shares with others, something is tracked. */
VERIFIED_ONCE bool shares_tracked(__u32 index);

/* The compiler must not infer that there is a memory: the verifier of 6.1 would not follow it. */
static __always_inline bool has_shares(struct prov_memory *memory)
{
	FORGET(memory);
	return memory && memory->shares;
}

/*
 * For tests only, never to be used: the destination is entered before the source is marked, with some time
 * between the two. What such a build records has cycles, so a test that looks for them is seen to fail.
 */
#ifdef PROVCAP_SWAPPED_STEPS
#define SWAPPED_STEPS true
static long waste_time(__u32 step, void *unused)
{
	return 0;
}
#define LINGER() bpf_loop(1000, waste_time, NULL, 0)
#else
#define SWAPPED_STEPS false
#define LINGER()
#endif

/* The task's word now; an entry by another thread since our last step is noticed. */
static __always_inline void look_at_task(struct prov_scene *scene)
{
	__u64 word = *(volatile __u64 *)&scene->task->node.word;

	notice_entry(scene->task, word, word);
}

/*
 * Read before the edge is looked up, so that a cut in between makes it new. It is added to the arrivals:
 * both only grow, so the sum is the same only if both are.
 */
static __always_inline __u32 cuts_of(struct prov_node *node)
{
	return *(volatile __u32 *)&node->cuts;
}

static __always_inline bool is_known(struct prov_scene *scene, const struct prov_edge *edge)
{
	return !(scene->policy->switches & SWITCH_REPEAT_EDGES) && knows_edge(scene->task, edge);
}

static __always_inline struct prov_event *reserve_event_of(struct prov_policy *policy,
							   struct prov_task *task,
							   enum prov_relation relation)
{
	struct prov_event *event = RESERVE(struct prov_event, RECORD_EVENT, relation,
					   COUNT_EVENT_RING_FULL);

	if (event) {
		event->through = task->node.id;
		event->through_version = version_of(task->node.word);
		event->bits = 0;
		event->epoch = policy->epoch;
	}
	return event;
}

static __always_inline struct prov_event *reserve_event(struct prov_scene *scene,
							enum prov_relation relation)
{
	return reserve_event_of(scene->policy, scene->task, relation);
}

static __always_inline void fill_detail(struct prov_event *event, const struct prov_detail *detail)
{
	event->flow = detail->flow;
	event->outcome = detail->outcome;
	event->flags = detail->flags;
	event->offset = detail->offset;
}

static __always_inline void fill_from(struct prov_event *event, __u64 id, __u32 version, __u8 kind)
{
	event->from = id;
	event->from_version = version;
	event->from_kind = kind;
}

/* Who has it mapped may read this from now on. Counted after the entry: who counts less will look again. */
static __always_inline __u32 count_entry(struct prov_node *to)
{
	__u32 before = __sync_fetch_and_add(&to->entries, 1);

	__sync_fetch_and_add(&the_machine()->shared, 1);
	return before;
}

/*
 * What the machine takes makes a version for itself alone, closed from the beginning, and the event has the
 * time at which that was done: whoever starts later runs on it (the recorder finds out), and nothing
 * that such a task does can have come into it.
 */
static __always_inline struct prov_step into_machine(struct prov_event *event,
						     struct prov_node *node)
{
	struct prov_step step = pass_through(node);

	event->head.at_ns = bpf_ktime_get_boot_ns();
	return step;
}

static __always_inline struct prov_step fill_to(struct prov_event *event, struct prov_node *to,
						__u8 kind)
{
	struct prov_step step = kind == NODE_MACHINE ? into_machine(event, to) : enter(to);

	event->to = to->id;
	event->to_kind = kind;
	event->to_version = step.version;
	if (step.stepped)
		event->bits |= EVENT_TO_STEPPED;
	if (step.lost)
		event->bits |= EVENT_TO_LOST;
	if (step.version && step.version == to->fresh)
		event->bits |= EVENT_FRESH;
	if (to->nature & NATURE_MAPPED && event->flow == FLOW_DATA)
		step.entry = count_entry(to);
	return step;
}

static __always_inline struct prov_step fill_passed(struct prov_event *event,
						    struct prov_task *task)
{
	struct prov_step step = pass_through(&task->node);

	event->bits |= EVENT_THROUGH;
	event->through_version = step.version;
	if (step.stepped)
		event->bits |= EVENT_THROUGH_STEPPED;
	if (step.lost)
		event->bits |= EVENT_THROUGH_LOST;
	return step;
}

/* The task is only passed: what it received goes on, so this is no arrival. */
static __always_inline void fill_through(struct prov_event *event, struct prov_task *task)
{
	struct prov_step step = fill_passed(event, task);

	notice_entry(task, step.seen, step.left);
}

/* The task is the far end (control): what it learned stays with it, so this is an arrival. */
static __always_inline void fill_to_task(struct prov_event *event, struct prov_task *task)
{
	struct prov_step step = fill_to(event, &task->node, NODE_TASK);

	task->arrivals++;
	task->left = step.left;
}

/* The task is the source: it has no memory, or what goes out is not content. Its version */
static __always_inline __u32 fill_from_task(struct prov_event *event, struct prov_task *task)
{
	__u64 seen = mark_word(&task->node);

	notice_entry(task, seen, seen | WORD_OUT);
	fill_from(event, task->node.id, version_of(seen), NODE_TASK);
	return version_of(seen);
}

static __always_inline bool was_sent(__u8 bits)
{
	return !(bits & (EVENT_TO_LOST | EVENT_THROUGH_LOST));
}

/* What an edge between a task and this object means: what the relation usually does, or less */
static __always_inline enum prov_flow flow_with(enum prov_relation relation,
						const struct prov_node *object,
						const struct prov_detail *detail)
{
	if (object->nature & NATURE_NULL || detail->no_content)
		return FLOW_CONTROL;
	return flow_of(relation);
}

/*
 * Each verb has two halves. The first is in the hook, where the relation is known. The second has all the rest, and
 * is verified once for each program: it takes the scene in pieces.
 */
static __always_inline bool scene_with(struct prov_scene *scene, struct prov_task *task,
				       struct prov_memory *memory)
{
	scene->policy = current_policy();
	scene->task = task;
	scene->memory = memory;
	return task;
}

static __always_inline void send_use(struct prov_scene *scene, struct prov_edge *edge,
				     struct prov_node *object, const struct prov_detail *detail,
				     bool into_memory)
{
	struct prov_event *event = reserve_event(scene, edge->relation);
	__u8 bits;

	if (!event)
		return;
	if (SWAPPED_STEPS && into_memory) {
		fill_to(event, &scene->memory->node, NODE_MEMORY);
		LINGER();
	}
	edge->version = mark(object);
	if (detail->flow == FLOW_DATA) /* again: what has entered this version has marked it before */
		spread(scene->policy, edge->relation, object->marks, object->taint,
		       actor_node(scene), actor_kind(scene));
	fill_detail(event, detail);
	fill_from(event, object->id, edge->version, detail->kind);
	if (into_memory) {
		fill_through(event, scene->task);
		if (!SWAPPED_STEPS)
			fill_to(event, &scene->memory->node, NODE_MEMORY);
	} else {
		fill_to_task(event, scene->task);
	}
	bits = event->bits;
	submit(event);
	if (was_sent(bits))
		remember_edge(scene->task, edge);
}

static __always_inline void fill_use(struct prov_edge *edge, struct prov_scene *scene,
				     enum prov_relation relation, struct prov_node *object,
				     bool into_memory)
{
	look_at_task(scene);
	edge->object = object->id;
	edge->memory = into_memory ? scene->memory->node.id : 0;
	edge->version = version_of(*(volatile __u64 *)&object->word);
	edge->arrivals = into_memory ? scene->task->arrivals : 0;
	edge->epoch = scene->policy->epoch;
	edge->relation = relation;
}

/* Whether using it would say nothing new; what carries nothing onward has no edges of this key, and is new */
static __always_inline bool has_used(struct prov_scene *scene, enum prov_relation relation,
				     struct prov_node *object)
{
	struct prov_edge edge;

	fill_use(&edge, scene, relation, object, flow_of(relation) == FLOW_DATA && scene->memory);
	return is_known(scene, &edge);
}

/* True: the memory has learned something. */
VERIFIED_ONCE bool use(struct prov_task *task, struct prov_memory *memory, struct prov_node *object,
		      const struct prov_detail *detail, __u32 relation)
{
	struct prov_scene scene;
	struct prov_edge edge;
	bool into_memory;

	if (!object || !detail || !scene_with(&scene, task, memory))
		return false;
	into_memory = detail->flow == FLOW_DATA && memory;
	if (detail->flow == FLOW_DATA)
		spread(scene.policy, relation, object->marks, object->taint, actor_node(&scene),
		       actor_kind(&scene));
	fill_use(&edge, &scene, relation, object, into_memory);
	if (!detail->is_news && is_known(&scene, &edge))
		return false;
	send_use(&scene, &edge, object, detail, into_memory);
	return into_memory;
}

/* object --relation--> current task --memory_write--> its memory; control relations end at the task. */
static __always_inline void uses(struct prov_scene *scene, enum prov_relation relation,
				 struct prov_node *object, struct prov_detail *detail)
{
	if (!is_recorded(scene) || is_filtered(scene->policy, relation, detail->kind))
		return;
	detail->flow = flow_with(relation, object, detail);
	if (use(scene->task, scene->memory, object, detail, relation) && has_shares(scene->memory))
		push_shares(scene->task->memory);
}

/* Names and commands come from the task alone; content, and what shapes the machine, from all it knows. */
static __always_inline bool comes_from_memory(__u8 flow)
{
	return flow == FLOW_DATA || flow == FLOW_INFLUENCE;
}

static __always_inline void send_generation(struct prov_scene *scene, struct prov_edge *edge,
					    struct prov_node *object,
					    const struct prov_detail *detail, bool from_memory)
{
	struct prov_event *event = reserve_event(scene, edge->relation);
	__u8 bits;

	if (!event)
		return;
	fill_detail(event, detail);
	if (SWAPPED_STEPS) {
		fill_to(event, object, detail->kind);
		LINGER();
	}
	if (from_memory) {
		edge->version = mark(&scene->memory->node);
		fill_from(event, scene->memory->node.id, edge->version, NODE_MEMORY);
		fill_through(event, scene->task);
	} else {
		edge->version = fill_from_task(event, scene->task);
	}
	if (detail->flow == FLOW_DATA) /* again, as above */
		spread(scene->policy, edge->relation, actor_node(scene)->marks,
		       actor_node(scene)->taint, object, detail->kind);
	if (!SWAPPED_STEPS)
		fill_to(event, object, detail->kind);
	bits = event->bits;
	submit(event);
	if (!detail->is_first && was_sent(bits))
		remember_edge(scene->task, edge);
}

static __always_inline void fill_generation(struct prov_edge *edge, struct prov_scene *scene,
					    enum prov_relation relation, struct prov_node *object,
					    bool from_memory)
{
	look_at_task(scene);
	edge->object = object->id;
	edge->memory = from_memory ? scene->memory->node.id : 0;
	edge->version = version_of(*(volatile __u64 *)(from_memory ? &scene->memory->node.word :
								     &scene->task->node.word));
	edge->arrivals = scene->task->arrivals + cuts_of(object);
	edge->epoch = scene->policy->epoch;
	edge->relation = relation;
}

/* Whether generating it would say nothing new */
static __always_inline bool has_generated(struct prov_scene *scene, enum prov_relation relation,
					  struct prov_node *object)
{
	struct prov_edge edge;

	fill_generation(&edge, scene, relation, object,
			comes_from_memory(flow_of(relation)) && scene->memory);
	return is_known(scene, &edge);
}

VERIFIED_ONCE bool generate(struct prov_task *task, struct prov_memory *memory,
			    struct prov_node *object, const struct prov_detail *detail,
			    __u32 relation)
{
	struct prov_edge edge = { .relation = relation };
	struct prov_scene scene;
	bool from_memory;

	if (!object || !detail || !scene_with(&scene, task, memory))
		return false;
	from_memory = comes_from_memory(detail->flow) && memory;
	if (detail->flow == FLOW_DATA)
		spread(scene.policy, relation, actor_node(&scene)->marks,
		       actor_node(&scene)->taint, object, detail->kind);
	if (!detail->is_first) {
		fill_generation(&edge, &scene, relation, object, from_memory);
		if (!detail->is_news && is_known(&scene, &edge))
			return false;
	}
	send_generation(&scene, &edge, object, detail, from_memory);
	return true;
}

/*
 * memory of the current task --memory_read--> task --relation--> object. True: the graph did not have it
 * before.
 */
static __always_inline bool generates(struct prov_scene *scene, enum prov_relation relation,
				      struct prov_node *object, struct prov_detail *detail)
{
	if (!is_recorded(scene) || is_filtered(scene->policy, relation, detail->kind))
		return false;
	detail->flow = flow_with(relation, object, detail);
	if (comes_from_memory(detail->flow) && has_shares(scene->memory))
		pull_shares(scene->task->memory);
	return generate(scene->task, scene->memory, object, detail, relation);
}

static __always_inline void send_derivation(struct prov_scene *scene, struct prov_edge *edge,
					    struct prov_node *from, struct prov_node *to,
					    const struct prov_detail *detail)
{
	struct prov_event *event = reserve_event(scene, edge->relation);
	__u8 bits;

	if (!event)
		return;
	edge->version = mark(from);
	if (detail->flow == FLOW_DATA) /* again, as above */
		spread(scene->policy, edge->relation, from->marks, from->taint, to, detail->kind);
	fill_detail(event, detail);
	fill_from(event, from->id, edge->version, detail->from_kind);
	fill_to(event, to, detail->kind);
	bits = event->bits;
	submit(event);
	if (was_sent(bits))
		remember_edge(scene->task, edge);
}

VERIFIED_ONCE bool derive(struct prov_task *task, struct prov_node *from, struct prov_node *to,
			  const struct prov_detail *detail, __u32 relation)
{
	struct prov_scene scene;
	struct prov_edge edge;

	if (!from || !to || !detail || !scene_with(&scene, task, NULL))
		return false;
	if (detail->flow == FLOW_DATA)
		spread(scene.policy, relation, from->marks, from->taint, to, detail->kind);
	edge.object = to->id;
	edge.memory = from->id;
	edge.version = version_of(*(volatile __u64 *)&from->word);
	edge.arrivals = cuts_of(to);
	edge.epoch = scene.policy->epoch;
	edge.relation = relation;
	if (is_known(&scene, &edge))
		return false;
	send_derivation(&scene, &edge, from, to, detail);
	return true;
}

/* from --relation--> to, neither of them the acting task. True: the graph did not have it before. */
static __always_inline bool derives(struct prov_scene *scene, enum prov_relation relation,
				    struct prov_node *from, struct prov_node *to,
				    struct prov_detail *detail)
{
	if (!is_recorded(scene) || from->id == to->id ||
	    is_filtered(scene->policy, relation, detail->kind) ||
	    is_filtered(scene->policy, relation, detail->from_kind))
		return false;
	detail->flow = flow_of(relation);
	return derive(scene->task, from, to, detail, relation);
}

/* An edge whose source was marked earlier, and kept as id and version (see struct prov_image) */
static __noinline int derives_from_image(struct prov_scene *scene, enum prov_relation relation,
					 const struct prov_image *image, struct prov_node *to,
					 __u8 kind)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.flow = flow_of(relation),
	};
	struct prov_event *event;

	if (!image || !to || is_filtered(scene->policy, relation, image->kind) ||
	    is_filtered(scene->policy, relation, kind))
		return 0;
	if (detail.flow == FLOW_DATA)
		spread(scene->policy, relation, image->marks, image->taint, to, kind);
	event = reserve_event(scene, relation);
	if (!event)
		return 0;
	fill_detail(event, &detail);
	fill_from(event, image->id, image->version, image->kind);
	fill_to(event, to, kind);
	submit(event);
	return 0;
}

/*
 * What a task has used before it could be seen: the source was marked earlier, as above. Another task
 * sends this, so what this one remembers is left alone: it notices the entry by itself.
 */
static __noinline int uses_image(struct prov_scene *scene, enum prov_relation relation,
				 const struct prov_image *image)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.flow = FLOW_DATA,
	};
	struct prov_event *event;

	if (!image || !scene->memory || is_filtered(scene->policy, relation, image->kind))
		return 0;
	spread(scene->policy, relation, image->marks, image->taint, &scene->memory->node,
	       NODE_MEMORY);
	event = reserve_event(scene, relation);
	if (!event)
		return 0;
	fill_detail(event, &detail);
	fill_from(event, image->id, image->version, image->kind);
	fill_passed(event, scene->task);
	fill_to(event, &scene->memory->node, NODE_MEMORY);
	submit(event);
	if (has_shares(scene->memory))
		push_shares(scene->task->memory);
	return 0;
}

/*
 * from --relation--> to, once in the life of one of them: nothing is looked up, and nothing is driven
 * out of what the task remembers. `task` is NULL where none acts: in an interrupt the one that
 * happens to run has nothing to do with it. Whether it was sent
 */
static __always_inline bool derives_once(struct prov_policy *policy, struct prov_task *task,
					 enum prov_relation relation, struct prov_node *from,
					 struct prov_node *to, struct prov_detail *detail)
{
	struct prov_event *event;
	__u32 version;
	__u8 bits;

	if (is_filtered(policy, relation, detail->kind) ||
	    is_filtered(policy, relation, detail->from_kind))
		return false;
	detail->flow = flow_of(relation);
	event = RESERVE(struct prov_event, RECORD_EVENT, relation, COUNT_EVENT_RING_FULL);
	if (!event) {
		spread(policy, relation, from->marks, from->taint, to, detail->kind);
		return false;
	}
	version = mark(from);
	spread(policy, relation, from->marks, from->taint, to, detail->kind);
	event->through = task ? task->node.id : 0;
	event->through_version = task ? version_of(task->node.word) : 0;
	event->bits = 0;
	event->epoch = policy->epoch;
	fill_detail(event, detail);
	fill_from(event, from->id, version, detail->from_kind);
	fill_to(event, to, detail->kind);
	bits = event->bits;
	submit(event);
	return was_sent(bits);
}

/*
 * An object --relation--> a task that does not act itself, and learns of it all the same. Whoever is
 * interrupted for this has no part in it; what the task remembers is left alone, as above.
 */
static __noinline int reaches(struct prov_scene *scene, enum prov_relation relation,
			      struct prov_node *object, struct prov_detail *detail)
{
	struct prov_event *event;

	if (!object || is_filtered(scene->policy, relation, detail->kind))
		return 0;
	detail->flow = FLOW_CONTROL;
	event = reserve_event(scene, relation);
	if (!event)
		return 0;
	fill_detail(event, detail);
	fill_from(event, object->id, mark(object), detail->kind);
	fill_to(event, &scene->task->node, NODE_TASK);
	submit(event);
	return 0;
}

/* The end of an object: node@n --relation--> node@n+1; nothing comes after. No task acts. */
static __always_inline void ends(struct prov_policy *policy, enum prov_relation relation,
				 struct prov_node *node, __u8 kind, __u32 flags)
{
	struct prov_event *event;
	struct prov_step step;

	if (!(policy->switches & SWITCH_ENABLED) || !was_announced(policy, node) ||
	    is_filtered(policy, relation, kind))
		return;
	event = RESERVE(struct prov_event, RECORD_EVENT, relation, COUNT_EVENT_RING_FULL);
	if (!event)
		return;
	step = end_version(node);
	event->through = 0;
	event->through_version = 0;
	event->bits = step.lost ? EVENT_TO_LOST : 0;
	event->epoch = policy->epoch;
	event->flow = FLOW_VERSION;
	event->outcome = OUTCOME_DONE;
	event->flags = flags;
	event->offset = NO_OFFSET;
	fill_from(event, node->id, step.version - 1, kind);
	event->to = node->id;
	event->to_kind = kind;
	event->to_version = step.version;
	submit(event);
}

#endif
