/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_PROBE_H
#define PROVCAP_GRAPH_PROBE_H
/*
 * Programs on functions. The kernel does not run such a program while the same CPU is inside of it
 * already. Where a task can be preempted there, another one that comes to the function is missed. On such
 * a kernel the loader attaches each of them several times: the first copy does the work, and the others
 * what those before them did not run for. A call is missed only if as many tasks as there are copies have
 * been preempted in them on one CPU, or if the last copy is missed and then the first, by one task.
 */
#include "cpu.h"

static __always_inline bool is_last_copy(void)
{
	return probe_copy + 1 == probe_copies;
}

/*
 * Calls that no copy has run for are skips of the last copy plus the tally: up for each call that it left
 * to the others, down for each that another one took. The loader attaches the last copy first: as long as
 * it is alone it takes all.
 */
static __always_inline void tally_probe(__u64 probe, __s64 change)
{
	struct prov_cpu *cpu = this_cpu();

	if (cpu)
		__sync_fetch_and_add(&cpu->probes[probe & (PROBES - 1)], change);
}

/* The first copy does not ask: a mark that it finds is of a call for which the last copy was skipped. */
static __always_inline bool has_been_taken(struct prov_task *task, __u64 probe)
{
	__u64 *taken = &task->taken[probe / 64 % (PROBES / 64)];
	__u64 bit = 1ull << probe % 64;

	if (probe_copy && *taken & bit) {
		if (is_last_copy()) {
			*taken &= ~bit;
			tally_probe(probe, 1);
		}
		return true;
	}
	if (!is_last_copy()) {
		*taken |= bit;
		tally_probe(probe, -1);
	}
	return false;
}

/*
 * Whether another copy has seen to this call. Not for what interrupts, which would take the mark of the
 * task below. Without state for the task no copy can do anything.
 */
static __always_inline bool is_seen_to(void *ctx)
{
	struct prov_task *task;

	if (!probe_copies)
		return false;
	task = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
	return task && has_been_taken(task, bpf_get_attach_cookie(ctx) & (PROBES - 1));
}

/* The loader finds these by the tag. */
#define PROBE_MARK __attribute__((btf_decl_tag("probe")))

/* As BPF_PROG, for one that no interrupt runs */
#define PROBE(name, args...)                                                    \
	name(unsigned long long *ctx);                                          \
	static __always_inline int ____##name(unsigned long long *ctx, ##args); \
	PROBE_MARK int name(unsigned long long *ctx)                            \
	{                                                                       \
		_Pragma("GCC diagnostic push")                                  \
		_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")          \
		return is_seen_to(ctx) ? 0 : ____##name(___bpf_ctx_cast(args)); \
		_Pragma("GCC diagnostic pop")                                   \
	}                                                                       \
	static __always_inline int ____##name(unsigned long long *ctx, ##args)

#endif
