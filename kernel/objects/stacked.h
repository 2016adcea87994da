/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_STACKED_H
#define PROVCAP_OBJECTS_STACKED_H
/*
 * Stacked file systems (overlayfs): each file that a program opens has a file below, which the kernel
 * opens in turn. What is written goes into both, what was below before is shown above: an edge for it
 * whenever the file below is opened, so also when it has become another one (copy-up).
 */
#include "path.h"

#define OVERLAY_MAGIC 0x794c7630

/* Of every file that the kernel opens for itself; the flag for just these files has another number each release */
#define FMODE_NOACCOUNT 0x20000000

/*
 * The inode above that this file was opened for; 0: none. It has the path of the one above, or since
 * def3ae83da02 "fs: store real path instead of fake path in backing file f_path" (6.6) beside its own. What
 * is read there of any other file is no inode, or not one whose node is known.
 */
static __always_inline __u64 inode_above(struct file *file)
{
	struct backing_file *below = (void *)file;
	struct dentry *shown;
	struct inode *above;

	if (!(file->f_mode & FMODE_NOACCOUNT))
		return 0;
	if (bpf_core_type_exists(struct backing_file))
		shown = FIELD(below, user_path.dentry);
	else
		shown = FIELD(file, f_path.dentry);
	above = ADDRESS_IN(shown, d_inode);
	if (above == file->f_inode || FIELD(above, i_sb, s_magic) != OVERLAY_MAGIC)
		return 0;
	return (__u64)above;
}

/* Its path is its own, not that of the file above. */
static __always_inline bool has_own_path(struct file *file)
{
	return bpf_core_type_exists(struct backing_file) || !inode_above(file);
}

#endif
