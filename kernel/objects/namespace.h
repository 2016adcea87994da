/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_NAMESPACE_H
#define PROVCAP_OBJECTS_NAMESPACE_H
/* Namespaces of tasks: which ones change, and what a task may do in them. */
#include "../maps.h"

enum {
	CLONE_NEWTIME = 0x80,
	CLONE_NEWNS = 0x20000,
	CLONE_NEWCGROUP = 0x2000000,
	CLONE_NEWUTS = 0x4000000,
	CLONE_NEWIPC = 0x8000000,
	CLONE_NEWUSER = 0x10000000,
	CLONE_NEWPID = 0x20000000,
	CLONE_NEWNET = 0x40000000,
};

/* Of process ids and of time it is those that children will have. */
#define NAMESPACES(X)                             \
	X(uts_ns, CLONE_NEWUTS)                   \
	X(ipc_ns, CLONE_NEWIPC)                   \
	X(mnt_ns, CLONE_NEWNS)                    \
	X(net_ns, CLONE_NEWNET)                   \
	X(cgroup_ns, CLONE_NEWCGROUP)             \
	X(pid_ns_for_children, CLONE_NEWPID)      \
	X(time_ns_for_children, CLONE_NEWTIME)

static __always_inline __u32 namespaces_that_differ(struct nsproxy *old, struct nsproxy *new)
{
	__u32 found = 0;

#define X(member, flag)                                                   \
	if (FIELD(old, member) != FIELD(new, member))     \
		found |= flag;
	NAMESPACES(X)
#undef X
	return found;
}

#define CAP_SYS_ADMIN 21
#define USER_NAMESPACE_LEVELS 33 /* the kernel allows no deeper nesting */

/* All of a set as one number: two halves up to 6.2, one word since. */
static __always_inline __u64 effective_capabilities(const struct cred *cred)
{
	__u64 found = 0;

	if (CAN_CAST)
		return NUMBER_AT(&cred->cap_effective);
	bpf_core_read(&found, sizeof(found), &cred->cap_effective);
	return found;
}

/* As the kernel answers it: by the set in its own namespace, as owner in those directly below it. */
static __noinline bool may_in(const struct cred *cred, struct user_namespace *target,
			      __u32 capability)
{
	struct user_namespace *own = FIELD(cred, user_ns);
	int level = FIELD(own, level);

	for (int i = 0; i < USER_NAMESPACE_LEVELS; i++) {
		if (target == own)
			return effective_capabilities(cred) >> (capability & 63) & 1;
		if (!target || FIELD(target, level) <= level)
			return false;
		if (FIELD(target, parent) == own &&
		    FIELD(target, owner.val) == FIELD(cred, euid.val))
			return true;
		target = FIELD(target, parent);
	}
	return false;
}

#endif
