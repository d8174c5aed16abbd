// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end with front ends that are played here: what is right.
 *
 * Budget: a case for each thing that a front end can ask for.
 */
#include "tests/rings/netfront.h"

#include "evtchn/event_channel.h"
#include "vcpu/native/ring.h"

static void offers(void **state)
{
    static const char *const features[] = { "feature-sg",
                                            "feature-gso-tcpv4",
                                            "feature-gso-tcpv6",
                                            "feature-ipv6-csum-offload",
                                            "feature-rx-copy",
                                            "feature-multicast-control",
                                            "feature-dynamic-multicast-control",
                                            "feature-ctrl-ring",
                                            "feature-split-event-channels" };
    struct scene s;
    char value[64];

    begin_net(&s, *state, NULL);
    for (unsigned int i = 0; i < ARRAY_SIZE(features); i++)
        expect_back(&s.card[0], features[i], "1");
    expect_back(&s.card[0], "feature-rx-flip", "0");
    expect_back(&s.card[0], "multi-queue-max-queues", "4");
    card_connect(&s.card[0]);
    expect_back(&s.card[0], "hotplug-status", "connected");
    assert_string_equal(error_node(&s.card[0], value), "-");
    end_net(&s);
}

/* What nobody knows goes to all; what somebody has sent from goes there only. */
static void frames_pass(void **state)
{
    static struct received r;
    struct scene s;

    begin_net(&s, *state, NULL);
    for (unsigned int i = 0; i < CARDS; i++)
        card_connect(&s.card[i]);
    send_one(&s.card[0], EVERYBODY, 60, 0x11);
    for (unsigned int i = 1; i < CARDS; i++) {
        assert_true(was_told(&s.card[i], s.card[i].port));
        assert_true(receive(&s.card[i], &r));
        assert_int_equal(r.len, 60);
        assert_int_equal(r.flags, 0);
        assert_int_equal(r.bytes[59], 0x11);
    }
    assert_false(receive(&s.card[0], &r));
    assert_int_equal(tx_answer(&s.card[0]), NETIF_RSP_OKAY);
    send_one(&s.card[1], 0, 1514, 0x22);
    assert_true(receive(&s.card[0], &r) && r.len == 1514 && r.bytes[1513] == 0x22);
    assert_false(receive(&s.card[2], &r));
    end_net(&s);
}

/* Two bridges are two networks. */
static void bridges_are_apart(void **state)
{
    static struct received r;
    struct scene s;

    begin_net(&s, *state, NULL);
    card_connect(&s.card[0]);
    card_connect(&s.card[1]);
    const struct xs_access toolstack = xenstored_toolstack(s.st.x);
    assert_int_equal(xs_rm(&toolstack, back_path(&s.card[2], "")), 0);
    run(&s);
    card_add(&s, 2, "xenbr1", NULL);
    card_connect(&s.card[2]);
    send_one(&s.card[0], EVERYBODY, 60, 0x11);
    assert_true(receive(&s.card[1], &r));
    assert_false(receive(&s.card[2], &r));
    end_net(&s);
}

/* Packets in pieces, of every size, with what is said of them: they arrive as they were sent. */
static void pieces(void **state)
{
    static struct received r;
    static uint8_t sent[65536];
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];
    uint64_t prng = 5;
    unsigned int most = 0;

    begin_net(&s, *state, NULL);
    card_connect(c);
    card_connect(to);
    for (unsigned int run = 0; run < 300; run++) {
        unsigned int nr = 1 + (unsigned int)random_of(&prng, 18), total = 0;
        netif_tx_request_t q[18];

        for (unsigned int i = 0; i < nr; i++) {
            const unsigned int room = PAGE_SIZE - (total > 60000 ? 4000 : 0);
            const unsigned int len = (run % 3 ? 14 : 2000) + (unsigned int)random_of(&prng, room - 2000);
            const unsigned int at = (unsigned int)random_of(&prng, PAGE_SIZE - len + 1);
            uint8_t *p = page(c, TX_PAGE + i) + at;

            if (total + len > 65535) {
                nr = i;
                break;
            }
            for (unsigned int j = 0; j < len; j++)
                p[j] = (uint8_t)random_of(&prng, 256);
            if (!i)
                header(p, 0, 1);
            memcpy(sent + total, p, len);
            q[i] = (netif_tx_request_t){
                .gref = c->first + TX_PAGE + i, .offset = (uint16_t)at, .id = (uint16_t)i, .size = (uint16_t)len
            };
            total += len;
        }
        for (unsigned int i = 0; i + 1 < nr; i++)
            q[i].flags = NETTXF_more_data;
        q[0].size = (uint16_t)total;
        if (run % 2)
            q[0].flags |= NETTXF_data_validated;
        for (unsigned int i = 0; i < nr; i++) {
            tx_put(c, &q[i]);
            if (random_of(&prng, 4) == 0) /* the rest is not there yet */
                ring_bell(c, c->port);
        }
        ring_bell(c, c->port);
        for (unsigned int i = 0; i < nr; i++)
            assert_int_equal(tx_answer(c), NETIF_RSP_OKAY);
        ring_bell(to, to->port);
        assert_true(receive(to, &r));
        assert_int_equal(r.len, total);
        assert_memory_equal(r.bytes, sent, total);
        assert_int_equal(r.flags & NETRXF_data_validated, run % 2 ? NETRXF_data_validated : 0);
        assert_false(receive(to, &r));
        most = total > most ? total : most;
    }
    assert_in_range(most, 60000, 65535);
    end_net(&s);
}

/* An IPv4 TCP packet of `data` bytes, which begin in page TX_PAGE. */
static unsigned int tcp_put(struct card *c, unsigned int data)
{
    uint8_t *p = page(c, TX_PAGE);
    const unsigned int ip = 40 + data;

    memset(p, 0, 54);
    header(p, c->devid, c->devid ^ 1);
    p[12] = 0x08;
    p[13] = 0;
    p[14] = 0x45;
    p[16] = (uint8_t)(ip >> 8);
    p[17] = (uint8_t)ip;
    p[23] = 6;
    p[29] = c->devid & 1;
    p[33] = !(c->devid & 1);
    p[46] = 0x50;
    for (unsigned int i = 0; i < data; i++)
        p = page(c, TX_PAGE + (54 + i) / PAGE_SIZE), p[(54 + i) % PAGE_SIZE] = (uint8_t)(i * 7 + i / 256);
    return 54 + data;
}

/* A chain of whole pages; `gso` is the size of its segments, if it is to be cut up. */
static void chain_send(struct card *c, unsigned int len, unsigned int gso)
{
    const unsigned int nr = (len + PAGE_SIZE - 1) / PAGE_SIZE;
    struct netif_extra_info e = { .type = XEN_NETIF_EXTRA_TYPE_GSO };

    e.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
    e.u.gso.size = (uint16_t)gso;
    for (unsigned int i = 0; i < nr; i++) {
        const unsigned int left = len - i * (unsigned int)PAGE_SIZE;
        netif_tx_request_t q = { .gref = c->first + TX_PAGE + i };

        q.size = (uint16_t)(!i ? len : left < PAGE_SIZE ? left : PAGE_SIZE);
        q.flags = (uint16_t)((i + 1 < nr ? NETTXF_more_data : 0) |
                             (i ? 0 : NETTXF_csum_blank | NETTXF_data_validated | (gso ? NETTXF_extra_info : 0)));
        tx_put(c, &q);
        if (!i && gso)
            extra_put(c, &e);
    }
    ring_bell(c, c->port);
    for (unsigned int i = 0; i < nr + !!gso; i++)
        assert_int_equal(tx_answer(c), i == 1 && gso ? NETIF_RSP_NULL : NETIF_RSP_OKAY);
}

static void expect_data(const uint8_t *bytes, unsigned int from, unsigned int nr)
{
    for (unsigned int i = from; i < from + nr; i++)
        assert_int_equal(bytes[i - from], (uint8_t)(i * 7 + i / 256));
}

/* A long segment stays long for a front end that takes it, with its sum blank. */
static void long_segments_stay(void **state)
{
    static struct received r;
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];
    unsigned int len;

    begin_net(&s, *state, NULL);
    card_connect(c);
    card_connect(to);
    len = tcp_put(c, 60000);
    chain_send(c, len, 1448);
    ring_bell(to, to->port);
    assert_true(receive(to, &r));
    assert_int_equal(r.len, len);
    assert_int_equal(r.flags & (NETRXF_csum_blank | NETRXF_extra_info), NETRXF_csum_blank | NETRXF_extra_info);
    assert_int_equal(r.gso.type, XEN_NETIF_EXTRA_TYPE_GSO);
    assert_int_equal(r.gso.u.gso.type, XEN_NETIF_GSO_TYPE_TCPV4);
    assert_int_equal(r.gso.u.gso.size, 1448);
    expect_data(r.bytes + 54, 0, 60000);
    end_net(&s);
}

/* One that does not gets packets, summed, as many as its buffers take at a time; none is lost. */
static void and_are_cut_for_others(void **state)
{
    static const char *const cannot[] = { "feature-gso-tcpv4", "feature-sg" };
    static struct received r;
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];
    unsigned int nr = 0, at = 0;

    begin_net(&s, *state, NULL);
    card_connect(c);
    for (unsigned int i = 0; i < ARRAY_SIZE(cannot); i++) {
        card_words(to);
        front_write(to, cannot[i], 0);
        for (unsigned int j = 0; j < RX_PAGES; j++)
            buffer_put(to, j);
        front_state(to, XenbusStateConnected);
        chain_send(c, tcp_put(c, 60000), 1448);
        for (nr = at = 0; at < 60000; nr++) {
            if (to->rx_cons == rx_ring(to)->rsp_prod)
                ring_bell(to, to->port);
            assert_true(receive(to, &r));
            assert_in_range(r.len, 55, 54 + 1448);
            assert_int_equal(r.flags, NETRXF_data_validated);
            assert_int_equal(r.bytes[41] | r.bytes[40] << 8 | r.bytes[39] << 16, at);
            expect_data(r.bytes + 54, at, r.len - 54);
            at += r.len - 54;
        }
        assert_int_equal(nr, 42);
        front_state(to, XenbusStateClosed);
        front_state(to, XenbusStateInitialising);
    }
    end_net(&s);
}

/* It dies in the midst of one: end_net() finds what would be left. */
static void cut_in_vain(void **state)
{
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];

    begin_net(&s, *state, NULL);
    card_connect(c);
    card_words(to);
    front_write(to, "feature-gso-tcpv4", 0);
    for (unsigned int i = 0; i < 5; i++)
        buffer_put(to, i);
    front_state(to, XenbusStateConnected);
    chain_send(c, tcp_put(c, 60000), 1448);
    assert_int_equal(rx_ring(to)->rsp_prod, 5);
    front_state(to, XenbusStateClosed);
    assert_int_equal(s.net.bridges.pool.in_use, 0);
    end_net(&s);
}

/* A sum that is blank is filled in for one who says that it must be. */
static void sums_for_who_needs_them(void **state)
{
    static struct received r;
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];

    begin_net(&s, *state, NULL);
    card_connect(c);
    card_words(to);
    front_write(to, "feature-no-csum-offload", 1);
    buffer_put(to, 0);
    front_state(to, XenbusStateConnected);
    chain_send(c, tcp_put(c, 1000), 0);
    assert_true(receive(to, &r));
    assert_int_equal(r.flags, NETRXF_data_validated);
    assert_true(r.bytes[50] || r.bytes[51]);
    end_net(&s);
}

/* Headers that are spread over pieces, the first of them shorter than Ethernet's: the same packet as in one. */
static void headers_in_pieces(void **state)
{
    static const unsigned int sizes[] = { 86, 85, 50, 34, 33, 15, 14, 13, 7, 5 };
    static struct received r, whole;
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];
    uint8_t *p;

    begin_net(&s, *state, NULL);
    card_connect(c);
    card_words(to);
    front_write(to, "feature-no-csum-offload", 1);
    for (unsigned int i = 0; i < RX_PAGES; i++)
        buffer_put(to, i);
    front_state(to, XenbusStateConnected);
    p = page(c, TX_PAGE);
    header(p, 0, 1);
    memcpy(p + 12, (uint8_t[]){ 0x08, 0, 0x45, 0, 0, 72 }, 6);
    p[23] = 6;
    p[46] = 0x50;
    for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (unsigned int at = 0; at < 86; at += sizes[i]) {
            const unsigned int len = at + sizes[i] < 86 ? sizes[i] : 86 - at;

            tx_put(c, &(netif_tx_request_t){ .gref = c->first + TX_PAGE,
                                             .offset = (uint16_t)at,
                                             .flags = (uint16_t)((at ? 0 : NETTXF_csum_blank | NETTXF_data_validated) |
                                                                 (at + len < 86 ? NETTXF_more_data : 0)),
                                             .id = (uint16_t)at,
                                             .size = (uint16_t)(at ? len : 86) });
        }
        ring_bell(c, c->port);
        while (c->tx_cons != c->tx_prod)
            assert_int_equal(tx_answer(c), NETIF_RSP_OKAY);
        assert_true(receive(to, i ? &r : &whole));
        ring_bell(to, to->port);
        assert_int_equal((i ? &r : &whole)->len, 86);
        assert_memory_equal((i ? &r : &whole)->bytes, whole.bytes, 86);
        assert_true(whole.bytes[50] || whole.bytes[51]);
    }
    end_net(&s);
}

/* A notification for a batch, to each side; and none that was not asked for. */
static void one_notification(void **state)
{
    static struct received r;
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];

    begin_net(&s, *state, NULL);
    card_connect(c);
    card_connect(to);
    works(c, to);
    works(to, c);
    was_told(c, c->port);
    was_told(to, to->port);
    tx_ring(c)->rsp_event = c->tx_cons + 1;
    rx_ring(to)->rsp_event = to->rx_cons + 1;
    for (unsigned int i = 0; i < 10; i++) {
        netif_tx_request_t q = { .gref = c->first + TX_PAGE, .id = (uint16_t)i, .size = 100 };

        tx_put(c, &q);
    }
    ring_bell(c, c->port);
    assert_true(was_told(c, c->port));
    assert_true(was_told(to, to->port));
    for (unsigned int i = 0; i < 10; i++) {
        assert_int_equal(tx_ring(c)->ring[c->tx_cons % 256].rsp.id, i);
        assert_int_equal(tx_answer(c), NETIF_RSP_OKAY);
        assert_true(receive(to, &r));
    }
    tx_ring(c)->rsp_event = c->tx_cons + 5;
    rx_ring(to)->rsp_event = to->rx_cons + 5;
    send_one(c, 1, 60, 1);
    assert_false(was_told(c, c->port));
    assert_false(was_told(to, to->port));
    end_net(&s);
}

/* A front end without buffers: 256 frames wait, the rest is dropped; nobody else waits, and they come when it can. */
static void no_buffers(void **state)
{
    static struct received r;
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];
    unsigned int nr = 0;

    begin_net(&s, *state, NULL);
    card_connect(c);
    card_connect(&s.card[2]);
    card_words(to);
    front_state(to, XenbusStateConnected);
    for (unsigned int i = 0; i < 300; i++) {
        send_one(c, 1, 60, (uint8_t)i);
        assert_int_equal(tx_answer(c), NETIF_RSP_OKAY);
        receive(&s.card[2], &r); /* it is not known yet where 1 is */
    }
    works(c, &s.card[2]);
    for (unsigned int i = 0; i < RX_PAGES; i++)
        buffer_put(to, i);
    ring_bell(to, to->port);
    while (receive(to, &r)) {
        assert_int_equal(r.bytes[59], (uint8_t)nr);
        nr++;
        if (to->rx_cons == rx_ring(to)->rsp_prod)
            ring_bell(to, to->port);
    }
    assert_int_equal(nr, BRIDGE_QUEUE);
    end_net(&s);
}

/* A port for each ring. */
static void split_ports(void **state)
{
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];

    begin_net(&s, *state, NULL);
    card_connect(c);
    card_words(to);
    front_rm(to, "event-channel");
    front_write(to, "event-channel-tx", to->port);
    front_write(to, "event-channel-rx", to->rx_port = port_open(to));
    for (unsigned int i = 0; i < RX_PAGES; i++)
        buffer_put(to, i);
    front_state(to, XenbusStateConnected);
    expect_back(to, "state", "4");
    was_told(to, to->port);
    was_told(to, to->rx_port);
    works(c, to);
    assert_true(was_told(to, to->rx_port));
    assert_false(was_told(to, to->port));
    works(to, c);
    assert_true(was_told(to, to->port));
    end_net(&s);
}

/* Two queues: a connection stays in one, and both are used. */
static void several_queues(void **state)
{
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];
    unsigned int used[2] = { 0, 0 };

    begin_net(&s, *state, NULL);
    card_connect(c);
    card_words(to);
    front_write(to, "multi-queue-num-queues", 2);
    for (unsigned int q = 0; q < 2; q++) {
        netif_rx_sring_t *rx = (void *)page(to, q ? 3 : 1);
        netif_tx_sring_t *tx = (void *)page(to, q ? 2 : 0);
        char node[40];

        memset(rx, 0, PAGE_SIZE);
        memset(tx, 0, PAGE_SIZE);
        SHARED_RING_INIT(rx);
        SHARED_RING_INIT(tx);
        for (unsigned int i = 0; i < 200; i++)
            rx->ring[i].req = (netif_rx_request_t){ .id = (uint16_t)i, .gref = to->first + RX_PAGE };
        rx->req_prod = 200;
        snprintf(node, sizeof(node), "queue-%u/tx-ring-ref", q);
        front_write(to, node, to->first + (q ? 2 : 0));
        snprintf(node, sizeof(node), "queue-%u/rx-ring-ref", q);
        front_write(to, node, to->first + (q ? 3 : 1));
        snprintf(node, sizeof(node), "queue-%u/event-channel", q);
        front_write(to, node, q ? port_open(to) : to->port);
    }
    front_state(to, XenbusStateConnected);
    expect_back(to, "state", "4");
    for (unsigned int i = 0; i < 100; i++) {
        const unsigned int before[2] = { ((netif_rx_sring_t *)(void *)page(to, 1))->rsp_prod,
                                         ((netif_rx_sring_t *)(void *)page(to, 3))->rsp_prod };
        unsigned int after[2];

        const unsigned int len = tcp_put(c, 10);
        page(c, TX_PAGE)[35] = (uint8_t)(i / 2); /* its port */
        chain_send(c, len, 0);
        after[0] = ((netif_rx_sring_t *)(void *)page(to, 1))->rsp_prod - before[0];
        after[1] = ((netif_rx_sring_t *)(void *)page(to, 3))->rsp_prod - before[1];
        assert_int_equal(after[0] + after[1], 1);
        if (i % 2)
            assert_int_equal(after[0], used[0]);
        used[0] = after[0];
        used[1] += after[1];
    }
    assert_in_range(used[1], 20, 80);
    end_net(&s);
}

/* Groups that are asked for; everybody, and the card itself, always. */
static void groups(void **state)
{
    static struct received r;
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];

    begin_net(&s, *state, NULL);
    card_connect(c);
    card_words(to);
    front_write(to, "request-multicast-control", 1);
    for (unsigned int i = 0; i < RX_PAGES; i++)
        buffer_put(to, i);
    front_state(to, XenbusStateConnected);
    works(c, to);
    for (unsigned int step = 0; step < 4; step++) {
        netif_tx_request_t q = { .gref = c->first + TX_PAGE, .size = 60 };

        header(page(c, TX_PAGE), 0, 1);
        page(c, TX_PAGE)[0] = 1; /* the group that has otherwise this name */
        tx_put(c, &q);
        ring_bell(c, c->port);
        assert_int_equal(tx_answer(c), NETIF_RSP_OKAY);
        assert_int_equal(receive(to, &r), step == 1 || step == 2);
        if (step != 1) { /* add, remove, remove again */
            struct netif_extra_info e = { .type = step == 0 ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD
                                                            : XEN_NETIF_EXTRA_TYPE_MCAST_DEL };

            memcpy(e.u.mcast.addr, page(c, TX_PAGE), 6);
            q = (netif_tx_request_t){ .flags = NETTXF_extra_info };
            tx_put(to, &q);
            extra_put(to, &e);
            ring_bell(to, to->port);
            assert_int_equal(tx_answer(to), NETIF_RSP_OKAY);
            assert_int_equal(tx_answer(to), NETIF_RSP_NULL);
        }
    }
    send_one(c, EVERYBODY, 60, 9);
    assert_true(receive(to, &r));
    for (unsigned int wish = 0; wish < 4; wish++) { /* it may change its mind */
        netif_tx_request_t q = { .gref = c->first + TX_PAGE, .size = 60 };

        front_write(to, "request-multicast-control", wish % 2);
        run(&s);
        page(c, TX_PAGE)[0] = 1;
        tx_put(c, &q);
        ring_bell(c, c->port);
        assert_int_equal(tx_answer(c), NETIF_RSP_OKAY);
        assert_int_equal(receive(to, &r), wish % 2 == 0);
    }
    expect_back(to, "state", "4");
    end_net(&s);
}

/* rate= 1,000 bytes each 10 ms: 100 frames of 100 take 90 ms of virtual time, and none is lost. */
static void rate(void **state)
{
    static struct received r;
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];
    unsigned int nr = 0;

    begin_net(&s, *state, "1000,10000");
    card_connect(c);
    card_connect(to);
    for (unsigned int i = 0; i < 100; i++) {
        netif_tx_request_t q = { .gref = c->first + TX_PAGE, .size = 100 };

        header(page(c, TX_PAGE), 0, 1);
        tx_put(c, &q);
    }
    for (unsigned int ms = 0; ms < 95; ms++) {
        ring_bell(c, c->port);
        ring_bell(to, to->port);
        while (receive(to, &r))
            nr++;
        assert_in_range(nr, ms / 10 * 10 + 10, ms / 10 * 10 + 20);
        s.f->m->clock.now += MILLISECS(1);
    }
    assert_int_equal(nr, 100);
    end_net(&s);
}

/* The indices of rings run over where 32 bits end, and begin where the rings say. */
static void indices_wrap(void **state)
{
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];

    begin_net(&s, *state, NULL);
    card_connect(to);
    card_words(c);
    c->tx_prod = c->tx_cons = tx_ring(c)->req_prod = tx_ring(c)->rsp_prod = -7u;
    c->rx_prod = c->rx_cons = rx_ring(c)->req_prod = rx_ring(c)->rsp_prod = -30u;
    for (unsigned int i = 0; i < RX_PAGES; i++)
        buffer_put(c, i);
    front_state(c, XenbusStateConnected);
    expect_back(c, "state", "4");
    for (unsigned int i = 0; i < 40; i++) {
        works(c, to);
        works(to, c);
    }
    assert_int_equal(tx_ring(c)->req_prod, 40 - 7);
    assert_int_equal(rx_ring(c)->rsp_prod, 40 - 30);
    end_net(&s);
}

/* --- who looks --- */

static struct task_ring ring_seen(struct scene *s, struct card *c, const char *name)
{
    const struct evtchn *chn = evtchn_from_port(s->f->d, c->port);
    struct task_ring r[NATIVE_RINGS_PER_PORT];
    evtchn_port_t port = chn->u.interdomain.remote_port;
    const size_t nr = native_rings(native_vcpu(back_kernel(s->f)), &port, r);

    assert_int_equal(port, chn->u.interdomain.remote_port);
    assert_int_equal(nr, 2);
    assert_string_equal(r[0].device, "vif");
    assert_int_equal(r[0].front, s->f->d->domain_id);
    return r[strcmp(r[0].name, name) != 0];
}

static void expect_letters(struct scene *s, struct card *c, const char *name, const char *begin)
{
    const struct task_ring r = ring_seen(s, c, name);

    assert_string_equal(r.name, name);
    assert_int_equal(r.size, 256);
    assert_memory_equal(r.letter, begin, strlen(begin));
    assert_int_equal(strspn(r.letter + strlen(begin), "."), r.size - strlen(begin));
}

static struct trace_record told[64];
static unsigned int nr_told;

static void told_of(void *data, const struct trace_record *rec)
{
    if (rec->event == TRC_ring || rec->event == TRC_ring_full || rec->event == TRC_ring_free)
        told[nr_told++ % ARRAY_SIZE(told)] = *rec;
}

static bool was_told_of(unsigned int event, uint64_t kind, uint64_t third)
{
    for (unsigned int i = 0; i < nr_told; i++)
        if (told[i].event == event && told[i].arg[1] == kind && told[i].arg[2] == third)
            return true;
    return false;
}

/* A ring that fills, as its guest may send little: letters, since when it is full, and what is told of that. */
static void a_ring_fills(void **state)
{
    static struct received r;
    struct scene s;
    struct card *c = &s.card[0], *to = &s.card[1];
    s_time_t filled;

    begin_net(&s, *state, "100,10000");
    s.f->m->edges->trace.sink = told_of;
    nr_told = 0;
    card_connect(c);
    card_connect(to);
    expect_letters(&s, c, "tx", "");
    expect_letters(&s, c, "rx", "RRRRRRRRRRRRRRRRRRRR");
    send_one(c, 1, 100, 1); /* all that it may */
    expect_letters(&s, c, "tx", "A");
    expect_letters(&s, to, "rx", "ARRRRRRRRRRRRRRRRRRR");
    assert_int_equal(ring_seen(&s, to, "rx").sent, 1);
    assert_true(was_told_of(TRC_ring, TRACE_RING_NET_TX, 0));
    assert_true(was_told_of(TRC_ring, TRACE_RING_NET_TX_RSP, 0));
    assert_true(was_told_of(TRC_ring, TRACE_RING_NET_RX, 0));
    assert_true(was_told_of(TRC_ring, TRACE_RING_NET_RX_RSP, 0));
    assert_int_equal(tx_answer(c), NETIF_RSP_OKAY);
    for (unsigned int i = 0; i < 256; i++) {
        netif_tx_request_t q = { .gref = c->first + TX_PAGE, .size = 100 };

        tx_put(c, &q);
    }
    assert_int_equal(ring_seen(&s, c, "tx").full_since, 0); /* nobody has told the back end yet */
    filled = s.f->m->clock.now;
    ring_bell(c, c->port);
    assert_in_range(ring_seen(&s, c, "tx").full_since, filled, s.f->m->clock.now);
    assert_true(was_told_of(TRC_ring_full, TRACE_RING_NET_TX, 256));
    assert_int_equal(strspn(ring_seen(&s, c, "tx").letter, "R"), 256);
    s.f->m->clock.now = filled + MILLISECS(20);
    ring_bell(c, c->port);
    assert_int_equal(ring_seen(&s, c, "tx").full_since, 0);
    while (told[nr_told - 1].event != TRC_ring_free)
        assert_int_not_equal(--nr_told, 0);
    assert_in_range(told[nr_told - 1].arg[2], MILLISECS(19), MILLISECS(21));
    while (receive(to, &r))
        continue;
    s.f->m->edges->trace.sink = NULL;
    end_net(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(offers),
        ON_BOTH(frames_pass),
        ON_BOTH(bridges_are_apart),
        ON_BOTH(pieces),
        ON_BOTH(long_segments_stay),
        ON_BOTH(and_are_cut_for_others),
        ON_BOTH(cut_in_vain),
        ON_BOTH(sums_for_who_needs_them),
        ON_BOTH(headers_in_pieces),
        ON_BOTH(one_notification),
        ON_BOTH(no_buffers),
        ON_BOTH(split_ports),
        ON_BOTH(several_queues),
        ON_BOTH(groups),
        ON_BOTH(rate),
        ON_BOTH(indices_wrap),
        ON_BOTH(a_ring_fills),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
