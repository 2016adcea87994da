/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_MESSAGE_H
#define PROVCAP_OBJECTS_MESSAGE_H
/*
 * Messages of System V and POSIX queues: one node each, from the copy out of the sender's
 * memory on.
 */
#include "loose.h"

#define MQUEUE_MAGIC 0x19800202
#define FMODE_WRITE 2
#define O_NONBLOCK 04000

static __noinline int send_message(struct prov_policy *policy, struct prov_loose *message)
{
	struct prov_message_record *record;

	if (!message)
		return 0;
	record = RESERVE(struct prov_message_record, RECORD_MESSAGE, NODE_MSG,
			 COUNT_NODE_RING_FULL);
	if (!record)
		return 0;
	fill_node(&record->node, &message->node, policy);
	record->type = message->type;
	record->size = message->size;
	record->queue = message->queue;
	record->dev = message->dev;
	record->key = message->key;
	submit(record);
	message->node.sent = policy->epoch;
	return 0;
}

/* False: nothing that touches it is recorded. */
static __always_inline bool announce_message(struct prov_scene *scene, struct prov_loose *message)
{
	if (!takes_part(scene, &message->node))
		return false;
	if (message->node.sent != scene->policy->epoch)
		send_message(scene->policy, message);
	return true;
}

/* One that is received; if it was sent before us, its queue stays unknown. */
static __always_inline struct prov_loose *met_message(struct msg_msg *msg)
{
	struct prov_loose *message = met_loose(msg);

	if (message)
		return message;
	message = make_loose(msg);
	if (message) {
		message->type = msg->m_type;
		message->size = msg->m_ts;
	}
	return message;
}

static __always_inline void describe_sent(struct prov_loose *message, struct msg_msg *msg,
					  struct kern_ipc_perm *queue)
{
	message->type = msg->m_type;
	message->size = msg->m_ts;
	message->queue = queue->id;
	message->key = queue->key;
	message->dev = 0;
	outdate(&message->node);
}

/*
 * As the kernel asks once it has been allowed: who does not fit in waits, and comes back to the
 * hook.
 */
static __always_inline bool has_room(struct kern_ipc_perm *perm, struct msg_msg *msg)
{
	struct msg_queue *queue = (void *)perm - bpf_core_field_offset(struct msg_queue, q_perm);
	__u64 limit = FIELD(queue, q_qbytes);

	return msg->m_ts + FIELD(queue, q_cbytes) <= limit &&
	       1 + FIELD(queue, q_qnum) <= limit;
}

/* The open file with this number, not to be used but for reading from it */
static __always_inline struct file *file_of_number(__u32 number)
{
	struct fdtable *table = FIELD(bpf_get_current_task_btf(), files, fdt);
	struct file *file = NULL;

	if (number < FIELD(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), FIELD(table, fd) + number);
	return file;
}

/* Nobody waits for room, and there is none now. */
static __always_inline bool is_refused(struct mqueue_inode_info *queue, struct file *file)
{
	return FIELD(queue, attr.mq_curmsgs) >= FIELD(queue, attr.mq_maxmsg) &&
	       FIELD(file, f_flags) & O_NONBLOCK;
}

/* Which POSIX queue the message is for that this thread is about to make, if it may */
static __noinline int prepare_posting(struct prov_posting *posting, struct file *file,
				      __u64 length)
{
	struct inode *inode = FIELD(file, f_inode);
	struct mqueue_inode_info *queue;

	if (!posting || FIELD(inode, i_sb, s_magic) != MQUEUE_MAGIC)
		return 0;
	queue = (void *)inode - bpf_core_field_offset(struct mqueue_inode_info, vfs_inode);
	if (!(FIELD(file, f_mode) & FMODE_WRITE) ||
	    length > (__u64)FIELD(queue, attr.mq_msgsize))
		return 0;
	posting->queue = FIELD(inode, i_ino);
	posting->dev = FIELD(inode, i_sb, s_dev);
	posting->size = length;
	posting->refused = is_refused(queue, file);
	return 0;
}

static __always_inline void describe_posted(struct prov_loose *message,
					    const struct prov_posting *posting)
{
	message->type = posting->priority;
	message->size = posting->size;
	message->queue = posting->queue;
	message->dev = posting->dev;
}

#endif
