// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ethernet frames on their way through dom0.
 *
 * Concept: a frame's bytes lie in machine frames of the domain that carries it, where GNTTABOP_copy can put them and
 * get them from; they are never moved. With them goes what a network card would be told of it: that the sum of bytes
 * in its TCP or UDP header is not filled in yet, and that it is really several (GSO: one long TCP segment that is to be
 * cut up where the path gets narrow). Between two guests neither need ever be done.
 *
 *      struct net_frame --page[0]--> 4096 bytes: Ethernet header, IP, TCP, data
 *           len         --page[1]--> ...
 *           refs             a frame that goes to several ports is the same frame in all of their queues
 *
 * Invariants: whoever has a reference may read it; nobody writes it any more once it is sent (bridge_send()).
 *
 * Corresponds to Linux's struct sk_buff, as far as a bridge needs one.
 */
#ifndef RINGS_NET_FRAME_H
#define RINGS_NET_FRAME_H

#include "vcpu/noun/domain.h"

#define NET_FRAME_MAX  65535u /* bytes: what io/netif.h can say */
#define NET_FRAME_MIN  14u    /* an Ethernet header */
#define NET_PAGES_MAX  16u
#define NET_POOL_PAGES 64u
#define NET_MAC_SIZE   6u

/* Where machine frames come from: some are kept for the next network frame. */
struct net_pool {
    struct vcpu *v;
    void *page[NET_POOL_PAGES];
    unsigned int nr;
    uint64_t in_use, refused; /* pages that frames have; frames that there was no memory for */
};

struct net_offload {
    bool csum_blank;   /* the TCP or UDP sum covers the pseudo header only */
    bool csum_valid;   /* it is right, or the bytes have not left memory since it would have been */
    uint8_t gso_type;  /* XEN_NETIF_GSO_TYPE_* */
    uint16_t gso_size; /* bytes of TCP data in each segment */
};

struct net_frame {
    struct net_pool *pool;
    unsigned int refs, len;
    struct net_offload offload;
    uint8_t *page[NET_PAGES_MAX];
};

/* The pool of v's domain, whose hypercalls it makes. */
void net_pool_init(struct net_pool *p, struct vcpu *v);
/* No frame of it is left. */
void net_pool_end(struct net_pool *p);

/* A frame of len bytes, at most NET_FRAME_MAX, as they happen to be. NULL: no memory. */
struct net_frame *net_frame_alloc(struct net_pool *p, size_t len);
/* A further reference, and one less. */
struct net_frame *net_frame_get(struct net_frame *f);
void net_frame_put(struct net_frame *f);

/* Bytes [at, at + len) of it, which it has. */
void net_frame_read(const struct net_frame *f, size_t at, void *buf, size_t len);
void net_frame_write(struct net_frame *f, size_t at, const void *buf, size_t len);

#endif
