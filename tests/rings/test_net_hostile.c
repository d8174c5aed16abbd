// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What front ends of the network may do that makes no sense: one table of attacks, with what becomes of each. After
 * each of them two other cards reach each other as before, and the attacker may begin again.
 *
 * Concept: an attack has a hand that prepares the words or the ring, and an answer: an error for that packet, the end
 * of that card, or nothing at all.
 *
 * When could this pass wrongly? If an attack did not get as far as it means to: so a packet of the attacker's that is
 * right precedes each, and goes through.
 *
 * Budget: the table.
 */
#include "tests/rings/netfront.h"

enum answer { ERROR, ENDS, GOES_ON };

/* --- hands --- */

static netif_tx_request_t plain(const struct card *c)
{
    return (netif_tx_request_t){ .gref = c->first + TX_PAGE, .id = 7, .size = 100 };
}

static void send(struct card *c, netif_tx_request_t q) { tx_put(c, &q); }

static void size(struct card *c, unsigned int n)
{
    netif_tx_request_t q = plain(c);

    q.size = (uint16_t)n;
    send(c, q);
}

static void offset(struct card *c, unsigned int n)
{
    netif_tx_request_t q = plain(c);

    q.offset = (uint16_t)n;
    send(c, q);
}

static void ref(struct card *c, unsigned int n)
{
    netif_tx_request_t q = plain(c);

    q.gref = n;
    send(c, q);
}

static void revoked(struct card *c, unsigned int n)
{
    grant(c, n, 0);
    ref(c, c->first + n);
}

/* Page n of the card is one of its page tables, of which the fixture's first is as good as any. */
static void table_page(struct card *c, unsigned int n)
{
    const struct domain *d = c->s->f->d;
    const mfn_t own = c->mfn[n];
    struct page_info *pg = page_list_first(c->s->f->xen, &d->page_list);

    while ((pg->type_info & PGT_type_mask) != PGT_l1_page_table)
        pg = page_list_next(c->s->f->xen, pg);
    c->mfn[n] = page_to_mfn(c->s->f->xen, pg);
    grant(c, n, GTF_permit_access);
    c->mfn[n] = own;
}

/* n slots of 20 bytes each. */
static void chain(struct card *c, unsigned int n)
{
    netif_tx_request_t q = plain(c);

    for (unsigned int i = 0; i < n; i++) {
        q.size = (uint16_t)(i ? 20 : 20 * n);
        q.flags = i + 1 < n ? NETTXF_more_data : 0;
        send(c, q);
    }
}

/* A second slot of n bytes; the first says 100. */
static void second(struct card *c, unsigned int n)
{
    netif_tx_request_t q = plain(c);

    q.flags = NETTXF_more_data;
    send(c, q);
    size(c, n);
}

/* n times extra information, of a type; more: another one is said to follow the last. */
static void extras(struct card *c, unsigned int type, unsigned int n, bool more)
{
    netif_tx_request_t q = plain(c);

    q.flags = NETTXF_extra_info;
    send(c, q);
    for (unsigned int i = 0; i < n; i++) {
        struct netif_extra_info e = { .type = (uint8_t)type,
                                      .flags = i + 1 < n || more ? XEN_NETIF_EXTRA_FLAG_MORE : 0 };

        e.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
        e.u.gso.size = 100;
        extra_put(c, &e);
    }
}

static void extra_type(struct card *c, unsigned int n) { extras(c, n, 1, false); }
static void extra_many(struct card *c, unsigned int n) { extras(c, XEN_NETIF_EXTRA_TYPE_HASH, n, false); }
static void extra_endless(struct card *c, unsigned int n) { extras(c, XEN_NETIF_EXTRA_TYPE_HASH, n, true); }

/* A TCP packet, whole: what is said of it is wrong. */
static void tcp(struct card *c, uint16_t flags, unsigned int gso_type, unsigned int gso_size, unsigned int len)
{
    netif_tx_request_t q = plain(c);
    struct netif_extra_info e = { .type = XEN_NETIF_EXTRA_TYPE_GSO };
    uint8_t *p = page(c, TX_PAGE);

    memset(p, 0, PAGE_SIZE);
    header(p, c->devid, 1);
    memcpy(p + 12, (uint8_t[]){ 0x08, 0, 0x45, 0, 0, 86 }, 6);
    p[23] = 6;
    p[46] = 0x50;
    q.size = (uint16_t)len;
    q.flags = (uint16_t)(flags | (gso_type < 256 ? NETTXF_extra_info : 0));
    send(c, q);
    e.u.gso.type = (uint8_t)gso_type;
    e.u.gso.size = (uint16_t)gso_size;
    if (gso_type < 256)
        extra_put(c, &e);
}

#define NO_GSO 256u

static void gso_type(struct card *c, unsigned int n) { tcp(c, NETTXF_csum_blank, n, 10, 100); }
static void gso_size(struct card *c, unsigned int n) { tcp(c, NETTXF_csum_blank, XEN_NETIF_GSO_TYPE_TCPV4, n, 100); }
static void gso_no_sum(struct card *c, unsigned int n) { tcp(c, 0, XEN_NETIF_GSO_TYPE_TCPV4, 10, n); }
static void gso_of_6(struct card *c, unsigned int n) { tcp(c, NETTXF_csum_blank, XEN_NETIF_GSO_TYPE_TCPV6, 10, n); }
static void cut_header(struct card *c, unsigned int n) { tcp(c, NETTXF_csum_blank, NO_GSO, 0, n); }

static void sum_of_nothing(struct card *c, unsigned int n)
{
    netif_tx_request_t q = plain(c);

    q.size = (uint16_t)n;
    q.flags = NETTXF_csum_blank;
    send(c, q);
}

static void tx_index(struct card *c, unsigned int n) { tx_ring(c)->req_prod = c->tx_prod + n; }
static void rx_index(struct card *c, unsigned int n) { rx_ring(c)->req_prod = c->rx_prod + n; }

static void our_index(struct card *c, unsigned int n)
{
    tx_ring(c)->rsp_prod += n;
    rx_ring(c)->rsp_prod += n;
}

static void events_absurd(struct card *c, unsigned int n)
{
    tx_ring(c)->rsp_event = n;
    rx_ring(c)->rsp_event = n;
}

static void storm(struct card *c, unsigned int n)
{
    while (n--)
        ring_bell(c, c->port);
}

/* The answer to a packet that is sent to it is not what it seems. */
static void rx_ref(struct card *c, unsigned int n)
{
    for (unsigned int i = 0; i < 256; i++)
        rx_ring(c)->ring[i].req.gref = n;
}

static void rx_readonly(struct card *c, unsigned int n)
{
    for (unsigned int i = 0; i < RX_PAGES; i++)
        grant(c, RX_PAGE + i, (uint16_t)n);
}

static void rx_same(struct card *c, unsigned int n) { rx_ref(c, c->first + n); }

static void macs(struct card *c, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        netif_tx_request_t q = plain(c);
        uint8_t *p = page(c, TX_PAGE);

        header(p, 0, EVERYBODY);
        p[6] = 2;
        p[7] = (uint8_t)(i >> 8);
        p[8] = (uint8_t)i;
        send(c, q);
        ring_bell(c, c->port);
        while (tx_answer(c) <= NETIF_RSP_NULL)
            ;
    }
}

/* It says that it is somebody else, who says otherwise with the next packet. */
static void forged(struct card *c, unsigned int n)
{
    header(page(c, TX_PAGE), n, EVERYBODY);
    send(c, plain(c));
    ring_bell(c, c->port);
    tx_answer(c);
}

static void many_groups(struct card *c, unsigned int n)
{
    struct netif_extra_info e = { .type = XEN_NETIF_EXTRA_TYPE_MCAST_ADD };
    netif_tx_request_t q = plain(c);

    q.flags = NETTXF_extra_info;
    for (unsigned int i = 0; i < n; i++) {
        e.u.mcast.addr[5] = (uint8_t)i;
        tx_put(c, &q);
        extra_put(c, &e);
        ring_bell(c, c->port);
        if (i + 1 < n)
            while (tx_answer(c) <= NETIF_RSP_NULL)
                ;
    }
}

static void broadcasts(struct card *c, unsigned int n)
{
    while (n--) {
        send_one(c, EVERYBODY, 60, 1);
        tx_answer(c);
    }
}

static void rx_ids(struct card *c, unsigned int n)
{
    for (unsigned int i = 0; i < 256; i++)
        rx_ring(c)->ring[i].req.id = (uint16_t)n;
}

static void rings_anew(struct card *c, unsigned int n)
{
    memset(page(c, n), 0, PAGE_SIZE);
    if (n)
        SHARED_RING_INIT(rx_ring(c));
    else
        SHARED_RING_INIT(tx_ring(c));
}

/* The ring is mapped: that it is no longer granted is of no matter until it is not. */
static void ring_revoked(struct card *c, unsigned int n) { grant(c, n, 0); }

static void port_closed(struct card *c, unsigned int n) { port_shut(c, c->port); }

/* The rest of it never comes. */
static void unfinished(struct card *c, unsigned int n)
{
    netif_tx_request_t q = plain(c);

    q.size = (uint16_t)(100 * n);
    for (unsigned int i = 0; i < n; i++) {
        q.flags = NETTXF_more_data;
        send(c, q);
        q.size = 100;
    }
}

/* --- the table --- */

static const struct attack {
    const char *what;
    void (*hand)(struct card *c, unsigned int n);
    unsigned int n;
    enum answer answer;
    const char *why; /* ENDS */
} attacks[] = {
    { "size 0", size, 0, ERROR, NULL },
    { "less than a header", size, 13, ERROR, NULL },
    { "beyond the page", size, 4097, ERROR, NULL },
    { "64 KiB in one slot", size, 65535, ERROR, NULL },
    { "offset at the end", offset, 4000, ERROR, NULL },
    { "offset beyond", offset, 65535, ERROR, NULL },
    { "offset and size that wrap", offset, 65436, ERROR, NULL },
    { "no such reference", ref, 500, ERROR, NULL },
    { "reference beyond the table", ref, UINT32_MAX, ERROR, NULL },
    { "reference that is revoked", revoked, TX_PAGE + 1, ERROR, NULL },
    { "19 slots", chain, 19, ERROR, NULL },
    { "20 slots", chain, 20, ERROR, NULL },
    { "21 slots", chain, 21, ENDS, "71 a packet of more slots than there can be" },
    { "60 slots", chain, 60, ENDS, "71 a packet of more slots than there can be" },
    { "a piece as large as all", second, 100, ERROR, NULL },
    { "a piece larger than all", second, 101, ENDS, "71 pieces that are larger than the packet" },
    { "a piece of nothing", second, 0, ERROR, NULL },
    { "extra of type 0", extra_type, 0, ENDS, "71 no such extra information" },
    { "extra of type 5", extra_type, 5, ENDS, "71 no such extra information" },
    { "extra of type 255", extra_type, 255, ENDS, "71 no such extra information" },
    { "five extras", extra_many, 5, ENDS, "71 no such extra information" },
    { "extras without end", extra_endless, 200, ENDS, "71 no such extra information" },
    { "GSO of no kind", gso_type, 0, ERROR, NULL },
    { "GSO of an unknown kind", gso_type, 3, ERROR, NULL },
    { "GSO of size 0", gso_size, 0, ERROR, NULL },
    { "GSO without a blank sum", gso_no_sum, 100, ERROR, NULL },
    { "GSO of IPv6 that is IPv4", gso_of_6, 100, ERROR, NULL },
    { "sum of an IP header that is cut off", cut_header, 30, ERROR, NULL },
    { "sum of a TCP header that is cut off", cut_header, 53, ERROR, NULL },
    { "sum of what is no IP", sum_of_nothing, 100, ERROR, NULL },
    { "tx index too far", tx_index, 257, ENDS, "71 the ring's indices cannot be" },
    { "tx index backwards", tx_index, -1u, ENDS, "71 the ring's indices cannot be" },
    { "tx index half around", tx_index, 1u << 31, ENDS, "71 the ring's indices cannot be" },
    { "rx index too far", rx_index, 257, ENDS, "71 the ring's indices cannot be" },
    { "rx index backwards", rx_index, -100u, ENDS, "71 the ring's indices cannot be" },
    { "our indices overwritten", our_index, 1000, GOES_ON, NULL },
    { "events that cannot be", events_absurd, 1u << 31, GOES_ON, NULL },
    { "storm of notifications", storm, 2000, GOES_ON, NULL },
    { "buffers without a grant", rx_ref, 500, GOES_ON, NULL },
    { "buffers that may not be written", rx_readonly, GTF_permit_access | GTF_readonly, GOES_ON, NULL },
    { "one buffer for all", rx_same, RX_PAGE, GOES_ON, NULL },
    { "buffers in the ring", rx_same, 1, GOES_ON, NULL },
    { "3,000 addresses", macs, 3000, GOES_ON, NULL },
    { "another's address", forged, 1, GOES_ON, NULL },
    { "a group too many", many_groups, 65, ERROR, NULL },
    { "a storm of broadcasts", broadcasts, 1000, GOES_ON, NULL },
    { "all buffers of one name", rx_ids, 3, GOES_ON, NULL },
    { "tx ring begun anew", rings_anew, 0, ENDS, "71 the ring's indices cannot be" },
    { "rx ring begun anew, with no buffer", rings_anew, 1, GOES_ON, NULL },
    { "tx ring not granted any more", ring_revoked, 0, GOES_ON, NULL },
    { "rx ring not granted any more", ring_revoked, 1, GOES_ON, NULL },
    { "its port closed", port_closed, 0, GOES_ON, NULL },
    { "a packet that never ends", unfinished, 3, GOES_ON, NULL },
};

static void others_go_on(struct scene *s)
{
    works(&s->card[1], &s->card[2]);
    works(&s->card[2], &s->card[1]);
}

static void expect_answer(struct card *c, const struct attack *a)
{
    char value[64];

    if (a->answer == ENDS) {
        expect_back(c, "state", "5");
        assert_string_equal(error_node(c, value), a->why);
        return;
    }
    expect_back(c, "state", "4");
    if (a->answer == ERROR)
        for (int rc; (rc = tx_answer(c)) <= NETIF_RSP_NULL;)
            assert_true(rc == NETIF_RSP_ERROR || rc == NETIF_RSP_NULL);
}

static void the_table(void **state)
{
    struct scene s;
    struct card *c = &s.card[0];

    begin_net(&s, *state, NULL);
    for (unsigned int i = 0; i < CARDS; i++)
        card_connect(&s.card[i]);
    for (unsigned int i = 0; i < ARRAY_SIZE(attacks); i++) {
        const struct attack *a = &attacks[i];
        uint32_t before;

        print_message("%s\n", a->what);
        works(c, &s.card[1]);
        before = c->tx_cons;
        a->hand(c, a->n);
        ring_bell(c, c->port);
        if (a->answer == ERROR)
            assert_true(tx_ring(c)->rsp_prod != before);
        others_go_on(&s);
        send_one(&s.card[1], 0, 200, 1);
        others_go_on(&s);
        expect_answer(c, a);
        for (unsigned int ref = 0; ref < REFS; ref++)
            grant(c, ref, GTF_permit_access);
        card_again(c);
    }
    printf("%zu attacks\n", ARRAY_SIZE(attacks));
    end_net(&s);
}

/* What a front end says of itself: the card ends with these words, and nothing of it is held. */
static void wrong_words(void **state)
{
    static const struct {
        const char *node, *value, *why;
    } wrong[] = {
        { "request-rx-copy", "0", "95 request-rx-copy is not set: nothing else is offered" },
        { "request-rx-copy", "", "95 request-rx-copy is not set: nothing else is offered" },
        { "tx-ring-ref", "500", "22 tx-ring-ref cannot be mapped" },
        { "tx-ring-ref", "4294967296", "22 tx-ring-ref is missing, or no reference" },
        { "tx-ring-ref", "-1", "22 tx-ring-ref is missing, or no reference" },
        { "tx-ring-ref", "8x", "22 tx-ring-ref is missing, or no reference" },
        { "tx-ring-ref", "9", "22 rx-ring-ref is another ring's page" }, /* that is rx's */
        { "rx-ring-ref", "500", "22 rx-ring-ref cannot be mapped" },
        { "rx-ring-ref", "", "22 rx-ring-ref is missing, or no reference" },
        { "event-channel", "0", "22 event-channel is missing, or no port" },
        { "event-channel", "4000", "22 event-channel cannot be bound" },
        { "multi-queue-num-queues", "0", "22 multi-queue-num-queues: 1 to 4" },
        { "multi-queue-num-queues", "5", "22 multi-queue-num-queues: 1 to 4" },
        { "multi-queue-num-queues", "4294967297", "22 multi-queue-num-queues: 1 to 4" },
        { "multi-queue-num-queues", "2", "22 queue-0/tx-ring-ref is missing, or no reference" },
    };
    struct scene s;
    struct card *c = &s.card[0];
    char value[64];

    begin_net(&s, *state, NULL);
    card_connect(&s.card[1]);
    card_connect(&s.card[2]);
    for (unsigned int i = 0; i <= ARRAY_SIZE(wrong) + 2; i++) {
        expect_back(c, "state", "2");
        card_words(c);
        if (i < ARRAY_SIZE(wrong)) {
            front_text(c, wrong[i].node, wrong[i].value);
        } else if (i == ARRAY_SIZE(wrong)) { /* another's port, which has its other end */
            front_write(c, "event-channel", s.card[1].port);
        } else { /* half of a split pair */
            front_rm(c, "event-channel");
            front_write(c, i == ARRAY_SIZE(wrong) + 1 ? "event-channel-tx" : "event-channel-rx", c->port);
        }
        front_state(c, XenbusStateConnected);
        expect_back(c, "state", "5");
        if (i < ARRAY_SIZE(wrong))
            assert_string_equal(error_node(c, value), wrong[i].why);
        for (unsigned int ref = 0; ref < REFS; ref++)
            assert_int_equal(s.f->d->grant_table->active[c->first + ref].pin, 0);
        others_go_on(&s);
        front_rm(c, "multi-queue-num-queues");
        front_rm(c, "event-channel-tx");
        front_rm(c, "event-channel-rx");
        front_state(c, XenbusStateClosed);
        front_state(c, XenbusStateInitialising);
    }
    card_connect(c);
    works(c, &s.card[1]);
    end_net(&s);
}

/* A ring that may not be written, is a page table, or is granted to somebody else: it cannot be mapped. */
static void rings_of_what_cannot_be(void **state)
{
    struct scene s;
    struct card *c = &s.card[0];
    char value[64];

    begin_net(&s, *state, NULL);
    card_connect(&s.card[1]);
    card_connect(&s.card[2]);
    for (unsigned int i = 0; i < 6; i++) {
        card_words(c);
        if (i % 3 == 1)
            table_page(c, i / 3);
        else
            grant(c, i / 3, (uint16_t)(GTF_permit_access | (i % 3 ? 0 : GTF_readonly)));
        if (i % 3 == 2)
            shared_entry_v1(s.f->d->grant_table, c->first + i / 3)->domid = 5;
        front_state(c, XenbusStateConnected);
        expect_back(c, "state", "5");
        assert_string_equal(error_node(c, value),
                            i / 3 ? "22 rx-ring-ref cannot be mapped" : "22 tx-ring-ref cannot be mapped");
        others_go_on(&s);
        grant(c, i / 3, GTF_permit_access);
        front_state(c, XenbusStateClosed);
        front_state(c, XenbusStateInitialising);
    }
    end_net(&s);
}

/* Buffers that are page tables: what arrives is not written there, and the card goes on with others. */
static void tables_are_not_written(void **state)
{
    uint8_t before[PAGE_SIZE];
    struct scene s;
    struct card *c = &s.card[0];
    struct page_info *pg;
    const uint8_t *table;

    begin_net(&s, *state, NULL);
    for (unsigned int i = 0; i < CARDS; i++)
        card_connect(&s.card[i]);
    works(&s.card[1], c);
    for (unsigned int i = 0; i < RX_PAGES; i++)
        table_page(c, RX_PAGE + i);
    pg = page_list_first(s.f->xen, &s.f->d->page_list);
    while ((pg->type_info & PGT_type_mask) != PGT_l1_page_table)
        pg = page_list_next(s.f->xen, pg);
    table = ram_page(s.f->m, page_to_mfn(s.f->xen, pg));
    memcpy(before, table, PAGE_SIZE);
    for (unsigned int i = 0; i < 3; i++)
        send_one(&s.card[1], 0, 1000, 0xff);
    assert_int_equal(rx_ring(c)->rsp_prod - c->rx_cons, 3);
    for (; c->rx_cons != rx_ring(c)->rsp_prod; c->rx_cons++) {
        assert_int_equal(rx_ring(c)->ring[c->rx_cons % 256].rsp.status, NETIF_RSP_ERROR);
        grant(c, RX_PAGE + c->rx_id[c->rx_cons % 256], GTF_permit_access);
        buffer_put(c, c->rx_id[c->rx_cons % 256]);
    }
    assert_memory_equal(before, table, PAGE_SIZE);
    for (unsigned int i = 0; i < RX_PAGES; i++)
        grant(c, RX_PAGE + i, GTF_permit_access);
    others_go_on(&s);
    works(&s.card[1], c);
    end_net(&s);
}

/* The front end, its directory, or ours goes away in each state, with packets on their way. */
static void deaths(void **state)
{
    struct scene s;
    struct card *c = &s.card[0];

    begin_net(&s, *state, NULL);
    card_connect(&s.card[1]);
    card_connect(&s.card[2]);
    for (unsigned int how = 0; how < 3; how++) {
        for (unsigned int at = 0; at < 5; at++) {
            const struct xs_access toolstack = xenstored_toolstack(s.st.x);

            if (at == 1)
                card_words(c);
            if (at >= 2)
                card_connect(c);
            if (at == 3) { /* it has given no buffers, and a packet is half there */
                rx_ring(c)->req_prod = rx_ring(c)->rsp_prod;
                unfinished(c, 2);
                send_one(&s.card[1], 0, 100, 1);
            }
            if (at == 4)
                front_state(c, XenbusStateClosing);
            if (how == 0)
                assert_int_equal(xs_rm(&toolstack, front_path(c, "")), 0);
            if (how == 1)
                assert_int_equal(xs_rm(&toolstack, back_path(c, "")), 0);
            if (how == 2)
                front_state(c, 99);
            run(&s);
            others_go_on(&s);
            for (unsigned int ref = 0; ref < REFS; ref++)
                assert_int_equal(s.f->d->grant_table->active[c->first + ref].pin, 0);
            if (c->port)
                port_shut(c, c->port);
            xs_rm(&toolstack, back_path(c, ""));
            xs_rm(&toolstack, front_path(c, ""));
            run(&s);
            card_add(&s, 0, "xenbr0", NULL);
        }
    }
    front_gone(&s.st, s.bus, "vif");
    end_net(&s);
}

/* Rings full of random words, and states that change: nothing is held afterwards, and others go on. */
static void random_words(void **state)
{
    const char *more = getenv("NET_RUNS");
    const unsigned int runs = more ? (unsigned int)atoi(more) : 150;
    struct scene s;
    struct card *c = &s.card[0];
    uint64_t prng = 1;
    unsigned int ended = 0;
    char value[64];

    begin_net(&s, *state, NULL);
    for (unsigned int i = 0; i < CARDS; i++)
        card_connect(&s.card[i]);
    for (unsigned int run = 0; run < runs; run++) {
        for (unsigned int step = 0; step < 3; step++) {
            const unsigned int nr = (unsigned int)random_of(&prng, 8);

            for (unsigned int i = 0; i < nr; i++) {
                netif_tx_request_t q = { .gref = c->first + (uint32_t)random_of(&prng, REFS + 4),
                                         .offset = (uint16_t)(random_of(&prng, 3) ? 0 : random_of(&prng, 65536)),
                                         .flags = (uint16_t)random_of(&prng, random_of(&prng, 12) ? 2 : 16),
                                         .size = (uint16_t)random_of(&prng, random_of(&prng, 4) ? 1500 : 65536) };

                tx_put(c, &q);
            }
            if (random_of(&prng, 20) == 0)
                page(c, 1)[random_of(&prng, PAGE_SIZE)] = (uint8_t)random_of(&prng, 256);
            if (random_of(&prng, 40) == 0)
                front_write(c, "state", random_of(&prng, 8));
            ring_bell(c, c->port);
            c->tx_prod = tx_ring(c)->req_prod;
        }
        ended += strcmp(read_node(&s, back_path(c, "state"), value), "4") != 0;
        others_go_on(&s);
        card_again(c);
    }
    printf("%u runs, %u of which ended the card\n", runs, ended);
    assert_in_range(ended, 1, runs - 1);
    end_net(&s);
}

/* --- whatever a front end can take --- */

enum { SG, GSO4, GSO6, NO_CSUM4, CSUM6, NR_FEATURES };

/* TCP of card 1 to card 0, of any size, whole or to be cut up, with its sum or without. */
static void send_any(struct card *c, uint64_t *prng)
{
    const bool v6 = random_of(prng, 2), gso = random_of(prng, 2);
    const unsigned int l3 = v6 ? 40 : 20, head = 14 + l3 + 20;
    const unsigned int total = head + (unsigned int)random_of(prng, gso ? 40000 : random_of(prng, 4) ? 1460 : 9000);
    struct netif_extra_info e = { .type = XEN_NETIF_EXTRA_TYPE_GSO };
    uint8_t *p = page(c, TX_PAGE), *ip = p + 14;

    memset(p, 0, 100);
    header(p, 1, 0);
    memcpy(p + 12, v6 ? (uint8_t[]){ 0x86, 0xdd } : (uint8_t[]){ 0x08, 0 }, 2);
    ip[0] = v6 ? 0x60 : 0x45;
    ip[v6 ? 4 : 2] = (uint8_t)((total - 14 - (v6 ? 40 : 0)) >> 8);
    ip[v6 ? 5 : 3] = (uint8_t)(total - 14 - (v6 ? 40 : 0));
    ip[v6 ? 6 : 9] = 6;
    ip[l3 + 12] = 0x50;
    for (unsigned int at = 0, i = 0; at < total; at += PAGE_SIZE, i++) {
        const unsigned int left = total - at, len = left < PAGE_SIZE ? left : (unsigned int)PAGE_SIZE;
        netif_tx_request_t q = { .gref = c->first + TX_PAGE + i,
                                 .size = (uint16_t)(i ? len : total),
                                 .flags = left > PAGE_SIZE ? NETTXF_more_data : 0 };

        if (!i)
            q.flags |= (uint16_t)((gso || random_of(prng, 2) ? NETTXF_csum_blank : 0) | (gso ? NETTXF_extra_info : 0));
        tx_put(c, &q);
        e.u.gso.type = v6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
        e.u.gso.size = (uint16_t)(1 + random_of(prng, 3000));
        if (!i && gso)
            extra_put(c, &e);
    }
    ring_bell(c, c->port);
    for (int rc; (rc = tx_answer(c)) <= NETIF_RSP_NULL;)
        assert_true(rc == NETIF_RSP_OKAY || rc == NETIF_RSP_NULL);
}

/* Is the sum of a TCP packet right? All words of it and of its pseudo header come to all ones. */
static bool sum_is_right(const uint8_t *bytes, unsigned int len, bool v6)
{
    const unsigned int l4 = v6 ? 54 : 34;
    uint64_t sum = 6 + len - l4;

    for (unsigned int i = v6 ? 22 : 26; i < len; i++) /* addresses, and what follows them */
        sum += i % 2 ? bytes[i] : (uint64_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

/* What has come is what it has said that it takes. How many there were. */
static unsigned int take_any(struct card *c, const bool *can)
{
    static struct received r;
    unsigned int nr = 0;

    for (; receive(c, &r); nr++) {
        const bool v6 = r.bytes[12] == 0x86;

        if (r.bytes[12] != 0x08 && !v6)
            continue;
        if (r.flags & NETRXF_csum_blank)
            assert_true(v6 ? can[CSUM6] : !can[NO_CSUM4]);
        if (r.flags & NETRXF_extra_info) {
            assert_int_equal(r.gso.type, XEN_NETIF_EXTRA_TYPE_GSO);
            assert_int_equal(r.gso.u.gso.type, v6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4);
            assert_true(can[SG] && can[v6 ? GSO6 : GSO4] && r.flags & NETRXF_csum_blank);
        }
        assert_true(r.len <= PAGE_SIZE || can[SG]);
        if (r.flags & NETRXF_data_validated && !(r.flags & NETRXF_csum_blank))
            assert_true(sum_is_right(r.bytes, r.len, v6));
        assert_int_equal(r.bytes[v6 ? 18 : 16] << 8 | r.bytes[v6 ? 19 : 17], r.len - 14 - (v6 ? 40 : 0));
    }
    return nr;
}

/* Front ends that can take this and not that: each gets what it can take. */
static void random_features(void **state)
{
    static const char *const names[] = { "feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6",
                                         "feature-no-csum-offload", "feature-ipv6-csum-offload" };
    const char *more = getenv("NET_RUNS");
    const unsigned int runs = more ? (unsigned int)atoi(more) : 64;
    struct scene s;
    struct card *c = &s.card[0];
    uint64_t prng = 3;
    unsigned int nr = 0;

    begin_net(&s, *state, NULL);
    card_connect(&s.card[1]);
    card_connect(&s.card[2]);
    for (unsigned int run = 0; run < runs; run++) {
        bool can[NR_FEATURES];

        card_words(c);
        for (unsigned int i = 0; i < NR_FEATURES; i++) {
            can[i] = random_of(&prng, 2);
            front_write(c, names[i], can[i]);
        }
        for (unsigned int i = 0; i < RX_PAGES; i++)
            buffer_put(c, i);
        front_state(c, XenbusStateConnected);
        expect_back(c, "state", "4");
        works(c, &s.card[2]); /* where it is */
        for (unsigned int i = 0; i < 8; i++) {
            send_any(&s.card[1], &prng);
            for (unsigned int n = 1; n; nr += n) {
                n = take_any(c, can);
                ring_bell(c, c->port);
            }
        }
        others_go_on(&s);
        expect_back(c, "state", "4");
        front_state(c, XenbusStateClosed);
        front_state(c, XenbusStateInitialising);
    }
    printf("%u runs, %u packets\n", runs, nr);
    assert_true(nr > runs * 8);
    end_net(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(the_table), ON_BOTH(wrong_words),  ON_BOTH(rings_of_what_cannot_be), ON_BOTH(tables_are_not_written),
        ON_BOTH(deaths),    ON_BOTH(random_words), ON_BOTH(random_features),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
