// SPDX-License-Identifier: GPL-2.0
/* Apart in truth; where the kernel's hooks cannot know it, scenarios.py has the reason. */
#include "play.h"

static void discard_in_fifo(void)
{
	int fd = opened("fifo", O_RDWR);

	tell(fd);
	close(fd);
}

static void use_fifo(void)
{
	int fd = opened("fifo", O_RDWR);

	tell(fd);
	hear(fd);
}

static void read_at_end(void)
{
	char byte;

	MUST(pread(opened("own", O_RDONLY), &byte, 1, 1 << 20));
}

static void read_nothing(void)
{
	char byte;

	MUST(read(opened("own", O_RDONLY), &byte, 0));
}

static void *volatile nowhere = (void *)1;

static void read_to_nowhere(void)
{
	FAILS(read(opened("own", O_RDONLY), nowhere, 1), EFAULT);
}

static void map_unreadable(void)
{
	MUST(mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE, opened("own", O_RDONLY), 0));
}

static void make_first(void)
{
	give("again");
}

static void cut_on_open(void)
{
	int fd = opened("again", O_RDWR | O_TRUNC);

	tell(fd);
	close(fd);
	take("again");
}

static void cut_by_name(void)
{
	MUST(truncate("again", 0));
	give("again");
	take("again");
}

static void write_over(void)
{
	static char blanks[ROOM];
	int fd = opened("again", O_WRONLY);

	MUST(pwrite(fd, blanks, ROOM, 0));
	close(fd);
	take("again");
}

/* The first knows the secret, but does not say it. */
static void say_something(void)
{
	int fd = opened("again", O_WRONLY | O_CREAT);

	MUST(write(fd, "nothing\n", 8));
}

static void take_again(void)
{
	take("again");
}

/* Sent before it is accepted: the socket has it when the server gets it. */
static struct address place;
static int waiting, accepted;

enum { SENT = 20, SERVED };

static void echo(void)
{
	hear(accepted);
	tell(accepted);
}

static void serve_two(void)
{
	await_step(SENT);
	close(MUST(accept(waiting, NULL, NULL)));
	reached(SERVED);
	accepted = MUST(accept(waiting, NULL, NULL));
	echo();
}

static void start_server(void)
{
	place = unix_path("socket");
	waiting = listening(&place, SOCK_STREAM);
	start(serve_two);
	close(waiting);
}

static void send_first(void)
{
	int fd = connected(&place, SOCK_STREAM);

	tell(fd);
	reached(SENT);
	await_step(SERVED);
}

static void ask_second(void)
{
	int fd = connected(&place, SOCK_STREAM);

	tell(fd);
	hear(fd);
}

const struct pair near_pairs[] = {
	{ "fifo_discarded", NULL, discard_in_fifo, use_fifo, NULL },
	{ "read_at_end", NULL, NULL, read_at_end, NULL },
	{ "read_nothing", NULL, NULL, read_nothing, NULL },
	{ "read_to_nowhere", NULL, NULL, read_to_nowhere, NULL },
	{ "map_unreadable", NULL, NULL, map_unreadable, NULL },
	{ "cut_on_open", NULL, make_first, cut_on_open, NULL },
	{ "cut_by_name", NULL, make_first, cut_by_name, NULL },
	{ "written_over", NULL, make_first, write_over, NULL },
	{ "not_said", NULL, say_something, take_again, NULL },
	{ "accepted_late", start_server, send_first, ask_second, NULL },
	{},
};
