// SPDX-License-Identifier: GPL-2.0
/*
 * Inputs that may wait: recorded when they have succeeded, with the version of that moment. At the LSM
 * hook the data may not have been written yet; a reader that then answers without reading again would
 * seem to know nothing. docs/reference/inputs.md says which function stands for which input.
 */
#include "../objects/socket.h"
#include "../objects/terminal.h"

static __always_inline int read_done(struct kiocb *iocb, long got)
{
	struct inode *inode = iocb->ki_filp->f_inode;
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = kind_of_mode(inode->i_mode),
	};
	struct prov_scene scene;
	struct prov_node *node;

	if (got <= 0 || !may_block(inode) || !current_scene(&scene))
		return 0;
	node = blocking_node(inode);
	if (!node || !takes_part(&scene, node))
		return 0;
	announce_inode(&scene, inode, node);
	uses(&scene, REL_READ, node, &detail);
	return 0;
}

SEC("fexit/pipe_read")
int BPF_PROG(pipe_read, struct kiocb *iocb, struct iov_iter *to, long ret)
{
	return read_done(iocb, ret);
}

/* since 2025 pipes and FIFOs have a function each ("fs/pipe: introduce fifo read/write", 6.15) */
SEC("fexit/anon_pipe_read")
int BPF_PROG(anon_pipe_read, struct kiocb *iocb, struct iov_iter *to, long ret)
{
	return read_done(iocb, ret);
}

SEC("fexit/fifo_pipe_read")
int BPF_PROG(fifo_pipe_read, struct kiocb *iocb, struct iov_iter *to, long ret)
{
	return read_done(iocb, ret);
}

SEC("fexit/tty_read")
int BPF_PROG(tty_read, struct kiocb *iocb, struct iov_iter *to, long ret)
{
	struct file *file = iocb->ki_filp;
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = NODE_CHAR,
	};
	struct prov_scene scene;
	struct prov_node *node;

	if (ret <= 0 || !is_terminal(file->f_inode) || !current_scene(&scene))
		return 0;
	node = end_node(file);
	if (!node || !takes_part(&scene, node))
		return 0;
	announce_end(&scene, file, node);
	uses(&scene, REL_READ, node, &detail);
	return 0;
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
	socket = stream ? socket_node(scene, sk) : NULL;
	if (socket)
		derives(scene, REL_RECEIVE_STREAM, stream, &socket->node, &detail);
}

static __always_inline int receive_done(struct socket *sock, int flags, int got)
{
	struct prov_detail detail = {
		.flags = flags,
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = NODE_SOCKET,
	};
	struct sock *sk = sock->sk;
	struct prov_socket *socket;
	struct prov_scene scene;

	if (got <= 0 || !sk || !current_scene(&scene))
		return 0;
	if (is_tcp(sk))
		receive_stream(&scene, sk);
	socket = socket_node(&scene, sk);
	if (!socket)
		return 0;
	uses(&scene, REL_RECEIVE_MSG, &socket->node, &detail);
	return 0;
}

SEC("fexit/sock_recvmsg")
int BPF_PROG(sock_recvmsg, struct socket *sock, struct msghdr *msg, int flags, int ret)
{
	return receive_done(sock, flags, ret);
}

/* recvmmsg goes through sock_recvmsg for its first message only; `nosec` says that it is a later one. */
SEC("fexit/____sys_recvmsg")
int BPF_PROG(sys_recvmsg, struct socket *sock, struct msghdr *msg, void *user, void *address,
	     unsigned int flags, int nosec, int ret)
{
	return nosec ? receive_done(sock, flags, ret) : 0;
}
