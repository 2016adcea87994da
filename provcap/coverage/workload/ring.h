/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RING_H
#define RING_H
/* io_uring without a library. Whoever includes this has MUST(). */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENTRIES = 64 };

static int ring;
static char *both_queues;
static struct io_uring_sqe *entries;
static struct io_uring_params facts;

static void *mapped(size_t size, off_t offset)
{
	void *there = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, offset);

	MUST((long)there);
	return there;
}

/* `polled` has it looked after by a thread of the kernel. */
static void make_ring(bool polled)
{
	memset(&facts, 0, sizeof(facts));
	facts.flags = polled ? IORING_SETUP_SQPOLL : 0;
	ring = MUST(syscall(SYS_io_uring_setup, ENTRIES, &facts));
	both_queues = mapped(facts.cq_off.cqes + facts.cq_entries * sizeof(struct io_uring_cqe),
			     IORING_OFF_SQ_RING);
	entries = mapped(ENTRIES * sizeof(*entries), IORING_OFF_SQES);
}

static unsigned int *at(unsigned int offset)
{
	return (void *)(both_queues + offset);
}

static bool is_done(void)
{
	return __atomic_load_n(at(facts.cq_off.tail), __ATOMIC_ACQUIRE) != *at(facts.cq_off.head);
}

static int result(void)
{
	struct io_uring_cqe *done = (void *)(both_queues + facts.cq_off.cqes);
	unsigned int place = *at(facts.cq_off.head) & *at(facts.cq_off.ring_mask);
	int got = done[place].res;

	__sync_fetch_and_add(at(facts.cq_off.head), 1);
	return got;
}

/* One request at a time; its result, -1 with errno */
static int ask(struct io_uring_sqe request)
{
	unsigned int place = *at(facts.sq_off.tail) & *at(facts.sq_off.ring_mask);
	int got;

	entries[place] = request;
	at(facts.sq_off.array)[place] = place;
	__sync_fetch_and_add(at(facts.sq_off.tail), 1);
	MUST(syscall(SYS_io_uring_enter, ring, 1, 1,
		     IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP, NULL, 0));
	while (!is_done())
		usleep(500);
	got = result();
	errno = got < 0 ? -got : 0;
	return got < 0 ? -1 : got;
}

#endif
