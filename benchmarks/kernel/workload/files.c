// SPDX-License-Identifier: GPL-2.0
/* Files that are known already: content, attributes, mappings, devices. */
#include "bench.h"

static char byte[1] = "x";
static int a = -1, b = -1, null = -1;

void make_files(void)
{
	MUST(close(MUST(open("a", O_CREAT | O_RDWR, 0600))));
	MUST(close(MUST(open("b", O_CREAT | O_RDWR, 0600))));
	MUST(truncate("a", 4096));
	MUST(truncate("b", 4096));
}

static void open_both(void)
{
	a = MUST(open("/tmp/bench/a", O_RDWR));
	b = MUST(open("/tmp/bench/b", O_RDWR));
}

static void close_both(void)
{
	MUST(close(a));
	MUST(close(b));
}

static void do_getppid(unsigned int times)
{
	while (times--)
		syscall(SYS_getppid);
}

static void do_pread(unsigned int times)
{
	while (times--)
		MUST(pread(a, byte, 1, 0));
}

static void do_pwrite(unsigned int times)
{
	while (times--)
		MUST(pwrite(a, byte, 1, 0));
}

static void do_pread_two(unsigned int times)
{
	while (times--) {
		MUST(pread(a, byte, 1, 0));
		MUST(pread(b, byte, 1, 0));
	}
}

/* Nothing is new after the first time. */
static void do_copy_settled(unsigned int times)
{
	while (times--) {
		MUST(pread(a, byte, 1, 0));
		MUST(pwrite(b, byte, 1, 0));
	}
}

/* Each time the content goes on into the other file, so both edges are new. */
static void do_copy_new(unsigned int times)
{
	while (times--) {
		int from = times & 1 ? a : b, to = times & 1 ? b : a;

		MUST(pread(from, byte, 1, 0));
		MUST(pwrite(to, byte, 1, 0));
	}
}

static void do_open_close(unsigned int times)
{
	while (times--)
		MUST(close(MUST(open("/tmp/bench/a", O_RDONLY))));
}

static void do_stat(unsigned int times)
{
	struct stat status;

	while (times--)
		MUST(syscall(SYS_stat, "/tmp/bench/a", &status));
}

static void do_fstat(unsigned int times)
{
	struct stat status;

	while (times--)
		MUST(syscall(SYS_fstat, a, &status));
}

static void do_mmap(unsigned int times)
{
	while (times--) {
		void *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, a, 0);

		MUST(mapped == MAP_FAILED ? -1 : 0);
		MUST(munmap(mapped, 4096));
	}
}

static void open_null(void)
{
	null = MUST(open("/dev/null", O_WRONLY));
}

static void close_null(void)
{
	MUST(close(null));
}

static void do_write_null(unsigned int times)
{
	while (times--)
		MUST(write(null, byte, 1));
}

const struct phase files[] = {
	{ "getppid", 2000, do_getppid },
	{ "pread", 2000, do_pread, open_both, close_both },
	{ "pwrite", 2000, do_pwrite, open_both, close_both },
	{ "pread_two", 1000, do_pread_two, open_both, close_both },
	{ "copy_settled", 1000, do_copy_settled, open_both, close_both },
	{ "copy_new", 1000, do_copy_new, open_both, close_both },
	{ "settled_many", 40000, do_copy_settled, open_both, close_both },
	{ "copy_many", 20000, do_copy_new, open_both, close_both },
	{ "write_null", 2000, do_write_null, open_null, close_null },
	{ "open_close", 1000, do_open_close },
	{ "stat", 1000, do_stat },
	{ "fstat", 2000, do_fstat, open_both, close_both },
	{ "mmap_munmap", 500, do_mmap, open_both, close_both },
	{},
};
