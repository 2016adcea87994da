// SPDX-License-Identifier: GPL-2.0
/* Descriptors, pages and the memory of others: within reach of the second, which takes no content out of them */
#include "play.h"

enum { READY = 20, DONE };
enum { FD_OF_SECRET = 40, FD_OF_COMMON };

static pid_t other; /* the one whose memory it is, for the one that gets at it */

/* Memory of another by its file in /proc */
static int memory_of(pid_t process, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", process);
	return opened(path, flags);
}

static volatile char received[ROOM];

static void give_received(void)
{
	await_step(DONE);
	add((const char *)received, ROOM);
	give("copy");
}

static void write_by_proc(void)
{
	take("secret");
	MUST(pwrite(memory_of(other, O_WRONLY), words, strlen(words), (off_t)received));
	reached(DONE);
}

static void proc_memory_written(void)
{
	other = start(give_received);
	run(write_by_proc);
	await(other);
}

const struct flow handed_flows[] = {
	{ "proc_memory_written", proc_memory_written },
	{},
};

/* The second of a pair that knows the first: it acts while the first is there. */
static void meet(void (*first)(void), void (*second)(void))
{
	MUST(pipe(ends));
	other = start(first);
	run(second);
	await(other);
}

static void know_and_stay(void)
{
	take("secret");
	give("own");
	if (joined)
		tell(ends[1]);
	MUST(dup2(opened("secret", O_RDONLY), FD_OF_SECRET));
	MUST(dup2(opened("common", O_RDONLY), FD_OF_COMMON));
	reached(READY);
	await_step(DONE);
}

static void act_and_give(void (*act)(void))
{
	take("other");
	await_step(READY);
	if (joined)
		hear(ends[0]);
	act();
	give("clean");
	reached(DONE);
}

static void look_at(int fd)
{
	struct stat status;

	MUST(fstat(fd, &status));
}

/* One that it looks at, and one that it reads: nothing in that is of the first. */
static void take_descriptors(void)
{
	int process = MUST(syscall(SYS_pidfd_open, other, 0));

	look_at(MUST(syscall(SYS_pidfd_getfd, process, FD_OF_SECRET, 0)));
	hear(MUST(syscall(SYS_pidfd_getfd, process, FD_OF_COMMON, 0)));
}

static void taking_descriptors(void)
{
	act_and_give(take_descriptors);
}

static void descriptors_taken(void)
{
	meet(know_and_stay, taking_descriptors);
}

/* Where no process has memory */
static void read_nowhere_by_proc(void)
{
	char byte;
	int fd = memory_of(other, O_RDWR);

	FAILS(pread(fd, &byte, 1, 0), EIO);
	FAILS(pwrite(fd, &byte, 1, 0), EIO);
}

static void reading_nowhere(void)
{
	act_and_give(read_nowhere_by_proc);
}

static void proc_memory_nowhere(void)
{
	meet(know_and_stay, reading_nowhere);
}

static void attach_to_other(void)
{
	attach(other);
	detach(other);
}

static void attaching(void)
{
	act_and_give(attach_to_other);
}

static void tracer_that_peeks_not(void)
{
	meet(know_and_stay, attaching);
}

static void be_traced(void)
{
	take("other");
	reached(READY);
	await_step(DONE);
	if (joined)
		hear(ends[0]);
	give("clean");
}

static void attach_and_give(void)
{
	await_step(READY);
	take("secret");
	attach_to_other();
	if (joined)
		tell(ends[1]);
	reached(DONE);
	give("own");
}

static void tracer_that_pokes_not(void)
{
	MUST(pipe(ends));
	other = start(be_traced);
	run(attach_and_give);
	await(other);
}

static int shared[2];

static void offer_secret(void)
{
	pass_descriptor(shared[1], opened("secret", O_RDONLY));
}

/* By one that has not read it either */
static void offer_descriptor(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, shared));
	run(offer_secret);
}

static void receive_and_look(void)
{
	look_at(received_descriptor(shared[0]));
}

/* Two of the same name */
static void make_memory_files(void)
{
	shared[0] = MUST(memfd_create("board", 0));
	shared[1] = MUST(memfd_create("board", 0));
}

static void fill_first(void)
{
	tell(shared[0]);
}

static void use_second(void)
{
	tell(shared[1]);
	MUST(lseek(shared[1], 0, SEEK_SET));
	hear(shared[1]);
	look_at(shared[0]);
}

static int pipes[2][2];

static void make_pipes(void)
{
	MUST(pipe(pipes[0]));
	MUST(pipe(pipes[1]));
}

static void put_pages(const int *pipe)
{
	struct iovec part = { words, strlen(words) };

	MUST(vmsplice(pipe[1], &part, 1, 0));
}

static long get_pages(const int *pipe, char *into)
{
	struct iovec part = { into, ROOM - 1 };

	return vmsplice(pipe[0], &part, 1, SPLICE_F_NONBLOCK);
}

static void put_in_first(void)
{
	put_pages(pipes[0]);
}

static void use_second_pipe(void)
{
	char text[ROOM] = "";

	put_pages(pipes[1]);
	MUST(get_pages(pipes[1], text));
	add(text, strlen(text));
}

static void put_and_get_back(void)
{
	char text[ROOM];

	put_pages(pipes[0]);
	MUST(get_pages(pipes[0], text));
}

static void find_no_pages(void)
{
	char text[ROOM];

	FAILS(get_pages(pipes[0], text), EAGAIN);
}

const struct pair handed_pairs[] = {
	{ .name = "descriptors_taken", .instead = descriptors_taken },
	{ "descriptor_unread", offer_descriptor, NULL, receive_and_look, NULL },
	{ .name = "proc_memory_nowhere", .instead = proc_memory_nowhere },
	{ .name = "tracer_that_peeks_not", .instead = tracer_that_peeks_not },
	{ .name = "tracer_that_pokes_not", .instead = tracer_that_pokes_not },
	{ "other_memory_file", make_memory_files, fill_first, use_second, NULL },
	{ "pages_in_other_pipe", make_pipes, put_in_first, use_second_pipe, NULL },
	{ "pages_drained", make_pipes, put_and_get_back, find_no_pages, NULL },
	{},
};
