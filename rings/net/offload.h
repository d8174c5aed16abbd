// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What guests leave to the network card: sums, and cutting up.
 *
 * Concept: a frame between guests stays as it was sent (struct net_offload). Whoever needs it as it would be on a wire
 * gets that as bytes, and the frame stays what it is: one packet of a GSO frame after the other, or the one that it is,
 * with all sums filled in.
 *
 *      | Ethernet, IP, TCP | 1448 | 1448 | 700 |  -->  | headers | 1448 |  | headers' | 1448 |  | headers'' | 700 |
 *
 * In each: length, IP identification, TCP sequence number and flags, and the sums.
 *
 * Corresponds to Linux's skb_checksum_setup() and skb_gso_segment().
 */
#ifndef RINGS_NET_OFFLOAD_H
#define RINGS_NET_OFFLOAD_H

#include "rings/net/frame.h"

/* Where headers are in a frame that has all of a TCP or UDP header. */
struct net_headers {
    bool v6;
    uint8_t protocol;    /* 6 TCP, 17 UDP */
    unsigned int ip;     /* offset of its header */
    unsigned int l4;     /* of the TCP or UDP header */
    unsigned int data;   /* behind it */
    unsigned int l4_end; /* of what it is about, as IP says; at most the frame's */
};

/* False: it has none, not all of them, or is a fragment of a packet. */
bool net_headers_find(const struct net_frame *f, struct net_headers *h);

/* What its sender says of it makes sense: sums and cutting up can be done. */
bool net_offload_ok(const struct net_frame *f);

/* How many packets it is on a wire. */
unsigned int net_plain_count(const struct net_frame *f);
/* Packet i of them, with its sums: how many bytes it has. */
size_t net_plain(const struct net_frame *f, unsigned int i, uint8_t buf[NET_FRAME_MAX]);

#endif
