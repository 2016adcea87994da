// SPDX-License-Identifier: GPL-2.0
/* What the kernel takes for itself, from files and from memory. */
#include "act.h"
#include <linux/bpf.h>

static int opened_module(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/module.ko", work);
	return MUST(open(path, O_RDONLY));
}

static void load_module(void)
{
	int module = opened_module();

	called("module", module);
	begin();
	MUST(syscall(SYS_finit_module, module, "", 0));
	end();
}

static void load_no_module(void)
{
	int text = MUST(openat(here, "text", O_RDONLY));

	begin();
	FAILS(syscall(SYS_finit_module, text, "", 0), ENOEXEC);
	end();
}

static void load_unreadable(void)
{
	int a = MUST(openat(here, "a", O_WRONLY));

	begin();
	FAILS(syscall(SYS_finit_module, a, "", 0), EBADF);
	end();
}

/* The same module out of our own memory */
static void load_from_memory(void)
{
	static char image[1 << 20];
	long length = MUST(read(opened_module(), image, sizeof(image)));

	syscall(SYS_delete_module, "cordic", 0);
	begin();
	MUST(syscall(SYS_init_module, image, length, ""));
	end();
}

static void load_garbage(void)
{
	static char image[1024];

	begin();
	FAILS(syscall(SYS_init_module, image, sizeof(image), ""), ENOEXEC);
	end();
}

/* Nothing to boot: what was there is forgotten. */
static void load_kernel(void)
{
	begin();
	MUST(syscall(SYS_kexec_load, 0, 0, NULL, 0));
	end();
}

static void load_kernel_refused(void)
{
	act_as(1000);
	begin();
	FAILS(syscall(SYS_kexec_load, 0, 0, NULL, 0), EPERM);
	end();
	act_as(0);
}

/*
 * The kernel reads the file that is named: in the root directory, so that nothing else is on the way. This is no
 * policy, which shows when it has been read: one that is would be taken for good.
 */
static void load_policy(void)
{
	int policy = MUST(open("/sys/kernel/security/ima/policy", O_WRONLY));
	int root = MUST(open("/", O_PATH));

	called("policy", policy);
	MUST(fchdir(here));
	MUST(chroot("."));
	begin();
	FAILS(write(policy, "/text", 5), EINVAL);
	end();
	MUST(fchdir(root));
	MUST(chroot("."));
	close(policy);
}

static struct bpf_insn zero_and_exit[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
	{ .code = BPF_JMP | BPF_EXIT },
};

static long load_instructions(struct bpf_insn *from, int count)
{
	union bpf_attr attributes = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (unsigned long)from,
		.insn_cnt = count,
		.license = (unsigned long)"GPL",
	};

	return syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
}

static void load_program(void)
{
	begin();
	MUST(load_instructions(zero_and_exit, 2));
	end();
}

/* What it returns was never set. */
static void load_bad_program(void)
{
	begin();
	FAILS(load_instructions(zero_and_exit + 1, 1), EACCES);
	end();
}

/* A descriptor of a program that is there already */
static void ask_for_program(void)
{
	union bpf_attr attributes = {};

	MUST(syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attributes, sizeof(attributes)));
	attributes.prog_id = attributes.next_id;
	attributes.next_id = 0;
	begin();
	MUST(syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attributes, sizeof(attributes)));
	end();
}

const struct operation loads[] = {
	{ "load_module", load_module },
	{ "load_no_module", load_no_module },
	{ "load_unreadable", load_unreadable },
	{ "load_from_memory", load_from_memory },
	{ "load_garbage", load_garbage },
	{ "load_kernel", load_kernel },
	{ "load_kernel_refused", load_kernel_refused },
	{ "load_policy", load_policy },
	{ "load_program", load_program },
	{ "load_bad_program", load_bad_program },
	{ "ask_for_program", ask_for_program },
	{},
};
