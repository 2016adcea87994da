/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ACT_H
#define ACT_H
/*
 * A program that does named operations one after the other. Each has a folder of its own, so that nothing
 * of it is known from an earlier one, and does what is tested between begin() and end(): both write one
 * byte to a file of the operation's name, which the tests find in the recording. After begin() the
 * acting task and its memory have been sources, so whatever comes next enters new versions of both.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct operation {
	const char *name;
	void (*act)(void);
};

extern const struct operation files[], attributes[], pipes[], processes[], sockets[], lifetimes[];
extern const struct operation everyday[], handovers[], names[], calls[], packets[], copies[];
extern const struct operation identity[], signals[], loads[], queues[], shared[], sharing[], rings[];
extern const struct operation refused[];

extern int here; /* folder of the operation, an O_PATH descriptor */
extern const char *work; /* folder of all operations */

/* Goes to the folder of the operation and opens its marks. */
void enter(const char *name);
void begin(void);
void end(void);

/* Ends the program with a message if the result is an error. */
long must(long result, const char *what);
#define MUST(call) must((call), #call)

/* Ends the program unless the result is this error. */
void fails(long result, int error, const char *what);
#define FAILS(call, error) fails((call), (error), #call)

/* Tells the tests the name of what is behind this descriptor. */
void called(const char *name, int fd);

/* Another effective user for this thread alone: the library would ask all threads. */
void act_as(uid_t user);

/* Makes the kernel forget every inode that is not in use. */
void drop_caches(void);

void pause_ms(int ms);

/* A task that shares what `flags` say and runs `act` on a stack of its own; its thread id */
int start(int flags, int (*act)(void *), void *argument);
void await_child(int pid);

/* Of a child that waits to be stopped: it goes with its parent, who may fail before. */
void stay_with_parent(void);
void stop_child(int pid);

/* For start(): writes a byte to the descriptor at this address when others have begun to wait. */
int write_later(void *fd);

/* A child that does this, and ends when `hold` is closed; it waits for that when this returns. */
extern int hold[2];
int waiting_child(int (*act)(void *));
void end_child(int child);

int verdicts(void);
int before(void);

#endif
