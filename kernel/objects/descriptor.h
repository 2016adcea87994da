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

#endif
