/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_CPU_H
#define PROVCAP_GRAPH_CPU_H
/* What each CPU counts for itself: sequence numbers, node ids, losses. */
#include "../maps.h"

static __always_inline struct prov_cpu *this_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&cpus, &zero);
}

/* Programs are preemptible and softirq programs interrupt them on the same CPU: hence the atomics. */
static __always_inline void count_here(__u32 cause)
{
	struct prov_cpu *cpu = this_cpu();

	if (cpu && cause < COUNTER_COUNT)
		__sync_fetch_and_add(&cpu->counts[cause], 1);
}

/* The same by a call: short to verify, but one more at the end of a chain. The deepest count by themselves. */
VERIFIED_ONCE int count_loss(__u32 cause)
{
	count_here(cause);
	return 0;
}

/* `many` node ids in a row; unique until reboot without any cache line shared between CPUs. */
static __always_inline __u64 new_ids(__u32 many)
{
	struct prov_cpu *cpu = this_cpu();

	if (!cpu)
		return 0;
	return ((__u64)bpf_get_smp_processor_id() << CPU_SHIFT) +
	       __sync_fetch_and_add(&cpu->next_id, many) + FIRST_ID;
}

#endif
