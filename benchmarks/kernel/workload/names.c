// SPDX-License-Identifier: GPL-2.0
/* Names that come and go, and names that nobody has used yet. */
#include "bench.h"

enum { PATH_BYTES = 64 };

static char fresh[FRESH][PATH_BYTES];

/* Of each step: files without another name, and one file with many. */
void make_names(unsigned int steps)
{
	char path[PATH_BYTES], first[PATH_BYTES];

	MUST(mkdir("/tmp/fresh", 0755));
	for (unsigned int at = 0; at < steps; at++)
		for (unsigned int number = 0; number < FRESH; number++) {
			snprintf(path, sizeof(path), "f%u-%u", at, number);
			MUST(close(MUST(open(path, O_CREAT | O_WRONLY, 0600))));
			snprintf(path, sizeof(path), "l%u-%u", at, number);
			snprintf(first, sizeof(first), "l%u-0", at);
			if (number)
				MUST(link(first, path));
			else
				MUST(close(MUST(open(path, O_CREAT | O_WRONLY, 0600))));
		}
}

static void fill_fresh(char letter)
{
	for (unsigned int number = 0; number < FRESH; number++)
		snprintf(fresh[number], PATH_BYTES, "/tmp/bench/%c%u-%u", letter, step, number);
}

static void fresh_files(void)
{
	fill_fresh('f');
}

/* The file is known by one name already; each of the others is new. */
static void fresh_links(void)
{
	fill_fresh('l');
	MUST(close(MUST(open(fresh[0], O_RDONLY))));
}

static void do_open_fresh(unsigned int times)
{
	while (times--)
		MUST(close(MUST(open(fresh[times], O_RDONLY))));
}

/*
 * In a folder where nothing else is: among many names each further one can be twice as dear, which comes and goes
 * with every dozen of them.
 */
static void do_create_unlink(unsigned int times)
{
	while (times--) {
		MUST(close(MUST(open("/tmp/fresh/made", O_CREAT | O_EXCL | O_WRONLY, 0600))));
		MUST(unlink("/tmp/fresh/made"));
	}
}

static void do_rename_two(unsigned int times)
{
	while (times--) {
		MUST(rename("/tmp/bench/a", "/tmp/bench/moved"));
		MUST(rename("/tmp/bench/moved", "/tmp/bench/a"));
	}
}

const struct phase names[] = {
	{ "open_first", 0, do_open_fresh, fresh_files },
	{ "open_new_name", 0, do_open_fresh, fresh_links },
	{ "create_unlink", 200, do_create_unlink },
	{ "create_many", 4000, do_create_unlink },
	{ "rename_two", 100, do_rename_two },
	{},
};
