/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_RIGHTS_H
#define PROVCAP_OBJECTS_RIGHTS_H
/*
 * Descriptors in a message (SCM_RIGHTS), seen when it is sent. The kernel turns them into files later,
 * in __scm_send, but no LSM hook runs on all sockets after that, and inode storage is open to LSM
 * programs only. So the control message is read where it lies in kernel memory at socket_sendmsg, and
 * its numbers are looked up in the sender's own table.
 *
 * The verifier lets us walk to a file through an array of fixed length and a fixed place only: that is the
 * table a process begins with. Larger tables are behind a pointer to pointers: of what is sent out of one of
 * those there is only an address, and so it is with a file that no hook has met. Both are noted with who sends
 * them, for file_receive, which is shown the file itself.
 */
#include "descriptor.h"

#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define MAX_RIGHTS 253 /* the kernel takes no more in one message */
#define MAX_CONTROLS 4 /* a unix socket takes fewer kinds of control message */
#define FIRST_TABLE 64 /* descriptors in the table that a process begins with */

struct prov_control {
	__u64 length; /* with this head */
	__s32 level;
	__s32 type;
};

struct prov_rights {
	struct prov_scene *scene;
	struct prov_node *socket;
	const __u32 *next; /* number of a descriptor, in kernel memory */
};

#define FIRST_TABLE_PLACES(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) \
	X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) \
	X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) \
	X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31) \
	X(32) X(33) X(34) X(35) X(36) X(37) X(38) X(39) \
	X(40) X(41) X(42) X(43) X(44) X(45) X(46) X(47) \
	X(48) X(49) X(50) X(51) X(52) X(53) X(54) X(55) \
	X(56) X(57) X(58) X(59) X(60) X(61) X(62) X(63)

/* Each place by itself: an index would be too much for the verifier, and the barrier keeps them apart. */
static __noinline struct file *file_at(struct files_struct *files, __u32 number)
{
	struct file *file;

	switch (number) {
#define X(n)                                    \
	case n:                                 \
		file = files->fd_array[n];      \
		FORGET(file);                   \
		return file;
		FIRST_TABLE_PLACES(X)
#undef X
	default:
		return NULL;
	}
}

/*
 * Of a file that is sent again before it was received, the last sender is remembered: the same one for all
 * who get it from a server.
 */
static __noinline int hands_over(struct prov_scene *scene, __u64 file)
{
	struct prov_handed *before, handed = { .waiting = 1 };

	if (!scene || !file || !is_recorded(scene))
		return 0;
	if (!scene->memory) {
		count_loss(COUNT_DESCRIPTOR_UNSEEN);
		return 0;
	}
	handed.epoch = scene->policy->epoch;
	handed.inode = (__u64)FIELD((struct file *)file, f_inode);
	fill_image(&handed.sender, &scene->memory->node, NODE_MEMORY);
	before = bpf_map_lookup_elem(&handed_over, &file);
	if (is_on_its_way(before, handed.inode, handed.epoch)) {
		handed.waiting += before->waiting;
		if (before->sender.id != handed.sender.id)
			count_loss(COUNT_DESCRIPTOR_UNSEEN);
	}
	if (bpf_map_update_elem(&handed_over, &file, &handed, BPF_ANY))
		count_loss(COUNT_DESCRIPTOR_UNSEEN);
	return 0;
}

/*
 * The node of a file that is known already. Another thread may close the file at this moment, so nothing is
 * attached to its inode or sock here. What is kept by address can be met for the first time.
 */
static __always_inline struct prov_node *met_state(struct file *file)
{
	struct inode *inode = file->f_inode;

	if (is_eventfd(file))
		return eventfd_state(file);
	if (may_block(inode))
		return end_node(file);
	return by_address(inode) ? addressed_node(inode) : met_inode(inode);
}

static __always_inline void announce_met(struct prov_scene *scene, struct file *file,
					 struct prov_node *node)
{
	if (is_eventfd(file))
		announce_eventfd(scene, file, node);
	else
		announce_end(scene, file, node);
}

static __always_inline struct prov_node *met_node(struct prov_scene *scene, struct file *file)
{
	struct prov_node *node = met_state(file);

	if (!node || !is_born(node)) {
		hands_over(scene, (__u64)file);
		return NULL;
	}
	if (node->nature & NATURE_SHARED) {
		count_loss(COUNT_SHARED_ANONYMOUS);
		return NULL;
	}
	if (!takes_part(scene, node))
		return NULL;
	announce_met(scene, file, node);
	return node;
}

/* The same of a socket */
static __always_inline struct prov_node *met_socket(struct prov_scene *scene, struct file *file)
{
	struct socket *sock = bpf_sock_from_file(file);
	struct sock *sk = sock ? sock->sk : NULL;
	struct prov_socket *socket = sk ? bpf_sk_storage_get(&sockets, sk, NULL, 0) : NULL;

	if (!socket || !is_born(&socket->node)) {
		hands_over(scene, (__u64)file);
		return NULL;
	}
	if (!takes_part(scene, &socket->node))
		return NULL;
	announce_socket(scene, sk, &socket->node);
	return &socket->node;
}

static __always_inline void send_file(struct prov_scene *scene, struct prov_node *socket,
				      struct file *file)
{
	struct inode *inode = file->f_inode;
	struct prov_detail detail = { .offset = NO_OFFSET, .kind = NODE_SOCKET };
	struct prov_node *node;

	if (is_socket_inode(inode))
		node = met_socket(scene, file);
	else
		node = met_node(scene, file);
	detail.from_kind = kind_of_file(file);
	if (node)
		derives(scene, REL_FILE_SND, node, socket, &detail);
}

static long send_descriptor(__u32 step, struct prov_rights *rights)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct files_struct *files = task->files;
	struct file *file;
	__u32 number;

	if (bpf_probe_read_kernel(&number, sizeof(number), rights->next++))
		return 1;
	if (FIELD(files, fdt, max_fds) > FIRST_TABLE)
		return hands_over(rights->scene, file_of(number));
	file = file_at(files, number);
	if (file && rights->scene && rights->socket)
		send_file(rights->scene, rights->socket, file);
	return 0;
}

static __always_inline __u64 aligned(__u64 length)
{
	return (length + 7) & ~7ull;
}

/* Every descriptor in the control messages: file --file_snd--> socket */
static __noinline int send_rights(struct prov_scene *scene, struct prov_node *socket,
				  struct msghdr *msg)
{
	struct prov_rights rights = { .scene = scene, .socket = socket };
	const void *at = FIELD(msg, msg_control);
	__u64 left = FIELD(msg, msg_controllen);
	struct prov_control head;

	if (!scene || !socket)
		return 0;
	for (int i = 0; i < MAX_CONTROLS; i++) {
		if (left < sizeof(head) || bpf_probe_read_kernel(&head, sizeof(head), at) ||
		    head.length < sizeof(head) || head.length > left)
			break;
		rights.next = at + sizeof(head);
		if (head.level == SOL_SOCKET && head.type == SCM_RIGHTS)
			bpf_loop((head.length - sizeof(head)) / sizeof(__u32) & 0xff, send_descriptor,
				 &rights, 0);
		if (aligned(head.length) > left)
			break;
		at += aligned(head.length);
		left -= aligned(head.length);
	}
	return 0;
}

#endif
