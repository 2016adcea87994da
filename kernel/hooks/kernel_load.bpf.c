// SPDX-License-Identifier: GPL-2.0
/* Files that the kernel reads for itself: modules, firmware, images to boot, policies. */
#include "../objects/inode.h"

/* enum kernel_read_file_id, in its order, and our words for it */
#define LOADS(X)                                      \
	X(UNKNOWN, REL_LOAD_UNKNOWN)                  \
	X(FIRMWARE, REL_LOAD_FIRMWARE)                \
	X(MODULE, REL_LOAD_MODULE)                    \
	X(KEXEC_IMAGE, REL_LOAD_KEXEC_IMAGE)          \
	X(KEXEC_INITRAMFS, REL_LOAD_KEXEC_INITRAMFS)  \
	X(POLICY, REL_LOAD_POLICY)                    \
	X(X509_CERTIFICATE, REL_LOAD_CERTIFICATE)

enum {
#define X(what, relation) READING_##what,
	LOADS(X)
#undef X
};

/*
 * The machine takes it from the task, which has used the file for it. Each verb has its relation written
 * out: the filters are looked up by it, and the verifier wants to know where.
 */
static __noinline int load_into_machine(struct prov_scene *scene, __u32 id)
{
	struct prov_detail detail = { .flags = id, .offset = NO_OFFSET, .kind = NODE_MACHINE };
	struct prov_node *node = machine_node();

	if (!scene || !node)
		return 0;
	switch (id) {
#define X(what, relation)                                   \
	case READING_##what:                                \
		generates(scene, relation, node, &detail); \
		break;
		LOADS(X)
#undef X
	default:
		generates(scene, REL_LOAD_UNDEFINED, node, &detail);
	}
	return 0;
}

/* The whole file has been read; whether it is taken is decided only after the hook. */
SEC("lsm/kernel_post_read_file")
int BPF_PROG(kernel_post_read_file, struct file *file, char *buf, loff_t size, __u32 id, int ret)
{
	struct prov_detail detail = {
		.flags = id,
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = kind_of_mode(file->f_inode->i_mode),
	};
	struct prov_scene scene;
	struct prov_node *node;

	if (ret || !current_scene(&scene))
		return ret;
	node = file_node(&scene, file);
	if (!node)
		return 0;
	uses(&scene, REL_LOAD_FILE, node, &detail);
	load_into_machine(&scene, id);
	return 0;
}
