// SPDX-License-Identifier: GPL-2.0
/* Sockets: TCP over loopback, unix sockets under abstract names. UDP is in packets.c. */
#include "act.h"
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { PORT = 7001, OTHER_PORT = 7101, NETLINK_PORT = 712345, VSOCK_PORT = 7411 };

static char byte;
static int pair[2];

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static struct sockaddr_in6 loopback6(int port)
{
	return (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = in6addr_loopback,
	};
}

static struct sockaddr_un abstract(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path + 1, name);
	return address;
}

#define AS_ADDRESS(address) (struct sockaddr *)&(address), sizeof(address)

static int new_socket(const char *name, int family, int type)
{
	int fd = MUST(socket(family, type, 0));

	called(name, fd);
	return fd;
}

static int listening(int family, struct sockaddr *address, socklen_t size)
{
	int fd = new_socket("listener", family, SOCK_STREAM);

	if (family != AF_UNIX)
		MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)));
	MUST(bind(fd, address, size));
	MUST(listen(fd, 1));
	return fd;
}

/* Three sockets of one TCP connection, all of them ours */
static int listener, client, server;

static void connect_tcp(int port)
{
	struct sockaddr_in address = loopback(port);

	listener = listening(AF_INET, AS_ADDRESS(address));
	client = new_socket("client", AF_INET, SOCK_STREAM);
	MUST(connect(client, AS_ADDRESS(address)));
	server = MUST(accept(listener, NULL, NULL));
	called("server", server);
}

static void listen_tcp6(int port)
{
	struct sockaddr_in6 address = loopback6(port);

	listener = listening(AF_INET6, AS_ADDRESS(address));
	client = new_socket("client", AF_INET6, SOCK_STREAM);
}

static int join_tcp6(int port)
{
	struct sockaddr_in6 address = loopback6(port);

	return connect(client, AS_ADDRESS(address));
}

static void create_socket(void)
{
	int fd;

	begin();
	fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	end();
	called("made", fd);
}

static void create_refused(void)
{
	begin();
	FAILS(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	end();
}

static void bind_socket(void)
{
	int fd = new_socket("made", AF_INET, SOCK_STREAM);
	struct sockaddr_in address = loopback(PORT);

	begin();
	MUST(bind(fd, AS_ADDRESS(address)));
	end();
}

static void listen_socket(void)
{
	int fd = new_socket("made", AF_INET, SOCK_STREAM);
	struct sockaddr_in address = loopback(PORT + 1);

	MUST(bind(fd, AS_ADDRESS(address)));
	begin();
	MUST(listen(fd, 1));
	end();
}

static void connect_socket(void)
{
	struct sockaddr_in address = loopback(PORT + 2);

	listening(AF_INET, AS_ADDRESS(address));
	client = new_socket("client", AF_INET, SOCK_STREAM);
	begin();
	MUST(connect(client, AS_ADDRESS(address)));
	end();
}

static void accept_socket(void)
{
	struct sockaddr_in address = loopback(PORT + 3);

	listener = listening(AF_INET, AS_ADDRESS(address));
	client = new_socket("client", AF_INET, SOCK_STREAM);
	address = loopback(OTHER_PORT);
	MUST(bind(client, AS_ADDRESS(address)));
	address = loopback(PORT + 3);
	MUST(connect(client, AS_ADDRESS(address)));
	begin();
	server = MUST(accept(listener, NULL, NULL));
	end();
	called("server", server);
}

static void accept_empty(void)
{
	struct sockaddr_in address = loopback(PORT + 4);

	listener = listening(AF_INET, AS_ADDRESS(address));
	MUST(fcntl(listener, F_SETFL, O_NONBLOCK));
	begin();
	FAILS(accept(listener, NULL, NULL), EAGAIN);
	end();
}

static void connect_tcp6(void)
{
	listen_tcp6(PORT + 11);
	begin();
	MUST(join_tcp6(PORT + 11));
	end();
}

static void connect_tcp6_nobody(void)
{
	client = new_socket("client", AF_INET6, SOCK_STREAM);
	begin();
	FAILS(join_tcp6(PORT + 99), ECONNREFUSED);
	end();
}

static void accept_tcp6(void)
{
	struct sockaddr_in6 mine = loopback6(OTHER_PORT + 1);

	listen_tcp6(PORT + 12);
	MUST(bind(client, AS_ADDRESS(mine)));
	MUST(join_tcp6(PORT + 12));
	begin();
	server = MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	end();
	called("server", server);
}

static void tcp6(void)
{
	listen_tcp6(PORT + 13);
	MUST(join_tcp6(PORT + 13));
	server = MUST(accept(listener, NULL, NULL));
	called("server", server);
	begin();
	MUST(send(client, "x", 1, 0));
	MUST(recv(server, &byte, 1, 0));
	end();
}

static void send_tcp(void)
{
	connect_tcp(PORT + 5);
	begin();
	MUST(send(client, "x", 1, 0));
	end();
}

static void receive_tcp(void)
{
	connect_tcp(PORT + 6);
	MUST(send(client, "x", 1, 0));
	begin();
	MUST(recv(server, &byte, 1, 0));
	end();
}

static void receive_empty(void)
{
	connect_tcp(PORT + 7);
	begin();
	FAILS(recv(server, &byte, 1, MSG_DONTWAIT), EAGAIN);
	end();
}

static void receive_ended(void)
{
	connect_tcp(PORT + 8);
	MUST(shutdown(client, SHUT_WR));
	begin();
	MUST(recv(server, &byte, 1, 0));
	end();
}

/* The sender is gone before the receiver reads. */
static void receive_after_close(void)
{
	connect_tcp(PORT + 9);
	begin();
	MUST(send(client, "x", 1, 0));
	MUST(close(client));
	MUST(recv(server, &byte, 1, 0));
	end();
}

static void file_calls(void)
{
	connect_tcp(PORT + 10);
	begin();
	MUST(write(client, "x", 1));
	MUST(read(server, &byte, 1));
	end();
}

static void joined(int type)
{
	MUST(socketpair(AF_UNIX, type, 0, pair));
	called("left", pair[0]);
	called("right", pair[1]);
}

static void file_calls_in_parts(void)
{
	struct iovec part = { &byte, 1 };

	joined(SOCK_STREAM);
	begin();
	MUST(writev(pair[0], &part, 1));
	MUST(readv(pair[1], &part, 1));
	end();
}

static void file_calls_datagram(void)
{
	joined(SOCK_DGRAM);
	begin();
	MUST(write(pair[0], "x", 1));
	MUST(read(pair[1], &byte, 1));
	end();
}

static void file_calls_refused(void)
{
	joined(SOCK_STREAM);
	signal(SIGPIPE, SIG_IGN);
	MUST(fcntl(pair[0], F_SETFL, O_NONBLOCK));
	MUST(shutdown(pair[0], SHUT_WR));
	begin();
	FAILS(write(pair[0], "x", 1), EPIPE);
	FAILS(read(pair[0], &byte, 1), EAGAIN);
	end();
}

/* One kind after the other: what the first leaves on the kernel's stack says nothing about the second. */
static void both_calls(void)
{
	joined(SOCK_DGRAM);
	begin();
	MUST(write(pair[0], "x", 1));
	MUST(send(pair[0], "x", 1, 0));
	MUST(read(pair[1], &byte, 1));
	MUST(recv(pair[1], &byte, 1, 0));
	end();
}

static void many_messages(void)
{
	char bytes[2];
	struct iovec parts[] = { { bytes, 1 }, { bytes + 1, 1 } };
	struct mmsghdr messages[] = {
		{ .msg_hdr = { .msg_iov = &parts[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &parts[1], .msg_iovlen = 1 } },
	};

	joined(SOCK_DGRAM);
	begin();
	MUST(sendmmsg(pair[0], messages, 2, 0));
	MUST(recvmmsg(pair[1], messages, 2, 0, NULL));
	end();
}

static void bind_netlink(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_pid = NETLINK_PORT };
	int fd = new_socket("made", AF_NETLINK, SOCK_RAW);

	begin();
	MUST(bind(fd, AS_ADDRESS(address)));
	end();
}

static void bind_vsock(void)
{
	struct sockaddr_vm address = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_LOCAL,
		.svm_port = VSOCK_PORT,
	};
	int fd = new_socket("made", AF_VSOCK, SOCK_STREAM);

	begin();
	MUST(bind(fd, AS_ADDRESS(address)));
	end();
}

static void socket_pair(void)
{
	begin();
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(send(pair[0], "x", 1, 0));
	MUST(recv(pair[1], &byte, 1, 0));
	end();
	called("left", pair[0]);
	called("right", pair[1]);
}

static void unix_stream(void)
{
	struct sockaddr_un address = abstract("provcap-stream");

	listener = listening(AF_UNIX, AS_ADDRESS(address));
	client = new_socket("client", AF_UNIX, SOCK_STREAM);
	begin();
	MUST(connect(client, AS_ADDRESS(address)));
	MUST(send(client, "x", 1, 0)); /* to a socket that nobody has accepted yet */
	server = MUST(accept(listener, NULL, NULL));
	MUST(recv(server, &byte, 1, 0));
	end();
	called("server", server);
}

static void unix_datagram(void)
{
	struct sockaddr_un address = abstract("provcap-datagram");
	int from = new_socket("from", AF_UNIX, SOCK_DGRAM), to = new_socket("to", AF_UNIX, SOCK_DGRAM);

	MUST(bind(to, AS_ADDRESS(address)));
	begin();
	MUST(sendto(from, "x", 1, 0, AS_ADDRESS(address)));
	MUST(recv(to, &byte, 1, 0));
	end();
}

static void connect_datagram(void)
{
	struct sockaddr_un address = abstract("provcap-connected");
	int from = new_socket("from", AF_UNIX, SOCK_DGRAM), to = new_socket("to", AF_UNIX, SOCK_DGRAM);

	MUST(bind(to, AS_ADDRESS(address)));
	begin();
	MUST(connect(from, AS_ADDRESS(address)));
	end();
}

static void send_connected(void)
{
	struct sockaddr_un address = abstract("provcap-connected-too");
	int from = new_socket("from", AF_UNIX, SOCK_DGRAM), to = new_socket("to", AF_UNIX, SOCK_DGRAM);

	MUST(bind(to, AS_ADDRESS(address)));
	MUST(connect(from, AS_ADDRESS(address)));
	begin();
	MUST(send(from, "x", 1, 0));
	MUST(recv(to, &byte, 1, 0));
	end();
}

const struct operation sockets[] = {
	{ "create_socket", create_socket },
	{ "create_socket_refused", create_refused },
	{ "bind", bind_socket },
	{ "listen", listen_socket },
	{ "connect", connect_socket },
	{ "accept", accept_socket },
	{ "accept_empty", accept_empty },
	{ "connect_tcp6", connect_tcp6 },
	{ "connect_tcp6_nobody", connect_tcp6_nobody },
	{ "accept_tcp6", accept_tcp6 },
	{ "tcp6", tcp6 },
	{ "send_tcp", send_tcp },
	{ "receive_tcp", receive_tcp },
	{ "receive_empty", receive_empty },
	{ "receive_ended", receive_ended },
	{ "receive_after_close", receive_after_close },
	{ "file_calls", file_calls },
	{ "file_calls_in_parts", file_calls_in_parts },
	{ "file_calls_datagram", file_calls_datagram },
	{ "file_calls_refused", file_calls_refused },
	{ "both_calls", both_calls },
	{ "many_messages", many_messages },
	{ "bind_netlink", bind_netlink },
	{ "bind_vsock", bind_vsock },
	{ "socket_pair", socket_pair },
	{ "unix_stream", unix_stream },
	{ "unix_datagram", unix_datagram },
	{ "connect_datagram", connect_datagram },
	{ "send_connected", send_connected },
	{},
};
