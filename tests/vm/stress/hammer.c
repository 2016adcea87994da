// SPDX-License-Identifier: GPL-2.0
/*
 * hammer DIR OPERATIONS SEED: 8 processes, of which every other one has a second thread, do random
 * operations on 8 files, 4 pipes and 4 pairs of unix sockets that they share. Prints one line with the
 * operations that succeeded: reads and writes of files, writes and reads of pipes, sends and receives.
 */
#include "common.h"

enum { PROCESSES = 8, FILES = 8, PIPES = 4, PAIRS = 4 };
enum { READ, WRITE, PIPE_WRITE, PIPE_READ, SEND, RECEIVE, KINDS };

static int files[FILES], pipes[PIPES][2], pairs[PAIRS][2];
static long *done; /* shared by all: successes of each kind */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static long act(int kind, uint64_t random)
{
	int which = (random >> 8) % 4, end = (random >> 16) % 2;
	char byte[64] = "";

	switch (kind) {
	case READ:
		return pread(files[(random >> 8) % FILES], byte, 1, 0);
	case WRITE:
		return pwrite(files[(random >> 8) % FILES], byte, 1, 0);
	case PIPE_WRITE:
		return write(pipes[which][1], byte, 8);
	case PIPE_READ:
		return read(pipes[which][0], byte, 64);
	case SEND:
		return send(pairs[which][end], byte, 8, MSG_DONTWAIT);
	default:
		return recv(pairs[which][end], byte, 64, MSG_DONTWAIT);
	}
}

struct worker {
	long operations;
	uint64_t seed;
};

static void *work(void *argument)
{
	struct worker *worker = argument;
	long mine[KINDS] = {};

	for (long i = 0; i < worker->operations; i++) {
		uint64_t random = next_random(&worker->seed);
		int kind = random % KINDS;

		if (act(kind, random) > 0)
			mine[kind]++;
	}
	for (int kind = 0; kind < KINDS; kind++)
		__sync_fetch_and_add(&done[kind], mine[kind]);
	return NULL;
}

static void run_process(int number, long operations, uint64_t seed)
{
	int threads = 1 + number % 2;
	struct worker first = { operations / threads, seed * 1000003 + number + 1 };
	struct worker second = { operations / threads, seed * 7919 + number + 101 };
	pthread_t thread;

	prctl(PR_SET_NAME, "hammer-worker"); /* their operations can be told from the parent's */
	if (threads == 2)
		MUST(-pthread_create(&thread, NULL, work, &second));
	work(&first);
	if (threads == 2)
		pthread_join(thread, NULL);
	_exit(0);
}

static void open_all(const char *folder)
{
	char path[4096];

	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/hammer-%d", folder, i);
		files[i] = MUST(open(path, O_RDWR | O_CREAT, 0600));
		MUST(pwrite(files[i], "x", 1, 0));
	}
	for (int i = 0; i < PIPES; i++)
		MUST(pipe2(pipes[i], O_NONBLOCK));
	for (int i = 0; i < PAIRS; i++)
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]));
}

int main(int argc, char **argv)
{
	long operations = atol(argv[2]);
	pid_t children[PROCESSES];

	done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	open_all(argv[1]);
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = MUST(fork());
		if (!children[i])
			run_process(i, operations / PROCESSES, atol(argv[3]));
	}
	for (int i = 0; i < PROCESSES; i++)
		reap(children[i]);
	printf("%ld %ld %ld %ld %ld %ld\n", done[READ], done[WRITE], done[PIPE_WRITE],
	       done[PIPE_READ], done[SEND], done[RECEIVE]);
	return 0;
}
