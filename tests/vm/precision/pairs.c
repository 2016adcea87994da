// SPDX-License-Identifier: GPL-2.0
/* Two processes that use the same things without handing anything on. */
#include "play.h"
#include <sys/file.h>

/* What both have seen open */
static int shared[2];

static void open_log(void)
{
	shared[0] = opened("log", O_WRONLY | O_CREAT | O_APPEND);
	MUST(dup2(shared[0], STDOUT_FILENO));
	MUST(dup2(shared[0], STDERR_FILENO));
}

static void say(void)
{
	tell(STDOUT_FILENO);
	tell(STDERR_FILENO);
}

static void map_common(void)
{
	int fd = opened("common", O_RDONLY);
	char *content = MUST(mmap(NULL, ROOM, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));

	add(content, strlen(content));
	close(fd);
}

static void map_common_shared(void)
{
	char *content = MUST(mmap(NULL, ROOM, PROT_READ, MAP_SHARED, opened("common", O_RDONLY), 0));

	add(content, strlen(content));
}

static void take_common(void)
{
	take("common");
}

static void open_common(void)
{
	shared[0] = opened("common", O_RDONLY);
}

/* One open file and its position: what the first has read, the second does not get. */
static void read_on(void)
{
	hear(shared[0]);
}

static void run_program(void)
{
	execute_give("made", "some words\n");
}

static void make_one(void)
{
	give("inner/one");
}

static void make_another(void)
{
	struct stat status;

	give("inner/another");
	opened("inner", O_RDONLY | O_DIRECTORY); /* and not listed */
	MUST(stat("inner/one", &status));
	FAILS(open("inner/absent", O_RDONLY), ENOENT);
	MUST(unlink("inner/another"));
}

static void make_namesake(void)
{
	give("inner/common");
}

static const char *device;

static void use_null(void)
{
	device = "/dev/null";
}

static void use_zero(void)
{
	device = "/dev/zero";
}

static void use_full(void)
{
	device = "/dev/full";
}

static void use_random(void)
{
	device = "/dev/random";
}

static void use_urandom(void)
{
	device = "/dev/urandom";
}

static void write_device(void)
{
	int fd = opened(device, O_WRONLY);

	if (!strcmp(device, "/dev/full"))
		FAILS(write(fd, words, strlen(words)), ENOSPC);
	else
		tell(fd);
}

static void read_device(void)
{
	char bytes[8];

	MUST(read(opened(device, O_RDONLY), bytes, sizeof(bytes)));
}

static void map_zero(void)
{
	int fd = opened("/dev/zero", O_RDWR);
	char *page = MUST(mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));

	strcpy(page, words);
}

static void make_first(void)
{
	give("again");
}

/* Other words under the name, and often under the inode number, that the first one had */
static void make_again(void)
{
	MUST(unlink("again"));
	give("again");
	take("again");
}

/* For this thread alone: the library would ask all. */
static void become(uid_t user)
{
	MUST(syscall(SYS_setresuid, -1, user, -1));
}

static void open_refused(void)
{
	become(1000);
	FAILS(open("secret", O_RDONLY), EACCES);
	FAILS(open("own", O_RDWR), EACCES);
	become(0);
}

static void read_refused(void)
{
	char byte;

	FAILS(read(opened("own", O_WRONLY), &byte, 1), EBADF);
	FAILS(read(opened("own", O_PATH), &byte, 1), EBADF);
	FAILS(read(-1, &byte, 1), EBADF);
}

static void map_refused(void)
{
	int fd = opened("own", O_WRONLY);

	FAILS(mmap(NULL, ROOM, PROT_READ, MAP_SHARED, fd, 0), EACCES);
	FAILS(mmap(NULL, ROOM, PROT_READ, MAP_PRIVATE, fd, 0), EACCES);
}

static void execute_refused(void)
{
	FAILS(execl("own", "own", NULL), EACCES);
}

static void look_at(void)
{
	struct stat status;

	MUST(stat("own", &status));
	MUST(lstat("secret", &status));
	MUST(access("own", R_OK));
	MUST(faccessat(AT_FDCWD, "secret", R_OK, AT_EACCESS));
	MUST(lseek(opened("own", O_RDONLY), 0, SEEK_END));
	opened("secret", O_PATH);
	MUST(chdir("inner/.."));
}

static void lock_common(void)
{
	int fd = opened("common", O_RDWR);

	MUST(flock(fd, LOCK_EX));
	MUST(fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_WRLCK }));
	close(fd);
}

static void make_pipe(void)
{
	MUST(pipe2(shared, O_NONBLOCK));
}

static void make_socket_pair(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, shared));
}

static void tell_shared(void)
{
	tell(shared[1]);
}

static void poll_shared(void)
{
	struct pollfd asked = { .fd = shared[0], .events = POLLIN };

	MUST(poll(&asked, 1, 0));
}

/* As standard input, under two numbers, closed at last */
static void hold_shared(void)
{
	MUST(dup2(shared[0], STDIN_FILENO));
	MUST(dup(shared[0]));
	close(shared[0]);
}

static void tell_and_drain(void)
{
	char text[ROOM];

	tell(shared[1]);
	MUST(read(shared[0], text, sizeof(text)));
}

static void find_empty(void)
{
	char byte;

	FAILS(read(shared[0], &byte, 1), EAGAIN);
}

static void drain_fifo(void)
{
	char text[ROOM];
	int fd = opened("fifo", O_RDWR);

	tell(fd);
	MUST(read(fd, text, sizeof(text)));
	close(fd);
}

static void find_fifo_empty(void)
{
	char byte;

	FAILS(read(opened("fifo", O_RDWR | O_NONBLOCK), &byte, 1), EAGAIN);
}

/* A terminal that both have as standard input: the first types, nobody reads. */
static void open_terminal(void)
{
	shared[1] = opened("/dev/ptmx", O_RDWR | O_NOCTTY);
	MUST(grantpt(shared[1]));
	MUST(unlockpt(shared[1]));
	shared[0] = MUST(open(ptsname(shared[1]), O_RDWR | O_NOCTTY));
	MUST(dup2(shared[0], STDIN_FILENO));
}

static struct address places[2];

static void bind_two(void)
{
	places[0] = unix_abstract("one");
	places[1] = unix_abstract("another");
	shared[0] = bound(&places[0], SOCK_DGRAM);
	shared[1] = bound(&places[1], SOCK_DGRAM);
}

static void send_to_one(void)
{
	tell(connected(&places[0], SOCK_DGRAM));
}

static void send_to_another(void)
{
	tell(connected(&places[1], SOCK_DGRAM));
	hear(shared[1]);
}

const struct pair pairs[] = {
	{ .name = "siblings" },
	{ "output", open_log, say, say, NULL },
	{ "library", NULL, map_common, map_common, NULL },
	{ "shared_map", NULL, map_common_shared, map_common_shared, NULL },
	{ "data_file", NULL, take_common, take_common, NULL },
	{ "open_file", open_common, read_on, read_on, NULL },
	{ "same_program", NULL, run_program, run_program, NULL },
	{ "directory", NULL, make_one, make_another, NULL },
	{ "namesake", NULL, make_namesake, take_common, NULL },
	{ "null", use_null, write_device, read_device, NULL },
	{ "zero", use_zero, write_device, read_device, NULL },
	{ "full", use_full, write_device, read_device, NULL },
	{ "random", use_random, write_device, read_device, NULL },
	{ "urandom", use_urandom, write_device, read_device, NULL },
	{ "map_zero", NULL, map_zero, map_zero, NULL },
	{ "made_again", NULL, make_first, make_again, NULL },
	{ "made_again_ext4", NULL, make_first, make_again, NULL },
	{ "open_refused", NULL, NULL, open_refused, NULL },
	{ "read_refused", NULL, NULL, read_refused, NULL },
	{ "map_refused", NULL, NULL, map_refused, NULL },
	{ "execute_refused", NULL, NULL, execute_refused, NULL },
	{ "looked_at", NULL, NULL, look_at, NULL },
	{ "locked", NULL, lock_common, lock_common, NULL },
	{ "pipe_unread", make_pipe, tell_shared, poll_shared, NULL },
	{ "pipe_held", make_pipe, tell_shared, hold_shared, NULL },
	{ "pipe_drained", make_pipe, tell_and_drain, find_empty, NULL },
	{ "socket_unread", make_socket_pair, tell_shared, poll_shared, NULL },
	{ "fifo_drained", NULL, drain_fifo, find_fifo_empty, NULL },
	{ "terminal_unread", open_terminal, tell_shared, NULL, NULL },
	{ "datagrams", bind_two, send_to_one, send_to_another, NULL },
	{},
};
