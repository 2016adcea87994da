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
};

struct prov_policy {
	__u32 epoch; /* >= 1; a step makes every node and name be sent again */
	__u32 generation; /* steps when a mark changes: states then look theirs up again */
	__u32 switches; /* enum prov_switch */
	__u32 reserved;
	__u64 node_filter; /* bit enum prov_node_kind set: edges touching this kind are not recorded */
	__u64 relation_filter[2]; /* bit enum prov_relation set: not recorded */
};

/* Set by user space on a task or inode, through its descriptor; read, never written, by programs. */
enum prov_mark {
	MARK_TRACKED = 1,
	MARK_OPAQUE = 2,
	MARK_PROPAGATE = 4,
};

struct prov_marks {
	__u32 marks; /* enum prov_mark */
	__u32 reserved;
	__u64 taint;
};

#endif
