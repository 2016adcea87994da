// SPDX-License-Identifier: GPL-2.0
/* Mode, owner, times, size, extended attributes, symbolic links; who writes while it is truncated. */
#include "act.h"
#include <stdint.h>
#include <sys/xattr.h>

#define NOTE "trusted.note"

static char value[5000];

/* Another effective user for this thread alone */
static void become(uid_t user)
{
	MUST(syscall(SYS_setresuid, -1, user, -1));
}

static int opened(const char *name, int flags)
{
	return MUST(openat(here, name, flags));
}

static void change_mode(void)
{
	int a = opened("a", O_RDONLY);

	begin();
	MUST(fchmod(a, 0600));
	end();
}

static void change_mode_by_name(void)
{
	begin();
	MUST(fchmodat(here, "a", 0640, 0));
	end();
}

static void change_mode_refused(void)
{
	int a = opened("a", O_RDONLY);

	become(1000);
	begin();
	FAILS(fchmod(a, 0666), EPERM);
	end();
	become(0);
}

static void change_owner(void)
{
	int a = opened("a", O_RDONLY);

	begin();
	MUST(fchown(a, 1, 2));
	end();
}

static void change_times(void)
{
	struct timespec times[] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
	int a = opened("a", O_RDONLY);

	begin();
	MUST(futimens(a, times));
	end();
}

/* truncate(2) goes by a path, so it is done from within the folder. */
static void truncate_to(off_t length)
{
	int back = MUST(open(".", O_PATH));

	MUST(fchdir(here));
	begin();
	MUST(truncate("a", length));
	end();
	MUST(fchdir(back));
	close(back);
}

static void truncate_all(void)
{
	truncate_to(0);
}

static void truncate_part(void)
{
	truncate_to(1);
}

static void truncate_beside_writer(void)
{
	int writer = opened("a", O_WRONLY);

	truncate_to(0);
	close(writer);
}

static void truncate_annotated(void)
{
	int a = opened("a", O_RDONLY);

	MUST(fsetxattr(a, NOTE, "v", 1, 0));
	truncate_to(0);
}

static void truncate_open_file(void)
{
	int a = opened("a", O_WRONLY);

	begin();
	MUST(ftruncate(a, 0));
	end();
}

static void open_truncating(int flags)
{
	begin();
	opened("a", flags | O_TRUNC);
	end();
}

static void open_to_write(void)
{
	open_truncating(O_WRONLY);
}

static void open_to_read(void)
{
	open_truncating(O_RDONLY);
}

/* The kernel counts as many writers as when one opens it to write. */
static void open_to_read_beside_writer(void)
{
	int writer = opened("a", O_WRONLY);

	open_truncating(O_RDONLY);
	close(writer);
}

static void open_on_disk(void)
{
	char path[4096];
	int disk;

	snprintf(path, sizeof(path), "%s/disk", work);
	disk = MUST(open(path, O_PATH | O_DIRECTORY));
	called("disk", disk);
	called("cut", MUST(openat(disk, "cut", O_CREAT | O_RDONLY, 0644)));
	begin();
	MUST(openat(disk, "cut", O_WRONLY | O_TRUNC));
	end();
}

struct turns {
	volatile int turn, file;
};

static int truncate_in_turn(void *argument)
{
	struct turns *shared = argument;

	while (shared->turn != 1)
		pause_ms(1);
	MUST(truncate("a", 0));
	shared->file = opened("a", O_WRONLY);
	shared->turn = 2;
	_exit(0);
}

/*
 * Nothing that this process knows has changed between its two writes, not even by opening the file:
 * the other one, which has a memory of its own and the same descriptors, does that.
 */
static void write_truncate_write(void)
{
	struct turns *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int back = MUST(open(".", O_PATH)), file = opened("a", O_WRONLY), other;

	MUST(fchdir(here));
	other = start(CLONE_FILES | SIGCHLD, truncate_in_turn, shared);
	pause_ms(50);
	begin();
	MUST(write(file, "x", 1));
	MUST(close(file));
	shared->turn = 1;
	while (shared->turn != 2)
		pause_ms(1);
	MUST(write(shared->file, "x", 1));
	end();
	await_child(other);
	MUST(munmap(shared, 4096));
	MUST(fchdir(back));
	close(back);
}

static void set(const char *bytes, size_t size)
{
	int a = opened("a", O_RDONLY);

	begin();
	MUST(fsetxattr(a, NOTE, bytes, size, 0));
	end();
}

static void set_xattr(void)
{
	set("v\0\xff", 3);
}

static void set_long_xattr(void)
{
	memset(value, 'v', sizeof(value));
	set(value, sizeof(value));
}

static void set_empty_xattr(void)
{
	set("", 0);
}

static void set_xattr_refused(void)
{
	int a = opened("a", O_RDONLY);

	become(1000);
	begin();
	FAILS(fsetxattr(a, NOTE, "v", 1, 0), EPERM);
	end();
	become(0);
}

static int annotated(void)
{
	int a = opened("a", O_RDONLY);

	MUST(fsetxattr(a, NOTE, "v\0\xff", 3, 0));
	return a;
}

static void get_xattr(void)
{
	int a = annotated();

	begin();
	MUST(fgetxattr(a, NOTE, value, sizeof(value)));
	end();
}

static void get_xattr_size(void)
{
	int a = annotated();

	begin();
	MUST(fgetxattr(a, NOTE, NULL, 0));
	end();
}

static void get_xattr_absent(void)
{
	int a = annotated();

	begin();
	FAILS(fgetxattr(a, "trusted.absent", value, sizeof(value)), ENODATA);
	FAILS(fgetxattr(a, NOTE, value, 1), ERANGE);
	end();
}

static void list_xattrs(void)
{
	int a = annotated();

	begin();
	MUST(flistxattr(a, value, sizeof(value)));
	end();
}

static void remove_xattr(void)
{
	int a = annotated();

	begin();
	MUST(fremovexattr(a, NOTE));
	end();
}

/* The folder is another by now than when it was last walked through: the next walk is news. */
static void go_to_changed_folder(void)
{
	MUST(unlinkat(here, "secret", 0));
	MUST(fchdir(here));
}

static void set_xattr_by_path(void)
{
	go_to_changed_folder();
	begin();
	MUST(setxattr("a", NOTE, "v", 1, 0));
	end();
}

static void set_xattr_absent(void)
{
	go_to_changed_folder();
	begin();
	FAILS(setxattr("absent", NOTE, "v", 1, 0), ENOENT);
	end();
}

static void set_xattr_by_path_refused(void)
{
	go_to_changed_folder();
	become(1000);
	begin();
	FAILS(setxattr("a", NOTE, "v", 1, 0), EPERM);
	end();
	become(0);
}

/* Of the link itself, not of the file that it leads to */
static void set_xattr_of_link(void)
{
	MUST(symlinkat("a", here, "link"));
	go_to_changed_folder();
	begin();
	MUST(lsetxattr("link", NOTE, "v", 1, 0));
	end();
	called("link", opened("link", O_PATH | O_NOFOLLOW));
}

static void get_xattr_by_path(void)
{
	annotated();
	go_to_changed_folder();
	begin();
	MUST(getxattr("a", NOTE, value, sizeof(value)));
	end();
}

static void list_xattrs_by_path(void)
{
	annotated();
	go_to_changed_folder();
	begin();
	MUST(listxattr("a", value, sizeof(value)));
	end();
}

static void remove_xattr_by_path(void)
{
	annotated();
	go_to_changed_folder();
	begin();
	MUST(removexattr("a", NOTE));
	end();
}

enum { MANY = 20 };

/* One after the other, as who restores a file from an archive; none of them takes the place of another. */
static void set_many_xattrs(void)
{
	int a = opened("a", O_RDONLY);
	char name[32];

	begin();
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "trusted.note%d", i);
		MUST(fsetxattr(a, name, name, strlen(name), 0));
	}
	end();
}

/* The form that user space gives an access control list, of user 1234 beside the usual three */
static const struct {
	uint32_t version;
	struct {
		uint16_t tag, permissions;
		uint32_t id;
	} entries[5];
} access_list = { 2,
		  { { 0x01, 6, -1 },
		    { 0x02, 4, 1234 },
		    { 0x04, 4, -1 },
		    { 0x10, 4, -1 },
		    { 0x20, 0, -1 } } };
#define ACCESS_LIST "system.posix_acl_access"

static int listed(void)
{
	int a = opened("a", O_RDONLY);

	MUST(fsetxattr(a, ACCESS_LIST, &access_list, sizeof(access_list), 0));
	return a;
}

static void set_access_list(void)
{
	int a = opened("a", O_RDONLY);

	begin();
	MUST(fsetxattr(a, ACCESS_LIST, &access_list, sizeof(access_list), 0));
	end();
}

static void set_access_list_refused(void)
{
	int a = opened("a", O_RDONLY);

	become(1000);
	begin();
	FAILS(fsetxattr(a, ACCESS_LIST, &access_list, sizeof(access_list), 0), EPERM);
	end();
	become(0);
}

static void get_access_list(void)
{
	int a = listed();

	begin();
	MUST(fgetxattr(a, ACCESS_LIST, value, sizeof(value)));
	end();
}

static void get_access_list_absent(void)
{
	int a = opened("a", O_RDONLY);

	begin();
	FAILS(fgetxattr(a, ACCESS_LIST, value, sizeof(value)), ENODATA);
	end();
}

static void remove_access_list(void)
{
	int a = listed();

	begin();
	MUST(fremovexattr(a, ACCESS_LIST));
	end();
}

static void read_link(void)
{
	MUST(symlinkat("a", here, "link"));
	called("link", opened("link", O_PATH | O_NOFOLLOW));
	begin();
	MUST(readlinkat(here, "link", value, sizeof(value)));
	end();
}

const struct operation attributes[] = {
	{ "change_mode", change_mode },
	{ "change_mode_by_name", change_mode_by_name },
	{ "change_mode_refused", change_mode_refused },
	{ "change_owner", change_owner },
	{ "change_times", change_times },
	{ "truncate_all", truncate_all },
	{ "truncate_part", truncate_part },
	{ "truncate_beside_writer", truncate_beside_writer },
	{ "truncate_annotated", truncate_annotated },
	{ "truncate_open_file", truncate_open_file },
	{ "open_to_write", open_to_write },
	{ "open_to_read", open_to_read },
	{ "open_to_read_beside_writer", open_to_read_beside_writer },
	{ "open_on_disk", open_on_disk },
	{ "write_truncate_write", write_truncate_write },
	{ "set_xattr", set_xattr },
	{ "set_long_xattr", set_long_xattr },
	{ "set_empty_xattr", set_empty_xattr },
	{ "set_xattr_refused", set_xattr_refused },
	{ "set_xattr_by_path", set_xattr_by_path },
	{ "set_xattr_absent", set_xattr_absent },
	{ "set_xattr_by_path_refused", set_xattr_by_path_refused },
	{ "set_xattr_of_link", set_xattr_of_link },
	{ "get_xattr_by_path", get_xattr_by_path },
	{ "list_xattrs_by_path", list_xattrs_by_path },
	{ "remove_xattr_by_path", remove_xattr_by_path },
	{ "set_many_xattrs", set_many_xattrs },
	{ "get_xattr", get_xattr },
	{ "get_xattr_size", get_xattr_size },
	{ "get_xattr_absent", get_xattr_absent },
	{ "list_xattrs", list_xattrs },
	{ "remove_xattr", remove_xattr },
	{ "set_access_list", set_access_list },
	{ "set_access_list_refused", set_access_list_refused },
	{ "get_access_list", get_access_list },
	{ "get_access_list_absent", get_access_list_absent },
	{ "remove_access_list", remove_access_list },
	{ "read_link", read_link },
	{},
};
