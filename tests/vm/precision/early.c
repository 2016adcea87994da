// SPDX-License-Identifier: GPL-2.0
/* Processes, connections and mappings that are there before recording begins. */
#include "play.h"

static struct address place;
static int waiting, connection;

static const char *port_file = "port";

static struct address place_of(const char *name)
{
	struct address address;

	if (strstr(name, "unix"))
		return unix_path("socket");
	address = loopback(strstr(name, "tcp6") ? AF_INET6 : AF_INET);
	return address;
}

static void serve(void)
{
	ends[0] = MUST(accept(waiting, NULL, NULL));
	receive_copy();
	MUST(shutdown(ends[0], SHUT_RDWR));
}

/* The address is kept for the client, who comes when recording has begun. */
static void start_server(void)
{
	int fd = opened(port_file, O_WRONLY | O_CREAT);

	place = place_of(scenario);
	waiting = listening(&place, SOCK_STREAM);
	MUST(write(fd, &place, sizeof(place)));
	start(serve);
}

static void ask(void)
{
	int fd = opened(port_file, O_RDONLY);

	MUST(read(fd, &place, sizeof(place)));
	connection = connected(&place, SOCK_STREAM);
	take("secret");
	tell(connection);
	hear(connection); /* until the server has done its work and goes */
}

static void ask_server(void)
{
	run(ask);
}

/* Mapped before, read when there is a byte in the FIFO */
static void map_and_wait(void)
{
	int fifo = opened("fifo", O_RDWR), done = opened("done", O_RDWR);
	int secret = opened("secret", O_RDONLY);
	char *content = MUST(mmap(NULL, ROOM, PROT_READ, MAP_PRIVATE, secret, 0));
	char byte;

	close(secret);
	MUST(read(fifo, &byte, 1));
	add(content, strlen(content));
	give("copy");
	MUST(write(done, "x", 1));
}

static void start_mapping(void)
{
	MUST(mkfifo("done", 0600));
	start(map_and_wait);
}

static void ask_mapping(void)
{
	int done = opened("done", O_RDWR);
	char byte;

	MUST(write(opened("fifo", O_WRONLY), "x", 1));
	MUST(read(done, &byte, 1));
}

/* Mapped before, stored into when there is a byte in the FIFO */
static void store_and_wait(void)
{
	int fifo = opened("fifo", O_RDWR), done = opened("done", O_RDWR);
	int middle = opened("middle", O_RDWR | O_CREAT);
	char byte, *content;

	MUST(ftruncate(middle, ROOM));
	content = MUST(mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, middle, 0));
	close(middle);
	MUST(read(fifo, &byte, 1));
	take("secret");
	strcpy(content, words);
	MUST(write(done, "x", 1));
}

static void start_storing(void)
{
	MUST(mkfifo("done", 0600));
	start(store_and_wait);
}

static void load_stored(void)
{
	char *content = MUST(mmap(NULL, ROOM, PROT_READ, MAP_SHARED, opened("middle", O_RDONLY), 0));

	add(content, ROOM);
	give("copy");
}

/* Who is told that it is done is not who loads it. */
static void ask_storing(void)
{
	run(ask_mapping);
	run(load_stored);
}

/* Both ends of the pipe are there before: the reader waits in it. */
static void start_reader(void)
{
	ends[0] = MUST(open("fifo", O_RDWR));
	start(receive_copy);
}

static void ask_reader(void)
{
	struct stat status;

	ends[1] = opened("fifo", O_WRONLY);
	run(send_secret);
	while (stat("copy", &status) || !status.st_size)
		usleep(1000);
}

static const struct flow before[] = {
	{ "early_unix", start_server },
	{ "early_tcp4", start_server },
	{ "early_tcp6", start_server },
	{ "early_mapping", start_mapping },
	{ "early_store", start_storing },
	{ "early_reader", start_reader },
	{},
};

const struct flow early_flows[] = {
	{ "early_unix", ask_server },
	{ "early_tcp4", ask_server },
	{ "early_tcp6", ask_server },
	{ "early_mapping", ask_mapping },
	{ "early_store", ask_storing },
	{ "early_reader", ask_reader },
	{},
};

static void start_one(const struct flow *flow)
{
	scenario = flow->name;
	MUST(chdir(flow->name));
	flow->act();
	MUST(chdir(".."));
}

void start_early(void)
{
	patience_s = 300; /* until recording has begun */
	for (const struct flow *next = before; next->name; next++)
		start_one(next);
}
