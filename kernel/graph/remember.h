/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_REMEMBER_H
#define PROVCAP_GRAPH_REMEMBER_H
/*
 * Edges that this thread has sent lately. An edge from the same source version into the same
 * destination says nothing new: later versions derive from earlier ones, unless its content was cut off.
 * Only the thread itself looks here and writes here, and only what was really sent is written.
 */
#include "node.h"

/* The first of two neighbours that an edge may be in: the later one, then the earlier one */
static __always_inline __u32 slot_of(const struct prov_edge *edge)
{
	__u32 pair = edge->object ^ (edge->memory >> 1) ^ edge->relation;

	return pair * 2 & (REMEMBERED_EDGES - 1);
}

/* Between the same nodes, be it at another time */
static __always_inline bool is_between(const struct prov_edge *old, const struct prov_edge *edge)
{
	return old->object == edge->object && old->relation == edge->relation &&
	       old->memory == edge->memory;
}

static __always_inline bool is_same_edge(const struct prov_edge *old, const struct prov_edge *edge)
{
	return is_between(old, edge) && old->version == edge->version &&
	       old->arrivals == edge->arrivals && old->epoch == edge->epoch;
}

/* Opaque to the compiler, which would make the address anew for each field */
static __always_inline struct prov_edge *pair_of(struct prov_task *task, const struct prov_edge *edge)
{
	struct prov_edge *pair = &task->edges[slot_of(edge)];

	FORGET(pair);
	return pair;
}

static __always_inline bool knows_edge(struct prov_task *task, const struct prov_edge *edge)
{
	struct prov_edge *pair = pair_of(task, edge);

	return is_same_edge(&pair[0], edge) || is_same_edge(&pair[1], edge);
}

/* Two edges that meet in a pair stay both, whatever was there before them. */
static __always_inline void remember_edge(struct prov_task *task, const struct prov_edge *edge)
{
	struct prov_edge *pair = pair_of(task, edge);

	if (is_between(&pair[1], edge)) {
		pair[1] = *edge;
		return;
	}
	if (!is_between(&pair[0], edge))
		pair[1] = pair[0];
	pair[0] = *edge;
}

/*
 * Another thread may enter this one's node (a clone, a signal): then its word is not as we left it. What
 * was redundant before need not be redundant after, so every such entry is an arrival.
 */
static __always_inline void notice_entry(struct prov_task *task, __u64 seen, __u64 left)
{
	if (seen != task->left)
		task->arrivals++;
	if (left != task->left) /* mostly it stays, and nothing is written */
		task->left = left;
}

#endif
