// SPDX-License-Identifier: GPL-2.0
/* One byte through a pipe, a pair of sockets, a connection of TCP. */
#include "bench.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>

static int ends[2], back[2]; /* [0] is read */
static pid_t other;
static char byte[1];

static void make_pipe(void)
{
	MUST(pipe(ends));
}

static void make_pair(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static void make_connection(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listening = MUST(socket(AF_INET, SOCK_STREAM, 0)), on = 1;
	socklen_t size = sizeof(here);

	MUST(bind(listening, (struct sockaddr *)&here, sizeof(here)));
	MUST(listen(listening, 1));
	MUST(getsockname(listening, (struct sockaddr *)&here, &size));
	ends[1] = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(setsockopt(ends[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	MUST(connect(ends[1], (struct sockaddr *)&here, sizeof(here)));
	ends[0] = MUST(accept(listening, NULL, NULL));
	MUST(close(listening));
}

static void close_ends(void)
{
	MUST(close(ends[0]));
	MUST(close(ends[1]));
}

static void do_write_read(unsigned int times)
{
	while (times--) {
		MUST(write(ends[1], byte, 1));
		MUST(read(ends[0], byte, 1));
	}
}

/* A child that sends back whatever it gets */
static void start_echo(void)
{
	MUST(pipe(ends));
	MUST(pipe(back));
	other = MUST(fork());
	if (other)
		return;
	MUST(close(ends[1]));
	while (read(ends[0], byte, 1) == 1)
		MUST(write(back[1], byte, 1));
	_exit(0);
}

static void end_echo(void)
{
	close_ends();
	MUST(waitpid(other, NULL, 0));
	MUST(close(back[0]));
	MUST(close(back[1]));
}

static void do_ping_pong(unsigned int times)
{
	while (times--) {
		MUST(write(ends[1], byte, 1));
		MUST(read(back[0], byte, 1));
	}
}

const struct phase channels[] = {
	{ "pipe", 1000, do_write_read, make_pipe, close_ends },
	{ "pipe_many", 20000, do_write_read, make_pipe, close_ends },
	{ "unix_pair", 1000, do_write_read, make_pair, close_ends },
	{ "tcp", 500, do_write_read, make_connection, close_ends },
	{ "ping_pong", 300, do_ping_pong, start_echo, end_echo },
	{},
};
