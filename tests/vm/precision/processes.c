// SPDX-License-Identifier: GPL-2.0
/* Through processes: what they inherit, what they share, what they start. */
#include "play.h"

#define STACK (1 << 16)

static void give_copy(void)
{
	give("copy");
}

static void forked(void)
{
	take("secret");
	run(give_copy);
}

static void grandchild(void)
{
	run(give_copy);
}

static void forked_twice(void)
{
	take("secret");
	run(grandchild);
}

static void vfork_exec(void)
{
	take("secret");
	execute_give("copy", words);
}

/* The words are an argument of a program that has read nothing. */
static void fork_exec(void)
{
	pid_t child;

	take("secret");
	child = MUST(fork());
	if (!child) {
		execl(program, program, "give", "copy", words, NULL);
		_exit(127);
	}
	await(child);
}

static void spawned(void)
{
	char *arguments[] = { (char *)program, "give", "copy", words, NULL };
	char *environment[] = { NULL };
	pid_t child;

	take("secret");
	errno = posix_spawn(&child, program, NULL, NULL, arguments, environment);
	MUST(errno ? -1 : 0);
	await(child);
}

static void environment(void)
{
	pid_t child;

	take("secret");
	child = MUST(fork());
	if (!child) {
		MUST(setenv("WORDS", words, 1));
		MUST(setenv("SOME_TOKEN", "not-for-the-log", 1));
		execl("/bin/sh", "sh", "-c", "echo \"$WORDS\" >copy", NULL);
		_exit(127);
	}
	await(child);
}

static void write_script(void)
{
	int fd = opened("middle", O_WRONLY | O_CREAT);

	take("secret");
	words[strcspn(words, "\n")] = '\0';
	MUST(dprintf(fd, "#!/bin/sh\necho %s >copy\n", words));
	MUST(fchmod(fd, 0700));
}

static void run_script(void)
{
	execl("./middle", "middle", NULL);
	_exit(127);
}

/* The program was written by somebody else: it does what it says. */
static void script(void)
{
	run(write_script);
	run(run_script);
}

/* What the copy of this program says: its maker writes the words over it. */
const volatile char message[64] = "nothing was written here";

static void copy_program(void)
{
	static char bytes[4 << 20];
	int from = opened(program, O_RDONLY), to = opened("middle", O_WRONLY | O_CREAT);
	ssize_t got = MUST(read(from, bytes, sizeof(bytes)));
	char *place = memmem(bytes, got, (const char *)message, sizeof(message));

	MUST(place ? 0 : -1);
	take("secret");
	strcpy(place, words);
	MUST(write(to, bytes, got));
	MUST(fchmod(to, 0700));
}

static void run_program(void)
{
	execl("./middle", "middle", "say", "copy", NULL);
	_exit(127);
}

static void written_program(void)
{
	run(copy_program);
	run(run_program);
}

static int at_hand;

static void hear_at_hand(void)
{
	hear(at_hand);
	give("copy");
}

static void inherited_descriptor(void)
{
	at_hand = opened("secret", O_RDONLY);
	run(hear_at_hand);
}

static void tell_at_hand(void)
{
	take("secret");
	tell(at_hand);
}

static void inherited_output(void)
{
	at_hand = opened("copy", O_WRONLY | O_CREAT);
	run(tell_at_hand);
}

static void memory_file(void)
{
	at_hand = MUST(memfd_create("provcap", 0));
	run(tell_at_hand);
	MUST(lseek(at_hand, 0, SEEK_SET));
	run(hear_at_hand);
}

/* A file that never had a name */
static void nameless_file(void)
{
	at_hand = MUST(open(".", O_TMPFILE | O_RDWR, 0600));
	run(tell_at_hand);
	MUST(lseek(at_hand, 0, SEEK_SET));
	run(hear_at_hand);
}

static void *take_secret(void *unused)
{
	take("secret");
	return unused;
}

static void threads(void)
{
	pthread_t thread;

	MUST(pthread_create(&thread, NULL, take_secret, NULL) ? -1 : 0);
	pthread_join(thread, NULL);
	give("copy");
}

static int take_and_end(void *unused)
{
	(void)unused;
	take("secret");
	return 0;
}

/* Two processes, one memory */
static void shared_memory(void)
{
	char *stack = MUST(mmap(NULL, STACK, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	await(MUST(clone(take_and_end, stack + STACK, CLONE_VM | SIGCHLD, NULL)));
	give("copy");
}

const struct flow process_flows[] = {
	{ "forked", forked },
	{ "forked_twice", forked_twice },
	{ "vfork_exec", vfork_exec },
	{ "fork_exec", fork_exec },
	{ "spawned", spawned },
	{ "environment", environment },
	{ "script", script },
	{ "written_program", written_program },
	{ "inherited_descriptor", inherited_descriptor },
	{ "inherited_output", inherited_output },
	{ "memory_file", memory_file },
	{ "nameless_file", nameless_file },
	{ "threads", threads },
	{ "shared_memory", shared_memory },
	{},
};
