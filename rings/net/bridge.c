// SPDX-License-Identifier: GPL-2.0-or-later
/* A bridge: the idea is in rings/net/bridge.h. */
#include "rings/net/bridge.h"

#include <string.h>

/* What becomes of a frame at p. */
static void tell(const struct bridge_port *p, enum trace_net_op op, const struct net_frame *f)
{
    TRACE_TEXT_BY(p->bridge->pool->v->domain->xen->machine, net_frame, trace_who(p->domid, 0), p->name, strlen(p->name),
                  p->domid, op, f->len, p->nr);
}

static s_time_t now(const struct bridge *b) { return NOW(b->pool->v->domain->xen); }

void bridges_init(struct bridges *all, struct vcpu *v)
{
    all->first = NULL;
    net_pool_init(&all->pool, v);
}

void bridges_end(struct bridges *all)
{
    while (all->first) {
        struct bridge *b = all->first;

        BUG_ON(b->ports);
        all->first = b->next;
        xfree(b);
    }
    net_pool_end(&all->pool);
}

struct bridge *bridge_get(struct bridges *all, const char *name)
{
    struct bridge **at = &all->first, *b;

    while (*at && strcmp((*at)->name, name))
        at = &(*at)->next;
    if (*at)
        return *at;
    b = xzalloc(all->pool.v->domain->xen->machine->arena, struct bridge);
    if (!b)
        return NULL;
    strncpy(b->name, name, sizeof(b->name) - 1);
    b->pool = &all->pool;
    for (unsigned int i = 0; i < BRIDGE_MACS; i++)
        b->mac[i].next = i + 1 < BRIDGE_MACS ? (uint16_t)(i + 2) : 0;
    b->free = 1;
    *at = b;
    return b;
}

/* --- the table --- */

static uint16_t *bucket_of(struct bridge *b, const uint8_t mac[NET_MAC_SIZE])
{
    uint32_t hash = UINT32_C(0x811c9dc5); /* FNV-1a */

    for (unsigned int i = 0; i < NET_MAC_SIZE; i++)
        hash = (hash ^ mac[i]) * UINT32_C(0x01000193);
    return &b->bucket[(hash ^ hash >> 16) % ARRAY_SIZE(b->bucket)];
}

/* What says which entry it is: 0 there: none. */
static uint16_t *link_of(struct bridge *b, const uint8_t mac[NET_MAC_SIZE])
{
    uint16_t *link = bucket_of(b, mac);

    while (*link && memcmp(b->mac[*link - 1].addr, mac, NET_MAC_SIZE))
        link = &b->mac[*link - 1].next;
    return link;
}

static void mac_forget(struct bridge *b, struct bridge_mac *m)
{
    uint16_t *link = link_of(b, m->addr);

    *link = m->next;
    m->port->nr_macs--;
    b->nr_macs--;
    m->port = NULL;
    m->next = b->free;
    b->free = (uint16_t)(m - b->mac + 1);
}

/* The table is full. */
static void mac_evict(struct bridge *b)
{
    const struct bridge_port *most = b->ports;
    struct bridge_mac *oldest = NULL;

    for (const struct bridge_port *p = b->ports; p; p = p->next)
        if (p->nr_macs > most->nr_macs)
            most = p;
    for (unsigned int i = 0; i < BRIDGE_MACS; i++)
        if (b->mac[i].port == most && (!oldest || b->mac[i].heard < oldest->heard))
            oldest = &b->mac[i];
    mac_forget(b, oldest);
}

static void learn(struct bridge *b, const uint8_t mac[NET_MAC_SIZE], struct bridge_port *p)
{
    uint16_t *link = link_of(b, mac);
    struct bridge_mac *m;

    if (*link) {
        m = &b->mac[*link - 1];
        m->port->nr_macs--;
    } else {
        if (!b->free)
            mac_evict(b);
        link = bucket_of(b, mac);
        m = &b->mac[b->free - 1];
        b->free = m->next;
        m->next = *link;
        memcpy(m->addr, mac, NET_MAC_SIZE);
        *link = (uint16_t)(m - b->mac + 1);
        b->nr_macs++;
    }
    p->nr_macs++;
    m->port = p;
    m->heard = now(b);
}

struct bridge_port *bridge_find(const struct bridge *b, const uint8_t mac[NET_MAC_SIZE])
{
    const uint16_t at = *link_of((struct bridge *)(uintptr_t)b, mac);

    return at && now(b) - b->mac[at - 1].heard < BRIDGE_AGE ? b->mac[at - 1].port : NULL;
}

/* --- ports --- */

void bridge_port_add(struct bridge *b, struct bridge_port *p)
{
    struct bridge_port **at = &b->ports;

    while (*at)
        at = &(*at)->next;
    p->bridge = b;
    p->next = NULL;
    p->first = p->nr = p->nr_macs = 0;
    *at = p;
    b->nr_ports++;
}

void bridge_port_remove(struct bridge_port *p)
{
    struct bridge *b = p->bridge;
    struct bridge_port **at;

    if (!b)
        return;
    for (unsigned int i = 0; i < BRIDGE_MACS && p->nr_macs; i++)
        if (b->mac[i].port == p)
            mac_forget(b, &b->mac[i]);
    for (; p->nr; p->nr--, p->first = (p->first + 1) % BRIDGE_QUEUE)
        net_frame_put(p->queue[p->first]);
    for (at = &b->ports; *at != p;)
        at = &(*at)->next;
    *at = p->next;
    b->nr_ports--;
    p->bridge = NULL;
}

/* Into p's queue. */
static unsigned int put(struct bridge_port *p, struct net_frame *f)
{
    if (p->ops->wants && !p->ops->wants(p, f)) {
        p->stats.unwanted++;
        tell(p, TRACE_NET_UNWANTED, f);
        return 0;
    }
    if (p->nr == BRIDGE_QUEUE) {
        p->stats.dropped++;
        tell(p, TRACE_NET_DROPPED, f);
        return 1;
    }
    p->queue[(p->first + p->nr++) % BRIDGE_QUEUE] = net_frame_get(f);
    if (p->nr == BRIDGE_QUEUE)
        p->full_since = now(p->bridge);
    if (p->nr > p->stats.most)
        p->stats.most = p->nr;
    p->ops->arrived(p);
    return 1;
}

/* What bridges never pass on (IEEE 802.1D): it is for the next one. */
static bool is_for_bridges(const uint8_t mac[NET_MAC_SIZE])
{
    static const uint8_t reserved[] = { 0x01, 0x80, 0xc2, 0, 0 };

    return !memcmp(mac, reserved, sizeof(reserved)) && mac[5] < 0x10;
}

static unsigned int forward(struct bridge_port *p, struct net_frame *f)
{
    struct bridge *b = p->bridge;
    uint8_t mac[2 * NET_MAC_SIZE]; /* destination, source */
    struct bridge_port *to = NULL;
    unsigned int nr = 0;

    net_frame_read(f, 0, mac, sizeof(mac));
    if (!(mac[NET_MAC_SIZE] & 1))
        learn(b, mac + NET_MAC_SIZE, p);
    if (is_for_bridges(mac))
        return 0;
    if (!(mac[0] & 1))
        to = bridge_find(b, mac);
    if (to)
        return to != p ? put(to, f) : 0;
    p->stats.flooded++;
    for (to = b->ports; to; to = to->next)
        if (to != p)
            nr += put(to, f);
    return nr;
}

unsigned int bridge_send(struct bridge_port *p, struct net_frame *f)
{
    unsigned int nr = 0;

    if (p->bridge && f->len >= NET_FRAME_MIN) {
        p->stats.in++;
        p->stats.in_bytes += f->len;
        tell(p, TRACE_NET_IN, f);
        if (p->tap.see)
            p->tap.see(p->tap.data, p, true, f);
        nr = forward(p, f);
    }
    p->stats.nowhere += !nr;
    net_frame_put(f);
    return nr;
}

struct net_frame *bridge_peek(const struct bridge_port *p) { return p->nr ? p->queue[p->first] : NULL; }

struct net_frame *bridge_take(struct bridge_port *p)
{
    struct net_frame *f = bridge_peek(p);

    if (!f)
        return NULL;
    p->first = (p->first + 1) % BRIDGE_QUEUE;
    p->nr--;
    p->stats.out++;
    p->stats.out_bytes += f->len;
    tell(p, TRACE_NET_OUT, f);
    if (p->tap.see)
        p->tap.see(p->tap.data, p, false, f);
    return f;
}
