/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_DEBT_H
#define PROVCAP_GRAPH_DEBT_H
/*
 * Edges into a file that are still to be made. What a call takes out of a pipe may come into it
 * only while the call waits, and its source is marked after that. The file would have to be
 * entered then, but its node is out of reach for the exit probe. So the edge is kept, and made by
 * the next hook that has the node, before anything leaves the file: nobody can have it without the
 * edge, and the source is marked before its target is entered, as always.
 */
#include "flow.h"

/* What was kept as a number; the mask is for the verifier: a filter has a bit for each. */
static __always_inline enum prov_relation relation_of(__u32 kept)
{
	return kept & (8 * sizeof(((struct prov_policy *)0)->relation_filter) - 1);
}

/* The edge is given up, and that is counted, if too many wait for the same file. */
static __noinline int owe(const struct prov_copying *copying, __u64 actor)
{
	struct prov_debt debt = {};
	struct prov_debt_key key = {};

	if (!copying)
		return 0;
	debt.source = copying->source;
	debt.actor = actor;
	debt.actor_version = copying->actor;
	debt.relation = copying->relation;
	debt.epoch = copying->epoch;
	key.target = copying->target.id;
#pragma unroll
	for (__u32 place = 0; place < DEBTS_OF_ONE; place++) {
		key.place = place;
		if (bpf_map_update_elem(&debts, &key, &debt, BPF_NOEXIST))
			continue;
		__sync_fetch_and_add(&the_machine()->debts, 1);
		return 0;
	}
	count_loss(COUNT_CONTENTION);
	return 0;
}

/* from --relation--> node, of the task that the edge was kept for */
static __always_inline void pay(struct prov_policy *policy, const struct prov_debt *debt,
				struct prov_node *node, __u8 kind, bool written)
{
	enum prov_relation relation = written ? REL_WRITE : relation_of(debt->relation);
	struct prov_event *event;

	if (is_filtered(policy, relation, kind))
		return;
	event = RESERVE(struct prov_event, RECORD_EVENT, relation, COUNT_EVENT_RING_FULL);
	if (!event)
		return;
	event->through = debt->actor;
	event->through_version = debt->actor_version;
	event->bits = 0;
	event->epoch = policy->epoch;
	event->flow = written ? FLOW_CONTROL : FLOW_DATA;
	event->outcome = OUTCOME_DONE;
	event->flags = 0;
	event->offset = NO_OFFSET;
	if (written)
		fill_from(event, debt->actor, debt->actor_version, NODE_TASK);
	else
		fill_from(event, debt->source.id, debt->source.version, debt->source.kind);
	fill_to(event, node, kind);
	submit(event);
}

struct prov_payment {
	struct prov_node *node;
	__u32 kind;
};

static long pay_one(__u32 place, struct prov_payment *payment)
{
	struct prov_debt_key key = { .place = place };
	struct prov_policy *policy = current_policy();
	struct prov_node *node = payment->node;
	struct prov_debt debt, *kept;

	key.target = node->id;
	kept = bpf_map_lookup_elem(&debts, &key);
	if (!kept)
		return 0;
	debt = *kept;
	if (bpf_map_delete_elem(&debts, &key))
		return 0; /* another CPU was quicker */
	__sync_fetch_and_add(&the_machine()->debts, -1);
	if (debt.epoch != policy->epoch)
		return 0; /* it belongs to an earlier recording */
	spread(policy, relation_of(debt.relation), debt.source.marks, debt.source.taint,
	       node, payment->kind);
	pay(policy, &debt, node, payment->kind, true);
	pay(policy, &debt, node, payment->kind, false);
	return 0;
}

/* A loop by helper: the verifier looks at its body once. */
VERIFIED_ONCE int pay_all(struct prov_node *node, __u32 kind)
{
	struct prov_payment payment = { .node = node, .kind = kind };

	if (node)
		bpf_loop(DEBTS_OF_ONE, pay_one, &payment, 0);
	return 0;
}

/* Hardly ever is there one anywhere. */
static __always_inline bool is_anything_owed(void)
{
	return *(volatile __u32 *)&the_machine()->debts;
}

/* Makes the edges that are still to be made into this node. */
static __always_inline void settle(struct prov_node *node, __u32 kind)
{
	if (is_anything_owed())
		pay_all(node, kind);
}

#endif
