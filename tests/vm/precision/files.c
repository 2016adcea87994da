// SPDX-License-Identifier: GPL-2.0
/* Through files: every way to read and write, and every way to come to the file. */
#include "play.h"
#include <dirent.h>
#include <sys/sendfile.h>

static char *map_file(const char *name, int protection, int flags)
{
	int fd = opened(name, O_RDONLY);
	char *content = MUST(mmap(NULL, ROOM, protection, flags, fd, 0));

	close(fd);
	return content;
}

static void read_write(void)
{
	take("secret");
	give("copy");
}

static void pread_pwrite(void)
{
	int from = opened("secret", O_RDONLY), to = opened("copy", O_WRONLY | O_CREAT);
	char text[ROOM];
	ssize_t got = MUST(pread(from, text, sizeof(text), 0));

	MUST(pwrite(to, text, got, 0));
}

static void readv_writev(void)
{
	int from = opened("secret", O_RDONLY), to = opened("copy", O_WRONLY | O_CREAT);
	char text[ROOM];
	struct iovec part = { text, sizeof(text) };

	part.iov_len = MUST(readv(from, &part, 1));
	MUST(writev(to, &part, 1));
}

static void preadv_pwritev(void)
{
	int from = opened("secret", O_RDONLY), to = opened("copy", O_WRONLY | O_CREAT);
	char text[ROOM];
	struct iovec part = { text, sizeof(text) };

	part.iov_len = MUST(preadv2(from, &part, 1, 0, 0));
	MUST(pwritev2(to, &part, 1, 0, 0));
}

static void map_private(void)
{
	char *content = map_file("secret", PROT_READ, MAP_PRIVATE);

	add(content, strlen(content));
	give("copy");
}

static void map_shared(void)
{
	char *content = map_file("secret", PROT_READ, MAP_SHARED);

	add(content, strlen(content));
	give("copy");
}

/* The mapping is read only after its descriptor and its name have gone. */
static void map_later(void)
{
	char *content = map_file("secret", PROT_READ, MAP_PRIVATE);

	MUST(link("secret", "inner/secret"));
	MUST(unlink("secret"));
	add(content, strlen(content));
	give("copy");
}

/* Unreadable when mapped, readable later */
static void map_unlocked(void)
{
	char *content = map_file("secret", PROT_NONE, MAP_PRIVATE);

	MUST(mprotect(content, ROOM, PROT_READ));
	add(content, strlen(content));
	give("copy");
}

static void send_file(void)
{
	int from = opened("secret", O_RDONLY), to = opened("copy", O_WRONLY | O_CREAT);

	MUST(sendfile(to, from, NULL, ROOM));
}

static void copy_range(void)
{
	int from = opened("secret", O_RDONLY), to = opened("copy", O_WRONLY | O_CREAT);

	MUST(copy_file_range(from, NULL, to, NULL, ROOM, 0));
}

static void duplicated(void)
{
	int from = MUST(dup(opened("secret", O_RDONLY)));
	int to = MUST(dup2(opened("copy", O_WRONLY | O_CREAT), 200));

	hear(from);
	tell(to);
}

static void secret_to_middle(void)
{
	take("secret");
	give("middle");
}

static void middle_to_copy(void)
{
	take("middle");
	give("copy");
}

/* The first process is gone when the second comes. */
static void by_file(void)
{
	run(secret_to_middle);
	run(middle_to_copy);
}

/* Others have written to the log before and afterwards. */
static void other_to_middle(void)
{
	take("other");
	give("middle");
}

static void append_log(void)
{
	run(other_to_middle);
	run(secret_to_middle);
	run(other_to_middle);
	run(middle_to_copy);
}

static void drop_caches(void)
{
	int fd = opened("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	MUST(write(fd, "3", 1));
}

static void evicted_ext4(void)
{
	run(secret_to_middle);
	run(drop_caches);
	run(middle_to_copy);
}

static void rename_middle(void)
{
	MUST(rename("middle", "renamed"));
}

static void renamed_to_copy(void)
{
	take("renamed");
	give("copy");
}

static void renamed(void)
{
	run(secret_to_middle);
	run(rename_middle);
	run(renamed_to_copy);
}

static void link_middle(void)
{
	MUST(link("middle", "renamed"));
}

static void hard_link(void)
{
	run(secret_to_middle);
	run(link_middle);
	run(renamed_to_copy);
}

static void link_symbolically(void)
{
	MUST(symlink("middle", "renamed"));
}

static void symbolic_link(void)
{
	run(secret_to_middle);
	run(link_symbolically);
	run(renamed_to_copy);
}

/* The content is in the name alone. */
static void name_file(void)
{
	take("secret");
	words[strcspn(words, "\n")] = '\0';
	MUST(chdir("inner"));
	close(opened(words, O_WRONLY | O_CREAT));
}

static void list_names(void)
{
	DIR *folder = opendir("inner");
	struct dirent *entry;

	while ((entry = readdir(folder)))
		add(entry->d_name, strlen(entry->d_name));
	give("copy");
}

static void listing(void)
{
	run(name_file);
	run(list_names);
}

/* Through the link that /proc has for an open file */
static void by_proc(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", opened("secret", O_RDONLY));
	take(path);
	give("copy");
}

static void map_written(void)
{
	char *content;
	int fd = opened("middle", O_RDWR | O_CREAT);

	MUST(ftruncate(fd, ROOM));
	content = MUST(mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	take("secret");
	strcpy(content, words);
}

static void shared_mapping(void)
{
	run(map_written);
	run(middle_to_copy);
}

const struct flow file_flows[] = {
	{ "read_write", read_write },
	{ "read_write_ext4", read_write },
	{ "read_write_overlay", read_write },
	{ "pread_pwrite", pread_pwrite },
	{ "readv_writev", readv_writev },
	{ "preadv_pwritev", preadv_pwritev },
	{ "map_private", map_private },
	{ "map_shared", map_shared },
	{ "map_later", map_later },
	{ "map_unlocked", map_unlocked },
	{ "send_file", send_file },
	{ "copy_range", copy_range },
	{ "duplicated", duplicated },
	{ "by_file", by_file },
	{ "by_file_ext4", by_file },
	{ "by_file_overlay", by_file },
	{ "append_log", append_log },
	{ "evicted_ext4", evicted_ext4 },
	{ "renamed", renamed },
	{ "hard_link", hard_link },
	{ "symbolic_link", symbolic_link },
	{ "listing", listing },
	{ "by_proc", by_proc },
	{ "shared_mapping", shared_mapping },
	{},
};
