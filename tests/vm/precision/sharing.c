// SPDX-License-Identifier: GPL-2.0
/* Memory that is shared, and the memory of another process */
#include "play.h"
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

enum { READY = 20, SECOND_READY, DONE };

/* Content that is waited for by looking at it alone: `text` is complete when `there` is set. */
struct board {
	volatile int there;
	char text[ROOM - sizeof(int)];
};

/* Only who comes first gives it its size: to set one is to write. */
static struct board *map_board(const char *name, int prot)
{
	int fd = opened(name, O_RDWR | O_CREAT);
	struct board *board;

	if (!MUST(lseek(fd, 0, SEEK_END)))
		MUST(ftruncate(fd, sizeof(struct board)));
	board = MUST(mmap(NULL, sizeof(struct board), prot, MAP_SHARED, fd, 0));
	close(fd);
	return board;
}

static struct board *anonymous_board(void)
{
	return MUST(mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

static void store(struct board *board)
{
	strcpy(board->text, words);
	__sync_synchronize();
	board->there = 1;
}

static void load(struct board *board)
{
	while (!board->there)
		;
	__sync_synchronize();
	add(board->text, sizeof(board->text));
}

static struct board *board;

static void take_and_store(void)
{
	take("secret");
	store(board);
}

static void load_and_give(void)
{
	load(board);
	give("copy");
}

/* Both wait for each other without a call in between. */
static void stored_later(void)
{
	pid_t reader;

	board = anonymous_board();
	reader = start(load_and_give);
	run(take_and_store);
	await(reader);
}

static void load_and_unmap(void)
{
	load(board);
	MUST(munmap(board, sizeof(*board)));
	give("copy");
}

static void load_unmapped(void)
{
	board = anonymous_board();
	run(take_and_store);
	run(load_and_unmap);
}

static void store_by_vfork(void)
{
	pid_t child = vfork();

	if (!child) {
		take("secret");
		_exit(0);
	}
	await(child);
	store(board);
}

static void vfork_store(void)
{
	board = anonymous_board();
	run(store_by_vfork);
	run(load_and_give);
}

static void shared_memfd(void)
{
	int fd = MUST(memfd_create("board", 0));

	MUST(ftruncate(fd, sizeof(*board)));
	board = MUST(mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	run(take_and_store);
	MUST(munmap(board, sizeof(*board)));
	board = MUST(mmap(NULL, sizeof(*board), PROT_READ, MAP_SHARED, fd, 0));
	run(load_and_give);
}

static void store_in_file(void)
{
	board = map_board("middle", PROT_READ | PROT_WRITE);
	take_and_store();
}

static void load_from_file(void)
{
	board = map_board("middle", PROT_READ);
	load_and_give();
}

static void shared_file(void)
{
	run(store_in_file);
	run(load_from_file);
}

static void store_after_move(void)
{
	struct board *before = map_board("middle", PROT_READ | PROT_WRITE);

	board = MUST(mremap(before, sizeof(*board), 4 * sizeof(*board), MREMAP_MAYMOVE));
	take_and_store();
}

static void shared_moved(void)
{
	run(store_after_move);
	run(load_from_file);
}

static void store_when_allowed(void)
{
	board = map_board("middle", PROT_READ);
	take("secret");
	MUST(mprotect(board, sizeof(*board), PROT_READ | PROT_WRITE));
	store(board);
}

static void shared_protected(void)
{
	run(store_when_allowed);
	run(load_from_file);
}

static void map_protected(void)
{
	char *content = MUST(mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE, opened("secret", O_RDONLY), 0));

	MUST(mprotect(content, ROOM, PROT_READ));
	add(content, ROOM);
	give("copy");
}

/* The reader has it mapped before it is written by a call, and makes none itself. */
static void load_what_is_written(void)
{
	char *content = (char *)map_board("middle", PROT_READ);

	reached(READY);
	while (!*(volatile char *)content)
		;
	usleep(1000);
	add(content, ROOM);
	give("copy");
}

static void write_to_mapped(void)
{
	await_step(READY);
	take("secret");
	tell(opened("middle", O_WRONLY));
}

static void mapped_written(void)
{
	pid_t reader = start(load_what_is_written);

	run(write_to_mapped);
	await(reader);
}

/* From one board to the next, by loads and stores alone: it never ends by itself. */
static void carry(const char *from, const char *to, int ready)
{
	struct board *source = map_board(from, PROT_READ);
	struct board *target = map_board(to, PROT_READ | PROT_WRITE);

	reached(ready);
	load(source);
	store(target);
	for (;;)
		;
}

static void carry_first(void)
{
	carry("inner/one", "inner/two", READY);
}

static void carry_second(void)
{
	carry("inner/two", "inner/three", SECOND_READY);
}

static void store_in_first(void)
{
	board = map_board("inner/one", PROT_READ | PROT_WRITE);
	take_and_store();
}

static void stop(pid_t child)
{
	MUST(kill(child, SIGKILL));
	MUST(waitpid(child, NULL, 0));
}

static void load_from_second(void)
{
	board = map_board("inner/two", PROT_READ);
	load_and_give();
}

static void load_from_third(void)
{
	board = map_board("inner/three", PROT_READ);
	load_and_give();
}

static void shared_silently(void)
{
	pid_t carrier = start(carry_first);

	await_step(READY);
	run(store_in_first);
	run(load_from_second);
	stop(carrier);
}

static void shared_by_chain(void)
{
	pid_t carrier = start(carry_first), another = start(carry_second);

	await_step(READY);
	await_step(SECOND_READY);
	run(store_in_first);
	run(load_from_third);
	stop(carrier);
	stop(another);
}

/* Another process, with the secret or waiting for it */
static pid_t other;
static volatile char received[ROOM];

static void give_received(void)
{
	await_step(DONE);
	add((const char *)received, ROOM);
	give("copy");
}

static void write_other_memory(void)
{
	struct iovec here = { words, ROOM }, there = { (void *)received, ROOM };

	take("secret");
	MUST(process_vm_writev(other, &here, 1, &there, 1, 0));
	reached(DONE);
}

static void vm_written(void)
{
	other = start(give_received);
	run(write_other_memory);
	await(other);
}

void attach(pid_t process)
{
	MUST(ptrace(PTRACE_ATTACH, process, NULL, NULL));
	MUST(waitpid(process, NULL, __WALL));
}

void detach(pid_t process)
{
	MUST(ptrace(PTRACE_DETACH, process, NULL, NULL));
}

static void poke(void)
{
	long part;

	take("secret");
	attach(other);
	for (size_t at = 0; at < 128; at += sizeof(part)) {
		memcpy(&part, words + at, sizeof(part));
		MUST(ptrace(PTRACE_POKEDATA, other, received + at, part));
	}
	detach(other);
	reached(DONE);
}

static void poked(void)
{
	other = start(give_received);
	run(poke);
	await(other);
}

static void hold_secret(void)
{
	take("secret");
	reached(READY);
	await_step(DONE);
}

static void peek(char *into)
{
	long part;

	attach(other);
	for (size_t at = 0; at < 128; at += sizeof(part)) {
		errno = 0;
		part = ptrace(PTRACE_PEEKDATA, other, words + at, NULL);
		MUST(errno ? -1 : 0);
		memcpy(into + at, &part, sizeof(part));
	}
	detach(other);
}

static void peek_and_give(void)
{
	await_step(READY);
	peek(words);
	give("copy");
	reached(DONE);
}

static void peeked_memory(void)
{
	other = start(hold_secret);
	run(peek_and_give);
	await(other);
}

const struct flow sharing_flows[] = {
	{ "stored_later", stored_later },
	{ "load_unmapped", load_unmapped },
	{ "vfork_store", vfork_store },
	{ "shared_memfd", shared_memfd },
	{ "shared_file", shared_file },
	{ "shared_file_ext4", shared_file },
	{ "shared_file_overlay", shared_file },
	{ "shared_moved", shared_moved },
	{ "shared_protected", shared_protected },
	{ "map_protected", map_protected },
	{ "mapped_written", mapped_written },
	{ "shared_silently", shared_silently },
	{ "shared_by_chain", shared_by_chain },
	{ "vm_written", vm_written },
	{ "poked", poked },
	{ "peeked_memory", peeked_memory },
	{},
};

static void store_privately(void)
{
	char *content = MUST(mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE,
				  opened("common", O_RDWR), 0));

	strcpy(content, words);
}

static void read_shared(void)
{
	char *content = MUST(mmap(NULL, ROOM, PROT_READ, MAP_SHARED, opened("common", O_RDWR), 0));

	add(content, strlen(content));
}

static void store_in_one(void)
{
	store(map_board("inner/one", PROT_READ | PROT_WRITE));
}

static void store_in_two(void)
{
	struct board *two = map_board("inner/two", PROT_READ | PROT_WRITE);

	store(two);
	load(two);
}

static void map_without_access(void)
{
	map_board("inner/one", PROT_NONE);
}

/* It could carry from one to the other, had it anything to carry. */
static void stay_idle(void)
{
	map_board("inner/one", PROT_READ);
	map_board("inner/two", PROT_READ | PROT_WRITE);
	reached(READY);
	await_step(DONE);
}

static void start_idle(void)
{
	start(stay_idle);
	await_step(READY);
}

static void map_second(void)
{
	map_board("inner/two", PROT_READ);
}

static void map_second_and_end(void)
{
	map_second();
	reached(DONE);
}

/* One leaves before the other begins. */
static void leave_and_give(void)
{
	take("other");
	MUST(munmap(board, sizeof(*board)));
	reached(READY);
	await_step(DONE);
	if (joined)
		hear(ends[0]);
	give("clean");
}

static void store_after_leaving(void)
{
	await_step(READY);
	take_and_store();
	if (joined)
		tell(ends[1]);
	reached(DONE);
	give("own");
}

static void both(void (*first)(void), void (*second)(void))
{
	MUST(pipe(ends));
	other = start(second);
	run(first);
	await(other);
}

static void unmapped_before(void)
{
	board = anonymous_board();
	both(store_after_leaving, leave_and_give);
}

/* Who is read, or only looked at, learns nothing by it. */
static void be_read(void)
{
	MUST(setresuid(1000, 0, 0)); /* somebody else, as far as ptrace is concerned */
	take("other");
	reached(READY);
	await_step(DONE);
	if (joined)
		hear(ends[0]);
	give("clean");
}

static void tell_and_give(void)
{
	if (joined)
		tell(ends[1]);
	reached(DONE);
	give("own");
}

static void read_other(void)
{
	static char unused[ROOM];

	await_step(READY);
	take("secret");
	peek(unused);
	tell_and_give();
}

static void other_read(void)
{
	both(read_other, be_read);
}

/* The right to trace whom it likes */
static void give_up_tracing(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	MUST(syscall(SYS_capget, &head, data));
	data[0].effective &= ~(1u << CAP_SYS_PTRACE);
	data[0].permitted &= ~(1u << CAP_SYS_PTRACE);
	MUST(syscall(SYS_capset, &head, data));
}

static void read_in_vain(void)
{
	struct iovec here = { words, 1 }, there = { words, 1 };

	await_step(READY);
	take("secret");
	give_up_tracing();
	FAILS(process_vm_readv(other, &here, 1, &there, 1, 0), EPERM);
	FAILS(process_vm_writev(other, &here, 1, &there, 1, 0), EPERM);
	FAILS(ptrace(PTRACE_ATTACH, other, NULL, NULL), EPERM);
	tell_and_give();
}

static void access_refused(void)
{
	both(read_in_vain, be_read);
}

const struct pair sharing_pairs[] = {
	{ "private_stores", NULL, store_privately, store_privately, NULL },
	{ "shared_readers", NULL, read_shared, read_shared, NULL },
	{ "different_maps", NULL, store_in_one, store_in_two, NULL },
	{ "shared_unreadable", NULL, store_in_one, map_without_access, NULL },
	{ "idle_carrier", start_idle, map_second, map_second_and_end, NULL },
	{ .name = "unmapped_before", .instead = unmapped_before },
	{ .name = "other_read", .instead = other_read },
	{ .name = "access_refused", .instead = access_refused },
	{},
};
