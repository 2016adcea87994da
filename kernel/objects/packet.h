/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_PACKET_H
#define PROVCAP_OBJECTS_PACKET_H
/*
 * Packets. What joins the one that was sent and the one that is received on the same machine is the
 * buffer that it lies in: that stays the same through loopback, veth, bridges, clones, fragments and
 * their reassembly. Headers do not join them: two datagrams may have the same, and address
 * translation changes them. A buffer is used again, so its packet must look as the one that was put
 * into it.
 *
 * Who copies a packet on its way (segmentation, a header that has to grow) gives it another buffer.
 * Then the last datagram between the same addresses stands for it: it comes from the same socket, and
 * whatever that socket had when it sent the earlier one, it still had then. A segment of TCP is a packet
 * of its own then: its sequence numbers say which bytes it brings.
 */
#include "address.h"

enum {
	IPPROTO_UDP = 17,
};

#define IPV6_HEADER 40

/* As they lie in the packet */
struct prov_ipv4 {
	__u8 version_and_length;
	__u8 service;
	__be16 len;
	__be16 id;
	__be16 fragment;
	__u8 hops;
	__u8 protocol;
	__u16 checksum;
	__be32 sender;
	__be32 receiver;
};

struct prov_ipv6 {
	__be32 version_and_flow;
	__be16 len; /* of what follows */
	__u8 next;
	__u8 hops;
	__u8 sender[16];
	__u8 receiver[16];
};

static __always_inline bool is_udp(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return (family == AF_INET || family == AF_INET6) && sk->sk_protocol == IPPROTO_UDP;
}

static __always_inline void read_ipv4(const void *at, struct prov_packet_header *header)
{
	struct prov_ipv4 ip;

	bpf_probe_read_kernel(&ip, sizeof(ip), at);
	map_v4(header->sender, ip.sender);
	map_v4(header->receiver, ip.receiver);
	header->ip_id = ip.id;
	header->len = __builtin_bswap16(ip.len);
}

static __always_inline void read_ipv6(const void *at, struct prov_packet_header *header)
{
	struct prov_ipv6 ip;

	bpf_probe_read_kernel(&ip, sizeof(ip), at);
	__builtin_memcpy(header->sender, ip.sender, 16);
	__builtin_memcpy(header->receiver, ip.receiver, 16);
	header->len = __builtin_bswap16(ip.len) + IPV6_HEADER;
}

static __noinline int read_header(struct sock *sk, struct sk_buff *skb,
				  struct prov_packet_header *header)
{
	const void *network, *transport;
	__u8 version = 0;

	if (!sk || !skb || !header)
		return 0;
	network = FIELD(skb, head) + FIELD(skb, network_header);
	transport = FIELD(skb, head) + FIELD(skb, transport_header);
	__builtin_memset(header, 0, sizeof(*header));
	bpf_probe_read_kernel(&version, sizeof(version), network);
	header->ip_version = version >> 4;
	if (header->ip_version == 6)
		read_ipv6(network, header);
	else
		read_ipv4(network, header);
	header->protocol = FIELD(sk, sk_protocol);
	header->netns = FIELD(sk, __sk_common.skc_net.net, ns.inum);
	bpf_probe_read_kernel(&header->sender_port, 2, transport);
	bpf_probe_read_kernel(&header->receiver_port, 2, transport + 2);
	if (header->protocol == IPPROTO_TCP)
		bpf_probe_read_kernel(&header->sequence, 4, transport + 4);
	return 0;
}

static __always_inline bool is_same_address(const __u8 *one, const __u8 *other)
{
	const __u32 *a = (const __u32 *)one, *b = (const __u32 *)other;

	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

static __always_inline bool is_same_sender(const struct prov_packet_header *one,
					   const struct prov_packet_header *other)
{
	return one->sender_port == other->sender_port &&
	       is_same_address(one->sender, other->sender);
}

static __always_inline bool is_same_receiver(const struct prov_packet_header *one,
					     const struct prov_packet_header *other)
{
	return one->receiver_port == other->receiver_port &&
	       is_same_address(one->receiver, other->receiver);
}

/* Address translation may have changed one of the two ends, and nothing else. */
static __always_inline bool is_same_packet(const struct prov_packet_header *one,
					   const struct prov_packet_header *other)
{
	return one->ip_id == other->ip_id && one->len == other->len &&
	       one->protocol == other->protocol && one->sequence == other->sequence &&
	       (is_same_sender(one, other) || is_same_receiver(one, other));
}

/* FNV-1a, by words. Loopback addresses mean another host in each network namespace. */
static __always_inline __u64 way_of(const struct prov_packet_header *header)
{
	const __u32 *words = (const __u32 *)header; /* addresses and ports come first */
	__u64 hash = 0xcbf29ce484222325;

	for (int i = 0; i < 9; i++)
		hash = (hash ^ words[i]) * 0x100000001b3;
	hash = (hash ^ header->protocol) * 0x100000001b3;
	if (is_loopback(header->receiver))
		hash = (hash ^ header->netns) * 0x100000001b3;
	return hash >> 1;
}

static __always_inline __u64 buffer_of(struct sk_buff *skb)
{
	return (__u64)FIELD(skb, head);
}

static __noinline struct prov_packet *new_packet(__u64 key, const struct prov_packet_header *header)
{
	struct prov_packet fresh = {}, *packet;

	if (!header)
		return NULL;
	fresh.node.id = new_ids(1);
	fresh.node.word = WORD_LIVE;
	fresh.header = *header;
	bpf_map_update_elem(&packets, &key, &fresh, BPF_ANY);
	packet = bpf_map_lookup_elem(&packets, &key);
	if (!packet)
		count_loss(COUNT_PACKET_UNSEEN);
	return packet;
}

/*
 * The one that is about to leave. Its length is not in its header yet, nor are the ports of a
 * datagram, which come from what it was routed by; NULL: they are there.
 */
static __noinline struct prov_packet *sent_packet(struct sock *sk, struct sk_buff *skb,
						  union flowi_uli *route, __u32 payload)
{
	struct prov_packet_header header;

	if (!sk || !skb)
		return NULL;
	read_header(sk, skb, &header);
	header.len = FIELD(skb, len);
	header.payload = payload;
	if (route) {
		header.sender_port = FIELD(route, ports.sport);
		header.receiver_port = FIELD(route, ports.dport);
	}
	return new_packet(buffer_of(skb), &header);
}

/* When all is known of it: a copy of it is found by its addresses. */
static __noinline int keep_by_way(struct prov_packet *packet)
{
	__u64 way;

	if (!packet)
		return 0;
	way = way_of(&packet->header);
	bpf_map_update_elem(&packets, &way, packet, BPF_ANY);
	return 0;
}

/* Of a datagram */
static __always_inline struct prov_packet *copied_packet(const struct prov_packet_header *header)
{
	__u64 way = way_of(header);
	struct prov_packet *packet = bpf_map_lookup_elem(&packets, &way);

	if (!packet || !is_same_sender(&packet->header, header) ||
	    !is_same_receiver(&packet->header, header) ||
	    packet->header.protocol != header->protocol)
		return NULL;
	count_loss(COUNT_PACKET_COPIED);
	return packet;
}

/* The one that has come: as it was sent, or new if it comes from elsewhere */
static __noinline struct prov_packet *received_packet(struct prov_policy *policy, struct sock *sk,
						      struct sk_buff *skb, __u32 payload)
{
	struct prov_packet_header header;
	struct prov_packet *packet;
	__u64 buffer;

	if (!sk || !skb)
		return NULL;
	read_header(sk, skb, &header);
	header.payload = payload;
	buffer = buffer_of(skb);
	packet = bpf_map_lookup_elem(&packets, &buffer);
	if (packet && is_same_packet(&packet->header, &header))
		return packet;
	if (header.protocol == IPPROTO_TCP)
		return new_packet(buffer, &header);
	packet = copied_packet(&header);
	if (packet)
		return packet;
	if (policy->switches & SWITCH_ALL && is_loopback(header.sender))
		count_loss(COUNT_PACKET_UNSEEN);
	return new_packet(buffer, &header);
}

static __always_inline __u8 kind_of_packet(const struct prov_packet *packet)
{
	return packet->header.ip_version == 6 ? NODE_PACKET6 : NODE_PACKET;
}

static __noinline int send_packet(struct prov_policy *policy, struct prov_packet *packet)
{
	struct prov_packet_record *record;

	if (!packet || is_kind_filtered(policy, kind_of_packet(packet)))
		return 0;
	record = RESERVE(struct prov_packet_record, RECORD_PACKET, kind_of_packet(packet),
			 COUNT_NODE_RING_FULL);
	if (!record)
		return 0;
	fill_node(&record->node, &packet->node, policy);
	record->header = packet->header;
	submit(record);
	packet->node.sent = policy->epoch;
	return 0;
}

/* Where the kernel maps all memory, and where its struct pages are: x86-64 has both in variables */
extern const void page_offset_base __ksym __weak;
extern const void vmemmap_base __ksym __weak;

/*
 * A piece of a packet that lies in a page: a struct bio_vec, since 6.9 a struct skb_frag that looks
 * the same. There `page` is odd for memory of a device.
 */
struct prov_piece {
	__u64 page;
	__u32 len;
	__u32 offset;
};

#define PIECES_OF_PACKET 17
#define PAGE_SHIFT 12

static __always_inline const void *address_of(const struct prov_piece *piece)
{
	__u64 memory = 0, pages = 0;

	if (!&page_offset_base || !&vmemmap_base || piece->page & 1)
		return NULL;
	bpf_probe_read_kernel(&memory, sizeof(memory), &page_offset_base);
	bpf_probe_read_kernel(&pages, sizeof(pages), &vmemmap_base);
	return (const void *)(memory + ((piece->page - pages) / bpf_core_type_size(struct page)
					<< PAGE_SHIFT) + piece->offset);
}

/* Put bytes behind the `at` that are there; how many there are then */
static __noinline __u32 put_behind(struct prov_text_buffer *buffer, __u32 at, const void *from,
				   __u32 size)
{
	if (!buffer || !from || at >= TEXT_ROOM)
		return at;
	if (size > TEXT_ROOM - at)
		size = TEXT_ROOM - at;
	AT_MOST(size, TEXT_ROOM);
	if (bpf_probe_read_kernel(buffer->room + at, size, from))
		return at;
	return at + size;
}

/* What does not lie in one piece: how many bytes there are with it */
static __noinline __u32 put_pieces(struct prov_text_buffer *buffer, __u32 at, struct sk_buff *skb)
{
	struct skb_shared_info *shared;
	struct prov_piece piece;
	__u32 many;

	if (!buffer || !skb)
		return at;
	shared = (void *)FIELD(skb, head) + FIELD(skb, end);
	many = FIELD(shared, nr_frags);
	for (__u32 i = 0; i < PIECES_OF_PACKET && i < many; i++) {
		__u32 before = at;

		if (bpf_probe_read_kernel(&piece, sizeof(piece), (void *)&shared->frags +
					  i * sizeof(piece)))
			break;
		at = put_behind(buffer, at, address_of(&piece), piece.len);
		if (at != before + piece.len)
			break;
	}
	return at;
}

/* From the network header on */
static __always_inline __u32 copy_packet(struct prov_text_buffer *buffer, struct sk_buff *skb)
{
	__u32 start = FIELD(skb, network_header);
	__u32 size = FIELD(skb, tail) - start;
	__u32 there = put_behind(buffer, 0, FIELD(skb, head) + start, size);

	return there == size ? put_pieces(buffer, there, skb) : there;
}

/* Of a datagram that has been read the buffer may have less than when it came, and never more. */
static __noinline int send_content(struct prov_policy *policy, struct prov_packet *packet,
				   struct sk_buff *skb)
{
	struct prov_text_buffer *buffer;
	__u32 size, whole;

	if (!packet || !skb || !(buffer = claim_buffer()))
		return 0;
	whole = packet->header.len;
	size = copy_packet(buffer, skb);
	if (size > whole)
		size = whole;
	AT_MOST(size, TEXT_ROOM);
	fill_text(&buffer->text, policy, &packet->node, kind_of_packet(packet), size);
	buffer->text.id = new_ids(1);
	buffer->text.total = whole;
	if (size < whole)
		buffer->text.bits |= TEXT_TRUNCATED;
	send_text(&buffer->text, sizeof(buffer->text) + size, NODE_PACKET_CONTENT);
	give_back(buffer);
	return 0;
}

static __always_inline bool wants_content(struct prov_policy *policy, struct prov_node *socket,
					  struct prov_packet *packet)
{
	return (policy->switches & SWITCH_CONTENT || socket->marks & MARK_RECORD) &&
	       !is_filtered(policy, REL_PACKET_CONTENT, NODE_PACKET_CONTENT) &&
	       !is_filtered(policy, REL_PACKET_CONTENT, kind_of_packet(packet));
}

static __always_inline void announce_packet(struct prov_policy *policy, struct prov_node *socket,
					    struct prov_packet *packet, struct sk_buff *skb)
{
	bool announced = was_announced(policy, &packet->node);

	if (packet->node.sent == policy->epoch)
		return;
	send_packet(policy, packet);
	if (!announced && wants_content(policy, socket, packet))
		send_content(policy, packet, skb);
}

#endif
