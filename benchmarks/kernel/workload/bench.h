/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_H
#define BENCH_H
/*
 * A program that repeats single operations a fixed number of times and says how many cycles of the time
 * stamp counter that took. In a guest that counts instructions a cycle is one instruction.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* One operation; `set_up` and `tear_down` are not timed. */
struct phase {
	const char *name;
	unsigned int times; /* 0: as many as there are fresh names, see FRESH */
	void (*act)(unsigned int times);
	void (*set_up)(void);
	void (*tear_down)(void);
};

extern const struct phase files[], names[], channels[], processes[];

enum { FRESH = 128 }; /* names that nothing has opened yet, for each step */

extern unsigned int step; /* which of the fresh names */

/* Ends the program with a message if the result is an error. */
long must(long result, const char *what);
#define MUST(call) must((call), #call)

uint64_t nanoseconds(clockid_t clock);
/* Sleeps until what the kernel does a grace period later is done */
void settle(void);

bool is_wanted(const char *name, char **wanted); /* none: all are */

/* So many processes, one after the other (processes.c) */
void begin_and_end(unsigned int times);

/* The same work on several CPUs at once (crowd.c) */
int play_crowd(char **words);

/* Many objects at once (hold.c) */
int hold(char **words);

/* Before anything is recorded */
void make_files(void);
void make_names(unsigned int steps);

/* Programs of the capture, and how often and how long each has run (programs.c) */
void open_programs(const char *folder);
void begin_programs(void);
void end_programs(void);
void print_programs(void);

/* The process that drains the rings (reader.c): stopped, it takes no instruction from what is measured. 0: none */
void hold_reader(pid_t reader);
void release_reader(void);

#endif
