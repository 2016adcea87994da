// SPDX-License-Identifier: GPL-2.0
/*
 * Makes so many of one kind of object, all met by a hook; says "held" and keeps them until its standard input
 * ends; lets them go and says "gone".
 */
#include "bench.h"
#include <arpa/inet.h>
#include <sched.h>
#include <sys/resource.h>

enum { PATH_BYTES = 64, STACK_BYTES = 16384, SPARE = 64 };

static unsigned int count;
static int *first, *second;
static pid_t *children;
static char byte[1] = "x";

static void name_of(char *path, unsigned int number)
{
	snprintf(path, PATH_BYTES, "held%u", number);
}

static void make_files_held(void)
{
	char path[PATH_BYTES];

	for (unsigned int number = 0; number < count; number++) {
		name_of(path, number);
		MUST(close(MUST(open(path, O_CREAT | O_WRONLY, 0600))));
	}
}

/* One file under many names, each used */
static void make_links(void)
{
	char path[PATH_BYTES];

	MUST(close(MUST(open("held", O_CREAT | O_WRONLY, 0600))));
	for (unsigned int number = 0; number < count; number++) {
		name_of(path, number);
		MUST(link("held", path));
		MUST(close(MUST(open(path, O_RDONLY))));
	}
}

static void remove_files(void)
{
	char path[PATH_BYTES];

	for (unsigned int number = 0; number < count; number++) {
		name_of(path, number);
		MUST(unlink(path));
	}
}

static void remove_links(void)
{
	remove_files();
	MUST(unlink("held"));
}

static void make_both(unsigned int number, int ends[2])
{
	first[number] = ends[0];
	second[number] = ends[1];
	MUST(write(ends[1], byte, 1));
	MUST(read(ends[0], byte, 1));
}

static void make_pipes(void)
{
	int ends[2];

	for (unsigned int number = 0; number < count; number++) {
		MUST(pipe(ends));
		make_both(number, ends);
	}
}

/* `count` is of sockets: every two are one pair */
static void make_pairs(void)
{
	int ends[2];

	for (unsigned int number = 0; number < count / 2; number++) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
		make_both(number, ends);
	}
}

static void make_connections(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listening = MUST(socket(AF_INET, SOCK_STREAM, 0)), ends[2];
	socklen_t size = sizeof(here);

	MUST(bind(listening, (struct sockaddr *)&here, sizeof(here)));
	MUST(listen(listening, 16));
	MUST(getsockname(listening, (struct sockaddr *)&here, &size));
	for (unsigned int number = 0; number < count / 2; number++) {
		ends[1] = MUST(socket(AF_INET, SOCK_STREAM, 0));
		MUST(connect(ends[1], (struct sockaddr *)&here, sizeof(here)));
		ends[0] = MUST(accept(listening, NULL, NULL));
		make_both(number, ends);
	}
	MUST(close(listening));
}

static void close_all(void)
{
	for (unsigned int number = 0; number < count; number++) {
		if (!first[number])
			continue;
		MUST(close(first[number]));
		MUST(close(second[number]));
	}
}

static void make_processes(void)
{
	for (unsigned int number = 0; number < count; number++) {
		children[number] = MUST(fork());
		if (children[number])
			continue;
		for (;;)
			pause();
	}
}

static void end_processes(void)
{
	for (unsigned int number = 0; number < count; number++)
		MUST(kill(children[number], SIGKILL));
	while (waitpid(-1, NULL, __WALL) > 0)
		;
}

static int idle(void *unused)
{
	for (;;)
		pause();
	return 0;
}

/* They share everything but are no thread group: each can be ended and waited for by itself. */
static void make_threads(void)
{
	char *stacks = mmap(NULL, (size_t)count * STACK_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	MUST(stacks == MAP_FAILED ? -1 : 0);
	for (unsigned int number = 0; number < count; number++)
		children[number] = MUST(clone(idle, stacks + (size_t)(number + 1) * STACK_BYTES,
					      CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, NULL));
}

static const struct kind {
	const char *name;
	void (*make)(void);
	void (*release)(void);
} kinds[] = {
	{ "files", make_files_held, remove_files },
	{ "names", make_links, remove_links },
	{ "pipes", make_pipes, close_all },
	{ "unix_sockets", make_pairs, close_all },
	{ "tcp_sockets", make_connections, close_all },
	{ "processes", make_processes, end_processes },
	{ "threads", make_threads, end_processes },
	{},
};

static void tell(const char *what)
{
	printf("%s\n", what);
	fflush(stdout);
}

int hold(char **words)
{
	const struct kind *kind = kinds;
	struct rlimit limit;

	count = atoi(words[1]);
	while (kind->name && strcmp(kind->name, words[0]))
		kind++;
	errno = EINVAL;
	MUST(kind->name && count ? 0 : -1);
	limit.rlim_cur = limit.rlim_max = 2 * count + SPARE;
	MUST(setrlimit(RLIMIT_NOFILE, &limit));
	first = calloc(count, sizeof(*first));
	second = calloc(count, sizeof(*second));
	children = calloc(count, sizeof(*children));
	MUST(first && second && children ? 0 : -1);
	kind->make();
	tell("held");
	while (read(STDIN_FILENO, byte, 1) > 0)
		;
	kind->release();
	tell("gone");
	return 0;
}
