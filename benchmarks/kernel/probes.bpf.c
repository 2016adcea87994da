// SPDX-License-Identifier: GPL-2.0
/*
 * What nothing that captures can do without, one program for each part of it. They record nothing:
 * the benchmark attaches one at a time and counts what it adds to a system call.
 */
#include "vmlinux.h"
#include "compat.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

enum { RECORD_BYTES = 64, LARGE_RECORD_BYTES = 256, NO_WAKEUP = 1 };

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64[4]);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64[4]);
} inodes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} ring SEC(".maps");

static __always_inline void *task_state(void)
{
	return bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
}

static __always_inline void *inode_state(struct file *file)
{
	return bpf_inode_storage_get(&inodes, file->f_inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

static __always_inline void send(void *task, void *inode, __u64 bytes)
{
	__u64 *record = bpf_ringbuf_reserve(&ring, bytes, 0);

	if (!record)
		return;
	record[0] = (__u64)task;
	record[1] = (__u64)inode;
	for (__u64 word = RECORD_BYTES / 8; word < bytes / 8; word++)
		record[word] = (__u64)inode; /* what a larger record has more is at least written */
	bpf_ringbuf_submit(record, NO_WAKEUP);
}

SEC("lsm/file_permission")
int BPF_PROG(empty, struct file *file, int mask, int ret)
{
	return ret;
}

SEC("lsm/file_permission")
int BPF_PROG(task_look_up, struct file *file, int mask, int ret)
{
	return task_state() ? ret : 0;
}

SEC("lsm/file_permission")
int BPF_PROG(inode_look_up, struct file *file, int mask, int ret)
{
	return inode_state(file) ? ret : 0;
}

SEC("lsm/file_permission")
int BPF_PROG(both_look_ups, struct file *file, int mask, int ret)
{
	return task_state() && inode_state(file) ? ret : 0;
}

SEC("lsm/file_permission")
int BPF_PROG(one_record, struct file *file, int mask, int ret)
{
	void *task = task_state(), *inode = inode_state(file);

	if (task && inode)
		send(task, inode, RECORD_BYTES);
	return ret;
}

SEC("lsm/file_permission")
int BPF_PROG(one_large_record, struct file *file, int mask, int ret)
{
	void *task = task_state(), *inode = inode_state(file);

	if (task && inode)
		send(task, inode, LARGE_RECORD_BYTES);
	return ret;
}

/* At the end of a function that pread(2) and read(2) pass */
SEC("fexit/vfs_read")
int BPF_PROG(empty_exit, struct file *file, char *buffer, size_t size, loff_t *at, ssize_t result)
{
	return 0;
}

SEC("fentry/vfs_read")
int BPF_PROG(empty_entry, struct file *file, char *buffer, size_t size, loff_t *at)
{
	return 0;
}
