/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_SOCKET_H
#define PROVCAP_OBJECTS_SOCKET_H
/*
 * Sockets: their node lives with the sock, not with the inode. A sock has its state before it is
 * accepted and after its descriptor is closed, which is when peers still write to it and read from it.
 */
#include "stream.h"

static __always_inline bool is_tcp(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return (family == AF_INET || family == AF_INET6) && sk->sk_protocol == IPPROTO_TCP;
}

/*
 * Take our share of both directions; once per sock. Existing connections do it at first use, and then
 * two threads may come at once: `in` is good only when `joined` says that it is written.
 */
static __noinline int join_streams(struct prov_socket *socket, struct sock_common *common)
{
	struct prov_stream_key key, out;

	if (!socket || __sync_val_compare_and_swap(&socket->joined, STREAMS_APART, STREAMS_JOINING))
		return 0;
	inbound_key(common, &key);
	out = reverse(&key);
	socket->in = key;
	hold_stream(&key);
	hold_stream(&out);
	__sync_lock_test_and_set(&socket->joined, STREAMS_JOINED);
	return 0;
}

/* The key of the direction towards us, joined by whoever came first. */
static __always_inline void inbound(struct prov_socket *socket, struct sock *sk,
				    struct prov_stream_key *key)
{
	if (*(volatile __u32 *)&socket->joined == STREAMS_APART)
		join_streams(socket, &sk->__sk_common);
	if (*(volatile __u32 *)&socket->joined == STREAMS_JOINED)
		*key = socket->in;
	else
		inbound_key(&sk->__sk_common, key);
}

static __always_inline void leave_streams(struct prov_policy *policy, struct prov_socket *socket)
{
	struct prov_stream_key in = socket->in, out = reverse(&in);

	if (socket->joined != STREAMS_JOINED)
		return;
	drop_stream(policy, &in);
	drop_stream(policy, &out);
}

static __noinline int send_socket(struct prov_policy *policy, struct sock *sk,
				  struct prov_node *node)
{
	struct socket_alloc *around = (void *)BPF_CORE_READ(sk, sk_socket);
	struct prov_socket_record *record;

	if (!policy || !node)
		return 0;
	record = RESERVE(struct prov_socket_record, RECORD_SOCKET, NODE_SOCKET,
			 COUNT_NODE_RING_FULL);
	if (!record)
		return 0;
	fill_node(&record->node, node, policy);
	record->ino = around ? BPF_CORE_READ(around, vfs_inode.i_ino) : 0;
	record->uid = around ? BPF_CORE_READ(around, vfs_inode.i_uid.val) : 0;
	record->gid = around ? BPF_CORE_READ(around, vfs_inode.i_gid.val) : 0;
	record->mode = around ? BPF_CORE_READ(around, vfs_inode.i_mode) : 0;
	record->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	record->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	record->type = BPF_CORE_READ(sk, sk_type);
	record->protocol = BPF_CORE_READ(sk, sk_protocol);
	record->reserved = 0;
	submit(record);
	node->sent = policy->epoch;
	return 0;
}

static __always_inline struct prov_socket *socket_state(struct sock *sk)
{
	struct prov_socket *socket;

	socket = bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!socket) {
		count_loss(COUNT_SOCKET_STORAGE);
		return NULL;
	}
	if (!is_born(&socket->node))
		give_birth(&socket->node, new_ids(1), 0);
	return socket;
}

/* The state of a socket, its node announced; NULL: it is not wanted, or there is none, which was counted. */
static __always_inline struct prov_socket *socket_node(struct prov_scene *scene, struct sock *sk)
{
	struct prov_socket *socket = socket_state(sk);

	if (!socket || !takes_part(scene, &socket->node))
		return NULL;
	if (socket->node.sent != scene->policy->epoch)
		send_socket(scene->policy, sk, &socket->node);
	return socket;
}

/* Two sockets of one operation: what the second one is may decide about both. */
static __always_inline bool take_part(struct prov_scene *scene, struct sock *one, struct sock *other)
{
	struct prov_socket *first = socket_state(one), *second = socket_state(other);

	return first && second && (takes_part(scene, &first->node) || takes_part(scene, &second->node));
}

/* The address given to bind or connect, as a name of the socket */
static __noinline int name_socket(struct prov_policy *policy, struct prov_node *node,
				  struct sockaddr *address, int length)
{
	struct prov_text_buffer *buffer;
	__u32 size = length;

	if (!policy || !node || size > 128 || !(buffer = claim_buffer()))
		return 0;
	if (!bpf_probe_read_kernel(buffer->room, size, address)) {
		fill_text(&buffer->text, policy, node, NODE_SOCKET, size);
		buffer->text.id = new_ids(1);
		send_text(&buffer->text, sizeof(buffer->text) + size, NODE_ADDRESS);
	}
	give_back(buffer);
	return 0;
}

#endif
