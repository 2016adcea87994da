// SPDX-License-Identifier: GPL-2.0
/* UDP over loopback: what is sent, what arrives, and what does not. */
#include "act.h"
#include <netinet/in.h>
#include <sys/socket.h>

enum { PORT = 7201, SENDER_PORT = 7301, NOBODY = 7299 };

#define AS_ADDRESS(address) (struct sockaddr *)&(address), sizeof(address)

static char byte;
static int from, to;
static struct sockaddr_in there;

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

static int new_socket(const char *name, int family)
{
	int fd = MUST(socket(family, SOCK_DGRAM, 0));

	called(name, fd);
	return fd;
}

/* Two sockets; the number makes their ports those of this operation. */
static void make_two(int number)
{
	struct sockaddr_in here = loopback(SENDER_PORT + number);

	there = loopback(PORT + number);
	from = new_socket("from", AF_INET);
	to = new_socket("to", AF_INET);
	MUST(bind(from, AS_ADDRESS(here)));
	MUST(bind(to, AS_ADDRESS(there)));
}

static void send_one(void)
{
	MUST(sendto(from, "x", 1, 0, AS_ADDRESS(there)));
}

static void udp(void)
{
	make_two(0);
	begin();
	send_one();
	MUST(recv(to, &byte, 1, 0));
	end();
}

static void udp6(void)
{
	struct sockaddr_in6 address = loopback6(PORT + 1);

	from = new_socket("from", AF_INET6);
	to = new_socket("to", AF_INET6);
	MUST(bind(to, AS_ADDRESS(address)));
	MUST(connect(from, AS_ADDRESS(address)));
	begin();
	MUST(send(from, "x", 1, 0));
	MUST(recv(to, &byte, 1, 0));
	end();
}

/* The address of the sender is asked for. */
static void receive_from(void)
{
	struct sockaddr_in sender;
	socklen_t size = sizeof(sender);

	make_two(2);
	send_one();
	begin();
	MUST(recvfrom(to, &byte, 1, 0, (struct sockaddr *)&sender, &size));
	end();
}

static void send_unread(void)
{
	make_two(3);
	begin();
	send_one();
	end();
}

static void receive_nothing(void)
{
	make_two(4);
	begin();
	FAILS(recv(to, &byte, 1, MSG_DONTWAIT), EAGAIN);
	end();
}

static void receive_empty(void)
{
	make_two(5);
	MUST(sendto(from, "", 0, 0, AS_ADDRESS(there)));
	begin();
	MUST(recv(to, &byte, 1, 0));
	end();
}

/* The refusal is told at the next call. */
static void send_refused(void)
{
	struct sockaddr_in nobody = loopback(NOBODY);

	make_two(6);
	MUST(connect(from, AS_ADDRESS(nobody)));
	begin();
	MUST(send(from, "x", 1, 0));
	FAILS(recv(from, &byte, 1, 0), ECONNREFUSED);
	end();
}

/* Nothing leaves: it is too long for a datagram. */
static void send_too_long(void)
{
	static char text[70000];

	make_two(7);
	begin();
	FAILS(sendto(from, text, sizeof(text), 0, AS_ADDRESS(there)), EMSGSIZE);
	end();
}

/* Looked at twice and then taken: it is one packet. */
static void peek(void)
{
	make_two(8);
	send_one();
	begin();
	MUST(recv(to, &byte, 1, MSG_PEEK));
	MUST(recv(to, &byte, 1, MSG_PEEK));
	MUST(recv(to, &byte, 1, 0));
	end();
}

/* The same header twice, without an identification; only the first of them is read. */
static void same_header(void)
{
	make_two(9);
	MUST(setsockopt(from, IPPROTO_IP, IP_MTU_DISCOVER, &(int){ IP_PMTUDISC_DO }, sizeof(int)));
	begin();
	send_one();
	send_one();
	MUST(recv(to, &byte, 1, 0));
	end();
}

/* One way is told once, another one again. */
static void send_to_two(void)
{
	struct sockaddr_in nobody = loopback(NOBODY);

	make_two(10);
	begin();
	send_one();
	MUST(sendto(from, "x", 1, 0, AS_ADDRESS(nobody)));
	send_one();
	end();
}

const struct operation packets[] = {
	{ "udp", udp },
	{ "udp6", udp6 },
	{ "receive_from", receive_from },
	{ "send_unread", send_unread },
	{ "receive_no_datagram", receive_nothing },
	{ "receive_empty_datagram", receive_empty },
	{ "send_refused", send_refused },
	{ "send_too_long", send_too_long },
	{ "peek_datagram", peek },
	{ "same_header", same_header },
	{ "send_to_two", send_to_two },
	{},
};
