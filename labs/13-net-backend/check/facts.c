// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 13: the network back end, between a front end that is played here and a bridge with somebody else at it.
 *
 * Concept: each step is a card that has just been connected (card.h). It is used by the book, or by somebody hostile or
 * stalled, and what its two sides see is reported: answers, packets, buffers, events; and when the card ends, what is
 * left in use. While slots are read each access is watched, and something may be put into a ring just when the back end
 * has looked whether it is there.
 *
 * Budget: a kind of step for each thing to be looked at.
 */
#include "labs/13-net-backend/check/card.h"
#include "labs/kit/stores.h"

#define STEPS 120

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

/* Cut up, and wrong in that: the flags. */
static unsigned int wrong_gso(struct lab *l, struct packet *p, unsigned int n)
{
    const unsigned int size = n == 15 ? 0 : 100;
    unsigned int type = 1;

    switch (n) {
    case 13: type = 0; break;
    case 14:
    case 20: type = 3 + (unsigned int)kit_random(250); break;
    case 17: type = 2; break;
    }
    tcp_header(kit_front_frame(l->f, DATA), false, 300, 1);
    gso_add(p, type, size);
    return n == 16 ? 0 : NETTXF_csum_blank;
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
        "of three pieces, of which one has a reference that nobody granted",
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
        "cut up, of a kind that there is not, in three pieces",
        "cut up, in three pieces, of which the last has no bytes",
    };
    const unsigned int n = (unsigned int)kit_random(ARRAY_SIZE(what));
    uint8_t *bytes = kit_front_frame(l->f, DATA);
    unsigned int flags = 0;

    packet_one(l, p, 0, 300);
    for (unsigned int i = 1; i < ARRAY_SIZE(p->req); i++)
        p->req[i] = (netif_tx_request_t){ .gref = l->f->first + DATA + 1, .id = any_id(), .size = 10 };
    if ((n >= 13 && n < 18) || n >= 20)
        flags = wrong_gso(l, p, n);
    switch (n) {
    case 0: p->req[0].size = 0; break;
    case 1: p->req[0].size = 1 + (uint16_t)kit_random(13); break;
    case 2: p->req[0].offset = 3797 + (uint16_t)kit_random(299); break;
    case 3: p->req[0].size = 4097; break;
    case 4: p->req[0].size = 65535; break;
    case 5: p->req[0].offset = 65436, p->req[0].size = 100 + (uint16_t)kit_random(100); break;
    case 6: p->req[0].gref = NO_REF; break;
    case 7: p->nr = 3, p->req[kit_random(3)].gref = NO_REF; break;
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
    case 20: p->nr = 3; break;
    case 21: p->nr = 3, p->req[2].size = 0; break;
    }
    packet_flags(p, flags);
    snprintf(p->text, sizeof(p->text), "%s", what[n]);
}

static void step_hostile(struct lab *l)
{
    struct packet wrong, right[2], least;

    card_connected(l, &(struct card){ 0 });
    hostile(l, &wrong);
    packet_one(l, &least, 5, NET_FRAME_MIN);
    packet_right(l, &right[0], 4, 1);
    packet_right(l, &right[1], 6, 2);
    kit_step("a packet %s, between two right ones; then one of %s", wrong.text, least.text);
    packet_put(l, l->q, &right[0]);
    packet_put(l, l->q, &wrong);
    packet_put(l, l->q, &right[1]);
    packet_put(l, l->q, &least);
    tx_send(l, l->q);
    run_watched(l);
    fact_packets(l, "refused", "at the bridge");
    fact_answers(l, l->q, "refused", "answers");
    fact_once();
    fact_rests(l);
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
    kit_fact("held", "%s: %u grants, %u ports, %" PRIu64 " pages, %u at the bridge%s", when, pins(l), ports,
             l->net.bridges.pool.in_use, l->peer.bridge->nr_ports - 1, queues(l) > l->queues ? ", and its queues" : "");
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

static uint32_t buffers_answered(struct lab *l)
{
    uint32_t nr = 0;

    for (unsigned int i = 0; i < l->nr_queues; i++)
        nr += rx_ring(l, &l->q[i])->rsp_prod;
    return nr;
}

/* Frames that wait until there are buffers for them, which come one at a time; of two queues one frame, in either. */
static void step_room(struct lab *l)
{
    const struct card c = { .two = kit_random(2), .split = kit_random(2) };
    const unsigned int frames = c.two ? 1 : 1 + (unsigned int)kit_random(3), most = c.two ? NR_BUF / 2 : NR_BUF;
    const uint8_t number = 1 + (uint8_t)kit_random(9);
    struct text t = { .len = 0 };
    unsigned int left = most;

    card_connected(l, &c);
    for (unsigned int i = 0; i < frames && left; i++)
        left -= peer_send_any(l, left, (uint8_t)(i + number), &t);
    kit_step("it is sent %s, and has no buffers but one at a time%s", t.s, c.two ? "; two queues" : "");
    for (unsigned int given = 1; given <= most; given++) {
        char when[40];
        uint32_t nr;

        for (unsigned int i = 0; i < l->nr_queues; i++)
            rx_send(l, &l->q[i], 1);
        run(l);
        nr = buffers_answered(l);
        kit_front_send_at(l->f, l->q->rx_port); /* nobody has asked for that */
        run(l);
        snprintf(when, sizeof(when), "with %u", given);
        kit_fact("sleeps", "%s: %u more when it is told unasked", when, buffers_answered(l) - nr);
        for (unsigned int i = 0; i < l->nr_queues; i++)
            fact_received(l, &l->q[i], "waits", when);
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
    for (unsigned int i = 0; i < 2; i++)
        kit_fact("told", "queue %u: %stold", i, kit_front_told_at(l->f, l->q[i].tx_port) ? "" : "not ");
    for (unsigned int i = 0; i < 2; i++) {
        struct packet p;

        packet_one(l, &p, i, 100);
        packet_put(l, &l->q[i], &p);
        tx_send(l, &l->q[i]);
        run(l);
        kit_fact("sleeps", "one more in queue %u: %s", i,
                 tx_ring(l, &l->q[i])->rsp_prod == l->q[i].tx_prod ? "is seen" : "is not seen");
    }
    card_end(l);
}

/* How many steps cards have been given. */
static uint64_t steps_given(const struct lab *l)
{
    const struct task_kind *kind;
    const size_t nr = native_kinds(l->k->dom0, &kind);
    uint64_t steps = 0;

    for (size_t i = 0; i < nr; i++)
        if (kind[i].ops && !strcmp(kind[i].ops->name, "vif"))
            steps += kind[i].steps;
    return steps;
}

/* The toolstack has said how much. */
static void step_rate(struct lab *l)
{
    const unsigned int bytes = 1000 + (unsigned int)kit_random(4) * 1000, ms = 5 + (unsigned int)kit_random(3) * 5;
    const unsigned int len = 500 + (unsigned int)kit_random(1000);
    const struct net_offload none = { 0 };
    char rate[32], when[40];
    struct packet p;
    uint64_t steps;

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
    steps = steps_given(l);
    for (unsigned int i = 0; i < 12; i++) {
        snprintf(when, sizeof(when), "after %u intervals", i);
        fact_packets(l, "rate", when);
        kit_front_pass(l->f, ms * MS);
    }
    fact_answers(l, l->q, "rate", "answers then");
    kit_fact("sleeps", "%s",
             steps_given(l) - steps > 100 ? "it looks for credit all the time"
                                          : "it looks for credit when there is some");
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
                                        "its second queue is not there", "its second port is not there",
                                        "it wants what is not offered" };
    const unsigned int n = (unsigned int)kit_random(ARRAY_SIZE(what));
    const struct card c = { .two = n == 4, .split = n == 5 };
    const bool again = kit_random(2);
    char value[64];

    card_begin(l, &c);
    kit_step("%s%s", what[n], again ? "; it was connected before" : "");
    if (again) {
        state(l, "4");
        state(l, "6");
        words(l, &c);
        state(l, "1");
    }
    switch (n) {
    case 0: node(l, 0, "tx-ring-ref", NO_REF); break;
    case 1: node(l, 0, "rx-ring-ref", NO_REF); break;
    case 2: node(l, 0, "rx-ring-ref", l->f->first + TX_RING); break;
    case 3: node(l, 0, "event-channel", 900); break;
    case 4: kit_front_drop(l->f, false, "queue-1/tx-ring-ref"); break;
    case 6: kit_front_write(l->f, "request-rx-copy", "0"); break;
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
    fact_rests(l);
    card_end(l);
}

/* The control ring, in the frame of queue 1's: frames come with a hash then, if it has been asked for. */
static void step_ctrl(struct lab *l)
{
    const unsigned int nr = 2 + (unsigned int)kit_random(4);
    const uint32_t types = XEN_NETIF_CTRL_HASH_TYPE_IPV4 | XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP;
    const struct net_offload none = { 0 }, gso = { true, true, XEN_NETIF_GSO_TYPE_TCPV4, 900 };
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
    kit_front_drop(l->f, false, "ctrl-ring-ref");
    words(l, &(struct card){ 0 }); /* queue 1's frame is another's business now */
    memset(ring, 0x55, PAGE_SIZE);
    state(l, "1");
    state(l, "4");
    rx_send(l, l->q, 4);
    peer_send(l, 200, none, false, 9);
    run(l);
    fact_received(l, l->q, "held", "come again without that ring");
    kit_fact("held", "its page has %08x", fnv(0, ring, PAGE_SIZE));
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
