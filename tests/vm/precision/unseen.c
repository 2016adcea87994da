// SPDX-License-Identifier: GPL-2.0
/* Out of the way: flows that no hook reports yet have their reason in scenarios.py. */
#include "play.h"
#include <mqueue.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/xattr.h>

static char *page;

static void fill_page(void)
{
	take("secret");
	strcpy(page, words);
}

static void copy_page(void)
{
	add(page, strlen(page));
	give("copy");
}

static void shared_page(void)
{
	page = MUST(mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	run(fill_page);
	run(copy_page);
}

static int queue;

static void attach_segment(void)
{
	page = MUST(shmat(queue, NULL, 0));
}

static void fill_segment(void)
{
	attach_segment();
	fill_page();
}

static void copy_segment(void)
{
	attach_segment();
	copy_page();
}

static void sysv_memory(void)
{
	queue = MUST(shmget(IPC_PRIVATE, ROOM, 0600));
	run(fill_segment);
	run(copy_segment);
	MUST(shmctl(queue, IPC_RMID, NULL));
}

struct message {
	long type;
	char text[256];
};

static void send_message(void)
{
	struct message sent = { .type = 1 };

	take("secret");
	strcpy(sent.text, words);
	MUST(msgsnd(queue, &sent, sizeof(sent.text), 0));
}

static void receive_message(void)
{
	struct message received;

	MUST(msgrcv(queue, &received, sizeof(received.text), 0, 0));
	add(received.text, strlen(received.text));
	give("copy");
}

static void sysv_queue(void)
{
	queue = MUST(msgget(IPC_PRIVATE, 0600));
	run(send_message);
	run(receive_message);
	MUST(msgctl(queue, IPC_RMID, NULL));
}

static void send_posix(void)
{
	take("secret");
	MUST(mq_send(queue, words, strlen(words), 0));
}

static void receive_posix(void)
{
	MUST(mq_receive(queue, words, ROOM, NULL));
	give("copy");
}

static void posix_queue(void)
{
	struct mq_attr limits = { .mq_maxmsg = 1, .mq_msgsize = ROOM };

	queue = MUST(mq_open("/provcap", O_CREAT | O_EXCL | O_RDWR, 0600, &limits));
	run(send_posix);
	run(receive_posix);
	MUST(mq_unlink("/provcap"));
}

/* One number after the other, each a character */
static void count_secret(void)
{
	take("secret");
	for (const char *next = words; *next; next++) {
		MUST(eventfd_write(ends[0], *next));
		while (MUST(poll(&(struct pollfd){ .fd = ends[0], .events = POLLIN }, 1, 0)))
			usleep(200);
	}
}

static void count_copy(void)
{
	char text = 0;
	eventfd_t number;

	while (text != '\n') {
		MUST(eventfd_read(ends[0], &number));
		text = number;
		add(&text, 1);
	}
	give("copy");
}

static void event_counter(void)
{
	pid_t sender;

	ends[0] = MUST(eventfd(0, 0));
	sender = start(count_secret);
	run(count_copy);
	await(sender);
}

static void type_secret(void)
{
	take("secret");
	tell(ends[1]);
}

/* What is typed at one end is read at the other. */
static void terminal_input(void)
{
	ends[1] = opened("/dev/ptmx", O_RDWR | O_NOCTTY);
	MUST(grantpt(ends[1]));
	MUST(unlockpt(ends[1]));
	ends[0] = MUST(open(ptsname(ends[1]), O_RDWR | O_NOCTTY));
	run(type_secret);
	run(receive_copy);
}

static void print_secret(void)
{
	take("secret");
	tell(ends[0]);
}

static void read_screen(void)
{
	hear(ends[1]);
	give("copy");
}

static void terminal_output(void)
{
	ends[1] = opened("/dev/ptmx", O_RDWR | O_NOCTTY);
	MUST(grantpt(ends[1]));
	MUST(unlockpt(ends[1]));
	ends[0] = MUST(open(ptsname(ends[1]), O_RDWR | O_NOCTTY));
	run(print_secret);
	run(read_screen);
}

static pid_t other;

static void wait_with_secret(void)
{
	take("secret");
	reached(0);
	await_step(1);
}

static void copy_from_other(void)
{
	struct iovec here = { words, ROOM }, there = { words, ROOM };

	MUST(process_vm_readv(other, &here, 1, &there, 1, 0));
	give("copy");
}

static void other_memory(void)
{
	other = start(wait_with_secret);
	await_step(0);
	run(copy_from_other);
	reached(1);
	await(other);
}

static void copy_from_proc(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", other);
	MUST(pread(opened(path, O_RDONLY), words, ROOM, (off_t)words));
	give("copy");
}

static void proc_memory(void)
{
	other = start(wait_with_secret);
	await_step(0);
	run(copy_from_proc);
	reached(1);
	await(other);
}

static void set_attribute(void)
{
	take("secret");
	MUST(setxattr("common", "trusted.provcap", words, strlen(words), 0));
}

static void get_attribute(void)
{
	MUST(getxattr("common", "trusted.provcap", words, ROOM));
	give("copy");
}

static void attribute(void)
{
	run(set_attribute);
	run(get_attribute);
}

static void write_link(void)
{
	take("secret");
	words[strcspn(words, "\n")] = '\0';
	MUST(symlink(words, "middle"));
}

static void read_link(void)
{
	MUST(readlink("middle", words, ROOM));
	give("copy");
}

static void link_text(void)
{
	run(write_link);
	run(read_link);
}

static void name_folder(void)
{
	take("secret");
	words[strcspn(words, "\n")] = '\0';
	MUST(chdir("inner"));
	MUST(mkdir(words, 0700));
}

static void rename_file(void)
{
	take("secret");
	words[strcspn(words, "\n")] = '\0';
	MUST(rename("common", strcat(strcpy(page, "inner/"), words)));
}

static void list_names(void)
{
	char entries[ROOM];
	ssize_t got = MUST(syscall(SYS_getdents64, opened("inner", O_RDONLY), entries, ROOM));

	for (ssize_t place = 0, length; place < got; place += length) {
		length = *(unsigned short *)(entries + place + 16);
		add(entries + place + 19, strlen(entries + place + 19));
	}
	give("copy");
}

static void folder_name(void)
{
	run(name_folder);
	run(list_names);
}

static void changed_name(void)
{
	static char path[ROOM];

	page = path;
	run(rename_file);
	run(list_names);
}

const struct flow unseen_flows[] = {
	{ "shared_page", shared_page },
	{ "sysv_memory", sysv_memory },
	{ "sysv_queue", sysv_queue },
	{ "posix_queue", posix_queue },
	{ "event_counter", event_counter },
	{ "terminal_input", terminal_input },
	{ "terminal_output", terminal_output },
	{ "other_memory", other_memory },
	{ "proc_memory", proc_memory },
	{ "attribute", attribute },
	{ "link_text", link_text },
	{ "folder_name", folder_name },
	{ "changed_name", changed_name },
	{},
};
