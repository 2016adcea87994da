// SPDX-License-Identifier: GPL-2.0
/*
 * The refusals of calls that others do in vain nowhere else: by number, of what is not there or belongs to
 * somebody else; and new processes that are refused early, by a limit, or late, when all but the last is done.
 */
#include "act.h"
#include <sys/resource.h>

static int opened_a(void)
{
	return MUST(openat(here, "a", O_RDONLY));
}

static void in_vain(long (*act)(void), int error)
{
	begin();
	FAILS(act(), error);
	end();
}

/* As another user, from within the folder; what was done before is left behind. */
static void as_other(long (*act)(void), int error)
{
	MUST(fchdir(here));
	act_as(1000);
	in_vain(act, error);
	act_as(0);
}

static void from_here(long (*act)(void), int error)
{
	MUST(fchdir(here));
	in_vain(act, error);
}

static long copy_descriptor(void)
{
	return syscall(SYS_dup2, 1000, 50);
}

static void dup2_absent(void)
{
	in_vain(copy_descriptor, EBADF);
}

static long open_absent(void)
{
	return syscall(SYS_open, "absent", O_RDONLY);
}

static void open_by_path_absent(void)
{
	from_here(open_absent, ENOENT);
}

static long open_secret(void)
{
	return syscall(SYS_open, "secret", O_RDONLY);
}

static void open_by_path_refused(void)
{
	as_other(open_secret, EACCES);
}

static long rename_absent(void)
{
	return syscall(SYS_rename, "absent", "new");
}

static void rename_by_path_absent(void)
{
	from_here(rename_absent, ENOENT);
}

static long rename_a(void)
{
	return syscall(SYS_rename, "a", "new");
}

static void rename_by_path_refused(void)
{
	as_other(rename_a, EACCES);
}

static long unlink_absent(void)
{
	return syscall(SYS_unlink, "absent");
}

static void unlink_by_path_absent(void)
{
	from_here(unlink_absent, ENOENT);
}

static long unlink_a(void)
{
	return syscall(SYS_unlink, "a");
}

static void unlink_by_path_refused(void)
{
	as_other(unlink_a, EACCES);
}

static long chmod_by_path(void)
{
	return syscall(SYS_chmod, "a", 0666);
}

static void chmod_refused(void)
{
	as_other(chmod_by_path, EPERM);
}

static long chmod_at(void)
{
	return syscall(SYS_fchmodat, here, "a", 0666);
}

static void change_mode_by_name_refused(void)
{
	as_other(chmod_at, EPERM);
}

static long chown_by_path(void)
{
	return syscall(SYS_chown, "a", 1000, 1000);
}

static void chown_refused(void)
{
	as_other(chown_by_path, EPERM);
}

static int file;

static long chown_open_file(void)
{
	return syscall(SYS_fchown, file, 1000, 1000);
}

static void change_owner_refused(void)
{
	file = opened_a();
	as_other(chown_open_file, EPERM);
}

static long chown_at(void)
{
	return syscall(SYS_fchownat, here, "a", 1000, 1000, 0);
}

static void chown_at_refused(void)
{
	as_other(chown_at, EPERM);
}

/* Not for this thread alone: the users that it may go back to are its own, too. */
static void become_other(void)
{
	MUST(syscall(SYS_setresuid, 1000, 1000, 1000));
}

static long set_two_users(void)
{
	return syscall(SYS_setreuid, 5, 5);
}

static void setreuid_refused(void)
{
	become_other();
	in_vain(set_two_users, EPERM);
}

static long set_two_groups(void)
{
	return syscall(SYS_setregid, 5, 5);
}

static void setregid_refused(void)
{
	become_other();
	in_vain(set_two_groups, EPERM);
}

/* It answers with the user that there was, whether it takes the other or not. */
static void keep_file_user(void)
{
	become_other();
	begin();
	MUST(syscall(SYS_setfsuid, 5));
	end();
	must(syscall(SYS_setfsuid, -1) == 1000 ? 0 : -1, "keeping its user");
}

static void keep_file_group(void)
{
	become_other();
	begin();
	MUST(syscall(SYS_setfsgid, 5));
	end();
	must(syscall(SYS_setfsgid, -1) == 0 ? 0 : -1, "keeping its group");
}

static void *volatile nowhere = (void *)1;

/* It is made before it turns out that its numbers cannot be told. */
static long make_pipe_nowhere(void)
{
	return syscall(SYS_pipe, nowhere);
}

static void pipe_refused(void)
{
	in_vain(make_pipe_nowhere, EFAULT);
}

static long make_pipe2_nowhere(void)
{
	return syscall(SYS_pipe2, nowhere, O_CLOEXEC);
}

static void pipe2_nowhere(void)
{
	in_vain(make_pipe2_nowhere, EFAULT);
}

/* Whoever gets through ends, and the operation fails. */
static long fork_process(void)
{
	long pid = syscall(SYS_fork);

	if (!pid)
		_exit(0);
	return pid;
}

static long vfork_process(void)
{
	long pid = vfork();

	if (!pid)
		_exit(0);
	return pid;
}

static void allow_no_process(void)
{
	become_other();
	MUST(setrlimit(RLIMIT_NPROC, &(struct rlimit){}));
}

static void fork_refused(void)
{
	allow_no_process();
	in_vain(fork_process, EAGAIN);
}

static void vfork_refused(void)
{
	allow_no_process();
	in_vain(vfork_process, EAGAIN);
}

static void set(const char *file, const char *value)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", file);
	fd = MUST(open(path, O_WRONLY | O_CLOEXEC));
	MUST(write(fd, value, strlen(value)));
	MUST(close(fd));
}

#define GROUP "provcap-act"

/* In a group of one: the kernel counts a process when the rest of it is there already. */
static void fork_beyond_limit(void)
{
	set("cgroup.subtree_control", "+pids");
	MUST(mkdir("/sys/fs/cgroup/" GROUP, 0755));
	set(GROUP "/pids.max", "1");
	set(GROUP "/cgroup.procs", "0");
	in_vain(fork_process, EAGAIN);
	set("cgroup.procs", "0");
	MUST(rmdir("/sys/fs/cgroup/" GROUP));
	set("cgroup.subtree_control", "-pids");
}

static long clone_into_namespace(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(0);
	return pid;
}

/* Whether it may is asked when its namespaces are to be copied, after most of the rest. */
static void clone_namespaces_refused(void)
{
	as_other(clone_into_namespace, EPERM);
}

const struct operation refused[] = {
	{ "dup2_absent", dup2_absent },
	{ "open_by_path_absent", open_by_path_absent },
	{ "open_by_path_refused", open_by_path_refused },
	{ "rename_by_path_absent", rename_by_path_absent },
	{ "rename_by_path_refused", rename_by_path_refused },
	{ "unlink_by_path_absent", unlink_by_path_absent },
	{ "unlink_by_path_refused", unlink_by_path_refused },
	{ "chmod_refused", chmod_refused },
	{ "change_mode_by_name_refused", change_mode_by_name_refused },
	{ "chown_refused", chown_refused },
	{ "change_owner_refused", change_owner_refused },
	{ "chown_at_refused", chown_at_refused },
	{ "setreuid_refused", setreuid_refused },
	{ "setregid_refused", setregid_refused },
	{ "setfsuid_refused", keep_file_user },
	{ "setfsgid_refused", keep_file_group },
	{ "pipe_refused", pipe_refused },
	{ "pipe2_nowhere", pipe2_nowhere },
	{ "fork_refused", fork_refused },
	{ "vfork_refused", vfork_refused },
	{ "fork_beyond_limit", fork_beyond_limit },
	{ "clone_namespaces_refused", clone_namespaces_refused },
	{},
};
