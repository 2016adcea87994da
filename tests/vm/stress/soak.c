// SPDX-License-Identifier: GPL-2.0
/*
 * soak DIR OPERATIONS: 4 processes work side by side, each in rounds, until the operations are done. In a
 * round it starts 4 children at once. Each child makes a file, maps it and a page that it shares with
 * its parent, stores into both, sends some bytes through a pipe, a pair of sockets and a TCP connection
 * over loopback, renames its file and removes it. Prints how many operations succeeded, and in how many
 * rounds.
 */
#include "common.h"

enum { WORKERS = 4, CHILDREN = 4, TALKS = 6, PER_ROUND = CHILDREN * (4 * TALKS + 9) };

static long *done, *rounds; /* shared by all */

static void count(long result)
{
	if (result > 0)
		__sync_fetch_and_add(done, 1);
}

struct ways {
	int pipe[2], pair[2], tcp[2];
	char *page;
};

static void connect_over_loopback(int ends[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listening = MUST(socket(AF_INET, SOCK_STREAM, 0));

	MUST(bind(listening, (struct sockaddr *)&address, size));
	MUST(listen(listening, 1));
	MUST(getsockname(listening, (struct sockaddr *)&address, &size));
	ends[0] = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(connect(ends[0], (struct sockaddr *)&address, size));
	ends[1] = MUST(accept(listening, NULL, NULL));
	close(listening);
}

static void open_ways(struct ways *ways)
{
	MUST(pipe(ways->pipe));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ways->pair));
	connect_over_loopback(ways->tcp);
	ways->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(ways->page == MAP_FAILED ? -1 : 0);
}

static void close_ways(struct ways *ways)
{
	for (int end = 0; end < 2; end++) {
		close(ways->pipe[end]);
		close(ways->pair[end]);
		close(ways->tcp[end]);
	}
	munmap(ways->page, 4096);
}

static void work_on_a_file(const struct ways *ways, const char *folder)
{
	char path[256], moved[260], byte, *map;
	int fd;

	snprintf(path, sizeof(path), "%s/soak-%d", folder, getpid());
	snprintf(moved, sizeof(moved), "%s.new", path);
	fd = MUST(open(path, O_RDWR | O_CREAT, 0600));
	count(fd);
	count(write(fd, path, 8));
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	MUST(map == MAP_FAILED ? -1 : 0);
	map[0] = ways->page[0]++;
	count(pread(fd, &byte, 1, 0));
	count(!munmap(map, 4096));
	count(!fchmod(fd, 0640));
	count(!rename(path, moved));
	count(!unlink(moved));
	count(!close(fd));
}

static void run_child(const struct ways *ways, const char *folder)
{
	char bytes[64] = "";

	work_on_a_file(ways, folder);
	for (int i = 0; i < TALKS; i++) {
		count(write(ways->pipe[1], bytes, 8));
		count(send(ways->pair[1], bytes, 8, 0));
		count(send(ways->tcp[1], bytes, 8, 0));
		count(read(ways->pipe[0], bytes, 8));
	}
	_exit(0);
}

/* Its children, all at once; what they have sent is taken after they are gone. */
static void run_round(const char *folder)
{
	struct ways ways;
	pid_t children[CHILDREN];
	char bytes[4096];

	open_ways(&ways);
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = MUST(fork());
		if (!children[i])
			run_child(&ways, folder);
		count(1);
	}
	for (int i = 0; i < CHILDREN; i++)
		reap(children[i]);
	count(recv(ways.pair[0], bytes, sizeof(bytes), 0));
	count(recv(ways.tcp[0], bytes, sizeof(bytes), 0));
	close_ways(&ways);
	__sync_fetch_and_add(rounds, 1);
}

int main(int argc, char **argv)
{
	long operations = atol(argv[2]);
	pid_t workers[WORKERS];

	done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	rounds = done + 1;
	for (int i = 0; i < WORKERS; i++) {
		workers[i] = MUST(fork());
		if (workers[i])
			continue;
		while (*(volatile long *)done < operations - WORKERS * PER_ROUND)
			run_round(argv[1]);
		_exit(0);
	}
	for (int i = 0; i < WORKERS; i++)
		reap(workers[i]);
	printf("%ld %ld\n", *done, *rounds);
	return 0;
}
