/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_OTHER_H
#define PROVCAP_OBJECTS_OTHER_H
/* A task that somebody else does something to. */
#include "task.h"

/* Its state, with its marks; NULL: it is opaque, or there is none, which was counted. */
static __always_inline struct prov_task *other_state(struct prov_scene *scene,
						     struct task_struct *task)
{
	struct prov_task *state = task_state(scene->policy, task);

	if (!state)
		return NULL;
	if (state->node.checked != scene->policy->generation)
		read_marks(scene->policy, task, state);
	return state->node.marks & MARK_OPAQUE ? NULL : state;
}

/* Its memory, announced; NULL: it has none, or nothing that touches it is recorded. */
static __always_inline struct prov_node *memory_of(struct prov_scene *scene,
						   struct task_struct *task)
{
	struct prov_task *state = other_state(scene, task);
	struct prov_memory *memory = state ? memory_at(state->memory) : NULL;

	if (!memory || !takes_part(scene, &memory->node))
		return NULL;
	announce_memory(scene->policy, memory);
	return &memory->node;
}

/* Something has come into its memory by another's doing: it may store that where it shares memory. */
static __always_inline void stores(struct prov_scene *scene, struct task_struct *task)
{
	struct prov_task *state = other_state(scene, task);

	if (state && has_shares(memory_at(state->memory)))
		push_shares(state->memory);
}

/* Its own node, announced; NULL as above. Whether it is wanted says its memory, if it has one. */
static __always_inline struct prov_node *node_of(struct prov_scene *scene,
						 struct task_struct *task)
{
	struct prov_task *state = other_state(scene, task);
	struct prov_memory *memory = state ? memory_at(state->memory) : NULL;

	if (!state || !takes_part(scene, memory ? &memory->node : &state->node))
		return NULL;
	announce_task(scene->policy, task, state);
	return &state->node;
}

#endif
