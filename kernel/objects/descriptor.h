/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_DESCRIPTOR_H
#define PROVCAP_OBJECTS_DESCRIPTOR_H
/* What a descriptor leads to, whatever it is: sockets have their node with the sock, all else by inode. */
#include "inode.h"
#include "socket.h"

static __always_inline struct prov_node *socket_file_node(struct prov_scene *scene,
							  struct file *file)
{
	struct socket *sock = bpf_sock_from_file(file);
	struct sock *sk = sock ? sock->sk : NULL;
	struct prov_socket *socket = sk ? socket_node(scene, sk) : NULL;

	return socket ? &socket->node : NULL;
}

/* LSM programs only. NULL as with inode_node and socket_node */
static __always_inline struct prov_node *descriptor_node(struct prov_scene *scene,
							 struct file *file)
{
	if (is_socket_inode(file->f_inode))
		return socket_file_node(scene, file);
	return file_node(scene, file);
}

#endif
