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
	__u64 seen; /* the word before the step, if it passed through */
	__u64 left; /* the word after it */
	__u32 version;
	__u32 entry; /* into what is mapped shared: how many data edges had entered before */
	bool stepped; /* we made this version */
	bool lost; /* given up: others kept changing the word */
};

/* What take_step returns: the word that it left, and with it */
enum {
	STEP_STEPPED = 1 << 8,
	STEP_LOST = 1 << 9,
	STEP_AGAIN = 1 << 10, /* never to its caller */
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
static __always_inline __u64 give_up(__u64 seen)
{
	count_here(version_of(seen) == ~0u ? COUNT_VERSIONS_EXHAUSTED : COUNT_CONTENTION);
	return seen | STEP_LOST;
}

/* As destination: into this version if nothing has left it yet, else into a new one. */
static __always_inline __u64 try_enter(struct prov_node *node)
{
	__u64 seen = *(volatile __u64 *)&node->word, left;

	if (!(seen & WORD_OUT))
		return seen;
	if (version_of(seen) == ~0u || seen & WORD_MOVED)
		return give_up(seen);
	left = (seen + VERSION_ONE) & ~(__u64)WORD_OUT;
	if (__sync_val_compare_and_swap(&node->word, seen, left) != seen)
		return seen | STEP_AGAIN;
	return left | STEP_STEPPED;
}

/* As the middle of a chain: destination and, in the same atomic step, source. */
static __always_inline __u64 try_pass_through(struct prov_node *node)
{
	__u64 seen = mark_word(node), left = seen + VERSION_ONE;

	if (!(seen & WORD_OUT))
		return seen | WORD_OUT;
	if (version_of(seen) == ~0u)
		return give_up(seen);
	if (__sync_val_compare_and_swap(&node->word, seen, left) != seen)
		return seen | STEP_AGAIN;
	return left | STEP_STEPPED;
}

/* All in one number: what a call leaves in memory takes room on the stack of all that lead here. */
VERIFIED_ONCE __u64 take_step(struct prov_node *node, bool passes)
{
	__u64 result = STEP_LOST;

	if (!node)
		return result;
	for (int i = 0; i < ENTER_TRIES; i++) {
		result = passes ? try_pass_through(node) : try_enter(node);
		if (!(result & STEP_AGAIN))
			return result;
	}
	return give_up(result & ~(__u64)STEP_AGAIN);
}

/* Nearly always the first try does it. */
static __always_inline __u64 make_step(struct prov_node *node, bool passes)
{
	__u64 result = passes ? try_pass_through(node) : try_enter(node);

	return result & STEP_AGAIN ? take_step(node, passes) : result;
}

static __always_inline struct prov_step step_of(__u64 result)
{
	struct prov_step step = {
		.left = result & ~(__u64)(STEP_STEPPED | STEP_LOST),
		.version = version_of(result),
		.stepped = result & STEP_STEPPED,
		.lost = result & STEP_LOST,
	};
	return step;
}

static __always_inline struct prov_step enter(struct prov_node *node)
{
	return step_of(make_step(node, false));
}

/* Without a step only the mark is new; a version given up is none of ours, whatever was seen. */
static __always_inline struct prov_step pass_through(struct prov_node *node)
{
	struct prov_step step = step_of(make_step(node, true));

	step.seen = step.stepped ? step.left - VERSION_ONE : step.left & ~(__u64)WORD_OUT;
	return step;
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
