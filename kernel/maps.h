/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_MAPS_H
#define PROVCAP_MAPS_H
/* Every map, and every constant that the loader sets, declared once; maps.bpf.c defines them. */

#include "compat.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "policy.h"
#include "record.h"
#include "vocabulary.h"
#include "state.h"

/* See graph/probe.h. Copies count from 0, in the order in which they run. No copies: there is one. */
extern const volatile __u32 probe_copy, probe_copies;

struct ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* One ring per CPU; the loader sets the size, makes the rings and puts them in. */
struct rings_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct ring_map);
};
extern struct rings_map rings SEC(".maps");

/*
 * What all programs read of one record is a variable: its map has the name behind ".data.", and the
 * address is in the code, so there is nothing to look up.
 */
extern struct prov_policy one_policy;
extern struct prov_machine one_machine;

struct cpu_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct prov_cpu);
};
extern struct cpu_map cpus SEC(".maps");

/* Layout of the records, as a hash: another build finds it beside the pinned maps. */
struct layout_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct prov_layout);
};
extern struct layout_map layout SEC(".maps");

struct tasks_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct prov_task);
};
extern struct tasks_map tasks SEC(".maps");

struct task_marks_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct prov_marks);
};
extern struct task_marks_map task_marks SEC(".maps");

/* Address spaces, by index; index 0 means none. */
struct memories_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MEMORIES);
	__type(key, __u32);
	__type(value, struct prov_memory);
};
extern struct memories_map memories SEC(".maps");

struct free_memories_map {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, MEMORIES);
	__type(value, __u32);
};
extern struct free_memories_map free_memories SEC(".maps");

/* mm address -> index, only while threads from before attaching are taken in */
struct adopted_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MEMORIES);
	__type(key, __u64);
	__type(value, __u32);
};
extern struct adopted_map adopted SEC(".maps");

/* inode address -> a file that was mapped before attaching, only while such mappings are taken in */
struct adopted_files_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ADOPTED_FILES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct prov_adopted_file);
};
extern struct adopted_files_map adopted_files SEC(".maps");

struct inodes_map {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct prov_node);
};
extern struct inodes_map inodes SEC(".maps");

struct inode_marks_map {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct prov_marks);
};
extern struct inode_marks_map inode_marks SEC(".maps");

/*
 * Inodes whose reads may block: pipes, FIFOs, terminals. They are recorded by exit probes, and those may
 * not use inode storage (only LSM programs may), so their nodes are kept by address. So are those of
 * files on a stacked file system, which are met through the file below.
 */
struct blocking_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BLOCKING_INODES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct prov_blocking);
};
extern struct blocking_map blocking SEC(".maps");

/* What has neither storage nor an inode of its own, by address */
struct loose_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LOOSE_OBJECTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct prov_loose);
};
extern struct loose_map loose SEC(".maps");
/*
 * Inodes by address that are mapped shared: whatever their processes take in may be written to them, and exit
 * probes see inputs, too. And those that a call copies into which may have to wait: an exit probe sees its end.
 */
struct mapped_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAPPED_INODES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct prov_mapped);
};
extern struct mapped_map mapped SEC(".maps");

/* index of an address space -> what it shares; most share nothing */
struct shares_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MEMORIES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct prov_shares);
};
extern struct shares_map shares SEC(".maps");

/* What an inode was, while it is not in the cache */
struct evicted_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EVICTED_INODES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prov_inode_key);
	__type(value, struct prov_evicted);
};
extern struct evicted_map evicted SEC(".maps");

/*
 * Names that have been sent -> epoch, but for the last of each inode, which its node has. Forgotten by age: a name that
 * is sent twice does no harm.
 */
struct names_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, KNOWN_NAMES);
	__type(key, struct prov_name);
	__type(value, __u32);
};
extern struct names_map names SEC(".maps");

struct sockets_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct prov_socket);
};
extern struct sockets_map sockets SEC(".maps");

struct streams_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, STREAMS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prov_stream_key);
	__type(value, struct prov_stream);
};
extern struct streams_map streams SEC(".maps");

/*
 * Packets, by the address of their buffer, and by a hash of their addresses (its top bit is 0).
 * Forgotten by age: nothing says when a buffer is freed, and an older packet in it is told by its
 * header.
 */
struct packets_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2 * PACKETS);
	__type(key, __u64);
	__type(value, struct prov_packet);
};
extern struct packets_map packets SEC(".maps");

/* The longest prefix counts. */
struct recorded_map {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, RECORDED_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prov_recorded_prefix);
	__type(value, struct prov_recorded);
};
extern struct recorded_map recorded SEC(".maps");
/* io_uring by its address, which is that of its context in the kernel */
struct io_rings_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IO_RINGS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct prov_ring);
};
extern struct io_rings_map io_rings SEC(".maps");

/* Files by address that are on their way to another process */
struct handed_over_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HANDED_OVER);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct prov_handed);
};
extern struct handed_over_map handed_over SEC(".maps");

/* Room to put a text together: several per CPU, since a program can be preempted or interrupted */
struct text_buffers_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TEXT_BUFFERS);
	__type(key, __u32);
	__type(value, struct prov_text_buffer);
};
extern struct text_buffers_map text_buffers SEC(".maps");

#endif
