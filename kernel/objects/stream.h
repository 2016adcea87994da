/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_STREAM_H
#define PROVCAP_OBJECTS_STREAM_H
/*
 * What joins the two sockets of a TCP connection on one machine: the bytes under way in one direction
 * are a node of their own, found by the addresses that both ends know. A sender writes to it, a
 * receiver reads from it. Nothing in the kernel leads from one sock to its peer, and the sender may be
 * gone before the receiver reads.
 *
 * An entry lives while one of the (at most two) sockets of this machine that use it does. Both take
 * their share when the connection is made, so the sender's end cannot take the bytes with it.
 */
#include "task.h"

enum {
	AF_UNIX = 1,
	AF_INET = 2,
	AF_INET6 = 10,
	IPPROTO_TCP = 6,
	SOCK_STREAM = 1,
	SOCK_SEQPACKET = 5,
	TCP_LISTEN = 10, /* of unix sockets, too */
};

#define LOOPBACK_NET 127
#define V4_MAPPED_WORD 0xffff0000 /* third word of ::ffff:0:0/96 as it lies in memory */

static __always_inline void map_v4(__u8 *to, __be32 address)
{
	__u32 *words = (__u32 *)to;

	words[0] = 0;
	words[1] = 0;
	words[2] = V4_MAPPED_WORD;
	words[3] = address;
}

static __always_inline bool is_loopback(const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	if (words[0] || words[1])
		return false;
	if (words[2] == V4_MAPPED_WORD)
		return address[12] == LOOPBACK_NET;
	return !words[2] && words[3] == __builtin_bswap32(1);
}

/* `us` becomes the receiver, the peer the sender: the direction towards us. */
static __always_inline void inbound_key(struct sock_common *us, struct prov_stream_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	if (FIELD(us, skc_family) == AF_INET) {
		map_v4(key->sender, FIELD(us, skc_daddr));
		map_v4(key->receiver, FIELD(us, skc_rcv_saddr));
	} else {
		bpf_core_read(key->sender, 16, &us->skc_v6_daddr);
		bpf_core_read(key->receiver, 16, &us->skc_v6_rcv_saddr);
	}
	key->sender_port = FIELD(us, skc_dport);
	key->receiver_port = __builtin_bswap16(FIELD(us, skc_num));
	if (is_loopback(key->receiver))
		key->netns = FIELD(us, skc_net.net, ns.inum);
}

static __always_inline struct prov_stream_key reverse(const struct prov_stream_key *key)
{
	struct prov_stream_key back = {
		.sender_port = key->receiver_port,
		.receiver_port = key->sender_port,
		.netns = key->netns,
	};
	__builtin_memcpy(back.sender, key->receiver, 16);
	__builtin_memcpy(back.receiver, key->sender, 16);
	return back;
}

/* The same in place: two keys at once are a fifth of the stack that a chain of calls may take. */
static __always_inline void turn_around(struct prov_stream_key *key)
{
	__u32 *sender = (__u32 *)key->sender, *receiver = (__u32 *)key->receiver;
	__u16 port = key->sender_port;

	for (int i = 0; i < 4; i++) {
		__u32 word = sender[i];

		sender[i] = receiver[i];
		receiver[i] = word;
	}
	key->sender_port = key->receiver_port;
	key->receiver_port = port;
}

static __noinline struct prov_stream *find_stream(const struct prov_stream_key *key)
{
	struct prov_stream fresh = {}, *stream;

	stream = bpf_map_lookup_elem(&streams, key);
	if (stream)
		return stream;
	fresh.node.id = new_ids(1);
	fresh.node.word = WORD_LIVE;
	bpf_map_update_elem(&streams, key, &fresh, BPF_NOEXIST);
	stream = bpf_map_lookup_elem(&streams, key);
	if (!stream)
		count_loss(COUNT_STREAMS_FULL);
	return stream;
}

static __always_inline void hold_stream(const struct prov_stream_key *key)
{
	struct prov_stream *stream = find_stream(key);

	if (stream)
		__sync_fetch_and_add(&stream->references, 1);
}

static __noinline int drop_stream(struct prov_policy *policy, const struct prov_stream_key *key)
{
	struct prov_stream *stream = bpf_map_lookup_elem(&streams, key);

	if (!stream || __sync_fetch_and_add(&stream->references, -1) != 1)
		return 0;
	ends(policy, REL_FREE, &stream->node, NODE_STREAM, 0);
	bpf_map_delete_elem(&streams, key);
	return 0;
}

static __noinline int send_stream(struct prov_policy *policy, const struct prov_stream_key *key,
				  struct prov_node *node)
{
	struct prov_stream_record *record;

	if (!node)
		return 0;
	record = RESERVE(struct prov_stream_record, RECORD_STREAM, NODE_STREAM,
			 COUNT_NODE_RING_FULL);
	if (!record)
		return 0;
	fill_node(&record->node, node, policy);
	__builtin_memcpy(record->sender, key->sender, 16);
	__builtin_memcpy(record->receiver, key->receiver, 16);
	record->sender_port = key->sender_port;
	record->receiver_port = key->receiver_port;
	record->netns = key->netns;
	submit(record);
	node->sent = policy->epoch;
	return 0;
}

static __always_inline struct prov_node *stream_node(struct prov_scene *scene,
						     const struct prov_stream_key *key)
{
	struct prov_stream *stream = find_stream(key);

	if (!stream || !takes_part(scene, &stream->node))
		return NULL;
	if (stream->node.sent != scene->policy->epoch)
		send_stream(scene->policy, key, &stream->node);
	return &stream->node;
}

#endif
