/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_COMPAT_H
#define PROVCAP_COMPAT_H
/*
 * What vmlinux.h cannot be asked for: constants that are no types, names that only helper signatures
 * use, and the shapes that types have on some kernels only.
 */
#include "vmlinux.h"

/*
 * A function that the verifier looks into once for each program, whichever ways lead to it; a static one
 * it follows on every way. It may take plain numbers and records, no pointers to what is the kernel's.
 */
#define VERIFIED_ONCE __attribute__((weak, noinline))

#define NULL ((void *)0)
#define MAX_ERRNO 4095
#define true 1
#define false 0

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_EXIST = 2,
};

enum {
	BPF_F_NO_PREALLOC = 1,
	BPF_F_MMAPABLE = 1024,
};

enum {
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
	BPF_SK_STORAGE_GET_F_CREATE = 1,
};

enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};

enum {
	BPF_PROG_LOAD = 5,
};

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LPM_TRIE = 11,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_STACK = 23,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_INODE_STORAGE = 28,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

/* helper signatures name these; nothing reads them */
struct bpf_perf_event_data;
struct bpf_pidns_info;
struct bpf_redir_neigh;
struct bpf_sock;
struct bpf_sock_addr;
struct bpf_sock_ops;
struct bpf_sock_tuple;
struct bpf_spin_lock;
struct bpf_sysctl;
struct bpf_tcp_sock;
struct bpf_tunnel_key;
struct bpf_xfrm_state;
struct bpf_fib_lookup;
struct bpf_timer;
struct bpf_dynptr;
struct __sk_buff;
struct sk_msg_md;
struct sk_reuseport_md;
struct xdp_md;
struct pt_regs;
struct iphdr;
struct ipv6hdr;
struct tcphdr;
struct tcp6_sock;
struct tcp_sock;
struct tcp_timewait_sock;
struct tcp_request_sock;
struct udp6_sock;
struct mptcp_sock;
struct seq_file;
struct btf_ptr;

/*
 * Shapes of other kernels. libbpf leaves out what follows the three underscores when it looks for the
 * type, and bpf_core_field_exists says whether this kernel has it so.
 */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* until f1a7941243c1 "mm: convert mm's rss stats into percpu_counter" (6.2) */
struct mm_rss_stat___before_6_2 {
	atomic64_t count[4];
};

struct mm_struct___before_6_2 {
	struct mm_rss_stat___before_6_2 rss_stat;
};

/* until 3aa63a569c64 "fs: switch timespec64 fields in inode to discrete integers" (6.11) */
struct inode___before_6_11 {
	struct timespec64 __i_atime;
	struct timespec64 __i_mtime;
	struct timespec64 __i_ctime;
};

/* In 6.12 this is one of the fields of the union d_u; in 7.3 that union has no name any more. */
struct dentry___without_d_u {
	struct hlist_node d_alias;
};

/* an enumeration, of which vmlinux.h would have to have all */
enum bpf_prog_type {
	BPF_PROG_TYPE_UNSPEC,
};

struct bpf_prog___type {
	enum bpf_prog_type type;
};

/* its members are in an unnamed struct, which would have to come whole */
struct kernel_siginfo___code {
	int si_code;
};

/* until 1934b212615d "file: reclaim 24 bytes from f_owner" (6.12) */
struct file___before_6_12 {
	struct fown_struct f_owner;
};

/*
 * The LSM hooks that a kernel has. 77fa6f314f03 "security: Introduce inode_post_setattr hook",
 * dae52cbf5887 "security: Introduce inode_post_removexattr hook" (6.9)
 */
union security_list_options {
	void (*inode_post_setattr)(void);
	void (*inode_post_removexattr)(void);
};

/* Kinds of terminal were macros in 6.12, and numbered from 1; in 7.3 they are enums, one from 0. */
enum tty_driver_type___as_enum {
	TTY_DRIVER_TYPE_PTY___as_enum = 3,
};

enum tty_driver_subtype___as_enum {
	PTY_TYPE_MASTER___as_enum = 1,
};

struct tty_driver___as_enum {
	enum tty_driver_type___as_enum type;
	enum tty_driver_subtype___as_enum subtype;
};

enum {
	TTY_DRIVER_TYPE_PTY_AS_MACRO = 4,
};

#pragma clang attribute pop

/* Flags of a dentry were macros up to 6.12 at least; now they are an enum, with other bits. */
enum dentry_flags___as_enum {
	DCACHE_PAR_LOOKUP___as_enum = 1 << 24,
};

enum {
	DCACHE_PAR_LOOKUP_AS_MACRO = 1 << 28,
};

/* Since 6.2 the verifier tells pointers that it trusts. */
enum bpf_type_flag___trust {
	PTR_TRUSTED___trust = 1,
};

/* NULL in 6.1, which does not know it */
extern void *bpf_rdonly_cast(const void *pointer, __u32 type) __attribute__((section(".ksyms"), weak));

/* Whether the kernel has it: since the release that tells pointers it trusts */
#define CAN_CAST bpf_core_enum_value_exists(enum bpf_type_flag___trust, PTR_TRUSTED___trust)

/*
 * To load a pointer out of what it trusts, the verifier looks through all types of the kernel, four times on each
 * way that leads there (6.12: half of the time that it took to load the object). What is only to be read it need
 * not trust. When the program runs, the cast is nothing; the load checks its address first.
 */
#define READ_ONLY(pointer)                                                 \
	({                                                                  \
		typeof(pointer) __pointer = (pointer);                      \
		CAN_CAST ? AS_READ_ONLY(__pointer) : __pointer;             \
	})
#define AS_READ_ONLY(pointer) \
	((typeof(pointer))bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(typeof(*(pointer)))))

/*
 * A field behind an address that the verifier knows nothing of, or the field of a field. A load after a cast takes
 * five to fifteen instructions, and the call that 6.1 needs ninety.
 */
#define FIELD_1(pointer, member)                                                            \
	({                                                                                   \
		typeof(pointer) __at = (pointer);                                            \
		CAN_CAST ? AS_READ_ONLY(__at)->member : BPF_CORE_READ(__at, member);         \
	})
#define FIELD_2(pointer, first, member) FIELD_1(FIELD_1(pointer, first), member)
#define FIELD_3(pointer, first, second, member) FIELD_1(FIELD_2(pointer, first, second), member)
#define FIELD_CHOSEN(first, second, third, chosen, ...) chosen
#define FIELD(pointer, ...) \
	FIELD_CHOSEN(__VA_ARGS__, FIELD_3, FIELD_2, FIELD_1)(pointer, __VA_ARGS__)

/* What is there as a number, pointer or not: read as the first of a type that begins with one of that size */
#define NUMBER_AT(address) (AS_READ_ONLY((struct timespec64 *)(address))->tv_sec)

/* A field that is a pointer, as a plain number, which may be reckoned with and kept */
#define ADDRESS_IN(pointer, member)                                                         \
	({                                                                                   \
		typeof(pointer) __in = (pointer);                                            \
		(typeof(__in->member))(CAN_CAST ?                                            \
			NUMBER_AT(&__in->member) :                                           \
			(__s64)BPF_CORE_READ(__in, member));                                 \
	})

/* A few words by loads: a call takes as long as ten of them. */
#define COPY_WORDS(to, from, count)                                                         \
	({                                                                                   \
		__s64 *__to = (void *)(to);                                                  \
		_Pragma("unroll") for (int __i = 0; __i < (count); __i++)                    \
			__to[__i] = NUMBER_AT((const __s64 *)(from) + __i);                  \
	})

#define has_hook(name) bpf_core_field_exists(((union security_list_options *)0)->name)

/* From here on the compiler infers nothing from how the value came about. */
#define FORGET(value) asm volatile("" : "+r"(value))

#endif
