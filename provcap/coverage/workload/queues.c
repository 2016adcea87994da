// SPDX-License-Identifier: GPL-2.0
/* Messages of System V and POSIX queues. */
#include "act.h"
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

enum { TYPE = 7, LENGTH = 3, KEY = 0x70726f76, PRIORITY = 5 };

struct message {
	long type;
	char text[LENGTH];
};

static int queue;

static void make_queue(key_t key)
{
	queue = MUST(msgget(key, IPC_CREAT | 0600));
}

static long send_one(int flags)
{
	struct message sent = { .type = TYPE, .text = "one" };

	return msgsnd(queue, &sent, LENGTH, flags);
}

static long receive_one(int flags)
{
	struct message received;

	return msgrcv(queue, &received, LENGTH, 0, flags);
}

static void send_message(void)
{
	make_queue(KEY);
	begin();
	MUST(send_one(0));
	end();
	MUST(msgctl(queue, IPC_RMID, NULL));
}

static void receive_message(void)
{
	make_queue(IPC_PRIVATE);
	MUST(send_one(0));
	begin();
	MUST(receive_one(0));
	end();
}

/* Two kinds in one queue: only what was asked for is received. */
static void receive_second(void)
{
	struct message other = { .type = TYPE + 1, .text = "two" };

	make_queue(IPC_PRIVATE);
	MUST(send_one(0));
	MUST(msgsnd(queue, &other, LENGTH, 0));
	begin();
	MUST(msgrcv(queue, &other, LENGTH, TYPE + 1, 0));
	end();
}

static void receive_empty(void)
{
	make_queue(IPC_PRIVATE);
	begin();
	FAILS(receive_one(IPC_NOWAIT), ENOMSG);
	end();
}

static void receive_too_long(void)
{
	struct message received;

	make_queue(IPC_PRIVATE);
	MUST(send_one(0));
	begin();
	FAILS(msgrcv(queue, &received, 1, 0, 0), E2BIG);
	end();
}

static void receive_nowhere(void)
{
	make_queue(IPC_PRIVATE);
	MUST(send_one(0));
	begin();
	FAILS(msgrcv(queue, (void *)1, LENGTH, 0, 0), EFAULT);
	end();
}

static void receive_forbidden(void)
{
	make_queue(IPC_PRIVATE);
	MUST(send_one(0));
	act_as(1000);
	begin();
	FAILS(receive_one(0), EACCES);
	end();
	act_as(0);
}

static void send_forbidden(void)
{
	make_queue(IPC_PRIVATE);
	act_as(1000);
	begin();
	FAILS(send_one(0), EACCES);
	end();
	act_as(0);
}

static void send_nowhere(void)
{
	begin();
	FAILS(msgsnd(-1, &(struct message){ .type = TYPE }, LENGTH, 0), EINVAL);
	FAILS(msgsnd(queue, (void *)1, LENGTH, 0), EFAULT);
	end();
}

static void send_full(void)
{
	struct msqid_ds limits;

	make_queue(IPC_PRIVATE);
	MUST(msgctl(queue, IPC_STAT, &limits));
	limits.msg_qbytes = LENGTH;
	MUST(msgctl(queue, IPC_SET, &limits));
	MUST(send_one(0));
	begin();
	FAILS(send_one(IPC_NOWAIT), EAGAIN);
	end();
}

/* The message stays where it is: looked at twice, then taken. */
static void peek_message(void)
{
	make_queue(IPC_PRIVATE);
	MUST(send_one(0));
	begin();
	MUST(receive_one(MSG_COPY | IPC_NOWAIT));
	MUST(receive_one(0));
	end();
}

static int send_later(void *unused)
{
	pause_ms(100);
	MUST(send_one(0));
	_exit(0);
}

/* The receiver is there first, so the sender hands the message over itself. */
static void receive_waiting(void)
{
	int child;

	make_queue(IPC_PRIVATE);
	child = start(SIGCHLD, send_later, NULL);
	begin();
	MUST(receive_one(0));
	await_child(child);
	end();
}

static const struct mq_attr limits = { .mq_maxmsg = 1, .mq_msgsize = LENGTH };
static char text[LENGTH];

static void open_queue(int flags)
{
	queue = MUST(mq_open("/provcap-act", O_CREAT | O_EXCL | O_RDWR | flags, 0600, &limits));
	MUST(mq_unlink("/provcap-act"));
	called("queue", queue);
}

static void send_posix(void)
{
	open_queue(0);
	begin();
	MUST(mq_send(queue, "one", LENGTH, PRIORITY));
	end();
}

static void receive_posix(void)
{
	open_queue(0);
	MUST(mq_send(queue, "one", LENGTH, PRIORITY));
	begin();
	MUST(mq_receive(queue, text, LENGTH, NULL));
	end();
}

static void receive_posix_empty(void)
{
	open_queue(O_NONBLOCK);
	begin();
	FAILS(mq_receive(queue, text, LENGTH, NULL), EAGAIN);
	end();
}

static void send_posix_full(void)
{
	open_queue(O_NONBLOCK);
	MUST(mq_send(queue, "one", LENGTH, PRIORITY));
	begin();
	FAILS(mq_send(queue, "two", LENGTH, PRIORITY), EAGAIN);
	end();
}

static void send_posix_refused(void)
{
	open_queue(0);
	begin();
	FAILS(mq_send(queue, "long", LENGTH + 1, PRIORITY), EMSGSIZE);
	FAILS(mq_send(-1, "one", LENGTH, PRIORITY), EBADF);
	FAILS(mq_send(here, "one", LENGTH, PRIORITY), EBADF);
	FAILS(mq_send(queue, (void *)1, LENGTH, PRIORITY), EFAULT);
	end();
}

static int send_posix_later(void *unused)
{
	pause_ms(100);
	MUST(mq_send(queue, "one", LENGTH, PRIORITY));
	_exit(0);
}

static void receive_posix_waiting(void)
{
	int child;

	open_queue(0);
	child = start(SIGCHLD, send_posix_later, NULL);
	begin();
	MUST(mq_receive(queue, text, LENGTH, NULL));
	await_child(child);
	end();
}

const struct operation queues[] = {
	{ "send_message", send_message },
	{ "receive_message", receive_message },
	{ "receive_second", receive_second },
	{ "receive_nothing", receive_empty },
	{ "receive_too_long", receive_too_long },
	{ "receive_nowhere", receive_nowhere },
	{ "receive_forbidden", receive_forbidden },
	{ "send_forbidden", send_forbidden },
	{ "send_nowhere", send_nowhere },
	{ "send_full", send_full },
	{ "peek_message", peek_message },
	{ "receive_waiting", receive_waiting },
	{ "send_posix", send_posix },
	{ "receive_posix", receive_posix },
	{ "receive_posix_empty", receive_posix_empty },
	{ "send_posix_full", send_posix_full },
	{ "send_posix_refused", send_posix_refused },
	{ "receive_posix_waiting", receive_posix_waiting },
	{},
};
