/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_COPY_H
#define PROVCAP_OBJECTS_COPY_H
/*
 * Calls that move content within the kernel: splice, tee, sendfile, copy_file_range, reflinks. The
 * process that asks for it does not get the content, so it goes from object to object.
 *
 * A call begins with what it takes from and puts into (hooks/copy.bpf.c). The source is marked
 *   a file    at its file_permission, as with every read of a file
 *   a pipe    when the target is entered, by when it holds what will be taken
 *   a socket, a terminal    when it has been received from
 * and the target is entered
 *   a pipe    while it is still locked and has got something; told at once
 *   a socket  just before it is sent to; told at once
 *   a file    at its file_permission; told when the call has succeeded, and entered again if it waited for a pipe
 * What these hooks record otherwise, by way of the task's memory, is left out then. A call whose
 * source is not known is recorded the usual way.
 */
#include "../graph/carry.h"
#include "descriptor.h"

#define FMODE_WRITE 2

/* The node of a pipe, as the beginning of the call has left it */
static __always_inline struct prov_node *pipe_node(__u64 inode)
{
	struct prov_blocking *kept = bpf_map_lookup_elem(&blocking, &inode);

	return kept ? &kept->node : NULL;
}

/* One end that is tracked is enough for both; a pipe may have become so while the call waited. */
static __always_inline void ask_ends(struct prov_scene *scene, struct prov_copying *copying)
{
	struct prov_node *pipe;

	if (copying->wanted) {
		let_join(scene);
		return;
	}
	pipe = copying->from ? pipe_node(copying->from) : NULL;
	if (pipe)
		takes_part(scene, pipe);
}

/* The copying call that this task is in; NULL: none */
static __always_inline struct prov_copying *copying_of(struct prov_scene *scene)
{
	struct prov_copying *copying = &scene->task->copying;

	if (!copying->way || copying->call != system_call() ||
	    copying->epoch != scene->policy->epoch)
		return NULL;
	if (!scene->wanted)
		ask_ends(scene, copying);
	return copying;
}

static __always_inline struct prov_copying *copying_from(struct prov_scene *scene,
							 struct file *file)
{
	if (scene->task->copying.in != (__u64)file)
		return NULL;
	return copying_of(scene);
}

static __always_inline struct prov_copying *copying_into(struct prov_scene *scene,
							 struct file *file)
{
	if (scene->task->copying.out != (__u64)file)
		return NULL;
	return copying_of(scene);
}

/* What holds nothing and what nobody may know of is no source. */
static __always_inline void has_source(struct prov_scene *scene, struct prov_copying *copying,
				       struct prov_node *node, __u8 kind)
{
	if (node->marks & MARKS_OPAQUE)
		return;
	copying->wanted = scene->wanted;
	copying->seen = 1;
	if (!(node->nature & NATURE_NULL))
		fill_image(&copying->source, node, kind);
}

/* The source is good as it is, or is a pipe and is marked now. False: it is not known. */
static __always_inline bool source_is_known(struct prov_scene *scene, struct prov_copying *copying)
{
	struct prov_node *node;

	if (copying->from) {
		node = pipe_node(copying->from);
		if (node)
			has_source(scene, copying, node, NODE_PIPE);
	}
	return copying->seen;
}

/* The copying call that reads this file, or writes it */
static __always_inline struct prov_copying *copying_with(struct prov_scene *scene,
							 struct file *file, bool written)
{
	return written ? copying_into(scene, file) : copying_from(scene, file);
}

/* NULL is a file that is not wanted; the target may be. */
static __always_inline bool takes_from_file(struct prov_scene *scene, struct prov_copying *copying,
					    struct inode *inode, struct prov_node *node)
{
	if (may_block(inode) || is_socket_inode(inode))
		return false;
	if (!node)
		node = kept_node(inode);
	if (node)
		has_source(scene, copying, node, kind_of_mode(inode->i_mode));
	return copying->seen;
}

/*
 * A call can wait for a pipe, and what has come meanwhile enters the file when the call is done: an exit probe
 * must be able to reach the node then. The file may be wanted only then, too. NULL: it is not yet
 */
static __always_inline struct prov_node *within_reach(struct prov_scene *scene,
						      struct prov_copying *copying,
						      struct inode *inode, struct prov_node *node)
{
	struct prov_node *met = node ?: inode_state(scene, inode);

	if (!met || is_filtered(scene->policy, relation_of(copying->relation),
				kind_of_mode(inode->i_mode)))
		return node;
	met = move_node(inode, met);
	copying->landing = (__u64)plain(inode);
	copying->target.kind = kind_of_mode(inode->i_mode);
	return node ? met : NULL;
}

static __always_inline bool puts_into_file(struct prov_scene *scene, struct prov_copying *copying,
					   struct inode *inode, struct prov_node *node)
{
	if (node && node->nature & NATURE_NULL)
		return false;
	if (copying->from)
		node = within_reach(scene, copying, inode, node);
	if (!source_is_known(scene, copying) || !node)
		return false;
	copying->wanted = scene->wanted;
	enters(scene, copying, node, kind_of_mode(inode->i_mode));
	return true;
}

/* LSM programs only. False: the file is read or written as any other is. */
static __noinline bool is_copied(struct prov_scene *scene, struct prov_copying *copying,
				 struct inode *inode, struct prov_node *node, bool written)
{
	if (!scene || !copying)
		return false;
	if (written)
		return puts_into_file(scene, copying, inode, node);
	return takes_from_file(scene, copying, inode, node);
}

/*
 * Something was received, from a socket or a terminal, and goes on within the kernel: false if
 * not.
 */
static __always_inline bool is_passed_on(struct prov_scene *scene, struct file *file,
					 struct prov_node *node, __u8 kind)
{
	struct prov_copying *copying = copying_from(scene, file);

	if (!copying)
		return false;
	has_source(scene, copying, node, kind);
	return copying->seen;
}

/* What is about to be sent comes from within the kernel; NULL: from the task's memory. */
static __always_inline struct prov_copying *is_sent_on(struct prov_scene *scene, struct file *file)
{
	struct prov_copying *copying = file ? copying_into(scene, file) : NULL;

	return copying && source_is_known(scene, copying) ? copying : NULL;
}

#endif
