// SPDX-License-Identifier: GPL-2.0
/* Names that come and go, and one file under several. */
#include "act.h"
#include <linux/fs.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#define FIFO (S_IFIFO | 0644)

/* Tells the tests of what a name leads to, a link itself included. */
static void called_by_name(const char *name)
{
	int fd = MUST(openat(here, name, O_PATH | O_NOFOLLOW));

	called(name, fd);
	MUST(close(fd));
}

/* The folder is another by now than when it was last walked through: the next walk is news. */
static void write_folder(void)
{
	MUST(unlinkat(here, "secret", 0));
}

static void link_file(void)
{
	begin();
	MUST(linkat(here, "a", here, "new", 0));
	end();
}

static void link_existing(void)
{
	begin();
	FAILS(linkat(here, "a", here, "b", 0), EEXIST);
	end();
}

static void unlink_file(void)
{
	begin();
	MUST(unlinkat(here, "a", 0));
	end();
}

static void unlink_absent(void)
{
	begin();
	FAILS(unlinkat(here, "absent", 0), ENOENT);
	end();
}

static void unlink_refused(void)
{
	act_as(1000);
	begin();
	FAILS(unlinkat(here, "a", 0), EACCES);
	end();
	act_as(0);
}

static void remove_folder(void)
{
	begin();
	MUST(unlinkat(here, "folder", AT_REMOVEDIR));
	end();
}

/* The file system is asked last. */
static void remove_full(void)
{
	MUST(linkat(here, "a", here, "folder/a", 0));
	write_folder();
	begin();
	FAILS(unlinkat(here, "folder", AT_REMOVEDIR), ENOTEMPTY);
	end();
}

static void rename_file(void)
{
	begin();
	MUST(renameat(here, "a", here, "new"));
	end();
}

static void rename_over(void)
{
	begin();
	MUST(renameat(here, "a", here, "b"));
	end();
}

static void rename_between(void)
{
	begin();
	MUST(renameat(here, "a", here, "folder/a"));
	end();
}

static void rename_kept(void)
{
	begin();
	FAILS(renameat2(here, "a", here, "b", RENAME_NOREPLACE), EEXIST);
	end();
}

static void rename_absent(void)
{
	begin();
	FAILS(renameat(here, "absent", here, "new"), ENOENT);
	end();
}

static void rename_refused(void)
{
	act_as(1000);
	begin();
	FAILS(renameat(here, "a", here, "new"), EACCES);
	end();
	act_as(0);
}

/* Two names of one file: POSIX says that nothing happens. */
static void rename_to_itself(void)
{
	MUST(linkat(here, "a", here, "same", 0));
	begin();
	MUST(renameat(here, "a", here, "same"));
	end();
}

static void rename_and_back(void)
{
	begin();
	MUST(renameat(here, "a", here, "new"));
	MUST(renameat(here, "new", here, "a"));
	end();
}

static void exchange(void)
{
	begin();
	MUST(renameat2(here, "a", here, "b", RENAME_EXCHANGE));
	end();
}

static void rename_whiteout(void)
{
	begin();
	MUST(renameat2(here, "a", here, "new", RENAME_WHITEOUT));
	end();
}

static void rename_folder(void)
{
	MUST(renameat(here, "a", here, "folder/a"));
	begin();
	MUST(renameat(here, "folder", here, "moved"));
	MUST(openat(here, "moved/a", O_RDONLY));
	end();
}

static void symlink_file(void)
{
	begin();
	MUST(symlinkat("anywhere", here, "new"));
	end();
	called_by_name("new");
}

static void symlink_existing(void)
{
	begin();
	FAILS(symlinkat("anywhere", here, "a"), EEXIST);
	end();
}

static void make_folder(void)
{
	begin();
	MUST(mkdirat(here, "new", 0755));
	end();
	called_by_name("new");
}

static void make_existing(void)
{
	begin();
	FAILS(mkdirat(here, "folder", 0755), EEXIST);
	end();
}

static void make_refused(void)
{
	act_as(1000);
	begin();
	FAILS(mkdirat(here, "new", 0755), EACCES);
	end();
	act_as(0);
}

static void make_node(mode_t mode, dev_t device)
{
	begin();
	MUST(mknodat(here, "new", mode, device));
	end();
	called_by_name("new");
}

static void make_fifo(void)
{
	make_node(FIFO, 0);
}

static void make_block(void)
{
	make_node(S_IFBLK | 0600, makedev(7, 200));
}

static void make_file(void)
{
	make_node(S_IFREG | 0644, 0);
}

static void make_node_existing(void)
{
	begin();
	FAILS(mknodat(here, "fifo", FIFO, 0), EEXIST);
	end();
}

static void bind_path(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "new" };
	int before = MUST(open(".", O_PATH)), fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));

	called("made", fd);
	MUST(fchdir(here));
	write_folder();
	begin();
	MUST(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t) + strlen("new")));
	end();
	MUST(fchdir(before));
}

static void make_nameless(void)
{
	int fd;

	begin();
	fd = MUST(openat(here, ".", O_TMPFILE | O_RDWR, 0644));
	MUST(write(fd, "x", 1));
	end();
	called("new", fd);
}

static void link_nameless(void)
{
	int fd = MUST(openat(here, ".", O_TMPFILE | O_RDWR, 0644));

	called("new", fd);
	write_folder();
	begin();
	MUST(linkat(fd, "", here, "new", AT_EMPTY_PATH));
	end();
}

/* It is there, but the kernel has to look it up on disk to see that: nothing is made. */
static void create_existing(void)
{
	int fd = MUST(openat(here, "../disk/there", O_CREAT | O_RDWR, 0644));

	called("there", fd);
	MUST(close(fd));
	drop_caches();
	begin();
	MUST(openat(here, "../disk/there", O_CREAT | O_RDWR, 0644));
	end();
}

static void create_on_disk(void)
{
	int fd;

	begin();
	fd = MUST(openat(here, "../disk/made", O_CREAT | O_EXCL | O_RDWR, 0644));
	end();
	called("made", fd);
}

/* A stacked file system makes the file below, too, before it has one itself. */
static void create_on_overlay(void)
{
	begin();
	MUST(openat(here, "../overlay/made", O_CREAT | O_EXCL | O_RDWR, 0644));
	MUST(mkdirat(here, "../overlay/folder", 0755));
	end();
}

static int file_below(const char *name)
{
	char path[64];
	int below;

	snprintf(path, sizeof(path), "../layers/lower/%s", name);
	below = MUST(openat(here, path, O_CREAT | O_RDWR, 0644));
	called("below", below);
	return below;
}

static void look_above(const char *name, int mode)
{
	char path[64];

	snprintf(path, sizeof(path), "../overlay/%s", name);
	MUST(close(MUST(openat(here, path, mode))));
}

static void open_stacked(void)
{
	file_below("seen");
	begin();
	look_above("seen", O_RDONLY);
	end();
	called("above", MUST(openat(here, "../overlay/seen", O_PATH)));
}

/* The first file that is copied up into a directory leaves a mark there. */
static void mark_directory(const char *name)
{
	MUST(close(file_below(name)));
	look_above(name, O_WRONLY);
}

/*
 * The file of the lower layer, opened to read and then to write, when it is copied up. A descriptor from
 * before makes the kernel open the copy whenever a process closes it, so none is left open.
 */
static void copy_up(void)
{
	int below = file_below("shown");
	int above, written;

	MUST(write(below, "x", 1));
	begin();
	above = MUST(openat(here, "../overlay/shown", O_RDONLY));
	written = MUST(openat(here, "../overlay/shown", O_WRONLY | O_APPEND));
	end();
	called("above", above);
	called("copy", MUST(openat(here, "../layers/upper/shown", O_RDONLY)));
	close(above);
	close(written);
}

/* The file below has nothing in it but two attributes: they are copied up with it. */
static void copy_up_xattrs(void)
{
	int below = file_below("annotated"), written;

	mark_directory("annotated-before");
	MUST(fsetxattr(below, "trusted.one", "1", 1, 0));
	MUST(fsetxattr(below, "trusted.two", "2", 1, 0));
	begin();
	written = MUST(openat(here, "../overlay/annotated", O_WRONLY | O_APPEND));
	end();
	called("above", written);
	called("copy", MUST(openat(here, "../layers/upper/annotated", O_RDONLY)));
	close(written);
}

static void look(const char *path)
{
	MUST(close(MUST(open(path, O_RDONLY))));
}

/* A path of the operation's folder, good until the next call */
static const char *path_of(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/views/%s", work, name);
	return path;
}

/* A file system of the container's own, and in it the file from outside */
static void furnish(void)
{
	char from[4096];

	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mount("none", path_of("folder"), "tmpfs", 0, NULL));
	MUST(close(MUST(creat(path_of("folder/inside"), 0644))));
	strcpy(from, path_of("a"));
	MUST(mount(from, path_of("folder/inside"), NULL, MS_BIND, NULL));
}

static int in_chroot(void *unused)
{
	furnish();
	MUST(chroot(path_of("folder")));
	look("/inside");
	_exit(0);
}

static int in_new_root(void *unused)
{
	furnish();
	MUST(mkdir(path_of("folder/old"), 0755));
	MUST(chdir(path_of("folder")));
	MUST(syscall(SYS_pivot_root, ".", "old"));
	look("/inside");
	_exit(0);
}

static void look_through_mount(const char *target)
{
	char from[4096];

	strcpy(from, path_of(""));
	MUST(mount(from, path_of(target), NULL, MS_BIND, NULL));
	strcpy(from, target);
	look(path_of(strcat(from, "/a")));
	MUST(umount2(path_of(target), MNT_DETACH));
}

/* One file seen from many places, each of them twice */
static void views(void)
{
	char outside[4096];

	snprintf(outside, sizeof(outside), "/proc/self/root%s", path_of("a"));
	MUST(linkat(here, "a", here, "hard", 0));
	MUST(symlinkat("a", here, "soft"));
	MUST(mkdirat(here, "mount", 0755));
	begin();
	for (int round = 0; round < 2; round++) {
		look(path_of("a"));
		look(path_of("hard"));
		look(path_of("soft"));
		look(outside);
		look_through_mount("folder");
		look_through_mount("mount");
		await_child(start(CLONE_NEWNS | SIGCHLD, in_chroot, NULL));
		await_child(start(CLONE_NEWNS | SIGCHLD, in_new_root, NULL));
	}
	end();
}

static void reopen(void)
{
	MUST(linkat(here, "a", here, "hard", 0));
	begin();
	for (int round = 0; round < 3; round++) {
		MUST(close(MUST(openat(here, "a", O_RDONLY))));
		MUST(close(MUST(openat(here, "hard", O_RDONLY))));
	}
	end();
}

/* A name that has gone and come back is there again. */
static void come_back(void)
{
	begin();
	MUST(linkat(here, "a", here, "new", 0));
	MUST(unlinkat(here, "new", 0));
	MUST(linkat(here, "a", here, "new", 0));
	MUST(openat(here, "new", O_RDONLY));
	end();
}

const struct operation names[] = {
	{ "link", link_file },
	{ "link_existing", link_existing },
	{ "unlink", unlink_file },
	{ "unlink_absent", unlink_absent },
	{ "unlink_refused", unlink_refused },
	{ "rmdir", remove_folder },
	{ "rmdir_full", remove_full },
	{ "rename", rename_file },
	{ "rename_over", rename_over },
	{ "rename_between", rename_between },
	{ "rename_kept", rename_kept },
	{ "rename_absent", rename_absent },
	{ "rename_refused", rename_refused },
	{ "rename_to_itself", rename_to_itself },
	{ "rename_and_back", rename_and_back },
	{ "rename_whiteout", rename_whiteout },
	{ "rename_folder", rename_folder },
	{ "exchange", exchange },
	{ "symlink", symlink_file },
	{ "symlink_existing", symlink_existing },
	{ "mkdir", make_folder },
	{ "mkdir_existing", make_existing },
	{ "mkdir_refused", make_refused },
	{ "mknod_fifo", make_fifo },
	{ "mknod_block", make_block },
	{ "mknod_file", make_file },
	{ "mknod_existing", make_node_existing },
	{ "bind_path", bind_path },
	{ "tmpfile", make_nameless },
	{ "tmpfile_link", link_nameless },
	{ "create_existing", create_existing },
	{ "create_on_disk", create_on_disk },
	{ "create_on_overlay", create_on_overlay },
	{ "open_stacked", open_stacked },
	{ "copy_up", copy_up },
	{ "copy_up_xattrs", copy_up_xattrs },
	{ "views", views },
	{ "reopen", reopen },
	{ "come_back", come_back },
	{},
};
