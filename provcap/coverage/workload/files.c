// SPDX-License-Identifier: GPL-2.0
/* Files, directories, devices. */
#include "act.h"

static char buffer[64];

static void open_file(void)
{
	begin();
	MUST(openat(here, "a", O_RDONLY));
	end();
}

static void open_absent(void)
{
	begin();
	FAILS(openat(here, "absent", O_RDONLY), ENOENT);
	end();
}

static void open_refused(void)
{
	act_as(1000);
	begin();
	FAILS(openat(here, "secret", O_RDONLY), EACCES);
	end();
	act_as(0);
}

static void create(void)
{
	int made;

	begin();
	made = MUST(openat(here, "new", O_CREAT | O_WRONLY, 0640));
	end();
	called("new", made);
}

static void create_refused(void)
{
	act_as(1000);
	begin();
	FAILS(openat(here, "new", O_CREAT | O_WRONLY, 0640), EACCES);
	end();
	act_as(0);
}

static void read_file(void)
{
	int a = MUST(openat(here, "a", O_RDONLY));

	begin();
	MUST(read(a, buffer, 1));
	MUST(read(a, buffer, 1)); /* says nothing new */
	end();
}

static void read_refused(void)
{
	int a = MUST(openat(here, "a", O_WRONLY));

	begin();
	FAILS(read(a, buffer, 1), EBADF);
	end();
}

static void write_file(void)
{
	int a = MUST(openat(here, "a", O_WRONLY));

	begin();
	MUST(write(a, "x", 1));
	MUST(write(a, "x", 1));
	end();
}

static void write_refused(void)
{
	int a = MUST(openat(here, "a", O_RDONLY));

	begin();
	FAILS(write(a, "x", 1), EBADF);
	end();
}

static void copy(void)
{
	int a = MUST(openat(here, "a", O_RDONLY)), b = MUST(openat(here, "b", O_WRONLY));

	begin();
	for (int i = 0; i < 100; i++) {
		MUST(pread(a, buffer, 1, 0));
		MUST(pwrite(b, buffer, 1, 0));
	}
	end();
}

/* The second write carries what came in between, although it goes to the same file. */
static void write_read_write(void)
{
	int a = MUST(openat(here, "a", O_RDONLY)), b = MUST(openat(here, "b", O_WRONLY));

	begin();
	MUST(write(b, "x", 1));
	MUST(read(a, buffer, 1));
	MUST(write(b, "x", 1));
	end();
}

static void getattr(void)
{
	int a = MUST(openat(here, "a", O_RDONLY));
	struct stat status;

	begin();
	MUST(syscall(SYS_fstat, a, &status));
	end();
}

static void access_file(void)
{
	begin();
	MUST(syscall(SYS_faccessat2, here, "a", R_OK, 0));
	end();
}

static void map(int flags)
{
	int a = MUST(openat(here, "a", O_RDWR));
	void *page;

	begin();
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, a, 0);
	if (page == MAP_FAILED)
		MUST(-1);
	end();
	MUST(munmap(page, 4096));
}

static void map_shared(void)
{
	map(MAP_SHARED);
}

static void map_private(void)
{
	map(MAP_PRIVATE);
}

static void map_anonymous(void)
{
	map(MAP_PRIVATE | MAP_ANONYMOUS);
}

static void map_refused(void)
{
	int a = MUST(openat(here, "a", O_RDONLY));

	begin();
	if (mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, a, 0) != MAP_FAILED)
		FAILS(0, EACCES);
	end();
}

static int memory_file(void)
{
	return MUST(memfd_create("note", 0));
}

static void make_memory_file(void)
{
	begin();
	memory_file();
	end();
}

static void write_memory_file(void)
{
	int made;

	begin();
	made = memory_file();
	MUST(write(made, "x", 1));
	end();
	called("made", made);
}

static void map_memory_file(void)
{
	int made;
	void *page;

	begin();
	made = memory_file();
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, made, 0);
	if (page == MAP_FAILED)
		MUST(-1);
	end();
	called("made", made);
	MUST(munmap(page, 4096));
}

/* Nothing is changed in it from now on. */
static void write_sealed_file(void)
{
	int made = MUST(memfd_create("note", MFD_ALLOW_SEALING));

	MUST(fcntl(made, F_ADD_SEALS, F_SEAL_WRITE));
	called("made", made);
	begin();
	FAILS(write(made, "x", 1), EPERM);
	end();
}

static void make_memory_file_refused(void)
{
	begin();
	FAILS(memfd_create("note", 0x7fffffff), EINVAL);
	end();
}

static void list_directory(void)
{
	int folder = MUST(openat(here, "folder", O_RDONLY | O_DIRECTORY));
	char entries[1024];

	begin();
	MUST(syscall(SYS_getdents64, folder, entries, sizeof(entries)));
	end();
}

static void write_null(void)
{
	int null = MUST(openat(here, "null", O_WRONLY));

	begin();
	MUST(write(null, "x", 1));
	end();
}

static void read_zero(void)
{
	int zero = MUST(openat(here, "zero", O_RDONLY));

	begin();
	MUST(read(zero, buffer, 1));
	end();
}

/* The reading end of a terminal that nobody looks at, and the writing one */
static int open_terminal(int *writer)
{
	int reader;

	*writer = MUST(posix_openpt(O_RDWR | O_NOCTTY));
	MUST(grantpt(*writer));
	MUST(unlockpt(*writer));
	reader = MUST(open(ptsname(*writer), O_RDWR | O_NOCTTY | O_NONBLOCK));
	called("terminal", reader);
	return reader;
}

static void read_terminal(void)
{
	int writer, reader = open_terminal(&writer);

	MUST(write(writer, "line\n", 5));
	poll(&(struct pollfd){ .fd = reader, .events = POLLIN }, 1, 1000);
	begin();
	MUST(read(reader, buffer, sizeof(buffer)));
	end();
}

static void read_terminal_empty(void)
{
	int writer, reader = open_terminal(&writer);

	begin();
	FAILS(read(reader, buffer, sizeof(buffer)), EAGAIN);
	end();
}

static void write_terminal(void)
{
	int writer, reader = open_terminal(&writer);

	begin();
	MUST(write(writer, "line\n", 5));
	poll(&(struct pollfd){ .fd = reader, .events = POLLIN }, 1, 1000);
	MUST(read(reader, buffer, sizeof(buffer)));
	end();
}

const struct operation files[] = {
	{ "open", open_file },
	{ "open_absent", open_absent },
	{ "open_refused", open_refused },
	{ "create", create },
	{ "create_refused", create_refused },
	{ "read", read_file },
	{ "read_refused", read_refused },
	{ "write", write_file },
	{ "write_refused", write_refused },
	{ "copy", copy },
	{ "write_read_write", write_read_write },
	{ "getattr", getattr },
	{ "access", access_file },
	{ "map_shared", map_shared },
	{ "map_private", map_private },
	{ "map_anonymous", map_anonymous },
	{ "map_refused", map_refused },
	{ "memory_file", make_memory_file },
	{ "memory_file_refused", make_memory_file_refused },
	{ "write_memory_file", write_memory_file },
	{ "write_sealed_file", write_sealed_file },
	{ "map_memory_file", map_memory_file },
	{ "list_directory", list_directory },
	{ "write_null", write_null },
	{ "read_zero", read_zero },
	{ "read_terminal", read_terminal },
	{ "read_terminal_empty", read_terminal_empty },
	{ "write_terminal", write_terminal },
	{},
};
