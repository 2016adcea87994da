/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_DESCRIPTOR_H
#define PROVCAP_OBJECTS_DESCRIPTOR_H
/* What a descriptor leads to, whatever it is: sockets have their node with the sock, all else by inode. */
#include "eventfd.h"
#include "socket.h"
#include "terminal.h"

static __always_inline struct prov_node *socket_file_node(struct prov_scene *scene,
							  struct file *file)
{
	struct socket *sock = bpf_sock_from_file(file);
	struct sock *sk = sock ? sock->sk : NULL;
	struct prov_socket *socket = sk ? socket_node(scene, sk) : NULL;

	return socket ? &socket->node : NULL;
}

static __always_inline __u8 kind_of_file(struct file *file)
{
	return is_eventfd(file) ? NODE_EVENTFD : kind_of_mode(file->f_inode->i_mode);
}

/* LSM programs only. The same as file_node, also of what shares its inode with others */
static __always_inline struct prov_node *open_node(struct prov_scene *scene, struct file *file)
{
	if (is_eventfd(file))
		return eventfd_node(scene, file);
	if (is_terminal(file->f_inode))
		return terminal_node(scene, file);
	return file_node(scene, file);
}

/* LSM programs only. NULL as with inode_node and socket_node */
static __always_inline struct prov_node *descriptor_node(struct prov_scene *scene,
							 struct file *file)
{
	if (is_socket_inode(file->f_inode))
		return socket_file_node(scene, file);
	return open_node(scene, file);
}

/* The address of the file behind a number of the task, 0: none. It can be compared with, and not looked into. */
static __always_inline __u64 file_of(__u32 descriptor)
{
	struct fdtable *table = FIELD(bpf_get_current_task_btf(), files, fdt);
	struct file **files = FIELD(table, fd);
	__u64 file = 0;

	if (descriptor < FIELD(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), files + descriptor);
	return file;
}

/*
 * The other process that a descriptor is being taken from (see descriptor.bpf.c): it hands it over.
 * Its memory may have been given to another process by now.
 */
static __noinline int comes_from_owner(struct prov_scene *scene, struct prov_node *node, __u8 kind)
{
	struct prov_detail detail = {
		.offset = NO_OFFSET,
		.from_kind = NODE_MEMORY,
		.kind = kind,
	};
	struct prov_memory *owner;

	if (!scene || !node)
		return 0;
	owner = memory_at(scene->task->taken_index);
	if (!owner || owner->node.id != scene->task->taken_from || !takes_part(scene, &owner->node))
		return 0;
	announce_memory(scene->policy, owner);
	derives(scene, REL_FILE_SND, &owner->node, node, &detail);
	return 0;
}

/* Not an older one that was kept by the same address */
static __always_inline bool is_on_its_way(const struct prov_handed *handed, __u64 inode, __u32 epoch)
{
	return handed && handed->inode == inode && handed->epoch == epoch;
}

/* What was noted when this file was sent (see rights.h); NULL: nothing */
static __always_inline struct prov_handed *handed_file(struct prov_scene *scene, struct file *file)
{
	__u64 at = (__u64)file;
	struct prov_handed *handed = bpf_map_lookup_elem(&handed_over, &at);

	if (!is_on_its_way(handed, (__u64)file->f_inode, scene->policy->epoch))
		return NULL;
	if (!scene->wanted && handed->sender.marks & MARK_TRACKED)
		let_join(scene);
	return handed;
}

/* Who sent it without being able to show which file it is: sender's memory --file_snd--> file */
static __noinline int comes_from_sender(struct prov_scene *scene, struct prov_handed *handed,
					__u64 file, struct prov_node *node, __u8 kind)
{
	if (!scene || !handed || !node)
		return 0;
	if (is_recorded(scene))
		derives_from_image(scene, REL_FILE_SND, &handed->sender, node, kind);
	if (__sync_fetch_and_sub(&handed->waiting, 1) == 1)
		bpf_map_delete_elem(&handed_over, &file);
	return 0;
}

#endif
