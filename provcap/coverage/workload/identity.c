// SPDX-License-Identifier: GPL-2.0
/* Who a process is, in which namespaces it lives, and what it sees as its tree of files. */
#include "act.h"
#include <linux/capability.h>
#include <sys/mount.h>

static gid_t groups_of_mine[] = { 7, 8 };
static int (*change)(void);

static int change_and_exit(void *unused)
{
	(void)unused;
	MUST(change());
	syscall(SYS_exit, 0);
	return 0;
}

/* In a child, since there is no way back */
static void in_a_child(int (*act)(void))
{
	change = act;
	begin();
	await_child(start(SIGCHLD, change_and_exit, NULL));
	end();
}

/* As another user, who may not; nothing of what went before is left behind. */
static void in_vain(int (*act)(void), int error)
{
	act_as(1000);
	begin();
	FAILS(act(), error);
	end();
	act_as(0);
}

static int take_group(void)
{
	return syscall(SYS_setresgid, 1000, 1000, 1000);
}

static int take_groups(void)
{
	return syscall(SYS_setgroups, 2, groups_of_mine);
}

/* All but one, which is kept or asked for */
static int take_capability(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = {};

	sets[0].effective = sets[0].permitted = 1 << CAP_KILL;
	return syscall(SYS_capset, &head, sets);
}

static int leave_namespaces(void)
{
	return unshare(CLONE_NEWUTS | CLONE_NEWIPC);
}

static int leave_user_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static void set_gid(void)
{
	in_a_child(take_group);
}

static void set_groups(void)
{
	in_a_child(take_groups);
}

static void set_capabilities(void)
{
	in_a_child(take_capability);
}

static void set_namespaces(void)
{
	in_a_child(leave_namespaces);
}

static void set_user_namespace(void)
{
	in_a_child(leave_user_namespace);
}

static int take_group_in_vain(void)
{
	return syscall(SYS_setresgid, 5, 5, 5);
}

static void set_gid_refused(void)
{
	in_vain(take_group_in_vain, EPERM);
}

static void set_groups_refused(void)
{
	in_vain(take_groups, EPERM);
}

static int take_back_capability(void *unused)
{
	(void)unused;
	MUST(syscall(SYS_setresuid, 1000, 1000, 1000));
	begin();
	FAILS(take_capability(), EPERM);
	end();
	syscall(SYS_exit, 0);
	return 0;
}

/* A child that has given all of them away */
static void set_capabilities_refused(void)
{
	await_child(start(SIGCHLD, take_back_capability, NULL));
}

static void set_namespaces_refused(void)
{
	in_vain(leave_namespaces, EPERM);
}

static int namespace_fd;

static int enter_namespace(void)
{
	return setns(namespace_fd, CLONE_NEWUTS);
}

static int stay_in_other_namespace(void *unused)
{
	char byte;

	(void)unused;
	close(hold[1]);
	MUST(unshare(CLONE_NEWUTS));
	MUST(read(hold[0], &byte, 1));
	syscall(SYS_exit, 0);
	return 0;
}

static int namespace_of(int process)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/uts", process);
	return MUST(open(path, O_RDONLY));
}

static void set_namespace(void)
{
	int child = waiting_child(stay_in_other_namespace);

	namespace_fd = namespace_of(child);
	in_a_child(enter_namespace);
	end_child(child);
}

static void set_own_namespace(void)
{
	namespace_fd = namespace_of(getpid());
	begin();
	MUST(enter_namespace());
	end();
}

static void set_namespace_refused(void)
{
	namespace_fd = namespace_of(getpid());
	in_vain(enter_namespace, EPERM);
}

static int act_and_exit(void *unused)
{
	(void)unused;
	MUST(fchdir(here));
	syscall(SYS_exit, 0);
	return 0;
}

static void clone_namespaces(void)
{
	begin();
	await_child(start(SIGCHLD | CLONE_NEWUTS, act_and_exit, NULL));
	end();
}

static int mount_folder(void)
{
	return mount("none", "folder", "tmpfs", MS_NOSUID, "");
}

static int unmount_folder(void)
{
	return umount2("folder", 0);
}

static void go_here(void)
{
	MUST(fchdir(here));
}

static void mount_here(void)
{
	go_here();
	begin();
	MUST(mount_folder());
	end();
	MUST(unmount_folder());
}

/* The kernel asks whoever listens before it asks who may. */
static void mount_refused(void)
{
	go_here();
	in_vain(mount_folder, EPERM);
}

static void mount_failed(void)
{
	go_here();
	begin();
	FAILS(mount("none", "folder", "no-such-file-system", 0, ""), ENODEV);
	end();
}

/* Somebody else does it, so that we have not looked at anything before. */
static void have_it_mounted(void)
{
	go_here();
	change = mount_folder;
	await_child(start(SIGCHLD, change_and_exit, NULL));
}

static void unmount(void)
{
	have_it_mounted();
	begin();
	MUST(unmount_folder());
	end();
}

static void unmount_refused(void)
{
	have_it_mounted();
	in_vain(unmount_folder, EPERM);
	MUST(unmount_folder());
}

static int tree;

static int put_tree(void)
{
	return move_mount(tree, "", AT_FDCWD, "folder", MOVE_MOUNT_F_EMPTY_PATH);
}

/* By the calls of today: a file system is made first, and has its place afterwards. */
static void make_tree(void)
{
	int context = MUST(fsopen("tmpfs", FSOPEN_CLOEXEC));

	MUST(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	tree = MUST(fsmount(context, FSMOUNT_CLOEXEC, 0));
	MUST(close(context));
}

/* An open tree is in use. */
static void unmount_tree(void)
{
	MUST(close(tree));
	MUST(unmount_folder());
}

static void mount_in_parts(void)
{
	go_here();
	begin();
	make_tree();
	MUST(put_tree());
	end();
	unmount_tree();
}

static void mount_in_parts_refused(void)
{
	make_tree();
	go_here();
	in_vain(put_tree, EPERM);
}

/* The folder itself a second time, in one of its own */
static void mount_copy(void)
{
	go_here();
	begin();
	tree = MUST(open_tree(here, "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
	MUST(put_tree());
	end();
	unmount_tree();
}

static void change_root_refused(void)
{
	go_here();
	act_as(1000);
	begin();
	FAILS(chroot("folder"), EPERM);
	end();
	act_as(0);
}

/* In a mount namespace of its own */
static int take_root(void *unused)
{
	(void)unused;
	MUST(unshare(CLONE_NEWNS));
	MUST(mount("", "/", "", MS_REC | MS_PRIVATE, ""));
	begin();
	MUST(syscall(SYS_pivot_root, "folder", "folder/old"));
	end();
	syscall(SYS_exit, 0);
	return 0;
}

static void pivot_root(void)
{
	go_here();
	MUST(mount_folder());
	MUST(mkdir("folder/old", 0755));
	called("root", MUST(open("folder", O_PATH)));
	called("old", MUST(open("folder/old", O_PATH)));
	await_child(start(SIGCHLD, take_root, NULL));
}

static void pivot_root_refused(void)
{
	go_here();
	act_as(1000);
	begin();
	FAILS(syscall(SYS_pivot_root, "folder", "folder"), EPERM);
	end();
	act_as(0);
}

const struct operation identity[] = {
	{ "set_gid", set_gid },
	{ "set_gid_refused", set_gid_refused },
	{ "set_groups", set_groups },
	{ "set_groups_refused", set_groups_refused },
	{ "set_capabilities", set_capabilities },
	{ "set_capabilities_refused", set_capabilities_refused },
	{ "set_namespaces", set_namespaces },
	{ "set_namespaces_refused", set_namespaces_refused },
	{ "set_user_namespace", set_user_namespace },
	{ "set_namespace", set_namespace },
	{ "set_own_namespace", set_own_namespace },
	{ "set_namespace_refused", set_namespace_refused },
	{ "clone_namespaces", clone_namespaces },
	/* its mount stays, so no other has its number */
	{ "pivot_root", pivot_root },
	{ "mount_here", mount_here },
	{ "mount_refused", mount_refused },
	{ "mount_failed", mount_failed },
	{ "unmount", unmount },
	{ "unmount_refused", unmount_refused },
	{ "mount_in_parts", mount_in_parts },
	{ "mount_in_parts_refused", mount_in_parts_refused },
	{ "mount_copy", mount_copy },
	{ "change_root_refused", change_root_refused },
	{ "pivot_root_refused", pivot_root_refused },
	{},
};
