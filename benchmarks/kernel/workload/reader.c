// SPDX-License-Identifier: GPL-2.0
/* There is one CPU: what the reader does while it is awake would be counted with what is measured. */
#include "bench.h"

enum { TRIES = 1000, TRY_NS = 1000 * 1000 };

static bool is_stopped(pid_t pid)
{
	char path[32], status[512] = "", *name_end;
	int file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = MUST(open(path, O_RDONLY));
	MUST(read(file, status, sizeof(status) - 1));
	MUST(close(file));
	name_end = strrchr(status, ')');
	return name_end && name_end[1] == ' ' && name_end[2] == 'T';
}

static pid_t held;

void hold_reader(pid_t reader)
{
	struct timespec pause = { .tv_nsec = TRY_NS };
	unsigned int tries = TRIES;

	if (!reader)
		return;
	MUST(kill(reader, SIGSTOP));
	held = reader;
	while (!is_stopped(reader)) {
		errno = ETIMEDOUT;
		MUST(tries-- ? 0 : -1);
		nanosleep(&pause, NULL);
	}
}

void release_reader(void)
{
	if (held)
		kill(held, SIGCONT);
	held = 0;
}
