/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_NODE_H
#define PROVCAP_GRAPH_NODE_H
/* Birth of a node: safe for any number of CPUs that see the object first at the same time. */
#include "version.h"

/*
 * Every caller proposes the same (id, word) or fresh ones; the id that is there first wins, and only
 * then is the word set, so that nobody uses a node that is half made.
 */
static __always_inline void give_birth(struct prov_node *node, __u64 id, __u64 word)
{
	__sync_val_compare_and_swap(&node->id, 0, id);
	__sync_val_compare_and_swap(&node->word, 0, word | WORD_LIVE);
}

static __always_inline bool is_born(struct prov_node *node)
{
	return *(volatile __u64 *)&node->word != 0;
}

#endif
