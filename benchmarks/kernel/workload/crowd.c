// SPDX-License-Identifier: GPL-2.0
/*
 * The same work on several CPUs at once: one process bound to each, with files of its own in a folder of its
 * own. They begin at the same moment and have as much to do, so that the virtual CPUs of a guest that counts
 * instructions, which take turns, are busy all the time: the time that passes is the sum of what all have executed.
 * They have no memory in common to meet in, since that would be recorded, too: they sleep until the time has come.
 */
#include "bench.h"
#include <sched.h>

enum { MOST = 64, START_NS = 400 * 1000 * 1000, ABOUT_TO_NS = 20 * 1000 * 1000 };

/* The same moment by the clock that records have and by the counter */
struct moment {
	uint64_t ns, cycles;
};

/* What each worker tells in the end */
struct stretch {
	struct moment began, ended;
};

static int a = -1, b = -1, common = -1, ends[2];
static char byte[1] = "x";

static void open_own(void)
{
	a = MUST(open("a", O_CREAT | O_RDWR, 0600));
	b = MUST(open("b", O_CREAT | O_RDWR, 0600));
	common = MUST(open("../common", O_CREAT | O_RDWR, 0600));
	MUST(ftruncate(a, 4096));
	MUST(ftruncate(b, 4096));
	MUST(ftruncate(common, 4096));
	MUST(pipe(ends));
}

/* Two instructions each, whatever the compiler thinks */
static void do_loop(unsigned int times)
{
	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(times));
}

static void do_settled(unsigned int times)
{
	while (times--) {
		MUST(pread(a, byte, 1, 0));
		MUST(pwrite(b, byte, 1, 0));
	}
}

static void do_new(unsigned int times)
{
	while (times--) {
		int from = times & 1 ? a : b, to = times & 1 ? b : a;

		MUST(pread(from, byte, 1, 0));
		MUST(pwrite(to, byte, 1, 0));
	}
}

/* All read and write one file: everybody's versions go up with everybody's writes. */
static void do_common(unsigned int times)
{
	while (times--) {
		MUST(pread(common, byte, 1, 0));
		MUST(pwrite(common, byte, 1, 0));
	}
}

static void do_open_close(unsigned int times)
{
	while (times--)
		MUST(close(MUST(open("a", O_RDONLY))));
}

static void do_stat(unsigned int times)
{
	struct stat status;

	while (times--)
		MUST(syscall(SYS_stat, "a", &status));
}

static void do_pipe(unsigned int times)
{
	while (times--) {
		MUST(write(ends[1], byte, 1));
		MUST(read(ends[0], byte, 1));
	}
}

static void do_create_unlink(unsigned int times)
{
	while (times--) {
		MUST(close(MUST(open("made", O_CREAT | O_EXCL | O_WRONLY, 0600))));
		MUST(unlink("made"));
	}
}

static void do_mixed(unsigned int times)
{
	while (times--) {
		do_settled(4);
		do_new(4);
		do_open_close(2);
		do_stat(2);
		do_pipe(2);
		do_create_unlink(1);
		if (!(times & 3))
			begin_and_end(1); /* bound to the same CPU */
	}
}

static const struct phase phases[] = {
	{ "loop", 4000000, do_loop },
	{ "settled", 4000, do_settled },
	{ "new", 4000, do_new },
	{ "common", 4000, do_common },
	{ "open_close", 2000, do_open_close },
	{ "stat", 2000, do_stat },
	{ "pipe", 2000, do_pipe },
	{ "create_unlink", 600, do_create_unlink },
	{ "fork_exit", 600, begin_and_end },
	{ "mixed", 800, do_mixed },
	{},
};

static void bind_to(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	MUST(sched_setaffinity(0, sizeof(set), &set));
}

static struct moment now(void)
{
	struct moment now = { .ns = nanoseconds(CLOCK_BOOTTIME) };

	now.cycles = __builtin_ia32_rdtsc();
	return now;
}

static void sleep_until(uint64_t ns)
{
	struct timespec until = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	errno = ETIMEDOUT;
	MUST(nanoseconds(CLOCK_BOOTTIME) < ns ? 0 : -1);
	MUST(clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &until, NULL) ? -1 : 0);
}

static void work(const struct phase *phase, unsigned int cpu, unsigned int times, uint64_t start_ns, int told)
{
	struct stretch own;
	char folder[32];

	bind_to(cpu);
	snprintf(folder, sizeof(folder), "cpu%u", cpu);
	MUST(mkdir(folder, 0700) && errno != EEXIST ? -1 : 0);
	MUST(chdir(folder));
	open_own();
	phase->act(times / 20 + 1); /* what is new the first time is not of the measurement */
	sleep_until(start_ns);
	own.began = now();
	phase->act(times);
	own.ended = now();
	settle(); /* to end takes instructions, which the others would be charged for */
	MUST(write(told, &own, sizeof(own)));
	_exit(0);
}

/* From when the first began to when the last was done */
static struct stretch all_of(unsigned int cpus, int told)
{
	struct stretch all, one;
	int status;

	MUST(read(told, &all, sizeof(all)));
	while (--cpus) {
		MUST(read(told, &one, sizeof(one)));
		if (one.began.cycles < all.began.cycles)
			all.began = one.began;
		if (one.ended.cycles > all.ended.cycles)
			all.ended = one.ended;
	}
	end_programs();
	while (wait(&status) > 0) {
		errno = ECHILD;
		MUST(status ? -1 : 0);
	}
	return all;
}

static void play_together(const struct phase *phase, unsigned int round, unsigned int cpus, unsigned int times)
{
	uint64_t start_ns = nanoseconds(CLOCK_BOOTTIME) + START_NS;
	struct stretch all;
	int told[2];

	MUST(pipe(told));
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		if (!MUST(fork()))
			work(phase, cpu, times, start_ns, told[1]);
	MUST(close(told[1])); /* so that the end of all of them is seen, whatever happens */
	sleep_until(start_ns - ABOUT_TO_NS);
	begin_programs();
	all = all_of(cpus, told[0]);
	MUST(close(told[0]));
	printf("{\"phase\": \"%s\", \"round\": %u, \"times\": %u, \"instructions\": %lu, "
	       "\"from_ns\": %lu, \"to_ns\": %lu, \"programs\": {",
	       phase->name, round, times * cpus, all.ended.cycles - all.began.cycles, all.began.ns,
	       all.ended.ns);
	print_programs();
	printf("}}\n");
	fflush(stdout);
}

int play_crowd(char **words)
{
	unsigned int cpus = atoi(words[0]), rounds = atoi(words[1]), share = atoi(words[2]);
	pid_t reader = atoi(words[3]);

	errno = EINVAL;
	MUST(!cpus || cpus > MOST ? -1 : 0);
	if (strcmp(words[4], "-"))
		open_programs(words[4]);
	for (unsigned int round = 0; round < rounds; round++)
		for (const struct phase *phase = phases; phase->name; phase++) {
			if (!is_wanted(phase->name, words + 5))
				continue;
			hold_reader(reader);
			settle();
			play_together(phase, round, cpus, phase->times / share ? phase->times / share : 1);
			settle();
			release_reader();
			settle();
		}
	return 0;
}
