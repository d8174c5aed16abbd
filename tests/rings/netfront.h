// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Network front ends that are played by a test: cards of one guest, on bridges of who serves.
 *
 * Concept: a card has pages of its own, granted one by one: two for the rings, the rest for packets. Buffers are the
 * second half of them, one after the other, so the test knows where what it is sent is.
 *
 * Budget: the store, the rings, packets.
 */
#ifndef TESTS_RINGS_NETFRONT_H
#define TESTS_RINGS_NETFRONT_H

#include "tests/rings/front.h"
#include "tests/support/random.h"

#include "mmu/grant/private.h"
#include "rings/net/netback.h"

#include <stdlib.h>
#include <xen/io/netif.h>
#include <xen/io/xenbus.h>

#define CARDS    3u
#define REFS     40u /* of one card: tx ring, rx ring, 18 pages that are sent, 20 that are received in */
#define TX_PAGE  2u
#define RX_PAGE  20u
#define RX_PAGES 20u
#define FRAME_AT 64u /* of slots in a ring's page */

struct card {
    struct scene *s;
    unsigned int devid;
    grant_ref_t first;
    mfn_t mfn[REFS];
    evtchn_port_t port, rx_port; /* the same, if they are not split */
    uint32_t tx_prod, tx_cons, rx_prod, rx_cons;
    uint16_t rx_id[256]; /* the buffer that is in a slot: extra information does not say so */
};

struct scene {
    struct fixture *f;
    struct store st;
    struct xenbus *bus;
    struct netback net;
    struct xenbus_kind kinds[2];
    struct card card[CARDS];
};

/* --- the store --- */

static inline void write_node(struct scene *s, const char *path, const char *value)
{
    store_write(&s->st, path, value);
}

static inline const char *read_node(struct scene *s, const char *path, char value[64])
{
    return store_read(&s->st, path, value);
}

static inline const char *front_path(const struct card *c, const char *node)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/device/vif/%u/%s", c->s->st.own, c->devid, node);
    path[strlen(path) - !*node] = 0;
    return path;
}

static inline const char *back_path(const struct card *c, const char *node)
{
    static char path[128];

    snprintf(path, sizeof(path), "/local/domain/%u/backend/vif/%u/%u/%s", back_domid(c->s->f), c->s->f->d->domain_id,
             c->devid, node);
    path[strlen(path) - !*node] = 0;
    return path;
}

static inline const char *error_node(struct card *c, char value[64])
{
    char path[128];

    snprintf(path, sizeof(path), "/local/domain/%u/error/backend/vif/%u/%u/error", back_domid(c->s->f),
             c->s->f->d->domain_id, c->devid);
    return read_node(c->s, path, value);
}

static inline void run(struct scene *s) { back_run(s->f); }

static inline void front_text(struct card *c, const char *node, const char *text)
{
    write_node(c->s, front_path(c, node), text);
}

static inline void front_write(struct card *c, const char *node, unsigned long value)
{
    char text[32];

    snprintf(text, sizeof(text), "%lu", value);
    front_text(c, node, text);
}

static inline void front_rm(struct card *c, const char *node)
{
    const struct xs_access a = xenstored_toolstack(c->s->st.x);

    xs_rm(&a, front_path(c, node));
}

static inline void front_state(struct card *c, unsigned int state)
{
    front_write(c, "state", state);
    run(c->s);
}

static inline void expect_back(struct card *c, const char *node, const char *value)
{
    char buf[64];

    assert_string_equal(read_node(c->s, back_path(c, node), buf), value);
}

/* --- the card --- */

static inline uint8_t *page(struct card *c, unsigned int i) { return ram_page(c->s->f->m, c->mfn[i]); }
static inline netif_tx_sring_t *tx_ring(struct card *c) { return (void *)page(c, 0); }
static inline netif_rx_sring_t *rx_ring(struct card *c) { return (void *)page(c, 1); }

static inline void grant(struct card *c, unsigned int i, uint16_t flags)
{
    grant_entry_v1_t *e = shared_entry_v1(c->s->f->d->grant_table, c->first + i);

    *e = (grant_entry_v1_t){ .flags = flags, .domid = back_domid(c->s->f), .frame = (uint32_t)mfn_x(c->mfn[i]) };
}

static inline evtchn_port_t port_open(struct card *c) { return port_offer(c->s->f); }

static inline void port_shut(struct card *c, evtchn_port_t port)
{
    struct evtchn_close op = { .port = port };

    fix_hypercall(c->s->f, __HYPERVISOR_event_channel_op, EVTCHNOP_close, fix_put(c->s->f, 0, &op, sizeof(op)), 0, 0);
}

static inline void ring_bell(struct card *c, evtchn_port_t port) { port_ring(c->s->f, port); }

/* The guest has been told at that port since this was asked last. */
static inline bool was_told(struct card *c, evtchn_port_t port) { return port_was_told(c->s->f, port); }

/* The device's nodes, as the toolstack writes them. */
static inline void card_nodes(struct card *c, const char *bridge, const char *rate)
{
    const domid_t domid = c->s->f->d->domain_id, back = back_domid(c->s->f);
    char id[16], front[128];

    snprintf(id, sizeof(id), "%u", domid);
    snprintf(front, sizeof(front), "%s", front_path(c, ""));
    store_dir(&c->s->st, front, domid, back);
    front_write(c, "state", 1);
    store_dir(&c->s->st, back_path(c, ""), back, domid);
    write_node(c->s, back_path(c, "frontend-id"), id);
    write_node(c->s, back_path(c, "frontend"), front);
    write_node(c->s, back_path(c, "online"), "1");
    write_node(c->s, back_path(c, "bridge"), bridge);
    if (rate)
        write_node(c->s, back_path(c, "rate"), rate);
    write_node(c->s, back_path(c, "state"), "1");
}

/* It appears, with pages of its own. */
static inline void card_add(struct scene *s, unsigned int i, const char *bridge, const char *rate)
{
    struct page_info *pg = page_list_first(s->f->xen, &s->f->d->page_list);
    struct card *c = &s->card[i];

    *c = (struct card){ .s = s, .devid = i, .first = 8 + i * REFS };
    for (unsigned int nr = 0, skip = i * REFS; nr < REFS; pg = page_list_next(s->f->xen, pg)) {
        assert_non_null(pg);
        if (pg->type_info & PGT_count_mask)
            continue;
        if (skip)
            skip--;
        else
            c->mfn[nr++] = page_to_mfn(s->f->xen, pg);
    }
    for (unsigned int ref = 0; ref < REFS; ref++)
        grant(c, ref, GTF_permit_access);
    card_nodes(c, bridge, rate);
    run(s);
}

static inline void rings_new(struct card *c)
{
    memset(page(c, 0), 0, PAGE_SIZE);
    memset(page(c, 1), 0, PAGE_SIZE);
    SHARED_RING_INIT(tx_ring(c));
    SHARED_RING_INIT(rx_ring(c));
    c->tx_prod = c->tx_cons = c->rx_prod = c->rx_cons = 0;
}

/* All that a front end says, but for its state. */
static inline void card_words(struct card *c)
{
    rings_new(c);
    if (c->port)
        port_shut(c, c->port);
    c->port = c->rx_port = port_open(c);
    front_write(c, "tx-ring-ref", c->first);
    front_write(c, "rx-ring-ref", c->first + 1);
    front_write(c, "event-channel", c->port);
    front_write(c, "request-rx-copy", 1);
    front_write(c, "feature-sg", 1);
    front_write(c, "feature-gso-tcpv4", 1);
    front_write(c, "feature-gso-tcpv6", 1);
    front_write(c, "feature-ipv6-csum-offload", 1);
}

static inline void buffer_put(struct card *c, unsigned int i)
{
    netif_rx_sring_t *r = rx_ring(c);

    c->rx_id[c->rx_prod % 256] = (uint16_t)i;
    r->ring[c->rx_prod % 256].req = (netif_rx_request_t){ .id = (uint16_t)i, .gref = c->first + RX_PAGE + i };
    c->rx_prod++;
    r->req_prod = c->rx_prod;
}

/* As netfront does: from Initialising to Connected at once. */
static inline void card_connect(struct card *c)
{
    expect_back(c, "state", "2");
    card_words(c);
    for (unsigned int i = 0; i < RX_PAGES; i++)
        buffer_put(c, i);
    front_state(c, XenbusStateConnected);
    expect_back(c, "state", "4");
}

static inline void card_again(struct card *c)
{
    front_state(c, XenbusStateClosed);
    expect_back(c, "state", "6");
    front_state(c, XenbusStateInitialising);
    card_connect(c);
}

static inline void begin_net(struct scene *s, struct fixture *f, const char *rate)
{
    memset(s, 0, sizeof(*s));
    s->f = f;
    assert_int_equal(native_timers_start(back_kernel(f)), 0);
    assert_int_equal(gnttab_grow_table(f->d, 1), 0);
    begin(&s->st, f);
    bridges_init(&s->net.bridges, native_vcpu(back_kernel(f)));
    s->kinds[0] = (struct xenbus_kind){ &netback, &s->net };
    s->bus = back_bus(&s->st, s->kinds);
    assert_non_null(s->bus);
    for (unsigned int i = 0; i < CARDS; i++)
        card_add(s, i, "xenbr0", i ? NULL : rate);
}

/* No grant of the guest's is in use any more, and no frame is left. */
static inline void end_net(struct scene *s)
{
    back_bus_end(&s->st, s->bus);
    for (grant_ref_t ref = 0; ref < 8 + CARDS * REFS; ref++)
        assert_int_equal(s->f->d->grant_table->active[ref].pin, 0);
    assert_int_equal(s->net.bridges.pool.in_use, 0);
    bridges_end(&s->net.bridges);
    end(&s->st);
}

/* --- packets --- */

static inline void tx_put(struct card *c, const netif_tx_request_t *q)
{
    tx_ring(c)->ring[c->tx_prod++ % 256].req = *q;
    tx_ring(c)->req_prod = c->tx_prod;
}

static inline void extra_put(struct card *c, const struct netif_extra_info *e)
{
    _Static_assert(sizeof(*e) <= sizeof(netif_tx_request_t), "it fits a slot");
    memcpy(&tx_ring(c)->ring[c->tx_prod++ % 256], e, sizeof(*e));
    tx_ring(c)->req_prod = c->tx_prod;
}

/* The next answer; NETIF_RSP_NULL + 1: there is none. */
static inline int tx_answer(struct card *c)
{
    if (c->tx_cons == tx_ring(c)->rsp_prod)
        return NETIF_RSP_NULL + 1;
    return tx_ring(c)->ring[c->tx_cons++ % 256].rsp.status;
}

static inline void mac_of(unsigned int card, uint8_t mac[6])
{
    memcpy(mac, (uint8_t[]){ 0x00, 0x16, 0x3e, 0, 0, (uint8_t)card }, 6);
}

static const unsigned int EVERYBODY = 0xff;

/* Ethernet's header: from a card to a card. */
static inline void header(uint8_t *bytes, unsigned int from, unsigned int to)
{
    if (to == EVERYBODY)
        memset(bytes, 0xff, 6);
    else
        mac_of(to, bytes);
    mac_of(from, bytes + 6);
    bytes[12] = 0x88; /* for local experiments */
    bytes[13] = 0xb5;
}

/* A packet of one slot, in page TX_PAGE. */
static inline void send_one(struct card *c, unsigned int to, unsigned int len, uint8_t fill)
{
    netif_tx_request_t q = { .gref = c->first + TX_PAGE, .id = (uint16_t)c->tx_prod, .size = (uint16_t)len };

    memset(page(c, TX_PAGE), fill, PAGE_SIZE);
    header(page(c, TX_PAGE), c->devid, to);
    tx_put(c, &q);
    ring_bell(c, c->port);
}

struct received {
    unsigned int len, flags;
    struct netif_extra_info gso; /* type 0: none */
    uint8_t bytes[65536];
};

/* The next packet, whose buffers are given again. False: there is none. */
static inline bool receive(struct card *c, struct received *r)
{
    netif_rx_sring_t *ring = rx_ring(c);
    bool more = true;

    r->len = r->gso.type = 0;
    if (c->rx_cons == ring->rsp_prod)
        return false;
    for (bool first = true; more; first = false) {
        const netif_rx_response_t rsp = ring->ring[c->rx_cons++ % 256].rsp;

        assert_in_range(rsp.status, 1, PAGE_SIZE);
        assert_in_range(r->len + (unsigned int)rsp.status, 1, sizeof(r->bytes));
        memcpy(r->bytes + r->len, page(c, RX_PAGE + rsp.id) + rsp.offset, (size_t)rsp.status);
        r->len += (unsigned int)rsp.status;
        buffer_put(c, rsp.id);
        if (first)
            r->flags = rsp.flags;
        if (first && (rsp.flags & NETRXF_extra_info)) {
            memcpy(&r->gso, &ring->ring[c->rx_cons % 256], sizeof(rsp));
            buffer_put(c, c->rx_id[c->rx_cons++ % 256]);
        }
        more = rsp.flags & NETRXF_more_data;
    }
    return true;
}

/* Somebody else's affairs go on: card c sends to card `to`, which receives just that. */
static inline void works(struct card *c, struct card *to)
{
    static struct received r;
    static uint8_t fill;

    while (tx_answer(c) <= NETIF_RSP_NULL)
        ;
    do { /* what has come so far */
        while (receive(to, &r))
            ;
        ring_bell(to, to->rx_port);
    } while (to->rx_cons != rx_ring(to)->rsp_prod);
    send_one(c, to->devid, 100, ++fill);
    assert_int_equal(tx_answer(c), NETIF_RSP_OKAY);
    ring_bell(to, to->rx_port);
    assert_true(receive(to, &r));
    assert_int_equal(r.len, 100);
    assert_int_equal(r.bytes[99], fill);
    assert_false(receive(to, &r));
}

#endif
