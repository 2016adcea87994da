// SPDX-License-Identifier: GPL-2.0
/*
 * Inputs that may wait: recorded when they have succeeded, with the version of that moment. At the LSM
 * hook the data may not have been written yet; a reader that then answers without reading again would
 * seem to know nothing. docs/reference/inputs.md says which function stands for which input.
 */
#include "../objects/address.h"
#include "../objects/copy.h"
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
	if (!is_passed_on(&scene, iocb->ki_filp, node, detail.kind))
		uses(&scene, REL_READ, node, &detail);
	return 0;
}

SEC("fexit/pipe_read")
int PROBE(pipe_read, struct kiocb *iocb, struct iov_iter *to, long ret)
{
	return read_done(iocb, ret);
}

/* since 2025 pipes and FIFOs have a function each ("fs/pipe: introduce fifo read/write", 6.15) */
SEC("fexit/anon_pipe_read")
int PROBE(anon_pipe_read, struct kiocb *iocb, struct iov_iter *to, long ret)
{
	return read_done(iocb, ret);
}

SEC("fexit/fifo_pipe_read")
int PROBE(fifo_pipe_read, struct kiocb *iocb, struct iov_iter *to, long ret)
{
	return read_done(iocb, ret);
}

SEC("fexit/tty_read")
int PROBE(tty_read, struct kiocb *iocb, struct iov_iter *to, long ret)
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

static __always_inline enum prov_relation receipt(struct socket *sock, struct msghdr *msg)
{
	return is_through_file(sock, msg) ? REL_RECEIVE : REL_RECEIVE_MSG;
}

static __always_inline int receive_done(struct socket *sock, struct msghdr *msg, int flags, int got)
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
	if (!socket || is_passed_on(&scene, sock->file, &socket->node, NODE_SOCKET))
		return 0;
	if (msg->msg_name)
		name_correspondent(scene.policy, &socket->node, msg);
	uses(&scene, receipt(sock, msg), &socket->node, &detail);
	return 0;
}

SEC("fexit/sock_recvmsg")
int PROBE(sock_recvmsg, struct socket *sock, struct msghdr *msg, int flags, int ret)
{
	return receive_done(sock, msg, flags, ret);
}

/* recvmmsg goes through sock_recvmsg for its first message only; `nosec` says that it is a later one. */
SEC("fexit/____sys_recvmsg")
int PROBE(sys_recvmsg, struct socket *sock, struct msghdr *msg, void *user, void *address,
	     unsigned int flags, int nosec, int ret)
{
	return nosec ? receive_done(sock, msg, flags, ret) : 0;
}
