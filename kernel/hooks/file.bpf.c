// SPDX-License-Identifier: GPL-2.0
/* Open files: opening, creating, reading and writing them. */
#include "../objects/inode.h"

#define MAY_WRITE 2
#define MAY_READ 4
#define FMODE_CREATED 0x100000

/* Exec reads the head of a program for itself: that content gets nowhere but into the new memory. */
static __always_inline bool reads_for_exec(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return BPF_CORE_READ_BITFIELD(task, in_execve);
}

SEC("lsm/file_permission")
int BPF_PROG(file_permission, struct file *file, int mask, int ret)
{
	struct prov_detail detail = { .flags = mask, .offset = file->f_pos };
	struct prov_scene scene;
	struct prov_file object;

	if (ret || !(mask & (MAY_READ | MAY_WRITE)))
		return ret;
	if (!current_scene(&scene) || !file_node(&scene, file, &object))
		return 0;
	if (mask & MAY_READ && !may_block(file->f_inode) && !reads_for_exec())
		uses(&scene, REL_READ, object.node, object.kind, &detail);
	if (mask & MAY_WRITE)
		generates(&scene, REL_WRITE, object.node, object.kind, &detail);
	return 0;
}

/* This open made the file: the task is its origin, and its directory has a new name in it. */
static __always_inline void creates(struct prov_scene *scene, struct file *file,
				    struct prov_file *made)
{
	struct prov_detail detail = { .outcome = OUTCOME_DONE, .offset = NO_OFFSET };
	struct inode *parent = file->f_path.dentry->d_parent->d_inode;
	struct prov_file directory;

	generates(scene, REL_INODE_CREATE, made->node, made->kind, &detail);
	if (inode_node(scene, parent, &directory))
		generates(scene, REL_WRITE, directory.node, directory.kind, &detail);
}

SEC("lsm/file_open")
int BPF_PROG(file_open, struct file *file, int ret)
{
	struct prov_detail detail = { .flags = file->f_flags, .offset = NO_OFFSET };
	struct prov_scene scene;
	struct prov_file object;

	if (ret || !current_scene(&scene) || !file_node(&scene, file, &object))
		return ret;
	if (file->f_mode & FMODE_CREATED)
		creates(&scene, file, &object);
	uses(&scene, REL_OPEN, object.node, object.kind, &detail);
	return 0;
}

#define MAP_TYPE 0xf
#define MAP_PRIVATE 2

SEC("lsm/mmap_file")
int BPF_PROG(mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	struct prov_detail detail = { .flags = prot, .offset = NO_OFFSET };
	struct prov_scene scene;
	struct prov_file object;

	if (ret || !file || !current_scene(&scene) || !file_node(&scene, file, &object))
		return ret;
	if ((flags & MAP_TYPE) == MAP_PRIVATE)
		uses(&scene, REL_MMAP_PRIVATE, object.node, object.kind, &detail);
	else
		uses(&scene, REL_MMAP, object.node, object.kind, &detail);
	return 0;
}
