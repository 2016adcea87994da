/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_VERSION_H
#define PROVCAP_GRAPH_VERSION_H
/*
 * Versions without locks. docs/explanation/versioning.md has the proof that no cycle can arise, and
 * tests/model checks it; both speak of the three steps below, so a change here needs them changed too.
 */
#include "cpu.h"

#define VERSION_ONE (1ull << VERSION_SHIFT)
#define ENTER_TRIES 16

/* Result of a step */
struct prov_step {
	__u64 seen; /* the word before the step */
	__u64 left; /* the word after it */
	__u32 version;
	__u32 entry; /* into what is mapped shared: how many data edges had entered before */
	__u8 stepped; /* we made this version */
	__u8 lost; /* given up: others kept changing the word */
};

static __always_inline __u32 version_of(__u64 word)
{
	return word >> VERSION_SHIFT;
}

/* As source: this version now has an edge out. Fetching atomics are full barriers, which is needed. */
static __always_inline __u64 mark_word(struct prov_node *node)
{
	return __sync_fetch_and_or(&node->word, WORD_OUT);
}

static __always_inline __u32 mark(struct prov_node *node)
{
	return version_of(mark_word(node));
}

/* Versions are 32 bits, as in the identifier. One that ran out takes no more edges: counted, no wrap. */
static __always_inline struct prov_step give_up(struct prov_step step)
{
	count_loss(version_of(step.seen) == ~0u ? COUNT_VERSIONS_EXHAUSTED : COUNT_CONTENTION);
	step.lost = 1;
	return step;
}

/* As destination: into this version if nothing has left it yet, else into a new one. */
static __always_inline struct prov_step enter(struct prov_node *node)
{
	struct prov_step step = {};

	for (int i = 0; i < ENTER_TRIES; i++) {
		step.seen = *(volatile __u64 *)&node->word;
		step.left = step.seen;
		step.version = version_of(step.seen);
		if (!(step.seen & WORD_OUT))
			return step;
		if (step.version == ~0u || step.seen & WORD_MOVED)
			break;
		step.left = (step.seen + VERSION_ONE) & ~(__u64)WORD_OUT;
		if (__sync_val_compare_and_swap(&node->word, step.seen, step.left) == step.seen) {
			step.version = version_of(step.left);
			step.stepped = 1;
			return step;
		}
	}
	return give_up(step);
}

/* As the middle of a chain: destination and, in the same atomic step, source. */
static __always_inline struct prov_step pass_through(struct prov_node *node)
{
	struct prov_step step = {};

	for (int i = 0; i < ENTER_TRIES; i++) {
		step.seen = mark_word(node);
		step.left = step.seen | WORD_OUT;
		step.version = version_of(step.seen);
		if (!(step.seen & WORD_OUT))
			return step;
		if (step.version == ~0u)
			break;
		step.left = step.seen + VERSION_ONE;
		if (__sync_val_compare_and_swap(&node->word, step.seen, step.left) == step.seen) {
			step.version = version_of(step.left);
			step.stepped = 1;
			return step;
		}
	}
	return give_up(step);
}

/*
 * The content is gone: always a new version, which holds nothing of the one before it. Counted first, so
 * that nobody takes an edge from before for one that is still there. 0: others kept changing the word.
 */
static __always_inline __u32 cut(struct prov_node *node)
{
	struct prov_step step;

	__sync_fetch_and_add(&node->cuts, 1);
	mark(node);
	step = enter(node);
	return step.stepped ? step.version : 0;
}

/* The last version of a node: always a new one. The relation that says so is its version edge. */
static __always_inline struct prov_step end_version(struct prov_node *node)
{
	mark(node);
	return enter(node);
}

#endif
