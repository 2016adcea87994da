/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Forces every record and every enum of the contract into BTF and lays the vocabulary out as data, so
 * that the tables of the user side can be made without building the whole object.
 */
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef long long __s64;

#include "record.h"
#include "vocabulary.h"

struct prov_event event;
struct prov_task_record task;
struct prov_memory_record memory;
struct prov_inode_record inode;
struct prov_socket_record socket;
struct prov_stream_record stream;
struct prov_text *text;
enum prov_record_kind record_kind;
enum prov_event_bits event_bits;
enum prov_outcome outcome;
enum prov_text_bits text_bits;
enum prov_counter counter;
enum prov_node_kind node_kind;
enum prov_relation relation;
enum prov_class class;
enum prov_category category;
enum prov_flow flow;

#define WORD(bits, long_bit, bit) \
	((unsigned long long)(bits) << 48 | (long_bit) * (1ull << 58) | 1ull << (bit))

#define X(id, class, bit, name, is_long) { WORD(CLASS_##class, is_long, bit), name },
const struct prov_node_row node_rows[] __attribute__((section(".rodata.vocabulary"))) = { NODE_KINDS(X) };
#undef X
#define X(id, category, bit, name, flow) { WORD(CATEGORY_##category, 0, bit), name, FLOW_##flow, 0 },
const struct prov_relation_row relation_rows[]
	__attribute__((section(".rodata.vocabulary"))) = { RELATIONS(X) };
#undef X
