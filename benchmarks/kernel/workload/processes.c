// SPDX-License-Identifier: GPL-2.0
/* Processes that begin and end at once. */
#include "bench.h"

void begin_and_end(unsigned int times)
{
	while (times--) {
		pid_t child = MUST(fork());

		if (!child)
			_exit(0);
		MUST(waitpid(child, NULL, 0));
	}
}

/* Without environment: that of whoever started this is not of the measurement. */
static void do_exec(unsigned int times)
{
	static char *const words[] = { "/tmp/bench/nothing", NULL };
	static char *const none[] = { NULL };

	while (times--) {
		pid_t child = vfork();

		if (!child) {
			execve(words[0], words, none);
			_exit(127);
		}
		MUST(child);
		MUST(waitpid(child, NULL, 0));
	}
}

const struct phase processes[] = {
	{ "fork_exit", 300, begin_and_end },
	{ "vfork_exec", 200, do_exec },
	{},
};
