// SPDX-License-Identifier: GPL-2.0
/* Counters of the programs of the capture: how often each ran, and for how long. */
#include "bench.h"
#include <dirent.h>
#include <linux/bpf.h>

enum { MOST = 256 };

static struct program {
	char *name;
	int fd;
	uint64_t runs, ns; /* before the phase, then in it */
} programs[MOST];
static unsigned int count;

static long bpf(int command, union bpf_attr *what)
{
	return syscall(SYS_bpf, command, what, sizeof(*what));
}

/* Called by our own questions, and by nothing else here */
static const char asked[] = "lsm/bpf";

/* `named`: where in the folder its name begins, KIND/NAME */
static void open_one(const char *folder, size_t named, const char *name)
{
	union bpf_attr what = {};
	char *path = NULL;

	MUST(count < MOST ? 0 : -1);
	MUST(asprintf(&path, "%s/%s", folder, name));
	if (!strcmp(path + named, asked))
		return;
	what.pathname = (uintptr_t)path;
	programs[count].fd = MUST(bpf(BPF_OBJ_GET, &what));
	programs[count++].name = path + named;
}

static void open_kind(const char *folder, size_t named)
{
	DIR *found = opendir(folder);
	struct dirent *each;

	MUST(found ? 0 : -1);
	while ((each = readdir(found)))
		if (each->d_name[0] != '.')
			open_one(folder, named, each->d_name);
	closedir(found);
}

/* FOLDER/KIND/NAME, as the loader pins them */
void open_programs(const char *folder)
{
	static const char *const kinds[] = { "lsm", "fentry", "fexit", "tp_btf" };
	char *path;

	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(*kinds); kind++) {
		MUST(asprintf(&path, "%s/%s", folder, kinds[kind]));
		if (!access(path, F_OK))
			open_kind(path, strlen(folder) + 1);
	}
}

static void look(struct program *program, bool after)
{
	struct bpf_prog_info info = {};
	union bpf_attr what = { .info = { program->fd, sizeof(info), (uintptr_t)&info } };

	MUST(bpf(BPF_OBJ_GET_INFO_BY_FD, &what));
	program->runs = info.run_cnt - (after ? program->runs : 0);
	program->ns = info.run_time_ns - (after ? program->ns : 0);
}

void begin_programs(void)
{
	for (unsigned int at = 0; at < count; at++)
		look(&programs[at], false);
}

void end_programs(void)
{
	for (unsigned int at = 0; at < count; at++)
		look(&programs[at], true);
}

void print_programs(void)
{
	const char *comma = "";

	for (unsigned int at = 0; at < count; at++) {
		if (!programs[at].runs)
			continue;
		printf("%s\"%s\": [%lu, %lu]", comma, programs[at].name, programs[at].runs,
		       programs[at].ns);
		comma = ", ";
	}
}
