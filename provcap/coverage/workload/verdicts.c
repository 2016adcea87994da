// SPDX-License-Identifier: GPL-2.0
/* A list of operations, allowed and refused, each with the error number that it gave. */
#include "act.h"
#include <linux/fs.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <grp.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#define TELL(call)                                                 \
	do {                                                       \
		errno = 0;                                         \
		printf("verdict %s %d\n", #call, (call) < 0 ? errno : 0); \
	} while (0)

static char byte;
static void *volatile nowhere = (void *)1;
static char *const nothing[] = { NULL };

static int try_exec(const char *name)
{
	int status = -1, child = vfork();

	if (!child) {
		execve(name, nothing, nothing);
		_exit(errno);
	}
	MUST(waitpid(child, &status, 0));
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static int try_map(int fd, int protection)
{
	return mmap(NULL, 4096, protection, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0;
}

static void files_of_a_user(void)
{
	struct stat status;
	int fd = open("a", O_RDONLY);

	TELL(open("a", O_RDONLY));
	TELL(open("a", O_WRONLY));
	TELL(open("a", O_RDONLY | O_TRUNC));
	TELL(open("secret", O_RDONLY));
	TELL(open("absent", O_RDONLY));
	TELL(open("new", O_CREAT | O_WRONLY, 0644));
	TELL(open("folder", O_WRONLY));
	TELL(open("a", O_RDONLY | O_DIRECTORY));
	TELL(open("null", O_RDWR));
	TELL(read(fd, &byte, 1));
	TELL(write(fd, &byte, 1));
	TELL(read(-1, &byte, 1));
	TELL(read(fd, nowhere, 1));
	TELL(try_map(fd, PROT_READ));
	TELL(try_map(fd, PROT_WRITE));
	TELL(stat("a", &status));
	TELL(stat("absent", &status));
	TELL(access("secret", R_OK));
	TELL(access("text", X_OK));
	TELL(chmod("a", 0600));
	TELL(truncate("a", 0));
	TELL(truncate("secret", 0));
	TELL(readlink("a", &byte, 1));
	TELL(setxattr("a", "trusted.x", "", 0, 0));
	TELL(setxattr("a", "unknown.x", "", 0, 0));
	TELL(getxattr("a", "trusted.x", NULL, 0));
	TELL(getxattr("a", "security.x", NULL, 0));
	TELL(listxattr("a", NULL, 0));
	TELL(removexattr("a", "trusted.x"));
	TELL(unlink("a"));
	TELL(rename("a", "c"));
	TELL(mkdir("made", 0755));
	TELL(link("a", "c"));
	TELL(symlink("a", "c"));
	TELL(chdir("folder/.."));
	TELL(try_exec("quiet"));
	TELL(try_exec("script"));
	TELL(try_exec("text"));
	TELL(try_exec("a"));
	TELL(try_exec("absent"));
}

static void control_of_a_user(void)
{
	int fd = open("a", O_RDONLY), path = open("a", O_PATH), pipe_ends[2];
	long flags = 0;

	TELL(pipe(pipe_ends));
	TELL(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	TELL(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	TELL(ioctl(fd, FS_IOC_GETFLAGS, nowhere));
	TELL(ioctl(fd, TIOCGPGRP, &flags));
	TELL(ioctl(path, FIOCLEX));
	TELL(ioctl(pipe_ends[0], FIONREAD, &flags));
	TELL(flock(fd, LOCK_EX));
	TELL(flock(path, LOCK_EX));
	TELL(fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_RDLCK }));
	TELL(fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_WRLCK }));
	TELL(chdir("a"));
	TELL(chroot("folder"));
	TELL(syscall(SYS_finit_module, fd, "", 0));
}

/* One descriptor in a message */
static long hand_over(int socket, int descriptor)
{
	char room[CMSG_SPACE(sizeof(int))] = "";
	struct iovec part = { "x", 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);

	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(control), &descriptor, sizeof(int));
	return sendmsg(socket, &message, 0);
}

static void sockets_of_a_user(void)
{
	struct sockaddr_in low = { .sin_family = AF_INET, .sin_port = htons(80) };
	struct sockaddr_in none = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = "absent" };
	int tcp = socket(AF_INET, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
	int pair[2], refused[2];

	none.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	TELL(socket(AF_INET, SOCK_DGRAM, 0));
	TELL(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	TELL(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	TELL(bind(tcp, (struct sockaddr *)&low, sizeof(low)));
	TELL(bind(tcp, (struct sockaddr *)&low, 1));
	TELL(bind(tcp, nowhere, sizeof(low)));
	TELL(connect(tcp, (struct sockaddr *)&none, sizeof(none)));
	TELL(connect(local, (struct sockaddr *)&path, sizeof(path)));
	TELL(listen(tcp, 1));
	TELL(listen(0, 1));
	TELL(accept(local, NULL, NULL));
	TELL(send(local, "x", 1, 0));
	TELL(recv(local, &byte, 1, MSG_DONTWAIT));
	TELL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	TELL(socketpair(AF_INET, SOCK_STREAM, 0, refused));
	TELL(socketpair(AF_UNIX, SOCK_STREAM, 5, refused));
	TELL(hand_over(pair[0], tcp));
	TELL(hand_over(pair[0], -1));
	TELL(recv(pair[1], &byte, 1, 0));
	TELL(send(pair[0], "x", 1, 0));
	TELL(recv(pair[1], &byte, 1, 0));
	TELL(recv(pair[1], &byte, 1, MSG_DONTWAIT));
	TELL(close(pair[0]));
	TELL(send(pair[1], "x", 1, MSG_NOSIGNAL));
	TELL(recv(pair[1], &byte, 1, 0));
}

static void tasks_of_a_user(void)
{
	TELL(kill(1, 0));
	TELL(kill(1, SIGTERM));
	TELL(kill(getpid(), SIGCHLD));
	TELL(kill(1 << 22, SIGTERM));
	TELL(sigqueue(1, SIGTERM, (union sigval){}));
	TELL(setgid(0));
	TELL(setgid(1000));
	TELL(setgroups(0, NULL));
	TELL(mount("none", "folder", "tmpfs", 0, ""));
	TELL(umount2("folder", 0));
	TELL(syscall(SYS_pivot_root, "folder", "folder"));
	TELL(syscall(SYS_init_module, nowhere, 1, ""));
	TELL(syscall(SYS_kexec_load, 0, 0, NULL, 0));
	TELL(syscall(SYS_bpf, 5, nowhere, 4)); /* BPF_PROG_LOAD */
	TELL(unshare(CLONE_NEWUTS));
	TELL(unshare(CLONE_NEWUSER));
	TELL(unshare(CLONE_NEWNS));
	TELL(mount("none", "folder", "tmpfs", 0, ""));
	TELL(umount2("folder", 0));
	TELL(umount2("folder", 0));
	TELL(setuid(0));
	TELL(setuid(1000));
	TELL(setpgid(1, 0));
	TELL(getpgid(1));
	TELL(getpgid(1 << 22));
	TELL(syscall(SYS_clone, CLONE_VM | CLONE_THREAD, 0, 0, 0, 0));
	TELL(syscall(SYS_ptrace, 16, 1, 0, 0));
	TELL(waitpid(-1, NULL, 0));
}

/* As an ordinary user; by name, since the numbers of descriptors are the same either way. */
int verdicts(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	enter("open");
	MUST(fchdir(here));
	MUST(setresgid(1000, 1000, 1000));
	MUST(setresuid(1000, 1000, 1000));
	files_of_a_user();
	control_of_a_user();
	sockets_of_a_user();
	tasks_of_a_user();
	fflush(stdout);
	return 0;
}
