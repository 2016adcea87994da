/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_REMEMBER_H
#define PROVCAP_GRAPH_REMEMBER_H
/*
 * Edges that this thread has sent lately. An edge from the same source version into the same
 * destination says nothing new: later versions derive from earlier ones, unless its content was cut off.
 * Only the thread itself looks here and writes here, and only what was really sent is written.
 */
#include "node.h"

static __always_inline struct prov_edge *remembered(struct prov_task *task, const struct prov_edge *edge)
{
	__u32 slot = (edge->object ^ (edge->memory >> 1) ^ edge->relation) & (REMEMBERED_EDGES - 1);

	return &task->edges[slot];
}

static __always_inline bool knows_edge(struct prov_task *task, const struct prov_edge *edge)
{
	struct prov_edge *old = remembered(task, edge);

	return old->object == edge->object && old->version == edge->version &&
	       old->relation == edge->relation && old->memory == edge->memory &&
	       old->arrivals == edge->arrivals && old->epoch == edge->epoch;
}

static __always_inline void remember_edge(struct prov_task *task, const struct prov_edge *edge)
{
	*remembered(task, edge) = *edge;
}

/*
 * Another thread may enter this one's node (a clone, a signal): then its word is not as we left it. What
 * was redundant before need not be redundant after, so every such entry is an arrival.
 */
static __always_inline void notice_entry(struct prov_task *task, __u64 seen, __u64 left)
{
	if (seen != task->left)
		task->arrivals++;
	task->left = left;
}

#endif
