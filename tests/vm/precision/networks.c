// SPDX-License-Identifier: GPL-2.0
/* Through UDP, and from one network namespace to another. */
#include "play.h"
#include <arpa/inet.h>
#include <netinet/udp.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static struct address places[2];
static int sockets[2];

static struct address inet(int family, const char *host, int port)
{
	struct address made = { .length = sizeof(struct sockaddr_in) };
	struct sockaddr_in *v4 = (void *)&made.storage;
	struct sockaddr_in6 *v6 = (void *)&made.storage;

	made.storage.ss_family = family;
	v4->sin_port = htons(port); /* at the same place in both */
	if (family == AF_INET6)
		made.length = sizeof(*v6);
	MUST(inet_pton(family, host, family == AF_INET6 ? (void *)&v6->sin6_addr : &v4->sin_addr));
	return made;
}

static int udp_socket(void)
{
	return MUST(socket(AF_INET, SOCK_DGRAM, 0));
}

static void tell_to(int fd, const struct address *address)
{
	MUST(sendto(fd, words, strlen(words), 0, (void *)&address->storage, address->length));
}

static void bind_one(void)
{
	places[0] = loopback(AF_INET);
	ends[0] = sockets[0] = bound(&places[0], SOCK_DGRAM);
}

/* Each of these sends its secret to places[0] in another way. */
static void send_to(void)
{
	take("secret");
	tell_to(udp_socket(), &places[0]);
}

static void send_many(void)
{
	struct iovec part = { words, 0 };
	struct mmsghdr messages[2] = {};

	take("secret");
	part.iov_len = strlen(words);
	for (int i = 0; i < 2; i++)
		messages[i].msg_hdr = (struct msghdr){
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_name = &places[0].storage,
			.msg_namelen = places[0].length,
		};
	MUST(sendmmsg(udp_socket(), messages, 2, 0));
}

static void send_corked(void)
{
	int fd = connected(&places[0], SOCK_DGRAM);

	take("secret");
	MUST(send(fd, words, 7, MSG_MORE));
	MUST(send(fd, words + 7, strlen(words) - 7, 0));
}

/* One send that becomes several datagrams; the reader has the text when it has read them all. */
static void send_segmented(void)
{
	int fd = connected(&places[0], SOCK_DGRAM);

	MUST(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &(int){ 16 }, sizeof(int)));
	take("secret");
	tell(fd);
}

static void receive_all(void)
{
	while (!strchr(words, '\n'))
		hear(ends[0]);
	give("copy");
}

static void receive_many(void)
{
	char texts[2][200] = {};
	struct iovec parts[2];
	struct mmsghdr messages[2] = {};

	for (int i = 0; i < 2; i++) {
		parts[i] = (struct iovec){ texts[i], sizeof(texts[i]) - 1 };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	MUST(recvmmsg(ends[0], messages, 2, 0, NULL));
	add(texts[1], sizeof(texts[1]));
	give("copy");
}

static void peek_copy(void)
{
	MUST(recv(ends[0], words, ROOM - 1, MSG_PEEK));
	give("copy");
}

static void hand_over(void (*sender)(void), void (*receiver)(void))
{
	bind_one();
	run(sender);
	run(receiver);
}

static void udp_send_to(void)
{
	hand_over(send_to, receive_copy);
}

static void udp_many(void)
{
	hand_over(send_many, receive_many);
}

static void udp_peeked(void)
{
	hand_over(send_to, peek_copy);
}

static void udp_corked(void)
{
	hand_over(send_corked, receive_copy);
}

static void udp_segmented(void)
{
	hand_over(send_segmented, receive_all);
}

/* The server knows where to only by the question. */
static void answer(void)
{
	struct address client = { .length = sizeof(client.storage) };
	char question;

	MUST(recvfrom(ends[0], &question, 1, 0, (void *)&client.storage, &client.length));
	take("secret");
	tell_to(ends[0], &client);
}

static void udp_answered(void)
{
	pid_t server;

	bind_one();
	server = start(answer);
	ends[0] = connected(&places[0], SOCK_DGRAM);
	MUST(send(ends[0], "?", 1, 0));
	run(receive_copy);
	await(server);
}

/* IPv4 through a socket of IPv6 */
static void udp_mapped(void)
{
	by_datagram(inet(AF_INET6, "::ffff:127.0.0.1", 0));
}

static const struct ip_mreq group = {
	.imr_multiaddr.s_addr = __builtin_bswap32(0xe0090909), /* 224.9.9.9 */
	.imr_interface.s_addr = __builtin_bswap32(0x0a090001), /* 10.9.0.1 */
};

static void send_to_group(void)
{
	int fd = udp_socket();

	MUST(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &group.imr_interface,
			sizeof(group.imr_interface)));
	take("secret");
	tell_to(fd, &places[0]);
}

static void hear_only(void)
{
	hear(sockets[0]);
}

static void udp_multicast(void)
{
	enter_network("left1");
	places[0] = inet(AF_INET, "224.9.9.9", 5009);
	for (int i = 0; i < 2; i++) {
		sockets[i] = udp_socket();
		MUST(setsockopt(sockets[i], SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)));
		MUST(bind(sockets[i], (void *)&places[0].storage, places[0].length));
		MUST(setsockopt(sockets[i], IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)));
	}
	run(send_to_group);
	run(hear_only);
	ends[0] = sockets[1];
	run(receive_copy);
}

static void from_left_to_right(void (*by)(struct address), const char *host, int family)
{
	network_of_sender = "left1";
	enter_network("right1");
	by(inet(family, host, 0));
}

static void by_stream(struct address address)
{
	by_connection(address, SOCK_STREAM);
}

static void udp4_network(void)
{
	from_left_to_right(by_datagram, "10.9.0.2", AF_INET);
}

static void udp6_network(void)
{
	from_left_to_right(by_datagram, "fd09::2", AF_INET6);
}

static void tcp4_network(void)
{
	from_left_to_right(by_stream, "10.9.0.2", AF_INET);
}

static void tcp6_network(void)
{
	from_left_to_right(by_stream, "fd09::2", AF_INET6);
}

/* More than the wire takes at once */
static void send_large(void)
{
	enter_network("left1");
	take("secret");
	memset(words + strlen(words), '.', ROOM - 8 - strlen(words));
	tell_to(udp_socket(), &places[0]);
}

static void udp_fragments(void)
{
	enter_network("right1");
	places[0] = inet(AF_INET, "10.9.0.2", 0);
	ends[0] = bound(&places[0], SOCK_DGRAM);
	run(send_large);
	run(receive_copy);
}

/* Pairs */

static void bind_two(int family)
{
	for (int i = 0; i < 2; i++) {
		places[i] = loopback(family);
		sockets[i] = bound(&places[i], SOCK_DGRAM);
	}
}

static void bind_two_v4(void)
{
	bind_two(AF_INET);
}

static void bind_two_v6(void)
{
	bind_two(AF_INET6);
}

static void send_to_one(void)
{
	tell(connected(&places[0], SOCK_DGRAM));
}

static void send_to_another(void)
{
	tell(connected(&places[1], SOCK_DGRAM));
	hear(sockets[1]);
}

/* A server with two sockets, each of them served by a process of its own */
static int serving;

static void echo(void)
{
	struct address client = { .length = sizeof(client.storage) };
	ssize_t got;

	words[0] = '\0';
	got = MUST(recvfrom(sockets[serving], words, ROOM - 1, 0, (void *)&client.storage,
			    &client.length));
	words[got] = '\0';
	tell_to(sockets[serving], &client);
}

static void serve_two(void)
{
	bind_two(AF_INET);
	for (serving = 0; serving < 2; serving++)
		start(echo);
}

static void ask_one(int server)
{
	int fd = connected(&places[server], SOCK_DGRAM);

	tell(fd);
	hear(fd);
}

static void ask_first(void)
{
	ask_one(0);
}

static void ask_second(void)
{
	ask_one(1);
}

/* Two ports that nobody has, for whoever binds them */
static void choose_two(void)
{
	bind_two(AF_INET);
	close(sockets[0]);
	close(sockets[1]);
}

/* Addresses, length and identification (0 for what may not be fragmented) are the other's. */
static void send_under_header(void)
{
	int from = bound(&places[0], SOCK_DGRAM), to = bound(&places[1], SOCK_DGRAM);
	char text[200] = {};

	MUST(setsockopt(from, IPPROTO_IP, IP_MTU_DISCOVER, &(int){ IP_PMTUDISC_DO }, sizeof(int)));
	strncpy(text, words, sizeof(text) - 1);
	MUST(sendto(from, text, sizeof(text), 0, (void *)&places[1].storage, places[1].length));
	hear(to);
	close(from);
	close(to);
}

static void send_to_nobody(void)
{
	tell_to(udp_socket(), &places[1]);
}

static void bind_and_hear(void)
{
	sockets[1] = bound(&places[1], SOCK_DGRAM);
	send_to_another();
}

/* It is connected to another one, so the kernel lets in nothing else. */
static void bind_connected(void)
{
	bind_two(AF_INET);
	MUST(connect(sockets[1], (void *)&places[0].storage, places[0].length));
}

static void hear_from_other(void)
{
	char byte;

	FAILS(recv(sockets[1], &byte, 1, MSG_DONTWAIT), EAGAIN);
	tell_to(sockets[0], &places[1]);
	hear(sockets[1]);
}

static void poll_one(void)
{
	struct pollfd one = { .fd = sockets[0], .events = POLLIN };

	MUST(poll(&one, 1, 1000));
}

static void send_nothing(void)
{
	MUST(sendto(udp_socket(), "", 0, 0, (void *)&places[0].storage, places[0].length));
}

static void receive_nothing(void)
{
	char byte;

	MUST(recv(sockets[0], &byte, 1, 0));
}

/* The same addresses and ports in both pairs of namespaces; each side has both ends of its pair. */
static int twins[2][2];

static void bind_twins(void)
{
	for (int pair = 0; pair < 2; pair++)
		for (int side = 0; side < 2; side++) {
			char name[16];

			snprintf(name, sizeof(name), "%s%d", side ? "right" : "left", pair + 1);
			enter_network(name);
			places[side] = inet(AF_INET, side ? "10.9.0.2" : "10.9.0.1", 5010 + side);
			twins[pair][side] = bound(&places[side], SOCK_DGRAM);
		}
}

static void send_in(int pair)
{
	char text[200] = {};

	strncpy(text, words, sizeof(text) - 1);
	MUST(sendto(twins[pair][0], text, sizeof(text), 0, (void *)&places[1].storage,
		    places[1].length));
}

static void send_in_first(void)
{
	send_in(0);
}

static void send_in_second(void)
{
	send_in(1);
	hear(twins[1][1]);
}

/* Two clients of one server that answers in order: each has a socket of the server's, or both one */
static void order_of_udp(int family)
{
	for (int client = 0; client < 2; client++) {
		struct address here = loopback(family), there = loopback(family);
		int server = bound(&here, SOCK_DGRAM), asker = bound(&there, SOCK_DGRAM);

		MUST(connect(server, (void *)&there.storage, there.length));
		MUST(connect(asker, (void *)&here.storage, here.length));
		hearing[client] = answering[client] = server;
		asking[client] = answered[client] = asker;
	}
	ask_in_order();
}

static void order_of_udp4(void)
{
	order_of_udp(AF_INET);
}

static void order_of_udp6(void)
{
	order_of_udp(AF_INET6);
}

enum { FIRST_WAS_ANSWERED = 30, FIRST_WAS_HEARD };

static void first_of_port(void)
{
	take("other");
	ask_one(0);
	give("clean");
}

static void second_of_port(void)
{
	await_step(joined ? FIRST_WAS_HEARD : FIRST_WAS_ANSWERED);
	take("secret");
	ask_one(0);
	give("own");
}

static struct address hear_from(int fd)
{
	struct address client = { .length = sizeof(client.storage) };
	char text[ROOM];
	ssize_t got = MUST(recvfrom(fd, text, sizeof(text), 0, (void *)&client.storage,
				    &client.length));

	add(text, got);
	return client;
}

static void serve_port(void)
{
	struct address first = hear_from(sockets[0]), second;

	reached(FIRST_WAS_HEARD);
	if (!joined)
		tell_to(sockets[0], &first);
	reached(FIRST_WAS_ANSWERED);
	second = hear_from(sockets[0]);
	if (joined)
		tell_to(sockets[0], &first);
	tell_to(sockets[0], &second);
}

static void order_of_one_port(void)
{
	pid_t server, first, second;

	bind_one();
	server = start(serve_port);
	first = start(first_of_port);
	second = start(second_of_port);
	await(server);
	await(first);
	await(second);
}

const struct flow network_flows[] = {
	{ "udp_send_to", udp_send_to },
	{ "udp_answered", udp_answered },
	{ "udp_mapped", udp_mapped },
	{ "udp_many", udp_many },
	{ "udp_peeked", udp_peeked },
	{ "udp_corked", udp_corked },
	{ "udp_segmented", udp_segmented },
	{ "udp_multicast", udp_multicast },
	{ "udp_fragments", udp_fragments },
	{ "udp4_network", udp4_network },
	{ "udp6_network", udp6_network },
	{ "tcp4_network", tcp4_network },
	{ "tcp6_network", tcp6_network },
	{},
};

const struct pair network_pairs[] = {
	{ "datagrams_udp4", bind_two_v4, send_to_one, send_to_another, NULL },
	{ "datagrams_udp6", bind_two_v6, send_to_one, send_to_another, NULL },
	{ "listener_udp", serve_two, ask_first, ask_second, NULL },
	{ "udp_same_header", choose_two, send_under_header, send_under_header, NULL },
	{ "udp_refused", choose_two, send_to_nobody, bind_and_hear, NULL },
	{ "udp_not_for_it", bind_connected, send_to_nobody, hear_from_other, NULL },
	{ "udp_unread", bind_two_v4, send_to_one, poll_one, NULL },
	{ "udp_nothing", bind_two_v4, send_nothing, receive_nothing, NULL },
	{ "twin_networks", bind_twins, send_in_first, send_in_second, NULL },
	{ .name = "order_of_udp4", .instead = order_of_udp4 },
	{ .name = "order_of_udp6", .instead = order_of_udp6 },
	{ .name = "order_of_one_port", .instead = order_of_one_port },
	{},
};
