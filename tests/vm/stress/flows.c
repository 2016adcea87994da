// SPDX-License-Identifier: GPL-2.0
/*
 * flows DIR SCENARIO...: each scenario moves bytes between files of its own, SCENARIO-NAME in DIR, and
 * prints "SCENARIO-NAME PID" for processes that a test asks about.
 */
#include "common.h"

static const char *folder, *scenario;

static const char *path_of(const char *name)
{
	static __thread char path[4096];

	snprintf(path, sizeof(path), "%s/%s-%s", folder, scenario, name);
	return path;
}

static void read_file(const char *name)
{
	char byte[64];
	int fd = MUST(open(path_of(name), O_RDONLY));

	MUST(read(fd, byte, sizeof(byte)));
	close(fd);
}

static void write_file(const char *name)
{
	int fd = MUST(open(path_of(name), O_WRONLY | O_CREAT | O_APPEND, 0600));

	MUST(write(fd, "y", 1));
	close(fd);
}

static void tell(const char *name)
{
	printf("%s-%s %d\n", scenario, name, (int)syscall(SYS_gettid));
	fflush(stdout);
}

/* Until the thread sleeps in a call that receives */
static void await_receive(pid_t pid)
{
	char path[64], line[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	for (;;) {
		int fd = open(path, O_RDONLY);
		long length = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
		int number;

		if (fd >= 0)
			close(fd);
		line[length > 0 ? length : 0] = 0;
		if (length > 0 && line[0] != 'r') {
			number = atoi(line);
			if (number == SYS_read || number == SYS_recvfrom)
				return;
		}
		usleep(1000);
	}
}

static void alternate(void)
{
	read_file("a");
	write_file("b");
	read_file("c");
	write_file("b");
}

static void copy(void)
{
	int from = MUST(open(path_of("from"), O_RDONLY));
	int to = MUST(open(path_of("to"), O_WRONLY | O_CREAT, 0600));
	char block[64];

	for (int i = 0; i < 10000; i++) {
		MUST(pread(from, block, sizeof(block), i * sizeof(block)));
		MUST(pwrite(to, block, sizeof(block), i * sizeof(block)));
	}
}

/* A way to talk: what both ends are, or how to get there */
struct channel {
	int listening, ends[2], back[2];
	struct sockaddr_storage address;
	socklen_t length;
};

static struct channel make_channel(const char *kind)
{
	struct channel channel = { .listening = -1 };

	if (!strcmp(kind, "pipe")) {
		MUST(pipe(channel.ends));
		MUST(pipe(channel.back));
	} else if (!strcmp(kind, "pair")) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, channel.ends));
	} else if (!strcmp(kind, "tcp")) {
		struct sockaddr_in *to = (void *)&channel.address;

		to->sin_family = AF_INET;
		to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		channel.length = sizeof(*to);
		channel.listening = MUST(socket(AF_INET, SOCK_STREAM, 0));
	} else {
		struct sockaddr_un *to = (void *)&channel.address;

		to->sun_family = AF_UNIX;
		strncpy(to->sun_path, path_of("socket"), sizeof(to->sun_path) - 1);
		channel.length = sizeof(*to);
		channel.listening = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	}
	if (channel.listening >= 0) {
		MUST(bind(channel.listening, (void *)&channel.address, channel.length));
		MUST(listen(channel.listening, 4));
		MUST(getsockname(channel.listening, (void *)&channel.address, &channel.length));
	}
	return channel;
}

/* Pipes have one direction each: in[] of the server is ends[0], its out is back[1]. */
static void server_ends(struct channel *channel, int *in, int *out)
{
	if (channel->listening >= 0)
		*in = *out = MUST(accept(channel->listening, NULL, NULL));
	else if (channel->back[0])
		*in = channel->ends[0], *out = channel->back[1];
	else
		*in = *out = channel->ends[0];
}

static void client_ends(struct channel *channel, int *in, int *out)
{
	if (channel->listening >= 0) {
		*in = *out = MUST(socket(channel->address.ss_family, SOCK_STREAM, 0));
		MUST(connect(*out, (void *)&channel->address, channel->length));
	} else if (channel->back[0]) {
		*in = channel->back[0], *out = channel->ends[1];
	} else {
		*in = *out = channel->ends[1];
	}
}

/* One request, one answer; then it hears something more, and does nothing with it. */
static void serve(struct channel *channel, bool more)
{
	char message[64];
	int in, out;

	server_ends(channel, &in, &out);
	MUST(read(in, message, 1));
	write_file("answer");
	if (more) {
		MUST(write(out, "a", 1));
		MUST(read(in, message, 1));
		write_file("afterwards");
	}
	_exit(0);
}

static void ask(struct channel *channel, pid_t server, bool more)
{
	char message[64];
	int in, out;

	client_ends(channel, &in, &out);
	if (server)
		await_receive(server);
	read_file("request");
	MUST(write(out, "q", 1));
	if (more) {
		MUST(read(in, message, 1));
		read_file("late");
		MUST(write(out, "l", 1));
	}
	_exit(0);
}

/* The server waits in its receive before anything is sent. */
static void talk(const char *kind)
{
	struct channel channel = make_channel(kind);
	pid_t server = MUST(fork()), client;

	if (!server)
		serve(&channel, true);
	client = MUST(fork());
	if (!client)
		ask(&channel, server, true);
	reap(server);
	reap(client);
}

/* The request is sent before anybody accepts. */
static void talk_early(const char *kind)
{
	struct channel channel = make_channel(kind);
	pid_t client = MUST(fork()), server;

	if (!client)
		ask(&channel, 0, true);
	await_receive(client);
	server = MUST(fork());
	if (!server)
		serve(&channel, true);
	reap(server);
	reap(client);
}

/* The client has ended before the server starts. */
static void talk_gone(const char *kind)
{
	struct channel channel = make_channel(kind);
	pid_t client = MUST(fork()), server;

	if (!client)
		ask(&channel, 0, false);
	reap(client);
	server = MUST(fork());
	if (!server)
		serve(&channel, false);
	reap(server);
}

static void sibling(const char *from, const char *to)
{
	int fd = MUST(open("/etc/ld.so.cache", O_RDONLY)), null;
	char bytes[4096];

	MUST(read(fd, bytes, sizeof(bytes)));
	MUST(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
	read_file(from);
	write_file(to);
	null = MUST(open("/dev/null", O_RDWR));
	MUST(write(null, bytes, 1));
	MUST(read(null, bytes, 1));
	_exit(0);
}

static void siblings(void)
{
	for (int round = 0; round < 2; round++) {
		pid_t first = MUST(fork()), second;

		if (!first)
			sibling("in1", "out1");
		second = MUST(fork());
		if (!second)
			sibling("in2", "out2");
		reap(first);
		reap(second);
	}
}

/* Three messages in one end; the other takes them out in one way or another. */
static int filled(int type)
{
	int ends[2];

	MUST(socketpair(AF_UNIX, type, 0, ends));
	for (int i = 0; i < 3; i++)
		MUST(send(ends[0], "m", 1, 0));
	return ends[1];
}

static void receive_read(void)
{
	char byte;

	MUST(read(filled(SOCK_SEQPACKET), &byte, 1));
}

static void receive_readv(void)
{
	char bytes[2];
	struct iovec parts[2] = { { bytes, 1 }, { bytes + 1, 1 } };

	MUST(readv(filled(SOCK_SEQPACKET), parts, 2));
}

static void receive_recv(void)
{
	char byte;

	MUST(recv(filled(SOCK_SEQPACKET), &byte, 1, 0));
}

static void receive_recvmsg(void)
{
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	MUST(recvmsg(filled(SOCK_SEQPACKET), &message, 0));
}

static void receive_recvmmsg(void)
{
	char bytes[3];
	struct iovec parts[3];
	struct mmsghdr messages[3] = {};

	for (int i = 0; i < 3; i++) {
		parts[i] = (struct iovec){ bytes + i, 1 };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	if (MUST(recvmmsg(filled(SOCK_DGRAM), messages, 3, 0, NULL)) != 3)
		_exit(1);
}

static void receive(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} ways[] = {
		{ "read", receive_read },	{ "readv", receive_readv },
		{ "recv", receive_recv },	{ "recvmsg", receive_recvmsg },
		{ "recvmmsg", receive_recvmmsg },
	};

	for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		pid_t child = MUST(fork());

		if (!child) {
			tell(ways[i].name);
			ways[i].run();
			_exit(0);
		}
		reap(child);
	}
}

static void *first_thread(void *unused)
{
	read_file("a");
	return unused;
}

static void *second_thread(void *unused)
{
	write_file("b");
	return unused;
}

static void threads(void)
{
	pthread_t thread;

	MUST(-pthread_create(&thread, NULL, first_thread, NULL));
	pthread_join(thread, NULL);
	MUST(-pthread_create(&thread, NULL, second_thread, NULL));
	pthread_join(thread, NULL);
}

static int reads_a(void *unused)
{
	read_file("a");
	return 0;
}

/* Another process, the same memory */
static void shared_memory(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	reap(MUST(clone(reads_a, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL)));
	write_file("b");
}

static void hand_on(const char *from, const char *to)
{
	pid_t child = MUST(fork());

	if (!child) {
		read_file(from);
		write_file(to);
		_exit(0);
	}
	reap(child);
}

/* The file leaves the inode cache between the two who use it. */
static void evict(void)
{
	int fd;

	hand_on("a", "b");
	sync();
	fd = MUST(open("/proc/sys/vm/drop_caches", O_WRONLY));
	MUST(write(fd, "3", 1));
	close(fd);
	hand_on("b", "c");
}

static void play(void)
{
	if (!strcmp(scenario, "alternate"))
		alternate();
	else if (!strcmp(scenario, "copy"))
		copy();
	else if (!strcmp(scenario, "siblings"))
		siblings();
	else if (!strcmp(scenario, "receive"))
		receive();
	else if (!strcmp(scenario, "evict"))
		evict();
	else if (!strcmp(scenario, "threads"))
		threads();
	else if (!strcmp(scenario, "sharedmemory"))
		shared_memory();
	else if (strstr(scenario, "early"))
		talk_early(strstr(scenario, "tcp") ? "tcp" : "unix");
	else if (strstr(scenario, "gone"))
		talk_gone(strstr(scenario, "tcp") ? "tcp" : "unix");
	else
		talk(scenario);
}

/* Each scenario in a process of its own, so that none knows what another has read */
int main(int argc, char **argv)
{
	folder = argv[1];
	for (int i = 2; i < argc; i++) {
		pid_t child = MUST(fork());

		if (!child) {
			scenario = argv[i];
			alarm(300); /* one that hangs; a busy machine is no failure */
			play();
			_exit(0);
		}
		reap(child);
	}
	return 0;
}
