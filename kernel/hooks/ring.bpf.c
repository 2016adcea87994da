// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring. What a ring does passes the hooks of the operation itself, on the thread that submits,
 * on a worker, or on the thread that polls the ring; the two latter are threads of the process and
 * share its memory, so what they move is the process's. Only a message from ring to ring passes no
 * other hook.
 */
#include "../objects/copy.h"
#include "../objects/ring.h"

/*
 * Its memory gets what is sent to the ring. It is made by `current`, and its last hour is not
 * told.
 */
SEC("fexit/io_sq_offload_create")
int PROBE(io_sq_offload_create, struct io_ring_ctx *ring, void *parameters, int ret)
{
	__u64 address = (__u64)ring;
	struct prov_ring made = {};
	struct prov_scene scene;

	if (ret || !open_scene(&scene) || !scene.memory)
		return 0;
	made.memory = scene.task->memory;
	made.id = scene.memory->node.id;
	if (bpf_map_update_elem(&io_rings, &address, &made, BPF_ANY))
		count_loss(COUNT_INODE_STORAGE);
	return 0;
}

SEC("fentry/io_sq_thread_finish")
int PROBE(io_sq_thread_finish, struct io_ring_ctx *ring)
{
	__u64 address = (__u64)ring;

	bpf_map_delete_elem(&io_rings, &address);
	return 0;
}

/* What the sender has loaded goes along, and the receiver may store it. */
static __noinline int messages(struct prov_scene *scene, __u32 index)
{
	struct prov_detail detail = {
		.offset = NO_OFFSET,
		.from_kind = NODE_MEMORY,
		.kind = NODE_MEMORY,
	};
	struct prov_memory *receiver = memory_at(index);

	if (!scene || !scene->memory || !receiver || !takes_part(scene, &receiver->node))
		return 0;
	announce_memory(scene->policy, receiver);
	if (has_shares(scene->memory) && is_recorded(scene))
		pull_shares(scene->task->memory);
	if (derives(scene, REL_RING_MESSAGE, &scene->memory->node, &receiver->node, &detail) &&
	    has_shares(receiver))
		push_shares(index);
	return 0;
}

/* Before the message goes: whoever waits for it may be quicker than the exit of this function. */
SEC("fentry/io_msg_ring")
int PROBE(io_msg_ring, struct io_kiocb *request)
{
	struct prov_scene scene;
	struct file *file = request->file;

	if (!file || !current_scene(&scene))
		return 0;
	return messages(&scene, memory_of_ring(file));
}
