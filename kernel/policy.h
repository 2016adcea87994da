/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_POLICY_H
#define PROVCAP_POLICY_H
/* What comes down: the one policy record that every hook reads first, and the marks of objects. */

enum prov_switch {
	SWITCH_REPEAT_EDGES = 1, /* record every operation, also what the graph already has */
	/*
	 * Threads from before attaching may still turn up: share M by mm. Files that an opaque task
	 * opens are kept, so that the mappings from before attaching can be told.
	 */
	SWITCH_ADOPT = 2,
	SWITCH_ENABLED = 4, /* without it nothing is recorded, and state only kept */
	SWITCH_ALL = 8, /* the whole system; without it only what is tracked */
	SWITCH_SEGMENTS = 16, /* packets of TCP, too: those with bytes in them */
	SWITCH_CONTENT = 32, /* what is in a packet */
	SWITCH_ENVIRONMENT = 64, /* the environment of programs, too */
	SWITCH_MARKED_FILES = 128, /* some inode may have been given a mark */
};

/* What was left out at any time since loading, kept by user space: a recording has to say so. */
enum prov_restriction {
	RESTRICTION_SWITCHED_OFF = 1, /* everything: capture was off */
	RESTRICTION_TRACKED_ONLY = 2, /* what is not tracked */
	RESTRICTION_FILTERED = 4, /* some node kinds or relations */
	RESTRICTION_OPAQUE = 8, /* what touches files or processes that were marked opaque */
};

struct prov_policy {
	__u32 epoch; /* >= 1; a step makes every node and name be sent again */
	__u32 generation; /* steps when a mark changes: states then look theirs up again */
	__u32 switches; /* enum prov_switch */
	__u32 restrictions; /* enum prov_restriction; no program reads it */
	__u64 node_filter; /* bit enum prov_node_kind set: edges touching this kind are not recorded */
	__u64 relation_filter[2]; /* bit enum prov_relation set: not recorded */
	__u64 propagate_node_filter; /* marks do not spread into this kind */
	__u64 propagate_relation_filter[2]; /* marks do not spread along this relation */
};

/* What is wanted of a node. User space changes it through struct prov_marks, tracking spreads it. */
enum prov_mark {
	MARK_TRACKED = 1, /* edges that touch it are recorded */
	MARK_OPAQUE = 2, /* nothing that touches it is recorded */
	MARK_PROPAGATE = 4, /* with TRACKED: what it flows into becomes the same */
	MARK_OPAQUE_PROGRAM = 8, /* the kernel's own, of memory: it executes an opaque file */
	MARK_RECORD = 16, /* of a socket: its packets, those of TCP too, with what is in them */
};

/* Which sockets have their packets recorded: what bind or connect is given decides. */
enum prov_way {
	WAY_IN = 1, /* the own address, given to bind */
	WAY_OUT = 2, /* the other's, given to connect */
};

struct prov_recorded_prefix {
	__u32 bits; /* of what follows: 32 for `way`, then those of the address */
	__u32 way; /* enum prov_way */
	__u8 address[16]; /* IPv4 is v4-mapped: its bits come behind 96 others */
};

struct prov_recorded {
	__u16 port; /* network order; 0: any */
	__u16 reserved;
};

/*
 * A wish of user space, kept with a task or inode and written through its descriptor: programs read it
 * and never write it, user space never writes a node. A node takes each serial over once, so that later
 * spreading is not undone.
 */
struct prov_marks {
	__u32 serial; /* steps with each wish */
	__u32 set; /* enum prov_mark */
	__u32 clear; /* enum prov_mark */
	__u32 reserved;
	__u64 taint; /* bits to add */
};

#endif
