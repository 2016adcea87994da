// SPDX-License-Identifier: GPL-2.0
/* Pipes and FIFOs: reading them may wait. */
#include "act.h"

static char byte;
static int ends[2];

static void make_pipe(int flags)
{
	MUST(pipe2(ends, flags));
	called("pipe", ends[0]);
}

static void write_pipe(void)
{
	make_pipe(0);
	begin();
	MUST(write(ends[1], "x", 1));
	end();
}

static void read_pipe(void)
{
	make_pipe(0);
	MUST(write(ends[1], "x", 1));
	begin();
	MUST(read(ends[0], &byte, 1));
	end();
}

static void read_empty(void)
{
	make_pipe(O_NONBLOCK);
	begin();
	FAILS(read(ends[0], &byte, 1), EAGAIN);
	end();
}

static void read_ended(void)
{
	make_pipe(0);
	close(ends[1]);
	begin();
	MUST(read(ends[0], &byte, 1));
	end();
}

static void on_alarm(int number)
{
	(void)number;
}

static void read_interrupted(void)
{
	struct sigaction action = { .sa_handler = on_alarm };

	make_pipe(0);
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	begin();
	FAILS(read(ends[0], &byte, 1), EINTR);
	end();
}

/* The reader is there first: what it gets is the version that the writer makes meanwhile. */
static void read_waiting(void)
{
	int child;

	make_pipe(0);
	MUST(write(ends[1], "x", 1));
	MUST(read(ends[0], &byte, 1));
	child = start(SIGCHLD, write_later, &ends[1]);
	begin();
	MUST(read(ends[0], &byte, 1));
	await_child(child);
	end();
}

static void fifo(void)
{
	int fifo = MUST(openat(here, "fifo", O_RDWR));

	begin();
	MUST(write(fifo, "x", 1));
	MUST(read(fifo, &byte, 1));
	end();
}

const struct operation pipes[] = {
	{ "write_pipe", write_pipe },
	{ "read_pipe", read_pipe },
	{ "read_empty", read_empty },
	{ "read_ended", read_ended },
	{ "read_interrupted", read_interrupted },
	{ "read_waiting", read_waiting },
	{ "fifo", fifo },
	{},
};
