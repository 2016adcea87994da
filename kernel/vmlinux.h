/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_VMLINUX_H
#define PROVCAP_VMLINUX_H
/*
 * The kernel types that we touch, and of each only the fields that we touch. Written from
 * vmlinux.fields by `make -C kernel vmlinux`: change the list, not this file.
 */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef unsigned char __u8;
typedef signed char __s8;
typedef short unsigned int __u16;
typedef short int __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef long long unsigned int __u64;
typedef long long int __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
typedef long long int __kernel_loff_t;
typedef __kernel_loff_t loff_t;
typedef long unsigned int __kernel_ulong_t;
typedef __kernel_ulong_t __kernel_size_t;
typedef __kernel_size_t size_t;
typedef long int __kernel_long_t;
typedef __kernel_long_t __kernel_ssize_t;
typedef __kernel_ssize_t ssize_t;
typedef __s64 s64;
typedef unsigned int __kernel_uid32_t;
typedef __kernel_uid32_t uid_t;
typedef unsigned int __kernel_gid32_t;
typedef __kernel_gid32_t gid_t;
typedef __u64 u64;
typedef __u32 u32;
typedef unsigned int fmode_t;
typedef short unsigned int umode_t;
typedef __s64 time64_t;
typedef u32 __kernel_dev_t;
typedef __kernel_dev_t dev_t;
typedef int __kernel_key_t;
typedef __kernel_key_t key_t;
typedef unsigned int sk_buff_data_t;
typedef long unsigned int netmem_ref;
typedef __u16 u16;
typedef short unsigned int __kernel_sa_family_t;
typedef __kernel_sa_family_t sa_family_t;
typedef int __kernel_pid_t;
typedef __kernel_pid_t pid_t;
typedef long unsigned int vm_flags_t;

struct address_space;
struct backing_file;
struct bpf_iter__task;
struct bpf_iter__task_vma;
struct bpf_iter_meta;
struct bpf_prog;
struct callback_head;
struct cgroup;
struct cgroup_namespace;
struct cred;
struct css_set;
struct dentry;
struct eventfd_ctx;
struct fdtable;
struct file;
struct files_struct;
struct flowi4;
struct flowi6;
struct flowi;
struct flowi_common;
struct fown_struct;
struct fs_struct;
struct group_info;
struct hlist_bl_node;
struct hlist_head;
struct hlist_node;
struct iattr;
struct in6_addr;
struct inet_cork_full;
struct inode;
struct io_kiocb;
struct io_ring_ctx;
struct iov_iter;
struct ipc_namespace;
struct kern_ipc_perm;
struct kernel_siginfo;
struct kernfs_node;
struct kiocb;
struct linux_binprm;
struct list_head;
struct mm_struct;
struct mnt_namespace;
struct mount;
struct mq_attr;
struct mqueue_inode_info;
struct msg_msg;
struct msg_queue;
struct msghdr;
struct nameidata;
struct net;
struct ns_common;
struct nsproxy;
struct page;
struct path;
struct percpu_counter;
struct pid;
struct pid_namespace;
struct pipe_inode_info;
struct posix_acl;
struct posix_acl_entry;
struct pt_regs;
struct qstr;
struct request_sock;
struct seq_file;
struct shmid_kernel;
struct signal_struct;
struct sk_buff;
struct skb_frag;
struct skb_shared_info;
struct sock;
struct sock_common;
struct sockaddr;
struct sockaddr_un;
struct socket;
struct socket_alloc;
struct super_block;
struct task_io_accounting;
struct task_struct;
struct time_namespace;
struct timespec64;
struct tty_driver;
struct tty_file_private;
struct tty_struct;
struct unix_address;
struct unix_sock;
struct upid;
struct user_namespace;
struct uts_namespace;
struct vfsmount;
struct vm_area_struct;
struct work_struct;
union flowi_uli;

typedef struct {
	s64 counter;
} atomic64_t;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct backing_file {
	struct path user_path;
};

typedef struct {
	int counter;
} atomic_t;

struct address_space {
	atomic_t i_mmap_writable;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct callback_head {
	struct callback_head *next;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct ns_common {
	unsigned int inum;
};

struct cgroup_namespace {
	struct ns_common ns;
};

typedef struct {
	uid_t val;
} kuid_t;

typedef struct {
	gid_t val;
} kgid_t;

typedef struct {
	u64 val;
} kernel_cap_t;

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t euid;
	kgid_t egid;
	kernel_cap_t cap_effective;
	struct user_namespace *user_ns;
	struct group_info *group_info;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct qstr {
	u32 len;
	u64 hash_len;
	const unsigned char *name;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_bl_node {
	struct hlist_bl_node *next;
};

struct dentry {
	unsigned int d_flags;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	union {
		struct hlist_node d_alias;
		struct hlist_bl_node d_in_lookup_hash;
		struct callback_head d_rcu;
	} d_u;
};

struct eventfd_ctx {
	unsigned int flags;
	int id;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct fown_struct {
	struct file *file;
};

struct file {
	struct inode *f_inode;
	fmode_t f_mode;
	unsigned int f_flags;
	struct path f_path;
	loff_t f_pos;
	void *private_data;
};

struct files_struct {
	struct fdtable *fdt;
	struct file *fd_array[64];
};

struct flowi_common {
	__u8 flowic_proto;
};

union flowi_uli {
	struct {
		__be16 dport;
		__be16 sport;
	} ports;
};

struct flowi4 {
	union flowi_uli uli;
};

struct flowi6 {
	union flowi_uli uli;
};

struct flowi {
	union {
		struct flowi_common __fl_common;
		struct flowi4 ip4;
		struct flowi6 ip6;
	} u;
};

struct fs_struct {
	struct path pwd;
	struct path root;
};

struct group_info {
	int ngroups;
};

struct hlist_head {
	struct hlist_node *first;
};

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__be16 u6_addr16[8];
		__be32 u6_addr32[4];
	} in6_u;
};

struct timespec64 {
	time64_t tv_sec;
};

struct iattr {
	unsigned int ia_valid;
	umode_t ia_mode;
	kuid_t ia_uid;
	kgid_t ia_gid;
	loff_t ia_size;
	struct timespec64 ia_atime;
	struct timespec64 ia_mtime;
	struct timespec64 ia_ctime;
	struct file *ia_file;
};

struct inode {
	umode_t i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	long unsigned int i_ino;
	const unsigned int i_nlink;
	dev_t i_rdev;
	loff_t i_size;
	u32 i_generation;
	atomic_t i_writecount;
	unsigned int i_flags;
	struct address_space *i_mapping;
	time64_t i_atime_sec;
	time64_t i_mtime_sec;
	time64_t i_ctime_sec;
	struct hlist_head i_dentry;
};

struct inet_cork_full {
	struct flowi fl;
};

struct io_kiocb {
	struct file *file;
};

struct ipc_namespace {
	struct ns_common ns;
};

struct kern_ipc_perm {
	int id;
	key_t key;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
};

struct kernfs_node {
	u64 id;
};

struct kiocb {
	struct file *ki_filp;
	loff_t ki_pos;
};

struct list_head {
	struct list_head *next;
};

struct linux_binprm {
	long unsigned int p;
	struct file *file;
	struct cred *cred;
	int argc;
	int envc;
	long unsigned int exec;
};

struct percpu_counter {
	s64 count;
};

struct mm_struct {
	struct task_struct *owner;
	long unsigned int total_vm;
	long unsigned int hiwater_rss;
	long unsigned int hiwater_vm;
	struct percpu_counter rss_stat[4];
	struct file *exe_file;
	long unsigned int arg_start;
	long unsigned int arg_end;
};

struct mnt_namespace {
	struct ns_common ns;
	struct user_namespace *user_ns;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct mq_attr {
	__kernel_long_t mq_maxmsg;
	__kernel_long_t mq_msgsize;
	__kernel_long_t mq_curmsgs;
};

struct mqueue_inode_info {
	struct inode vfs_inode;
	struct mq_attr attr;
};

struct msg_msg {
	long int m_type;
	size_t m_ts;
};

struct msg_queue {
	struct kern_ipc_perm q_perm;
	long unsigned int q_cbytes;
	long unsigned int q_qnum;
	long unsigned int q_qbytes;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
	void *msg_control;
	__kernel_size_t msg_controllen;
	struct kiocb *msg_iocb;
};

struct nameidata {
	struct path path;
};

struct net {
	struct ns_common ns;
};

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
	struct cgroup_namespace *cgroup_ns;
	struct pid_namespace *pid_ns_for_children;
	struct time_namespace *time_ns_for_children;
};

struct page {
	long unsigned int flags;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[];
};

struct pid_namespace {
	struct ns_common ns;
};

struct pipe_inode_info {
	unsigned int head;
};

struct posix_acl_entry {
	short int e_tag;
	short unsigned int e_perm;
	kuid_t e_uid;
};

struct posix_acl {
	unsigned int a_count;
	struct posix_acl_entry a_entries[];
};

struct pt_regs {
	long unsigned int cx;
	long unsigned int si;
	long unsigned int orig_ax;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	short unsigned int skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct request_sock {
	struct sock_common __req_common;
};

struct shmid_kernel {
	struct kern_ipc_perm shm_perm;
	struct file *shm_file;
	long unsigned int shm_segsz;
};

struct signal_struct {
	struct tty_struct *tty;
};

struct sk_buff {
	struct sock *sk;
	unsigned int len;
	unsigned char *head;
	sk_buff_data_t tail;
	sk_buff_data_t end;
	__u16 network_header;
	__u16 transport_header;
};

struct skb_frag {
	netmem_ref netmem;
	unsigned int len;
	unsigned int offset;
};

typedef struct skb_frag skb_frag_t;

struct skb_shared_info {
	__u8 nr_frags;
	skb_frag_t frags[17];
};

struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
	u16 sk_type;
	u16 sk_protocol;
};

struct sockaddr {
	sa_family_t sa_family;
};

struct sockaddr_un {
	__kernel_sa_family_t sun_family;
};

struct socket {
	short int type;
	struct file *file;
	struct sock *sk;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

typedef struct {
	__u8 b[16];
} uuid_t;

struct super_block {
	dev_t s_dev;
	long unsigned int s_flags;
	long unsigned int s_magic;
	struct dentry *s_root;
	uuid_t s_uuid;
};

struct task_io_accounting {
	u64 rchar;
	u64 wchar;
	u64 read_bytes;
	u64 write_bytes;
	u64 cancelled_write_bytes;
};

struct task_struct {
	unsigned int flags;
	unsigned int in_execve : 1;
	struct mm_struct *mm;
	int exit_code;
	int exit_state;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	u64 utime;
	struct files_struct *files;
	u64 stime;
	u64 start_boottime;
	const struct cred *real_cred;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct nameidata *nameidata;
	struct nsproxy *nsproxy;
	struct css_set *cgroups;
	struct signal_struct *signal;
	kuid_t loginuid;
	unsigned int sessionid;
	struct task_io_accounting ioac;
};

struct tty_driver {
	int major;
	int minor_start;
	short int type;
	short int subtype;
};

struct tty_file_private {
	struct tty_struct *tty;
};

struct work_struct {
	struct list_head entry;
};

struct tty_struct {
	struct tty_driver *driver;
	int index;
	struct tty_struct *link;
	void *driver_data;
	struct work_struct hangup_work;
};

struct unix_address {
	int len;
	struct sockaddr_un name[];
};

struct unix_sock {
	struct sock sk;
	struct sock *peer;
	struct unix_address *addr;
};

struct user_namespace {
	struct ns_common ns;
	struct user_namespace *parent;
	int level;
	kuid_t owner;
};

struct uts_namespace {
	struct ns_common ns;
};

struct vm_area_struct {
	struct file *vm_file;
	const vm_flags_t vm_flags;
	struct mm_struct *vm_mm;
};

#pragma clang attribute pop

#endif
