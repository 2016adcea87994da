// SPDX-License-Identifier: GPL-2.0
/*
 *   play prepare WORK    folders and files of every scenario
 *   play early WORK      processes that are there before recording begins, left running
 *   play run WORK        every scenario, one after the other; prints their names
 *   play give NAME TEXT  adds the text to the file: what an executed program does
 *   play say NAME        the same with the message that this very program was written with
 */
#include "play.h"

static const struct flow *const flows[] = {
	file_flows, process_flows, channel_flows, network_flows, early_flows, unseen_flows,
	copy_flows, ring_flows, signal_flows, ipc_flows, sharing_flows,
	handed_flows, beside_flows, outside_flows,
};
static const struct pair *const all_pairs[] = { pairs, server_pairs, near_pairs, network_pairs,
					      copy_pairs, ring_pairs, identity_pairs, ipc_pairs,
					      sharing_pairs, handed_pairs, beside_pairs,
					      outside_pairs };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

const char *program, *scenario = "start";
bool joined;
int patience_s = 30;
char words[ROOM];
int ends[2];

static const char *work;
static int link_ends[2];

void must(long result, const char *what)
{
	if (result == -1) {
		fprintf(stderr, "play %s: %s: %s\n", scenario, what, strerror(errno));
		_exit(1);
	}
}

void fails(long result, int error, const char *what)
{
	if (result != -1 || errno != error) {
		fprintf(stderr, "play %s: %s gave %ld, %s\n", scenario, what, result,
			strerror(errno));
		_exit(1);
	}
}

void add(const char *text, size_t length)
{
	size_t used = strlen(words);

	length = strnlen(text, length);
	if (length < ROOM - used)
		memcpy(words + used, text, length);
}

int opened(const char *name, int flags)
{
	return MUST(open(name, flags | O_CLOEXEC, 0600));
}

bool hear(int fd)
{
	char text[ROOM];
	ssize_t got = MUST(read(fd, text, sizeof(text)));

	add(text, got);
	return got > 0;
}

void tell(int fd)
{
	MUST(write(fd, words, strlen(words)));
}

void take(const char *name)
{
	int fd = opened(name, O_RDONLY);

	hear(fd);
	close(fd);
}

void give(const char *name)
{
	int fd = opened(name, O_WRONLY | O_CREAT | O_APPEND);

	tell(fd);
	close(fd);
}

/* A child that hangs ends all the same. */
static pid_t begin(void)
{
	pid_t child = MUST(fork());

	if (!child)
		alarm(patience_s);
	return child;
}

pid_t start(void (*act)(void))
{
	pid_t child = begin();

	if (child)
		return child;
	act();
	_exit(0);
}

void await(pid_t child)
{
	int status;

	MUST(waitpid(child, &status, 0));
	if (status) {
		fprintf(stderr, "play %s: a child ended with %#x\n", scenario, status);
		_exit(1);
	}
}

void run(void (*act)(void))
{
	await(start(act));
}

static const char *name_of_step(int step)
{
	static char name[32];

	snprintf(name, sizeof(name), "order/%d", step);
	return name;
}

void reached(int step)
{
	close(opened(name_of_step(step), O_WRONLY | O_CREAT));
}

void await_step(int step)
{
	while (access(name_of_step(step), F_OK))
		usleep(500);
}

#define PARTNER "order/partner"

/* A link whose text is the number: from who started both, and has read nothing. */
static void tell_partner(pid_t second)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", second);
	MUST(symlink(text, PARTNER));
}

pid_t partner(void)
{
	char text[16] = "";

	while (readlink(PARTNER, text, sizeof(text) - 1) < 0)
		usleep(500);
	return atoi(text);
}

void execute_give(const char *name, const char *text)
{
	pid_t child = vfork();

	if (!child) {
		execl(program, program, "give", name, text, NULL);
		_exit(127);
	}
	await(child);
}

void send_secret(void)
{
	take("secret");
	tell(ends[1]);
}

void receive_copy(void)
{
	hear(ends[0]);
	give("copy");
}

void hand_on(void)
{
	run(send_secret);
	run(receive_copy);
}

static void first_side(const struct pair *pair)
{
	take("secret");
	if (pair->first)
		pair->first();
	give("own");
	if (joined)
		tell(link_ends[1]);
	reached(0);
	await_step(1);
}

static void second_side(const struct pair *pair)
{
	take("other");
	await_step(0);
	if (joined)
		hear(link_ends[0]);
	if (pair->second)
		pair->second();
	give("clean");
	reached(1);
}

static void play_pair(const struct pair *pair)
{
	pid_t first, second;

	MUST(pipe(link_ends));
	if (pair->instead)
		return pair->instead();
	if (pair->before)
		pair->before();
	first = begin();
	if (!first) {
		first_side(pair);
		_exit(0);
	}
	second = begin();
	if (!second) {
		second_side(pair);
		_exit(0);
	}
	tell_partner(second);
	await(first);
	await(second);
}

static void enter(const char *name)
{
	scenario = name;
	MUST(chdir(work));
	MUST(chdir(name));
}

static void make(const char *name, const char *text)
{
	int fd = MUST(open(name, O_CREAT | O_WRONLY, 0600));

	MUST(write(fd, text, strlen(text)));
	close(fd);
}

/* Where the file system is that a scenario needs; NULL: anywhere */
static const char *folder_of(const char *name)
{
	return strstr(name, "ext4")    ? "disk" :
	       strstr(name, "overlay") ? "overlay" :
	       strstr(name, "btrfs")   ? "shared" :
					 NULL;
}

/* The same files everywhere; a scenario whose name says so lies on another file system. */
static void prepare(const char *name)
{
	char text[256];
	const char *disk = folder_of(name);

	MUST(chdir(work));
	if (disk) {
		snprintf(text, sizeof(text), "%s/%s", disk, name);
		MUST(mkdir(text, 0755));
		MUST(symlink(text, name));
	} else {
		MUST(mkdir(name, 0755));
	}
	enter(name);
	snprintf(text, sizeof(text), "secret-of-%s\n", name);
	make("secret", text);
	make("other", "something else\n");
	make("common", "known to all\n");
	MUST(mkdir("inner", 0755));
	MUST(mkdir("order", 0755));
	MUST(mkfifo("fifo", 0600));
}

static void in_a_process(const char *name, void (*act)(const void *), const void *what)
{
	pid_t child = begin();

	if (!child) {
		enter(name);
		act(what);
		_exit(0);
	}
	await(child);
	printf("%s\n", name);
}

static void act_flow(const void *flow)
{
	((const struct flow *)flow)->act();
}

static void act_pair(const void *pair)
{
	play_pair(pair);
}

static void for_each_flow(void (*act)(const struct flow *))
{
	for (size_t group = 0; group < COUNT(flows); group++)
		for (const struct flow *next = flows[group]; next->name; next++)
			act(next);
}

static void for_each_pair(void (*act)(const struct pair *, const char *))
{
	char name[64];

	for (size_t group = 0; group < COUNT(all_pairs); group++)
		for (const struct pair *next = all_pairs[group]; next->name; next++) {
			joined = false;
			snprintf(name, sizeof(name), "%s.apart", next->name);
			act(next, name);
			joined = true;
			snprintf(name, sizeof(name), "%s.joined", next->name);
			act(next, name);
		}
}

static void prepare_flow(const struct flow *flow)
{
	prepare(flow->name);
}

static void prepare_pair(const struct pair *pair, const char *name)
{
	(void)pair;
	prepare(name);
}

static void run_flow(const struct flow *flow)
{
	in_a_process(flow->name, act_flow, flow);
}

static void run_pair(const struct pair *pair, const char *name)
{
	in_a_process(name, act_pair, pair);
}

int main(int count, char **arguments)
{
	const char *what = count > 2 ? arguments[1] : "";

	program = MUST(realpath("/proc/self/exe", NULL));
	work = count > 2 ? arguments[2] : "";
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(0);
	if (!strcmp(what, "give") && count == 4) {
		add(arguments[3], strlen(arguments[3]));
		give(arguments[2]);
	} else if (!strcmp(what, "say")) {
		add((const char *)message, strlen((const char *)message));
		give(arguments[2]);
	} else if (!strcmp(what, "prepare")) {
		for_each_flow(prepare_flow);
		for_each_pair(prepare_pair);
	} else if (!strcmp(what, "early")) {
		MUST(chdir(work));
		start_early();
	} else if (!strcmp(what, "run")) {
		for_each_flow(run_flow);
		for_each_pair(run_pair);
	} else {
		return 2;
	}
	return 0;
}
