/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_MARK_H
#define PROVCAP_GRAPH_MARK_H
/*
 * Marks of nodes: what user space wishes, and how it spreads. Only data and version edges carry marks on:
 * who merely looked at a tracked file has nothing of it.
 */
#include "node.h"

#define MARKS_OPAQUE (MARK_OPAQUE | MARK_OPAQUE_PROGRAM)
#define MARKS_SPREADING (MARK_TRACKED | MARK_PROPAGATE)

/* Take over what user space wishes of the node, once; NULL: nothing. */
static __always_inline void apply_marks(struct prov_node *node, const struct prov_marks *wish)
{
	if (!wish || node->applied == wish->serial)
		return;
	node->applied = wish->serial;
	if (wish->clear)
		__sync_fetch_and_and(&node->marks, ~wish->clear);
	if (wish->set)
		__sync_fetch_and_or(&node->marks, wish->set);
	if (wish->taint)
		__sync_fetch_and_or(&node->taint, wish->taint);
}

static __always_inline void add_marks(struct prov_node *node, __u32 marks)
{
	if ((node->marks & marks) != marks)
		__sync_fetch_and_or(&node->marks, marks);
}

/* A new taint is told with the next record, which is due at once. */
static __always_inline void add_taint(struct prov_node *node, __u64 taint)
{
	if (!(taint & ~node->taint))
		return;
	__sync_fetch_and_or(&node->taint, taint);
	if (node->sent)
		node->sent |= SENT_OUTDATED;
}

static __always_inline bool may_spread(struct prov_policy *policy, enum prov_relation relation,
				       __u8 kind)
{
	__u32 word = relation >> 6 & 1; /* there are less than 128, which the verifier may not know */

	return !((policy->propagate_relation_filter[word] >> (relation & 63)) & 1 ||
		 (policy->propagate_node_filter >> kind) & 1);
}

/* What flows out of a node with these marks makes the other, of this kind, the same if they spread. */
static __always_inline void spread(struct prov_policy *policy, enum prov_relation relation,
				   __u32 marks, __u64 taint, struct prov_node *to, __u8 kind)
{
	if ((marks & MARKS_SPREADING) != MARKS_SPREADING || !may_spread(policy, relation, kind))
		return;
	add_marks(to, MARKS_SPREADING);
	add_taint(to, taint);
}

/* A record of the node was sent in this epoch, be it out of date. */
static __always_inline bool was_announced(struct prov_policy *policy, struct prov_node *node)
{
	return (node->sent & ~SENT_OUTDATED) == policy->epoch;
}

/* Recorded on its own account, whoever else takes part */
static __always_inline bool is_tracked(struct prov_policy *policy, struct prov_node *node)
{
	return policy->switches & SWITCH_ALL || node->marks & MARK_TRACKED;
}

#endif
