// SPDX-License-Identifier: GPL-2.0
/* Objects that processes share by number or descriptor: two of each, and none that both use, keep apart. */
#include "play.h"
#include <mqueue.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <termios.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

struct message {
	long type;
	char text[256];
};

static int objects[2]; /* the first one's and the second one's; or one for both */

static void send_to(int queue, long type)
{
	struct message sent = { .type = type };

	strcpy(sent.text, words);
	MUST(msgsnd(queue, &sent, sizeof(sent.text), 0));
}

static void receive_from(int queue, long type, int flags)
{
	struct message received;

	MUST(msgrcv(queue, &received, sizeof(received.text), type, flags));
	add(received.text, strlen(received.text));
}

static void make_queues(void)
{
	objects[0] = MUST(msgget(IPC_PRIVATE, 0600));
	objects[1] = MUST(msgget(IPC_PRIVATE, 0600));
}

static void send_first(void)
{
	send_to(objects[0], 1);
}

static void use_other_queue(void)
{
	send_to(objects[1], 1);
	receive_from(objects[1], 0, 0);
}

/* One queue, and a message of another type in front of what is wanted */
static void use_same_queue(void)
{
	struct message received;

	FAILS(msgrcv(objects[0], &received, sizeof(received.text), 3, IPC_NOWAIT), ENOMSG);
	FAILS(msgrcv(objects[0], &received, 1, 1, IPC_NOWAIT), E2BIG);
	send_to(objects[0], 2);
	receive_from(objects[0], 2, 0);
}

/* Looks at the second message alone: the first stays in the queue, unread. */
static void peek_second(void)
{
	send_to(objects[0], 2);
	receive_from(objects[0], 1, MSG_COPY | IPC_NOWAIT);
}

static void send_peeked(void)
{
	take("secret");
	send_to(objects[0], 1);
}

static void copy_peeked(void)
{
	receive_from(objects[0], 0, MSG_COPY | IPC_NOWAIT);
	give("copy");
}

static void peeked_message(void)
{
	make_queues();
	run(send_peeked);
	run(copy_peeked);
}

static void wait_for_message(void)
{
	receive_from(objects[0], 0, 0);
	give("copy");
}

/* The receiver waits already: the sender hands the message over. */
static void waiting_for_message(void)
{
	pid_t receiver;

	make_queues();
	receiver = start(wait_for_message);
	usleep(100000);
	run(send_peeked);
	await(receiver);
}

static int posix_queue(const char *name)
{
	struct mq_attr limits = { .mq_maxmsg = 2, .mq_msgsize = ROOM };
	int queue = MUST(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &limits));

	MUST(mq_unlink(name));
	return queue;
}

static void post(int queue, unsigned int priority)
{
	MUST(mq_send(queue, words, strlen(words), priority));
}

static void fetch(int queue)
{
	char text[ROOM];
	ssize_t got = MUST(mq_receive(queue, text, ROOM, NULL));

	add(text, got);
}

static void make_posix_queues(void)
{
	objects[0] = posix_queue("/provcap-one");
	objects[1] = posix_queue("/provcap-other");
}

static void post_first(void)
{
	post(objects[0], 1);
}

static void use_other_posix_queue(void)
{
	post(objects[1], 1);
	fetch(objects[1]);
}

/* One queue: what is more urgent is handed out first. */
static void use_same_posix_queue(void)
{
	post(objects[0], 2);
	fetch(objects[0]);
}

static void fetch_copy(void)
{
	fetch(objects[0]);
	give("copy");
}

static void post_secret(void)
{
	take("secret");
	post_first();
}

static void waiting_for_post(void)
{
	pid_t receiver;

	make_posix_queues();
	receiver = start(fetch_copy);
	usleep(100000);
	run(post_secret);
	await(receiver);
}

static void make_counters(void)
{
	objects[0] = MUST(eventfd(0, EFD_NONBLOCK));
	objects[1] = MUST(eventfd(0, EFD_NONBLOCK));
}

static void count_first(void)
{
	MUST(eventfd_write(objects[0], strlen(words)));
}

static void use_other_counter(void)
{
	eventfd_t value;

	MUST(eventfd_write(objects[1], strlen(words)));
	MUST(eventfd_read(objects[1], &value));
	FAILS(eventfd_read(objects[1], &value), EAGAIN);
}

static void count_and_drain(void)
{
	eventfd_t value;

	count_first();
	MUST(eventfd_read(objects[0], &value));
}

static void find_counter_empty(void)
{
	eventfd_t value;

	FAILS(eventfd_read(objects[0], &value), EAGAIN);
}

static int slaves[2];

/* A terminal that puts in carriage returns hands a text over in pieces, and one read may get a part. */
static void hand_over_whole(int terminal)
{
	struct termios how;

	MUST(tcgetattr(terminal, &how));
	how.c_oflag &= ~OPOST;
	MUST(tcsetattr(terminal, TCSANOW, &how));
}

static void open_terminal(int which)
{
	objects[which] = opened("/dev/ptmx", O_RDWR | O_NOCTTY);
	MUST(grantpt(objects[which]));
	MUST(unlockpt(objects[which]));
	slaves[which] = MUST(open(ptsname(objects[which]), O_RDWR | O_NOCTTY));
	hand_over_whole(slaves[which]);
}

static void open_terminals(void)
{
	open_terminal(0);
	open_terminal(1);
}

static void use_terminal(int which)
{
	tell(slaves[which]);
	hear(objects[which]);
}

static void use_first_terminal(void)
{
	use_terminal(0);
}

static void use_other_terminal(void)
{
	use_terminal(1);
}

static void print_first(void)
{
	tell(slaves[0]);
}

/* What is typed is read, not what has been printed. */
static void type_and_read(void)
{
	tell(objects[0]);
	hear(slaves[0]);
}

/* By the name that every process has for its own terminal */
static void print_to_own(void)
{
	MUST(setsid());
	MUST(ioctl(slaves[0], TIOCSCTTY, 0));
	take("secret");
	tell(opened("/dev/tty", O_WRONLY));
}

static void read_screen(void)
{
	hear(objects[0]);
	give("copy");
}

static void own_terminal(void)
{
	open_terminal(0);
	run(print_to_own);
	run(read_screen);
}

static char *attached(int segment, int flags)
{
	return MUST(shmat(segment, NULL, flags));
}

static void make_segments(void)
{
	objects[0] = MUST(shmget(IPC_PRIVATE, ROOM, 0600));
	objects[1] = MUST(shmget(IPC_PRIVATE, ROOM, 0600));
}

static void fill_first(void)
{
	char *page = attached(objects[0], 0);

	strcpy(page, words);
	MUST(shmdt(page));
}

static void use_other_segment(void)
{
	char *page = attached(objects[1], 0);

	strcpy(page, words);
	add(page, strlen(page));
	MUST(shmdt(page));
}

static void fill_with_secret(void)
{
	char *page = attached(objects[0], 0);

	take("secret");
	strcpy(page, words);
	MUST(shmdt(page));
}

static void copy_segment(void)
{
	char *page = attached(objects[0], SHM_RDONLY);

	add(page, strlen(page));
	give("copy");
}

/* The writer has detached it before the reader comes. */
static void left_in_memory(void)
{
	make_segments();
	run(fill_with_secret);
	run(copy_segment);
}

static void hold_secret(void)
{
	opened("secret", O_RDONLY);
	reached(0);
	await_step(1);
}

/* A descriptor of another process, under the number that it has there */
static void take_descriptor(void)
{
	int process = MUST(syscall(SYS_pidfd_open, objects[0], 0));

	await_step(0);
	hear(MUST(syscall(SYS_pidfd_getfd, process, objects[1], 0)));
	give("copy");
}

static void taken_descriptor(void)
{
	objects[1] = MUST(dup(0));
	close(objects[1]);
	objects[0] = start(hold_secret);
	run(take_descriptor);
	reached(1);
	await(objects[0]);
}

const struct flow ipc_flows[] = {
	{ "peeked_message", peeked_message },
	{ "waiting_for_message", waiting_for_message },
	{ "waiting_for_post", waiting_for_post },
	{ "own_terminal", own_terminal },
	{ "left_in_memory", left_in_memory },
	{ "taken_descriptor", taken_descriptor },
	{},
};

const struct pair ipc_pairs[] = {
	{ "other_queue", make_queues, send_first, use_other_queue, NULL },
	{ "same_queue", make_queues, send_first, use_same_queue, NULL },
	{ "second_peeked", make_queues, send_first, peek_second, NULL },
	{ "other_posix_queue", make_posix_queues, post_first, use_other_posix_queue, NULL },
	{ "same_posix_queue", make_posix_queues, post_first, use_same_posix_queue, NULL },
	{ "other_counter", make_counters, count_first, use_other_counter, NULL },
	{ "counter_drained", make_counters, count_and_drain, find_counter_empty, NULL },
	{ "other_terminal", open_terminals, use_first_terminal, use_other_terminal, NULL },
	{ "printed_and_typed", open_terminals, print_first, type_and_read, NULL },
	{ "other_segment", make_segments, fill_first, use_other_segment, NULL },
	{},
};
