// SPDX-License-Identifier: GPL-2.0
/* Pipes and FIFOs: reading them may wait. */
#include "act.h"
#include <sys/sendfile.h>

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

static int write_later(void *unused)
{
	(void)unused;
	pause_ms(100);
	MUST(write(ends[1], "x", 1));
	_exit(0);
}

/* The reader is there first: what it gets is the version that the writer makes meanwhile. */
static void read_waiting(void)
{
	int child;

	make_pipe(0);
	MUST(write(ends[1], "x", 1));
	MUST(read(ends[0], &byte, 1));
	child = start(SIGCHLD, write_later, NULL);
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

static void send_file(void)
{
	int from = MUST(openat(here, "a", O_RDONLY)), to = MUST(openat(here, "b", O_WRONLY));

	begin();
	MUST(sendfile(to, from, NULL, 1));
	end();
}

static void copy_range(void)
{
	int from = MUST(openat(here, "a", O_RDONLY)), to = MUST(openat(here, "b", O_WRONLY));

	begin();
	MUST(copy_file_range(from, NULL, to, NULL, 1, 0));
	end();
}

static void splice_to_file(void)
{
	int to = MUST(openat(here, "b", O_WRONLY));

	make_pipe(0);
	MUST(write(ends[1], "x", 1));
	begin();
	MUST(splice(ends[0], NULL, to, NULL, 1, 0));
	end();
}

static void splice_to_pipe(void)
{
	int from = MUST(openat(here, "a", O_RDONLY));

	make_pipe(0);
	begin();
	MUST(splice(from, NULL, ends[1], NULL, 1, 0));
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
	{ "send_file", send_file },
	{ "copy_range", copy_range },
	{ "splice_to_file", splice_to_file },
	{ "splice_to_pipe", splice_to_pipe },
	{},
};
