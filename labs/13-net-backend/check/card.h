// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A network card that is played, from both of its sides.
 *
 * Concept: of the rings' side there are two queues at most, packets that are made up slot by slot, and buffers; on the
 * bridge's side there is a peer, a port like others, which sees what comes and sends. What either sees becomes text, in
 * which bytes are a sum.
 *
 *      slot_put() tx_show() --> [card] --> packets()          peer_send() --> [card] --> received()
 *                 answers() <--'                              buffers_put() rx_show() -->'
 *
 * Budget: a ring is two directions, and each has what is put and what is read.
 */
#ifndef LABS_13_NET_BACKEND_CHECK_CARD_H
#define LABS_13_NET_BACKEND_CHECK_CARD_H

#include "labs/kit/front.h"
#include "rings/net/vif.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/netif.h>
#include <xen/io/xenbus.h>

#define QUEUES   2u
#define TX_RING  0u /* frames of the front end: rings of queue 0, of queue 1, */
#define RX_RING  1u
#define DATA     4u /* packets, */
#define NR_DATA  10u
#define BUFFERS  14u /* and buffers */
#define NR_BUF   10u
#define SLOTS    256u
#define NO_REF   400u /* that nobody granted */
#define MS       UINT64_C(1000000)
#define TEXT     190u
#define STEP_MAX 2000u /* steps of dom0, after which it will never rest */

/* --- the scene --- */

struct queue {
    evtchn_port_t tx_port, rx_port;
    uint32_t tx_prod, tx_cons, rx_prod, rx_cons;
    unsigned int frame[SLOTS]; /* the buffer in that slot */
};

struct lab {
    struct kit_scene *k;
    struct kit_front *f;
    struct netback net;
    struct xenbus_kind kinds[2];
    struct bridge_port peer;
    struct queue q[QUEUES];
    unsigned int nr_queues;
    unsigned int queues; /* that there were before */
    bool restless;
};

/* What a card is like; all false: one queue, nothing special. */
struct card {
    bool two, split,
        plain; /* two queues; a port for each ring; a front end that takes neither pieces nor GSO nor sums */
    const char *rate;
};

static void arrived(struct bridge_port *p) { (void)p; }

static const struct bridge_port_ops peer_ops = { .kind = "lab", .arrived = arrived };

static void *begin(void)
{
    struct lab *l = calloc(1, sizeof(*l));

    if (!l)
        kit_die("not enough memory");
    l->k = kit_scene();
    l->kinds[0] = (struct xenbus_kind){ &netback, &l->net };
    l->f = kit_front(l->k, l->kinds);
    return l;
}

static void end(void *data)
{
    struct lab *l = data;

    kit_front_end(l->f);
    kit_scene_end(l->k);
    free(l);
}

static netif_tx_sring_t *tx_ring(struct lab *l, const struct queue *q)
{
    return kit_front_frame(l->f, TX_RING + 2 * (unsigned int)(q - l->q));
}

static netif_rx_sring_t *rx_ring(struct lab *l, const struct queue *q)
{
    return kit_front_frame(l->f, RX_RING + 2 * (unsigned int)(q - l->q));
}

static void node(struct lab *l, unsigned int queue, const char *name, unsigned long value)
{
    char path[64], text[32];

    snprintf(path, sizeof(path), l->nr_queues > 1 ? "queue-%u/%.40s" : "%.0u%.40s", l->nr_queues > 1 ? queue : 0, name);
    snprintf(text, sizeof(text), "%lu", value);
    kit_front_write(l->f, path, text);
}

/* Dom0 runs until it has nothing to do. */
static void run(struct lab *l)
{
    unsigned int n = 0;

    while (kit_front_step(l->f) && n++ < STEP_MAX)
        ;
    l->restless |= n >= STEP_MAX;
}

/* Frames that the front end sends: each byte says where it is. */
static void fill(struct lab *l, unsigned int i)
{
    uint8_t *page = kit_front_frame(l->f, i);

    for (unsigned int at = 0; at < PAGE_SIZE; at++)
        page[at] = (uint8_t)(i * 29 + at * 7 + at / 64);
}

/* What a front end says of itself. */
static void words(struct lab *l, const struct card *c)
{
    static const char *const can[] = { "feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6",
                                       "feature-ipv6-csum-offload" };

    for (unsigned int i = 0; i < ARRAY_SIZE(can); i++)
        kit_front_write(l->f, can[i], c->plain ? "0" : "1");
    kit_front_write(l->f, "feature-no-csum-offload", c->plain ? "1" : "0");
    kit_front_write(l->f, "request-rx-copy", "1");
    if (c->two)
        kit_front_write(l->f, "multi-queue-num-queues", "2");
    for (unsigned int i = 0; i < l->nr_queues; i++) {
        struct queue *q = &l->q[i];

        memset(tx_ring(l, q), 0, PAGE_SIZE);
        memset(rx_ring(l, q), 0, PAGE_SIZE);
        SHARED_RING_INIT(tx_ring(l, q));
        SHARED_RING_INIT(rx_ring(l, q));
        *q = (struct queue){ q->tx_port, q->rx_port, 0, 0, 0, 0, { 0 } };
        node(l, i, "tx-ring-ref", l->f->first + TX_RING + 2 * i);
        node(l, i, "rx-ring-ref", l->f->first + RX_RING + 2 * i);
        if (c->split) {
            node(l, i, "event-channel-tx", q->tx_port);
            node(l, i, "event-channel-rx", q->rx_port);
        } else {
            node(l, i, "event-channel", q->tx_port);
        }
    }
}

static void state(struct lab *l, const char *number)
{
    kit_front_write(l->f, "state", number);
    run(l);
}

static void peer_add(struct lab *l)
{
    struct bridge *b = bridge_get(&l->net.bridges, "xenbr0");

    if (!b)
        kit_die("no bridge");
    l->peer = (struct bridge_port){ .ops = &peer_ops, .name = "peer" };
    bridge_port_add(b, &l->peer);
}

/* What a card's queues are in. */
static void queues_count(void *data, const void *p, size_t size, const char *place)
{
    (void)p, (void)place;
    *(unsigned int *)data += size >= sizeof(struct vif_queue) && size <= VIF_QUEUES_MAX * sizeof(struct vif_queue) &&
                             !(size % sizeof(struct vif_queue));
}

static unsigned int queues(const struct lab *l)
{
    unsigned int nr = 0;

    arena_blocks(l->k->m->arena, queues_count, &nr);
    return nr;
}

/* A card that is there, and that its front end has not answered yet. */
static void card_begin(struct lab *l, const struct card *c)
{
    l->k->m->clock.now += (s_time_t)(1000 * MS);
    bridges_init(&l->net.bridges, native_vcpu(l->k->dom0));
    peer_add(l);
    for (unsigned int i = DATA; i < DATA + NR_DATA; i++)
        fill(l, i);
    for (unsigned int i = BUFFERS; i < BUFFERS + NR_BUF; i++)
        memset(kit_front_frame(l->f, i), 0, PAGE_SIZE);
    if (c->rate)
        kit_front_add(l->f, "vif", "bridge", "xenbr0", "rate", c->rate, NULL);
    else
        kit_front_add(l->f, "vif", "bridge", "xenbr0", NULL);
    l->nr_queues = c->two ? 2 : 1;
    l->restless = false;
    l->queues = queues(l);
    for (unsigned int i = 0; i < l->nr_queues; i++) {
        l->q[i].tx_port = i ? kit_front_port(l->f) : l->f->port;
        l->q[i].rx_port = c->split ? kit_front_port(l->f) : l->q[i].tx_port;
    }
    words(l, c);
}

static void forget_events(struct lab *l)
{
    for (unsigned int i = 0; i < l->nr_queues; i++) {
        kit_front_told_at(l->f, l->q[i].tx_port);
        kit_front_told_at(l->f, l->q[i].rx_port);
    }
}

static void card_connected(struct lab *l, const struct card *c)
{
    card_begin(l, c);
    state(l, "4");
    forget_events(l);
}

/* What is left in use is the student's; the next step has bridges of its own. */
static void card_end(struct lab *l)
{
    kit_front_remove(l->f);
    while (l->peer.nr) /* what nobody has looked at */
        net_frame_put(bridge_take(&l->peer));
    if (l->peer.bridge->nr_ports == 1 && !l->net.bridges.pool.in_use) {
        bridge_port_remove(&l->peer);
        bridges_end(&l->net.bridges);
    }
}

/* --- text --- */

struct text {
    char s[TEXT];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    t->len += (size_t)vsnprintf(t->s + t->len, sizeof(t->s) - t->len, fmt, args);
    va_end(args);
    if (t->len >= sizeof(t->s))
        t->len = sizeof(t->s) - 1;
}

static uint32_t fnv(uint32_t h, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)bytes)[i]) * 16777619u;
    return h;
}

/* --- what the front end sends --- */

/* Slots that are written, and are not shown yet. */
static void slot_put(struct lab *l, struct queue *q, const void *slot)
{
    memcpy(&tx_ring(l, q)->ring[q->tx_prod++ % SLOTS], slot, sizeof(netif_tx_request_t));
}

/* The rule of io/ring.h: only who has asked is told. */
static bool is_asked(uint32_t event, uint32_t from, uint32_t to) { return to - event < to - from; }

/* They are shown. True: the back end has asked to be told. */
static bool tx_show(struct lab *l, const struct queue *q)
{
    netif_tx_sring_t *s = tx_ring(l, q);
    const uint32_t from = s->req_prod;

    s->req_prod = q->tx_prod;
    return is_asked(s->req_event, from, q->tx_prod);
}

static void tx_send(struct lab *l, const struct queue *q)
{
    if (tx_show(l, q))
        kit_front_send_at(l->f, q->tx_port);
}

static const uint8_t our_mac[6] = { 0x02, 0, 0, 0, 0, 1 }, peer_mac[6] = { 0x02, 0, 0, 0, 0, 2 };

static void header(uint8_t *p, const uint8_t to[6], const uint8_t from[6])
{
    memcpy(p, to, 6);
    memcpy(p + 6, from, 6);
    p[12] = 0x88, p[13] = 0xb5; /* for local experiments */
}

/* TCP, of IPv4 or IPv6, of so many bytes with Ethernet's header; from a port. */
static void tcp_header(uint8_t *p, bool v6, unsigned int len, uint8_t port)
{
    const unsigned int l3 = v6 ? 40 : 20, ip_len = v6 ? len - 54 : len - 14;

    memset(p + 12, 0, 62);
    memcpy(p + 12, v6 ? (uint8_t[]){ 0x86, 0xdd, 0x60 } : (uint8_t[]){ 0x08, 0, 0x45 }, 3);
    p[v6 ? 18 : 16] = (uint8_t)(ip_len >> 8), p[v6 ? 19 : 17] = (uint8_t)ip_len;
    p[v6 ? 20 : 23] = 6;
    p[14 + l3 + 1] = port;
    p[14 + l3 + 12] = 0x50;
}

/* A packet to be sent: its slots. */
struct packet {
    netif_tx_request_t req[21];
    struct netif_extra_info extra[4];
    unsigned int nr, nr_extras;
    char text[60];
};

static void packet_put(struct lab *l, struct queue *q, const struct packet *p)
{
    for (unsigned int i = 0; i < p->nr; i++) {
        slot_put(l, q, &p->req[i]);
        for (unsigned int e = 0; !i && e < p->nr_extras; e++)
            slot_put(l, q, &p->extra[e]);
    }
}

/* Flags as they have to be for so many slots and extras. */
static void packet_flags(struct packet *p, unsigned int flags)
{
    for (unsigned int i = 0; i < p->nr; i++)
        p->req[i].flags = (uint16_t)((i ? 0 : flags) | (i + 1 < p->nr ? NETTXF_more_data : 0));
    if (p->nr_extras)
        p->req[0].flags |= NETTXF_extra_info;
    for (unsigned int i = 0; i < p->nr_extras; i++)
        p->extra[i].flags = i + 1 < p->nr_extras ? XEN_NETIF_EXTRA_FLAG_MORE : 0;
}

static uint16_t any_id(void) { return (uint16_t)(0x300 + kit_random(4)); } /* drivers use numbers again */

/* One slot, in data frame `frame`. */
static void packet_one(struct lab *l, struct packet *p, unsigned int frame, unsigned int len)
{
    *p = (struct packet){ .nr = 1 };
    p->req[0] = (netif_tx_request_t){ .gref = l->f->first + DATA + frame, .id = any_id(), .size = (uint16_t)len };
    header(kit_front_frame(l->f, DATA + frame), peer_mac, our_mac);
    snprintf(p->text, sizeof(p->text), "%u bytes", len);
}

static void gso_add(struct packet *p, unsigned int type, unsigned int size)
{
    p->extra[p->nr_extras] = (struct netif_extra_info){ .type = XEN_NETIF_EXTRA_TYPE_GSO };
    p->extra[p->nr_extras].u.gso.type = (uint8_t)type;
    p->extra[p->nr_extras++].u.gso.size = (uint16_t)size;
}

/* A right one of nr slots, whose frames are `frame` and those that follow; those of others begin at other bytes. */
static void packet_right(struct lab *l, struct packet *p, unsigned int frame, unsigned int nr)
{
    const bool tcp = kit_random(2), v6 = kit_random(2), gso = tcp && kit_random(2);
    unsigned int total = 0, size, flags = 0;
    uint8_t *head;

    packet_one(l, p, frame, 100);
    p->nr = nr;
    for (unsigned int i = 0; i < nr; i++) {
        const unsigned int offset = i ? (unsigned int)kit_random(4) * 500 : (unsigned int)kit_random(8) * 10;
        const unsigned int most = 4096 - offset;

        size = kit_random(3) ? 1 + (unsigned int)kit_random(most < 3600 ? most : 3600) : most; /* or to its very end */
        if (!i && size < 80)
            size = 80;
        p->req[i] = (netif_tx_request_t){ .gref = l->f->first + DATA + (frame + i) % NR_DATA,
                                          .offset = (uint16_t)offset,
                                          .id = any_id(),
                                          .size = (uint16_t)size };
        total += size;
    }
    if (total > 65535) {
        p->req[nr - 1].size = 1;
        for (unsigned int i = 1; i + 1 < nr; i++)
            p->req[i].size = p->req[i].offset % 3 + 3000u < 4096u - p->req[i].offset ? 3000 : 2000;
        total = 0;
        for (unsigned int i = 0; i < nr; i++)
            total += p->req[i].size;
    }
    p->req[0].size = (uint16_t)total; /* the first says how many there are in all */
    head = (uint8_t *)kit_front_frame(l->f, DATA + frame) + p->req[0].offset;
    header(head, peer_mac, our_mac);
    if (tcp)
        tcp_header(head, v6, total, 1);
    if (gso)
        gso_add(p, v6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4, 500 + (unsigned int)kit_random(1000));
    for (unsigned int i = (unsigned int)kit_random(6); i < 3; i++)
        p->extra[p->nr_extras++].type = XEN_NETIF_EXTRA_TYPE_HASH;
    if (tcp)
        flags = gso || kit_random(2) ? NETTXF_csum_blank : kit_random(2) ? NETTXF_data_validated : 0;
    packet_flags(p, flags);
    if (nr > 1 && !kit_random(4))
        p->req[1 + kit_random(nr - 1)].flags |= NETTXF_extra_info; /* only the first one's counts */
    snprintf(p->text, sizeof(p->text), "%u bytes in %u+%u slots%s%s", total, nr, p->nr_extras, gso ? ", GSO" : "",
             flags & NETTXF_csum_blank ? ", no sum" : "");
}

/* Answers that have come: ring slot by ring slot. How many. */
static unsigned int answers(struct lab *l, struct queue *q, struct text *t)
{
    const netif_tx_sring_t *s = tx_ring(l, q);
    uint32_t nr = s->rsp_prod - q->tx_cons, h = 0;

    if (nr > SLOTS) {
        say(t, "%u answers", nr);
        return nr;
    }
    for (uint32_t i = 0; i < nr; i++, q->tx_cons++) {
        const netif_tx_response_t rsp = s->ring[q->tx_cons % SLOTS].rsp;

        if (i < 16 && rsp.status == NETIF_RSP_NULL)
            say(t, "%sextra", i ? " " : "");
        else if (i < 16)
            say(t, "%s%x:%d", i ? " " : "", rsp.id, rsp.status);
        h = fnv(h, &rsp.status, sizeof(rsp.status));
        h = rsp.status == NETIF_RSP_NULL ? h : fnv(h, &rsp.id, sizeof(rsp.id));
    }
    if (nr > 16)
        say(t, " ... %u in all, %08x", nr, h);
    if (!nr)
        say(t, "none");
    return nr;
}

/* Packets that have come to the bridge. How many. */
static unsigned int packets(struct lab *l, struct text *t)
{
    static uint8_t bytes[NET_FRAME_MAX];
    struct net_frame *f;
    unsigned int nr = 0;
    uint32_t all = 0;

    while ((f = bridge_take(&l->peer))) {
        const struct net_offload *o = &f->offload;
        uint32_t h;

        net_frame_read(f, 0, bytes, f->len);
        h = fnv(2166136261u, bytes, f->len);
        all = fnv(all, &h, sizeof(h));
        if (nr < 5)
            say(t, "%s%u/%04x%s%s", nr ? ", " : "", f->len, h & 0xffff, o->csum_blank ? " no sum" : "",
                o->csum_valid ? " valid" : "");
        if (nr < 5 && o->gso_type)
            say(t, " GSO %u %u", o->gso_type, o->gso_size);
        nr++;
        net_frame_put(f);
    }
    if (nr > 5)
        say(t, " ... %u in all, %08x", nr, all);
    if (!nr)
        say(t, "none");
    return nr;
}

static unsigned int fact_packets(struct lab *l, const char *property, const char *when)
{
    struct text t = { .len = 0 };
    const unsigned int nr = packets(l, &t);

    kit_fact(property, "%s: %s", when, nr || t.len ? t.s : "none");
    return nr;
}

static unsigned int fact_answers(struct lab *l, struct queue *q, const char *property, const char *when)
{
    struct text t = { .len = 0 };
    const unsigned int nr = answers(l, q, &t);

    kit_fact(property, "%s: %s", when, t.s);
    return nr;
}

/* It rests, and of what was done no frame is left. */
static void fact_rests(struct lab *l)
{
    while (l->peer.nr)
        net_frame_put(bridge_take(&l->peer));
    kit_fact("held", "%" PRIu64 " pages are in use", l->net.bridges.pool.in_use);
    kit_fact("sleeps", "%s", l->restless ? "the back end never rests" : "the back end rests");
}

/* --- what the front end is sent --- */

/* Buffers that are there, and are not shown yet: frames in turn, each with an id of its own. */
static void buffers_put(struct lab *l, struct queue *q, unsigned int nr)
{
    for (; nr; nr--, q->rx_prod++) {
        const unsigned int frame = BUFFERS + (q->rx_prod + (q == l->q ? 0 : NR_BUF / 2)) % NR_BUF;

        q->frame[q->rx_prod % SLOTS] = frame;
        rx_ring(l, q)->ring[q->rx_prod % SLOTS].req =
            (netif_rx_request_t){ .id = (uint16_t)(0x700 + q->rx_prod * 3 % 100), .gref = l->f->first + frame };
    }
}

static bool rx_show(struct lab *l, const struct queue *q)
{
    netif_rx_sring_t *s = rx_ring(l, q);
    const uint32_t from = s->req_prod;

    s->req_prod = q->rx_prod;
    return is_asked(s->req_event, from, q->rx_prod);
}

static void rx_send(struct lab *l, struct queue *q, unsigned int nr)
{
    buffers_put(l, q, nr);
    if (rx_show(l, q))
        kit_front_send_at(l->f, q->rx_port);
}

/* The peer sends: what is it, with a number in it. */
static void peer_send(struct lab *l, unsigned int len, struct net_offload o, bool v6, uint8_t number)
{
    static uint8_t bytes[NET_FRAME_MAX];
    struct net_frame *f = net_frame_alloc(&l->net.bridges.pool, len);

    if (!f)
        kit_die("no memory");
    for (unsigned int i = 0; i < len; i++)
        bytes[i] = (uint8_t)(number + i * 3 + i / 256);
    header(bytes, our_mac, peer_mac);
    if (o.gso_type || o.csum_blank)
        tcp_header(bytes, v6, len, number);
    else
        bytes[14] = number;
    net_frame_write(f, 0, bytes, len);
    f->offload = o;
    bridge_send(&l->peer, f);
}

/* Any frame; how many buffers it takes. */
static unsigned int peer_send_any(struct lab *l, unsigned int most, uint8_t number, struct text *t)
{
    const bool v6 = kit_random(2), tcp = kit_random(3), gso = tcp && kit_random(2);
    const unsigned int whole = most > gso ? most - gso : 1, nr = 1 + (unsigned int)kit_random(whole < 4 ? whole : 4);
    const unsigned int len = kit_random(3) ? (nr - 1) * 4096 + 80 + (unsigned int)kit_random(4016) : nr * 4096;
    struct net_offload o = { .csum_blank = gso || (tcp && kit_random(2)) };

    o.csum_valid = o.csum_blank || kit_random(2);
    if (gso && most > 1) {
        o.gso_type = v6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
        o.gso_size = (uint16_t)(700 + kit_random(700));
    }
    peer_send(l, len, o, v6, number);
    say(t, "%s%u bytes%s%s", t->len ? ", " : "", len, o.gso_type ? " GSO" : "", o.csum_blank ? " no sum" : "");
    return nr + (o.gso_type != 0);
}

/* Answers that have come to buffers, and what is in these. How many. */
static unsigned int received(struct lab *l, struct queue *q, struct text *t)
{
    const netif_rx_sring_t *s = rx_ring(l, q);
    const uint32_t nr = s->rsp_prod - q->rx_cons;
    bool extra = false;
    uint32_t all = 0;

    if (nr > SLOTS) {
        say(t, "%u answers", nr);
        return nr;
    }
    for (uint32_t i = 0; i < nr; i++, q->rx_cons++) {
        const netif_rx_response_t r = s->ring[q->rx_cons % SLOTS].rsp;
        const uint8_t *page = kit_front_frame(l->f, q->frame[q->rx_cons % SLOTS]);
        struct netif_extra_info e;
        uint32_t h = 0;

        memcpy(&e, &s->ring[q->rx_cons % SLOTS], sizeof(r));
        if (extra) {
            h = fnv(0, &e, 6);
            if (i < 9)
                say(t, " + extra %u %u %u", e.type, e.u.gso.type, e.u.gso.size);
        } else {
            const unsigned int len = r.status > 0 && r.offset < PAGE_SIZE ? (unsigned int)r.status : 0;

            h = fnv(2166136261u, page + r.offset % PAGE_SIZE,
                    len < PAGE_SIZE - r.offset % PAGE_SIZE ? len : PAGE_SIZE - r.offset % PAGE_SIZE);
            h = fnv(h, &r, sizeof(r));
            if (i < 9)
                say(t, "%s%x:%d f%x/%03x", i ? ", " : "", r.id, r.status, r.flags, h & 0xfff);
        }
        all = fnv(all, &h, sizeof(h));
        extra = extra ? e.flags & XEN_NETIF_EXTRA_FLAG_MORE : r.flags & NETRXF_extra_info;
    }
    if (nr > 9)
        say(t, " ... %u in all, %08x", nr, all);
    if (!nr)
        say(t, "none");
    return nr;
}

static unsigned int fact_received(struct lab *l, struct queue *q, const char *property, const char *when)
{
    struct text t = { .len = 0 };
    const unsigned int nr = received(l, q, &t);

    kit_fact(property, "%s: %s", when, t.s);
    return nr;
}

#endif
