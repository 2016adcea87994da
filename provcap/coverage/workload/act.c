// SPDX-License-Identifier: GPL-2.0
/*
 *   act prepare WORK        folders and files of every operation, before anything is recorded
 *   act run WORK [NAME...]  every operation, or those that are named, each in a process of its own
 *   act before WORK         one process that is there before recording begins (see lifetimes.c)
 *   act verdicts WORK       what the kernel answers to a list of operations (see verdicts.c)
 *
 * Names of objects go to standard output: "kind device inode name"; and of each operation that could
 * not be done: "failed NAME".
 */
#include "act.h"

static const struct operation *const groups[] = { handovers, files, attributes, names, pipes,
						  copies, calls, processes, sockets, packets, lifetimes,
						  everyday, identity, signals, loads, queues, shared,
						  sharing, rings, refused };

int here = -1;
const char *work;

static const char *doing = "start";
static int begin_mark = -1, end_mark = -1;
static char told[1 << 18];
static size_t named;
static char **wanted; /* names of operations; none: all */
static int failures;

long must(long result, const char *what)
{
	if (result == -1) {
		fprintf(stderr, "act %s: %s: %s\n", doing, what, strerror(errno));
		_exit(1);
	}
	return result;
}

void fails(long result, int error, const char *what)
{
	if (result != -1 || errno != error) {
		fprintf(stderr, "act %s: %s gave %ld, %s\n", doing, what, result, strerror(errno));
		_exit(1);
	}
}

static void note(const char *kind, dev_t device, unsigned long inode, const char *name)
{
	named += snprintf(told + named, sizeof(told) - named, "%s %u %lu %s/%s\n", kind,
			  major(device) << 20 | minor(device), inode, doing, name);
	must(named < sizeof(told) ? 0 : -1, "room for names");
}

/* Pipes and sockets say their number in a link, so that asking for it leaves no trace on them. */
void called(const char *name, int fd)
{
	char link[64], target[64] = "";
	unsigned long inode;
	struct stat status;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	MUST(readlink(link, target, sizeof(target) - 1));
	if (sscanf(target, "pipe:[%lu]", &inode) == 1) {
		note("pipe", 0, inode, name);
	} else if (sscanf(target, "socket:[%lu]", &inode) == 1) {
		note("socket", 0, inode, name);
	} else {
		MUST(fstat(fd, &status));
		note("inode", status.st_dev, status.st_ino, name);
	}
}

void begin(void)
{
	MUST(pwrite(begin_mark, "x", 1, 0));
}

void end(void)
{
	MUST(pwrite(end_mark, "x", 1, 0));
}

void act_as(uid_t user)
{
	MUST(syscall(SYS_setresuid, -1, user, -1));
}

void pause_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

int start(int flags, int (*act)(void *), void *argument)
{
	size_t size = 1 << 16;
	char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return MUST(clone(act, stack + size, flags, argument));
}

int write_later(void *fd)
{
	pause_ms(100);
	MUST(write(*(int *)fd, "x", 1));
	_exit(0);
}

void await_child(int pid)
{
	int status;

	MUST(waitpid(pid, &status, 0));
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "act %s: a child ended with %#x\n", doing, status);
		_exit(1);
	}
}

void stay_with_parent(void)
{
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
}

void stop_child(int pid)
{
	MUST(kill(pid, SIGKILL));
	MUST(waitpid(pid, NULL, 0));
}

/* Out of the file in /proc for which the kernel does not ask whether one may look into the other. */
static char state_of(int pid)
{
	char path[32], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%*[^\n] Umask: %*s State: %c", &state) != 1)
		must(-1, path);
	fclose(file);
	return state;
}

int hold[2];

int waiting_child(int (*act)(void *))
{
	int child;

	MUST(pipe(hold));
	child = start(SIGCHLD, act, NULL);
	close(hold[0]);
	while (state_of(child) != 'S')
		pause_ms(1);
	return child;
}

void end_child(int child)
{
	close(hold[1]);
	await_child(child);
}

static int opened(const char *folder, const char *name, int flags)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s/%s", work, folder, name);
	return MUST(open(path, flags | O_CLOEXEC, 0644));
}

void enter(const char *name)
{
	char mark[64];

	doing = name;
	here = opened("", doing, O_PATH | O_DIRECTORY);
	snprintf(mark, sizeof(mark), "%s.begin", doing);
	begin_mark = opened("marks", mark, O_WRONLY);
	snprintf(mark, sizeof(mark), "%s.end", doing);
	end_mark = opened("marks", mark, O_WRONLY);
}

static void tell(void)
{
	must(write(1, told, named), "telling names");
	named = 0;
}

static void act_out(const struct operation *operation)
{
	enter(operation->name);
	note("task", 0, getpid(), "task");
	operation->act();
	tell();
	_exit(0);
}

/* In a process of its own: what it opens, changes and may become is gone with it. */
static void run(const struct operation *operation)
{
	int status, pid;

	if (!operation->act)
		return; /* another process does it */
	pid = MUST(fork());
	if (!pid)
		act_out(operation);
	MUST(waitpid(pid, &status, 0));
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	fprintf(stderr, "act %s: its process ended with %#x\n", operation->name, status);
	dprintf(1, "failed %s\n", operation->name);
	failures++;
}

static int make(const char *name, const char *content, mode_t mode)
{
	int fd = MUST(openat(here, name, O_CREAT | O_RDWR | O_TRUNC, mode));

	MUST(write(fd, content, strlen(content)));
	called(name, fd);
	return fd;
}

/* The program without a library lies beside this one. */
static void make_program(void)
{
	char path[4096], content[65536];
	ssize_t length = MUST(readlink("/proc/self/exe", path, sizeof(path) - 8));
	int from;

	path[length] = '\0';
	strcpy(strrchr(path, '/'), "/quiet");
	from = MUST(open(path, O_RDONLY));
	length = MUST(read(from, content, sizeof(content)));
	int to = MUST(openat(here, "quiet", O_CREAT | O_WRONLY, 0755));
	MUST(write(to, content, length));
	called("quiet", to);
}

static void make_device(const char *name, int minor_number)
{
	MUST(mknodat(here, name, S_IFCHR | 0666, makedev(1, minor_number)));
	called(name, MUST(openat(here, name, O_RDONLY)));
}

static void mark_of(int marks, const char *moment)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.%s", doing, moment);
	called(moment, MUST(openat(marks, name, O_CREAT | O_RDWR, 0644)));
}

/* The same content in every folder */
static void prepare(const struct operation *operation, int root, int marks)
{
	doing = operation->name;
	MUST(mkdirat(root, doing, 0755));
	here = MUST(openat(root, doing, O_DIRECTORY | O_RDONLY));
	called("here", here);
	make("a", "a\n", 0644);
	make("b", "b\n", 0644);
	make("secret", "secret\n", 0600);
	make("text", "no program\n", 0755);
	make("script", "#!./quiet word\n", 0755);
	make_program();
	MUST(mkdirat(here, "folder", 0755));
	called("folder", MUST(openat(here, "folder", O_DIRECTORY | O_RDONLY)));
	MUST(mkfifoat(here, "fifo", 0644));
	called("fifo", MUST(openat(here, "fifo", O_RDWR)));
	make_device("null", 3);
	make_device("zero", 5);
	mark_of(marks, "begin");
	mark_of(marks, "end");
	closefrom(marks + 1);
	tell();
}

static void for_each_operation(void (*act)(const struct operation *, int, int), int root, int marks)
{
	for (size_t group = 0; group < sizeof(groups) / sizeof(*groups); group++)
		for (const struct operation *next = groups[group]; next->name; next++)
			act(next, root, marks);
}

static bool is_wanted(const char *name)
{
	for (char **next = wanted; *next; next++)
		if (!strcmp(*next, name))
			return true;
	return !*wanted;
}

static void run_one(const struct operation *operation, int root, int marks)
{
	if (is_wanted(operation->name))
		run(operation);
}

static int prepare_all(void)
{
	int root = MUST(open(work, O_DIRECTORY | O_RDONLY));
	int marks;

	MUST(mkdirat(root, "marks", 0755));
	marks = MUST(openat(root, "marks", O_DIRECTORY | O_RDONLY));
	for_each_operation(prepare, root, marks);
	return 0;
}

/*
 * Files in memory and System V segments are on one file system and numbered each for themselves, from 1 on: the
 * files leave the low numbers to the segments, since names are told by number.
 */
static void leave_low_numbers(void)
{
	cpu_set_t all, one;

	MUST(sched_getaffinity(0, sizeof(all), &all));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) { /* each has a stock of numbers */
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		MUST(sched_setaffinity(0, sizeof(one), &one));
		for (int i = 0; i < 256; i++)
			MUST(close(MUST(memfd_create("", 0))));
	}
	MUST(sched_setaffinity(0, sizeof(all), &all));
}

static int run_all(void)
{
	leave_low_numbers();
	for_each_operation(run_one, -1, -1);
	return !!failures;
}

int main(int count, char **words)
{
	const char *what = count >= 3 ? words[1] : "";
	int status = 2;

	signal(SIGPIPE, SIG_IGN);
	work = words[2];
	wanted = words + 3;
	if (!strcmp(what, "prepare"))
		status = prepare_all();
	else if (!strcmp(what, "run"))
		status = run_all();
	else if (!strcmp(what, "before"))
		status = before();
	else if (!strcmp(what, "verdicts"))
		status = verdicts();
	tell();
	return status;
}
