/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PLAY_H
#define PLAY_H
/*
 * Scenarios in which processes hand on what they have read, or do not. Each plays in a folder of its own,
 * in a process of its own, so that none knows what another has read.
 *
 * Whatever a process reads is added to its `words`, and whatever it hands on is all of them: what a file
 * holds in the end is the truth that the recorded graph is compared with. Only `secret` holds the
 * words "secret-of-SCENARIO".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct flow {
	const char *name;
	void (*act)(void); /* brings the words of `secret` into `copy` */
};

/*
 * Two processes that live at the same time. The first takes `secret`, acts, and gives its words to `own`;
 * then the second, which has taken `other`, acts and gives its words to `clean`. Played twice: apart, and
 * joined, when the first also sends its words to the second through a pipe.
 */
struct pair {
	const char *name;
	void (*before)(void);
	void (*first)(void);
	void (*second)(void);
	void (*instead)(void); /* of all this: another way to come to the same files */
};

extern const struct flow file_flows[], process_flows[], channel_flows[], unseen_flows[];
extern const struct flow network_flows[], copy_flows[], ring_flows[], signal_flows[], ipc_flows[];
extern const struct flow sharing_flows[], handed_flows[], beside_flows[], outside_flows[];
extern const struct pair pairs[], server_pairs[], near_pairs[], network_pairs[], sharing_pairs[];
extern const struct pair copy_pairs[], ring_pairs[], identity_pairs[], ipc_pairs[];
extern const struct pair handed_pairs[], beside_pairs[], outside_pairs[];

extern const char *program; /* path of this program */
extern const char *scenario;
extern bool joined;
extern int patience_s; /* after which a child ends */

extern const volatile char message[64];

enum { ROOM = 4096 };
extern char words[ROOM];

/* Ends the program with a message if the result is an error. */
void must(long result, const char *what);
#define MUST(call)                             \
	({                                     \
		__auto_type result_ = (call);  \
		must((long)result_, #call);    \
		result_;                       \
	})

/* Ends the program unless the call gives this error. */
void fails(long result, int error, const char *what);
#define FAILS(call, error) fails((long)(call), (error), #call)

void add(const char *text, size_t length);
void take(const char *name);
void give(const char *name);
int opened(const char *name, int flags);
bool hear(int fd);
void tell(int fd);

/* A process that does this; `run` waits for its end. */
pid_t start(void (*act)(void));
void await(pid_t child);
void run(void (*act)(void));

/* Order without a flow: names in a folder that nobody lists. Whether a name is there is no content. */
void reached(int step);
void await_step(int step);

/* Of a pair, the second: for the first, who is there a moment earlier */
pid_t partner(void);

/* Executes this program, which adds `text` to the file `name`. */
void execute_give(const char *name, const char *text);

/* A way to hand on: `sender` writes into one end, `receiver` reads from the other. */
extern int ends[2];
void send_secret(void);
void receive_copy(void);
void hand_on(void);

/* A descriptor in a message, with a byte that says nothing */
void pass_descriptor(int socket, int fd);
int received_descriptor(int socket);

/* By ptrace; nothing is read or written with that */
void attach(pid_t process);
void detach(pid_t process);

/* Sockets at an address of this scenario */
struct address {
	struct sockaddr_storage storage;
	socklen_t length;
};
struct address unix_path(const char *name);
struct address unix_abstract(const char *name);
struct address loopback(int family);
int listening(struct address *address, int type);
int connected(const struct address *address, int type);
int bound(struct address *address, int type);
void by_connection(struct address address, int type);
void by_datagram(struct address address);

/* Two namespaces that are joined by veth: "left1" and "right1", and a second pair with the same addresses */
void enter_network(const char *name);
extern const char *network_of_sender; /* of by_connection and by_datagram; NULL: the same */

/* A server that answers the first of two clients before it hears the second, or, joined, after */
extern int asking[2], hearing[2], answering[2], answered[2];
void ask_in_order(void);

/* What is there before recording begins */
void start_early(void);
extern const struct flow early_flows[];

#endif
