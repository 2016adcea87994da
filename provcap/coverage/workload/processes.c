// SPDX-License-Identifier: GPL-2.0
/* Birth of tasks, and programs that take over. */
#include "act.h"
#include <spawn.h>

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static int a;
static volatile bool done;
static char *const nothing[] = { NULL };
static char *const *arguments;
static const char *program;

static void open_a(void)
{
	a = MUST(openat(here, "a", O_WRONLY));
}

static int write_and_exit(void *unused)
{
	(void)unused;
	MUST(write(a, "x", 1));
	done = true;
	syscall(SYS_exit, 0);
	return 0;
}

static void fork_process(void)
{
	open_a();
	begin();
	await_child(start(SIGCHLD, write_and_exit, NULL));
	end();
}

static void start_thread(void)
{
	open_a();
	done = false;
	begin();
	start(THREAD, write_and_exit, NULL);
	while (!done)
		pause_ms(1);
	pause_ms(10);
	end();
}

static void share_memory(void)
{
	open_a();
	begin();
	await_child(start(CLONE_VM | SIGCHLD, write_and_exit, NULL));
	end();
}

static int become(void *unused)
{
	(void)unused;
	syscall(SYS_execve, program, arguments, nothing);
	_exit(127);
}

static void execute(const char *name, char *const *words)
{
	program = name;
	arguments = words;
	MUST(fchdir(MUST(openat(here, ".", O_PATH | O_DIRECTORY))));
	begin();
	await_child(start(CLONE_VM | CLONE_VFORK | SIGCHLD, become, NULL));
	end();
}

static void exec(void)
{
	execute("quiet", (char *const[]){ "zero", "one", "", NULL });
}

static void exec_script(void)
{
	execute("script", (char *const[]){ "script", "more", NULL });
}

static char *letters(int length)
{
	char *text = malloc(length + 1);

	for (int i = 0; i < length; i++)
		text[i] = 'a' + i % 26;
	text[length] = '\0';
	return text;
}

/* The longest that the system takes, and lengths at which a buffer of a page is just full */
static void exec_long(void)
{
	execute("quiet", (char *const[]){ "quiet", letters(131071), letters(4094), letters(4095),
					  letters(4096), letters(8190), "", "last", NULL });
}

/* A copied memory of its own, which ends when the program takes over */
static void fork_exec(void)
{
	program = "quiet";
	arguments = (char *const[]){ "quiet", NULL };
	MUST(fchdir(MUST(openat(here, ".", O_PATH | O_DIRECTORY))));
	begin();
	await_child(start(SIGCHLD, become, NULL));
	end();
}

/* As a library does it, on the memory of who asks until the program takes over */
static void spawn(void)
{
	int child;

	MUST(fchdir(here));
	begin();
	errno = posix_spawn(&child, "quiet", NULL, NULL, (char *[]){ "quiet", "one", NULL }, nothing);
	MUST(errno ? -1 : 0);
	await_child(child);
	end();
}

static void spawn_absent(void)
{
	int child;

	MUST(fchdir(here));
	begin();
	errno = posix_spawn(&child, "absent", NULL, NULL, (char *[]){ "absent", NULL }, nothing);
	FAILS(errno ? -1 : 0, ENOENT);
	end();
}

/* The program's owner lends its user to whoever runs it. */
static void exec_setuid(void)
{
	MUST(fchownat(here, "quiet", 1000, 1000, 0));
	MUST(fchmodat(here, "quiet", 04755, 0));
	execute("quiet", (char *const[]){ "quiet", NULL });
}

static int fail_to_become(void *error)
{
	FAILS(execve(program, nothing, nothing), *(int *)error);
	_exit(0);
}

static void execute_in_vain(const char *name, int error)
{
	program = name;
	MUST(fchdir(MUST(openat(here, ".", O_PATH | O_DIRECTORY))));
	begin();
	await_child(start(CLONE_VM | CLONE_VFORK | SIGCHLD, fail_to_become, &error));
	end();
}

static void exec_failed(void)
{
	execute_in_vain("text", ENOEXEC);
}

static void exec_refused(void)
{
	execute_in_vain("a", EACCES);
}

const struct operation processes[] = {
	{ "fork", fork_process },
	{ "thread", start_thread },
	{ "share_memory", share_memory },
	{ "exec", exec },
	{ "exec_script", exec_script },
	{ "exec_long", exec_long },
	{ "fork_exec", fork_exec },
	{ "spawn", spawn },
	{ "spawn_absent", spawn_absent },
	{ "exec_setuid", exec_setuid },
	{ "exec_failed", exec_failed },
	{ "exec_refused", exec_refused },
	{},
};
