// SPDX-License-Identifier: GPL-2.0
/* Signals, namespaces, mounts, what the kernel loads: much of it reaches another process, little as content. */
#include "play.h"
#include <linux/bpf.h>
#include <sys/mount.h>

enum { STAYING = 20, ENTERED };

static void take_notice(int number)
{
	(void)number;
}

static void listen_to_signals(void)
{
	MUST(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = take_notice,
						     .sa_flags = SA_RESTART }, NULL));
}

static void signal_partner(void)
{
	MUST(kill(partner(), SIGUSR1));
}

/* For this thread alone: the library would ask all. */
static void become(uid_t user)
{
	MUST(syscall(SYS_setresuid, -1, user, -1));
}

/* Neither may who is asked for by user. */
static void signal_in_vain(void)
{
	MUST(syscall(SYS_setresuid, 1000, 1000, 0));
	FAILS(kill(partner(), SIGUSR1), EPERM);
	FAILS(sigqueue(partner(), SIGUSR1, (union sigval){ .sival_int = words[0] }), EPERM);
	MUST(syscall(SYS_setresuid, 0, 0, 0));
}

static pid_t somebody;

static void stay(void)
{
	await_step(ENTERED);
}

static void start_somebody(void)
{
	listen_to_signals();
	somebody = start(stay);
}

static void tell_somebody(void)
{
	MUST(sigqueue(somebody, SIGUSR1, (union sigval){ .sival_int = words[0] }));
	reached(ENTERED);
}

static void change_in_vain(void)
{
	become(1000);
	FAILS(syscall(SYS_setresgid, 5, 5, 5), EPERM);
	FAILS(syscall(SYS_setgroups, 0, NULL), EPERM);
	FAILS(unshare(CLONE_NEWNS), EPERM);
	FAILS(mount("none", "inner", "tmpfs", 0, ""), EPERM);
	FAILS(chroot("inner"), EPERM);
	become(0);
}

static void change(void)
{
	MUST(syscall(SYS_setresgid, 5, 5, 0));
	MUST(syscall(SYS_setresgid, 0, 0, 0));
}

static int place;

static void stay_elsewhere(void)
{
	MUST(unshare(CLONE_NEWUTS));
	reached(STAYING);
	await_step(ENTERED);
}

static void make_namespace(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/uts", start(stay_elsewhere));
	await_step(STAYING);
	place = opened(path, O_RDONLY);
	reached(ENTERED);
}

static void enter_namespace(void)
{
	MUST(setns(place, CLONE_NEWUTS));
}

static void mount_inner(void)
{
	MUST(mount("none", "inner", "tmpfs", 0, ""));
}

static void write_inner(void)
{
	give("inner/one");
	take("inner/one");
}

static void load_program(void)
{
	struct bpf_insn zero_and_exit[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attributes = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (unsigned long)zero_and_exit,
		.insn_cnt = 2,
		.license = (unsigned long)"GPL",
	};

	MUST(syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes)));
}

static void run_program(void)
{
	execute_give("made", "some words\n");
	take("made");
}

const struct pair identity_pairs[] = {
	{ "signalled", listen_to_signals, signal_partner, NULL, NULL },
	{ "signal_refused", listen_to_signals, signal_in_vain, NULL, NULL },
	{ "value_for_another", start_somebody, tell_somebody, NULL, NULL },
	{ "change_refused", NULL, change_in_vain, change_in_vain, NULL },
	{ "same_group", NULL, change, change, NULL },
	{ "same_namespace", make_namespace, enter_namespace, enter_namespace, NULL },
	{ "mounted", NULL, mount_inner, write_inner, NULL },
	{ "same_machine", NULL, load_program, run_program, NULL },
	{},
};

static void send_by_value(void)
{
	take("secret");
	for (size_t i = 0; i <= strlen(words); i++)
		MUST(sigqueue(somebody, SIGRTMIN, (union sigval){ .sival_int = words[i] }));
}

static void receive_by_value(void)
{
	siginfo_t info;
	sigset_t wanted;
	char letter;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGRTMIN);
	do {
		MUST(sigwaitinfo(&wanted, &info));
		letter = info.si_value.sival_int;
		add(&letter, 1);
	} while (letter);
	give("copy");
}

static void signal_value(void)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGRTMIN);
	MUST(sigprocmask(SIG_BLOCK, &wanted, NULL));
	somebody = start(receive_by_value);
	run(send_by_value);
	await(somebody);
}

const struct flow signal_flows[] = {
	{ "signal_value", signal_value },
	{},
};
