// SPDX-License-Identifier: GPL-2.0
/* Through pipes and sockets. */
#include "play.h"
#include <netinet/in.h>
#include <sys/un.h>

static void by_pipe(void)
{
	MUST(pipe(ends));
	hand_on();
}

static int onward[2];

static void pass_onward(void)
{
	hear(ends[0]);
	tell(onward[1]);
}

static void three_processes(void)
{
	MUST(pipe(ends));
	MUST(pipe(onward));
	run(send_secret);
	run(pass_onward);
	ends[0] = onward[0];
	run(receive_copy);
}

static void waiting_reader(void)
{
	pid_t reader;

	MUST(pipe(ends));
	reader = start(receive_copy);
	usleep(50000);
	run(send_secret);
	await(reader);
}

static void send_by_fifo(void)
{
	take("secret");
	tell(opened("fifo", O_WRONLY));
}

static void receive_by_fifo(void)
{
	ends[0] = opened("fifo", O_RDONLY);
	receive_copy();
}

static void by_fifo(void)
{
	pid_t sender = start(send_by_fifo);

	run(receive_by_fifo);
	await(sender);
}

static void by_pair(int type)
{
	MUST(socketpair(AF_UNIX, type, 0, ends));
	hand_on();
}

static void pair_stream(void)
{
	by_pair(SOCK_STREAM);
}

static void pair_datagram(void)
{
	by_pair(SOCK_DGRAM);
}

static void pair_packets(void)
{
	by_pair(SOCK_SEQPACKET);
}

static struct address place;
static int waiting;
const char *network_of_sender;

struct address unix_path(const char *name)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	struct address made = { .length = sizeof(path) };

	strcpy(path.sun_path, name);
	memcpy(&made.storage, &path, sizeof(path));
	return made;
}

struct address unix_abstract(const char *name)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	struct address made = { .length = sizeof(path) };

	snprintf(path.sun_path + 1, sizeof(path.sun_path) - 1, "%s-%s", scenario, name);
	memcpy(&made.storage, &path, sizeof(path));
	return made;
}

struct address loopback(int family)
{
	struct address made = { .length = sizeof(struct sockaddr_in) };
	struct sockaddr_in *v4 = (void *)&made.storage;
	struct sockaddr_in6 *v6 = (void *)&made.storage;

	made.storage.ss_family = family;
	if (family == AF_INET) {
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else {
		v6->sin6_addr = in6addr_loopback;
		made.length = sizeof(*v6);
	}
	return made;
}

/* A port is chosen by the kernel: the address becomes the real one. */
int bound(struct address *address, int type)
{
	int fd = MUST(socket(address->storage.ss_family, type, 0));

	MUST(bind(fd, (void *)&address->storage, address->length));
	if (address->storage.ss_family != AF_UNIX)
		MUST(getsockname(fd, (void *)&address->storage, &address->length));
	return fd;
}

int listening(struct address *address, int type)
{
	int fd = bound(address, type);

	MUST(listen(fd, 4));
	return fd;
}

int connected(const struct address *address, int type)
{
	int fd = MUST(socket(address->storage.ss_family, type, 0));

	MUST(connect(fd, (void *)&address->storage, address->length));
	return fd;
}

static int kind_of_socket;

void enter_network(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = opened(path, O_RDONLY);
	MUST(setns(fd, CLONE_NEWNET));
	close(fd);
}

static void send_to_place(void)
{
	if (network_of_sender)
		enter_network(network_of_sender);
	take("secret");
	tell(connected(&place, kind_of_socket));
}

static void accept_copy(void)
{
	ends[0] = MUST(accept(waiting, NULL, NULL));
	receive_copy();
}

void by_connection(struct address address, int type)
{
	pid_t server;

	place = address;
	kind_of_socket = type;
	waiting = listening(&place, type);
	server = start(accept_copy);
	close(waiting);
	run(send_to_place);
	await(server);
}

static void unix_stream(void)
{
	by_connection(unix_path("socket"), SOCK_STREAM);
}

static void unix_packets(void)
{
	by_connection(unix_path("socket"), SOCK_SEQPACKET);
}

static void unix_abstract_stream(void)
{
	by_connection(unix_abstract("place"), SOCK_STREAM);
}

static void tcp4(void)
{
	by_connection(loopback(AF_INET), SOCK_STREAM);
}

static void tcp6(void)
{
	by_connection(loopback(AF_INET6), SOCK_STREAM);
}

static void receive_at_place(void)
{
	ends[0] = waiting;
	receive_copy();
}

void by_datagram(struct address address)
{
	place = address;
	kind_of_socket = SOCK_DGRAM;
	waiting = bound(&place, SOCK_DGRAM);
	run(send_to_place);
	run(receive_at_place);
}

static void unix_datagram(void)
{
	by_datagram(unix_path("socket"));
}

static void unix_abstract_datagram(void)
{
	by_datagram(unix_abstract("place"));
}

static void udp4(void)
{
	by_datagram(loopback(AF_INET));
}

static void udp6(void)
{
	by_datagram(loopback(AF_INET6));
}

/* Without a connection: the address comes with the message. */
static void send_to_address(void)
{
	int fd = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));

	take("secret");
	MUST(sendto(fd, words, strlen(words), 0, (void *)&place.storage, place.length));
}

static void unix_send_to(void)
{
	place = unix_path("socket");
	waiting = bound(&place, SOCK_DGRAM);
	run(send_to_address);
	run(receive_at_place);
}

enum { MESSAGES = 2 };

static void send_messages(void)
{
	struct iovec part = { words, 0 };
	struct mmsghdr messages[MESSAGES] = {};

	take("secret");
	part.iov_len = strlen(words);
	for (int i = 0; i < MESSAGES; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &part, .msg_iovlen = 1 };
	MUST(sendmmsg(ends[1], messages, MESSAGES, 0));
}

static void receive_messages(void)
{
	struct mmsghdr messages[MESSAGES] = {};
	struct iovec parts[MESSAGES];

	for (int i = 0; i < MESSAGES; i++) {
		parts[i] = (struct iovec){ words + i * 200, 200 };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	MUST(recvmmsg(ends[0], messages, MESSAGES, 0, NULL));
	give("copy");
}

static void many_messages(void)
{
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	run(send_messages);
	run(receive_messages);
}

/* What is only looked at stays in the queue, and yet it has been read. */
static void peek_copy(void)
{
	MUST(recv(ends[0], words, ROOM - 1, MSG_PEEK));
	give("copy");
}

static void peeked(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	run(send_secret);
	run(peek_copy);
}

static char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));

static struct msghdr with_descriptor(struct iovec *part)
{
	return (struct msghdr){
		.msg_iov = part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
}

void pass_descriptor(int socket, int fd)
{
	struct iovec part = { "x", 1 };
	struct msghdr sent = with_descriptor(&part);
	struct cmsghdr *head = CMSG_FIRSTHDR(&sent);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	MUST(sendmsg(socket, &sent, 0));
}

int received_descriptor(int socket)
{
	char byte;
	int fd;
	struct iovec part = { &byte, 1 };
	struct msghdr received = with_descriptor(&part);

	MUST(recvmsg(socket, &received, 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&received)), sizeof(fd));
	return fd;
}

static void send_descriptor(void)
{
	pass_descriptor(ends[1], opened("secret", O_RDONLY));
}

static void receive_descriptor(void)
{
	ends[0] = received_descriptor(ends[0]);
	receive_copy();
}

static void passed_descriptor(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	run(send_descriptor);
	run(receive_descriptor);
}

static void send_file_to_socket(void)
{
	int from = opened("secret", O_RDONLY);
	struct stat status;

	MUST(fstat(from, &status));
	MUST(syscall(SYS_sendfile, ends[1], from, NULL, status.st_size));
}

static void send_file_socket(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	run(send_file_to_socket);
	run(receive_copy);
}

const struct flow channel_flows[] = {
	{ "pipe", by_pipe },
	{ "three_processes", three_processes },
	{ "waiting_reader", waiting_reader },
	{ "fifo", by_fifo },
	{ "pair_stream", pair_stream },
	{ "pair_datagram", pair_datagram },
	{ "pair_packets", pair_packets },
	{ "unix_stream", unix_stream },
	{ "unix_packets", unix_packets },
	{ "unix_abstract_stream", unix_abstract_stream },
	{ "unix_datagram", unix_datagram },
	{ "unix_abstract_datagram", unix_abstract_datagram },
	{ "unix_send_to", unix_send_to },
	{ "tcp4", tcp4 },
	{ "tcp6", tcp6 },
	{ "udp4", udp4 },
	{ "udp6", udp6 },
	{ "many_messages", many_messages },
	{ "peeked", peeked },
	{ "passed_descriptor", passed_descriptor },
	{ "send_file_socket", send_file_socket },
	{},
};
