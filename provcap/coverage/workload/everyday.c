// SPDX-License-Identifier: GPL-2.0
/* What programs do all day besides reading and writing: control, lock, change identity, hand on, load. */
#include "act.h"
#include <linux/fs.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/file.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

static char byte;

static int open_a(int flags)
{
	return MUST(openat(here, "a", flags));
}

static void new_pipe(int ends[2])
{
	MUST(pipe(ends));
	called("pipe", ends[0]);
}

static int open_line(void)
{
	int other = MUST(posix_openpt(O_RDWR | O_NOCTTY)), line;

	MUST(grantpt(other));
	MUST(unlockpt(other));
	line = MUST(open(ptsname(other), O_RDWR | O_NOCTTY | O_NONBLOCK));
	called("terminal", line);
	return line;
}

static void ioctl_reads(void)
{
	int a = open_a(O_RDONLY);
	long flags;

	begin();
	MUST(ioctl(a, FS_IOC_GETFLAGS, &flags));
	MUST(ioctl(a, FS_IOC_GETFLAGS, &flags));
	end();
}

static void ioctl_writes(void)
{
	int a = open_a(O_RDONLY);
	long flags = FS_NODUMP_FL;

	begin();
	MUST(ioctl(a, FS_IOC_SETFLAGS, &flags));
	end();
}

static void ioctl_of_a_socket(void)
{
	int made = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	struct ifreq request = { .ifr_name = "lo" };

	called("made", made);
	begin();
	MUST(ioctl(made, SIOCGIFINDEX, &request));
	end();
}

static void ioctl_how_much(void)
{
	int ends[2], count;

	new_pipe(ends);
	begin();
	for (int i = 0; i < 10; i++)
		MUST(ioctl(ends[0], FIONREAD, &count));
	end();
}

static void ioctl_nonblocking(void)
{
	int ends[2];

	new_pipe(ends);
	begin();
	MUST(ioctl(ends[0], FIONBIO, &(int){ 1 }));
	end();
}

static void ask_terminal(void)
{
	int line = open_line();
	struct termios settings;

	begin();
	MUST(tcgetattr(line, &settings));
	end();
}

static void set_terminal(void)
{
	int line = open_line();
	struct winsize size = { .ws_row = 24, .ws_col = 80 };

	begin();
	MUST(ioctl(line, TIOCSWINSZ, &size));
	end();
}

static void push_input(void)
{
	int line = open_line();

	begin();
	MUST(ioctl(line, TIOCSTI, "x"));
	end();
}

static void ioctl_refused(void)
{
	int a = open_a(O_RDONLY), path = open_a(O_PATH);
	struct termios settings;

	begin();
	FAILS(tcgetattr(a, &settings), ENOTTY);
	FAILS(ioctl(path, FS_IOC_GETFLAGS, &settings), EBADF);
	end();
}

/* As a 32-bit program does: call 54 of the old gate, addresses below 4 GiB */
static int old_ioctl(int fd, unsigned int command, void *argument)
{
	int result;

	asm volatile("int $0x80" : "=a"(result) : "a"(54), "b"(fd), "c"(command), "d"(argument)
		     : "r8", "r9", "r10", "r11", "memory");
	return result;
}

static void ioctl_of_32_bits(void)
{
	int a = open_a(O_RDONLY);
	int *flags = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	*flags = 0;
	begin();
	if (old_ioctl(a, FS_IOC32_GETFLAGS, flags) < 0)
		MUST(-1);
	end();
}

static void lock_file(void)
{
	int a = open_a(O_RDONLY);

	begin();
	MUST(flock(a, LOCK_EX));
	MUST(flock(a, LOCK_UN));
	end();
}

static void lock_part(void)
{
	int a = open_a(O_RDWR);
	struct flock first = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };

	begin();
	MUST(fcntl(a, F_SETLK, &first));
	end();
}

static void lock_file_refused(void)
{
	int a = open_a(O_RDONLY), again = open_a(O_RDONLY);

	MUST(flock(a, LOCK_EX));
	begin();
	FAILS(flock(again, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	end();
}

static void lock_refused(void)
{
	int a = open_a(O_RDONLY);
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	begin();
	FAILS(fcntl(a, F_SETLK, &whole), EBADF);
	end();
}

static void change_directory(void)
{
	MUST(fchdir(here));
	begin();
	MUST(chdir("folder"));
	end();
}

static void change_to_descriptor(void)
{
	int folder = MUST(openat(here, "folder", O_PATH | O_DIRECTORY));

	begin();
	MUST(fchdir(folder));
	end();
}

static int change_root(void *unused)
{
	(void)unused;
	MUST(chroot("folder"));
	syscall(SYS_exit, 0);
	return 0;
}

static void change_root_of_child(void)
{
	MUST(fchdir(here));
	begin();
	await_child(start(CLONE_VM | SIGCHLD, change_root, NULL));
	end();
}

static void change_directory_refused(void)
{
	MUST(fchdir(here));
	begin();
	FAILS(chdir("a"), ENOTDIR);
	end();
}

static int change_user(void *unused)
{
	(void)unused;
	MUST(syscall(SYS_setresuid, 1000, 1000, 1000));
	syscall(SYS_exit, 0);
	return 0;
}

static void set_user(void)
{
	begin();
	await_child(start(SIGCHLD, change_user, NULL));
	end();
}

static void set_user_refused(void)
{
	MUST(syscall(SYS_setresuid, 1000, 1000, 0));
	begin();
	FAILS(syscall(SYS_setresuid, 5, 5, 5), EPERM);
	end();
	MUST(syscall(SYS_setresuid, 0, 0, 0));
}

static int wait_for_end(void *unused)
{
	(void)unused;
	close(hold[1]);
	MUST(read(hold[0], &byte, 1));
	syscall(SYS_exit, 0);
	return 0;
}

static void set_group(void)
{
	int child = waiting_child(wait_for_end);

	begin();
	MUST(setpgid(child, child));
	end();
	end_child(child);
}

static void get_group(void)
{
	int child = waiting_child(wait_for_end);

	begin();
	MUST(getpgid(child));
	end();
	end_child(child);
}

static void set_group_refused(void)
{
	begin();
	FAILS(setpgid(1, 0), ESRCH);
	end();
}

static void get_group_absent(void)
{
	begin();
	FAILS(getpgid(1 << 22), ESRCH);
	end();
}

static void make_pair(int type, int pair[2])
{
	MUST(socketpair(AF_UNIX, type, 0, pair));
	called("left", pair[0]);
	called("right", pair[1]);
}

static void pair_refused(void)
{
	int pair[2];

	begin();
	FAILS(socketpair(AF_UNIX, SOCK_STREAM, 5, pair), EPROTONOSUPPORT);
	end();
}

static void both_ways(int type)
{
	int pair[2];

	make_pair(type, pair);
	begin();
	MUST(send(pair[0], "x", 1, 0));
	MUST(recv(pair[1], &byte, 1, 0));
	MUST(send(pair[1], "x", 1, 0));
	MUST(recv(pair[0], &byte, 1, 0));
	end();
}

static void stream_both_ways(void)
{
	both_ways(SOCK_STREAM);
}

static void packets_both_ways(void)
{
	both_ways(SOCK_SEQPACKET);
}

static struct sockaddr_un named(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path + 1, name);
	return address;
}

#define AS_ADDRESS(address) (struct sockaddr *)&(address), sizeof(address)

static int new_socket(const char *name, int type)
{
	int fd = MUST(socket(AF_UNIX, type, 0));

	called(name, fd);
	return fd;
}

static void connect_packets(void)
{
	struct sockaddr_un address = named("provcap-seqpacket");
	int listener = new_socket("listener", SOCK_SEQPACKET);
	int client = new_socket("client", SOCK_SEQPACKET), server;

	MUST(bind(listener, AS_ADDRESS(address)));
	MUST(listen(listener, 1));
	begin();
	MUST(connect(client, AS_ADDRESS(address)));
	end();
	server = MUST(accept(listener, NULL, NULL));
	called("server", server);
}

static void connect_nobody(void)
{
	struct sockaddr_un address = named("provcap-nobody");
	int client = new_socket("client", SOCK_STREAM);

	begin();
	FAILS(connect(client, AS_ADDRESS(address)), ECONNREFUSED);
	end();
}

/* Connected to somebody else, the receiver takes nothing from us. */
static void datagram_refused(void)
{
	struct sockaddr_un mine = named("provcap-other"), address = named("provcap-taken");
	int from = new_socket("from", SOCK_DGRAM), to = new_socket("to", SOCK_DGRAM);
	int other = new_socket("other", SOCK_DGRAM);

	MUST(bind(to, AS_ADDRESS(address)));
	MUST(bind(other, AS_ADDRESS(mine)));
	MUST(connect(to, AS_ADDRESS(mine)));
	begin();
	FAILS(sendto(from, "x", 1, 0, AS_ADDRESS(address)), EPERM);
	end();
}

/* A byte and these descriptors; the result of sendmsg */
static long hand_over(int socket, const int *descriptors, int count)
{
	char room[CMSG_SPACE(sizeof(int) * 8)] = "";
	struct iovec part = { "x", 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = CMSG_SPACE(sizeof(int) * count),
	};
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);

	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(control), descriptors, sizeof(int) * count);
	return sendmsg(socket, &message, 0);
}

static void take_over(int socket)
{
	char room[CMSG_SPACE(sizeof(int) * 8)];
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = sizeof(room),
	};

	MUST(recvmsg(socket, &message, 0));
	if (!CMSG_FIRSTHDR(&message))
		MUST(-1);
}

static void send_descriptor(void)
{
	int a = open_a(O_RDONLY), pair[2];

	make_pair(SOCK_STREAM, pair);
	begin();
	MUST(hand_over(pair[0], &a, 1));
	end();
}

static void receive_descriptor(void)
{
	int a = open_a(O_RDONLY), pair[2];

	make_pair(SOCK_STREAM, pair);
	MUST(hand_over(pair[0], &a, 1));
	begin();
	take_over(pair[1]);
	end();
}

/* A file, a pipe and a socket at once, as a datagram */
static void send_several(void)
{
	int pair[2], ends[2], made = new_socket("made", SOCK_STREAM);

	new_pipe(ends);
	make_pair(SOCK_DGRAM, pair);
	int all[] = { open_a(O_RDONLY), ends[1], made };
	begin();
	MUST(hand_over(pair[0], all, 3));
	end();
}

static void receive_several(void)
{
	int pair[2], ends[2], made = new_socket("made", SOCK_STREAM);

	new_pipe(ends);
	make_pair(SOCK_DGRAM, pair);
	int all[] = { open_a(O_RDONLY), ends[1], made };
	MUST(hand_over(pair[0], all, 3));
	begin();
	take_over(pair[1]);
	end();
}

static void send_counter(void)
{
	int counter = MUST(eventfd(0, 0)), pair[2];

	make_pair(SOCK_STREAM, pair);
	begin();
	MUST(hand_over(pair[0], &counter, 1));
	take_over(pair[1]);
	end();
}

static void send_closed(void)
{
	int closed = open_a(O_RDONLY), pair[2];

	make_pair(SOCK_STREAM, pair);
	MUST(close(closed));
	begin();
	FAILS(hand_over(pair[0], &closed, 1), EBADF);
	end();
}

static int pair_of_child[2], file_of_child;

static int send_high_number(void *unused)
{
	int high = 200;

	(void)unused;
	MUST(dup2(file_of_child, high));
	MUST(hand_over(pair_of_child[0], &high, 1));
	syscall(SYS_exit, 0);
	return 0;
}

static int send_and_stay(void *unused)
{
	int high = 200;

	(void)unused;
	stay_with_parent();
	MUST(dup2(file_of_child, high));
	MUST(hand_over(pair_of_child[0], &high, 1));
	raise(SIGSTOP);
	return 0;
}

/* A child that has sent, and does nothing more */
static int sender(void)
{
	int child = start(SIGCHLD, send_and_stay, NULL), status;

	MUST(waitpid(child, &status, WUNTRACED));
	MUST(WIFSTOPPED(status) ? 0 : -1);
	return child;
}

/* In a child, so that our own table stays small */
static void send_from_large_table(void)
{
	make_pair(SOCK_STREAM, pair_of_child);
	file_of_child = open_a(O_RDONLY);
	begin();
	await_child(start(SIGCHLD, send_high_number, NULL));
	end();
}

static void receive_from_large_table(void)
{
	int child;

	make_pair(SOCK_STREAM, pair_of_child);
	file_of_child = open_a(O_RDONLY);
	child = sender();
	begin();
	take_over(pair_of_child[1]);
	end();
	stop_child(child);
}

/* The second sends the same file before the first message is received. */
static void receive_from_large_tables(void)
{
	int first, second;

	make_pair(SOCK_DGRAM, pair_of_child);
	file_of_child = open_a(O_RDONLY);
	first = sender();
	second = sender();
	begin();
	take_over(pair_of_child[1]);
	take_over(pair_of_child[1]);
	end();
	stop_child(first);
	stop_child(second);
}

/* By the call for those of others */
static void take_from_itself(void)
{
	int a = open_a(O_RDONLY), self = MUST(syscall(SYS_pidfd_open, getpid(), 0));

	begin();
	MUST(syscall(SYS_pidfd_getfd, self, a, 0));
	end();
}

static void read_block_device(void)
{
	char path[4096];
	struct stat status;
	int device;

	snprintf(path, sizeof(path), "%s/disk", work);
	MUST(stat(path, &status));
	snprintf(path, sizeof(path), "/dev/loop%u", minor(status.st_dev));
	device = MUST(open(path, O_RDONLY));
	called("loop", device);
	begin();
	MUST(read(device, &byte, 1));
	end();
}

static void look_at_link(void)
{
	struct stat status;
	int link;

	MUST(symlinkat("a", here, "link"));
	link = MUST(openat(here, "link", O_PATH | O_NOFOLLOW));
	begin();
	MUST(fstatat(link, "", &status, AT_EMPTY_PATH));
	end();
	called("link", link);
}

const struct operation handovers[] = {
	{ "send_descriptor", send_descriptor },
	{ "receive_descriptor", receive_descriptor },
	{ "send_several", send_several },
	{ "receive_several", receive_several },
	{ "send_counter", send_counter },
	{ "send_closed", send_closed },
	{ "send_from_large_table", send_from_large_table },
	{ "receive_from_large_table", receive_from_large_table },
	{ "receive_from_large_tables", receive_from_large_tables },
	{},
};

const struct operation everyday[] = {
	{ "ioctl_reads", ioctl_reads },
	{ "ioctl_writes", ioctl_writes },
	{ "ioctl_of_a_socket", ioctl_of_a_socket },
	{ "ioctl_how_much", ioctl_how_much },
	{ "ioctl_nonblocking", ioctl_nonblocking },
	{ "ask_terminal", ask_terminal },
	{ "set_terminal", set_terminal },
	{ "push_input", push_input },
	{ "ioctl_refused", ioctl_refused },
	{ "ioctl_of_32_bits", ioctl_of_32_bits },
	{ "lock_file", lock_file },
	{ "lock_file_refused", lock_file_refused },
	{ "lock_part", lock_part },
	{ "lock_refused", lock_refused },
	{ "change_directory", change_directory },
	{ "change_to_descriptor", change_to_descriptor },
	{ "change_root", change_root_of_child },
	{ "change_directory_refused", change_directory_refused },
	{ "set_user", set_user },
	{ "set_user_refused", set_user_refused },
	{ "set_group", set_group },
	{ "get_group", get_group },
	{ "set_group_refused", set_group_refused },
	{ "get_group_absent", get_group_absent },
	{ "pair_refused", pair_refused },
	{ "stream_both_ways", stream_both_ways },
	{ "packets_both_ways", packets_both_ways },
	{ "connect_packets", connect_packets },
	{ "connect_nobody", connect_nobody },
	{ "datagram_refused", datagram_refused },
	{ "take_from_itself", take_from_itself },
	{ "read_block_device", read_block_device },
	{ "look_at_link", look_at_link },
	{},
};
