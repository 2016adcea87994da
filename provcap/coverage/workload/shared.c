// SPDX-License-Identifier: GPL-2.0
/* Shared memory of System V, counters, both ends of terminals, and a descriptor of another process. */
#include "act.h"
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/shm.h>

enum { SIZE = 4096, KEY = 0x70726f77 };

static int segment;
static char *place;

static void make_segment(void)
{
	segment = MUST(shmget(IPC_PRIVATE, SIZE, 0640));
}

static void attach(int flags)
{
	place = shmat(segment, NULL, flags);
	MUST(place == (void *)-1 ? -1 : 0);
}

/* Children would inherit what is left attached. */
static void remove_segment(void)
{
	if (place)
		MUST(shmdt(place));
	place = NULL;
	MUST(shmctl(segment, IPC_RMID, NULL));
}

static void create_segment(void)
{
	begin();
	segment = MUST(shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0640));
	end();
	attach(0);
	remove_segment();
}

static void create_refused(void)
{
	begin();
	FAILS(shmget(KEY, 0, IPC_CREAT), EINVAL);
	FAILS(shmget(KEY, SIZE, 0), ENOENT);
	end();
}

static void attach_segment(void)
{
	make_segment();
	begin();
	attach(0);
	end();
	remove_segment();
}

static void attach_to_read(void)
{
	make_segment();
	begin();
	attach(SHM_RDONLY);
	end();
	remove_segment();
}

static void attach_refused(void)
{
	make_segment();
	act_as(1000);
	begin();
	FAILS((long)shmat(segment, NULL, 0), EACCES);
	FAILS((long)shmat(-1, NULL, 0), EINVAL);
	end();
	act_as(0);
	remove_segment();
}

static void detach_segment(void)
{
	make_segment();
	attach(0);
	begin();
	MUST(shmdt(place));
	FAILS(shmdt(place), EINVAL);
	end();
	place = NULL;
	remove_segment();
}

static void detach_read(void)
{
	make_segment();
	attach(SHM_RDONLY);
	begin();
	MUST(shmdt(place));
	end();
	place = NULL;
	remove_segment();
}

static int leave_attached(void *unused)
{
	attach(0);
	_exit(0);
}

/* Nobody calls shmdt: the address space ends. */
static void exit_attached(void)
{
	make_segment();
	begin();
	await_child(start(SIGCHLD, leave_attached, NULL));
	end();
	remove_segment();
}

static int counter;

static void write_counter(void)
{
	counter = MUST(eventfd(0, 0));
	begin();
	MUST(eventfd_write(counter, 1));
	end();
}

static void read_counter(void)
{
	eventfd_t value;

	counter = MUST(eventfd(3, 0));
	begin();
	MUST(eventfd_read(counter, &value));
	end();
}

static void read_counter_empty(void)
{
	eventfd_t value;

	counter = MUST(eventfd(0, EFD_NONBLOCK));
	begin();
	FAILS(eventfd_read(counter, &value), EAGAIN);
	end();
}

static void two_counters(void)
{
	int other = MUST(eventfd(1, 0));
	eventfd_t value;

	counter = MUST(eventfd(0, 0));
	begin();
	MUST(eventfd_write(counter, 1));
	MUST(eventfd_read(other, &value));
	end();
}

static int count_later(void *unused)
{
	pause_ms(100);
	MUST(eventfd_write(counter, 1));
	_exit(0);
}

static void read_counter_waiting(void)
{
	eventfd_t value;
	int child;

	counter = MUST(eventfd(0, 0));
	child = start(SIGCHLD, count_later, NULL);
	begin();
	MUST(eventfd_read(counter, &value));
	await_child(child);
	end();
}

static char line[64];

static int open_pair(int *master)
{
	int slave;

	*master = MUST(posix_openpt(O_RDWR | O_NOCTTY));
	MUST(grantpt(*master));
	MUST(unlockpt(*master));
	slave = MUST(open(ptsname(*master), O_RDWR | O_NOCTTY));
	called("slave", slave);
	return slave;
}

static void type_line(void)
{
	int master, slave = open_pair(&master);

	begin();
	MUST(write(master, "line\n", 5));
	poll(&(struct pollfd){ .fd = slave, .events = POLLIN }, 1, 1000);
	MUST(read(slave, line, sizeof(line)));
	end();
}

static void print_line(void)
{
	int master, slave = open_pair(&master);

	begin();
	MUST(write(slave, "line\n", 5));
	poll(&(struct pollfd){ .fd = master, .events = POLLIN }, 1, 1000);
	MUST(read(master, line, sizeof(line)));
	end();
}

static void two_terminals(void)
{
	int master, other, slave = open_pair(&master);

	MUST(write(open_pair(&other), "line\n", 5));
	poll(&(struct pollfd){ .fd = other, .events = POLLIN }, 1, 1000);
	begin();
	MUST(write(slave, "line\n", 5));
	MUST(read(other, line, sizeof(line)));
	end();
}

static int print_to_own(void *slave)
{
	setsid();
	MUST(ioctl(*(int *)slave, TIOCSCTTY, 0));
	MUST(write(MUST(open("/dev/tty", O_RDWR)), "line\n", 5));
	_exit(0);
}

/* Whoever says /dev/tty means the terminal that it has. */
static void print_to_own_terminal(void)
{
	int master, slave = open_pair(&master);

	begin();
	await_child(start(SIGCHLD, print_to_own, &slave));
	MUST(read(master, line, sizeof(line)));
	end();
}

static int held, keep[2];

static int hold_file(void *unused)
{
	char byte;

	held = MUST(openat(here, "a", O_RDONLY));
	close(keep[1]);
	read(keep[0], &byte, 1);
	_exit(0);
}

static int child, process, number;

/* It has the same numbers for what we have, and one more. */
static void make_holder(void)
{
	MUST(pipe(keep));
	number = MUST(dup(keep[0]));
	close(number); /* the next one that anybody opens here */
	child = start(SIGCHLD, hold_file, NULL);
	process = MUST(syscall(SYS_pidfd_open, child, 0));
	pause_ms(100);
}

static void end_holder(void)
{
	close(keep[1]);
	await_child(child);
}

static void take_from_child(void)
{
	make_holder();
	begin();
	MUST(syscall(SYS_pidfd_getfd, process, number, 0));
	end();
	end_holder();
}

/* The other is asked for it before it shows that it has none of this number. */
static void take_absent(void)
{
	make_holder();
	begin();
	FAILS(syscall(SYS_pidfd_getfd, process, 999, 0), EBADF);
	end();
	end_holder();
}

static int hide_file(void *unused)
{
	MUST(prctl(PR_SET_DUMPABLE, 0));
	return hold_file(unused);
}

static void take_forbidden(void)
{
	MUST(pipe(keep));
	child = start(SIGCHLD, hide_file, NULL);
	process = MUST(syscall(SYS_pidfd_open, child, 0));
	pause_ms(100);
	act_as(1000);
	begin();
	FAILS(syscall(SYS_pidfd_getfd, process, keep[0], 0), EPERM);
	end();
	act_as(0);
	end_holder();
}

const struct operation shared[] = {
	{ "create_segment", create_segment },
	{ "create_segment_refused", create_refused },
	{ "attach_segment", attach_segment },
	{ "attach_to_read", attach_to_read },
	{ "attach_refused", attach_refused },
	{ "detach_segment", detach_segment },
	{ "detach_read", detach_read },
	{ "exit_attached", exit_attached },
	{ "write_counter", write_counter },
	{ "read_counter", read_counter },
	{ "read_counter_empty", read_counter_empty },
	{ "two_counters", two_counters },
	{ "read_counter_waiting", read_counter_waiting },
	{ "type_line", type_line },
	{ "print_line", print_line },
	{ "two_terminals", two_terminals },
	{ "print_to_own_terminal", print_to_own_terminal },
	{ "take_from_child", take_from_child },
	{ "take_absent", take_absent },
	{ "take_forbidden", take_forbidden },
	{},
};
