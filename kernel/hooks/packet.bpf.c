// SPDX-License-Identifier: GPL-2.0
/*
 * Packets: socket -> packet when one leaves, packet -> socket when it has been read. Each datagram of
 * UDP is recorded, since nothing else joins its two sockets; segments of TCP only where the policy
 * asks for them, since their bytes go by streams.
 */
#include "../objects/packet.h"

#define PACKET_DETAIL(from, to, done) \
	{ .outcome = (done), .offset = NO_OFFSET, .from_kind = (from), .kind = (to) }

/* The sender does this itself. What may not be told is known all the same, so as not to be guessed. */
static __noinline int send_datagram(struct sock *sk, struct sk_buff *skb, union flowi_uli *route)
{
	struct prov_packet *packet;
	struct prov_socket *socket;
	struct prov_scene scene;

	if (!sk || !skb || !open_scene(&scene))
		return 0;
	packet = sent_packet(sk, skb, route, 0);
	if (!packet)
		return 0;
	socket = scene.silent ? NULL : socket_node(&scene, sk);
	if (scene.silent && scene.policy->switches & SWITCH_ENABLED)
		add_marks(&packet->node, MARK_OPAQUE);
	if (socket) {
		struct prov_detail detail = PACKET_DETAIL(NODE_SOCKET, kind_of_packet(packet),
							  OUTCOME_AT_HOOK);

		add_marks(&packet->node, socket->node.marks & MARK_TRACKED);
		announce_packet(scene.policy, &socket->node, packet, skb);
		derives_once(scene.policy, scene.task, REL_SEND_PACKET, &socket->node,
			     &packet->node, &detail);
	}
	keep_by_way(packet);
	return 0;
}

/* Whether those of any socket are recorded: as a rule of none, and each segment asks */
static __always_inline bool are_segments_wanted(struct prov_policy *policy)
{
	return policy->switches & SWITCH_ENABLED &&
	       (policy->switches & SWITCH_SEGMENTS || the_machine()->records_packets);
}

/* Whether its TCP segments are recorded */
static __always_inline bool wants_segments(struct prov_policy *policy, struct prov_node *socket)
{
	return !(socket->marks & MARKS_OPAQUE) &&
	       (policy->switches & SWITCH_SEGMENTS || socket->marks & MARK_RECORD) &&
	       is_tracked(policy, socket);
}

/* Bytes of a segment behind its own header, of those behind the header of the network */
static __always_inline __u32 payload_of(struct sk_buff *skb, __u32 behind_network)
{
	__u8 words = 0;
	__u32 header;

	bpf_probe_read_kernel(&words, sizeof(words), FIELD(skb, head) +
			      FIELD(skb, transport_header) + 12);
	header = (words >> 4) * 4;
	return behind_network > header ? behind_network - header : 0;
}

static __always_inline __u32 length_of_network_header(struct sk_buff *skb)
{
	return FIELD(skb, transport_header) - FIELD(skb, network_header);
}

/* Whoever runs has nothing to do with it: TCP sends when the window opens, too. */
static __noinline int packs_segment(struct sock *sk, struct sk_buff *skb)
{
	struct prov_policy *policy = current_policy();
	struct prov_packet *packet;
	struct prov_socket *socket;
	__u32 payload;

	if (!sk || !skb || !are_segments_wanted(policy))
		return 0;
	socket = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	if (!socket || !is_born(&socket->node) || !wants_segments(policy, &socket->node))
		return 0;
	payload = payload_of(skb, FIELD(skb, len) - length_of_network_header(skb));
	if (!payload) /* it hands nothing over */
		return 0;
	packet = sent_packet(sk, skb, NULL, payload);
	if (packet) {
		struct prov_detail detail = PACKET_DETAIL(NODE_SOCKET, kind_of_packet(packet),
							  OUTCOME_AT_HOOK);

		announce_socket_alone(policy, sk, &socket->node);
		announce_packet(policy, &socket->node, packet, skb);
		derives_once(policy, NULL, REL_SEND_PACKET, &socket->node, &packet->node, &detail);
	}
	return 0;
}

/*
 * Datagrams are made here, by the task that sends them: further down the way an interrupt may come in
 * between with a packet of its own, for which the kernel would skip our program.
 */
SEC("fexit/__ip_make_skb")
PROBE_MARK int BPF_PROG(ip_make_skb, struct sock *sk, struct flowi4 *route, void *queue, void *cork,
	     struct sk_buff *made)
{
	if (made && is_udp(sk) && !is_seen_to(ctx))
		send_datagram(sk, made, &route->uli);
	return 0;
}

SEC("fexit/__ip6_make_skb")
PROBE_MARK int BPF_PROG(ip6_make_skb, struct sock *sk, void *queue, struct inet_cork_full *cork)
{
	__u64 made = 0;

	bpf_get_func_ret(ctx, &made); /* behind one more argument up to 6.12 at least */
	if (made && is_udp(sk) && !is_seen_to(ctx))
		send_datagram(sk, (void *)made, &cork->fl.u.ip6.uli);
	return 0;
}

/* What another socket has sent goes into the packet of a tunnel: then the two are not the same. */
SEC("fentry/__ip_local_out")
int BPF_PROG(ip_local_out, struct net *net, struct sock *sk, struct sk_buff *skb)
{
	if (sk && skb->sk == sk && is_tcp(sk))
		packs_segment(sk, skb);
	return 0;
}

/* TCP has a way of its own past __ip6_local_out. */
SEC("fentry/ip6_output")
int BPF_PROG(ip6_output, struct net *net, struct sock *sk, struct sk_buff *skb)
{
	if (sk && skb->sk == sk && is_tcp(sk))
		packs_segment(sk, skb);
	return 0;
}

/* It was peeked at. A packet has one version, and what is in a socket stays in it. */
static __always_inline bool was_received(struct prov_policy *policy, struct prov_packet *packet,
					 struct prov_node *socket)
{
	return packet->received == policy->epoch && packet->receiver == socket->id &&
	       !(policy->switches & SWITCH_REPEAT_EDGES);
}

/*
 * A datagram has been copied to the reader, which does this itself. What nobody reads goes nowhere.
 * `length` is negative for one that was only peeked at.
 */
SEC("fentry/skb_consume_udp")
int PROBE(skb_consume_udp, struct sock *sk, struct sk_buff *skb, int length)
{
	struct prov_packet *packet;
	struct prov_socket *socket;
	struct prov_scene scene;

	if (!length || !current_scene(&scene))
		return 0;
	packet = received_packet(scene.policy, sk, skb, 0);
	socket = socket_state(sk);
	if (!packet || !socket)
		return 0;
	takes_part(&scene, &socket->node); /* either of the two may be what is tracked */
	if (takes_part(&scene, &packet->node) && socket_node(&scene, sk)) {
		struct prov_detail detail = PACKET_DETAIL(kind_of_packet(packet), NODE_SOCKET,
							  OUTCOME_DONE);

		announce_packet(scene.policy, &socket->node, packet, skb);
		if (was_received(scene.policy, packet, &socket->node) ||
		    !derives_once(scene.policy, scene.task, REL_RECEIVE_PACKET, &packet->node,
				  &socket->node, &detail))
			return 0;
		packet->receiver = socket->node.id;
		packet->received = scene.policy->epoch;
	}
	return 0;
}

/* In an interrupt: no task acts. The segment may still turn out to be a repetition. */
static __noinline int receive_segment(struct sock *sk, struct sk_buff *skb)
{
	struct prov_policy *policy = current_policy();
	struct prov_packet *packet;
	struct prov_socket *socket;
	__u32 payload;

	if (!sk || !skb || !are_segments_wanted(policy))
		return 0;
	socket = socket_state(sk);
	if (!socket || !wants_segments(policy, &socket->node))
		return 0;
	payload = payload_of(skb, FIELD(skb, len));
	if (!payload)
		return 0;
	packet = received_packet(policy, sk, skb, payload);
	if (packet && !(packet->node.marks & MARKS_OPAQUE)) {
		struct prov_detail detail = PACKET_DETAIL(kind_of_packet(packet), NODE_SOCKET,
							  OUTCOME_AT_HOOK);

		announce_socket_alone(policy, sk, &socket->node);
		announce_packet(policy, &socket->node, packet, skb);
		derives_once(policy, NULL, REL_RECEIVE_PACKET, &packet->node, &socket->node,
			     &detail);
	}
	return 0;
}

SEC("lsm/socket_sock_rcv_skb")
int BPF_PROG(socket_sock_rcv_skb, struct sock *sk, struct sk_buff *skb, int ret)
{
	if (!ret && is_tcp(sk))
		receive_segment(sk, skb);
	return ret;
}
