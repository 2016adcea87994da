/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_TEXT_H
#define PROVCAP_GRAPH_TEXT_H
/* Buffers to put a text together in. Claimed and given back: a program may be interrupted meanwhile. */
#include "emit.h"

/* The compiler knows by itself, or from a copy, and the verifier does not: it has to see a constant. */
#define AT_MOST(number, most)                         \
	do {                                          \
		FORGET(number);                       \
		if (number > (most))                  \
			number = (most);              \
	} while (0)

static __always_inline struct prov_text_buffer *claim_buffer(void)
{
	struct prov_text_buffer *buffer;

	for (__u32 i = 0; i < TEXT_BUFFERS; i++) {
		__u32 key = i;

		buffer = bpf_map_lookup_elem(&text_buffers, &key);
		if (buffer && !__sync_val_compare_and_swap(&buffer->claimed, 0, 1))
			return buffer;
	}
	count_here(COUNT_NAME_NO_BUFFER);
	return NULL;
}

static __always_inline void give_back(struct prov_text_buffer *buffer)
{
	__sync_lock_test_and_set(&buffer->claimed, 0);
}

static __always_inline void fill_text(struct prov_text *text, struct prov_policy *policy,
				      struct prov_node *node, __u8 kind, __u32 length)
{
	text->id = 0;
	text->node = node->id;
	text->node_version = *(volatile __u64 *)&node->word >> VERSION_SHIFT;
	text->epoch = policy->epoch;
	text->length = length;
	text->offset = 0;
	text->total = length;
	text->count = 1;
	text->node_kind = kind;
	text->bits = TEXT_LAST;
	text->reserved = 0;
	text->reserved2 = 0;
}

#endif
