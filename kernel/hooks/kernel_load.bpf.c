// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel takes for itself: modules, firmware, images to boot, policies, programs. Some come from
 * files, which it reads with the task's hands, and some from the task's memory.
 */
#include "../objects/inode.h"

/* enum kernel_read_file_id and enum kernel_load_data_id, which have one order, and our words for it */
#define LOADS(X)                                      \
	X(UNKNOWN, REL_LOAD_UNKNOWN)                  \
	X(FIRMWARE, REL_LOAD_FIRMWARE)                \
	X(KEXEC_IMAGE, REL_LOAD_KEXEC_IMAGE)          \
	X(KEXEC_INITRAMFS, REL_LOAD_KEXEC_INITRAMFS)  \
	X(POLICY, REL_LOAD_POLICY)                    \
	X(X509_CERTIFICATE, REL_LOAD_CERTIFICATE)

enum {
	READING_UNKNOWN,
	READING_FIRMWARE,
	READING_MODULE, /* has a tracepoint of its own, when it is certain */
	READING_KEXEC_IMAGE,
	READING_KEXEC_INITRAMFS,
	READING_POLICY,
	READING_X509_CERTIFICATE,
};

/*
 * Each verb has its relation written out: the filters are looked up by it, and the verifier wants to know
 * where.
 */
static __noinline int load_into_machine(struct prov_scene *scene, __u32 id)
{
	struct prov_detail detail = { .flags = id, .offset = NO_OFFSET, .kind = NODE_MACHINE };
	struct prov_node *node = machine_node();

	if (!scene)
		return 0;
	switch (id) {
#define X(what, relation)                                   \
	case READING_##what:                                \
		generates(scene, relation, node, &detail); \
		break;
		LOADS(X)
#undef X
	case READING_MODULE:
		break;
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

static __always_inline int load_from_memory(__u32 id)
{
	struct prov_scene scene;

	return current_scene(&scene) ? load_into_machine(&scene, id) : 0;
}

#define KEXEC_LOAD_32 283 /* the number of kexec_load(2) for 32-bit programs */

/* kexec_load(2) without segments, its second argument, takes back what was loaded. */
static __always_inline bool takes_back(__u32 id)
{
	struct pt_regs *regs = registers();

	return id == READING_KEXEC_IMAGE && !(regs->orig_ax == KEXEC_LOAD_32 ? regs->cx : regs->si);
}

/* kexec_load(2) hands over addresses only: there is no content that a later hook could see. */
SEC("lsm/kernel_load_data")
int BPF_PROG(kernel_load_data, __u32 id, bool contents, int ret)
{
	if (!ret && !contents && !takes_back(id))
		load_from_memory(id);
	return ret;
}

/* The content has been copied; whether it is taken is decided only after the hook. */
SEC("lsm/kernel_post_load_data")
int BPF_PROG(kernel_post_load_data, char *buf, loff_t size, __u32 id, char *description, int ret)
{
	if (!ret)
		load_from_memory(id);
	return ret;
}

static __always_inline int load(struct prov_scene *scene, enum prov_relation relation, __u32 flags)
{
	struct prov_detail detail = {
		.flags = flags,
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = NODE_MACHINE,
	};
	struct prov_node *node = machine_node();

	generates(scene, relation, node, &detail);
	return 0;
}

/* The module has been checked and linked, from file or memory; its own beginning can still refuse. */
SEC("tp_btf/module_load")
int BPF_PROG(module_load)
{
	struct prov_scene scene;

	return current_scene(&scene) ? load(&scene, REL_LOAD_MODULE, READING_MODULE) : 0;
}

/*
 * Each bpf(2) begins here: what bpf_prog sees next is what this command has made. The result so far is not
 * asked for, since the hook has got one more argument before it ("security: Propagate caller information
 * in bpf hooks", 6.15); one that was refused makes nothing.
 */
SEC("lsm/bpf")
int BPF_PROG(bpf, int command)
{
	struct prov_scene scene;

	if (open_scene(&scene))
		scene.task->loads = command == BPF_PROG_LOAD;
	return 0;
}

/* A program gets its descriptor: it has been verified, or it was there already and is only asked for. */
SEC("lsm/bpf_prog")
int BPF_PROG(bpf_prog, struct bpf_prog *program, int ret)
{
	struct bpf_prog___type *typed = (void *)program;
	struct prov_scene scene;

	if (ret || !current_scene(&scene) || !scene.task->loads)
		return ret;
	scene.task->loads = 0;
	return load(&scene, REL_LOAD_BPF, FIELD(typed, type));
}
