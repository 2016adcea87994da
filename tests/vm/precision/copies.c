// SPDX-License-Identifier: GPL-2.0
/* Content that the kernel moves, and processes that have it moved without getting it */
#include "play.h"
#include <sys/sendfile.h>

static void splice_secret(void)
{
	MUST(splice(opened("secret", O_RDONLY), NULL, ends[1], NULL, ROOM, 0));
}

static void splice_in(void)
{
	MUST(pipe(ends));
	run(splice_secret);
	run(receive_copy);
}

static void splice_copy(void)
{
	MUST(splice(ends[0], NULL, opened("copy", O_WRONLY | O_CREAT), NULL, ROOM, 0));
}

static void splice_out(void)
{
	MUST(pipe(ends));
	run(send_secret);
	run(splice_copy);
}

static int onward[4];

static void tee_onward(void)
{
	MUST(tee(ends[0], onward[1], ROOM, 0));
}

static void tee_pipes(void)
{
	MUST(pipe(ends));
	MUST(pipe(onward));
	run(send_secret);
	run(tee_onward);
	ends[0] = onward[0];
	run(receive_copy);
}

static void give_pages(void)
{
	struct iovec part = { words, 0 };

	take("secret");
	part.iov_len = strlen(words);
	MUST(vmsplice(ends[1], &part, 1, 0));
}

static void vm_splice(void)
{
	MUST(pipe(ends));
	run(give_pages);
	run(receive_copy);
}

static void splice_onward(void)
{
	MUST(splice(ends[0], NULL, onward[1], NULL, ROOM, 0));
}

static void splice_pipes(void)
{
	MUST(pipe(ends));
	MUST(pipe(onward));
	run(send_secret);
	run(splice_onward);
	ends[0] = onward[0];
	run(receive_copy);
}

static void get_pages(void)
{
	struct iovec part = { words, ROOM - 1 };

	MUST(vmsplice(ends[0], &part, 1, 0));
	give("copy");
}

static void vmsplice_out(void)
{
	MUST(pipe(ends));
	run(send_secret);
	run(get_pages);
}

static void send_file_onward(void)
{
	MUST(sendfile(ends[1], opened("secret", O_RDONLY), NULL, ROOM));
}

static void send_file_pipe(void)
{
	MUST(pipe(ends));
	run(send_file_onward);
	run(receive_copy);
}

/* Content of a socket on its way through a pipe into another, as proxies do it */
static void relay(void)
{
	MUST(splice(ends[0], NULL, onward[1], NULL, ROOM, 0));
	MUST(splice(onward[0], NULL, onward[3], NULL, ROOM, 0));
}

static void relay_between(int (*connect_ends)(int *))
{
	int later[2];

	MUST(connect_ends(ends));
	MUST(connect_ends(later));
	MUST(pipe(onward));
	onward[3] = later[1];
	run(send_secret);
	run(relay);
	ends[0] = later[0];
	run(receive_copy);
}

static int unix_ends(int *pair)
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int tcp_ends(int *pair)
{
	struct address address = loopback(AF_INET);
	int listener = listening(&address, SOCK_STREAM);

	pair[1] = connected(&address, SOCK_STREAM);
	pair[0] = MUST(accept(listener, NULL, NULL));
	return 0;
}

static void relay_unix(void)
{
	relay_between(unix_ends);
}

static void relay_tcp(void)
{
	relay_between(tcp_ends);
}

/* The call waits in a pipe; meanwhile somebody reads the file that it will write. */
static void splice_late(void)
{
	pid_t waiting;

	MUST(pipe(ends));
	opened("copy", O_WRONLY | O_CREAT);
	waiting = start(splice_copy);
	usleep(100000);
	take("copy");
	run(send_secret);
	await(waiting);
}

const struct flow copy_flows[] = {
	{ "splice_in", splice_in },
	{ "splice_out", splice_out },
	{ "splice_pipes", splice_pipes },
	{ "splice_late", splice_late },
	{ "tee", tee_pipes },
	{ "vmsplice", vm_splice },
	{ "vmsplice_out", vmsplice_out },
	{ "send_file_pipe", send_file_pipe },
	{ "relay_unix", relay_unix },
	{ "relay_tcp", relay_tcp },
	{},
};

/* The first knows the secret, and has "common" copied to where the second reads it. */
static int common_file(void)
{
	return opened("common", O_RDONLY);
}

static void send_common(void)
{
	MUST(sendfile(opened("made", O_WRONLY), common_file(), NULL, ROOM));
}

static void copy_common(void)
{
	MUST(copy_file_range(common_file(), NULL, opened("made", O_WRONLY), NULL, ROOM, 0));
}

static void splice_common(void)
{
	MUST(splice(common_file(), NULL, ends[1], NULL, ROOM, 0));
}

static void splice_common_on(void)
{
	splice_common();
	MUST(splice(ends[0], NULL, opened("made", O_WRONLY), NULL, ROOM, 0));
}

static void tee_common(void)
{
	MUST(tee(ends[0], onward[1], ROOM, 0));
}

static void send_common_on(void)
{
	MUST(sendfile(ends[1], common_file(), NULL, strlen("known to all\n")));
}

static void take_made(void)
{
	take("made");
}

static void hear_end(void)
{
	hear(ends[0]);
}

static void hear_onward(void)
{
	hear(onward[0]);
}

/* By one that knows nothing, as what fills the pipe below */
static void make_file(void)
{
	close(opened("made", O_WRONLY | O_CREAT));
}

static void make_pipe(void)
{
	make_file();
	MUST(pipe(ends));
}

static void make_socket_pair(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static void make_full_pipe(void)
{
	make_pipe();
	MUST(pipe(onward));
	run(splice_common);
}

/* The other way round: the second moves the secret on, and does not read it. */
static void tell_end(void)
{
	tell(ends[1]);
}

static void store_end(void)
{
	MUST(splice(ends[0], NULL, opened("stored", O_WRONLY | O_CREAT), NULL, ROOM, 0));
}

static void store_own(void)
{
	MUST(sendfile(opened("stored", O_WRONLY | O_CREAT), opened("secret", O_RDONLY), NULL, ROOM));
}

const struct pair copy_pairs[] = {
	{ "sent_by_kernel", make_file, send_common, take_made, NULL },
	{ "copied_by_kernel", make_file, copy_common, take_made, NULL },
	{ "spliced_by_kernel", make_pipe, splice_common_on, take_made, NULL },
	{ "spliced_into_pipe", make_pipe, splice_common, hear_end, NULL },
	{ "teed_into_pipe", make_full_pipe, tee_common, hear_onward, NULL },
	{ "sent_into_socket", make_socket_pair, send_common_on, hear_end, NULL },
	{ "stored_from_pipe", make_pipe, tell_end, store_end, NULL },
	{ "stored_from_file", NULL, NULL, store_own, NULL },
	{},
};
