/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_GRAPH_EMIT_H
#define PROVCAP_GRAPH_EMIT_H
/* Records into the ring of this CPU. Every refusal is counted by cause and leaves a gap in `seq`. */
#include "cpu.h"

static __always_inline struct prov_policy *current_policy(void)
{
	return &one_policy;
}

static __always_inline struct prov_machine *the_machine(void)
{
	return &one_machine;
}

static __always_inline void *current_ring(__u32 cpu)
{
	return bpf_map_lookup_elem(&rings, &cpu);
}

/* The number is taken whether or not the record can be sent: a gap is the loss itself. */
static __always_inline void fill_head(struct prov_head *head, __u32 cpu, __u32 seq, __u8 kind,
				      __u8 what)
{
	head->at_ns = bpf_ktime_get_boot_ns();
	head->seq = seq;
	head->cpu = cpu;
	head->kind = kind;
	head->what = what;
}

static __always_inline __u32 next_seq(void)
{
	struct prov_cpu *cpu = this_cpu();

	return cpu ? __sync_fetch_and_add(&cpu->seq, 1) : 0;
}

/* Wake-ups cost ten times the record: the reader looks by itself, on a short timer. */
#define RING_FLAGS BPF_RB_NO_WAKEUP

static __always_inline void *reserve(__u32 size, __u8 kind, __u8 what, enum prov_counter refused)
{
	__u32 cpu = bpf_get_smp_processor_id();
	void *ring = current_ring(cpu);
	__u32 seq = next_seq();
	void *record = NULL;

	if (ring)
		record = bpf_ringbuf_reserve(ring, size, 0);
	if (record)
		fill_head(record, cpu, seq, kind, what);
	else
		count_here(refused);
	return record;
}

/* A record that was put together elsewhere, because its length is known only at run time. */
static __always_inline bool send_text(struct prov_text *text, __u32 size, __u8 what)
{
	__u32 cpu = bpf_get_smp_processor_id();
	void *ring = current_ring(cpu);

	fill_head(&text->head, 0, next_seq(), RECORD_TEXT, what);
	text->head.cpu = bpf_get_smp_processor_id(); /* again: to keep it takes the last stack that there is */
	if (ring && !bpf_ringbuf_output(ring, text, size, RING_FLAGS))
		return true;
	count_here(COUNT_TEXT_RING_FULL);
	return false;
}

static __always_inline void submit(void *record)
{
	bpf_ringbuf_submit(record, RING_FLAGS);
}

static __always_inline void fill_node(struct prov_node_head *head, struct prov_node *node,
				      struct prov_policy *policy)
{
	head->id = node->id;
	head->version = *(volatile __u64 *)&node->word >> VERSION_SHIFT;
	head->epoch = policy->epoch;
	head->taint = node->taint;
}

#define RESERVE(type, kind, what, refused) ((type *)reserve(sizeof(type), kind, what, refused))

#endif
