// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end: which queue a frame for the front end goes to.
 *
 * Concept: all of a connection goes to one queue, so it stays in order. If the front end has said nothing, a hash of
 * the connection says which, divided by the number of queues. It may ask for a hash of its own choice by the control
 * ring (vif_ctrl.c): Toeplitz's, with a key of its own, and a table of queues to look up the hash in; then it is told
 * the hash with each frame.
 *
 * Source: public io/netif.h ("Hash types"). Corresponds to Linux's drivers/net/xen-netback/hash.c.
 */
#include "rings/net/vif.h"

#include "rings/net/offload.h"

#include <string.h>

enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_VLAN = 0x8100, ETHERTYPE_IPV6 = 0x86dd };
enum { PROTO_TCP = 6 };

static uint32_t toeplitz(const struct vif_hash *h, const uint8_t *data, unsigned int len)
{
    uint64_t window = 0; /* the key from the bit on that belongs to the next bit of data */
    unsigned int next = 0;
    uint32_t hash = 0;

    while (next < 8)
        window = window << 8 | h->key[next++];
    for (unsigned int i = 0; i < len; i++) {
        for (unsigned int bit = 0x80; bit; bit >>= 1, window <<= 1)
            if (data[i] & bit)
                hash ^= (uint32_t)(window >> 32);
        window |= next < VIF_HASH_KEY_MAX ? h->key[next++] : 0;
    }
    return hash;
}

/* Both addresses of an IP packet: where they are, and how many bytes. 0: it is none, or they are not there. */
static unsigned int addresses(const struct net_frame *f, unsigned int *at)
{
    unsigned int type_at = 12, type;
    uint8_t b[2];

    if (f->len < type_at + 2)
        return 0;
    net_frame_read(f, type_at, b, 2);
    type = (unsigned int)(b[0] << 8 | b[1]);
    if (type == ETHERTYPE_VLAN && f->len >= type_at + 6) {
        net_frame_read(f, type_at += 4, b, 2);
        type = (unsigned int)(b[0] << 8 | b[1]);
    }
    *at = type_at + 2 + (type == ETHERTYPE_IPV4 ? 12 : 8);
    if (type == ETHERTYPE_IPV4 && f->len >= *at + 8)
        return 8;
    return type == ETHERTYPE_IPV6 && f->len >= *at + 32 ? 32 : 0;
}

bool vif_hash(const struct vif *f, const struct net_frame *frame, uint8_t *type, uint32_t *hash)
{
    const struct vif_hash *h = &f->hash;
    struct net_headers headers;
    unsigned int at, nr;
    uint8_t data[36];
    bool v6;

    if (!h->toeplitz || !h->types || !(nr = addresses(frame, &at)))
        return false;
    v6 = nr == 32;
    net_frame_read(frame, at, data, nr);
    *type = v6 ? _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP : _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP;
    if (h->types >> *type & 1 && net_headers_find(frame, &headers) && headers.protocol == PROTO_TCP) {
        net_frame_read(frame, headers.l4, data + nr, 4);
        nr += 4;
    } else {
        *type = v6 ? _XEN_NETIF_CTRL_HASH_TYPE_IPV6 : _XEN_NETIF_CTRL_HASH_TYPE_IPV4;
        if (!(h->types >> *type & 1))
            return false;
    }
    *hash = toeplitz(h, data, nr);
    return true;
}

/* Of our own choice. */
static uint32_t own_hash(const struct net_frame *frame)
{
    struct net_headers h;
    uint8_t bytes[36];
    uint32_t hash = UINT32_C(0x811c9dc5); /* FNV-1a */
    unsigned int nr;

    if (!net_headers_find(frame, &h))
        return 0;
    nr = h.v6 ? 32 : 8;
    net_frame_read(frame, h.ip + (h.v6 ? 8 : 12), bytes, nr);
    net_frame_read(frame, h.l4, bytes + nr, 4);
    for (unsigned int i = 0; i < nr + 4; i++)
        hash = (hash ^ bytes[i]) * UINT32_C(0x01000193);
    return hash ^ hash >> 16;
}

struct vif_queue *vif_steer(const struct vif *f, const struct net_frame *frame)
{
    const struct vif_hash *h = &f->hash;
    uint32_t hash = 0;
    uint8_t type;

    if (f->nr_queues == 1)
        return f->queue;
    if (!h->toeplitz || !h->types)
        return &f->queue[own_hash(frame) % f->nr_queues];
    vif_hash(f, frame, &type, &hash);
    return &f->queue[h->map_size ? h->map[hash % h->map_size] : hash % f->nr_queues];
}
