// SPDX-License-Identifier: GPL-2.0
/* Out of the way: flows that no hook reports yet have their reason in scenarios.py. */
#include "play.h"
#include <linux/io_uring.h>
#include <mqueue.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/xattr.h>

static void splice_secret(void)
{
	MUST(splice(opened("secret", O_RDONLY), NULL, ends[1], NULL, ROOM, 0));
}

static void splice_in(void)
{
	MUST(pipe(ends));
	run(splice_secret);
	run(receive_copy);
}

static void splice_copy(void)
{
	MUST(splice(ends[0], NULL, opened("copy", O_WRONLY | O_CREAT), NULL, ROOM, 0));
}

static void splice_out(void)
{
	MUST(pipe(ends));
	run(send_secret);
	run(splice_copy);
}

static int onward[2];

static void tee_onward(void)
{
	MUST(tee(ends[0], onward[1], ROOM, 0));
}

static void tee_pipes(void)
{
	MUST(pipe(ends));
	MUST(pipe(onward));
	run(send_secret);
	run(tee_onward);
	ends[0] = onward[0];
	run(receive_copy);
}

static void give_pages(void)
{
	struct iovec part = { words, 0 };

	take("secret");
	part.iov_len = strlen(words);
	MUST(vmsplice(ends[1], &part, 1, 0));
}

static void vm_splice(void)
{
	MUST(pipe(ends));
	run(give_pages);
	run(receive_copy);
}

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

/* A ring with one request at a time; `async` has it done by a thread of the kernel. */
static int ring;
static char *queues;
static struct io_uring_sqe *entries;
static struct io_uring_params ring_facts;

static void make_ring(void)
{
	size_t size;

	memset(&ring_facts, 0, sizeof(ring_facts));
	ring = MUST(syscall(SYS_io_uring_setup, 1, &ring_facts));
	size = ring_facts.cq_off.cqes + ring_facts.cq_entries * sizeof(struct io_uring_cqe);
	queues = MUST(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
			   IORING_OFF_SQ_RING));
	entries = MUST(mmap(NULL, sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
			    IORING_OFF_SQES));
}

static void submit(int operation, int fd, size_t length, int flags)
{
	unsigned int *head = (void *)(queues + ring_facts.cq_off.head);
	struct io_uring_cqe *done = (void *)(queues + ring_facts.cq_off.cqes);
	unsigned int place = *head & *(unsigned int *)(queues + ring_facts.cq_off.ring_mask);

	*entries = (struct io_uring_sqe){
		.opcode = operation,
		.flags = flags,
		.fd = fd,
		.addr = (unsigned long)words,
		.len = length,
	};
	*(unsigned int *)(queues + ring_facts.sq_off.array) = 0;
	__sync_fetch_and_add((unsigned int *)(queues + ring_facts.sq_off.tail), 1);
	MUST(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	errno = -done[place].res;
	MUST(done[place].res < 0 ? -1 : 0);
	__sync_fetch_and_add(head, 1);
}

static void copy_by_ring(int flags)
{
	make_ring();
	submit(IORING_OP_READ, opened("secret", O_RDONLY), ROOM - 1, flags);
	submit(IORING_OP_WRITE, opened("copy", O_WRONLY | O_CREAT), strlen(words), flags);
}

static void ring_at_once(void)
{
	copy_by_ring(0);
}

static void ring_by_worker(void)
{
	copy_by_ring(IOSQE_ASYNC);
}

const struct flow unseen_flows[] = {
	{ "splice_in", splice_in },
	{ "splice_out", splice_out },
	{ "tee", tee_pipes },
	{ "vmsplice", vm_splice },
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
	{ "ring_at_once", ring_at_once },
	{ "ring_by_worker", ring_by_worker },
	{},
};
