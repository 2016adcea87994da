// SPDX-License-Identifier: GPL-2.0
/* What is there before recording begins, what leaves the cache and comes back, what ends, long names. */
#include "act.h"

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static char byte;
static int a, b;
static volatile int turn;

static int in(const char *folder, const char *name, int flags)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s/%s", work, folder, name);
	return MUST(open(path, flags, 0644));
}

static int write_in_turn(void *unused)
{
	(void)unused;
	while (turn != 1)
		pause_ms(1);
	MUST(write(b, "x", 1));
	turn = 2;
	syscall(SYS_exit, 0);
	return 0;
}

/* The mapping stays when the descriptor is closed. */
static void map(const char *name, int flags)
{
	int fd = MUST(openat(here, name, O_RDONLY));

	if (mmap(NULL, 4096, PROT_READ, flags, fd, 0) == MAP_FAILED)
		MUST(-1);
	MUST(close(fd));
}

/* A process that has nothing to do with the other one after this; its id */
static int map_elsewhere(const char *name)
{
	int pid = MUST(fork());

	if (pid)
		return pid;
	map(name, MAP_PRIVATE);
	pause();
	_exit(0);
}

/*
 * Two threads with open and mapped files, made before recording begins; "fifo" says when to act.
 */
int before(void)
{
	int other;

	enter("before");
	other = map_elsewhere("secret");
	map("text", MAP_PRIVATE);
	map("script", MAP_SHARED);
	a = MUST(openat(here, "a", O_RDONLY));
	b = MUST(openat(here, "b", O_WRONLY));
	start(THREAD, write_in_turn, NULL);
	MUST(read(in("before", "fifo", O_RDWR), &byte, 1));
	begin();
	MUST(read(a, &byte, 1));
	turn = 1;
	while (turn != 2)
		pause_ms(1);
	end();
	MUST(kill(other, SIGKILL));
	return 0;
}

static void wake_before(void)
{
	MUST(write(in("before", "fifo", O_RDWR), "x", 1));
	pause_ms(300);
}

/*
 * With pages in memory an inode stays. Older kernels do not drop those that still wait in a
 * list of a CPU; this call empties such lists.
 */
static void drop_pages(int fd)
{
	MUST(fsync(fd));
	errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	MUST(errno ? -1 : 0);
}

/* An inode that was just used is passed over at first. */
void drop_caches(void)
{
	int fd = MUST(open("/proc/sys/vm/drop_caches", O_WRONLY));

	for (int round = 0; round < 5; round++) {
		sync();
		MUST(pwrite(fd, "2", 1, 0));
		pause_ms(20);
	}
	MUST(close(fd));
}

/* WORK/disk is a file system on a disk. */
static void evict(void)
{
	int fd = in("disk", "kept", O_CREAT | O_RDWR);

	called("kept", fd);
	MUST(write(fd, "x", 1));
	drop_pages(fd);
	MUST(close(fd));
	drop_caches();
	fd = in("disk", "kept", O_RDONLY);
	begin();
	MUST(read(fd, &byte, 1));
	end();
}

static void delete(void)
{
	int fd = in("disk", "gone", O_CREAT | O_RDWR);
	char path[4096];

	MUST(write(fd, "x", 1));
	MUST(close(fd));
	snprintf(path, sizeof(path), "%s/disk/gone", work);
	MUST(unlink(path));
	pause_ms(50);
	fd = in("disk", "next", O_CREAT | O_RDWR);
	called("next", fd);
	begin();
	MUST(write(fd, "x", 1));
	end();
}

/* A memory file of its own, not linked anywhere */
static void end_pipe(void)
{
	int ends[2];

	MUST(pipe(ends));
	called("pipe", ends[0]);
	begin();
	MUST(write(ends[1], "x", 1));
	MUST(close(ends[0]));
	MUST(close(ends[1]));
	end();
}

/* A name of nearly 4,096 bytes, made of the longest components */
static void long_name(void)
{
	char component[256] = "";
	size_t length = strlen(work) + strlen("/long_name");
	int folder = MUST(openat(here, ".", O_PATH | O_DIRECTORY));

	memset(component, 'n', 255);
	while (length + 256 + 20 < 4095) {
		MUST(mkdirat(folder, component, 0755));
		folder = MUST(openat(folder, component, O_PATH | O_DIRECTORY));
		length += 256;
	}
	component[4095 - length - 1] = '\0';
	begin();
	a = MUST(openat(folder, component, O_CREAT | O_RDWR, 0644));
	end();
	called("last", a);
}

/* WORK/mount is a file system with another one in its folder "inner". */
static void mounted(void)
{
	int fd = in("mount/inner/deep", "file", O_RDWR);

	called("file", fd);
	begin();
	MUST(write(fd, "x", 1));
	end();
}

const struct operation lifetimes[] = {
	{ "before", NULL },
	{ "wake_before", wake_before },
	{ "evict", evict },
	{ "delete", delete },
	{ "end_pipe", end_pipe },
	{ "long_name", long_name },
	{ "mounted", mounted },
	{},
};
