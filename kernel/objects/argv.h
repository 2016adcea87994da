/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_ARGV_H
#define PROVCAP_OBJECTS_ARGV_H
/*
 * The arguments of a program, and its environment if that is wanted, whole: strings one after the other from
 * where the new stack begins. At exec their pages have just been written, so reading them does not fault. Of a
 * process that is first wanted later the arguments are read then, from where it keeps them itself, which the
 * record says.
 */
#include "../graph/text.h"
#include "memory.h"

#define MAX_PIECES (1 << 20)
#define MAX_STRINGS (1 << 20)

struct prov_arguments {
	struct prov_policy *policy;
	struct prov_text_buffer *buffer;
	unsigned long from; /* user address of what comes next */
	unsigned long end; /* user address where they end, if that is what is known; else ~0 */
	__u32 left; /* strings that have not ended yet */
	__u32 filled; /* bytes in the room */
	bool failed; /* some are missing */
};

static __always_inline void send_piece(struct prov_arguments *arguments, __u8 what)
{
	struct prov_text *text = &arguments->buffer->text;
	__u32 filled = arguments->filled;

	if (filled > 2 * TEXT_ROOM - 1)
		return;
	text->length = filled;
	text->total = text->offset + filled;
	send_text(text, sizeof(*text) + filled, what);
	text->offset += filled;
	arguments->filled = 0;
}

/* One string, or as much of it as there is room for. */
static __always_inline long read_next(struct prov_arguments *arguments, __u8 what)
{
	__u32 at = arguments->filled & (TEXT_ROOM - 1);
	long length;

	length = bpf_probe_read_user_str(&arguments->buffer->room[at], TEXT_ROOM,
					 (void *)arguments->from);
	if (length < 0 || length > TEXT_ROOM) {
		arguments->failed = true;
		return 1;
	}
	if (!length) { /* an empty string: the helper counts its NUL in every other */
		arguments->buffer->room[at] = '\0';
		length = 1;
	}
	if (length == TEXT_ROOM)
		length--; /* cut by the room: that NUL is not the string's own */
	else
		arguments->left--;
	arguments->from += length;
	arguments->filled = at + length;
	if (!arguments->left || arguments->from >= arguments->end)
		return 1;
	if (arguments->filled >= TEXT_ROOM)
		send_piece(arguments, what);
	return 0;
}

/* One for each kind: a constant takes no stack. */
static long read_argument(__u32 step, struct prov_arguments *arguments)
{
	return read_next(arguments, NODE_ARGV);
}

static long read_variable(__u32 step, struct prov_arguments *arguments)
{
	return read_next(arguments, NODE_ENVP);
}

static __always_inline void start_arguments(struct prov_arguments *arguments,
					    struct prov_memory *memory, __u32 count, __u8 bits)
{
	struct prov_text *text = &arguments->buffer->text;
	struct prov_step step = enter(&memory->node);

	fill_text(text, arguments->policy, &memory->node, NODE_MEMORY, 0);
	text->id = new_ids(count);
	text->count = count;
	text->node_version = step.version;
	text->bits = step.stepped ? bits | TEXT_STEPPED : bits;
	memory->argued = arguments->policy->epoch;
}

static __always_inline void send_strings(struct prov_arguments *arguments, __u8 what)
{
	if (what == NODE_ENVP)
		bpf_loop(MAX_PIECES, read_variable, arguments, 0);
	else
		bpf_loop(MAX_PIECES, read_argument, arguments, 0);
	arguments->buffer->text.bits |= TEXT_LAST;
	if (arguments->failed) {
		arguments->buffer->text.bits |= TEXT_TRUNCATED;
		count_here(COUNT_ARGUMENT_FAULT);
	}
	send_piece(arguments, what);
	give_back(arguments->buffer);
}

static __always_inline bool wants_arguments(struct prov_policy *policy)
{
	return !is_filtered(policy, REL_ARG, NODE_ARGV);
}

static __always_inline bool wants_environment(struct prov_policy *policy)
{
	return policy->switches & SWITCH_ENVIRONMENT && !is_filtered(policy, REL_ENV, NODE_ENVP);
}

/* So many strings from here; the address behind them, 0: it is not known */
static __noinline unsigned long send_given(struct prov_policy *policy, struct prov_memory *memory,
					   unsigned long from, __u32 count, __u8 what)
{
	struct prov_arguments arguments = {
		.policy = policy,
		.from = from,
		.end = ~0ul,
		.left = count,
	};

	if (!memory || !count)
		return from;
	arguments.buffer = claim_buffer();
	if (!arguments.buffer)
		return 0;
	start_arguments(&arguments, memory, count, 0);
	send_strings(&arguments, what);
	return arguments.failed ? 0 : arguments.from;
}

/* The environment begins where the arguments end, so who leaves these out gets neither. */
static __always_inline void send_arguments(struct prov_policy *policy, struct prov_memory *memory,
					   struct linux_binprm *bprm)
{
	unsigned long behind;

	if (!wants_arguments(policy))
		return;
	behind = send_given(policy, memory, bprm->p, bprm->argc, NODE_ARGV);
	if (behind && wants_environment(policy))
		send_given(policy, memory, behind, bprm->envc, NODE_ENVP);
}

/*
 * How many strings there are is not known: ids for as many as there are bytes. The environment is not looked
 * for again: there is no stack left for it.
 */
static __noinline int send_kept_arguments(struct prov_policy *policy, struct prov_memory *memory,
					  struct task_struct *task)
{
	struct prov_arguments arguments = { .policy = policy, .left = MAX_STRINGS };
	unsigned long bytes;

	if (!memory || !task)
		return 0;
	memory->argued = policy->epoch;
	arguments.from = BPF_CORE_READ(task, mm, arg_start);
	arguments.end = BPF_CORE_READ(task, mm, arg_end);
	if (!arguments.from || arguments.end <= arguments.from ||
	    !(arguments.buffer = claim_buffer()))
		return 0;
	bytes = arguments.end - arguments.from;
	if (bytes > MAX_STRINGS) {
		bytes = MAX_STRINGS;
		arguments.end = arguments.from + bytes;
		arguments.failed = true;
	}
	start_arguments(&arguments, memory, bytes, TEXT_LATE);
	send_strings(&arguments, NODE_ARGV);
	return 0;
}

/* Only the process itself can be asked: its memory is the one that is mapped now. */
static __always_inline void announce_arguments(struct prov_policy *policy, struct prov_memory *memory,
					       struct task_struct *task)
{
	if (memory->argued != policy->epoch && task == bpf_get_current_task_btf() &&
	    wants_arguments(policy))
		send_kept_arguments(policy, memory, task);
}

#endif
