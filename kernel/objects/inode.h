/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_INODE_H
#define PROVCAP_OBJECTS_INODE_H
/* Files, directories, devices, pipes: the node of an inode, kept with it, and kept when it is evicted. */
#include "sharing.h"
#include "stacked.h"

#define ANON_INODE_MAGIC 0x09041934
#define SOCKFS_MAGIC 0x534F434B
#define PROC_MAGIC 0x9fa0
#define BTRFS_MAGIC 0x9123683E
#define SB_ACTIVE (1ul << 30) /* mounted; no more when it is unmounted for good */

#define S_PRIVATE 512 /* i_flags: of the kernel itself, no security module is asked */

#define DEVICE(major, minor) ((major) << 20 | (minor))
#define DEVICE_MAJOR(device) ((device) >> 20)

static __always_inline bool is_terminal(struct inode *inode)
{
	__u32 major = DEVICE_MAJOR(inode->i_rdev);

	return (inode->i_mode & S_IFMT) == S_IFCHR &&
	       (major == 4 || major == 5 || (major >= 136 && major <= 143) || major == 204 ||
		major == 229);
}

/* Reading it may wait for somebody to write: recorded when the read has succeeded, not at the hook. */
static __always_inline bool may_block(struct inode *inode)
{
	return (inode->i_mode & S_IFMT) == S_IFIFO || is_terminal(inode);
}

/* Seen by programs instead of a file below it */
static __always_inline bool is_stacked(struct inode *inode)
{
	return (inode->i_mode & S_IFMT) == S_IFREG && super_of(inode)->s_magic == OVERLAY_MAGIC;
}

/* Its node is found by its address: where inode storage is closed, or the inode itself is not at hand. */
static __always_inline bool by_address(struct inode *inode)
{
	return may_block(inode) || is_stacked(inode);
}

static __always_inline bool is_socket_inode(struct inode *inode)
{
	return (inode->i_mode & S_IFMT) == S_IFSOCK && super_of(inode)->s_magic == SOCKFS_MAGIC;
}

/* Numbers of these come back for other files, or never: nothing to keep beyond the inode's life. */
static __always_inline bool is_lasting(unsigned long flags, unsigned long magic)
{
	return !(flags & SB_NOUSER) && magic != PROC_MAGIC;
}

/*
 * Device numbers of file systems without a device (tmpfs, overlay, NFS) go to the next one that is mounted: two
 * containers would share their files. Btrfs has a device, and such a number all the same.
 */
static __always_inline bool comes_back(struct inode *inode)
{
	struct super_block *sb = super_of(inode);

	return is_lasting(sb->s_flags, sb->s_magic) && inode->i_nlink &&
	       (sb->s_flags & SB_ACTIVE || DEVICE_MAJOR(sb->s_dev) || sb->s_magic == BTRFS_MAGIC);
}

static __always_inline struct prov_inode_key inode_key(struct inode *inode)
{
	struct prov_inode_key key = {
		.ino = inode->i_ino,
		.dev = super_of(inode)->s_dev,
		.generation = inode->i_generation,
	};
	return key;
}

/* What an inode is when it is seen for the first time: plain numbers, see VERIFIED_ONCE */
struct prov_sight {
	struct prov_inode_key key;
	__u64 address;
	__u64 flags; /* of its file system */
	__u64 magic;
	__u32 rdev;
	__u32 mode;
};

static __always_inline struct prov_sight sight_of(struct inode *inode)
{
	struct super_block *sb = super_of(inode);
	struct prov_sight sight = {
		.key = inode_key(inode),
		.address = (__u64)inode,
		.flags = sb->s_flags,
		.magic = sb->s_magic,
		.rdev = inode->i_rdev,
		.mode = inode->i_mode,
	};
	return sight;
}

/* null, zero, full, random, urandom: what goes in is gone, what comes out is nobody's */
static __always_inline bool is_null_device(const struct prov_sight *sight)
{
	dev_t device = sight->rdev;

	return (sight->mode & S_IFMT) == S_IFCHR &&
	       (device == DEVICE(1, 3) || device == DEVICE(1, 5) || device == DEVICE(1, 7) ||
		device == DEVICE(1, 8) || device == DEVICE(1, 9));
}

static __always_inline __u32 nature_of(const struct prov_sight *sight)
{
	if (sight->magic == ANON_INODE_MAGIC)
		return NATURE_SHARED;
	return is_null_device(sight) ? NATURE_NULL : 0;
}

/*
 * A file can be looked up again before its old inode has been freed, and its state saved. What is in the
 * table then is older than the node is: to go on from there would use versions twice.
 */
static __always_inline bool take_up(struct prov_evicted *kept, __u64 us)
{
	__u64 holder = __sync_val_compare_and_swap(&kept->holder, 0, us);

	if (!holder || holder == us)
		return true;
	count_here(COUNT_EVICTED_FULL);
	return false;
}

/* What others have added meanwhile, who were here first, stays. */
static __always_inline void come_back(struct prov_node *node, const struct prov_evicted *kept)
{
	__sync_fetch_and_or(&node->nature, kept->nature);
	__sync_val_compare_and_swap(&node->cuts, 0, kept->cuts);
	node->applied = kept->applied;
	add_marks(node, kept->marks);
	__sync_fetch_and_or(&node->taint, kept->taint);
	give_birth(node, kept->id, kept->word);
}

/*
 * First sight of an inode, or sight again after it was evicted: then it is still the same node. What
 * was kept stays in the table, so that two CPUs that come here at once find the same.
 */
VERIFIED_ONCE int set_up_inode(struct prov_node *node, const struct prov_sight *sight)
{
	struct prov_evicted *before = NULL;
	struct prov_inode_key key;

	if (!node || !sight)
		return 0;
	key = sight->key; /* 6.1 looks nothing up by what was passed */
	__sync_fetch_and_or(&node->nature, nature_of(sight));
	if (is_lasting(sight->flags, sight->magic))
		before = bpf_map_lookup_elem(&evicted, &key);
	if (before && take_up(before, sight->address))
		come_back(node, before);
	else
		give_birth(node, new_ids(1), 0);
	return 0;
}

/* A call of its own, as below: what it looks at takes room on the stack of nobody else. */
static __noinline int set_up_stored(struct inode *inode, struct prov_node *node)
{
	struct prov_sight sight = sight_of(inode);

	return set_up_inode(node, &sight);
}

/* The inode leaves the cache but its file lives on. */
static __always_inline bool keep_evicted(struct inode *inode, struct prov_node *node)
{
	struct prov_inode_key key = inode_key(inode);
	struct prov_evicted kept = {
		.id = node->id,
		.word = node->word,
		.taint = node->taint,
		.marks = node->marks,
		.applied = node->applied,
		.cuts = node->cuts,
		.nature = node->nature & ~NATURE_MAPPED,
	};

	if (!bpf_map_update_elem(&evicted, &key, &kept, BPF_ANY))
		return true;
	count_loss(COUNT_EVICTED_FULL);
	return false;
}

static __always_inline void forget_evicted(struct inode *inode)
{
	struct prov_inode_key key = inode_key(inode);

	bpf_map_delete_elem(&evicted, &key);
}

/* Not another inode that had this address */
static __always_inline bool has_key(const struct prov_blocking *kept, const struct prov_inode_key *key)
{
	return kept->ino == key->ino && kept->dev == key->dev && kept->generation == key->generation;
}

static __always_inline bool is_of(const struct prov_blocking *kept, struct inode *inode)
{
	struct prov_inode_key key = inode_key(inode);

	return has_key(kept, &key);
}

static __always_inline void fill_key(struct prov_blocking *kept, const struct prov_inode_key *key)
{
	kept->ino = key->ino;
	kept->dev = key->dev;
	kept->generation = key->generation;
}

VERIFIED_ONCE int set_up_blocking(const struct prov_sight *sight)
{
	struct prov_blocking fresh = {}, *kept;
	__u64 address;

	if (!sight)
		return 0;
	address = sight->address;
	kept = bpf_map_lookup_elem(&blocking, &address);
	if (kept && has_key(kept, &sight->key))
		return 0;
	if (kept)
		bpf_map_delete_elem(&blocking, &address);
	set_up_inode(&fresh.node, sight);
	fill_key(&fresh, &sight->key);
	bpf_map_update_elem(&blocking, &address, &fresh, BPF_NOEXIST);
	return 0;
}

static __always_inline struct prov_node *met_blocking(struct inode *inode)
{
	__u64 address = (__u64)inode;
	struct prov_blocking *kept = bpf_map_lookup_elem(&blocking, &address);

	return kept && is_of(kept, inode) ? &kept->node : NULL;
}

static __noinline int meet_blocking(struct inode *inode)
{
	struct prov_sight sight = sight_of(inode);

	return set_up_blocking(&sight);
}

/* May be used by exit probes, too. NULL: no room, which was counted */
static __always_inline struct prov_node *blocking_node(struct inode *inode)
{
	struct prov_node *node = met_blocking(inode);

	if (node)
		return node;
	meet_blocking(inode);
	node = met_blocking(inode);
	if (!node)
		count_loss(COUNT_INODE_STORAGE);
	return node;
}

/*
 * The kernel's own file behind memory that is shared without one: nobody looks such an inode up, so its node
 * can be among the mapped ones from its birth.
 */
static __always_inline bool is_anonymous_memory(struct inode *inode)
{
	return inode->i_flags & S_PRIVATE && (inode->i_mode & S_IFMT) == S_IFREG;
}

/* An entry to begin with: too large for a stack that is needed for more */
static const struct prov_mapped nobody;

/* All but the word, which makes it a node. Any number of CPUs may do this at once, some of them late. */
static __always_inline void copy_node(struct prov_node *node, const struct prov_node *old)
{
	node->sent = old->sent;
	node->named = old->named;
	__sync_fetch_and_or(&node->nature, old->nature | NATURE_MAPPED);
	node->checked = old->checked;
	__sync_fetch_and_or(&node->marks, old->marks);
	node->applied = old->applied;
	__sync_val_compare_and_swap(&node->cuts, 0, old->cuts);
	__sync_val_compare_and_swap(&node->fresh, 0, old->fresh);
	__sync_fetch_and_or(&node->taint, old->taint);
	node->name = old->name;
	node->id = old->id;
}

/* The place of a node among the mapped ones. One that is new has the facts of `old`, or is born. */
static __always_inline struct prov_mapped *mapped_place(const struct prov_sight *sight,
							struct prov_node *old)
{
	__u64 address = sight->address;
	struct prov_mapped *place;

	place = bpf_map_lookup_elem(&mapped, &address);
	if (place && is_born(&place->at.node)) {
		if (has_key(&place->at, &sight->key))
			return place;
		bpf_map_delete_elem(&mapped, &address);
	}
	bpf_map_update_elem(&mapped, &address, &nobody, BPF_NOEXIST);
	place = bpf_map_lookup_elem(&mapped, &address);
	if (!place) {
		count_loss(COUNT_INODE_STORAGE);
		return NULL;
	}
	fill_key(&place->at, &sight->key);
	if (old) {
		copy_node(&place->at.node, old);
	} else {
		place->at.node.nature = NATURE_MAPPED;
		give_birth(&place->at.node, new_ids(1), 0);
	}
	return place;
}

/*
 * From now on the node is where every program can reach it. Whoever still has the old one may take it as a
 * source, as it was last; to enter it is given up, and counted. Any number of CPUs may do this at once, each
 * does the same, and the one that comes first makes it so. `old` is NULL: it was nowhere else.
 */
VERIFIED_ONCE int take_place(const struct prov_sight *sight, struct prov_node *old)
{
	struct prov_mapped *place = sight ? mapped_place(sight, old) : NULL;
	__u64 last;

	if (!place || !old || is_born(&place->at.node))
		return 0;
	__sync_fetch_and_or(&old->nature, NATURE_MAPPED);
	last = __sync_fetch_and_or(&old->word, WORD_OUT | WORD_MOVED) | WORD_OUT;
	add_marks(&place->at.node, old->marks);
	__sync_fetch_and_or(&place->at.node.taint, old->taint);
	__sync_val_compare_and_swap(&place->at.node.word, 0, last & ~(__u64)WORD_MOVED);
	return 0;
}

/* The node of an inode among the mapped ones; NULL: it is not there */
static __always_inline struct prov_node *placed_node(struct inode *inode)
{
	__u64 address = (__u64)inode;
	struct prov_mapped *place = bpf_map_lookup_elem(&mapped, &address);

	if (!place || !is_born(&place->at.node) || !is_of(&place->at, inode))
		return NULL;
	return &place->at.node;
}

static __noinline int move(struct inode *inode, struct prov_node *old)
{
	struct prov_sight sight = sight_of(inode);

	return take_place(&sight, old);
}

static __always_inline struct prov_node *move_node(struct inode *inode, struct prov_node *old)
{
	struct prov_node *node = placed_node(inode);

	if (node)
		return node;
	move(inode, old);
	node = placed_node(inode);
	return node ? node : old;
}

/* Where a node has moved to, if it has */
static __always_inline struct prov_node *moved_node(struct inode *inode, struct prov_node *node)
{
	return node->nature & NATURE_MAPPED ? move_node(inode, node) : node;
}

/* May be used by exit probes, too. */
static __always_inline struct prov_node *addressed_node(struct inode *inode)
{
	struct prov_node *node = blocking_node(inode);

	return node ? moved_node(inode, node) : NULL;
}

/* LSM programs only: inode storage is closed to others. */
static __always_inline struct prov_node *stored_node(struct inode *inode)
{
	struct prov_node *node;

	node = bpf_inode_storage_get(&inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!node) /* asked twice: see stored_task */
		node = bpf_inode_storage_get(&inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!node) {
		count_loss(COUNT_INODE_STORAGE);
		return NULL;
	}
	if (!is_born(node))
		set_up_stored(inode, node);
	if (node->nature & NATURE_SHARED) {
		count_loss(COUNT_SHARED_ANONYMOUS);
		return NULL;
	}
	return moved_node(inode, node);
}

static __always_inline struct prov_node *anonymous_memory_node(struct inode *inode)
{
	return move_node(inode, NULL);
}

/* LSM programs only. A regular file is about to be mapped shared. */
static __always_inline struct prov_node *shareable_node(struct inode *inode)
{
	struct prov_node *node;

	if (is_anonymous_memory(inode))
		return anonymous_memory_node(inode);
	node = by_address(inode) ? blocking_node(inode) : stored_node(inode);
	return node ? move_node(inode, node) : NULL;
}

/* LSM programs only. The node of an inode, wherever it is kept; NULL: no room, which was counted */
static __always_inline struct prov_node *kept_node(struct inode *inode)
{
	if (is_anonymous_memory(inode))
		return anonymous_memory_node(inode);
	return by_address(inode) ? addressed_node(inode) : stored_node(inode);
}

/* LSM programs only. The node that an inode has got already; NULL: it has none */
static __always_inline struct prov_node *met_inode(struct inode *inode)
{
	struct prov_node *node;

	if (is_anonymous_memory(inode))
		return placed_node(inode);
	node = by_address(inode) ? met_blocking(inode) :
				   bpf_inode_storage_get(&inodes, inode, NULL, 0);
	if (!node || !is_born(node))
		return NULL;
	return node->nature & NATURE_MAPPED ? placed_node(inode) : node;
}

/* LSM programs only. Something has come into what is mapped: who reads it there may carry it further. */
static __always_inline void goes_on(struct inode *inode, struct prov_node *node)
{
	if (node && node->nature & NATURE_MAPPED)
		relay_write((__u64)plain(inode));
}

static __always_inline void announce_inode(struct prov_scene *scene, struct inode *inode,
					   struct prov_node *node)
{
	if (node->sent != scene->policy->epoch)
		send_inode((__u64)plain(inode), node);
}

static __noinline int read_inode_marks(struct prov_policy *policy, struct inode *inode,
				       struct prov_node *node)
{
	if (!node)
		return 0;
	apply_marks(node, bpf_inode_storage_get(&inode_marks, inode, NULL, 0));
	node->checked = policy->generation;
	return 0;
}

#define PLAIN_TYPES (1 << (S_IFREG >> 12) | 1 << (S_IFDIR >> 12))

/*
 * LSM programs only. The node of a file or directory of which there is nothing special to know, with marks as they
 * are: what nearly all calls are about. NULL: the long way is to find out. What is stacked has no such storage.
 */
static __always_inline struct prov_node *plain_node(struct prov_scene *scene, struct inode *inode)
{
	struct prov_node *node;

	if (!(PLAIN_TYPES >> (inode->i_mode >> 12 & 15) & 1))
		return NULL;
	node = bpf_inode_storage_get(&inodes, inode, NULL, 0);
	if (!node || !is_born(node) || node->nature & (NATURE_SHARED | NATURE_MAPPED) ||
	    node->checked != scene->policy->generation)
		return NULL;
	return node;
}

/* LSM programs only. The node of an inode with its marks, whether or not it is wanted */
static __always_inline struct prov_node *inode_state(struct prov_scene *scene, struct inode *inode)
{
	struct prov_node *node = plain_node(scene, inode);

	if (node)
		return node;
	if (is_socket_inode(inode))
		return NULL; /* sockets have their state with the sock: see socket.h */
	node = kept_node(inode);
	if (node && node->checked != scene->policy->generation)
		read_inode_marks(scene->policy, inode, node);
	return node;
}

/*
 * The node of an inode, announced; NULL: nothing that touches it is recorded, or there is none, which was
 * counted.
 */
static __always_inline struct prov_node *announced(struct prov_scene *scene, struct inode *inode,
						   struct prov_node *node)
{
	if (!node || !takes_part(scene, node))
		return NULL;
	announce_inode(scene, inode, node);
	return node;
}

static __always_inline struct prov_node *inode_node(struct prov_scene *scene, struct inode *inode)
{
	return announced(scene, inode, inode_state(scene, inode));
}

/* As source of an edge that comes later. Who has entered this version has spread into the node before. */
static __always_inline void fill_image(struct prov_image *image, struct prov_node *node, __u8 kind)
{
	image->id = node->id;
	image->version = mark(node);
	image->taint = node->taint;
	image->kind = kind;
	image->marks = node->marks;
}

/* An unnamed pipe has no name. */
static __always_inline bool has_path(struct inode *inode)
{
	return (inode->i_mode & S_IFMT) != S_IFIFO || !(super_of(inode)->s_flags & SB_NOUSER);
}

/* The same with a name, when a file is at hand; if it `opens`, a further path is a further name. */
static __always_inline struct prov_node *named(struct prov_scene *scene, struct file *file,
					       struct prov_node *state, bool opens)
{
	struct inode *inode = file->f_inode;
	struct prov_node *node = announced(scene, inode, state);
	__u8 kind = kind_of_mode(inode->i_mode);

	if (!node)
		return NULL;
	if (!has_path(inode) || !has_own_path(file))
		return node;
	if (opens)
		announce_this_name(scene->policy, node, kind, file);
	else
		announce_name(scene->policy, node, kind, file);
	return node;
}

static __always_inline struct prov_node *file_node(struct prov_scene *scene, struct file *file)
{
	return named(scene, file, inode_state(scene, file->f_inode), false);
}

#endif
