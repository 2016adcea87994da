// SPDX-License-Identifier: GPL-2.0
/*
 *   bench clock                    MHz of the time stamp counter by the kernel's clock
 *   bench prepare STEPS            files in the working directory, and fresh names for so many steps
 *   bench play STEP ROUNDS SHARE READER PROGRAMS [PHASE...]
 *   bench command ROOT READER NAME COMMAND
 *   bench crowd CPUS ROUNDS SHARE READER PROGRAMS [PHASE...]
 *   bench hold KIND COUNT
 *
 * `play` does every phase in each of ROUNDS rounds, with 1/SHARE of its repetitions. READER is the
 * process to stop meanwhile, 0: none; PROGRAMS a folder of pinned programs to read the counters of, or
 * "-". Each phase gives one line of JSON; times are of the clock that records have, too. `command`
 * does the same once for a command of the shell below ROOT, as the phase NAME. `crowd` does phases of its own
 * (crowd.c), each on so many CPUs at once. `hold` keeps objects until its standard input ends (hold.c).
 */
#include "bench.h"

static const struct phase *const groups[] = { files, names, channels, processes };
/*
 * What the kernel does a grace period later is not for the next phase: what runs, and what is recorded, is
 * counted to the end of it.
 */
enum { SETTLE_NS = 50 * 1000 * 1000 };

unsigned int step;

static const char *doing = "start";

long must(long result, const char *what)
{
	if (result == -1) {
		fprintf(stderr, "bench %s: %s: %s\n", doing, what, strerror(errno));
		release_reader();
		_exit(1);
	}
	return result;
}

uint64_t nanoseconds(clockid_t clock)
{
	struct timespec now;

	MUST(clock_gettime(clock, &now));
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

void settle(void)
{
	struct timespec while_ns = { .tv_nsec = SETTLE_NS };

	MUST(nanosleep(&while_ns, NULL));
}

static int tell_clock(void)
{
	uint64_t cycles = __builtin_ia32_rdtsc(), ns = nanoseconds(CLOCK_MONOTONIC_RAW);

	settle();
	ns = nanoseconds(CLOCK_MONOTONIC_RAW) - ns;
	cycles = __builtin_ia32_rdtsc() - cycles;
	printf("%.3f\n", cycles * 1000.0 / ns);
	return 0;
}

static unsigned int times_of(const struct phase *phase, unsigned int share)
{
	unsigned int times = phase->times / share;

	return phase->times ? (times ? times : 1) : FRESH;
}

static void play(const struct phase *phase, unsigned int round, unsigned int times, pid_t reader)
{
	uint64_t from_ns, to_ns, cycles;

	doing = phase->name;
	if (phase->set_up)
		phase->set_up();
	hold_reader(reader);
	settle();
	begin_programs();
	from_ns = nanoseconds(CLOCK_BOOTTIME);
	cycles = __builtin_ia32_rdtsc();
	phase->act(times);
	cycles = __builtin_ia32_rdtsc() - cycles;
	settle();
	to_ns = nanoseconds(CLOCK_BOOTTIME);
	end_programs();
	release_reader();
	settle();
	if (phase->tear_down)
		phase->tear_down();
	printf("{\"phase\": \"%s\", \"round\": %u, \"times\": %u, \"instructions\": %lu, "
	       "\"from_ns\": %lu, \"to_ns\": %lu, \"programs\": {",
	       phase->name, round, times, cycles, from_ns, to_ns);
	print_programs();
	printf("}}\n");
}

bool is_wanted(const char *name, char **wanted)
{
	for (char **each = wanted; *each; each++)
		if (!strcmp(*each, name))
			return true;
	return !*wanted;
}

static int play_all(char **words)
{
	unsigned int first = atoi(words[0]), rounds = atoi(words[1]), share = atoi(words[2]);
	pid_t reader = atoi(words[3]);

	if (strcmp(words[4], "-"))
		open_programs(words[4]);
	for (unsigned int round = 0; round < rounds; round++) {
		step = first + round;
		for (size_t group = 0; group < sizeof(groups) / sizeof(*groups); group++)
			for (const struct phase *phase = groups[group]; phase->name; phase++)
				if (is_wanted(phase->name, words + 5))
					play(phase, round, times_of(phase, share), reader);
	}
	return fflush(stdout);
}

static char *root, *command;

static void do_command(unsigned int times)
{
	static char *const path[] = { "PATH=/usr/bin:/bin", NULL };
	char *const words[] = { "sh", "-c", command, NULL };
	pid_t child = vfork();
	int status;

	if (!child) {
		if (!chroot(root) && !chdir("/"))
			execve("/bin/sh", words, path);
		_exit(127);
	}
	MUST(child);
	MUST(waitpid(child, &status, 0));
	errno = ECHILD;
	MUST(status ? -1 : 0);
}

static int play_command(char **words)
{
	struct phase phase = { words[2], 1, do_command };

	root = words[0];
	command = words[3];
	play(&phase, 0, 1, atoi(words[1]));
	return fflush(stdout);
}

int main(int count, char **words)
{
	if (count == 2 && !strcmp(words[1], "clock"))
		return tell_clock();
	if (count == 3 && !strcmp(words[1], "prepare")) {
		make_files();
		make_names(atoi(words[2]));
		return 0;
	}
	if (count >= 7 && !strcmp(words[1], "play"))
		return play_all(words + 2);
	if (count == 6 && !strcmp(words[1], "command"))
		return play_command(words + 2);
	if (count >= 7 && !strcmp(words[1], "crowd"))
		return play_crowd(words + 2);
	if (count == 4 && !strcmp(words[1], "hold"))
		return hold(words + 2);
	fprintf(stderr, "usage: bench clock | prepare STEPS | "
			"play STEP ROUNDS SHARE READER PROGRAMS [PHASE...] | "
			"command ROOT READER NAME COMMAND | "
			"crowd CPUS ROUNDS SHARE READER PROGRAMS [PHASE...] | hold KIND COUNT\n");
	return 2;
}
