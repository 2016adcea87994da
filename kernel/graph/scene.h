/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_SCENE_H
#define PROVCAP_GRAPH_SCENE_H
/* Who acts: what every verb of flow.h needs to know. objects/task.h fills it in. */
#include "mark.h"

struct prov_scene {
	struct prov_policy *policy;
	struct prov_task *task;
	struct prov_memory *memory; /* NULL: a kernel thread */
	bool silent; /* the actor is opaque, or capture is off: state moves on, nothing is recorded */
	bool wanted; /* the whole system is, or somebody who takes part is tracked */
};

/* The node that keeps what the actor knows: its memory; a kernel thread's own */
static __always_inline struct prov_node *actor_node(struct prov_scene *scene)
{
	return scene->memory ? &scene->memory->node : &scene->task->node;
}

static __always_inline __u8 actor_kind(struct prov_scene *scene)
{
	return scene->memory ? NODE_MEMORY : NODE_TASK;
}

static __always_inline bool is_recorded(struct prov_scene *scene)
{
	return scene->wanted && !scene->silent;
}

static __always_inline enum prov_flow flow_of(enum prov_relation relation)
{
	switch (relation) {
#define X(id, category, bit, name, flow) \
	case REL_##id:                   \
		return FLOW_##flow;
		RELATIONS(X)
#undef X
	default:
		return FLOW_DATA;
	}
}

static __always_inline bool is_kind_filtered(struct prov_policy *policy, __u8 kind)
{
	return policy->node_filter >> kind & 1;
}

static __always_inline bool is_filtered(struct prov_policy *policy, enum prov_relation relation,
					__u8 kind)
{
	__u32 word = relation >> 6;

	if (!__builtin_constant_p(relation)) /* 6.1 forgets its limits when it has been put aside */
		FORGET(word);
	return (policy->relation_filter[word & 1] >> (relation & 63)) & 1 ||
	       is_kind_filtered(policy, kind);
}

#endif
