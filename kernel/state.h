/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_STATE_H
#define PROVCAP_STATE_H
/* What the kernel side remembers of each object: the values of its own maps. Never leaves the kernel. */

enum {
	MEMORIES = 65536,
	BLOCKING_INODES = 262144,
	EVICTED_INODES = 524288,
	ADOPTED_FILES = 65536,
	LOOSE_OBJECTS = 131072,
	KNOWN_NAMES = 65536,
	STREAMS = 131072,
	PACKETS = 32768, /* each is there twice */
	RECORDED_PREFIXES = 1024,
	IO_RINGS = 16384,
	HANDED_OVER = 65536,
	MAPPED_INODES = 65536,
	SHARES = 16, /* inodes that one address space shares with others */
	BRIDGES = 32, /* address spaces that may carry the content of one shared inode to another */
	REACHED = 32, /* inodes that one input can get to without a further call */
	TEXT_BUFFERS = 3,
	TEXT_ROOM = 4096,
	REMEMBERED_EDGES = 32,
	ASKED_FILES = 3,
	PROBES = 128, /* programs on functions that may be attached more than once */
	CACHE_LINE = 64,
	EXEC_IMAGES = 6, /* search_binary_handler runs at most six times for one exec */
};

enum {
	FIRST_ID = 16, /* lower ids are ours to give */
	CPU_SHIFT = 48, /* node id = CPU << 48 | counter of that CPU */
};

enum prov_word {
	WORD_OUT = 1, /* this version has been a source */
	WORD_LIVE = 2, /* the node has been set up: a word is never 0 afterwards */
	WORD_MOVED = 4, /* the node is kept elsewhere now: this word takes no step any more */
	VERSION_SHIFT = 32,
};

struct prov_node {
	__u64 word; /* version << 32 | enum prov_word */
	__u64 id;
	__u32 sent; /* epoch in which its record was last sent; with SENT_OUTDATED: it has changed since */
	__u32 named; /* epoch in which its name was last sent */
	__u32 nature; /* enum prov_nature */
	__u32 checked; /* generation of the policy at the last look at its marks */
	__u32 marks; /* enum prov_mark */
	__u32 applied; /* serial of the struct prov_marks that was taken over last */
	__u32 cuts; /* truncations that took all its content: of older edges into it nothing is left */
	__u32 fresh; /* the version that the last of them made, if it holds nothing older; 0: none */
	__u32 entries; /* data edges that have entered it since it is NATURE_MAPPED */
	__u32 reserved;
	__u64 taint;
	__u64 name; /* key of the path that was sent last, see place_key(); 0: none */
};

#define SENT_OUTDATED (1u << 31) /* epochs are counted by people: they stay below */

#define TAKING 1 /* below FIRST_ID */

enum prov_nature {
	NATURE_SHARED = 1, /* one anonymous inode for unrelated descriptors: no node */
	NATURE_NULL = 2, /* /dev/null and its kind: carries nothing onward */
	NATURE_ANNOTATED = 4, /* extended attributes have been set: a truncation leaves those */
	NATURE_NAMELESS = 8, /* made without a name, and has got none yet */
	NATURE_MAPPED = 16, /* the node is among the mapped ones, not with its inode */
	NATURE_SEVERAL_NAMES = 32, /* it has had others than the last: those are in the table of names */
};

/* An edge that this thread has sent: relation, source with its version, destination. */
struct prov_edge {
	__u64 object; /* the node that is not the task and not its memory */
	__u64 memory; /* the other far end */
	__u32 version; /* of the source */
	__u32 arrivals; /* of the task by then, and cuts of the destination */
	__u32 epoch;
	__u32 relation;
};

/* A file marked as source before its edge can be sent: exec keeps those until it is certain */
struct prov_image {
	__u64 id;
	__u64 taint;
	__u32 version;
	__u16 kind;
	__u16 marks; /* enum prov_mark */
};

/* A file whose extended attribute is being read: marked at the hook, sent when there is a value */
struct prov_asked {
	__u64 dentry; /* its address, 0: free */
	struct prov_image image;
};

/*
 * A name that comes or goes, and where: addresses as plain numbers. The path_* hook of a system call
 * knows the mount, the inode_* hook that follows it does not.
 */
struct prov_naming {
	__u64 dentry; /* 0: none; of a rename the old name's */
	__u64 mount;
	__u32 flags; /* of a rename */
	__u32 reserved;
};

/* A name that is about to get an inode, which the hook before that cannot know yet */
struct prov_making {
	__u64 dentry; /* 0: none */
	__u64 mount; /* 0: unknown */
	__u32 relation;
	__u32 name; /* hash: what fails leaves this behind, and the address comes back for another name */
};

/* A message that is about to be made for a POSIX queue: no hook knows both */
struct prov_posting {
	__u64 queue; /* inode number, 0: none */
	__u64 size;
	__u32 dev;
	__u32 priority;
	__u32 refused; /* the queue is full, and the sender does not wait */
	__u32 reserved;
};

/* A shared mapping that is about to be made: the hook knows the inode, what links it in may see another */
struct prov_mapping {
	__u64 inode; /* its address, 0: none */
	__u64 seen; /* what its address space knows of it by then, see struct prov_share */
};

enum prov_level {
	LEVEL_OUTER, /* what the system call has announced */
	LEVEL_INNER, /* what a stacked file system does for it below */
	LEVELS,
};

/* Calls that move content within the kernel */
enum prov_copy_way {
	COPY_NONE,
	COPY_SPLICE,
	COPY_TEE,
	COPY_VMSPLICE,
	COPY_SENDFILE,
	COPY_RANGE,
	COPY_CLONE,
	COPY_DEDUPE,
	COPY_UP,
};

/* What is known of such a call while it is under way; objects/copy.h says how it comes together. */
struct prov_copying {
	__u64 in; /* address of the file that it takes from */
	__u64 out; /* ... and of the one that it puts into */
	__u64 from; /* address of the inode of the pipe that it takes from, 0: no pipe */
	__u64 to; /* ... and of the one that it puts into */
	__u64 pipe; /* address of the pipe that it puts into */
	__u64 landing; /* address of the inode of the file that it puts into, if it may wait before that; 0: none */
	struct prov_image source; /* id 0: none that holds anything */
	struct prov_image target; /* the version that was entered, id 0: not yet, or nothing new in it */
	__u32 actor; /* version of the task by then */
	__u32 cuts; /* of the target by then */
	__u32 head; /* of that pipe when it was locked: moved on if something has been put in */
	__u32 call; /* number of the system call: what a missed end leaves behind is not for another */
	__u16 relation;
	__u8 way; /* enum prov_copy_way */
	__u8 seen; /* the source is known */
	__u8 wanted; /* one of its ends is tracked */
	__u8 bits; /* of the event into the target */
	__u16 reserved;
	__u32 epoch; /* in which it began: what an earlier recording has left behind is not for this one */
	__u32 reserved2;
};

struct prov_task {
	struct prov_node node;
	__u32 memory; /* index into memories, 0: none */
	__u32 arrivals; /* edges into the task that did not go on into its memory */
	__u32 images; /* entries in use of image[] */
	__u32 sending; /* the relation of what it does with a socket: it sends; 0: it connects */
	__u64 left; /* the node's word as this thread's own last step left it */
	__u32 truncating; /* writers that the truncation under way is itself, 0: it leaves something */
	__u32 loads; /* the bpf(2) that it is in loads a program */
	__u64 taken[PROBES / 64]; /* probes of which a copy has run for the call at hand, see graph/probe.h */
	__u64 signals; /* address of the task that it may signal now, 0: none */
	struct prov_asked asked[ASKED_FILES];
	struct prov_copying copying;
	struct prov_naming naming;
	struct prov_making making[LEVELS];
	struct prov_posting posting;
	__u64 attaching; /* address of the segment that is about to be mapped, 0: none */
	__u64 taken_from; /* id of the memory whose descriptor is taken; TAKING: whose is not known yet */
	__u32 taken_index; /* of that memory */
	__u32 accessed; /* index of the address space that it has been let into last */
	__u32 finished; /* its end was told */
	__u32 reserved2;
	__u64 made; /* address of the inode that this task has made last, if nobody has asked yet */
	struct prov_mapping mapping;
	__u32 reached_count; /* entries in use of reached[] */
	__u32 bridge; /* index of the address space that takes it further */
	__u64 crossing; /* address of the inode that this one reads */
	__u64 reached[REACHED]; /* addresses of inodes that the input at hand has got into */
	struct prov_image image[EXEC_IMAGES];
	struct prov_edge edges[REMEMBERED_EDGES];
};

struct prov_memory {
	struct prov_node node;
	__u64 exe_ino;
	__u32 exe_dev;
	__u32 tgid;
	__u32 uid;
	__u32 gid;
	__u32 references; /* tasks that hold it */
	__u32 argued; /* epoch in which its arguments were last sent */
	__u32 shares; /* 1: it has an entry in the map of this name */
	__u32 reserved;
	__u64 pulled; /* state of all that is shared by when it last looked, see shared_now() */
	__u64 apart; /* to 128 bytes: what neighbours write all the time is on cache lines of their own */
};

/* An inode that an address space shares: what may be written to it is here, too, and the other way round */
struct prov_share {
	__u64 inode; /* address of the inode that has the node; 0: free */
	__u64 mapped; /* address of the inode whose pages are mapped: a lower one on a stacked file system */
	__u64 seen; /* epoch << 32 | entries of the inode that are in the memory; 0: nothing is known */
	__s32 mappings; /* how many there are; 0: no more */
	__u32 access; /* VM_READ, VM_WRITE, VM_EXEC: of any of them, at any time */
};

struct prov_shares {
	struct prov_share share[SHARES];
};

/* The machine, and what is handed out once for all of it */
struct prov_machine {
	struct prov_node node;
	/* asked by many hooks, changed by few */
	__u32 moves; /* of directories and mounts: names below them have changed */
	__u32 records_packets; /* of some socket: there has been one with MARK_RECORD */
	/* changed by more: on another cache line */
	__u64 apart[CACHE_LINE / 8];
	__u32 memories_used; /* entries of memories that have ever been in use, entry 0 aside */
	__u32 reserved2;
	__u64 shared; /* data edges that have entered any of the mapped inodes */
};

struct prov_blocking {
	struct prov_node node;
	__u64 ino; /* the address may be another inode's by now if a free went unseen */
	__u32 dev;
	__u32 generation;
};

/*
 * An inode that is or was mapped shared: its content can change with any input of a process that maps it. Or one that
 * was copied into from a pipe, see struct prov_copying
 */
struct prov_mapped {
	struct prov_blocking at;
	__u32 bridges[BRIDGES]; /* indices of address spaces that read it and write another */
};

/*
 * What has neither storage nor an inode of its own: a message, a segment, an eventfd, the master
 * of a pseudo-terminal. Kept by address until the kernel frees it.
 */
struct prov_loose {
	struct prov_node node;
	/* of a message */
	__s64 type;
	__u64 size;
	__u64 queue;
	__u32 dev;
	__s32 key;
	__u64 other; /* address; of a segment: its inode; of that inode: the segment, and no node */
};

struct prov_inode_key {
	__u64 ino;
	__u32 dev;
	__u32 generation;
};

struct prov_evicted {
	__u64 id;
	__u64 word;
	__u64 taint;
	__u32 marks; /* enum prov_mark */
	__u32 applied;
	__u64 holder; /* address of the inode that has taken this up; 0: nobody has, it is out of the cache */
	__u32 cuts;
	__u32 nature; /* enum prov_nature */
};

/* A file that was mapped before attaching, marked as source while it was opened again */
struct prov_adopted_file {
	struct prov_inode_key key; /* the address may be another inode's by the time of the look-up */
	struct prov_image image;
	__u64 given[2]; /* address space that it was last told of, by private and shared mapping */
};

/* A node under one of its names */
struct prov_name {
	__u64 node;
	__u64 key; /* see place_key() */
};

/* An io_uring and the memory of who made it */
struct prov_ring {
	__u64 id; /* node id: the index may be another one's by now */
	__u32 memory; /* index into memories */
	__u32 reserved;
};

/* A file that is on its way in a message, sent by who could not show more than its address */
struct prov_handed {
	__u64 inode; /* address: that of the file may be another one's by the time of the look-up */
	struct prov_image sender; /* its memory when it sent the message */
	__u32 epoch;
	__u32 waiting; /* messages that have not been received yet; of a dropped one nothing is heard */
};

struct prov_stream_key {
	__u8 sender[16];
	__u8 receiver[16];
	__u16 sender_port;
	__u16 receiver_port;
	__u32 netns;
};

struct prov_stream {
	struct prov_node node;
	__u32 references; /* sockets of this machine that use it */
	__u32 reserved;
};

enum prov_joined {
	STREAMS_APART,
	STREAMS_JOINING, /* somebody is at it: `in` is not written yet */
	STREAMS_JOINED,
};

struct prov_socket {
	struct prov_node node;
	__u32 joined; /* enum prov_joined: whether its streams have been counted */
	__u32 reserved;
	struct prov_stream_key in;
};

/* A packet that was sent, or came from elsewhere. It is entered once: version 0 is its only one. */
struct prov_packet {
	struct prov_node node;
	struct prov_packet_header header;
	__u32 received; /* epoch of the last edge to `receiver`, 0: none */
	__u32 reserved;
	__u64 receiver; /* node id of the socket that it was read from last */
};

/* What a dentry says of its name: three neighbours, if the kernel was not built to shuffle them */
struct prov_entry {
	struct dentry *parent;
	__u64 hash_len;
	const unsigned char *name;
};

struct prov_text_buffer {
	__u32 claimed;
	__u32 reserved;
	struct prov_entry entry; /* the one that a walk along a path is at */
	struct prov_text text;
	char room[2 * TEXT_ROOM]; /* a piece may begin at the last byte of the first half */
};

struct prov_cpu {
	__u64 seq;
	__u64 next_id;
	__u64 counts[COUNTER_COUNT];
	__s64 probes[PROBES]; /* see graph/probe.h */
};

struct prov_layout {
	__u8 hash[32];
};

#endif
