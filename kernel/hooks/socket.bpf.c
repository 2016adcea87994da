// SPDX-License-Identifier: GPL-2.0
/* Sockets: made, named, connected, written to, released. Receiving is in blocking.bpf.c. */
#include "../objects/address.h"
#include "../objects/copy.h"
#include "../objects/rights.h"

/* A derivation from a socket, recorded before the bytes move */
#define SOCKET_TO(to) { .offset = NO_OFFSET, .from_kind = NODE_SOCKET, .kind = (to) }

/* current task --relation--> socket */
static __always_inline void acts_on(struct socket *sock, enum prov_relation relation, __u32 flags)
{
	struct prov_detail detail = { .flags = flags, .offset = NO_OFFSET, .kind = NODE_SOCKET };
	struct sock *sk = sock->sk;
	struct prov_socket *socket;
	struct prov_scene scene;

	if (!sk || !current_scene(&scene))
		return;
	socket = socket_node(&scene, sk);
	if (!socket)
		return;
	inherit(&scene, &socket->node);
	generates(&scene, relation, &socket->node, &detail);
}

/* The same, and the socket gets an address first. */
static __always_inline void addresses(struct socket *sock, struct sockaddr *address, int length,
				      enum prov_relation relation)
{
	struct prov_detail detail = { .offset = NO_OFFSET, .kind = NODE_SOCKET };
	struct sock *sk = sock->sk;
	struct prov_socket *socket;
	struct prov_scene scene;

	if (!sk || !current_scene(&scene))
		return;
	scene.task->sending = 0;
	socket = socket_node(&scene, sk);
	if (!socket)
		return;
	apply_recorded(&socket->node, address, relation == REL_BIND ? WAY_IN : WAY_OUT);
	if (!is_filtered(scene.policy, REL_ADDRESSED, NODE_ADDRESS))
		name_socket(scene.policy, &socket->node, address, length);
	generates(&scene, relation, &socket->node, &detail);
}

SEC("lsm/socket_post_create")
int BPF_PROG(socket_post_create, struct socket *sock, int family, int type, int protocol, int kern,
	     int ret)
{
	if (!ret && !kern)
		acts_on(sock, REL_SOCKET_CREATE, type);
	return ret;
}

SEC("lsm/socket_socketpair")
int BPF_PROG(socket_socketpair, struct socket *one, struct socket *other, int ret)
{
	if (ret)
		return ret;
	acts_on(one, REL_SOCKET_PAIR_CREATE, 0);
	acts_on(other, REL_SOCKET_PAIR_CREATE, 0);
	return 0;
}

SEC("lsm/socket_bind")
int BPF_PROG(socket_bind, struct socket *sock, struct sockaddr *address, int length, int ret)
{
	if (!ret)
		addresses(sock, address, length, REL_BIND);
	return ret;
}

SEC("lsm/socket_connect")
int BPF_PROG(socket_connect, struct socket *sock, struct sockaddr *address, int length, int ret)
{
	if (!ret)
		addresses(sock, address, length, REL_CONNECT);
	return ret;
}

/* It has found its listener, which has room for it: other than at socket_connect, nothing can fail now. */
SEC("lsm/unix_stream_connect")
int BPF_PROG(unix_stream_connect, struct sock *sk, struct sock *other, struct sock *made, int ret)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = NODE_SOCKET,
	};
	struct prov_socket *socket;
	struct prov_scene scene;

	if (ret || !current_scene(&scene) || !take_part(&scene, sk, other))
		return ret;
	socket = socket_node(&scene, sk);
	if (socket)
		generates(&scene, REL_CONNECT_UNIX_STREAM, &socket->node, &detail);
	return 0;
}

SEC("lsm/socket_listen")
int BPF_PROG(socket_listen, struct socket *sock, int backlog, int ret)
{
	if (!ret)
		acts_on(sock, REL_LISTEN, backlog);
	return ret;
}

static __always_inline bool is_error(const void *pointer)
{
	return (unsigned long)pointer >= (unsigned long)-4095;
}

/*
 * Bytes may have come for it before it was accepted: then it was announced without inode and owner, and
 * is announced again.
 */
static __always_inline struct prov_socket *accepted_socket(struct prov_scene *scene,
							   struct sock *sk)
{
	struct prov_socket *socket = socket_state(sk);

	if (!socket)
		return NULL;
	socket->node.sent = 0;
	return socket_node(scene, sk);
}

/* After a connection has come: listening socket -> new socket -> task. */
SEC("fexit/do_accept")
int PROBE(do_accept, struct file *file, void *arg, void *address, void *length, int flags,
	     struct file *made)
{
	struct prov_detail detail = {
		.flags = flags,
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.from_kind = NODE_SOCKET,
		.kind = NODE_SOCKET,
	};
	struct prov_socket *listening, *accepted;
	struct sock *waiting, *sk;
	struct socket *from, *to;
	struct prov_scene scene;

	if (!made || is_error(made) || !current_scene(&scene))
		return 0;
	from = bpf_sock_from_file(file);
	to = bpf_sock_from_file(made);
	if (!from || !to)
		return 0;
	waiting = from->sk;
	sk = to->sk;
	if (!waiting || !sk || !take_part(&scene, waiting, sk))
		return 0;
	listening = socket_node(&scene, waiting);
	accepted = accepted_socket(&scene, sk);
	if (!listening || !accepted)
		return 0;
	add_marks(&accepted->node, listening->node.marks & MARK_RECORD);
	name_connection(scene.policy, &accepted->node, sk);
	derives(&scene, REL_ACCEPT_SOCKET, &listening->node, &accepted->node, &detail);
	uses(&scene, REL_ACCEPT, &accepted->node, &detail);
	return 0;
}

/*
 * Bytes into a connected unix socket are in the peer's queue at once, accepted or not. This and the two for
 * streams stand apart: the stack of the hook has no room for them and for what it calls besides.
 */
static __noinline int send_to_peer(struct prov_scene *scene, struct sock *sk,
				   struct prov_socket *socket)
{
	struct prov_detail detail = SOCKET_TO(NODE_SOCKET);
	struct unix_sock *local = bpf_skc_to_unix_sock(sk);
	struct prov_socket *remote;
	struct sock *peer;

	if (!scene || !socket || !local)
		return 0;
	peer = local->peer;
	if (!peer)
		return 0;
	remote = socket_node(scene, peer);
	if (remote)
		derives(scene, REL_RECEIVE_UNIX, &socket->node, &remote->node, &detail);
	return 0;
}

static __noinline int send_to_stream(struct prov_scene *scene, struct sock *sk,
				     struct prov_socket *socket)
{
	struct prov_detail detail = SOCKET_TO(NODE_STREAM);
	struct prov_stream_key out;
	struct prov_node *stream;

	if (!scene || !socket)
		return 0;
	inbound(socket, sk, &out);
	turn_around(&out);
	stream = stream_node(scene, &out);
	if (stream)
		derives(scene, REL_SEND_STREAM, &socket->node, stream, &detail);
	return 0;
}

static __always_inline bool is_unix_connection(struct socket *sock, struct sock *sk)
{
	return sk->__sk_common.skc_family == AF_UNIX &&
	       (sock->type == SOCK_STREAM || sock->type == SOCK_SEQPACKET);
}

/* Where the bytes go may be tracked although the sender and its socket are not. */
static __always_inline void ask_unix_peer(struct prov_scene *scene, struct sock *sk)
{
	struct unix_sock *local = bpf_skc_to_unix_sock(sk);
	struct sock *peer = local ? local->peer : NULL;

	if (peer)
		take_part(scene, sk, peer);
}

static __noinline int ask_stream(struct prov_scene *scene, struct sock *sk)
{
	struct prov_socket *socket = socket_state(sk);
	struct prov_stream_key out;
	struct prov_stream *stream;

	if (!scene || !socket)
		return 0;
	inbound(socket, sk, &out);
	turn_around(&out);
	stream = find_stream(&out);
	if (stream)
		takes_part(scene, &stream->node);
	return 0;
}

/* Bytes of the task's memory, or what the kernel copies for it */
static __noinline int comes_into(struct prov_scene *scene, struct file *file,
				 struct prov_socket *socket, enum prov_relation relation)
{
	struct prov_detail detail = { .offset = NO_OFFSET, .kind = NODE_SOCKET };
	struct prov_copying *copying;

	if (!scene || !socket)
		return 0;
	copying = is_sent_on(scene, file);
	detail.no_content = copying;
	generates(scene, relation, &socket->node, &detail);
	if (copying)
		carries(scene, relation_of(copying->relation), &copying->source, &socket->node,
			NODE_SOCKET);
	return 0;
}

static __always_inline void ask_receiver(struct prov_scene *scene, struct socket *sock,
					 struct sock *sk)
{
	if (!scene->wanted && is_unix_connection(sock, sk))
		ask_unix_peer(scene, sk);
	else if (!scene->wanted && is_tcp(sk) && has_peer(sk))
		ask_stream(scene, sk);
}

/* What is in the socket now goes where it is connected to. */
static __always_inline void hand_over(struct prov_scene *scene, struct socket *sock,
				      struct sock *sk, struct prov_socket *socket)
{
	if (is_unix_connection(sock, sk))
		send_to_peer(scene, sk, socket);
	else if (is_tcp(sk) && has_peer(sk))
		send_to_stream(scene, sk, socket);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(socket_sendmsg, struct socket *sock, struct msghdr *msg, int size, int ret)
{
	struct sock *sk = sock->sk;
	struct prov_socket *socket;
	struct prov_scene scene;

	if (ret || !sk || !current_scene(&scene))
		return ret;
	scene.task->sending = is_through_file(sock, msg) ? REL_SEND : REL_SEND_MSG;
	copying_into(&scene, sock->file);
	ask_receiver(&scene, sock, sk);
	socket = socket_node(&scene, sk);
	if (!socket)
		return 0;
	if (msg->msg_name)
		name_correspondent(scene.policy, &socket->node, msg);
	comes_into(&scene, sock->file, socket, scene.task->sending);
	if (msg->msg_controllen && sk->__sk_common.skc_family == AF_UNIX)
		send_rights(&scene, &socket->node, msg);
	hand_over(&scene, sock, sk, socket);
	return 0;
}

/*
 * Up to 6.4 what goes from a file or a pipe into a socket does not pass socket_sendmsg
 * (dc97391e6610 "sock: Remove ->sendpage*() in favour of sendmsg(MSG_SPLICE_PAGES)").
 */
SEC("fentry/kernel_sendpage")
int PROBE(kernel_sendpage, struct socket *sock)
{
	struct prov_socket *socket;
	struct prov_scene scene;
	struct sock *sk = sock->sk;

	if (!sk || !current_scene(&scene) || !copying_into(&scene, sock->file))
		return 0;
	ask_receiver(&scene, sock, sk);
	socket = socket_node(&scene, sk);
	if (!socket)
		return 0;
	comes_into(&scene, sock->file, socket, REL_SEND_MSG);
	hand_over(&scene, sock, sk, socket);
	return 0;
}

/*
 * Unix datagrams: each send asks here, with the socket that will get it. So does a connect, with which
 * nothing is sent. If only the receiver is tracked, this is the first that is heard of it, and what
 * socket_sendmsg has left out is made up for.
 */
SEC("lsm/unix_may_send")
int BPF_PROG(unix_may_send, struct socket *sock, struct socket *other, int ret)
{
	struct prov_detail detail = SOCKET_TO(NODE_SOCKET);
	struct sock *sender = sock->sk, *receiver = other->sk;
	struct prov_socket *from, *to;
	struct prov_scene scene;
	bool left_out;

	if (ret || !sender || !receiver || !current_scene(&scene) || !scene.task->sending)
		return ret;
	left_out = !scene.wanted;
	if (!take_part(&scene, sender, receiver))
		return 0;
	from = socket_node(&scene, sender);
	to = socket_node(&scene, receiver);
	if (!from || !to)
		return 0;
	if (left_out)
		generates(&scene, scene.task->sending, &from->node, &detail);
	derives(&scene, REL_SEND_UNIX, &from->node, &to->node, &detail);
	return 0;
}

/* Both ends of a TCP connection take their share of its streams when it is made: the one that asked ... */
SEC("lsm/inet_conn_established")
int BPF_PROG(inet_conn_established, struct sock *sk, struct sk_buff *skb)
{
	struct prov_socket *socket = is_tcp(sk) ? socket_state(sk) : NULL;

	if (socket)
		join_streams(socket, &sk->__sk_common);
	return 0;
}

/* ... and the one that answers, whose own addresses are filled in only later. */
SEC("lsm/inet_csk_clone")
int BPF_PROG(inet_csk_clone, struct sock *made, const struct request_sock *request)
{
	struct prov_socket *socket = is_tcp(made) ? socket_state(made) : NULL;

	if (socket)
		join_streams(socket, (struct sock_common *)&request->__req_common);
	return 0;
}

/* The last reference is gone: until here a peer could still have read what was sent. */
SEC("fentry/sk_destruct")
int BPF_PROG(sk_destruct, struct sock *sk)
{
	struct prov_policy *policy = current_policy();
	struct prov_socket *socket = bpf_sk_storage_get(&sockets, sk, NULL, 0);

	if (!socket || !is_born(&socket->node))
		return 0;
	ends(policy, REL_FREE, &socket->node, NODE_SOCKET, 0);
	leave_streams(policy, socket);
	return 0;
}
