/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_VOCABULARY_H
#define PROVCAP_VOCABULARY_H
/*
 * The words of the graph: one row per node kind and per relation.
 *
 * Names, type words and directions of the first 27 kinds and the first 93 relations are CamFlow's, so
 * that its consumers understand the stream. Rows are only ever appended: their number goes into
 * records and recordings. `provcap/vocabulary.py` is written from the compiled table.
 */

/* Node kinds: X(identifier, PROV class, subtype bit, name, long record) */
#define NODE_KINDS(X)                                     \
	X(UNKNOWN, ENTITY, 47, "unknown", 0)              \
	X(TASK, ACTIVITY, 0, "task", 0)                   \
	X(DISC_ACTIVITY, ACTIVITY, 1, "disc_activity", 1) \
	X(MACHINE, AGENT, 4, "machine", 1)                \
	X(DISC_AGENT, AGENT, 5, "disc_agent", 1)          \
	X(INODE_UNKNOWN, ENTITY, 6, "inode_unknown", 0)   \
	X(LINK, ENTITY, 7, "link", 0)                     \
	X(FILE, ENTITY, 8, "file", 0)                     \
	X(DIRECTORY, ENTITY, 9, "directory", 0)           \
	X(CHAR, ENTITY, 10, "char", 0)                    \
	X(BLOCK, ENTITY, 11, "block", 0)                  \
	X(PIPE, ENTITY, 12, "pipe", 0)                    \
	X(SOCKET, ENTITY, 13, "socket", 0)                \
	X(MSG, ENTITY, 14, "msg", 0)                      \
	X(SHM, ENTITY, 15, "shm", 0)                      \
	X(SB, ENTITY, 16, "sb", 0)                        \
	X(PACKET, ENTITY, 17, "packet", 0)                \
	X(IATTR, ENTITY, 18, "iattr", 0)                  \
	X(MEMORY, ENTITY, 19, "process_memory", 0)        \
	X(STRING, ENTITY, 20, "string", 1)                \
	X(ADDRESS, ENTITY, 21, "address", 1)              \
	X(PATH, ENTITY, 22, "path", 1)                    \
	X(XATTR, ENTITY, 23, "xattr", 1)                  \
	X(PACKET_CONTENT, ENTITY, 24, "packet_content", 1)\
	X(ARGV, ENTITY, 25, "argv", 1)                    \
	X(ENVP, ENTITY, 26, "envp", 1)                    \
	X(DISC_ENTITY, ENTITY, 27, "disc_entity", 1)      \
	/* ours: the bytes under way in one direction of a TCP connection */ \
	X(STREAM, ENTITY, 28, "stream", 0)                \
	/* ours: one IPv6 packet, which CamFlow's identifier of a packet has no room for */ \
	X(PACKET6, ENTITY, 30, "packet6", 0)                \
	/* ours: a counter that is read and written through descriptors */ \
	X(EVENTFD, ENTITY, 29, "eventfd", 0)

/*
 * Relations: X(identifier, PROV relation, subtype bit, name, flow class)
 *
 * The class says what the edge means for ancestry: DATA and VERSION are followed by "where did this
 * come from", the others only on request. docs/reference/relations.md explains each.
 */
#define RELATIONS(X)                                                          \
	X(NAMED, DERIVED, 0, "named", NAMING)                                 \
	X(VERSION_ENTITY, DERIVED, 1, "version_entity", VERSION)              \
	X(SEND_PACKET, DERIVED, 2, "send_packet", DATA)                       \
	X(SEND_UNIX, DERIVED, 3, "send_unix", DATA)                           \
	X(RECEIVE_PACKET, DERIVED, 4, "receive_packet", DATA)                 \
	X(RECEIVE_UNIX, DERIVED, 5, "receive_unix", DATA)                     \
	X(FREE, DERIVED, 6, "free", VERSION)                                  \
	X(SETATTR_INODE, DERIVED, 7, "setattr_inode", DATA)                   \
	X(ACCEPT_SOCKET, DERIVED, 8, "accept_socket", DATA)                   \
	X(GETXATTR_INODE, DERIVED, 9, "getxattr_inode", DATA)                 \
	X(SETXATTR_INODE, DERIVED, 10, "setxattr_inode", DATA)                \
	X(REMOVEXATTR_INODE, DERIVED, 11, "removexattr_inode", DATA)          \
	X(EXEC, DERIVED, 12, "exec", DATA)                                    \
	X(TERMINATE_PROC, DERIVED, 13, "terminate_proc", VERSION)             \
	X(ARG, DERIVED, 14, "arg", DATA)                                      \
	X(ENV, DERIVED, 15, "env", DATA)                                      \
	X(SH_READ, DERIVED, 16, "sh_read", DATA)                              \
	X(SH_WRITE, DERIVED, 17, "sh_write", DATA)                            \
	X(PACKET_CONTENT, DERIVED, 18, "packet_content", DATA)                \
	X(ADDRESSED, DERIVED, 19, "addressed", NAMING)                        \
	X(DERIVED_DISC, DERIVED, 20, "derived_disc", DATA)                    \
	X(CLONE_MEM, GENERATED, 0, "clone_mem", DATA)                         \
	X(MSG_CREATE, GENERATED, 1, "msg_create", DATA)                       \
	X(SOCKET_CREATE, GENERATED, 2, "socket_create", DATA)                 \
	X(SOCKET_PAIR_CREATE, GENERATED, 3, "socket_pair_create", DATA)       \
	X(INODE_CREATE, GENERATED, 4, "inode_create", DATA)                   \
	X(WRITE, GENERATED, 5, "write", DATA)                                 \
	X(WRITE_IOCTL, GENERATED, 6, "write_ioctl", DATA)                     \
	X(MEMORY_WRITE, GENERATED, 7, "memory_write", DATA)                   \
	X(CONNECT, GENERATED, 8, "connect", DATA)                             \
	X(CONNECT_UNIX_STREAM, GENERATED, 9, "connect_unix_stream", DATA)     \
	X(LISTEN, GENERATED, 10, "listen", DATA)                              \
	X(BIND, GENERATED, 11, "bind", DATA)                                  \
	X(SEND, GENERATED, 12, "send", DATA)                                  \
	X(SEND_MSG, GENERATED, 13, "send_msg", DATA)                          \
	X(SEND_MSG_QUEUE, GENERATED, 14, "send_msg_queue", DATA)              \
	X(LINK, GENERATED, 15, "link", NAMING)                                \
	X(RENAME, GENERATED, 16, "rename", NAMING)                            \
	X(UNLINK, GENERATED, 17, "unlink", NAMING)                            \
	X(SYMLINK, GENERATED, 18, "symlink", DATA)                            \
	X(SETATTR, GENERATED, 19, "setattr", DATA)                            \
	X(SETXATTR, GENERATED, 20, "setxattr", DATA)                          \
	X(REMOVEXATTR, GENERATED, 21, "removexattr", DATA)                    \
	X(SETUID, GENERATED, 22, "setuid", DATA)                              \
	X(SETPGID, GENERATED, 23, "setpgid", CONTROL)                         \
	X(SH_ATTACH, GENERATED, 24, "sh_attach", DATA)                        \
	X(SH_CREATE, GENERATED, 25, "sh_create", DATA)                        \
	X(FILE_LOCK, GENERATED, 26, "file_lock", CONTROL)                     \
	X(SPLICE_OUT, GENERATED, 27, "splice_out", DATA)                      \
	X(EXEC_TASK, GENERATED, 28, "exec_task", DATA)                        \
	X(PTRACE_ATTACH, GENERATED, 29, "ptrace_attach", CONTROL)             \
	X(GENERATED_DISC, GENERATED, 30, "generated_disc", DATA)              \
	X(READ, USED, 0, "read", DATA)                                        \
	X(READ_IOCTL, USED, 1, "read_ioctl", DATA)                            \
	X(MEMORY_READ, USED, 2, "memory_read", DATA)                          \
	X(ACCEPT, USED, 3, "accept", CONTROL)                                 \
	X(RECEIVE, USED, 4, "receive", DATA)                                  \
	X(RECEIVE_MSG, USED, 5, "receive_msg", DATA)                          \
	X(RECEIVE_MSG_QUEUE, USED, 6, "receive_msg_queue", DATA)              \
	X(OPEN, USED, 7, "open", CONTROL)                                     \
	X(FILE_RCV, USED, 8, "file_rcv", CONTROL)                             \
	X(FILE_SIGIO, USED, 9, "file_sigio", CONTROL)                         \
	X(SEARCH, USED, 10, "search", CONTROL)                                \
	X(GETATTR, USED, 11, "getattr", CONTROL)                              \
	X(READ_LINK, USED, 12, "read_link", DATA)                             \
	X(GETXATTR, USED, 13, "getxattr", DATA)                               \
	X(LISTXATTR, USED, 14, "listxattr", DATA)                             \
	X(LOG, USED, 15, "log", DATA)                                         \
	X(PERM_CHECK, USED, 16, "perm_check", CONTROL)                        \
	X(GETPGID, USED, 17, "getpgid", CONTROL)                              \
	X(MMAP, USED, 18, "mmap", DATA)                                       \
	X(MMAP_PRIVATE, USED, 19, "mmap_private", DATA)                       \
	X(LOAD_FILE, USED, 20, "load_file", DATA)                             \
	X(PTRACE_READ, USED, 21, "ptrace_read", CONTROL)                      \
	X(USED_DISC, USED, 22, "used_disc", DATA)                             \
	X(CLONE, INFORMED, 0, "clone", DATA)                                  \
	X(VERSION_ACTIVITY, INFORMED, 1, "version_activity", VERSION)         \
	X(TERMINATE_TASK, INFORMED, 2, "terminate_task", VERSION)             \
	X(PTRACE_ATTACH_TASK, INFORMED, 3, "ptrace_attach_task", CONTROL)     \
	X(PTRACE_READ_TASK, INFORMED, 4, "ptrace_read_task", CONTROL)         \
	X(PTRACE_TRACEME, INFORMED, 5, "ptrace_traceme", CONTROL)             \
	X(INFORMED_DISC, INFORMED, 6, "informed_disc", DATA)                  \
	X(LOAD_UNKNOWN, INFLUENCED, 0, "load_unknown", INFLUENCE)             \
	X(LOAD_FIRMWARE, INFLUENCED, 1, "load_firmware", INFLUENCE)           \
	X(LOAD_MODULE, INFLUENCED, 2, "load_module", INFLUENCE)               \
	X(LOAD_KEXEC_IMAGE, INFLUENCED, 3, "load_kexec_image", INFLUENCE)     \
	X(LOAD_KEXEC_INITRAMFS, INFLUENCED, 4, "load_kexec_initramfs", INFLUENCE) \
	X(LOAD_POLICY, INFLUENCED, 5, "load_policy", INFLUENCE)               \
	X(LOAD_CERTIFICATE, INFLUENCED, 6, "load_certificate", INFLUENCE)     \
	X(LOAD_UNDEFINED, INFLUENCED, 7, "load_undefined", INFLUENCE)         \
	X(INFLUENCED_DISC, INFLUENCED, 8, "influenced_disc", INFLUENCE)       \
	X(RAN_ON, ASSOCIATED, 0, "ran_on", INFLUENCE)                         \
	X(ASSOCIATED_DISC, ASSOCIATED, 1, "associated_disc", INFLUENCE)       \
	/* ours: a TCP socket hands bytes to a stream, and takes them from one */ \
	X(SEND_STREAM, DERIVED, 21, "send_stream", DATA)                      \
	X(RECEIVE_STREAM, DERIVED, 22, "receive_stream", DATA)                \
	/* ours: names that come and go, and what CamFlow has no relation for */ \
	X(UNNAMED, DERIVED, 23, "unnamed", NAMING)                            \
	X(FILE_SND, DERIVED, 24, "file_snd", CONTROL)                         \
	X(MKDIR, GENERATED, 31, "mkdir", DATA)                                \
	X(MKNOD, GENERATED, 32, "mknod", DATA)                                \
	X(TMPFILE, GENERATED, 33, "tmpfile", DATA)                            \
	X(RMDIR, GENERATED, 34, "rmdir", NAMING)                              \
	X(REPLACE, GENERATED, 35, "replace", NAMING)                          \
	X(EXCHANGE, GENERATED, 36, "exchange", NAMING)                      \
	/* ours: the file of a layer is what a file of a stacked file system shows */ \
	X(STACKED, DERIVED, 40, "stacked", DATA)                          \
	/* ours: content that the kernel moves without bringing it into a process */ \
	X(COPY, DERIVED, 25, "copy", DATA)                                    \
	X(REFLINK, DERIVED, 26, "reflink", DATA)                              \
	X(RING_MESSAGE, DERIVED, 27, "ring_message", DATA)                    \
	/* ours: who a process is, what it sees as its file system, whom it signals */ \
	X(SETGID, GENERATED, 42, "setgid", DATA)                              \
	X(SETGROUPS, GENERATED, 43, "setgroups", DATA)                        \
	X(CAPSET, GENERATED, 44, "capset", DATA)                              \
	X(SETNS, GENERATED, 45, "setns", DATA)                                \
	X(MOUNT, GENERATED, 46, "mount", CONTROL)                             \
	X(UMOUNT, GENERATED, 47, "umount", CONTROL)                           \
	X(CHROOT, USED, 31, "chroot", CONTROL)                                \
	X(PIVOT_ROOT, USED, 32, "pivot_root", CONTROL)                        \
	X(SIGNAL, INFORMED, 8, "signal", DATA)                                \
	X(LOAD_BPF, INFLUENCED, 9, "load_bpf", INFLUENCE)                     \
	/* ours: what the kernel hands on; attached memory is read, and given back */ \
	X(RELAY, DERIVED, 28, "relay", DATA)                                  \
	X(SH_DETACH, GENERATED, 38, "sh_detach", DATA)                        \
	X(SH_ATTACH_READ, USED, 24, "sh_attach_read", DATA)                   \
	/* ours: memory that is no longer shared, and the memory of another process */ \
	X(MUNMAP, GENERATED, 40, "munmap", CONTROL)                           \
	X(VM_WRITE, GENERATED, 41, "vm_write", DATA)                          \
	X(VM_READ, USED, 26, "vm_read", DATA)

enum prov_node_kind {
#define X(id, class, bit, name, is_long) NODE_##id,
	NODE_KINDS(X)
#undef X
	NODE_KIND_COUNT,
};

enum prov_relation {
#define X(id, category, bit, name, flow) REL_##id,
	RELATIONS(X)
#undef X
	RELATION_COUNT,
};

/* PROV class of a node: bits of the type word */
enum prov_class {
	CLASS_ACTIVITY = 0x4000,
	CLASS_ENTITY = 0x2000,
	CLASS_AGENT = 0x1000,
};

/* PROV relation: bits of the type word */
enum prov_category {
	CATEGORY_DERIVED = 0x8080,
	CATEGORY_GENERATED = 0x8040,
	CATEGORY_USED = 0x8020,
	CATEGORY_INFORMED = 0x8010,
	CATEGORY_INFLUENCED = 0x8008,
	CATEGORY_ASSOCIATED = 0x8004,
};

/* What an edge means for ancestry */
enum prov_flow {
	FLOW_DATA = 1, /* content went from one end to the other */
	FLOW_CONTROL, /* the receiver learned that the sender is there, or acted on it; no content */
	FLOW_NAMING, /* the sender is a name of the receiver */
	FLOW_VERSION, /* the next version of the same object */
	FLOW_INFLUENCE, /* the sender may have shaped everything the receiver does */
};

/* The same rows as data: read from the object file, never loaded on their own account. */
struct prov_node_row {
	unsigned long long type; /* type word of CamFlow's identifiers */
	char name[24];
};

struct prov_relation_row {
	unsigned long long type;
	char name[24];
	unsigned int flow; /* enum prov_flow */
	unsigned int reserved;
};

#endif
