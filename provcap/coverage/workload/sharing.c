// SPDX-License-Identifier: GPL-2.0
/* Memory that is shared with others, and the memory of others */
#include "act.h"
#include <linux/kcmp.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define PAGE 4096
#define BOTH (PROT_READ | PROT_WRITE)

static char byte;

static void *pages[2];
static int mapped;

static void *map(int fd, int prot, int flags)
{
	void *page = mmap(NULL, PAGE, prot, flags, fd, 0);

	if (page == MAP_FAILED)
		MUST(-1);
	pages[mapped++] = page;
	return page;
}

/* No later operation shares anything. */
static void end_and_unmap(void)
{
	end();
	while (mapped)
		MUST(munmap(pages[--mapped], PAGE));
}

static void *map_a(int mode, int prot, int flags)
{
	return map(MUST(openat(here, "a", mode)), prot, flags);
}

static void read_b(int fd)
{
	MUST(read(fd, &byte, 1));
}

static void read_with_a(int prot, int flags)
{
	int b = MUST(openat(here, "b", O_RDONLY));

	map_a(O_RDWR, prot, flags);
	begin();
	read_b(b);
	end_and_unmap();
}

/* What it reads may go on into the page. */
static void share_input(void)
{
	read_with_a(BOTH, MAP_SHARED);
}

/* It may only look at the page. */
static void share_read_only(void)
{
	read_with_a(PROT_READ, MAP_SHARED);
}

static void share_private(void)
{
	read_with_a(BOTH, MAP_PRIVATE);
}

static int a, b;

static int read_and_exit(void *unused)
{
	(void)unused;
	read_b(b);
	_exit(0);
}

static void write_after_child(int flags)
{
	map(-1, BOTH, flags | MAP_ANONYMOUS);
	a = MUST(openat(here, "a", O_WRONLY));
	b = MUST(openat(here, "b", O_RDONLY));
	begin();
	await_child(start(SIGCHLD, read_and_exit, NULL));
	MUST(write(a, "x", 1));
	end_and_unmap();
}

/* A child may have stored what it has read, so it is in what its parent writes. */
static void share_output(void)
{
	write_after_child(MAP_SHARED);
}

/* The same without a page in common */
static void share_no_output(void)
{
	write_after_child(MAP_PRIVATE);
}

static void unmap_shared(void)
{
	void *page = map_a(O_RDWR, BOTH, MAP_SHARED);

	begin();
	MUST(munmap(page, PAGE));
	end_and_unmap();
}

static void unmap_private(void)
{
	void *page = map_a(O_RDWR, BOTH, MAP_PRIVATE);

	begin();
	MUST(munmap(page, PAGE));
	end_and_unmap();
}

/* Another mapping of the same file is left. */
static void unmap_one_of_two(void)
{
	void *page = map_a(O_RDWR, BOTH, MAP_SHARED);

	map_a(O_RDWR, BOTH, MAP_SHARED);
	begin();
	MUST(munmap(page, PAGE));
	end_and_unmap();
}

static void input_after_unmap(void)
{
	void *page = map_a(O_RDWR, BOTH, MAP_SHARED);

	b = MUST(openat(here, "b", O_RDONLY));
	MUST(munmap(page, PAGE));
	begin();
	read_b(b);
	end_and_unmap();
}

static void map_unreadable(void)
{
	int fd = MUST(openat(here, "a", O_RDONLY));

	begin();
	map(fd, PROT_NONE, MAP_PRIVATE);
	end_and_unmap();
}

static void protect_private(void)
{
	void *page = map_a(O_RDONLY, PROT_NONE, MAP_PRIVATE);

	begin();
	MUST(mprotect(page, PAGE, PROT_READ));
	end_and_unmap();
}

/* Nothing new can be done with it. */
static void protect_less(void)
{
	void *page = map_a(O_RDWR, BOTH, MAP_PRIVATE);

	begin();
	MUST(mprotect(page, PAGE, PROT_READ));
	end_and_unmap();
}

static void protect_shared(void)
{
	void *page = map_a(O_RDWR, PROT_READ, MAP_SHARED);

	begin();
	MUST(mprotect(page, PAGE, BOTH));
	end_and_unmap();
}

static void protect_refused(void)
{
	void *page = map_a(O_RDONLY, PROT_READ, MAP_SHARED);

	begin();
	FAILS(mprotect(page, PAGE, BOTH), EACCES);
	end_and_unmap();
}

static int wait_for_signal(void *unused)
{
	(void)unused;
	stay_with_parent();
	pause();
	_exit(0);
}

/* Waits with a memory of its own; whoever it is must not be traced without privilege. */
static int sleeping_child(void)
{
	int child = start(SIGCHLD, wait_for_signal, NULL);

	pause_ms(30);
	return child;
}

static struct iovec vector(void)
{
	return (struct iovec){ &byte, 1 };
}

static void vm_read(void)
{
	struct iovec one = vector();
	int child = sleeping_child();

	begin();
	MUST(process_vm_readv(child, &one, 1, &one, 1, 0));
	end();
	stop_child(child);
}

static void vm_write(void)
{
	struct iovec one = vector();
	int child = sleeping_child();

	begin();
	MUST(process_vm_writev(child, &one, 1, &one, 1, 0));
	end();
	stop_child(child);
}

/* Allowed, and then there is nothing at that address. */
static void vm_read_failed(void)
{
	struct iovec one = vector(), nowhere = { (void *)PAGE, 1 };
	int child = sleeping_child();

	begin();
	FAILS(process_vm_readv(child, &one, 1, &nowhere, 1, 0), EFAULT);
	end();
	stop_child(child);
}

static void vm_read_self(void)
{
	struct iovec one = vector();

	begin();
	MUST(process_vm_readv(getpid(), &one, 1, &one, 1, 0));
	end();
}

/* Asks for permission to read, and tells no more than whether the two are the same. */
static void compare(void)
{
	int child = sleeping_child();

	begin();
	MUST(syscall(SYS_kcmp, getpid(), child, KCMP_VM, 0, 0));
	end();
	stop_child(child);
}

static int read_in_vain(void *child)
{
	struct iovec one = vector();

	MUST(syscall(SYS_setresuid, 1000, 1000, 1000));
	begin();
	FAILS(process_vm_readv(*(int *)child, &one, 1, &one, 1, 0), EPERM);
	FAILS(process_vm_writev(*(int *)child, &one, 1, &one, 1, 0), EPERM);
	FAILS(ptrace(PTRACE_ATTACH, *(int *)child, NULL, NULL), EPERM);
	FAILS(syscall(SYS_kcmp, getpid(), *(int *)child, KCMP_VM, 0, 0), EPERM);
	end();
	_exit(0);
}

static void access_refused(void)
{
	int child = sleeping_child();

	await_child(start(SIGCHLD, read_in_vain, &child));
	stop_child(child);
}

static int proc_memory(int child, int mode)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	return MUST(open(path, mode));
}

static void proc_mem_read(void)
{
	int child = sleeping_child(), memory = proc_memory(child, O_RDONLY);

	begin();
	MUST(pread(memory, &byte, 1, (off_t)&byte));
	end();
	stop_child(child);
}

static void proc_mem_write(void)
{
	int child = sleeping_child(), memory = proc_memory(child, O_WRONLY);

	begin();
	MUST(pwrite(memory, &byte, 1, (off_t)&byte));
	end();
	stop_child(child);
}

static int traced_child(void)
{
	int child = sleeping_child();

	MUST(ptrace(PTRACE_ATTACH, child, NULL, NULL));
	MUST(waitpid(child, NULL, 0));
	return child;
}

static void attach(void)
{
	int child = sleeping_child();

	begin();
	MUST(ptrace(PTRACE_SEIZE, child, NULL, NULL));
	end();
	stop_child(child);
}

static void peek(void)
{
	int child = traced_child();

	begin();
	errno = 0;
	ptrace(PTRACE_PEEKDATA, child, &byte, NULL);
	MUST(errno ? -1 : 0);
	end();
	stop_child(child);
}

static void poke(void)
{
	int child = traced_child();

	begin();
	MUST(ptrace(PTRACE_POKEDATA, child, &byte, NULL));
	end();
	stop_child(child);
}

static void peek_registers(void)
{
	char registers[1024];
	int child = traced_child();

	begin();
	MUST(ptrace(PTRACE_GETREGS, child, NULL, registers));
	end();
	stop_child(child);
}

static int ask_to_be_traced(void *unused)
{
	(void)unused;
	MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	_exit(0);
}

static void trace_me(void)
{
	begin();
	await_child(start(SIGCHLD, ask_to_be_traced, NULL));
	end();
}

const struct operation sharing[] = {
	{ "share_input", share_input },
	{ "share_read_only", share_read_only },
	{ "share_private", share_private },
	{ "share_output", share_output },
	{ "share_no_output", share_no_output },
	{ "unmap_shared", unmap_shared },
	{ "unmap_private", unmap_private },
	{ "unmap_one_of_two", unmap_one_of_two },
	{ "input_after_unmap", input_after_unmap },
	{ "map_unreadable", map_unreadable },
	{ "protect_private", protect_private },
	{ "protect_less", protect_less },
	{ "protect_shared", protect_shared },
	{ "protect_refused", protect_refused },
	{ "vm_read", vm_read },
	{ "vm_write", vm_write },
	{ "vm_read_failed", vm_read_failed },
	{ "vm_read_self", vm_read_self },
	{ "compare", compare },
	{ "access_refused", access_refused },
	{ "proc_mem_read", proc_mem_read },
	{ "proc_mem_write", proc_mem_write },
	{ "attach", attach },
	{ "peek", peek },
	{ "poke", poke },
	{ "peek_registers", peek_registers },
	{ "trace_me", trace_me },
	{},
};
