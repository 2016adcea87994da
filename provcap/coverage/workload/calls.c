// SPDX-License-Identifier: GPL-2.0
/*
 * System calls one by one, in the form that a program without a library makes them: those that go by a
 * path, those that have several numbers for one thing, and their refusals.
 */
#include "act.h"
#include <linux/kexec.h>

static char byte;

/* Calls without a folder of their own begin at the working directory. */
static void go_here(void)
{
	MUST(fchdir(here));
}

static int opened(const char *name, int flags)
{
	return MUST(openat(here, name, flags));
}

/* Does the call, which must succeed, between the marks. */
#define DOES(call)           \
	do {                 \
		begin();     \
		MUST(call);  \
		end();       \
	} while (0)

#define IS_REFUSED(call, error)     \
	do {                        \
		begin();            \
		FAILS(call, error); \
		end();              \
	} while (0)

static void close_file(void)
{
	int a = opened("a", O_RDONLY);

	DOES(close(a));
}

static void close_absent(void)
{
	IS_REFUSED(close(1000), EBADF);
}

static void create_by_path(void)
{
	int made;

	go_here();
	begin();
	made = MUST(syscall(SYS_creat, "new", 0640));
	end();
	called("new", made);
}

static void create_by_path_refused(void)
{
	go_here();
	act_as(1000);
	IS_REFUSED(syscall(SYS_creat, "new", 0640), EACCES);
}

/* The copy of a descriptor is another number for the same open file. */
static void write_to(int copy)
{
	MUST(write(copy, "x", 1));
}

static void dup_file(void)
{
	int a = opened("a", O_WRONLY);

	begin();
	write_to(MUST(syscall(SYS_dup, a)));
	end();
}

static void dup2_file(void)
{
	int a = opened("a", O_WRONLY);

	begin();
	write_to(MUST(syscall(SYS_dup2, a, 50)));
	end();
}

static void dup3_file(void)
{
	int a = opened("a", O_WRONLY);

	begin();
	write_to(MUST(syscall(SYS_dup3, a, 50, O_CLOEXEC)));
	end();
}

static void dup_absent(void)
{
	IS_REFUSED(syscall(SYS_dup, 1000), EBADF);
}

static void dup3_to_itself(void)
{
	int a = opened("a", O_WRONLY);

	IS_REFUSED(syscall(SYS_dup3, a, a, 0), EINVAL);
}

static void open_by_path(void)
{
	go_here();
	DOES(syscall(SYS_open, "a", O_RDONLY));
}

static void link_by_path(void)
{
	go_here();
	DOES(syscall(SYS_link, "a", "new"));
}

static void symlink_by_path(void)
{
	go_here();
	DOES(syscall(SYS_symlink, "anywhere", "new"));
	called("new", opened("new", O_PATH | O_NOFOLLOW));
}

static void mknod_by_path(void)
{
	go_here();
	DOES(syscall(SYS_mknod, "new", S_IFIFO | 0644, 0));
	called("new", opened("new", O_PATH));
}

static void mknod_refused(void)
{
	go_here();
	act_as(1000);
	IS_REFUSED(syscall(SYS_mknod, "new", S_IFIFO | 0644, 0), EACCES);
}

static void rename_by_path(void)
{
	go_here();
	DOES(syscall(SYS_rename, "a", "new"));
}

static void unlink_by_path(void)
{
	go_here();
	DOES(syscall(SYS_unlink, "a"));
}

static void symlink_refused(void)
{
	go_here();
	act_as(1000);
	IS_REFUSED(syscall(SYS_symlink, "anywhere", "new"), EACCES);
}

/* Who may not write to a file may not give it a name either (fs.protected_hardlinks). */
static void link_refused(void)
{
	go_here();
	act_as(1000);
	IS_REFUSED(syscall(SYS_link, "a", "new"), EPERM);
}

static void pread_file(void)
{
	int a = opened("a", O_RDONLY);

	DOES(pread(a, &byte, 1, 0));
}

static void pread_refused(void)
{
	int a = opened("a", O_RDONLY);

	IS_REFUSED(pread(a, &byte, 1, -1), EINVAL);
}

static void pwrite_file(void)
{
	int a = opened("a", O_WRONLY);

	DOES(pwrite(a, "x", 1, 1));
}

static void pwrite_refused(void)
{
	int a = opened("a", O_WRONLY);

	IS_REFUSED(pwrite(a, "x", 1, -1), EINVAL);
}

static void truncate_refused(void)
{
	go_here();
	act_as(1000);
	IS_REFUSED(syscall(SYS_truncate, "a", 0), EACCES);
}

static void ftruncate_refused(void)
{
	int a = opened("a", O_RDONLY);

	IS_REFUSED(syscall(SYS_ftruncate, a, 0), EINVAL);
}

static void chmod_by_path(void)
{
	go_here();
	DOES(syscall(SYS_chmod, "a", 0600));
}

static void chmod_absent(void)
{
	go_here();
	IS_REFUSED(syscall(SYS_chmod, "absent", 0600), ENOENT);
}

static void chown_by_path(void)
{
	go_here();
	DOES(syscall(SYS_chown, "a", 1, 2));
}

static void chown_at(void)
{
	DOES(syscall(SYS_fchownat, here, "a", 1, 2, 0));
}

static void chown_absent(void)
{
	go_here();
	IS_REFUSED(syscall(SYS_chown, "absent", 1, 2), ENOENT);
}

static void set_real_user(void)
{
	DOES(syscall(SYS_setuid, 1000));
}

static void set_two_users(void)
{
	DOES(syscall(SYS_setreuid, 1000, 1000));
}

static void set_file_user(void)
{
	DOES(syscall(SYS_setfsuid, 1000));
}

static void set_file_gid(void)
{
	DOES(syscall(SYS_setfsgid, 1000));
}

static void set_user_of_others(void)
{
	MUST(syscall(SYS_setresuid, 1000, 1000, 1000));
	IS_REFUSED(syscall(SYS_setuid, 5), EPERM);
}

static void set_gid(void)
{
	DOES(syscall(SYS_setgid, 1000));
}

static void set_two_gids(void)
{
	DOES(syscall(SYS_setregid, 1000, 1000));
}

static void set_three_gids(void)
{
	DOES(syscall(SYS_setresgid, 1000, 1000, 1000));
}

static void set_gid_refused(void)
{
	MUST(syscall(SYS_setresuid, 1000, 1000, 1000));
	IS_REFUSED(syscall(SYS_setgid, 5), EPERM);
}

/* What comes out is what went in, by the one node of the pipe. */
static void there_and_back(const int *ends)
{
	MUST(write(ends[1], "x", 1));
	MUST(read(ends[0], &byte, 1));
}

static void make_pipe(void)
{
	int ends[2];

	begin();
	MUST(syscall(SYS_pipe, ends));
	there_and_back(ends);
	end();
	called("pipe", ends[0]);
}

static void make_pipe2(void)
{
	int ends[2];

	begin();
	MUST(syscall(SYS_pipe2, ends, O_CLOEXEC));
	there_and_back(ends);
	end();
	called("pipe", ends[0]);
}

static void make_pipe2_refused(void)
{
	int ends[2];

	IS_REFUSED(syscall(SYS_pipe2, ends, 0x7fffffff), EINVAL);
}

static void tee_pipes(void)
{
	int from[2], to[2];

	MUST(pipe(from));
	MUST(pipe(to));
	called("from", from[0]);
	called("to", to[0]);
	MUST(write(from[1], "x", 1));
	DOES(tee(from[0], to[1], 1, 0));
}

static void tee_files(void)
{
	int a = opened("a", O_RDONLY), b = opened("b", O_WRONLY);

	IS_REFUSED(tee(a, b, 1, 0), EINVAL);
}

static void exit_process(void)
{
	int pid;

	begin();
	pid = MUST(syscall(SYS_fork));
	if (!pid)
		syscall(SYS_exit, 0);
	await_child(pid);
	end();
}

static void vfork_process(void)
{
	int pid;

	begin();
	pid = vfork();
	if (!pid)
		_exit(0);
	await_child(pid);
	end();
}

/* A thread that shares no memory is a contradiction. */
static void clone_refused(void)
{
	IS_REFUSED(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
}

static int be_killed(void *unused)
{
	(void)unused;
	pause();
	return 0;
}

static void kill_child(void)
{
	int pid = start(SIGCHLD, be_killed, NULL), status;

	DOES(kill(pid, SIGKILL));
	MUST(waitpid(pid, &status, 0));
}

static void kill_refused(void)
{
	MUST(syscall(SYS_setresuid, 1000, 1000, 1000));
	IS_REFUSED(kill(1, SIGCONT), EPERM);
}

/* It is read, and turns out to be no kernel. */
static void load_no_kernel(void)
{
	int text = opened("text", O_RDONLY);

	IS_REFUSED(syscall(SYS_kexec_file_load, text, -1, 1, "", KEXEC_FILE_NO_INITRAMFS), ENOEXEC);
}

const struct operation calls[] = {
	{ "close", close_file },
	{ "close_absent", close_absent },
	{ "creat", create_by_path },
	{ "creat_refused", create_by_path_refused },
	{ "dup", dup_file },
	{ "dup2", dup2_file },
	{ "dup3", dup3_file },
	{ "dup_absent", dup_absent },
	{ "dup3_to_itself", dup3_to_itself },
	{ "open_by_path", open_by_path },
	{ "link_by_path", link_by_path },
	{ "link_refused", link_refused },
	{ "symlink_by_path", symlink_by_path },
	{ "symlink_refused", symlink_refused },
	{ "mknod_by_path", mknod_by_path },
	{ "mknod_refused", mknod_refused },
	{ "rename_by_path", rename_by_path },
	{ "unlink_by_path", unlink_by_path },
	{ "pread", pread_file },
	{ "pread_refused", pread_refused },
	{ "pwrite", pwrite_file },
	{ "pwrite_refused", pwrite_refused },
	{ "truncate_refused", truncate_refused },
	{ "ftruncate_refused", ftruncate_refused },
	{ "chmod_by_path", chmod_by_path },
	{ "chmod_absent", chmod_absent },
	{ "chown_by_path", chown_by_path },
	{ "chown_at", chown_at },
	{ "chown_absent", chown_absent },
	{ "setuid", set_real_user },
	{ "setreuid", set_two_users },
	{ "setfsuid", set_file_user },
	{ "setfsgid", set_file_gid },
	{ "setuid_refused", set_user_of_others },
	{ "setgid", set_gid },
	{ "setregid", set_two_gids },
	{ "setresgid", set_three_gids },
	{ "setgid_refused", set_gid_refused },
	{ "pipe", make_pipe },
	{ "pipe2", make_pipe2 },
	{ "pipe2_refused", make_pipe2_refused },
	{ "tee", tee_pipes },
	{ "tee_refused", tee_files },
	{ "exit", exit_process },
	{ "vfork", vfork_process },
	{ "clone_refused", clone_refused },
	{ "kill", kill_child },
	{ "kill_refused", kill_refused },
	{ "load_no_kernel", load_no_kernel },
	{},
};
