// SPDX-License-Identifier: GPL-2.0
/* Beside the bytes of one file: its attributes and access lists, storage it shares, the layer below it */
#include "play.h"
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/xattr.h>

#define ATTRIBUTE "trusted.provcap"
#define ACCESS_LIST "system.posix_acl_access"

/* As the kernel has it: each letter is the number of a user. */
enum { ENTRIES = 128, LIST_VERSION = 2 };
enum { OWNER = 1, USER = 2, GROUP = 4, MASK = 0x10, OTHERS = 0x20 };

struct access {
	unsigned short who, may;
	unsigned int id;
};

struct access_list {
	unsigned int version;
	struct access entries[ENTRIES];
};

static void set_list(const char *name)
{
	struct access_list list = { LIST_VERSION, { { OWNER, 6, -1 } } };
	int many = 1;

	for (const char *next = words; *next && many < ENTRIES - 3; next++)
		list.entries[many++] = (struct access){ USER, 4, *next };
	list.entries[many++] = (struct access){ GROUP, 4, -1 };
	list.entries[many++] = (struct access){ MASK, 4, -1 };
	list.entries[many++] = (struct access){ OTHERS, 0, -1 };
	MUST(setxattr(name, ACCESS_LIST, &list, 4 + many * sizeof(struct access), 0));
}

static void get_list(const char *name)
{
	struct access_list list = {};

	MUST(getxattr(name, ACCESS_LIST, &list, sizeof(list)));
	for (int i = 0; i < ENTRIES; i++)
		if (list.entries[i].who == USER)
			add((const char *)&list.entries[i].id, 1);
}

static void allow_secret(void)
{
	take("secret");
	set_list("common");
}

static void copy_allowed(void)
{
	get_list("common");
	give("copy");
}

static void access_list(void)
{
	run(allow_secret);
	run(copy_allowed);
}

static void clone_file(const char *from, const char *to)
{
	int fd = opened(to, O_WRONLY | O_CREAT);

	MUST(ioctl(fd, FICLONE, opened(from, O_RDONLY)));
}

static void clone_secret(void)
{
	clone_file("secret", "middle");
}

static void middle_to_copy(void)
{
	take("middle");
	give("copy");
}

static void reflinked(void)
{
	run(clone_secret);
	run(middle_to_copy);
}

#define BELOW "inner/lower/text"
#define SHOWN "inner/shown/text"
#define OTHER_BELOW "inner/lower/other"
#define OTHER_SHOWN "inner/shown/other"

static void lay_over(void)
{
	MUST(mkdir("inner/upper", 0755));
	MUST(mkdir("inner/work", 0755));
	MUST(mkdir("inner/shown", 0755));
	MUST(mount("none", "inner/shown", "overlay", 0,
		   "lowerdir=inner/lower,upperdir=inner/upper,workdir=inner/work"));
}

/* Opening it to be written brings it into the upper layer, as it is. */
static void copy_up(void)
{
	close(opened(SHOWN, O_WRONLY));
}

static void secret_below(void)
{
	take("secret");
	give(BELOW);
}

static void shown_to_copy(void)
{
	take(SHOWN);
	give("copy");
}

static void copied_up(void)
{
	MUST(mkdir("inner/lower", 0755));
	run(secret_below);
	lay_over();
	run(copy_up);
	run(shown_to_copy);
}

/* The content is in the name of the attribute alone. */
static void name_attribute(void)
{
	char name[ROOM + 16];

	take("secret");
	words[strcspn(words, "\n")] = '\0';
	snprintf(name, sizeof(name), "trusted.%s", words);
	MUST(setxattr("common", name, "x", 1, 0));
}

static void list_attributes(const char *name)
{
	char names[ROOM];
	ssize_t got = MUST(listxattr(name, names, sizeof(names)));

	for (ssize_t at = 0; at < got; at += strlen(names + at) + 1)
		add(names + at, strlen(names + at));
}

static void copy_names(void)
{
	list_attributes("common");
	give("copy");
}

static void attribute_name(void)
{
	run(name_attribute);
	run(copy_names);
}

const struct flow beside_flows[] = {
	{ "attribute_name", attribute_name },
	{ "access_list_ext4", access_list },
	{ "reflinked_btrfs", reflinked },
	{ "copied_up", copied_up },
	{},
};

static void make_file(void)
{
	close(opened("made", O_WRONLY | O_CREAT));
}

static void set_attribute(const char *name)
{
	MUST(setxattr(name, ATTRIBUTE, words, strlen(words), 0));
}

static void set_on_common(void)
{
	set_attribute("common");
}

/* Of its own file, and in vain of the other */
static void use_other_attribute(void)
{
	char text[ROOM] = "";

	FAILS(getxattr("common", "trusted.absent", text, ROOM), ENODATA);
	set_attribute("made");
	MUST(getxattr("made", ATTRIBUTE, text, ROOM));
	add(text, strlen(text));
	list_attributes("made");
}

/* For this thread alone: the library would ask all. */
static void become(uid_t user)
{
	MUST(syscall(SYS_setresuid, -1, user, -1));
}

/* Only who administers the system sees those that are trusted. */
static void ask_in_vain(void)
{
	char text[ROOM];

	become(1000);
	FAILS(getxattr("common", ATTRIBUTE, text, ROOM), ENODATA);
	FAILS(setxattr("common", ATTRIBUTE, text, 1, 0), EPERM);
	become(0);
}

static void allow_on_common(void)
{
	set_list("common");
}

static void use_other_list(void)
{
	set_list("made");
	get_list("made");
}

static void clone_common(void)
{
	clone_file("common", "made");
}

static void take_made(void)
{
	take("made");
}

static void common_below(void)
{
	take("common");
	give(BELOW);
	give(OTHER_BELOW);
}

static void lay_over_common(void)
{
	MUST(mkdir("inner/lower", 0755));
	run(common_below);
	lay_over();
}

static void take_shown(void)
{
	take(SHOWN);
}

/* Each brings its own file up, and writes to it. */
static void write_shown(void)
{
	give(SHOWN);
}

static void use_other_shown(void)
{
	give(OTHER_SHOWN);
	take(OTHER_SHOWN);
}

static void make_link(void)
{
	MUST(symlink(words, "inner/one"));
}

static void use_other_link(void)
{
	char text[ROOM] = "";

	MUST(symlink(words, "inner/other"));
	MUST(readlink("inner/other", text, ROOM - 1));
	add(text, strlen(text));
}

/* Both in one folder, which does not get to know of them */
static int nameless(void)
{
	return MUST(open("inner", O_TMPFILE | O_RDWR, 0600));
}

static void write_nameless(void)
{
	tell(nameless());
}

static void use_other_nameless(void)
{
	int fd = nameless();

	tell(fd);
	MUST(lseek(fd, 0, SEEK_SET));
	hear(fd);
}

const struct pair beside_pairs[] = {
	{ "other_link", NULL, make_link, use_other_link, NULL },
	{ "other_nameless_file", NULL, write_nameless, use_other_nameless, NULL },
	{ "other_attribute", make_file, set_on_common, use_other_attribute, NULL },
	{ "attribute_refused", NULL, set_on_common, ask_in_vain, NULL },
	{ "other_list_ext4", make_file, allow_on_common, use_other_list, NULL },
	{ "reflinked_by_first_btrfs", make_file, clone_common, take_made, NULL },
	{ "copied_up_by_first", lay_over_common, copy_up, take_shown, NULL },
	{ "other_copied_up", lay_over_common, write_shown, use_other_shown, NULL },
	{},
};
