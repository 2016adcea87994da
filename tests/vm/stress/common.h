/* SPDX-License-Identifier: GPL-2.0 */
/* What the workloads share: each call succeeds or the workload ends with a message. */
#ifndef STRESS_COMMON_H
#define STRESS_COMMON_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUST(call) must((long)(call), #call, __LINE__)

static inline long must(long result, const char *call, int line)
{
	if (result == -1) {
		fprintf(stderr, "line %d: %s: %s\n", line, call, strerror(errno));
		_exit(1);
	}
	return result;
}

/* Wait for one child and pass its failure on. */
static inline void reap(pid_t pid)
{
	int status;

	MUST(waitpid(pid, &status, 0));
	if (status) {
		fprintf(stderr, "child %d ended with status %#x\n", pid, status);
		_exit(1);
	}
}

#endif
