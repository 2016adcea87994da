// SPDX-License-Identifier: GPL-2.0
/* Signals from one process to another, and how processes end. */
#include "act.h"
#include <sys/ioctl.h>

static void take_notice(int number)
{
	(void)number;
}

static void when_signalled(void (*handler)(int))
{
	MUST(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = handler, .sa_flags = SA_RESTART },
		       NULL));
}

/* It asks for something first: then it has been described, and what comes next is the signal alone. */
static int wait_for_end(void *unused)
{
	struct stat status;
	char byte;

	(void)unused;
	close(hold[1]);
	MUST(fstat(hold[0], &status));
	MUST(read(hold[0], &byte, 1));
	syscall(SYS_exit, 0);
	return 0;
}

static int listener(void (*handler)(int))
{
	int child;

	when_signalled(handler);
	child = waiting_child(wait_for_end);
	when_signalled(SIG_DFL);
	return child;
}

static int by_kill(int child)
{
	return kill(child, SIGUSR1);
}

static int by_tkill(int child)
{
	return syscall(SYS_tkill, child, SIGUSR1);
}

static int by_tgkill(int child)
{
	return syscall(SYS_tgkill, child, child, SIGUSR1);
}

static int pidfd;

static int by_pidfd(int child)
{
	(void)child;
	return syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, NULL, 0);
}

static int by_queue(int child)
{
	return sigqueue(child, SIGUSR1, (union sigval){ .sival_int = 5 });
}

static int by_nothing(int child)
{
	return kill(child, 0);
}

static void send_signal(int (*sends)(int), void (*handler)(int))
{
	int child = listener(handler);

	pidfd = MUST(syscall(SYS_pidfd_open, child, 0));
	begin();
	MUST(sends(child));
	pause_ms(20);
	end();
	close(pidfd);
	end_child(child);
}

static void signal_by_kill(void)
{
	send_signal(by_kill, take_notice);
}

static void signal_by_tkill(void)
{
	send_signal(by_tkill, take_notice);
}

static void signal_by_tgkill(void)
{
	send_signal(by_tgkill, take_notice);
}

static void signal_by_pidfd(void)
{
	send_signal(by_pidfd, take_notice);
}

static void signal_with_value(void)
{
	send_signal(by_queue, take_notice);
}

static void signal_nothing(void)
{
	send_signal(by_nothing, take_notice);
}

static void signal_ignored(void)
{
	send_signal(by_kill, SIG_IGN);
}

static void signal_group(void)
{
	int child = listener(take_notice);

	MUST(setpgid(child, child));
	begin();
	MUST(kill(-child, SIGUSR1));
	end();
	end_child(child);
}

static void signal_oneself(void)
{
	when_signalled(take_notice);
	begin();
	MUST(kill(getpid(), SIGUSR1));
	end();
	when_signalled(SIG_DFL);
}

static void signal_refused(void)
{
	int child = listener(take_notice);

	MUST(syscall(SYS_setresuid, 1000, 1000, 0));
	begin();
	FAILS(kill(child, SIGUSR1), EPERM);
	end();
	MUST(syscall(SYS_setresuid, 0, 0, 0));
	end_child(child);
}

static void signal_absent(void)
{
	begin();
	FAILS(kill(1 << 22, SIGUSR1), ESRCH);
	end();
}

/* A pipe tells its owner that there is something in it. */
static void signal_by_pipe(void)
{
	int ends[2], child;

	MUST(pipe(ends));
	called("pipe", ends[0]);
	when_signalled(take_notice);
	child = waiting_child(wait_for_end);
	MUST(fcntl(ends[0], F_SETOWN, child));
	MUST(fcntl(ends[0], F_SETSIG, SIGUSR1));
	MUST(ioctl(ends[0], FIOASYNC, &(int){ 1 }));
	begin();
	MUST(write(ends[1], "x", 1));
	end();
	when_signalled(SIG_DFL);
	end_child(child);
}

static int exit_with_7(void *unused)
{
	(void)unused;
	MUST(fchdir(here));
	syscall(SYS_exit_group, 7);
	return 0;
}

static void exit_status(void)
{
	int child, status;

	begin();
	child = start(SIGCHLD, exit_with_7, NULL);
	MUST(waitpid(child, &status, 0));
	end();
}

static void exit_killed(void)
{
	int child = listener(take_notice), status;

	begin();
	MUST(kill(child, SIGKILL));
	MUST(waitpid(child, &status, 0));
	end();
	close(hold[1]);
}

const struct operation signals[] = {
	{ "signal_by_kill", signal_by_kill },
	{ "signal_by_tkill", signal_by_tkill },
	{ "signal_by_tgkill", signal_by_tgkill },
	{ "signal_by_pidfd", signal_by_pidfd },
	{ "signal_with_value", signal_with_value },
	{ "signal_group", signal_group },
	{ "signal_nothing", signal_nothing },
	{ "signal_ignored", signal_ignored },
	{ "signal_oneself", signal_oneself },
	{ "signal_refused", signal_refused },
	{ "signal_absent", signal_absent },
	{ "signal_by_pipe", signal_by_pipe },
	{ "exit_status", exit_status },
	{ "exit_killed", exit_killed },
	{},
};
