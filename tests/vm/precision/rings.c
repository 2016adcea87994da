// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring without a library: whoever does the work, it is that of the process which asked for it.
 */
#include "play.h"
#include "../../../provcap/coverage/workload/ring.h"

enum { SENT = 20 };

static int perform(struct io_uring_sqe request)
{
	return MUST(ask(request));
}

static int submit(int operation, int fd, size_t length, int flags)
{
	return perform((struct io_uring_sqe){
		.opcode = operation,
		.flags = flags,
		.fd = fd,
		.addr = (unsigned long)words,
		.len = length,
	});
}

static void copy_by_ring(int flags)
{
	submit(IORING_OP_READ, opened("secret", O_RDONLY), ROOM - 1, flags);
	submit(IORING_OP_WRITE, opened("copy", O_WRONLY | O_CREAT), strlen(words), flags);
}

static void ring_at_once(void)
{
	make_ring(false);
	copy_by_ring(0);
}

static void ring_by_worker(void)
{
	make_ring(false);
	copy_by_ring(IOSQE_ASYNC);
}

static void ring_polled(void)
{
	make_ring(true);
	copy_by_ring(0);
}

static int open_by_ring(const char *name, int open_flags)
{
	return perform((struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (unsigned long)name,
		.len = 0600,
		.open_flags = open_flags,
	});
}

static void ring_opens(void)
{
	make_ring(true);
	submit(IORING_OP_READ, open_by_ring("secret", O_RDONLY), ROOM - 1, 0);
	submit(IORING_OP_WRITE, open_by_ring("copy", O_WRONLY | O_CREAT), strlen(words), 0);
}

static void send_by_ring(void)
{
	make_ring(false);
	take("secret");
	submit(IORING_OP_SEND, ends[1], strlen(words), 0);
}

static void receive_by_ring(void)
{
	make_ring(false);
	submit(IORING_OP_RECV, ends[0], ROOM - 1, 0);
	give("copy");
}

static void ring_sockets(void)
{
	pid_t receiver;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	receiver = start(receive_by_ring); /* it waits, and is tried again when there is something */
	usleep(100000);
	run(send_by_ring);
	await(receiver);
}

static void read_pipe_by_ring(void)
{
	make_ring(true);
	submit(IORING_OP_READ, ends[0], ROOM - 1, 0);
	give("copy");
}

static void ring_pipe(void)
{
	pid_t receiver;

	MUST(pipe(ends));
	receiver = start(read_pipe_by_ring);
	usleep(100000);
	run(send_secret);
	await(receiver);
}

static void splice_between(int from, int to)
{
	perform((struct io_uring_sqe){
		.opcode = IORING_OP_SPLICE,
		.fd = to,
		.off = -1,
		.splice_fd_in = from,
		.splice_off_in = -1,
		.len = ROOM,
	});
}

static void splice_by_ring(void)
{
	make_ring(false);
	splice_between(opened("secret", O_RDONLY), ends[1]);
	splice_between(ends[0], opened("copy", O_WRONLY | O_CREAT));
}

static void ring_splice(void)
{
	MUST(pipe(ends));
	run(splice_by_ring);
}

/* A letter in each */
static void send_messages(void)
{
	int target = ring;

	make_ring(false);
	take("secret");
	for (const char *next = words; *next; next++)
		perform((struct io_uring_sqe){
			.opcode = IORING_OP_MSG_RING,
			.fd = target,
			.len = *next,
		});
}

static void receive_messages(void)
{
	while (is_done()) {
		char letter = result();

		add(&letter, 1);
	}
}

static void ring_message(void)
{
	make_ring(false);
	run(send_messages);
	receive_messages();
	give("copy");
}

/* The queue of another, in the mapping that it was born with: no call says what is in it. */
static void receive_for_another(void)
{
	await_step(SENT);
	receive_messages();
	give("copy");
}

static void ring_handed_on(void)
{
	pid_t receiver;

	make_ring(false);
	receiver = start(receive_for_another);
	run(send_messages);
	reached(SENT);
	await(receiver);
}

const struct flow ring_flows[] = {
	{ "ring_at_once", ring_at_once },
	{ "ring_by_worker", ring_by_worker },
	{ "ring_polled", ring_polled },
	{ "ring_opens", ring_opens },
	{ "ring_sockets", ring_sockets },
	{ "ring_pipe", ring_pipe },
	{ "ring_splice", ring_splice },
	{ "ring_message", ring_message },
	{ "ring_handed_on", ring_handed_on },
	{},
};

/* Both have a ring of their own that the kernel looks after. */
static void use_ring(void)
{
	char text[8];

	make_ring(true);
	perform((struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.fd = opened("common", O_RDONLY),
		.addr = (unsigned long)text,
		.len = sizeof(text),
	});
}

/* A message that tells nobody else: to a ring of the process itself */
static void tell_own_ring(void)
{
	int target;

	make_ring(false);
	target = ring;
	make_ring(false);
	perform((struct io_uring_sqe){ .opcode = IORING_OP_MSG_RING, .fd = target, .len = 's' });
}

static void make_idle_ring(void)
{
	make_ring(false);
}

/* Into the ring of whoever started both, which says nothing. The second is there already. */
static void tell_idle_ring(void)
{
	int target = ring;

	partner();
	make_ring(false);
	perform((struct io_uring_sqe){ .opcode = IORING_OP_MSG_RING, .fd = target, .len = 's' });
}

static void copy_by_rings(void)
{
	make_ring(true);
	MUST(pipe(ends));
	splice_between(opened("common", O_RDONLY), ends[1]);
	splice_between(ends[0], opened("made", O_WRONLY));
}

static void make_file(void)
{
	close(opened("made", O_WRONLY | O_CREAT));
}

static void take_made(void)
{
	take("made");
}

const struct pair ring_pairs[] = {
	{ "rings", NULL, use_ring, use_ring, NULL },
	{ "rings_alone", NULL, tell_own_ring, tell_own_ring, NULL },
	{ "message_to_a_third", make_idle_ring, tell_idle_ring, tell_own_ring, NULL },
	{ "spliced_by_ring", make_file, copy_by_rings, take_made, NULL },
	{},
};
