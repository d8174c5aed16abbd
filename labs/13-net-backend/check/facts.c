// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 13: the network back end, between a front end that is played here and a bridge with somebody else at it.
 *
 * Concept: each step is a card that has just been connected. The check is on both of its sides: it writes the rings, as
 * a driver or as somebody hostile, and it is another port of the bridge, which sees what comes and sends. Looked at is
 * what either can see: answers, packets, buffers, events; and when the card ends, what is left in use.
 *
 * Budget: packets to be made up, right and wrong, and then a kind of step for each thing to be looked at.
 */
#include "labs/kit/front.h"
#include "labs/kit/stores.h"
#include "rings/net/netback.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/netif.h>
#include <xen/io/xenbus.h>

#define STEPS    200
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

static void fact_rests(struct lab *l)
{
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

/* --- steps --- */

/* Slots have one reader, ring_pull(), which copies each byte once. */
static struct reads {
    struct lab *l;
    const uint8_t *ring[2];
    struct {
        uintptr_t at, code;
    } slot[1024];
    unsigned int nr;
    bool twice;
} reads;

static void read_seen(void *data, const void *place, bool write, uintptr_t code)
{
    struct reads *r = data;
    const uint8_t *at = place, *ring = at >= r->ring[0] && at < r->ring[0] + PAGE_SIZE ? r->ring[0] : r->ring[1];

    if (write || at < ring + 64 || at >= ring + PAGE_SIZE)
        return;
    for (unsigned int i = 0; i < r->nr; i++)
        r->twice |= r->slot[i].at == (uintptr_t)at && r->slot[i].code == code;
    if (r->nr < ARRAY_SIZE(r->slot)) {
        r->slot[r->nr].at = (uintptr_t)at, r->slot[r->nr++].code = code;
        r->twice |= code - r->slot[0].code + 4096 > 8192;
    }
}

static void run_reads(void *data) { run(((struct reads *)data)->l); }

/* Dom0 runs; how it reads slots is looked at: see fact_once(). */
static void run_watched(struct lab *l)
{
    void *const places[] = { tx_ring(l, l->q), rx_ring(l, l->q) };

    reads = (struct reads){ .l = l, .ring = { places[0], places[1] } };
    kit_accesses(places, ARRAY_SIZE(places), run_reads, read_seen, &reads);
}

static void fact_once(void)
{
    kit_fact("once", "%s",
             reads.twice ? "a slot is read a second time, and may be another by then"
                         : "what the front end may change is read once");
}

/* Right packets, at once. */
static void step_packets(struct lab *l)
{
    const bool large = !kit_random(4);
    const unsigned int nr = 1 + (unsigned int)kit_random(5);
    struct packet p;
    struct text t = { .len = 0 };
    unsigned int frame = 0;

    card_connected(l, &(struct card){ .split = kit_random(2) });
    for (unsigned int i = 0; i < nr && (large || frame + 4 <= NR_DATA); i++) {
        const unsigned int slots = large ? 12 + (unsigned int)kit_random(7) : 1 + (unsigned int)kit_random(4);

        packet_right(l, &p, large ? i : frame, slots);
        packet_put(l, l->q, &p);
        frame += slots;
        say(&t, "%s%s", i ? "; " : "", p.text);
    }
    kit_step("packets: %s", t.s);
    tx_send(l, l->q);
    run_watched(l);
    fact_packets(l, "packets", "at the bridge");
    fact_answers(l, l->q, "answers", "answers");
    kit_fact("told", "of the first answer it is %stold", kit_front_told_at(l->f, l->q->tx_port) ? "" : "not ");
    fact_once();
    fact_rests(l);
    card_end(l);
}

/* A packet whose end comes later. */
static void step_half(struct lab *l)
{
    const unsigned int nr = 2 + (unsigned int)kit_random(5), rest = 1 + (unsigned int)kit_random(nr - 1);
    const struct net_offload none = { 0 };
    struct packet p;

    card_connected(l, &(struct card){ 0 });
    packet_right(l, &p, 0, nr);
    kit_step("%s, of which the last %u come later", p.text, rest);
    packet_put(l, l->q, &p);
    l->q->tx_prod -= rest;
    tx_send(l, l->q);
    run(l);
    fact_packets(l, "packets", "of a half");
    fact_answers(l, l->q, "answers", "to a half");
    peer_send(l, 100, none, false, 1);
    rx_send(l, l->q, 2);
    run(l);
    fact_received(l, l->q, "waits", "meanwhile it is sent");
    l->q->tx_prod += rest;
    tx_send(l, l->q);
    run(l);
    kit_fact("sleeps", "the rest: %s", tx_ring(l, l->q)->rsp_prod == l->q->tx_prod ? "is seen" : "is not seen");
    fact_packets(l, "packets", "of the whole");
    fact_answers(l, l->q, "answers", "to the whole");
    card_end(l);
}

/* Wrong ones, in one thing; the card goes on. */
static void hostile(struct lab *l, struct packet *p)
{
    static const char *const what[] = {
        "of no bytes",
        "shorter than an Ethernet header",
        "beyond its frame by its offset",
        "beyond its frame by its size",
        "of 65535 bytes in one slot",
        "whose offset and size wrap around",
        "whose reference nobody granted",
        "whose second piece has a reference that nobody granted",
        "whose reference is beyond the table",
        "of more slots than a front end may use",
        "of which the second piece is all",
        "with a piece of no bytes",
        "whose last piece is beyond its frame",
        "cut up, of no kind",
        "cut up, of a kind that there is not",
        "cut up into pieces of no bytes",
        "cut up, with a sum",
        "cut up as IPv6, of IPv4",
        "without a sum, of what has none",
        "without a sum, whose header is cut off",
    };
    const unsigned int n = (unsigned int)kit_random(ARRAY_SIZE(what));
    uint8_t *bytes = kit_front_frame(l->f, DATA);
    unsigned int flags = 0;

    packet_one(l, p, 0, 300);
    for (unsigned int i = 1; i < ARRAY_SIZE(p->req); i++)
        p->req[i] = (netif_tx_request_t){ .gref = l->f->first + DATA + 1, .id = any_id(), .size = 10 };
    if (n >= 13 && n < 18) {
        tcp_header(bytes, false, 300, 1);
        flags = n == 16 ? 0 : NETTXF_csum_blank;
        gso_add(p, n == 13 ? 0 : n == 14 ? 3 + (unsigned int)kit_random(250) : n == 17 ? 2 : 1, n == 15 ? 0 : 100);
    }
    switch (n) {
    case 0: p->req[0].size = 0; break;
    case 1: p->req[0].size = 1 + (uint16_t)kit_random(13); break;
    case 2: p->req[0].offset = 3797 + (uint16_t)kit_random(299); break;
    case 3: p->req[0].size = 4097; break;
    case 4: p->req[0].size = 65535; break;
    case 5: p->req[0].offset = 65436, p->req[0].size = 100 + (uint16_t)kit_random(100); break;
    case 6: p->req[0].gref = NO_REF; break;
    case 7: p->nr = 2, p->req[1].gref = NO_REF; break;
    case 8: p->req[0].gref = UINT32_MAX - (uint32_t)kit_random(3); break;
    case 9: p->nr = 19 + (unsigned int)kit_random(2); break;
    case 10: p->nr = 2, p->req[1].size = 300; break;
    case 11: p->nr = 2 + (unsigned int)kit_random(3), p->req[p->nr - 1].size = 0; break;
    case 12: p->nr = 2 + (unsigned int)kit_random(3), p->req[p->nr - 1].offset = 4087; break;
    case 18: flags = NETTXF_csum_blank; break;
    case 19:
        tcp_header(bytes, false, 300, 1);
        flags = NETTXF_csum_blank, p->req[0].size = 15 + (uint16_t)kit_random(30);
        break;
    default: break;
    }
    packet_flags(p, flags);
    snprintf(p->text, sizeof(p->text), "%s", what[n]);
}

static void step_hostile(struct lab *l)
{
    struct packet wrong, right[2];

    card_connected(l, &(struct card){ 0 });
    hostile(l, &wrong);
    packet_right(l, &right[0], 4, 1);
    packet_right(l, &right[1], 6, 2);
    kit_step("a packet %s, between two right ones", wrong.text);
    packet_put(l, l->q, &right[0]);
    packet_put(l, l->q, &wrong);
    packet_put(l, l->q, &right[1]);
    tx_send(l, l->q);
    run_watched(l);
    fact_packets(l, "refused", "at the bridge");
    fact_answers(l, l->q, "refused", "answers");
    fact_once();
    card_end(l);
}

static unsigned int pins(struct lab *l)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < KIT_FRONT_FRAMES; i++)
        nr += l->k->d->grant_table->active[l->f->first + i].pin != 0;
    return nr;
}

static void fact_held(struct lab *l, const char *when)
{
    unsigned int ports = kit_front_bound(l->f, l->f->port);

    for (unsigned int i = 0; i < l->f->nr_more; i++)
        ports += kit_front_bound(l->f, l->f->more[i]);
    while (l->peer.nr)
        net_frame_put(bridge_take(&l->peer));
    kit_fact("held", "%s: %u grants, %u ports, %" PRIu64 " pages, %u at the bridge", when, pins(l), ports,
             l->net.bridges.pool.in_use, l->peer.bridge->nr_ports - 1);
}

/* What no driver does. */
static void step_ends(struct lab *l)
{
    static const char *const what[] = { "a packet of 21 slots",
                                        "pieces that are larger than the packet",
                                        "extra information of type 0",
                                        "extra information of a type that there is not",
                                        "five extra slots",
                                        "extra information without end",
                                        "packets that were never put: an index too far",
                                        "an index that goes back",
                                        "buffers that were never put: an index too far" };
    const unsigned int n = (unsigned int)kit_random(ARRAY_SIZE(what));
    const struct net_offload none = { 0 };
    char value[64];
    struct packet p;

    card_connected(l, &(struct card){ .split = kit_random(2) });
    kit_step("%s", what[n]);
    packet_one(l, &p, 0, 300);
    for (unsigned int i = 1; i < ARRAY_SIZE(p.req); i++)
        p.req[i] = (netif_tx_request_t){ .gref = l->f->first + DATA + 1, .id = any_id(), .size = 10 };
    p.nr = n == 0 ? 21 : n == 1 ? 3 : 1;
    p.nr_extras = n == 2 || n == 3 ? 1 : n == 4 || n == 5 ? 4 : 0;
    if (n == 1)
        p.req[1 + kit_random(2)].size = 291 + (uint16_t)kit_random(4000);
    for (unsigned int i = 0; i < p.nr_extras; i++)
        p.extra[i].type = (uint8_t)(n == 2 ? 0 : n == 3 ? 5 + kit_random(251) : XEN_NETIF_EXTRA_TYPE_HASH);
    packet_flags(&p, 0);
    if (n == 4 || n == 5)
        p.extra[3].flags = XEN_NETIF_EXTRA_FLAG_MORE;
    packet_put(l, l->q, &p);
    for (unsigned int i = 0; i < (n == 4 ? 1u : n == 5 ? 100u : 0u); i++) {
        p.extra[3].flags = n == 5 ? XEN_NETIF_EXTRA_FLAG_MORE : 0;
        slot_put(l, l->q, &p.extra[3]);
    }
    if (n == 8)
        peer_send(l, 100, none, false, 1);
    if (n >= 6)
        l->q->tx_prod = 0;
    if (n == 6 || n == 7)
        l->q->tx_prod = n == 7 ? -1u - (uint32_t)kit_random(3) : 257 + (uint32_t)kit_random(1u << 30);
    tx_ring(l, l->q)->req_prod = l->q->tx_prod;
    if (n == 8)
        rx_ring(l, l->q)->req_prod = 257 + (uint32_t)kit_random(1u << 30);
    kit_front_send_at(l->f, n == 8 ? l->q->rx_port : l->q->tx_port);
    run(l);
    kit_fact("ends", "%s: the back end's state is %s", what[n], kit_front_back(l->f, "state", value));
    fact_packets(l, "ends", "at the bridge");
    fact_rests(l);
    state(l, "6");
    fact_held(l, "afterwards");
    card_end(l);
}

/* Frames for the front end, which has buffers; perhaps one of these cannot be written. */
static void step_receive(struct lab *l)
{
    const struct card c = { .two = !kit_random(3), .split = kit_random(2), .plain = !kit_random(4) };
    const bool bad = !c.two && !kit_random(3);
    const unsigned int most = 1 + (unsigned int)kit_random(5);
    struct text t = { .len = 0 };
    unsigned int left = c.two ? NR_BUF / 2 : NR_BUF; /* then no frame is in both queues */

    card_connected(l, &c);
    if (bad)
        kit_front_grant(l->f, BUFFERS + (unsigned int)kit_random(3), GTF_permit_access | GTF_readonly);
    for (unsigned int i = 0; i < most && left; i++)
        left -= peer_send_any(l, left, (uint8_t)(i + 1), &t);
    kit_step("it is sent %s%s%s", t.s, c.plain ? "; it takes no pieces, no GSO, and wants sums" : "",
             bad     ? "; a buffer is read-only"
             : c.two ? "; two queues"
                     : "");
    for (unsigned int i = 0; i < l->nr_queues; i++)
        rx_send(l, &l->q[i], NR_BUF);
    run_watched(l);
    for (unsigned int i = 0; i < l->nr_queues; i++)
        fact_received(l, &l->q[i], "received", i ? "buffers of queue 1" : "buffers");
    for (unsigned int i = 0; i < l->nr_queues; i++)
        kit_fact("told", "of the first frame it is %stold", kit_front_told_at(l->f, l->q[i].rx_port) ? "" : "not ");
    fact_once();
    fact_rests(l);
    card_end(l);
}

/* Frames that wait until there are buffers for them, which come a few at a time. */
static void step_room(struct lab *l)
{
    struct text t = { .len = 0 };
    unsigned int left = NR_BUF, frames = 1 + (unsigned int)kit_random(3), given = 0;

    card_connected(l, &(struct card){ .split = kit_random(2) });
    for (unsigned int i = 0; i < frames && left; i++)
        left -= peer_send_any(l, left, (uint8_t)(i + 1), &t);
    kit_step("it is sent %s, and has no buffers but one at a time", t.s);
    for (unsigned int i = 0; i < NR_BUF; i++) {
        char when[40];

        uint32_t nr;

        rx_send(l, l->q, 1);
        run(l);
        nr = rx_ring(l, l->q)->rsp_prod;
        kit_front_send_at(l->f, l->q->rx_port); /* nobody has asked for that */
        run(l);
        snprintf(when, sizeof(when), "with %u", ++given);
        kit_fact("sleeps", "%s: %u more when it is told unasked", when, rx_ring(l, l->q)->rsp_prod - nr);
        fact_received(l, l->q, "waits", when);
    }
    fact_rests(l);
    card_end(l);
}

/* A front end that takes nothing for long: it sends all the same, and then gets what the bridge has kept. */
static void step_stalled(struct lab *l)
{
    const unsigned int nr = 20 + (unsigned int)kit_random(280);
    const struct net_offload none = { 0 };
    unsigned int got = 0;
    uint32_t order = 0;
    struct packet p;

    card_connected(l, &(struct card){ .split = kit_random(2) });
    kit_step("it is sent %u frames while it has no buffers", nr);
    for (unsigned int i = 0; i < nr; i++) {
        peer_send(l, 60 + i % 7, none, false, (uint8_t)i);
        if (i % 10 == 9)
            run(l);
    }
    packet_right(l, &p, 0, 3);
    packet_put(l, l->q, &p);
    tx_send(l, l->q);
    run(l);
    fact_packets(l, "waits", "it sends meanwhile");
    for (unsigned int i = 0; i < (nr + 9) / 10; i++) {
        struct text t = { .len = 0 };

        rx_send(l, l->q, NR_BUF);
        run(l);
        got += received(l, l->q, &t);
        order = fnv(order, t.s, t.len);
    }
    kit_fact("waits", "it gets %u of them in the end, %08x", got, order);
    fact_rests(l);
    card_end(l);
}

/* More than fits a step, in all rings of two queues. */
static void step_budget(struct lab *l)
{
    const unsigned int nr = 30 + (unsigned int)kit_random(200), frames = 20 + (unsigned int)kit_random(200);
    const struct net_offload none = { 0 };
    static const char *const name[] = { "of queue 0", "of queue 1", "for it" };
    bool over[3] = { false }, passed[3] = { false };
    uint32_t was[3] = { 0 };

    card_connected(l, &(struct card){ .two = true });
    kit_step("%u packets in each of two queues, and %u frames for it", nr, frames);
    for (unsigned int i = 0; i < frames; i++)
        peer_send(l, 60, none, false, (uint8_t)i);
    for (unsigned int i = 0; i < 2; i++) {
        struct packet p;

        packet_one(l, &p, i, 60 + i);
        for (unsigned int n = 0; n < nr; n++)
            packet_put(l, &l->q[i], &p);
        buffers_put(l, &l->q[i], 250);
        rx_show(l, &l->q[i]);
        tx_send(l, &l->q[i]);
    }
    for (unsigned int n = 0; n < STEP_MAX && kit_front_step(l->f); n++) {
        const uint32_t now[3] = { tx_ring(l, &l->q[0])->rsp_prod, tx_ring(l, &l->q[1])->rsp_prod,
                                  rx_ring(l, &l->q[0])->rsp_prod + rx_ring(l, &l->q[1])->rsp_prod };
        const unsigned int most[3] = { nr, nr, frames };
        bool moved = false;

        for (unsigned int i = 0; i < 3; i++)
            moved |= now[i] != was[i];
        for (unsigned int i = 0; i < 3; i++) {
            over[i] |= now[i] - was[i] > NATIVE_STEP_BUDGET;
            passed[i] |= moved && now[i] == was[i] && was[i] < most[i];
        }
        memcpy(was, now, sizeof(was));
    }
    for (unsigned int i = 0; i < 3; i++)
        kit_fact("budget", "packets %s: %s", name[i],
                 over[i]     ? "more than 16 in a step"
                 : passed[i] ? "none in a step that does something else"
                             : "1 to 16 in each step, until there are no more");
    kit_fact("budget", "in the end %u and %u packets, %u frames", was[0], was[1], was[2]);
    card_end(l);
}

/* The toolstack has said how much. */
static void step_rate(struct lab *l)
{
    const unsigned int bytes = 1000 + (unsigned int)kit_random(4) * 1000, ms = 5 + (unsigned int)kit_random(3) * 5;
    const unsigned int len = 500 + (unsigned int)kit_random(1000);
    const struct net_offload none = { 0 };
    char rate[32], when[40];
    struct packet p;

    snprintf(rate, sizeof(rate), "%u,%u", bytes, ms * 1000);
    card_connected(l, &(struct card){ .rate = rate });
    kit_step("20 packets of %u bytes, at a rate of %u bytes in %u ms", len, bytes, ms);
    packet_one(l, &p, 0, len);
    for (unsigned int i = 0; i < 20; i++)
        packet_put(l, l->q, &p);
    tx_send(l, l->q);
    run(l);
    peer_send(l, 100, none, false, 1);
    rx_send(l, l->q, 2);
    run(l);
    fact_received(l, l->q, "waits", "meanwhile it is sent");
    for (unsigned int i = 0; i < 12; i++) {
        snprintf(when, sizeof(when), "after %u intervals", i);
        fact_packets(l, "rate", when);
        kit_front_pass(l->f, ms * MS);
    }
    fact_answers(l, l->q, "rate", "answers then");
    card_end(l);
}

/* Events that the front end is sent: each is a store to the word that has its port's bit, set before or not. */
struct events {
    struct lab *l;
    const void *word;
    unsigned int nr;
};

static void event_seen(void *data, const void *place, bool write, uintptr_t code)
{
    struct events *e = data;

    (void)code;
    e->nr += write && (uintptr_t)place / 8 == (uintptr_t)e->word / 8;
}

static void run_events(void *data) { run(((struct events *)data)->l); }

/* Rings that run on: who sleeps is woken, who is told has asked for it, and copies are made together. */
static void step_long(struct lab *l)
{
    const unsigned int rounds = 3 + (unsigned int)kit_random(4), most = 1 + (unsigned int)kit_random(60);
    const bool each = kit_random(2), split = kit_random(2), both = kit_random(2);
    shared_info_t *info = (shared_info_t *)l->k->d->shared_info;
    const uint64_t *copies = &l->k->xen->stats.hypercalls[__HYPERVISOR_grant_table_op];
    const struct net_offload none = { 0 };
    struct events e = { .l = l };
    void *const shared = info;
    struct queue *q = l->q;
    uint64_t before;

    card_connected(l, &(struct card){ .split = split });
    kit_step("%u rounds of %u packets%s, %s; it wants to be told of the %s answer", rounds, most,
             both ? " both ways" : "", split ? "two ports" : "one port", each ? "first" : "last");
    e.word = &info->evtchn_pending[q->tx_port / 64];
    before = *copies;
    for (unsigned int r = 0; r < rounds; r++) {
        struct packet p;
        char when[40];

        tx_ring(l, q)->rsp_event = q->tx_cons + (each ? 1 : most);
        rx_ring(l, q)->rsp_event = q->rx_cons + (each ? 1 : most);
        for (unsigned int i = 0; i < most; i++) {
            packet_one(l, &p, (r + i) % NR_DATA, 60 + i);
            packet_put(l, q, &p);
        }
        if (both)
            rx_send(l, q, most);
        for (unsigned int i = 0; both && i < most; i++)
            peer_send(l, 60 + i, none, false, (uint8_t)i);
        tx_send(l, q);
        kit_accesses(&shared, 1, run_events, event_seen, &e);
        snprintf(when, sizeof(when), "round %u", r + 1);
        kit_fact("sleeps", "%s: %u packets and %u buffers are answered", when, tx_ring(l, q)->rsp_prod,
                 rx_ring(l, q)->rsp_prod);
        fact_packets(l, "packets", when);
        fact_answers(l, q, "answers", when);
        fact_received(l, q, "received", when);
        kit_fact("told", "%s: %s%s", when, kit_front_told_at(l->f, q->tx_port) ? "told" : "not told",
                 !split                                ? ""
                 : kit_front_told_at(l->f, q->rx_port) ? ", and of buffers"
                                                       : ", and not of buffers");
    }
    /* Both rings' last answers, at one port, may be in one step or in two. */
    kit_count("notifications", both && !split && !each && e.nr <= 2 * rounds ? 0 : e.nr);
    kit_count("copies", *copies - before);
    fact_rests(l);
    card_end(l);
}

/* Something is put just when the back end has looked whether it is there. */
static struct race {
    struct lab *l;
    const void *index;
    unsigned int left; /* so many looks later */
    bool rx, asked;
} race;

static void race_seen(void *data, const void *place, bool write, uintptr_t code)
{
    struct race *r = data;

    (void)code;
    if (write || place != r->index || !r->left || --r->left)
        return;
    r->asked = r->rx ? rx_show(r->l, r->l->q) : tx_show(r->l, r->l->q);
}

static void run_race(void *data) { run(((struct race *)data)->l); }

static void step_race(struct lab *l)
{
    const bool rx = kit_random(2);
    const unsigned int look = 1 + (unsigned int)kit_random(12);
    const struct net_offload none = { 0 };
    struct queue *q = l->q;
    void *places[2];
    struct packet p[2];

    card_connected(l, &(struct card){ .split = kit_random(2) });
    kit_step(rx ? "a frame of two pages; the second buffer is put when the back end has looked %u times"
                : "a packet; a second one is put when the back end has looked %u times",
             look);
    packet_one(l, &p[0], 0, 100);
    packet_one(l, &p[1], 1, 200);
    if (rx) {
        peer_send(l, 5000, none, false, 1);
        rx_send(l, q, 1);
        buffers_put(l, q, 1);
    } else {
        packet_put(l, q, &p[0]);
        tx_send(l, q);
        packet_put(l, q, &p[1]);
    }
    places[0] = tx_ring(l, q), places[1] = rx_ring(l, q);
    race = (struct race){ l, rx ? (const void *)&rx_ring(l, q)->req_prod : (const void *)&tx_ring(l, q)->req_prod, look,
                          rx, false };
    kit_accesses(places, 2, run_race, race_seen, &race);
    if (race.left) /* it does not look as often */
        race.asked = rx ? rx_show(l, q) : tx_show(l, q);
    if (race.asked)
        kit_front_send_at(l->f, rx ? q->rx_port : q->tx_port);
    run(l);
    kit_fact("sleeps", "%u of 2 are answered", rx ? rx_ring(l, q)->rsp_prod : tx_ring(l, q)->rsp_prod);
    fact_packets(l, "packets", "at the bridge");
    fact_rests(l);
    card_end(l);
}

/* A front end goes, with something on its way; and comes again. */
static void step_goes(struct lab *l)
{
    static const char *const when[] = { "with nothing on its way", "in the middle of a packet", "with frames waiting",
                                        "with a frame half cut up", "with answers that it has not seen" };
    static const char *const how[] = { "it closes", "it closes slowly", "its directory goes", "ours goes",
                                       "its state is nonsense" };
    const unsigned int at = (unsigned int)kit_random(ARRAY_SIZE(when)), way = (unsigned int)kit_random(ARRAY_SIZE(how));
    const struct card c = { .two = kit_random(2), .split = kit_random(2), .plain = at == 3 };
    const struct net_offload none = { 0 }, gso = { true, true, XEN_NETIF_GSO_TYPE_TCPV4, 700 };
    struct packet p;

    card_connected(l, &c);
    kit_step("%s: %s; %s, %s", how[way], when[at], c.two ? "two queues" : "one queue", c.split ? "split" : "not split");
    packet_right(l, &p, 0, 3);
    packet_put(l, l->q, &p);
    l->q->tx_prod -= at == 1;
    if (at == 1 || at == 4)
        tx_send(l, l->q);
    else
        l->q->tx_prod = 0;
    if (at == 2 || at == 3)
        peer_send(l, 4000, at == 3 ? gso : none, false, 1);
    if (at == 3)
        for (unsigned int i = 0; i < l->nr_queues; i++)
            rx_send(l, &l->q[i], 1 + (unsigned int)kit_random(2));
    if (at == 2)
        peer_send(l, 100, none, false, 2);
    run(l);
    switch (way) {
    case 0: state(l, "6"); break;
    case 1: state(l, "5"); break;
    case 2: kit_front_drop(l->f, false, ""); break;
    case 3: kit_front_drop(l->f, true, ""); break;
    default: state(l, "99"); break;
    }
    run(l);
    fact_held(l, "then");
    if (way < 2) {
        state(l, "6");
        words(l, &c);
        state(l, "1");
        state(l, "4");
        for (unsigned int i = 0; i < l->nr_queues; i++)
            rx_send(l, &l->q[i], 4);
        peer_send(l, 200, none, false, 9);
        packet_one(l, &p, 5, 400);
        packet_put(l, l->q, &p);
        tx_send(l, l->q);
        run(l);
    }
    fact_packets(l, "held", "come again, it sends");
    fact_received(l, l->q, "held", "and is sent");
    card_end(l);
}

/* A front end that says something wrong of its rings or ports. */
static void step_fails(struct lab *l)
{
    static const char *const what[] = { "its first ring is not granted", "its second ring is not granted",
                                        "both rings are the same",       "there is no such port",
                                        "its second queue is not there", "its second port is not there" };
    const unsigned int n = (unsigned int)kit_random(ARRAY_SIZE(what));
    const struct card c = { .two = n == 4, .split = n == 5 };
    char value[64];

    card_begin(l, &c);
    kit_step("%s", what[n]);
    switch (n) {
    case 0: node(l, 0, "tx-ring-ref", NO_REF); break;
    case 1: node(l, 0, "rx-ring-ref", NO_REF); break;
    case 2: node(l, 0, "rx-ring-ref", l->f->first + TX_RING); break;
    case 3: node(l, 0, "event-channel", 900); break;
    case 4: kit_front_drop(l->f, false, "queue-1/tx-ring-ref"); break;
    default: node(l, 0, "event-channel-rx", 900); break;
    }
    state(l, "4");
    kit_fact("held", "the back end's state is %s", kit_front_back(l->f, "state", value));
    fact_held(l, "then");
    card_end(l);
}

/* Groups: a packet that carries nothing but a wish. */
static void step_groups(struct lab *l)
{
    const unsigned int nr = 1 + (unsigned int)kit_random(3), gone = (unsigned int)kit_random(nr);
    static const uint8_t from[6] = { 0x02, 0, 0, 0, 0, 2 };
    struct text t = { .len = 0 };

    card_begin(l, &(struct card){ 0 });
    kit_front_write(l->f, "request-multicast-control", "1");
    state(l, "4");
    kit_step("it joins %u groups, and leaves group %u", nr, gone);
    for (unsigned int i = 0; i < nr + 1; i++) {
        struct packet p;

        packet_one(l, &p, 0, kit_random(2) ? 60 : 0);
        p.nr_extras = 1;
        p.extra[0].type = i < nr ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD : XEN_NETIF_EXTRA_TYPE_MCAST_DEL;
        memcpy(p.extra[0].u.mcast.addr, (uint8_t[]){ 1, 0, 0x5e, 0, 0, (uint8_t)(i < nr ? i : gone) }, 6);
        packet_flags(&p, 0);
        packet_put(l, l->q, &p);
    }
    tx_send(l, l->q);
    run(l);
    fact_answers(l, l->q, "answers", "answers");
    fact_packets(l, "packets", "at the bridge");
    rx_send(l, l->q, NR_BUF);
    for (unsigned int i = 0; i < 4; i++) {
        struct net_frame *f = net_frame_alloc(&l->net.bridges.pool, 60 + i);
        uint8_t bytes[64] = { 0 };

        if (!f)
            kit_die("no memory");
        header(bytes, (uint8_t[]){ 1, 0, 0x5e, 0, 0, (uint8_t)i }, from);
        net_frame_write(f, 0, bytes, 60 + i);
        f->offload = (struct net_offload){ 0 };
        bridge_send(&l->peer, f);
    }
    run(l);
    received(l, l->q, &t);
    kit_fact("received", "of groups 0 to 3: %s", t.s);
    card_end(l);
}

/* Dom0 has no memory, for a while. */
static void step_memory(struct lab *l)
{
    struct vcpu *v = native_vcpu(l->k->dom0);
    const unsigned int nr = 1 + (unsigned int)kit_random(3);
    struct packet p;

    card_connected(l, &(struct card){ 0 });
    packet_right(l, &p, 0, nr);
    kit_step("%s, and there is no memory for it", p.text);
    packet_put(l, l->q, &p);
    tx_send(l, l->q);
    v->native.pooled = true; /* it has frames of its own: none */
    run(l);
    v->native.pooled = false;
    fact_answers(l, l->q, "refused", "answers");
    packet_right(l, &p, 4, 2);
    packet_put(l, l->q, &p);
    tx_send(l, l->q);
    run(l);
    fact_answers(l, l->q, "refused", "then");
    fact_packets(l, "refused", "at the bridge");
    card_end(l);
}

/* The control ring, in the frame of queue 1's: frames come with a hash then, if it has been asked for. */
static void step_ctrl(struct lab *l)
{
    const unsigned int nr = 2 + (unsigned int)kit_random(4);
    const uint32_t types = XEN_NETIF_CTRL_HASH_TYPE_IPV4 | XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP;
    const struct net_offload gso = { true, true, XEN_NETIF_GSO_TYPE_TCPV4, 900 };
    const struct xen_netif_ctrl_request q[] = {
        { .id = 5, .type = XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, .data = { 1 } },
        { .id = 6, .type = XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, .data = { types } },
        { .id = 7, .type = XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE },
        { .id = 8, .type = 99 },
        { .id = 9, .type = XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS },
    };
    uint8_t *ring = kit_front_frame(l->f, TX_RING + 2);
    netif_tx_sring_t *s = (void *)ring; /* its indices are where all rings have them */
    evtchn_port_t port;

    card_begin(l, &(struct card){ 0 });
    port = kit_front_port(l->f);
    memset(ring, 0, PAGE_SIZE);
    SHARED_RING_INIT(s);
    node(l, 0, "ctrl-ring-ref", l->f->first + TX_RING + 2);
    node(l, 0, "event-channel-ctrl", port);
    state(l, "4");
    kit_front_told_at(l->f, port);
    kit_step("%u requests by the control ring, one by one", nr);
    for (unsigned int i = 0; i < nr; i++) {
        struct xen_netif_ctrl_response rsp;

        memcpy(ring + 64 + i * sizeof(q[0]), &q[i], sizeof(q[0]));
        s->rsp_event = i + 1;
        s->req_prod = i + 1;
        if (is_asked(s->req_event, i, i + 1))
            kit_front_send_at(l->f, port);
        run(l);
        memcpy(&rsp, ring + 64 + i * sizeof(q[0]), sizeof(rsp));
        kit_fact("sleeps", "%u of %u are answered", s->rsp_prod, i + 1);
        kit_fact("answers", "%u: type %u, status %u, %u", rsp.id, rsp.type, rsp.status, rsp.data);
        kit_fact("told", "it is %stold", kit_front_told_at(l->f, port) ? "" : "not ");
    }
    peer_send(l, 5000, gso, false, 3);
    rx_send(l, l->q, 4);
    run(l);
    fact_received(l, l->q, "received", "buffers");
    state(l, "6");
    fact_held(l, "it closes");
    fact_rests(l);
    card_end(l);
}

static void step(void *data, unsigned int number)
{
    static void (*const kinds[])(struct lab *) = { step_packets, step_packets, step_packets, step_half,   step_hostile,
                                                   step_hostile, step_hostile, step_ends,    step_ends,   step_receive,
                                                   step_receive, step_room,    step_stalled, step_budget, step_rate,
                                                   step_long,    step_long,    step_race,    step_race,   step_goes,
                                                   step_goes,    step_fails,   step_groups,  step_memory, step_ctrl };

    (void)number;
    kinds[kit_random(ARRAY_SIZE(kinds))](data);
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
