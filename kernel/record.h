/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_RECORD_H
#define PROVCAP_RECORD_H
/*
 * What goes up: the records of the per-CPU rings. Fixed-width, little-endian as the machine is,
 * naturally aligned, every reserved byte zero. docs/reference/records.md explains each field.
 *
 * A hook sends one event; the edges it stands for are written out in user space:
 *
 *   relation used, THROUGH set       from --relation--> through --memory_write--> to
 *   any other, THROUGH set           from --memory_read--> through --relation--> to
 *   THROUGH clear                    from --relation--> to          (through = the acting task, or 0)
 *
 * and a version v > 0 of a node implies the version edge v-1 -> v.
 */

enum prov_record_kind {
	RECORD_EVENT = 1,
	RECORD_TASK,
	RECORD_MEMORY,
	RECORD_INODE,
	RECORD_SOCKET,
	RECORD_STREAM,
	RECORD_TEXT, /* path, argument, address, content of a packet: what = its node kind */
	RECORD_IATTR,
	RECORD_PACKET,
	RECORD_MESSAGE,
	RECORD_SEGMENT,
	RECORD_EVENTFD,
};

struct prov_head {
	__u64 at_ns; /* CLOCK_BOOTTIME when the record was made */
	__u32 seq; /* per CPU; advances for records that could not be sent, too */
	__u16 cpu;
	__u8 kind; /* enum prov_record_kind */
	__u8 what; /* event: enum prov_relation; node, text: enum prov_node_kind */
};

enum prov_event_bits {
	EVENT_THROUGH = 1, /* the middle node is part of the flow */
	EVENT_THROUGH_STEPPED = 2, /* this event made through_version */
	EVENT_TO_STEPPED = 4, /* this event made to_version */
	EVENT_TO_LOST = 8, /* contention: the edge into `to` was given up, and counted */
	EVENT_THROUGH_LOST = 16, /* contention: both edges of `through` were given up, and counted */
	EVENT_FRESH = 32, /* to_version holds nothing of the version before it (truncation) */
};

/* Node ids that are always the same */
enum prov_fixed_id {
	MACHINE_ID = 1,
};

enum prov_outcome {
	OUTCOME_AT_HOOK = 0, /* recorded before the operation began; it may still fail */
	OUTCOME_DONE = 1, /* recorded after the operation had succeeded */
};

struct prov_event {
	struct prov_head head;
	__u64 from;
	__u64 through;
	__u64 to;
	__u32 from_version; /* version marked as source */
	__u32 through_version;
	__u32 to_version;
	__u8 from_kind; /* enum prov_node_kind */
	__u8 to_kind;
	__u8 bits; /* enum prov_event_bits */
	__u8 flow : 4; /* enum prov_flow: the relation's own, or less (a null device carries nothing) */
	__u8 outcome : 4; /* enum prov_outcome */
	__u32 flags; /* access mask, protection, clone flags ...: low 32 bits */
	__u32 epoch;
	__s64 offset; /* file position at the hook; -1: the operation has none */
};

/* Every node record starts so */
struct prov_node_head {
	struct prov_head head;
	__u64 id;
	__u32 version;
	__u32 epoch;
	__u64 taint;
};

struct prov_task_record {
	struct prov_node_head node;
	__u64 memory; /* node id of its address space, 0: none (kernel thread) */
	__u64 cgroup; /* cgroup id (version 2 hierarchy) */
	__u64 start_ns; /* CLOCK_BOOTTIME when it was cloned: with pid a name for ever */
	__u64 utime_us;
	__u64 stime_us;
	__u64 vm_kib;
	__u64 rss_kib;
	__u64 hw_vm_kib;
	__u64 hw_rss_kib;
	__u64 read_bytes;
	__u64 write_bytes;
	__u64 cancel_write_bytes;
	__u64 capabilities; /* effective ones, one bit each */
	__u32 pid; /* thread id, initial namespace */
	__u32 vpid; /* thread id, own namespace */
	__u32 tgid; /* process id, initial namespace */
	__u32 ppid; /* process id of the parent, initial namespace */
	__u32 uid;
	__u32 gid;
	__u32 euid;
	__u32 egid;
	__u32 loginuid; /* ~0: never set */
	__u32 sessionid; /* audit session, ~0: none */
	__u32 tty; /* device number of the terminal, 0: none */
	__u32 utsns;
	__u32 ipcns;
	__u32 mntns;
	__u32 pidns;
	__u32 netns;
	__u32 cgroupns;
	__u32 userns;
	__u32 cwd_dev; /* working directory: device and inode */
	__u32 reserved;
	__u64 cwd_ino;
	char comm[16];
};

struct prov_memory_record {
	struct prov_node_head node;
	__u64 exe_ino; /* the file it executes */
	__u32 exe_dev;
	__u32 tgid; /* process that it was made for */
	__u32 uid;
	__u32 gid;
};

struct prov_inode_record {
	struct prov_node_head node;
	__u64 ino;
	__u64 size; /* bytes, when the record was made */
	__u8 uuid[16]; /* of the file system; zero if it has none */
	__u32 dev; /* of the file system, (major << 20) | minor */
	__u32 rdev; /* of a device node */
	__u32 generation;
	__u32 uid;
	__u32 gid;
	__u32 magic; /* file-system type */
	__u16 mode;
	__u16 reserved[3];
};

struct prov_socket_record {
	struct prov_node_head node;
	__u64 ino; /* 0 while it is not accepted */
	__u32 uid;
	__u32 gid;
	__u32 netns;
	__u16 family;
	__u16 type;
	__u16 protocol;
	__u16 mode;
	__u32 reserved;
};

/* One direction of a TCP connection; IPv4 addresses are v4-mapped, all network order */
struct prov_stream_record {
	struct prov_node_head node;
	__u8 sender[16];
	__u8 receiver[16];
	__u16 sender_port; /* network order */
	__u16 receiver_port; /* network order */
	__u32 netns; /* 0 unless the addresses are loopback: those mean another host in each namespace */
};

/* What a packet says of itself: numbers as they lie in it, IPv4 addresses v4-mapped */
struct prov_packet_header {
	__u8 sender[16];
	__u8 receiver[16];
	__u16 sender_port; /* network order */
	__u16 receiver_port; /* network order */
	__u32 sequence; /* of TCP, else 0; network order */
	__u32 netns; /* where it was sent or, if nobody saw that, where it was received */
	__u32 len; /* bytes from the network header on */
	__u32 payload; /* bytes of TCP that it brings, else 0 */
	__u16 ip_id; /* identification of IPv4, else 0; network order */
	__u8 protocol;
	__u8 ip_version; /* 4 or 6 */
};

/* One packet: a node of its own, sent once. Its identifier is made from its header. */
struct prov_packet_record {
	struct prov_node_head node;
	struct prov_packet_header header;
};

/* One change of an inode's attributes; a node of its own, used once */
struct prov_iattr_record {
	struct prov_node_head node;
	__s64 size;
	__s64 atime; /* seconds */
	__s64 ctime;
	__s64 mtime;
	__u32 valid; /* ATTR_* of the kernel: which of the others have been set */
	__u32 uid;
	__u32 gid;
	__u16 mode;
	__u16 reserved;
};

/* A message of a System V or POSIX queue; what is not known yet, or not used, is zero */
struct prov_message_record {
	struct prov_node_head node;
	__s64 type; /* of POSIX queues the priority */
	__u64 size; /* bytes */
	__u64 queue; /* System V: its id; POSIX: its inode number */
	__u32 dev; /* of the queue's inode; 0: System V */
	__s32 key; /* of a System V queue */
};

/* Shared memory of System V */
struct prov_segment_record {
	struct prov_node_head node;
	__u64 size; /* bytes; 0 until it is attached */
	__s32 segment; /* its id; -1 until it is attached */
	__s32 key;
	__u32 uid;
	__u32 gid;
	__u16 mode;
	__u16 reserved[3];
};

struct prov_eventfd_record {
	struct prov_node_head node;
	__u32 number; /* eventfd-id of /proc/PID/fdinfo */
	__u32 flags; /* as it was made with */
};

enum prov_text_bits {
	TEXT_STEPPED = 1, /* this record made node_version */
	TEXT_TRUNCATED = 2, /* the whole text was longer than `total` */
	TEXT_LAST = 4, /* no further piece of this text follows */
	TEXT_REMOVED = 8, /* the node is not known under this path any more */
	TEXT_LATE = 16, /* arguments as the process had them when it was first wanted, not as given to it */
};

/*
 * A text and the edge to the node that it belongs to:
 * path --named--> node (--unnamed--> with TEXT_REMOVED), address --addressed--> node, argv --arg--> node,
 * envp --env--> node, packet_content --packet_content--> node.
 * A path travels as its components from the last to the first, each ended by '/': "c/b/a/" is /a/b/c,
 * the empty text is /. Arguments and variables travel as one text of `count` NUL-terminated strings, in pieces; the string number i has
 * node id `id + i`. A path has id 0: its identifier is made from its text. An xattr is its name, NUL,
 * and its value; it stands for itself, and events lead to it and from it.
 */
struct prov_text {
	struct prov_head head;
	__u64 id;
	__u64 node;
	__u32 node_version;
	__u32 epoch;
	__u32 length; /* bytes that follow this head */
	__u32 offset; /* where they stand in the whole text */
	__u32 total; /* bytes of the whole text */
	__u32 count;
	__u8 node_kind;
	__u8 bits; /* enum prov_text_bits */
	__u16 reserved;
	__u32 reserved2;
	/* `length` bytes of text */
};

/* Why something is missing. One per-CPU counter each; `provcap summary` shows them. */
enum prov_counter {
	COUNT_EVENT_RING_FULL, /* events refused by a full ring: flows lost */
	COUNT_NODE_RING_FULL, /* node records refused: sent again with the next event */
	COUNT_TEXT_RING_FULL, /* names, arguments, addresses refused */
	COUNT_TASK_STORAGE, /* a task has no state: out of memory, or refused by the recursion guard (6.1): flows lost */
	COUNT_INODE_STORAGE, /* no state for an inode, out of memory or out of reach: flows lost */
	COUNT_SOCKET_STORAGE, /* no memory for a socket's state: flows lost */
	COUNT_STREAMS_FULL, /* table of TCP streams full: link between two sockets lost */
	COUNT_MEMORIES_FULL, /* no address-space node free: flows between threads lost */
	COUNT_EVICTED_FULL, /* an evicted inode was not remembered (in time): its identity ends */
	COUNT_CONTENTION, /* an edge given up after too many tries */
	COUNT_VERSIONS_EXHAUSTED, /* a node has had 2^32 versions: no more edges into it */
	COUNT_NAME_TOO_LONG, /* path cut: deeper or longer than the buffer */
	COUNT_NAME_NO_BUFFER, /* every text buffer of the CPU was in use */
	COUNT_ARGUMENT_FAULT, /* arguments could not be read */
	COUNT_SHARED_ANONYMOUS, /* descriptors that share one anonymous inode: not recorded */
	COUNT_DESCRIPTOR_UNSEEN, /* a descriptor was sent whose file could not be reached: its file_snd is missing */
	COUNT_PACKET_UNSEEN, /* a datagram of this machine that nobody has seen sent: link lost */
	COUNT_PACKET_COPIED, /* one that was copied on its way: told by its addresses */
	COUNT_OWNER_UNSEEN, /* a file called its owner and could not be reached: its file_sigio is missing */
	COUNT_LOOSE_FULL, /* table of messages, segments, eventfds, terminals full: flows lost */
	COUNT_SHARES_FULL, /* a shared mapping is not followed: too many of one process, or its inode is unknown */
	COUNT_BRIDGES_FULL, /* content of shared memory was not followed into further shared memory */
	COUNTER_COUNT,
};

#endif
