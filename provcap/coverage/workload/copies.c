// SPDX-License-Identifier: GPL-2.0
/* Content that the kernel moves from one object to another. */
#include "act.h"
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char byte = 'x';
static int ends[2], others[2], pair[2];
static struct iovec part = { &byte, 1 };

static void make_pipes(int flags)
{
	MUST(pipe2(ends, flags));
	called("pipe", ends[0]);
	MUST(pipe2(others, flags));
	called("other", others[0]);
}

static void fill_pipe(void)
{
	make_pipes(O_NONBLOCK);
	MUST(write(ends[1], "x", 1));
}

static void make_sockets(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	called("socket", pair[0]);
	called("peer", pair[1]);
}

static int file(const char *name, int flags)
{
	return MUST(openat(here, name, flags));
}

static void send_file(void)
{
	int from = file("a", O_RDONLY), to = file("b", O_WRONLY);

	begin();
	MUST(sendfile(to, from, NULL, 1));
	MUST(sendfile(to, from, NULL, 1));
	end();
}

static void copy_range(void)
{
	int from = file("a", O_RDONLY), to = file("b", O_WRONLY);

	begin();
	MUST(copy_file_range(from, NULL, to, NULL, 1, 0));
	MUST(copy_file_range(from, NULL, to, NULL, 1, 0));
	end();
}

static void splice_to_file(void)
{
	int to = file("b", O_WRONLY);

	fill_pipe();
	begin();
	MUST(splice(ends[0], NULL, to, NULL, 1, 0));
	end();
}

static void splice_to_pipe(void)
{
	int from = file("a", O_RDONLY);

	make_pipes(0);
	begin();
	MUST(splice(from, NULL, ends[1], NULL, 1, 0));
	end();
}

static void splice_pipes(void)
{
	fill_pipe();
	begin();
	MUST(splice(ends[0], NULL, others[1], NULL, 1, 0));
	end();
}

static void tee_pipes(void)
{
	fill_pipe();
	begin();
	MUST(tee(ends[0], others[1], 1, 0));
	end();
}

static void send_file_to_pipe(void)
{
	int from = file("a", O_RDONLY);

	make_pipes(0);
	begin();
	MUST(sendfile(ends[1], from, NULL, 1));
	end();
}

static void memory_to_pipe(void)
{
	make_pipes(0);
	begin();
	MUST(vmsplice(ends[1], &part, 1, 0));
	end();
}

static void pipe_to_memory(void)
{
	fill_pipe();
	begin();
	MUST(vmsplice(ends[0], &part, 1, 0));
	end();
}

static void send_file_to_socket(void)
{
	int from = file("a", O_RDONLY);

	make_sockets();
	begin();
	MUST(sendfile(pair[0], from, NULL, 1));
	end();
}

static void splice_to_socket(void)
{
	make_sockets();
	fill_pipe();
	begin();
	MUST(splice(ends[0], NULL, pair[0], NULL, 1, 0));
	end();
}

static void splice_from_socket(void)
{
	make_sockets();
	make_pipes(0);
	MUST(write(pair[1], "x", 1));
	begin();
	MUST(splice(pair[0], NULL, ends[1], NULL, 1, 0));
	end();
}

static char page[4096];

/* On a file system on which files can share their storage; both have the same content, or not. */
static int page_in_file(const char *name, char content)
{
	char path[64];
	int made;

	snprintf(path, sizeof(path), "../shared/%s", name);
	made = MUST(openat(here, path, O_CREAT | O_RDWR | O_TRUNC, 0644));
	memset(page, content, sizeof(page));
	MUST(write(made, page, sizeof(page)));
	MUST(fsync(made));
	called(name, made);
	return made;
}

static void clone_file(void)
{
	int from = page_in_file("from", 'x'), to = page_in_file("to", 'y');

	begin();
	MUST(ioctl(to, FICLONE, from));
	end();
}

static int dedupe(int from, int to)
{
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info target;
	} asked = {
		.range = { .src_length = sizeof(page), .dest_count = 1 },
		.target = { .dest_fd = to },
	};

	MUST(ioctl(from, FIDEDUPERANGE, &asked));
	return asked.target.status;
}

static void share_content(void)
{
	int from = page_in_file("from", 'x'), to = page_in_file("to", 'x');

	begin();
	if (dedupe(from, to) != FILE_DEDUPE_RANGE_SAME)
		_exit(1);
	end();
}

static void share_no_content(void)
{
	int from = page_in_file("from", 'x'), to = page_in_file("to", 'y');

	begin();
	if (dedupe(from, to) != FILE_DEDUPE_RANGE_DIFFERS)
		_exit(1);
	end();
}

/* Through a pipe, as programs copy: what has been said once is not said again. */
static void splice_often(void)
{
	int from = file("a", O_RDONLY), to = file("b", O_WRONLY);

	make_pipes(0);
	begin();
	for (int i = 0; i < 8; i++) {
		loff_t at = 0;

		MUST(splice(from, &at, ends[1], NULL, 1, 0));
		MUST(splice(ends[0], NULL, to, NULL, 1, 0));
	}
	end();
}

/* The call is there first: what it puts on is the version that the writer makes meanwhile. */
static void splice_waiting(void)
{
	int child;

	make_pipes(0);
	MUST(write(ends[1], "x", 1));
	MUST(splice(ends[0], NULL, others[1], NULL, 1, 0));
	child = start(SIGCHLD, write_later, &ends[1]);
	begin();
	MUST(splice(ends[0], NULL, others[1], NULL, 1, 0));
	await_child(child);
	end();
}

static int write_after_read(void *unused)
{
	char known;

	(void)unused;
	pause_ms(100);
	MUST(pread(file("b", O_RDONLY), &known, 1, 0));
	MUST(write(ends[1], "x", 1));
	_exit(0);
}

/*
 * While it waits somebody reads the file that it is to write: what comes then is in its next
 * version.
 */
static void splice_waiting_for_file(void)
{
	int to = file("b", O_RDWR), child;

	make_pipes(0);
	child = start(SIGCHLD, write_after_read, NULL);
	begin();
	MUST(splice(ends[0], NULL, to, NULL, 1, 0));
	close(to);
	await_child(child);
	end();
}

/* Nothing comes out of these. */
static void splice_nothing(void)
{
	int from = file("a", O_RDONLY), to = file("b", O_WRONLY);

	make_pipes(O_NONBLOCK);
	make_sockets();
	MUST(lseek(from, 0, SEEK_END));
	begin();
	FAILS(splice(ends[0], NULL, to, NULL, 1, 0), EAGAIN);
	FAILS(splice(ends[0], NULL, others[1], NULL, 1, 0), EAGAIN);
	FAILS(splice(ends[0], NULL, pair[0], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	FAILS(splice(pair[0], NULL, ends[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	FAILS(tee(ends[0], others[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
	FAILS(vmsplice(ends[0], &part, 1, SPLICE_F_NONBLOCK), EAGAIN);
	MUST(splice(from, NULL, ends[1], NULL, 1, 0));
	MUST(sendfile(ends[1], from, NULL, 1));
	MUST(sendfile(to, from, NULL, 1));
	MUST(copy_file_range(from, NULL, to, NULL, 1, 0));
	end();
}

static void splice_refused(void)
{
	int from = file("a", O_RDONLY), to = file("b", O_WRONLY | O_APPEND);
	int whole = file("b", O_WRONLY);

	fill_pipe();
	begin();
	FAILS(splice(ends[0], NULL, to, NULL, 1, 0), EINVAL);
	FAILS(splice(ends[0], NULL, from, NULL, 1, 0), EBADF);
	FAILS(splice(ends[0], NULL, ends[1], NULL, 1, 0), EINVAL);
	FAILS(copy_file_range(from, NULL, to, NULL, 1, 0), EBADF);
	FAILS(sendfile(to, from, NULL, 1), EINVAL);
	FAILS(ioctl(whole, FICLONE, from), EOPNOTSUPP);
	end();
}

/* A read after a copying call is a read. */
static void splice_then_read(void)
{
	int from = file("a", O_RDONLY);

	make_pipes(0);
	begin();
	MUST(splice(from, NULL, ends[1], NULL, 1, 0));
	MUST(pread(from, &byte, 1, 0));
	end();
}

const struct operation copies[] = {
	{ "send_file", send_file },
	{ "copy_range", copy_range },
	{ "splice_to_file", splice_to_file },
	{ "splice_to_pipe", splice_to_pipe },
	{ "splice_pipes", splice_pipes },
	{ "tee_pipes", tee_pipes },
	{ "send_file_to_pipe", send_file_to_pipe },
	{ "memory_to_pipe", memory_to_pipe },
	{ "pipe_to_memory", pipe_to_memory },
	{ "send_file_to_socket", send_file_to_socket },
	{ "splice_to_socket", splice_to_socket },
	{ "splice_from_socket", splice_from_socket },
	{ "clone_file", clone_file },
	{ "share_content", share_content },
	{ "share_no_content", share_no_content },
	{ "splice_often", splice_often },
	{ "splice_waiting", splice_waiting },
	{ "splice_waiting_for_file", splice_waiting_for_file },
	{ "splice_nothing", splice_nothing },
	{ "splice_refused", splice_refused },
	{ "splice_then_read", splice_then_read },
	{},
};
