// SPDX-License-Identifier: GPL-2.0
/* The maps and the vocabulary tables: defined once, here. */
#include "maps.h"

const volatile __u32 probe_copy, probe_copies;

struct rings_map rings SEC(".maps");
struct prov_policy one_policy SEC(".data.policy");
struct prov_machine one_machine SEC(".data.machine");
struct cpu_map cpus SEC(".maps");
struct layout_map layout SEC(".maps");
struct tasks_map tasks SEC(".maps");
struct task_marks_map task_marks SEC(".maps");
struct memories_map memories SEC(".maps");
struct free_memories_map free_memories SEC(".maps");
struct adopted_map adopted SEC(".maps");
struct adopted_files_map adopted_files SEC(".maps");
struct inodes_map inodes SEC(".maps");
struct inode_marks_map inode_marks SEC(".maps");
struct blocking_map blocking SEC(".maps");
struct loose_map loose SEC(".maps");
struct mapped_map mapped SEC(".maps");
struct shares_map shares SEC(".maps");
struct evicted_map evicted SEC(".maps");
struct names_map names SEC(".maps");
struct sockets_map sockets SEC(".maps");
struct streams_map streams SEC(".maps");
struct packets_map packets SEC(".maps");
struct recorded_map recorded SEC(".maps");
struct io_rings_map io_rings SEC(".maps");
struct handed_over_map handed_over SEC(".maps");
struct text_buffers_map text_buffers SEC(".maps");

#define X(id, class, bit, name, is_long) \
	{ ((__u64)(CLASS_##class | (is_long ? 0x0400 : 0)) << 48) | (1ull << bit), name },
const struct prov_node_row node_rows[] SEC(".rodata.node_rows") = { NODE_KINDS(X) };
#undef X

#define X(id, category, bit, name, flow) \
	{ ((__u64)CATEGORY_##category << 48) | (1ull << bit), name, FLOW_##flow },
const struct prov_relation_row relation_rows[] SEC(".rodata.relation_rows") = { RELATIONS(X) };
#undef X

/* Named here so that their types are in the object's BTF, where Python reads them. */
const struct prov_types {
	struct prov_event event;
	struct prov_task_record task;
	struct prov_memory_record memory;
	struct prov_inode_record inode;
	struct prov_socket_record socket;
	struct prov_stream_record stream;
	struct prov_text text;
	struct prov_iattr_record iattr;
	struct prov_packet_record packet;
	struct prov_message_record message;
	struct prov_segment_record segment;
	struct prov_eventfd_record eventfd;
	enum prov_record_kind record_kind;
	enum prov_node_kind node_kind;
	enum prov_relation relation;
	enum prov_class class;
	enum prov_category category;
	enum prov_flow flow;
	enum prov_outcome outcome;
	enum prov_event_bits event_bits;
	enum prov_fixed_id fixed_id;
	enum prov_text_bits text_bits;
	enum prov_counter counter;
	enum prov_switch policy_switch;
	enum prov_restriction restriction;
	enum prov_mark mark;
	enum prov_way way;
	enum prov_word word;
	enum prov_nature nature;
} types_in_btf SEC(".rodata.types");

char LICENSE[] SEC("license") = "GPL";
