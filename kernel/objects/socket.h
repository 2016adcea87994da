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

/* Numbers for 64-bit programs, then for 32-bit ones, which in the other mode have nothing to do with sockets */
static __always_inline bool is_call_for_files(__u32 number)
{
	switch (number) {
	case 0: case 1: case 17 ... 20: case 295: case 296: case 327: case 328:
	case 3: case 4: case 145: case 146: case 180: case 181: case 333: case 334: case 378: case 379:
		return true;
	}
	return false;
}

/*
 * What is sent or received by the calls for files (read, write and their kin) comes with the request that the
 * file was given. A message that some calls leave partly unset is told apart by the file of the request. Newer
 * kernels give no request (7.3 at the latest): there the call says it, and what a ring asks for passes as a message.
 */
static __always_inline bool is_through_file(struct socket *sock, struct msghdr *msg)
{
	struct file *file = sock->file;
	struct kiocb *request;

	if (!bpf_core_field_exists(msg->msg_iocb))
		return is_call_for_files(system_call());
	request = READ_ONLY(msg)->msg_iocb;
	return request && file && request->ki_filp == file;
}

/* Its streams have addresses. */
static __always_inline bool has_peer(struct sock *sk)
{
	return sk->__sk_common.skc_dport != 0;
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

/*
 * The key of the direction towards us, joined by whoever came first. Not by a send before there is a peer
 * (one that fails, or TCP Fast Open): the key would stay without its address.
 */
static __always_inline void inbound(struct prov_socket *socket, struct sock *sk,
				    struct prov_stream_key *key)
{
	if (*(volatile __u32 *)&socket->joined == STREAMS_APART && has_peer(sk))
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
	struct socket_alloc *around = (void *)FIELD(sk, sk_socket);
	struct prov_socket_record *record;

	if (!node)
		return 0;
	record = RESERVE(struct prov_socket_record, RECORD_SOCKET, NODE_SOCKET,
			 COUNT_NODE_RING_FULL);
	if (!record)
		return 0;
	fill_node(&record->node, node, policy);
	record->ino = around ? FIELD(around, vfs_inode.i_ino) : 0;
	record->uid = around ? FIELD(around, vfs_inode.i_uid.val) : 0;
	record->gid = around ? FIELD(around, vfs_inode.i_gid.val) : 0;
	record->mode = around ? FIELD(around, vfs_inode.i_mode) : 0;
	record->netns = FIELD(sk, __sk_common.skc_net.net, ns.inum);
	record->family = FIELD(sk, __sk_common.skc_family);
	record->type = FIELD(sk, sk_type);
	record->protocol = FIELD(sk, sk_protocol);
	record->reserved = 0;
	submit(record);
	node->sent = policy->epoch;
	return 0;
}

static __always_inline struct prov_socket *socket_state(struct sock *sk)
{
	struct prov_socket *socket;

	socket = bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!socket) /* asked twice: see stored_task */
		socket = bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!socket) {
		count_loss(COUNT_SOCKET_STORAGE);
		return NULL;
	}
	if (!is_born(&socket->node))
		give_birth(&socket->node, new_ids(1), 0);
	return socket;
}

/* What is in the buffer, which is given back */
static __always_inline void send_address(struct prov_text_buffer *buffer, struct prov_policy *policy,
					 struct prov_node *node, __u32 size)
{
	fill_text(&buffer->text, policy, node, NODE_SOCKET, size);
	buffer->text.id = new_ids(1);
	send_text(&buffer->text, sizeof(buffer->text) + size, NODE_ADDRESS);
	give_back(buffer);
}

/* The address given to bind or connect, as a name of the socket */
static __noinline int name_socket(struct prov_policy *policy, struct prov_node *node,
				  struct sockaddr *address, int length)
{
	struct prov_text_buffer *buffer;
	__u32 size = length;

	if (!node || size > 128 || !(buffer = claim_buffer()))
		return 0;
	AT_MOST(size, 128);
	if (bpf_probe_read_kernel(buffer->room, size, address))
		give_back(buffer);
	else
		send_address(buffer, policy, node, size);
	return 0;
}

/* As bind gets it from user space; IPv6 leaves flow label and scope at zero */
struct prov_inet_address {
	__u16 family;
	__be16 port;
	__be32 v4;
	__u8 v6[16];
	__u32 scope;
};

static __noinline int name_inet_listener(struct prov_policy *policy, struct prov_node *node,
					 struct sock *sk)
{
	struct prov_inet_address address = {};
	struct prov_text_buffer *buffer;
	__u32 size = 16;

	if (!node || !(buffer = claim_buffer()))
		return 0;
	address.family = FIELD(sk, __sk_common.skc_family);
	address.port = __builtin_bswap16(FIELD(sk, __sk_common.skc_num));
	if (address.family == AF_INET6) {
		BPF_CORE_READ_INTO(&address.v6, sk, __sk_common.skc_v6_rcv_saddr);
		size = 28;
	} else {
		address.v4 = FIELD(sk, __sk_common.skc_rcv_saddr);
	}
	__builtin_memcpy(buffer->room, &address, sizeof(address));
	send_address(buffer, policy, node, size);
	return 0;
}

static __noinline int name_unix_listener(struct prov_policy *policy, struct prov_node *node,
					 struct unix_sock *sk)
{
	struct unix_address *address = FIELD(sk, addr);
	struct prov_text_buffer *buffer;
	__u32 size = address ? FIELD(address, len) : 0;

	if (!node || !size || size > 128 || !(buffer = claim_buffer()))
		return 0;
	AT_MOST(size, 128);
	bpf_probe_read_kernel(buffer->room, size, (void *)address +
			      bpf_core_field_offset(struct unix_address, name));
	send_address(buffer, policy, node, size);
	return 0;
}

/* A socket that is first recorded when it listens already was bound unseen: what it is bound to is told. */
static __always_inline void announce_listener(struct prov_policy *policy, struct prov_node *node,
					      struct sock *sk)
{
	__u16 family = FIELD(sk, __sk_common.skc_family);

	if (FIELD(sk, __sk_common.skc_state) != TCP_LISTEN ||
	    is_filtered(policy, REL_ADDRESSED, NODE_ADDRESS))
		return;
	if (family == AF_UNIX)
		name_unix_listener(policy, node, (struct unix_sock *)sk);
	else if (family == AF_INET || family == AF_INET6)
		name_inet_listener(policy, node, sk);
}

/* For hooks in which no task acts */
static __always_inline void announce_socket_alone(struct prov_policy *policy, struct sock *sk,
						  struct prov_node *node)
{
	bool announced;

	if (node->sent == policy->epoch)
		return;
	announced = was_announced(policy, node);
	send_socket(policy, sk, node);
	if (!announced)
		announce_listener(policy, node, sk);
}

static __always_inline void announce_socket(struct prov_scene *scene, struct sock *sk,
					    struct prov_node *node)
{
	announce_socket_alone(scene->policy, sk, node);
}

/* The state of a socket, its node announced; NULL: it is not wanted, or there is none, which was counted. */
static __always_inline struct prov_socket *socket_node(struct prov_scene *scene, struct sock *sk)
{
	struct prov_socket *socket = socket_state(sk);

	if (!socket || !takes_part(scene, &socket->node))
		return NULL;
	announce_socket(scene, sk, &socket->node);
	return socket;
}

/* Two sockets of one operation: what the second one is may decide about both. */
static __always_inline bool take_part(struct prov_scene *scene, struct sock *one, struct sock *other)
{
	struct prov_socket *first = socket_state(one), *second = socket_state(other);

	return first && second && (takes_part(scene, &first->node) || takes_part(scene, &second->node));
}

/* On TCP the bytes come out of the stream first; either of the two may be what is tracked. */
static __always_inline void receive_stream(struct prov_scene *scene, struct sock *sk)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.from_kind = NODE_STREAM,
		.kind = NODE_SOCKET,
	};
	struct prov_socket *socket = socket_state(sk);
	struct prov_stream_key key;
	struct prov_node *stream;

	if (!socket)
		return;
	takes_part(scene, &socket->node);
	inbound(socket, sk, &key);
	stream = stream_node(scene, &key);
	if (!stream || !takes_part(scene, &socket->node))
		return;
	announce_socket(scene, sk, &socket->node);
	derives(scene, REL_RECEIVE_STREAM, stream, &socket->node, &detail);
}

#endif
