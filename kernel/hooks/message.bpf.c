// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of System V and POSIX queues. No LSM hook is asked about a POSIX queue, but both kinds
 * of message are made and handed out by the same functions.
 */
#include "../objects/message.h"

#define MESSAGE_DETAIL { .outcome = OUTCOME_DONE, .offset = NO_OFFSET, .kind = NODE_MSG }

/* Which queue a message is for is not known when it is made: kept for the hook that runs next. */
SEC("fentry/do_mq_timedsend")
int PROBE(do_mq_timedsend, int number, const char *text, size_t length, unsigned int priority)
{
	struct prov_scene scene;
	struct file *file;

	if (!current_scene(&scene))
		return 0;
	scene.task->posting.queue = 0;
	scene.task->posting.priority = priority;
	file = file_of_number(number);
	if (file)
		prepare_posting(&scene.task->posting, file, length);
	return 0;
}

/*
 * To a POSIX queue: no further hook knows the message, so sending is told here, too. It may still
 * be given up, by a signal or at the time limit.
 */
static __noinline int posts(struct prov_scene *scene, struct prov_loose *message)
{
	struct prov_detail detail = { .offset = NO_OFFSET, .kind = NODE_MSG };

	if (!scene || !message)
		return 0;
	scene->task->posting.queue = 0;
	if (!scene->task->posting.refused)
		generates(scene, REL_SEND_MSG_QUEUE, &message->node, &detail);
	return 0;
}

/* The content has been copied out of the sender's memory. */
SEC("lsm/msg_msg_alloc_security")
int BPF_PROG(msg_msg_alloc_security, struct msg_msg *msg, int ret)
{
	struct prov_detail detail = MESSAGE_DETAIL;
	struct prov_loose *message;
	struct prov_scene scene;

	if (ret || !current_scene(&scene) || !scene.wanted)
		return ret;
	message = new_loose(msg);
	if (!message)
		return 0;
	inherit(&scene, &message->node);
	if (scene.task->posting.queue) {
		describe_posted(message, &scene.task->posting);
		announce_message(&scene, message);
	} else {
		message->node.sent = scene.policy->epoch | SENT_OUTDATED; /* all is told at msgsnd */
	}
	generates(&scene, REL_MSG_CREATE, &message->node, &detail);
	if (scene.task->posting.queue)
		posts(&scene, message);
	return 0;
}

/* The queue takes it now: under its lock, and before anybody can receive it. */
SEC("lsm/msg_queue_msgsnd")
int BPF_PROG(msg_queue_msgsnd, struct kern_ipc_perm *perm, struct msg_msg *msg, int flags, int ret)
{
	struct prov_detail detail = MESSAGE_DETAIL;
	struct prov_loose *message;
	struct prov_scene scene;

	if (ret || !has_room(perm, msg) || !current_scene(&scene))
		return ret;
	message = met_loose(msg);
	if (!message)
		return 0;
	describe_sent(message, msg, perm);
	detail.flags = flags;
	if (announce_message(&scene, message))
		generates(&scene, REL_SEND_MSG_QUEUE, &message->node, &detail);
	return 0;
}

/*
 * Every message that is received comes here last, in the receiver's name; what was found before
 * may be left.
 */
SEC("fexit/store_msg")
int PROBE(store_msg, void *to, struct msg_msg *msg, size_t length, int ret)
{
	struct prov_detail detail = MESSAGE_DETAIL;
	struct prov_loose *message;
	struct prov_scene scene;

	if (ret || !current_scene(&scene))
		return 0;
	message = met_message(msg);
	if (message && announce_message(&scene, message))
		uses(&scene, REL_RECEIVE_MSG_QUEUE, &message->node, &detail);
	return 0;
}

static __always_inline void describe_copy(struct prov_loose *copy, const struct prov_loose *message)
{
	copy->type = message->type;
	copy->size = message->size;
	copy->queue = message->queue;
	copy->key = message->key;
	outdate(&copy->node);
}

/*
 * MSG_COPY: the message stays in its queue, and what is received is another one that was made
 * for it.
 */
SEC("fexit/copy_msg")
int PROBE(copy_msg, struct msg_msg *from, struct msg_msg *to, struct msg_msg *copied)
{
	struct prov_detail detail = MESSAGE_DETAIL;
	struct prov_loose *message, *copy;
	struct prov_scene scene;

	if (copied != to || !current_scene(&scene))
		return 0;
	message = met_message(from);
	copy = met_message(to);
	if (!message || !copy)
		return 0;
	describe_copy(copy, message);
	detail.from_kind = NODE_MSG;
	takes_part(&scene, &message->node);
	if (announce_message(&scene, copy) && announce_message(&scene, message))
		derives(&scene, REL_RELAY, &message->node, &copy->node, &detail);
	return 0;
}

SEC("lsm/msg_msg_free_security")
int BPF_PROG(msg_msg_free_security, struct msg_msg *msg)
{
	end_loose(msg, NODE_MSG);
	return 0;
}
