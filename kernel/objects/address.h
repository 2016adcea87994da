/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_ADDRESS_H
#define PROVCAP_OBJECTS_ADDRESS_H
/*
 * Addresses of a socket that nobody gave to bind or connect: both ends of an accepted connection, and
 * whom a single message goes to or comes from. Each is told once.
 */
#include "socket.h"

enum {
	AF_NETLINK = 16,
};

/* As user space knows it, zeroed behind its end */
struct prov_address {
	__u64 words[4];
};

static __always_inline __u64 hash_address(const struct prov_address *address)
{
	__u64 hash = 0xcbf29ce484222325;

	for (int i = 0; i < 4; i++)
		hash = (hash ^ address->words[i]) * 0x9e3779b97f4a7c15;
	return hash ^ hash >> 32;
}

static __noinline int tell_address(struct prov_policy *policy, struct prov_node *node,
				   const struct prov_address *address, __u32 size)
{
	struct prov_name name = {};
	struct prov_text_buffer *buffer;
	__u32 *told, epoch;

	if (!node || !address || size > sizeof(*address) ||
	    is_filtered(policy, REL_ADDRESSED, NODE_ADDRESS))
		return 0;
	name.node = node->id;
	name.key = hash_address(address);
	epoch = policy->epoch;
	told = bpf_map_lookup_elem(&names, &name);
	if ((told && *told == epoch) || !(buffer = claim_buffer()))
		return 0;
	__builtin_memcpy(buffer->room, address, sizeof(*address));
	send_address(buffer, policy, node, size);
	bpf_map_update_elem(&names, &name, &epoch, BPF_ANY);
	return 0;
}

/* Whom a message goes to, or who has sent it; the other side of a unix socket is a node itself. */
static __noinline int name_correspondent(struct prov_policy *policy, struct prov_node *node,
					 struct msghdr *msg)
{
	struct prov_address address = {};
	const void *from;
	__u32 size;

	if (!node || !msg)
		return 0;
	from = FIELD(msg, msg_name);
	size = FIELD(msg, msg_namelen);
	if (!from || size < sizeof(__u16) || size > sizeof(address) ||
	    bpf_probe_read_kernel(&address, size, from))
		return 0;
	if ((__u16)address.words[0] == AF_NETLINK)
		address.words[0] &= ~0xffff0000ull; /* padding, which nobody has to fill in */
	if ((__u16)address.words[0] != AF_UNIX)
		tell_address(policy, node, &address, size);
	return 0;
}

/* What user space knows of struct sockaddr_in, sockaddr_in6 */
static __always_inline bool is_inet(const struct prov_inet_address *address)
{
	return address->family == AF_INET || address->family == AF_INET6;
}

/* Whether the packets of a socket are recorded that is given this address */
static __noinline int apply_recorded(struct prov_node *node, struct sockaddr *given, __u32 way)
{
	struct prov_recorded_prefix prefix = { .bits = 32 + 128, .way = way };
	struct prov_inet_address address = {};
	struct prov_recorded *rule;

	if (!node || bpf_probe_read_kernel(&address, sizeof(address), given) || !is_inet(&address))
		return 0;
	if (address.family == AF_INET)
		map_v4(prefix.address, address.v4);
	else
		__builtin_memcpy(prefix.address, address.v6, 16);
	rule = bpf_map_lookup_elem(&recorded, &prefix);
	if (!rule || (rule->port && rule->port != address.port))
		return 0;
	add_marks(node, MARK_RECORD);
	the_machine()->records_packets = 1;
	return 0;
}

/* The near end of a connection, or the far one */
static __noinline int name_end(struct prov_policy *policy, struct prov_node *node, struct sock *sk,
			       bool far)
{
	struct prov_address address = {};
	struct prov_inet_address *inet = (void *)&address;
	struct sock_common *ends;

	if (!node || !sk)
		return 0;
	ends = &sk->__sk_common;
	inet->family = FIELD(ends, skc_family);
	inet->port = far ? FIELD(ends, skc_dport) :
			   __builtin_bswap16(FIELD(ends, skc_num));
	if (inet->family == AF_INET)
		inet->v4 = far ? FIELD(ends, skc_daddr) :
				 FIELD(ends, skc_rcv_saddr);
	else if (far)
		bpf_core_read(&inet->v6, sizeof(inet->v6), &ends->skc_v6_daddr);
	else
		bpf_core_read(&inet->v6, sizeof(inet->v6), &ends->skc_v6_rcv_saddr);
	tell_address(policy, node, &address, inet->family == AF_INET ? 16 : 28);
	return 0;
}

static __always_inline void name_connection(struct prov_policy *policy, struct prov_node *node,
					    struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	if (family != AF_INET && family != AF_INET6)
		return;
	name_end(policy, node, sk, false);
	name_end(policy, node, sk, true);
}

#endif
