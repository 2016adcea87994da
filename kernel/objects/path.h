/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_PATH_H
#define PROVCAP_OBJECTS_PATH_H
/*
 * Names: the path as the host sees it, through every mount. Built from the dentry and mount chain,
 * because bpf_d_path may be called from few hooks only and gives the view of the process.
 */
#include "../graph/scene.h"
#include "../graph/text.h"

#define SB_NOUSER (1ul << 31) /* not mountable by user space: pipes, anonymous memory, sockets */

#define PATH_STEPS 4096 /* components and mounts: more than 4,096 bytes can hold */

/* Where a name is, and what is said of it */
struct prov_place {
	struct dentry *dentry;
	struct vfsmount *mount;
	__u64 key; /* 0: of no use for telling whether the name is known */
	__u8 kind; /* of the node */
	__u8 bits; /* TEXT_REMOVED: it is gone */
	__u8 reserved[6]; /* the verifier wants every byte of it set */
};

struct prov_walk {
	struct dentry *dentry;
	struct mount *mount;
	struct dentry *root; /* of the mount */
	struct prov_text_buffer *buffer;
	__u32 length;
	bool complete;
};

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

static __always_inline bool are_neighbours(void)
{
	__u32 first = bpf_core_field_offset(struct dentry, d_parent);

	return bpf_core_field_offset(struct dentry, d_name.hash_len) ==
		       first + __builtin_offsetof(struct prov_entry, hash_len) &&
	       bpf_core_field_offset(struct dentry, d_name.name) ==
		       first + __builtin_offsetof(struct prov_entry, name);
}

/* One read is cheaper than three, three loads are cheaper than one read. */
static __always_inline void read_entry(struct prov_entry *entry, struct dentry *dentry)
{
	if (!CAN_CAST && are_neighbours()) {
		bpf_core_read(entry, sizeof(*entry), &dentry->d_parent);
		return;
	}
	entry->parent = ADDRESS_IN(dentry, d_parent);
	entry->hash_len = FIELD(dentry, d_name.hash_len);
	entry->name = ADDRESS_IN(dentry, d_name.name);
}

#define SHORT_NAME 32 /* of which all bytes can be read wherever a name is kept */

/* What is read behind the end of the name is written over by what comes next, or not sent. */
static __always_inline void copy_name(char *to, const unsigned char *name, __u32 length)
{
	if (!CAN_CAST || length > SHORT_NAME) {
		bpf_probe_read_kernel(to, length, name);
		return;
	}
	COPY_WORDS(to, name, 2);
	if (length > 16)
		COPY_WORDS(to + 16, name + 16, 2);
}

static __always_inline bool append_component(struct prov_walk *walk, const struct prov_entry *entry)
{
	__u32 at = walk->length, length = entry->hash_len >> 32 & 255;

	if (at + length + 1 > TEXT_ROOM)
		return false;
	at &= TEXT_ROOM - 1;
	copy_name(&walk->buffer->room[at], entry->name, length);
	walk->buffer->room[at + length] = '/';
	walk->length += length + 1;
	return true;
}

/* Anonymous and shared memory lie in no directory, but have a name: memfd:x, SYSV00000000 */
static __always_inline bool is_pseudo(struct dentry *dentry)
{
	return FIELD(dentry, d_inode, i_sb, s_flags) & SB_NOUSER;
}

static __always_inline void enter_mount(struct prov_walk *walk, struct mount *mount)
{
	walk->mount = mount;
	walk->root = ADDRESS_IN(mount, mnt.mnt_root);
}

static __always_inline long leave_mount(struct prov_walk *walk)
{
	struct mount *mount = walk->mount, *above = ADDRESS_IN(mount, mnt_parent);

	if (above == mount) {
		walk->complete = true;
		return 1;
	}
	walk->dentry = ADDRESS_IN(mount, mnt_mountpoint);
	enter_mount(walk, above);
	return 0;
}

/* One step towards the root: a component, or from the root of a mount to where it is mounted. */
static long walk_step(__u32 step, struct prov_walk *walk)
{
	struct prov_entry *entry = &walk->buffer->entry;
	struct dentry *dentry = walk->dentry;

	if (dentry == walk->root)
		return leave_mount(walk);
	read_entry(entry, dentry);
	if (entry->parent == dentry) { /* not reachable from here: a lazily unmounted or hidden tree */
		if (!walk->length && is_pseudo(dentry))
			append_component(walk, entry);
		walk->complete = true;
		return 1;
	}
	if (!append_component(walk, entry))
		return 1;
	walk->dentry = entry->parent;
	return 0;
}

/* Pointers of the kernel as the verifier sees them may not be reckoned with; plain numbers may. */
static __always_inline void *plain(const void *pointer)
{
	const void *held = pointer;
	void *number = NULL;

	if (CAN_CAST)
		return (void *)NUMBER_AT(&held);
	bpf_probe_read_kernel(&number, sizeof(number), &held);
	return number;
}

static __always_inline __u64 stir(__u64 key, const void *more)
{
	key = (key ^ (__u64)more) * 0x9e3779b97f4a7c15;
	return key ^ key >> 32;
}

/* Every name below a directory or mount is about to become another. */
static __always_inline void count_move(void)
{
	__sync_fetch_and_add(&the_machine()->moves, 1);
}

/*
 * Stands for the path of a dentry without building it: another directory, name or mount point gives
 * another key, and so does any move of a directory or mount. `as`: the dentry that has this name
 * now, another one if a rename is about to hand it over. An address may come back for something
 * else; all of them at once for the same node will not. An open while its directory is being renamed
 * may take the old path for the new one.
 */
static __always_inline __u64 place_key(struct dentry *dentry, struct dentry *as,
				       struct vfsmount *mnt)
{
	struct mount *mount = mount_of(mnt);
	__u64 key = stir(*(volatile __u32 *)&the_machine()->moves, dentry);
	struct prov_entry entry;

	read_entry(&entry, as);
	key = stir(key, entry.parent);
	key = stir(key, (void *)entry.hash_len);
	key = stir(key, mount);
	key = stir(key, ADDRESS_IN(mount, mnt_parent));
	return stir(key, ADDRESS_IN(mount, mnt_mountpoint)) | 1;
}

/* The name that was sent last gives way to another one. */
static __always_inline void keep_name(struct prov_policy *policy, struct prov_node *node)
{
	struct prov_name name = { .node = node->id, .key = node->name };

	__sync_fetch_and_or(&node->nature, NATURE_SEVERAL_NAMES);
	bpf_map_update_elem(&names, &name, &policy->epoch, BPF_ANY);
}

/* Most nodes have one name, which is kept with them. */
static __always_inline void know_name(struct prov_policy *policy, struct prov_node *node, __u64 key)
{
	bool is_first = node->named != policy->epoch || !node->name;

	if (key && !is_first && node->name != key)
		keep_name(policy, node);
	if (key || is_first)
		node->name = key;
	node->named = policy->epoch;
}

/* It may come back: then it has to be sent again. */
static __always_inline void forget_name(struct prov_node *node, __u64 key)
{
	struct prov_name name = { .node = node->id, .key = key };

	if (node->name == key)
		node->name = 0;
	if (node->nature & NATURE_SEVERAL_NAMES)
		bpf_map_delete_elem(&names, &name);
}

static __always_inline void send_path(struct prov_policy *policy, struct prov_node *node,
				      const struct prov_place *place, struct prov_walk *walk)
{
	struct prov_text *text = &walk->buffer->text;
	__u32 length = walk->length;

	fill_text(text, policy, node, place->kind, length);
	text->bits |= place->bits;
	if (!walk->complete) {
		text->bits |= TEXT_TRUNCATED;
		count_loss(COUNT_NAME_TOO_LONG);
	}
	if (length <= TEXT_ROOM && send_text(text, sizeof(*text) + length, NODE_PATH) &&
	    !(place->bits & TEXT_REMOVED))
		know_name(policy, node, place->key);
}

VERIFIED_ONCE int name_node(struct prov_node *node, const struct prov_place *place)
{
	struct prov_policy *policy = current_policy();
	struct prov_walk walk = {};

	if (!node || !place)
		return 0;
	if (node->nature & NATURE_NAMELESS) {
		node->named = policy->epoch;
		return 0;
	}
	if (place->bits & TEXT_REMOVED)
		forget_name(node, place->key);
	walk.buffer = claim_buffer();
	if (!walk.buffer)
		return 0;
	walk.dentry = place->dentry;
	enter_mount(&walk, mount_of(place->mount));
	bpf_loop(PATH_STEPS, walk_step, &walk, 0);
	send_path(policy, node, place, &walk);
	give_back(walk.buffer);
	return 0;
}

static __always_inline struct prov_place place_of_file(struct file *file, __u8 kind)
{
	struct prov_place place = { .kind = kind };

	place.dentry = ADDRESS_IN(file, f_path.dentry);
	place.mount = ADDRESS_IN(file, f_path.mnt);
	return place;
}

static __always_inline int name_as_file(struct prov_node *node, __u8 kind, struct file *file)
{
	struct prov_place place = place_of_file(file, kind);

	return name_node(node, &place);
}

/* The node has a name in this epoch. */
static __always_inline void announce_name(struct prov_policy *policy, struct prov_node *node,
					  __u8 kind, struct file *file)
{
	if (node->named != policy->epoch)
		name_as_file(node, kind, file);
}

static __noinline int name_unless_known(struct prov_policy *policy, struct prov_node *node,
					const struct prov_place *place)
{
	struct prov_name name = {};
	__u32 *epoch = NULL;

	if (!node || !place)
		return 0;
	name.node = node->id;
	name.key = place->key;
	if (node->nature & NATURE_SEVERAL_NAMES)
		epoch = bpf_map_lookup_elem(&names, &name);
	if (!epoch || *epoch != policy->epoch)
		name_node(node, place);
	return 0;
}

/* The node has this file's very path among its names in this epoch. */
static __always_inline void announce_this_name(struct prov_policy *policy, struct prov_node *node,
					       __u8 kind, struct file *file)
{
	struct prov_place place = place_of_file(file, kind);

	place.key = place_key(place.dentry, place.dentry, place.mount);
	if (node->named != policy->epoch || node->name != place.key)
		name_unless_known(policy, node, &place);
}

#endif
