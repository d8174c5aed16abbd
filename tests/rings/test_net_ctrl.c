// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control ring of a network card: hashes are Toeplitz's, as those who have defined them state examples; the table
 * leads to queues; and requests that make no sense are answered so, while frames go on.
 *
 * When could this pass wrongly? If no frame had a hash: each of the examples has another one.
 *
 * Budget: the examples, and tables of requests.
 */
#include "tests/rings/netfront.h"

#define CTRL_PAGE  4u
#define DATA_PAGE  5u
#define RING_PAGE2 6u /* of a second queue: tx, rx */

enum { OKAY, NOT_SUPPORTED, INVALID, OVERFLOWS }; /* XEN_NETIF_CTRL_STATUS_* */

static xen_netif_ctrl_sring_t *ctrl_ring(struct card *c) { return (void *)page(c, CTRL_PAGE); }

static evtchn_port_t ctrl_port;

static void ctrl_words(struct card *c)
{
    memset(page(c, CTRL_PAGE), 0, PAGE_SIZE);
    SHARED_RING_INIT(ctrl_ring(c));
    ctrl_port = port_open(c);
    front_write(c, "ctrl-ring-ref", c->first + CTRL_PAGE);
    front_write(c, "event-channel-ctrl", ctrl_port);
}

/* A request, and its answer. */
static uint32_t ask(struct card *c, unsigned int type, uint32_t a, uint32_t b, uint32_t d, uint32_t *data)
{
    xen_netif_ctrl_sring_t *r = ctrl_ring(c);
    const uint32_t n = r->req_prod;
    const struct xen_netif_ctrl_request q = { .id = (uint16_t)(n + 77), .type = (uint16_t)type, .data = { a, b, d } };
    struct xen_netif_ctrl_response rsp;

    r->ring[n % 128].req = q;
    r->req_prod = n + 1;
    r->rsp_event = n + 1;
    was_told(c, ctrl_port);
    ring_bell(c, ctrl_port);
    assert_int_equal(r->rsp_prod, n + 1);
    assert_true(was_told(c, ctrl_port));
    rsp = r->ring[n % 128].rsp;
    assert_int_equal(rsp.id, q.id);
    assert_int_equal(rsp.type, type);
    if (data)
        *data = rsp.data;
    return rsp.status;
}

static uint32_t set(struct card *c, unsigned int type, uint32_t a, uint32_t b, uint32_t d)
{
    return ask(c, type, a, b, d, NULL);
}

/* Two queues if that is asked for. */
static void connect(struct card *c, unsigned int queues)
{
    card_words(c);
    ctrl_words(c);
    if (queues == 2) {
        front_write(c, "multi-queue-num-queues", 2);
        for (unsigned int q = 0; q < 2; q++) {
            netif_rx_sring_t *rx = (void *)page(c, q ? RING_PAGE2 + 1 : 1);
            netif_tx_sring_t *tx = (void *)page(c, q ? RING_PAGE2 : 0);
            char node[40];

            memset(rx, 0, PAGE_SIZE);
            memset(tx, 0, PAGE_SIZE);
            SHARED_RING_INIT(rx);
            SHARED_RING_INIT(tx);
            for (unsigned int i = 0; i < 200; i++)
                rx->ring[i].req = (netif_rx_request_t){ .id = (uint16_t)i, .gref = c->first + RX_PAGE };
            rx->req_prod = 200;
            snprintf(node, sizeof(node), "queue-%u/tx-ring-ref", q);
            front_write(c, node, c->first + (q ? RING_PAGE2 : 0));
            snprintf(node, sizeof(node), "queue-%u/rx-ring-ref", q);
            front_write(c, node, c->first + (q ? RING_PAGE2 + 1 : 1));
            snprintf(node, sizeof(node), "queue-%u/event-channel", q);
            front_write(c, node, q ? port_open(c) : c->port);
        }
    } else {
        for (unsigned int i = 0; i < RX_PAGES; i++)
            buffer_put(c, i);
    }
    front_state(c, XenbusStateConnected);
    expect_back(c, "state", "4");
}

/* --- hashes --- */

/* The examples for who implements it, "Verifying the RSS Hash Calculation": addresses as they are in a packet. */
static const uint8_t key[40] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
                                 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
                                 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa };

static const struct example {
    bool v6;
    uint8_t from[16], to[16];
    uint16_t from_port, to_port;
    uint32_t ip, tcp;
} examples[] = {
    { false, { 66, 9, 149, 187 }, { 161, 142, 100, 80 }, 2794, 1766, 0x323e8fc2, 0x51ccc178 },
    { false, { 199, 92, 111, 2 }, { 65, 69, 140, 83 }, 14230, 4739, 0xd718262a, 0xc626b0ea },
    { false, { 24, 19, 198, 95 }, { 12, 22, 207, 184 }, 12898, 38024, 0xd2d0a5de, 0x5c2b394a },
    { false, { 38, 27, 205, 30 }, { 209, 142, 163, 6 }, 48228, 2217, 0x82989176, 0xafc7327f },
    { false, { 153, 39, 163, 191 }, { 202, 188, 127, 2 }, 44251, 1303, 0x5d1809c5, 0x10e828a2 },
    { true,
      { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 7 },
      { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03, 0, 0, 0, 0, 0, 0, 0, 1 },
      2794,
      1766,
      0x2cc18cd5,
      0x40207d3d },
};

/* A packet of the example's, with `more` bytes of data: its length. */
static unsigned int packet(struct card *c, const struct example *e, unsigned int protocol, unsigned int more)
{
    uint8_t *p = page(c, TX_PAGE), *ip = p + 14, *l4 = ip + (e->v6 ? 40 : 20);
    const unsigned int bytes = 20 + more;

    memset(p, 0, 200);
    header(p, c->devid, 1);
    memcpy(p + 12, e->v6 ? (uint8_t[]){ 0x86, 0xdd } : (uint8_t[]){ 0x08, 0 }, 2);
    if (e->v6) {
        ip[0] = 0x60;
        ip[5] = (uint8_t)bytes;
        ip[6] = (uint8_t)protocol;
        memcpy(ip + 8, e->from, 16);
        memcpy(ip + 24, e->to, 16);
    } else {
        ip[0] = 0x45;
        ip[3] = (uint8_t)(20 + bytes);
        ip[9] = (uint8_t)protocol;
        memcpy(ip + 12, e->from, 4);
        memcpy(ip + 16, e->to, 4);
    }
    memcpy(l4, (uint8_t[]){ e->from_port >> 8, e->from_port & 0xff, e->to_port >> 8, e->to_port & 0xff }, 4);
    l4[12] = 0x50;
    return 14 + (e->v6 ? 40 : 20) + bytes;
}

static void send_packet(struct card *c, const struct example *e, unsigned int protocol)
{
    const netif_tx_request_t q = { .gref = c->first + TX_PAGE, .size = (uint16_t)packet(c, e, protocol, 10) };

    tx_put(c, &q);
    ring_bell(c, c->port);
    assert_int_equal(tx_answer(c), NETIF_RSP_OKAY);
}

static void hash_set(struct card *c, uint32_t types)
{
    memcpy(page(c, DATA_PAGE), key, sizeof(key));
    assert_int_equal(set(c, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ, 0, 0),
                     OKAY);
    assert_int_equal(set(c, XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, c->first + DATA_PAGE, sizeof(key), 0), OKAY);
    assert_int_equal(set(c, XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, types, 0, 0), OKAY);
}

static void expect_hash(const struct received *r, unsigned int type, uint32_t hash)
{
    uint32_t value;

    assert_true(r->flags & NETRXF_extra_info);
    assert_int_equal(r->gso.type, XEN_NETIF_EXTRA_TYPE_HASH);
    assert_int_equal(r->gso.flags, 0);
    assert_int_equal(r->gso.u.hash.type, type);
    assert_int_equal(r->gso.u.hash.algorithm, XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ);
    memcpy(&value, r->gso.u.hash.value, sizeof(value));
    assert_int_equal(value, hash);
}

static void hashes(void **state)
{
    static struct received r;
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];

    begin_net(&s, *state, NULL);
    expect_back(to, "feature-ctrl-ring", "1");
    card_connect(c);
    connect(to, 1);
    hash_set(to, 0xf);
    for (unsigned int i = 0; i < ARRAY_SIZE(examples); i++) {
        const struct example *e = &examples[i];

        send_packet(c, e, 6);
        assert_true(receive(to, &r));
        expect_hash(&r, e->v6 ? 3 : 1, e->tcp);
        send_packet(c, e, 17); /* UDP: the addresses only */
        assert_true(receive(to, &r));
        expect_hash(&r, e->v6 ? 2 : 0, e->ip);
    }
    hash_set(to, XEN_NETIF_CTRL_HASH_TYPE_IPV4);
    send_packet(c, &examples[0], 6);
    assert_true(receive(to, &r));
    expect_hash(&r, 0, examples[0].ip);
    send_packet(c, &examples[5], 6);
    assert_true(receive(to, &r));
    assert_false(r.flags & NETRXF_extra_info);
    assert_int_equal(set(to, XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, 0, 0, 0), OKAY); /* no key: nothing */
    send_packet(c, &examples[0], 6);
    assert_true(receive(to, &r));
    expect_hash(&r, 0, 0);
    assert_int_equal(set(to, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, 0, 0, 0), OKAY);
    works(c, to);
    works(to, c);
    end_net(&s);
}

/* A long segment is told of with both: how it is to be cut, and its hash. */
static void with_gso(void **state)
{
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];
    struct netif_extra_info e = { .type = XEN_NETIF_EXTRA_TYPE_GSO }, got[2];
    netif_tx_request_t q;

    begin_net(&s, *state, NULL);
    card_connect(c);
    connect(to, 1);
    hash_set(to, 0xf);
    q = (netif_tx_request_t){ .gref = c->first + TX_PAGE,
                              .size = (uint16_t)packet(c, &examples[0], 6, 100),
                              .flags = NETTXF_extra_info | NETTXF_csum_blank };
    e.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
    e.u.gso.size = 30;
    tx_put(c, &q);
    extra_put(c, &e);
    ring_bell(c, c->port);
    assert_int_equal(tx_answer(c), NETIF_RSP_OKAY);
    assert_int_equal(rx_ring(to)->rsp_prod, 3);
    assert_true(rx_ring(to)->ring[0].rsp.flags & NETRXF_extra_info);
    memcpy(&got[0], &rx_ring(to)->ring[1], sizeof(got[0]));
    memcpy(&got[1], &rx_ring(to)->ring[2], sizeof(got[1]));
    assert_int_equal(got[0].type, XEN_NETIF_EXTRA_TYPE_GSO);
    assert_int_equal(got[0].flags, XEN_NETIF_EXTRA_FLAG_MORE);
    assert_int_equal(got[0].u.gso.size, 30);
    assert_int_equal(got[1].type, XEN_NETIF_EXTRA_TYPE_HASH);
    assert_int_equal(got[1].flags, 0);
    end_net(&s);
}

/* --- queues --- */

/* In which queue is what has come since? */
static unsigned int queue_of(struct card *to, const struct example *e)
{
    netif_rx_sring_t *rx[2] = { (void *)page(to, 1), (void *)page(to, RING_PAGE2 + 1) };
    const uint32_t before[2] = { rx[0]->rsp_prod, rx[1]->rsp_prod };

    send_packet(&to->s->card[0], e, 6);
    assert_int_equal(rx[0]->rsp_prod - before[0] + rx[1]->rsp_prod - before[1], 2); /* it, and its hash */
    return rx[1]->rsp_prod != before[1];
}

static void the_table_leads_to_queues(void **state)
{
    struct scene s;
    struct card *to = &s.card[1];
    uint32_t *map, size;

    begin_net(&s, *state, NULL);
    card_connect(&s.card[0]);
    connect(to, 2);
    hash_set(to, 0xf);
    for (unsigned int i = 0; i < 5; i++)
        assert_int_equal(queue_of(to, &examples[i]), examples[i].tcp % 2);
    assert_int_equal(ask(to, XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE, 0, 0, 0, &size), OKAY);
    assert_int_equal(size, 128);
    assert_int_equal(set(to, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, size, 0, 0), OKAY);
    for (unsigned int i = 0; i < 5; i++)
        assert_int_equal(queue_of(to, &examples[i]), 0); /* it is filled with zeroes */
    map = (uint32_t *)(void *)page(to, DATA_PAGE);
    for (unsigned int i = 0; i < 5; i++) { /* one entry after the other */
        map[0] = 1;
        assert_int_equal(set(to, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, to->first + DATA_PAGE, 1, examples[i].tcp % 128),
                         OKAY);
        for (unsigned int j = 0; j < 5; j++)
            assert_int_equal(queue_of(to, &examples[j]), j <= i);
    }
    end_net(&s);
}

/* --- what makes no sense --- */

static void refusals(void **state)
{
    static const struct {
        unsigned int type;
        uint32_t data[3];
        uint32_t status;
    } list[] = {
        { XEN_NETIF_CTRL_TYPE_INVALID, { 0, 0, 0 }, NOT_SUPPORTED },
        { XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE, { 0, 0, 0 }, NOT_SUPPORTED },
        { XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING, { 0, 8, 1 }, NOT_SUPPORTED },
        { 11, { 0, 0, 0 }, NOT_SUPPORTED },
        { 65535, { 0, 0, 0 }, NOT_SUPPORTED },
        { XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS, { 0, 0, 0 }, NOT_SUPPORTED }, /* without an algorithm */
        { XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, { 1, 0, 0 }, INVALID },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, { 2, 0, 0 }, INVALID },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, { UINT32_MAX, 0, 0 }, INVALID },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, { 1, 0, 0 }, OKAY },
        { XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS, { 0, 0, 0 }, OKAY },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, { 16, 0, 0 }, INVALID },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, { 500, 40, 0 }, INVALID }, /* no such reference */
        { XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, { UINT32_MAX, 1, 0 }, INVALID },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, { 8, 41, 0 }, OVERFLOWS },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, { 8, UINT32_MAX, 0 }, OVERFLOWS },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, { 129, 0, 0 }, INVALID },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, { UINT32_MAX, 0, 0 }, INVALID },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, { 8, 1, 0 }, INVALID }, /* there is no table */
        { XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, { 128, 0, 0 }, OKAY },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, { 500, 128, 0 }, INVALID },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, { 8, 129, 0 }, INVALID },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, { 8, 1, 128 }, INVALID },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, { 8, UINT32_MAX, 2 }, INVALID },
        { XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, { 8, 2, UINT32_MAX }, INVALID },
    };
    struct scene s;
    struct card *c = &s.card[0];
    uint32_t *map, data;
    char value[64];

    begin_net(&s, *state, NULL);
    card_connect(&s.card[1]);
    card_connect(&s.card[2]);
    connect(c, 1);
    for (unsigned int i = 0; i < ARRAY_SIZE(list); i++) {
        assert_int_equal(ask(c, list[i].type, list[i].data[0], list[i].data[1], list[i].data[2], &data),
                         list[i].status);
        if (list[i].status == OKAY && list[i].type == XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS)
            assert_int_equal(data, 0xf);
        works(c, &s.card[1]);
        works(&s.card[1], c);
    }
    map = (uint32_t *)(void *)page(c, DATA_PAGE);
    map[0] = 0;
    map[1] = 1; /* a queue that there is not */
    assert_int_equal(set(c, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, c->first + DATA_PAGE, 2, 0), INVALID);
    assert_int_equal(set(c, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, c->first + DATA_PAGE, 1, 127), OKAY);
    ctrl_ring(c)->req_prod += 129;
    ring_bell(c, ctrl_port);
    expect_back(c, "state", "5");
    assert_string_equal(error_node(c, value), "71 the ring's indices cannot be");
    works(&s.card[1], &s.card[2]);
    end_net(&s);
}

/* Whatever is asked for, frames go to a queue that there is. */
static void random_requests(void **state)
{
    const char *more = getenv("NET_RUNS");
    const unsigned int runs = more ? (unsigned int)atoi(more) : 2000;
    unsigned int count[4] = { 0 }, queues[2] = { 0 };
    uint64_t prng = 5;
    struct scene s;
    struct card *to = &s.card[1];

    begin_net(&s, *state, NULL);
    card_connect(&s.card[0]);
    connect(to, 2);
    hash_set(to, 0xf);
    for (unsigned int run = 0; run < runs; run++) {
        const uint32_t ref = random_of(&prng, 4) ? to->first + DATA_PAGE : (uint32_t)random_of(&prng, 1 << 20);
        const uint32_t small = (uint32_t)random_of(&prng, 130), any = (uint32_t)random_of(&prng, UINT32_MAX);
        const unsigned int type = (unsigned int)random_of(&prng, 12);
        uint32_t *map = (uint32_t *)(void *)page(to, DATA_PAGE), status;

        for (unsigned int i = 0; i < 128; i++)
            map[i] = (uint32_t)random_of(&prng, random_of(&prng, 200) ? 2 : UINT32_MAX);
        status = set(to, type,
                     type == XEN_NETIF_CTRL_TYPE_SET_HASH_KEY || type == XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING ? ref
                     : type == XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM                                         ? 1
                     : random_of(&prng, 8) ? small % (type == 2 ? 16 : 130)
                                           : any,
                     random_of(&prng, 8) ? small : any, random_of(&prng, 8) ? 128 - small % 128 : any);
        assert_in_range(status, OKAY, OVERFLOWS);
        count[status]++;
        for (unsigned int q = 0; q < 2; q++) { /* always room */
            netif_rx_sring_t *rx = (void *)page(to, q ? RING_PAGE2 + 1 : 1);

            for (unsigned int i = 0; i < 256; i++)
                if (i - rx->rsp_prod % 256 < 100 || i + 256 - rx->rsp_prod % 256 < 100)
                    rx->ring[i].req = (netif_rx_request_t){ .gref = to->first + RX_PAGE };
            rx->req_prod = rx->rsp_prod + 100;
        }
        for (unsigned int i = 0; i < 5; i++) {
            netif_rx_sring_t *rx[2] = { (void *)page(to, 1), (void *)page(to, RING_PAGE2 + 1) };
            const uint32_t before[2] = { rx[0]->rsp_prod, rx[1]->rsp_prod };

            send_packet(&s.card[0], &examples[i], 6);
            assert_in_range(rx[0]->rsp_prod - before[0] + rx[1]->rsp_prod - before[1], 1, 2);
            queues[rx[1]->rsp_prod != before[1]]++;
        }
        expect_back(to, "state", "4");
    }
    printf("%u runs: %u carried out, %u invalid, %u too large; %u and %u frames\n", runs, count[OKAY], count[INVALID],
           count[OVERFLOWS], queues[0], queues[1]);
    for (unsigned int i = 0; i < 4; i++)
        assert_true(count[i] > runs / 100);
    assert_true(queues[0] > runs / 10 && queues[1] > runs / 10);
    end_net(&s);
}

/* Words that make none. */
static void wrong_words(void **state)
{
    static const struct {
        const char *node, *value, *why;
    } wrong[] = {
        { "ctrl-ring-ref", "500", "22 ctrl-ring-ref cannot be mapped" },
        { "ctrl-ring-ref", "x", "22 ctrl-ring-ref is missing, or no reference" },
        { "ctrl-ring-ref", "8", "22 ctrl-ring-ref is another ring's page" },
        { "event-channel-ctrl", "0", "22 event-channel-ctrl is missing, or no port" },
        { "event-channel-ctrl", "4000", "22 event-channel-ctrl cannot be bound" },
    };
    struct scene s;
    struct card *c = &s.card[0];
    char value[64];

    begin_net(&s, *state, NULL);
    for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
        card_words(c);
        ctrl_words(c);
        front_text(c, wrong[i].node, wrong[i].value);
        front_state(c, XenbusStateConnected);
        expect_back(c, "state", "5");
        assert_string_equal(error_node(c, value), wrong[i].why);
        for (unsigned int ref = 0; ref < REFS; ref++)
            assert_int_equal(s.f->d->grant_table->active[c->first + ref].pin, 0);
        front_state(c, XenbusStateClosed);
        front_state(c, XenbusStateInitialising);
    }
    connect(c, 1);
    hash_set(c, 1);
    end_net(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(hashes),   ON_BOTH(with_gso),        ON_BOTH(the_table_leads_to_queues),
        ON_BOTH(refusals), ON_BOTH(random_requests), ON_BOTH(wrong_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
