/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_CARRY_H
#define PROVCAP_GRAPH_CARRY_H
/*
 * Derivations from a source that was marked earlier, in two forms. `carries` enters the
 * destination and sends the edge. Where the destination is at hand only before the operation, and
 * the outcome known only after it, `enters` takes the first step and `has_entered` sends the edge:
 * the source was marked before the destination was entered, so the edge may be told at any time
 * later.
 */
#include "flow.h"

/* What was kept as a number; the mask is for the verifier: a filter has a bit for each. */
static __always_inline enum prov_relation relation_of(__u32 kept)
{
	return kept & (8 * sizeof(((struct prov_policy *)0)->relation_filter) - 1);
}

static __always_inline struct prov_edge edge_between(struct prov_scene *scene,
						     enum prov_relation relation,
						     const struct prov_image *from, __u64 to,
						     __u32 cuts)
{
	struct prov_edge edge = {
		.object = to,
		.memory = from->id,
		.version = from->version,
		.arrivals = cuts,
		.epoch = scene->policy->epoch,
		.relation = relation,
	};
	return edge;
}

static __always_inline bool may_carry(struct prov_scene *scene, enum prov_relation relation,
				      const struct prov_image *from, __u64 to, __u8 kind)
{
	return from->id && from->id != to && is_recorded(scene) &&
	       !is_filtered(scene->policy, relation, kind) &&
	       !is_filtered(scene->policy, relation, from->kind);
}

/* from --relation--> to */
static __noinline int carries(struct prov_scene *scene, enum prov_relation relation,
			      const struct prov_image *from, struct prov_node *to, __u8 kind)
{
	struct prov_detail detail = { .outcome = OUTCOME_DONE, .offset = NO_OFFSET };
	struct prov_event *event;
	struct prov_edge edge;
	__u8 bits;

	if (!scene || !from || !to || !may_carry(scene, relation, from, to->id, kind))
		return 0;
	detail.flow = to->nature & NATURE_NULL ? FLOW_CONTROL : FLOW_DATA;
	if (detail.flow == FLOW_DATA)
		spread(scene->policy, relation, from->marks, from->taint, to, kind);
	edge = edge_between(scene, relation, from, to->id, cuts_of(to));
	if (is_known(scene, &edge))
		return 0;
	event = reserve_event(scene, relation);
	if (!event)
		return 0;
	fill_detail(event, &detail);
	fill_from(event, from->id, from->version, from->kind);
	fill_to(event, to, kind);
	bits = event->bits;
	submit(event);
	if (was_sent(bits))
		remember_edge(scene->task, &edge);
	return 0;
}

/*
 * The task and the source, which has been marked, enter the node; nothing is sent. A version that
 * is made here and never told of leaves no hole: a version stands for all before it.
 */
static __noinline int enters(struct prov_scene *scene, struct prov_copying *copying,
			     struct prov_node *to, __u8 kind)
{
	const struct prov_image *from = &copying->source;
	struct prov_step step;
	__u64 seen;

	if (!scene || !copying || !to ||
	    !may_carry(scene, relation_of(copying->relation), from, to->id, kind))
		return 0;
	spread(scene->policy, relation_of(copying->relation), from->marks, from->taint, to, kind);
	copying->cuts = cuts_of(to);
	seen = mark_word(&scene->task->node);
	notice_entry(scene->task, seen, seen | WORD_OUT);
	copying->actor = version_of(seen);
	step = enter(to);
	if (step.lost)
		return 0;
	if (to->nature & NATURE_MAPPED)
		count_entry(to);
	copying->target.version = step.version;
	copying->target.kind = kind;
	copying->bits = step.stepped ? EVENT_TO_STEPPED : 0;
	if (step.version && step.version == to->fresh)
		copying->bits |= EVENT_FRESH;
	copying->target.id = to->id;
	return 0;
}

static __always_inline void fill_entered(struct prov_event *event,
					 const struct prov_copying *copying)
{
	event->to = copying->target.id;
	event->to_kind = copying->target.kind;
	event->to_version = copying->target.version;
	event->bits |= copying->bits;
}

/* The task has written, but nothing of its memory. */
static __noinline int has_written(struct prov_scene *scene, const struct prov_copying *copying)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.flow = FLOW_CONTROL,
	};
	struct prov_event *event;

	if (!scene || !copying || is_filtered(scene->policy, REL_WRITE, copying->target.kind))
		return 0;
	event = reserve_event(scene, REL_WRITE);
	if (!event)
		return 0;
	fill_detail(event, &detail);
	fill_from(event, scene->task->node.id, copying->actor, NODE_TASK);
	fill_entered(event, copying);
	submit(event);
	return 0;
}

/* source --copy--> target, as `enters` has left them; `moved` bytes, as far as 32 bits go */
static __noinline int has_entered(struct prov_scene *scene, struct prov_copying *copying,
				  __u32 moved)
{
	struct prov_detail detail = {
		.flags = moved,
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.flow = FLOW_DATA,
	};
	struct prov_event *event;
	struct prov_edge edge;

	if (!scene || !copying)
		return 0;
	edge = edge_between(scene, relation_of(copying->relation), &copying->source, copying->target.id,
			    copying->cuts);
	if (is_known(scene, &edge))
		return 0;
	has_written(scene, copying);
	event = reserve_event(scene, relation_of(copying->relation));
	if (!event)
		return 0;
	fill_detail(event, &detail);
	fill_from(event, copying->source.id, copying->source.version, copying->source.kind);
	fill_entered(event, copying);
	submit(event);
	remember_edge(scene->task, &edge);
	return 0;
}

#endif
