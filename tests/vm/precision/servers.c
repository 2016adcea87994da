// SPDX-License-Identifier: GPL-2.0
/* Processes that are parent and child, or that talk to the same server. */
#include "play.h"
#include <netinet/in.h>

/* One listener, two connections, each served by a process of its own, which answers what it hears */
static struct address place;
static int waiting, accepted;

static void echo(void)
{
	words[0] = '\0';
	hear(accepted);
	tell(accepted);
}

enum { FIRST_IS_IN = 10 };

static void serve_two(void)
{
	for (int client = 0; client < 2; client++) {
		accepted = MUST(accept(waiting, NULL, NULL));
		start(echo);
		close(accepted);
		reached(FIRST_IS_IN);
	}
}

static void start_server(struct address address)
{
	place = address;
	waiting = listening(&place, SOCK_STREAM);
	start(serve_two);
	close(waiting);
}

static void serve_unix(void)
{
	start_server(unix_path("socket"));
}

static void serve_tcp(void)
{
	start_server(loopback(AF_INET));
}

static void ask_first(void)
{
	int fd = connected(&place, SOCK_STREAM);

	await_step(FIRST_IS_IN);
	tell(fd);
	hear(fd);
}

static void ask_second(void)
{
	int fd = connected(&place, SOCK_STREAM);

	tell(fd);
	hear(fd);
}

/* It writes first and reads afterwards. */
static void early_write(void)
{
	take("other");
	give("clean");
	take("secret");
	give("own");
	if (joined)
		give("clean");
}

enum { HAS_READ = 20, MAY_END };

static void give_clean(void)
{
	take("other");
	await_step(HAS_READ);
	if (joined)
		hear(ends[0]);
	give("clean");
	reached(MAY_END);
}

static void take_and_tell(void)
{
	take("secret");
	if (joined)
		tell(ends[1]);
	reached(HAS_READ);
}

static void take_and_give(void)
{
	take_and_tell();
	give("own");
}

static void parent_reads_after_fork(void)
{
	pid_t child;

	MUST(pipe(ends));
	child = start(give_clean);
	take_and_give();
	await(child);
}

static void child_reads_and_exits(void)
{
	MUST(pipe(ends));
	run(take_and_give);
	give_clean();
}

/* It writes nothing: it holds what it has read, and goes with it. */
static void take_and_wait(void)
{
	take_and_tell();
	await_step(MAY_END);
}

static void child_reads_and_waits(void)
{
	pid_t child;

	MUST(pipe(ends));
	child = start(take_and_wait);
	give_clean();
	await(child);
}

/* Ends of two clients, and those of the server that are connected with them */
int asking[2], hearing[2], answering[2], answered[2];

static void first_client(void)
{
	take("other");
	tell(asking[0]);
	hear(answered[0]);
	give("clean");
}

static void second_client(void)
{
	take("secret");
	tell(asking[1]);
	hear(answered[1]);
	give("own");
}

/* The first is answered before the second is heard, or after. */
static void serve_in_order(void)
{
	hear(hearing[0]);
	if (!joined)
		tell(answering[0]);
	hear(hearing[1]);
	if (joined)
		tell(answering[0]);
	tell(answering[1]);
}

void ask_in_order(void)
{
	pid_t server = start(serve_in_order);
	pid_t first = start(first_client), second = start(second_client);

	await(server);
	await(first);
	await(second);
}

static void order_of_pipes(void)
{
	int both[2];

	for (int client = 0; client < 2; client++) {
		MUST(pipe(both));
		hearing[client] = both[0];
		asking[client] = both[1];
		MUST(pipe(both));
		answered[client] = both[0];
		answering[client] = both[1];
	}
	ask_in_order();
}

static void order_of_pairs(void)
{
	int both[2];

	for (int client = 0; client < 2; client++) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, both));
		hearing[client] = answering[client] = both[0];
		asking[client] = answered[client] = both[1];
	}
	ask_in_order();
}

static void connect_both(struct address address)
{
	waiting = listening(&address, SOCK_STREAM);
	for (int client = 0; client < 2; client++) {
		asking[client] = answered[client] = connected(&address, SOCK_STREAM);
		hearing[client] = answering[client] = MUST(accept(waiting, NULL, NULL));
	}
	ask_in_order();
}

static void order_of_unix(void)
{
	connect_both(unix_path("socket"));
}

static void order_of_tcp4(void)
{
	connect_both(loopback(AF_INET));
}

static void order_of_tcp6(void)
{
	connect_both(loopback(AF_INET6));
}

const struct pair server_pairs[] = {
	{ "listener_unix", serve_unix, ask_first, ask_second, NULL },
	{ "listener_tcp", serve_tcp, ask_first, ask_second, NULL },
	{ .name = "early_write", .instead = early_write },
	{ .name = "read_after_fork", .instead = parent_reads_after_fork },
	{ .name = "child_exits", .instead = child_reads_and_exits },
	{ .name = "child_waits", .instead = child_reads_and_waits },
	{ .name = "order_of_pipes", .instead = order_of_pipes },
	{ .name = "order_of_pairs", .instead = order_of_pairs },
	{ .name = "order_of_unix", .instead = order_of_unix },
	{ .name = "order_of_tcp4", .instead = order_of_tcp4 },
	{ .name = "order_of_tcp6", .instead = order_of_tcp6 },
	{},
};
