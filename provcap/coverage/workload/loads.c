// SPDX-License-Identifier: GPL-2.0
/* What the kernel takes for itself, from files and from memory. */
#include "act.h"
#include <linux/bpf.h>
#include <linux/kexec.h>

static int opened(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", work, name);
	return MUST(open(path, O_RDONLY));
}

static int opened_module(void)
{
	return opened("module.ko");
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

enum { PAGE = 4096, SOMEWHERE = 16 << 20 };

/* A page of our memory, to be put at an address where every machine has some; nobody boots it. */
static long ask_to_boot_page(void)
{
	static char page[PAGE] __attribute__((aligned(PAGE)));
	struct kexec_segment one = {
		.buf = page,
		.bufsz = PAGE,
		.mem = (void *)SOMEWHERE,
		.memsz = PAGE,
	};

	return syscall(SYS_kexec_load, SOMEWHERE, 1, &one, KEXEC_ARCH_DEFAULT);
}

/* Nothing to boot: what was there is forgotten. */
static void unload(void)
{
	MUST(syscall(SYS_kexec_load, 0, 0, NULL, 0));
}

static void load_kernel(void)
{
	begin();
	MUST(ask_to_boot_page());
	end();
	unload();
}

static int boot_page(void *unused)
{
	(void)unused;
	MUST(ask_to_boot_page());
	_exit(0);
}

/* Somebody else does it: what we have done is not told again. */
static void have_page_loaded(void)
{
	await_child(start(SIGCHLD, boot_page, NULL));
}

static void unload_kernel(void)
{
	have_page_loaded();
	begin();
	unload();
	end();
}

static void load_kernel_refused(void)
{
	act_as(1000);
	begin();
	FAILS(ask_to_boot_page(), EPERM);
	end();
	act_as(0);
}

/* The kernel that runs; what is said to be its first file system is looked at by none but itself. */
static void load_kernel_file(void)
{
	int image = opened("vmlinuz"), first = MUST(openat(here, "a", O_RDONLY));

	called("image", image);
	begin();
	MUST(syscall(SYS_kexec_file_load, image, first, 1, "", 0));
	end();
	unload();
}

static void unload_kernel_file(void)
{
	have_page_loaded();
	begin();
	MUST(syscall(SYS_kexec_file_load, -1, -1, 0, NULL, KEXEC_FILE_UNLOAD));
	end();
}

static void load_kernel_file_refused(void)
{
	int image = opened("vmlinuz");

	act_as(1000);
	begin();
	FAILS(syscall(SYS_kexec_file_load, image, image, 1, "", 0), EPERM);
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

/* Where the kernel looks first for firmware: in the folder of the operation */
static void keep_firmware_here(void)
{
	int path = MUST(open("/sys/module/firmware_class/parameters/path", O_WRONLY));
	char folder[4096], link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", here);
	MUST(write(path, folder, MUST(readlink(link, folder, sizeof(folder)))));
	close(path);
	MUST(mkdirat(here, "comedi", 0755));
}

/* The driver, given the device, asks for firmware while we wait. */
static void bind_board(int error)
{
	int bind = MUST(open("/sys/bus/pci/drivers/jr3_pci/bind", O_WRONLY));
	char board[4096], device[4096] = "";

	snprintf(board, sizeof(board), "%s/board", work);
	MUST(readlink(board, device, sizeof(device) - 1));
	called("bind", bind);
	begin();
	FAILS(write(bind, basename(device), strlen(basename(device))), error);
	end();
	close(bind);
}

/* It is not what the driver wants, which shows when it has been read: there is nothing to send it to. */
static void load_firmware(void)
{
	keep_firmware_here();
	int firmware = MUST(openat(here, "comedi/jr3pci.idm", O_WRONLY | O_CREAT, 0644));

	MUST(write(firmware, "x", 1));
	called("firmware", firmware);
	close(firmware); /* the kernel reads nothing that somebody may write */
	bind_board(ENODATA);
}

static void load_no_firmware(void)
{
	keep_firmware_here();
	bind_board(ENOENT);
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
	{ "unload_kernel", unload_kernel },
	{ "load_kernel_refused", load_kernel_refused },
	{ "load_kernel_file", load_kernel_file },
	{ "unload_kernel_file", unload_kernel_file },
	{ "load_kernel_file_refused", load_kernel_file_refused },
	{ "load_policy", load_policy },
	{ "load_firmware", load_firmware },
	{ "load_no_firmware", load_no_firmware },
	{ "load_program", load_program },
	{ "load_bad_program", load_bad_program },
	{ "ask_for_program", ask_for_program },
	{},
};
