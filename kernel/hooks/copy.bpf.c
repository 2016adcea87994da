// SPDX-License-Identifier: GPL-2.0
/*
 * Splice and its kin: when such a call begins and ends, and what it puts into a pipe. What it does
 * with files is in file.bpf.c, with sockets in socket.bpf.c. docs/reference/copies.md has the
 * whole table.
 */
#include "../objects/copy.h"

static __always_inline bool is_pipe(struct inode *inode)
{
	return (inode->i_mode & S_IFMT) == S_IFIFO;
}

/* One end is a pipe: its node is there from now on. */
static __always_inline void meets_pipe(struct prov_scene *scene, struct prov_copying *copying,
				       struct inode *inode)
{
	struct prov_node *node = blocking_node(inode);

	if (!node || !takes_part(scene, node))
		return;
	announce_inode(scene, inode, node);
	copying->wanted = 1;
}

static __noinline int takes_from(struct prov_scene *scene, struct prov_copying *copying,
				 struct file *in)
{
	struct inode *inode = in->f_inode;

	if (!scene || !copying)
		return 0;
	copying->in = (__u64)in;
	if (!is_pipe(inode))
		return 0;
	meets_pipe(scene, copying, inode);
	copying->from = (__u64)inode;
	return 0;
}

static __noinline int puts_into(struct prov_scene *scene, struct prov_copying *copying,
				struct file *out)
{
	struct pipe_inode_info *pipe = out->private_data;
	struct inode *inode = out->f_inode;

	if (!scene || !copying)
		return 0;
	copying->out = (__u64)out;
	if (!is_pipe(inode))
		return 0;
	meets_pipe(scene, copying, inode);
	copying->to = (__u64)inode;
	copying->pipe = (__u64)pipe;
	copying->head = FIELD(pipe, head);
	return 0;
}

/*
 * The task was in another one: that of a stacked file system, which does its own below, or one
 * whose end was missed. Its outcome is not known then, and told all the same; all that a copy-up has done
 * was told.
 */
static __noinline int begin(struct prov_scene *scene, __u8 way)
{
	struct prov_copying *copying;

	if (!scene)
		return 0;
	copying = &scene->task->copying;
	if (copying->target.id && copying->epoch == scene->policy->epoch &&
	    copying->way != COPY_UP)
		has_entered(scene, copying, 0);
	__builtin_memset(copying, 0, sizeof(*copying));
	copying->relation = way == COPY_CLONE || way == COPY_DEDUPE ? REL_REFLINK : REL_COPY;
	copying->epoch = scene->policy->epoch;
	copying->call = system_call();
	copying->way = way;
	return 0;
}

/* A copy-up tries to share first: that is no call of its own. */
static __noinline bool shares_for_copy_up(struct prov_scene *scene, struct file *in, __u8 way)
{
	struct prov_copying *copying;

	if (!scene || way != COPY_CLONE)
		return false;
	copying = &scene->task->copying;
	return copying->way == COPY_UP && copying->in == (__u64)in && copying_of(scene);
}

static __noinline int begin_between(struct file *in, struct file *out, __u8 way)
{
	struct prov_scene scene;

	if (!current_scene(&scene) || shares_for_copy_up(&scene, in, way))
		return 0;
	begin(&scene, way);
	takes_from(&scene, &scene.task->copying, in);
	puts_into(&scene, &scene.task->copying, out);
	return 0;
}

/* What came into a pipe after the target was entered is not behind that edge. */
static __always_inline bool has_waited(struct prov_scene *scene, struct prov_copying *copying)
{
	__u32 before = copying->source.version;

	if (!copying->landing || !source_is_known(scene, copying))
		return false;
	return copying->source.version != before;
}

/* Where nobody knew before that the file is wanted it is described here, by its address: no hook has it at hand. */
static __always_inline bool describe_target(struct prov_scene *scene, struct prov_copying *copying,
					    struct prov_node *target)
{
	if (!takes_part(scene, target))
		return false;
	if (target->sent != scene->policy->epoch)
		send_inode(copying->landing, target);
	announce_name(scene->policy, target, copying->target.kind, (void *)copying->out);
	return true;
}

/*
 * The content came while the call waited, so its source is marked only now, and the file is entered after that.
 * No place for it: that was counted when there was none.
 */
static __always_inline void lands(struct prov_scene *scene, struct prov_copying *copying, __u32 moved)
{
	struct prov_mapped *place = mapped_at(&copying->landing);

	if (!place || !describe_target(scene, copying, &place->at.node))
		return;
	copying->target.id = 0;
	enters(scene, copying, &place->at.node, copying->target.kind);
	if (copying->target.id)
		has_entered(scene, copying, moved);
	relay_write(copying->landing);
}

static __noinline int finish(struct prov_scene *scene, long moved)
{
	struct prov_copying *copying;

	if (!scene)
		return 0;
	copying = copying_of(scene);
	if (copying && moved > 0) {
		if (has_waited(scene, copying))
			lands(scene, copying, moved);
		else if (copying->target.id)
			has_entered(scene, copying, moved);
	}
	scene->task->copying.target.id = 0;
	return 0;
}

static __always_inline int end_between(struct file *in, struct file *out, long moved)
{
	struct prov_copying *copying;
	struct prov_scene scene;

	if (!current_scene(&scene))
		return 0;
	copying = &scene.task->copying;
	if (copying->way == COPY_UP || copying->in != (__u64)in || copying->out != (__u64)out)
		return 0;
	finish(&scene, moved);
	copying->way = COPY_NONE;
	return 0;
}

/* A copy-up may share some and copy the rest: it stays the same call. */
static __noinline int end_copy_up(struct file *in, struct file *out, long moved,
				  enum prov_relation relation)
{
	struct prov_copying *copying;
	struct prov_scene scene;

	if (!current_scene(&scene))
		return 0;
	copying = &scene.task->copying;
	if (copying->way != COPY_UP || copying->in != (__u64)in || copying->out != (__u64)out)
		return 0;
	if (moved > 0) /* what could not be shared is copied, and filtered as that */
		copying->relation = relation;
	return finish(&scene, moved);
}

SEC("fentry/do_splice")
int PROBE(do_splice_begins, struct file *in, loff_t *off_in, struct file *out)
{
	return begin_between(in, out, COPY_SPLICE);
}

SEC("fexit/do_splice")
int PROBE(do_splice, struct file *in, loff_t *off_in, struct file *out, loff_t *off_out,
	     size_t len, unsigned int flags, long ret)
{
	return end_between(in, out, ret);
}

SEC("fentry/do_tee")
int PROBE(do_tee_begins, struct file *in, struct file *out)
{
	return begin_between(in, out, COPY_TEE);
}

SEC("fexit/do_tee")
int PROBE(do_tee, struct file *in, struct file *out, size_t len, unsigned int flags, long ret)
{
	return end_between(in, out, ret);
}

SEC("fentry/vfs_copy_file_range")
int PROBE(vfs_copy_file_range_begins, struct file *in, loff_t at, struct file *out)
{
	return begin_between(in, out, COPY_RANGE);
}

SEC("fexit/vfs_copy_file_range")
int PROBE(vfs_copy_file_range, struct file *in, loff_t at, struct file *out, loff_t to,
	     size_t len, unsigned int flags, long ret)
{
	return end_between(in, out, ret);
}

SEC("fentry/vfs_clone_file_range")
int PROBE(vfs_clone_file_range_begins, struct file *in, loff_t at, struct file *out)
{
	return begin_between(in, out, COPY_CLONE);
}

SEC("fexit/vfs_clone_file_range")
int PROBE(vfs_clone_file_range, struct file *in, loff_t at, struct file *out, loff_t to,
	     loff_t len, unsigned int flags, long ret)
{
	end_copy_up(in, out, ret, REL_REFLINK);
	return end_between(in, out, ret);
}

/*
 * A stacked file system is about to copy a file up: what it opens for itself to read and to write, file.bpf.c takes
 * down. It shares the content, by the function above or, before 6.8, by the next, or copies it by the one after that.
 */
SEC("lsm/inode_copy_up")
int BPF_PROG(inode_copy_up, struct dentry *source, struct cred **as, int ret)
{
	struct prov_scene scene;

	if (!ret && current_scene(&scene))
		begin(&scene, COPY_UP);
	return ret;
}

SEC("fexit/do_clone_file_range")
int PROBE(do_clone_file_range, struct file *in, loff_t at, struct file *out, loff_t to, loff_t len,
	     unsigned int flags, long ret)
{
	return end_copy_up(in, out, ret, REL_REFLINK);
}

SEC("fexit/do_splice_direct")
int PROBE(do_splice_direct, struct file *in, loff_t *at, struct file *out, loff_t *to, size_t len,
	     unsigned int flags, long ret)
{
	return end_copy_up(in, out, ret, REL_COPY);
}

/* The source is read once for all files that are to share it. */
SEC("fentry/vfs_dedupe_file_range")
int PROBE(vfs_dedupe_file_range_begins, struct file *in)
{
	struct prov_scene scene;

	if (!current_scene(&scene))
		return 0;
	begin(&scene, COPY_DEDUPE);
	scene.task->copying.in = (__u64)in;
	return 0;
}

SEC("fentry/vfs_dedupe_file_range_one")
int PROBE(vfs_dedupe_file_range_one_begins, struct file *in, loff_t at, struct file *out)
{
	struct prov_copying *copying;
	struct prov_scene scene;

	if (!current_scene(&scene))
		return 0;
	copying = &scene.task->copying;
	if (copying->way != COPY_DEDUPE || copying->in != (__u64)in || copying->target.id)
		return begin_between(in, out, COPY_DEDUPE);
	copying->out = (__u64)out;
	return 0;
}

/* The source stays, for the next one. */
SEC("fexit/vfs_dedupe_file_range_one")
int PROBE(vfs_dedupe_file_range_one, struct file *in, loff_t at, struct file *out, loff_t to,
	     loff_t len, unsigned int flags, long ret)
{
	struct prov_scene scene;

	if (!current_scene(&scene) || scene.task->copying.out != (__u64)out)
		return 0;
	finish(&scene, ret);
	scene.task->copying.out = 0;
	return 0;
}

/* Ends a call of this way, which does not know its files; `moved` > 0 if it did anything */
static __noinline int end_way(__u8 way, long moved)
{
	struct prov_scene scene;

	if (!current_scene(&scene) || scene.task->copying.way != way)
		return 0;
	finish(&scene, moved);
	scene.task->copying.way = COPY_NONE;
	return 0;
}

SEC("fexit/vfs_dedupe_file_range")
int PROBE(vfs_dedupe_file_range, struct file *in, void *same, int ret)
{
	return end_way(COPY_DEDUPE, 0);
}

/* It has numbers only. */
SEC("fentry/do_sendfile")
int PROBE(do_sendfile_begins, int out, int in)
{
	struct prov_scene scene;

	if (!current_scene(&scene))
		return 0;
	begin(&scene, COPY_SENDFILE);
	scene.task->copying.in = file_of(in);
	scene.task->copying.out = file_of(out);
	return 0;
}

SEC("fexit/do_sendfile")
int PROBE(do_sendfile, int out, int in, loff_t *at, size_t count, loff_t max, long ret)
{
	return end_way(COPY_SENDFILE, ret);
}

SEC("fentry/__x64_sys_vmsplice")
int PROBE(x64_sys_vmsplice_begins)
{
	struct prov_scene scene;

	return current_scene(&scene) ? begin(&scene, COPY_VMSPLICE) : 0;
}

/* 32-bit callers */
SEC("fentry/__ia32_sys_vmsplice")
int PROBE(ia32_sys_vmsplice_begins)
{
	struct prov_scene scene;

	return current_scene(&scene) ? begin(&scene, COPY_VMSPLICE) : 0;
}

/* Where sendfile and vmsplice find out that a descriptor of theirs is a pipe */
SEC("fexit/get_pipe_info")
int PROBE(get_pipe_info, struct file *file, bool for_splice, struct pipe_inode_info *pipe)
{
	struct prov_copying *copying;
	struct prov_scene scene;

	if (!pipe || !for_splice || !current_scene(&scene))
		return 0;
	copying = copying_of(&scene);
	if (!copying)
		return 0;
	if (copying->way == COPY_SENDFILE && copying->out == (__u64)file)
		return puts_into(&scene, copying, file);
	if (copying->way == COPY_VMSPLICE && file->f_mode & FMODE_WRITE)
		return puts_into(&scene, copying, file);
	return copying->way == COPY_VMSPLICE ? takes_from(&scene, copying, file) : 0;
}

/* Out of a pipe into memory: a read. */
static __noinline int has_read(long moved)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = NODE_PIPE,
	};
	struct prov_copying *copying;
	struct prov_scene scene;
	struct prov_node *node;

	if (!current_scene(&scene))
		return 0;
	copying = copying_of(&scene);
	if (!copying)
		return 0;
	node = copying->from ? pipe_node(copying->from) : NULL;
	if (moved > 0 && node && takes_part(&scene, node))
		uses(&scene, REL_READ, node, &detail);
	copying->target.id = 0;
	copying->way = COPY_NONE;
	return 0;
}

SEC("fexit/__x64_sys_vmsplice")
int PROBE(x64_sys_vmsplice, const struct pt_regs *regs, long ret)
{
	return has_read(ret);
}

SEC("fexit/__ia32_sys_vmsplice")
int PROBE(ia32_sys_vmsplice, const struct pt_regs *regs, long ret)
{
	return has_read(ret);
}

/*
 * Between these two nobody else puts anything in. So when its head has moved the call has, and
 * nobody can have taken it out yet: whoever reads it reads what derives from the source.
 */
static __always_inline int is_locked(struct pipe_inode_info *pipe)
{
	struct prov_copying *copying;
	struct prov_scene scene;

	if (!current_scene(&scene))
		return 0;
	copying = &scene.task->copying;
	if (copying->way && copying->pipe == (__u64)pipe)
		copying->head = pipe->head;
	return 0;
}

SEC("fexit/pipe_lock")
int PROBE(pipe_lock, struct pipe_inode_info *pipe)
{
	return is_locked(pipe);
}

SEC("fexit/pipe_double_lock")
int PROBE(pipe_double_lock, struct pipe_inode_info *one, struct pipe_inode_info *other)
{
	is_locked(one);
	return is_locked(other);
}

/*
 * Of a call that brings memory into the pipe, its source is the task's; of others it may be
 * unknown.
 */
static __noinline int has_put_into_pipe(struct prov_scene *scene, struct prov_copying *copying,
					struct prov_node *pipe)
{
	struct prov_detail detail = {
		.outcome = OUTCOME_DONE,
		.offset = NO_OFFSET,
		.kind = NODE_PIPE,
	};

	if (!scene || !copying || !pipe)
		return 0;
	if (copying->way == COPY_VMSPLICE) {
		generates(scene, REL_WRITE, pipe, &detail);
		return 0;
	}
	detail.no_content = source_is_known(scene, copying);
	generates(scene, REL_SPLICE_OUT, pipe, &detail);
	if (copying->seen)
		carries(scene, relation_of(copying->relation), &copying->source, pipe, NODE_PIPE);
	return 0;
}

SEC("fentry/pipe_unlock")
int PROBE(pipe_unlock, struct pipe_inode_info *pipe)
{
	struct prov_copying *copying;
	struct prov_scene scene;
	struct prov_node *node;

	if (!current_scene(&scene) || scene.task->copying.pipe != (__u64)pipe)
		return 0;
	copying = copying_of(&scene);
	if (!copying || copying->head == pipe->head)
		return 0;
	copying->head = pipe->head;
	node = pipe_node(copying->to);
	if (node && takes_part(&scene, node))
		has_put_into_pipe(&scene, copying, node);
	return 0;
}

/* Received into a pipe that is still locked */
SEC("fexit/sock_splice_read")
int PROBE(sock_splice_read, struct file *file, loff_t *at, struct pipe_inode_info *pipe,
	     size_t len, unsigned int flags, long ret)
{
	struct socket *sock = bpf_sock_from_file(file);
	struct prov_socket *socket;
	struct prov_scene scene;
	struct sock *sk;

	if (ret <= 0 || !sock || !current_scene(&scene))
		return 0;
	sk = sock->sk;
	if (!sk)
		return 0;
	if (is_tcp(sk))
		receive_stream(&scene, sk);
	socket = socket_node(&scene, sk);
	if (socket)
		is_passed_on(&scene, file, &socket->node, NODE_SOCKET);
	return 0;
}
