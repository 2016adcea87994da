// SPDX-License-Identifier: GPL-2.0
/* What is asked of io_uring: done at once, by a worker, or by the thread that polls the ring. */
#include "act.h"
#include "ring.h"
#include <sys/socket.h>

static char byte = 'x';
static int ends[2], others[2], pair[2];

static struct io_uring_sqe of_byte(int operation, int fd)
{
	return (struct io_uring_sqe){
		.opcode = operation,
		.fd = fd,
		.addr = (unsigned long)&byte,
		.len = 1,
	};
}

static struct io_uring_sqe by_worker(struct io_uring_sqe request)
{
	request.flags |= IOSQE_ASYNC;
	return request;
}

static void make_pipe(void)
{
	MUST(pipe(ends));
	called("pipe", ends[0]);
}

/* A worker that is there before the operation begins, and no other; it waits for more for a while. */
static void make_ring_with_worker(void)
{
	unsigned int most[] = { 1, 1 };

	make_ring(false);
	MUST(syscall(SYS_io_uring_register, ring, IORING_REGISTER_IOWQ_MAX_WORKERS, most, 2));
	MUST(ask(by_worker((struct io_uring_sqe){ .opcode = IORING_OP_NOP })));
}

static void ring_read(void)
{
	make_ring(false);
	make_pipe();
	MUST(write(ends[1], "x", 1));
	begin();
	MUST(ask(of_byte(IORING_OP_READ, ends[0])));
	end();
}

static void ring_read_refused(void)
{
	make_ring(false);
	make_pipe();
	begin();
	FAILS(ask(of_byte(IORING_OP_READ, ends[1])), EBADF);
	end();
}

static void ring_write(void)
{
	make_ring(false);
	make_pipe();
	begin();
	MUST(ask(of_byte(IORING_OP_WRITE, ends[1])));
	end();
}

static void ring_read_by_worker(void)
{
	int from = MUST(openat(here, "a", O_RDONLY));

	make_ring_with_worker();
	begin();
	MUST(ask(by_worker(of_byte(IORING_OP_READ, from))));
	end();
}

static void ring_write_by_worker(void)
{
	int to = MUST(openat(here, "a", O_WRONLY));

	make_ring_with_worker();
	begin();
	MUST(ask(by_worker(of_byte(IORING_OP_WRITE, to))));
	end();
}

static void ring_read_polled(void)
{
	make_ring(true);
	make_pipe();
	MUST(write(ends[1], "x", 1));
	begin();
	MUST(ask(of_byte(IORING_OP_READ, ends[0])));
	end();
}

static struct io_uring_sqe of_path(const char *path, int flags)
{
	return (struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT,
		.fd = here,
		.addr = (unsigned long)path,
		.open_flags = flags,
	};
}

static void ring_open(void)
{
	make_ring_with_worker();
	begin();
	MUST(ask(by_worker(of_path("a", O_RDONLY))));
	end();
}

static void ring_open_absent(void)
{
	make_ring_with_worker();
	begin();
	FAILS(ask(by_worker(of_path("absent", O_RDONLY))), ENOENT);
	end();
}

static void make_sockets(void)
{
	make_ring(false);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	called("from", pair[0]);
	called("to", pair[1]);
}

static void ring_send(void)
{
	make_sockets();
	begin();
	MUST(ask(of_byte(IORING_OP_SEND, pair[0])));
	end();
}

static void ring_write_socket(void)
{
	make_sockets();
	begin();
	MUST(ask(of_byte(IORING_OP_WRITE, pair[0])));
	end();
}

static void ring_read_socket(void)
{
	make_sockets();
	MUST(write(pair[0], "x", 1));
	begin();
	MUST(ask(of_byte(IORING_OP_READ, pair[1])));
	end();
}

static void ring_send_refused(void)
{
	make_sockets();
	MUST(shutdown(pair[0], SHUT_WR));
	begin();
	FAILS(ask(of_byte(IORING_OP_SEND, pair[0])), EPIPE);
	end();
}

static void ring_receive(void)
{
	make_sockets();
	MUST(write(pair[0], "x", 1));
	begin();
	MUST(ask(of_byte(IORING_OP_RECV, pair[1])));
	end();
}

static void ring_receive_ended(void)
{
	make_sockets();
	close(pair[0]);
	begin();
	MUST(ask(of_byte(IORING_OP_RECV, pair[1])));
	end();
}

static void ring_splice(void)
{
	make_ring(false);
	make_pipe();
	MUST(pipe(others));
	called("other", others[0]);
	MUST(write(ends[1], "x", 1));
	begin();
	MUST(ask((struct io_uring_sqe){
		.opcode = IORING_OP_SPLICE,
		.fd = others[1],
		.off = -1,
		.splice_fd_in = ends[0],
		.splice_off_in = -1,
		.len = 1,
	}));
	end();
}

static void tell(int target)
{
	begin();
	MUST(ask((struct io_uring_sqe){ .opcode = IORING_OP_MSG_RING, .fd = target, .len = 'x' }));
	end();
}

static int tell_the_first(void *unused)
{
	int target = ring;

	make_ring(false);
	tell(target);
	_exit(0);
}

/* The child begins and ends it: its own memory is "memory", that of its parent another. */
static void ring_message(void)
{
	make_ring(false);
	await_child(start(SIGCHLD, tell_the_first, NULL));
}

static void ring_message_to_itself(void)
{
	int target;

	make_ring(false);
	target = ring;
	make_ring(false);
	tell(target);
}

const struct operation rings[] = {
	{ "ring_read", ring_read },
	{ "ring_read_refused", ring_read_refused },
	{ "ring_write", ring_write },
	{ "ring_read_by_worker", ring_read_by_worker },
	{ "ring_write_by_worker", ring_write_by_worker },
	{ "ring_read_polled", ring_read_polled },
	{ "ring_open", ring_open },
	{ "ring_open_absent", ring_open_absent },
	{ "ring_send", ring_send },
	{ "ring_write_socket", ring_write_socket },
	{ "ring_read_socket", ring_read_socket },
	{ "ring_send_refused", ring_send_refused },
	{ "ring_receive", ring_receive },
	{ "ring_receive_ended", ring_receive_ended },
	{ "ring_splice", ring_splice },
	{ "ring_message", ring_message },
	{ "ring_message_to_itself", ring_message_to_itself },
	{},
};
