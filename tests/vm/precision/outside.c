// SPDX-License-Identifier: GPL-2.0
/* Sockets whose two ends nothing joins, and applications that say what the kernel does not see */
#include "play.h"
#include <linux/netlink.h>
#include <linux/vm_sockets.h>

static struct address vsock_place(void)
{
	struct sockaddr_vm here = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL,
				    .svm_port = VMADDR_PORT_ANY };
	struct address made = { .length = sizeof(here) };

	memcpy(&made.storage, &here, sizeof(here));
	return made;
}

/* The kernel gives it a number; what is sent to that goes to whoever has it. */
static struct address netlink_place(void)
{
	struct sockaddr_nl here = { .nl_family = AF_NETLINK };
	struct address made = { .length = sizeof(here) };

	memcpy(&made.storage, &here, sizeof(here));
	return made;
}

static void vsock(void)
{
	by_connection(vsock_place(), SOCK_STREAM);
}

static void netlink(void)
{
	by_datagram(netlink_place());
}

/* The recorder, which takes what applications disclose */
static int recorder(void)
{
	struct address place = unix_path(getenv("PROVCAP_DISCLOSE"));

	return connected(&place, SOCK_SEQPACKET);
}

static char answer[ROOM];

static void ask(int fd, const char *request)
{
	ssize_t got;

	MUST(send(fd, request, strlen(request), 0));
	got = MUST(recv(fd, answer, sizeof(answer) - 1, 0));
	answer[got] = '\0';
	errno = EPROTO;
	MUST(strstr(answer, "error") ? -1 : 0);
}

enum { ID_BYTES = 64 };

static char entities[2][ID_BYTES];

static void disclose_entities(void)
{
	int fd = recorder();

	for (int i = 0; i < 2; i++) {
		ask(fd, "{\"do\": \"entity\", \"name\": \"words\"}");
		MUST(sscanf(answer, "{\"id\": \"%63[^\"]", entities[i]) == 1 ? 0 : -1);
	}
	close(fd);
}

static void disclose_of_self(const char *relation, const char *entity)
{
	char request[256];
	int fd = recorder();

	snprintf(request, sizeof(request),
		 "{\"do\": \"%s\", \"activity\": \"self\", \"entity\": \"%s\"}", relation, entity);
	ask(fd, request);
	close(fd);
}

static struct address place;
static int waiting;

static void send_and_say(void)
{
	take("secret");
	disclose_of_self("generated", entities[0]);
	tell(connected(&place, SOCK_DGRAM));
}

static void receive_and_say(void)
{
	hear(waiting);
	disclose_of_self("used", entities[0]);
	give("copy");
}

/* The same as "netlink", but both say so. */
static void disclosed(void)
{
	disclose_entities();
	place = netlink_place();
	waiting = bound(&place, SOCK_DGRAM);
	run(send_and_say);
	run(receive_and_say);
}

const struct flow outside_flows[] = {
	{ "vsock", vsock },
	{ "netlink", netlink },
	{ "disclosed", disclosed },
	{},
};

static void bind_netlink(void)
{
	place = netlink_place();
	waiting = bound(&place, SOCK_DGRAM);
}

static void listen_on_vsock(void)
{
	place = vsock_place();
	waiting = listening(&place, SOCK_STREAM);
}

static void send_by_netlink(void)
{
	tell(connected(&place, SOCK_DGRAM));
}

static void send_by_vsock(void)
{
	tell(connected(&place, SOCK_STREAM));
}

static void poll_waiting(void)
{
	struct pollfd asked = { .fd = waiting, .events = POLLIN };

	MUST(poll(&asked, 1, 1000));
}

static void generate_one(void)
{
	disclose_of_self("generated", entities[0]);
}

static void use_other(void)
{
	disclose_of_self("used", entities[1]);
}

const struct pair outside_pairs[] = {
	{ "vsock_unread", listen_on_vsock, send_by_vsock, poll_waiting, NULL },
	{ "netlink_unread", bind_netlink, send_by_netlink, poll_waiting, NULL },
	{ "other_disclosed", disclose_entities, generate_one, use_other, NULL },
	{},
};
