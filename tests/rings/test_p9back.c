// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The back end of shared folders, with front end and outside played here: nothing is lost or reordered on its rings,
 * and what a front end cannot mean closes its device, while another's goes on.
 *
 * Budget: the front end, and then a case for each thing that it may do.
 */
#include "tests/rings/front.h"
#include "tests/rings/p9.h"
#include "tests/support/random.h"

#include "mmu/grant/private.h"
#include "rings/p9/bytering.h"
#include "rings/p9/p9back.h"
#include "vcpu/native/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <xen/io/9pfs.h>
#include <xen/io/xenbus.h>

#define PAIRS 2u
#define PAGES 3u /* of a pair: its indices, and two of data */
#define HALF  ((uint32_t)XEN_FLEX_RING_SIZE(1))

struct scene;

/* A front end. */
struct front {
    struct scene *s;
    uint32_t devid;
    grant_ref_t first;
    mfn_t mfn[PAIRS * PAGES];
    evtchn_port_t port[PAIRS];
    struct p9_message m;
};

struct scene {
    struct fixture *f;
    struct store st;
    struct xenbus *bus;
    struct p9_shares shares;
    struct p9_share share;
    struct xenbus_kind kinds[2];
    bool asked;
    struct front a, b;
    uint64_t prng;
};

static void write_node(struct scene *s, const char *path, const char *value) { store_write(&s->st, path, value); }

static const char *front_path(const struct front *t, const char *node)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/device/9pfs/%u/%s", t->s->st.own, t->devid, node);
    path[strlen(path) - !*node] = 0;
    return path;
}

static const char *back_path(const struct front *t, const char *node)
{
    static char path[128];

    snprintf(path, sizeof(path), "/local/domain/0/backend/9pfs/%u/%u/%s", t->s->f->d->domain_id, t->devid, node);
    return path;
}

static void run(struct scene *s) { back_run(s->f); }

static void front_write(struct front *t, const char *node, unsigned long value)
{
    char text[32];

    snprintf(text, sizeof(text), "%lu", value);
    write_node(t->s, front_path(t, node), text);
}

/* Why its device was closed. */
static void expect_reason(struct front *t, const char *text)
{
    char path[128], value[64];

    snprintf(path, sizeof(path), "/local/domain/0/error/backend/9pfs/%u/%u/error", t->s->f->d->domain_id, t->devid);
    assert_string_equal(store_read(&t->s->st, path, value), text);
}

static void expect_state(struct front *t, char digit)
{
    char value[64];

    assert_string_equal(store_read(&t->s->st, back_path(t, "state"), value), ((char[]){ digit, 0 }));
}

/* --- the front end --- */

static void *frame(struct front *t, unsigned int pair, unsigned int i)
{
    return ram_page(t->s->f->m, t->mfn[pair * PAGES + i]);
}

static struct xen_9pfs_data_intf *intf(struct front *t, unsigned int pair) { return frame(t, pair, 0); }

/* The byte at an index of one half of a pair. */
static uint8_t *byte_at(struct front *t, unsigned int pair, bool out, uint32_t index)
{
    const uint32_t at = (out ? HALF : 0) + (index & (HALF - 1));

    return (uint8_t *)frame(t, pair, 1 + at / PAGE_SIZE) + at % PAGE_SIZE;
}

static void port_open(struct front *t, unsigned int pair) { t->port[pair] = port_offer(t->s->f); }

static void device_add(struct scene *s, struct front *t, uint32_t devid, grant_ref_t first)
{
    struct domain *d = s->f->d;
    struct page_info *pg = page_list_first(s->f->xen, &d->page_list);
    unsigned int nr = 0;
    char id[16];

    memset(t, 0, sizeof(*t));
    t->s = s, t->devid = devid, t->first = first;
    for (unsigned int skip = first; nr < PAIRS * PAGES; pg = page_list_next(s->f->xen, pg)) {
        assert_non_null(pg);
        if (pg->type_info & PGT_count_mask)
            continue;
        if (skip)
            skip--;
        else
            t->mfn[nr++] = page_to_mfn(s->f->xen, pg);
    }
    for (unsigned int i = 0; i < PAIRS * PAGES; i++)
        *shared_entry_v1(d->grant_table, first + i) =
            (grant_entry_v1_t){ .flags = GTF_permit_access, .domid = 0, .frame = (uint32_t)mfn_x(t->mfn[i]) };
    for (unsigned int i = 0; i < PAIRS; i++)
        port_open(t, i);
    snprintf(id, sizeof(id), "%u", d->domain_id);
    write_node(s, back_path(t, "frontend-id"), id);
    write_node(s, front_path(t, "state"), "1");
    write_node(s, back_path(t, "frontend"), front_path(t, ""));
    write_node(s, back_path(t, "online"), "1");
    write_node(s, back_path(t, "path"), "/shared");
    write_node(s, back_path(t, "state"), "1");
    run(s);
}

/* All that a front end says, which a case may spoil before it says that it is ready. */
static void rings_offer(struct front *t)
{
    front_write(t, "num-rings", PAIRS);
    for (unsigned int i = 0; i < PAIRS; i++) {
        char node[32];

        memset(intf(t, i), 0, PAGE_SIZE);
        intf(t, i)->ring_order = 1;
        intf(t, i)->ref[0] = t->first + i * PAGES + 1;
        intf(t, i)->ref[1] = t->first + i * PAGES + 2;
        snprintf(node, sizeof(node), "ring-ref%u", i);
        front_write(t, node, t->first + i * PAGES);
        snprintf(node, sizeof(node), "event-channel-%u", i);
        front_write(t, node, t->port[i]);
    }
}

static void ready(struct front *t)
{
    front_write(t, "state", XenbusStateInitialised);
    run(t->s);
}

static void send_event(struct front *t, unsigned int pair) { port_ring(t->s->f, t->port[pair]); }

/* --- the outside --- */

static void on_asks(void *data, bool is) { ((struct scene *)data)->asked = is; }

/* What is said of the attributes that a number asks for: so many bytes, and these. */
static unsigned int said_len(uint32_t number) { return 1 + number * 37 % 1500; }
static uint8_t said_byte(uint32_t number, unsigned int i) { return (uint8_t)(number + i); }

/* Answer the first question, if there is one. */
static bool outside(struct scene *s)
{
    static uint8_t body[P9_MSIZE_MAX];
    struct p9_cursor c = p9_cursor(body, sizeof(body)), asked;
    struct p9_question q;
    uint32_t number;

    assert_int_equal(s->asked, p9_question(&s->shares, &q));
    if (!s->asked)
        return false;
    asked = p9_cursor((void *)(uintptr_t)q.bytes, q.len);
    if (p9_get(&asked, 1) == P9_TATTACH) {
        p9_put_bytes(&c, (uint8_t[P9_QID_SIZE]){ 0x80 }, P9_QID_SIZE);
    } else {
        p9_get(&asked, 8); /* handle, flags; three paths, and then the mask */
        for (unsigned int i = 0; i < 3; i++)
            p9_get_string(&asked);
        number = (uint32_t)p9_get(&asked, 8);
        assert_false(asked.bad);
        for (unsigned int i = 0; i < said_len(number); i++)
            p9_put(&c, 1, said_byte(number, i));
    }
    assert_false(p9_answered(&s->shares, q.device, q.seq + 1, 0, body, 0)); /* another's */
    assert_true(p9_answered(&s->shares, q.device, q.seq, 0, body, (size_t)(c.at - body)));
    assert_false(p9_answered(&s->shares, q.device, q.seq, 0, body, 0)); /* a second time */
    run(s);
    return true;
}

/* --- messages --- */

static void put_bytes(struct front *t, unsigned int pair, const uint8_t *bytes, size_t n)
{
    struct xen_9pfs_data_intf *x = intf(t, pair);

    for (size_t i = 0; i < n; i++)
        *byte_at(t, pair, true, x->out_prod + (uint32_t)i) = bytes[i];
    x->out_prod += (uint32_t)n;
    send_event(t, pair);
}

static void put_message(struct front *t, unsigned int pair) { put_bytes(t, pair, t->m.bytes, message_end(&t->m)); }

/* The next answer, if all of it is there: how long it is. */
static size_t answer_take(struct front *t, unsigned int pair)
{
    struct xen_9pfs_data_intf *x = intf(t, pair);
    uint32_t size = 0;

    if (x->in_prod - x->in_cons < P9_HEADER)
        return 0;
    for (unsigned int i = 0; i < 4; i++)
        size |= (uint32_t)*byte_at(t, pair, false, x->in_cons + i) << 8 * i;
    assert_in_range(size, P9_HEADER, HALF);
    assert_in_range(x->in_prod - x->in_cons, size, HALF); /* shown when it is whole */
    for (uint32_t i = 0; i < size; i++)
        t->m.bytes[i] = *byte_at(t, pair, false, x->in_cons + i);
    x->in_cons += size;
    send_event(t, pair);
    return size;
}

static void attach(struct front *t)
{
    message_begin(&t->m, P9_TVERSION);
    p9_put(&t->m.c, 4, 2048);
    put_text(&t->m, "9P2000.L");
    put_message(t, 0);
    assert_int_equal(answer_take(t, 0), P9_HEADER + 4 + 2 + 8);
    message_begin(&t->m, P9_TATTACH);
    p9_put(&t->m.c, 4, 0);
    p9_put(&t->m.c, 4, UINT32_MAX);
    put_text(&t->m, "");
    put_text(&t->m, "");
    p9_put(&t->m.c, 4, 0);
    put_message(t, 0);
    assert_int_equal(answer_take(t, 0), 0);
    assert_true(outside(t->s));
    assert_int_equal(answer_take(t, 0), P9_HEADER + P9_QID_SIZE);
}

static void connect(struct front *t)
{
    expect_state(t, '2');
    rings_offer(t);
    ready(t);
    expect_state(t, '4');
    front_write(t, "state", XenbusStateConnected);
    attach(t);
}

static void begin_shares(struct scene *s, struct fixture *f)
{
    memset(s, 0, sizeof(*s));
    s->f = f;
    assert_int_equal(native_timers_start(f->dom0), 0);
    assert_int_equal(gnttab_grow_table(f->d, 1), 0);
    begin(&s->st, f);
    s->share = (struct p9_share){ .path = (char *)(uintptr_t) "/shared", .id = 1 };
    s->shares =
        (struct p9_shares){ .arena = f->m->arena, .first = &s->share, .next_handle = 1, .asks = on_asks, .data = s };
    s->kinds[0] = (struct xenbus_kind){ &p9back, &s->shares };
    s->bus = xenbus_create(f->dom0, &s->st.x->store, s->kinds);
    assert_non_null(s->bus);
    device_add(s, &s->a, 0, 8);
    device_add(s, &s->b, 1, 24);
}

static void end_shares(struct scene *s)
{
    xenbus_destroy(s->bus);
    end(&s->st);
}

static void getattr_make(struct front *t, uint32_t number)
{
    message_begin(&t->m, P9_TGETATTR);
    memcpy(t->m.bytes + 5, &number, 2);
    p9_put(&t->m.c, 4, 0);
    p9_put(&t->m.c, 8, number);
}

#define GETATTR_SIZE (P9_HEADER + 12)

/* The next answer of a pair is that to this number's; or there is none yet. */
static bool getattr_answered(struct front *t, unsigned int pair, uint32_t number)
{
    const size_t size = answer_take(t, pair);

    if (!size)
        return false;
    assert_int_equal(size, P9_HEADER + said_len(number));
    assert_int_equal(t->m.bytes[4], P9_TGETATTR + 1);
    assert_memory_equal(t->m.bytes + 5, &number, 2);
    for (unsigned int i = 0; i < said_len(number); i++)
        assert_int_equal(t->m.bytes[P9_HEADER + i], said_byte(number, i));
    return true;
}

static void works(struct front *t)
{
    getattr_make(t, 99);
    put_message(t, 1);
    assert_true(outside(t->s));
    assert_true(getattr_answered(t, 1, 99));
}

/* --- what is right --- */

/* Requests in pieces on both pairs whenever there is room, answers taken now and then: all arrive, in order. */
static void test_nothing_is_lost(void **state)
{
    const uint32_t enough = 1500;
    uint32_t put[PAIRS] = { 0 }, got[PAIRS] = { 0 };
    unsigned int nr_full = 0, nr_blocked = 0;
    struct scene s;

    begin_shares(&s, *state);
    connect(&s.a);
    while (got[0] < enough || got[1] < enough) {
        const unsigned int pair = (unsigned int)random_of(&s.prng, PAIRS);
        const struct xen_9pfs_data_intf *x = intf(&s.a, pair);

        if (HALF - (x->out_prod - x->out_cons) < GETATTR_SIZE) {
            nr_full++;
        } else if (random_of(&s.prng, 2)) {
            const size_t cut = 1 + (size_t)random_of(&s.prng, GETATTR_SIZE - 1);

            getattr_make(&s.a, put[pair]++);
            message_end(&s.a.m);
            put_bytes(&s.a, pair, s.a.m.bytes, cut);
            put_bytes(&s.a, pair, s.a.m.bytes + cut, GETATTR_SIZE - cut);
        }
        if (!random_of(&s.prng, 3))
            outside(&s);
        nr_blocked += !s.asked && put[0] + put[1] > got[0] + got[1];
        if (!random_of(&s.prng, 5))
            while (getattr_answered(&s.a, pair, got[pair]))
                got[pair]++;
        assert_in_range(got[pair], 0, put[pair]);
    }
    assert_true(nr_full > 100 && nr_blocked > 100); /* both rings have been full */
    end_shares(&s);
}

/* An event has come for a pair since this was last asked. */
static bool told(struct front *t, unsigned int pair) { return port_was_told(t->s->f, t->port[pair]); }

/* A message comes byte by byte: nothing is done before the last; then the front end is told that there is room again,
 * and when there is an answer. */
static void test_byte_by_byte(void **state)
{
    struct scene s;

    begin_shares(&s, *state);
    connect(&s.a);
    for (unsigned int n = 0; n < 500; n++) { /* wherever in the ring it lies */
        const uint32_t taken = intf(&s.a, 1)->out_cons;

        getattr_make(&s.a, n);
        message_end(&s.a.m);
        told(&s.a, 1);
        for (size_t i = 0; i < GETATTR_SIZE; i++) {
            assert_int_equal(intf(&s.a, 1)->out_cons, taken);
            assert_false(s.asked || told(&s.a, 1));
            put_bytes(&s.a, 1, s.a.m.bytes + i, 1);
        }
        assert_int_equal(intf(&s.a, 1)->out_cons, taken + GETATTR_SIZE);
        assert_true(s.asked && told(&s.a, 1) && !told(&s.a, 1));
        assert_true(outside(&s));
        assert_true(told(&s.a, 1));
        assert_true(getattr_answered(&s.a, 1, n));
    }
    end_shares(&s);
}

/* A ring of bytes beside a model, from an index that overflows soon. */
static void test_indices_overflow(void **state)
{
    static uint8_t pages[2][PAGE_SIZE];
    uint8_t *const page[2] = { pages[0], pages[1] };
    uint32_t prod = UINT32_MAX - 5000, cons = prod;
    struct bytering w = { page, 0, HALF, &prod, &cons, prod }, r = { page, 0, HALF, &cons, &prod, cons };
    uint64_t prng = 1, in = 0, out = 0;

    (void)state;
    while (out < 100000) {
        uint8_t buf[HALF];
        const int64_t room = bytering_room(&w), waiting = bytering_waiting(&r);
        const size_t n = (size_t)random_of(&prng, (uint64_t)room + 1),
                     m = (size_t)random_of(&prng, (uint64_t)waiting + 1);

        assert_int_equal(waiting, in - out);
        assert_int_equal(room, HALF - (in - out));
        bytering_peek(&r, 0, buf, m);
        for (size_t i = 0; i < m; i++)
            assert_int_equal(buf[i], (uint8_t)((out + i) * 7));
        bytering_consume(&r, m);
        out += m;
        for (size_t i = 0; i < n; i++)
            buf[i] = (uint8_t)((in + i) * 7);
        bytering_write(&w, buf, n);
        in += n;
    }
    cons = prod + 1;
    assert_int_equal(bytering_room(&w), -EPROTO);
    r.index = prod + 1;
    assert_int_equal(bytering_waiting(&r), -EPROTO);
}

/* --- what is wrong --- */

/* What a front end offers, spoilt. */
static const struct offer {
    const char *what;
    const char *node; /* is this number; or, without, word `at` of the first pair's page is */
    unsigned long value;
    size_t at;
} offers[] = {
    { "no rings", "num-rings", 0, 0 },
    { "more rings than are offered", "num-rings", 5, 0 },
    { "no grant", "ring-ref0", 300, 0 },
    { "no port", "event-channel-1", 1000, 0 },
    { "another's port", "event-channel-0", 0, 0 },
    { "order 0", NULL, 0, offsetof(struct xen_9pfs_data_intf, ring_order) },
    { "order 5", NULL, 5, offsetof(struct xen_9pfs_data_intf, ring_order) },
    { "order 2^32-1", NULL, UINT32_MAX, offsetof(struct xen_9pfs_data_intf, ring_order) },
    { "a page that is not granted", NULL, 300, offsetof(struct xen_9pfs_data_intf, ref[0]) },
    { "a page of no grant", NULL, UINT32_MAX, offsetof(struct xen_9pfs_data_intf, ref[1]) },
};

static void again(struct front *t)
{
    front_write(t, "state", XenbusStateClosed);
    run(t->s);
    expect_state(t, '6');
    front_write(t, "state", XenbusStateInitialising);
    run(t->s);
    for (unsigned int i = 0; i < PAIRS; i++)
        port_open(t, i);
}

static void test_offers(void **state)
{
    struct scene s;

    begin_shares(&s, *state);
    connect(&s.b);
    for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
        const struct offer *o = &offers[i];

        expect_state(&s.a, '2');
        rings_offer(&s.a);
        if (o->node)
            front_write(&s.a, o->node, o->value);
        else
            memcpy((uint8_t *)intf(&s.a, 0) + o->at, &(uint32_t){ (uint32_t)o->value }, 4);
        ready(&s.a);
        expect_state(&s.a, '5');
        works(&s.b);
        again(&s.a);
    }
    connect(&s.a);
    works(&s.a);
    end_shares(&s);
}

/* What cannot be on a ring that works. */
static void spoil(struct front *t, unsigned int how)
{
    static const uint32_t sizes[] = { 0, 6, 2049, P9_MSIZE_MAX + 1, UINT32_MAX };
    struct xen_9pfs_data_intf *x = intf(t, 0);

    if (how < 5) {
        getattr_make(t, 1);
        message_end(&t->m);
        memcpy(t->m.bytes, &sizes[how], 4);
        put_bytes(t, 0, t->m.bytes, GETATTR_SIZE);
        return;
    }
    switch (how) {
    case 5: x->out_prod += HALF + 1; break;
    case 6: x->out_prod--; break;
    case 7: x->out_prod += 1u << 31; break;
    case 8:
    case 9:
        x->in_cons += how == 8 ? 1 : UINT32_MAX - HALF; /* as if more had been read than was written */
        getattr_make(t, 1);
        put_message(t, 0);
        outside(t->s);
    }
    send_event(t, 0);
}

static void test_impossible(void **state)
{
    struct scene s;

    begin_shares(&s, *state);
    connect(&s.b);
    for (unsigned int how = 0; how < 10; how++) {
        connect(&s.a);
        works(&s.a);
        spoil(&s.a, how);
        expect_state(&s.a, '5');
        expect_reason(&s.a, how < 5 ? "71 a message's size cannot be" : "71 the ring's indices cannot be");
        works(&s.b);
        again(&s.a);
        assert_false(s.asked);
    }
    end_shares(&s);
}

/* A message whose header says less or more than it is made of. */
static void test_too_short(void **state)
{
    struct scene s;

    begin_shares(&s, *state);
    connect(&s.a);
    for (uint32_t size = P9_HEADER; size < GETATTR_SIZE; size++) {
        getattr_make(&s.a, 1);
        memcpy(s.a.m.bytes, &size, 4);
        put_bytes(&s.a, 0, s.a.m.bytes, size);
        assert_int_equal(answer_take(&s.a, 0), P9_HEADER + 4);
        assert_int_equal(s.a.m.bytes[4], P9_RLERROR);
    }
    works(&s.a);
    end_shares(&s);
}

/* The device goes while a question of its waits; the other's is answered all the same. */
static void test_dies_asking(void **state)
{
    struct scene s;

    begin_shares(&s, *state);
    connect(&s.a);
    connect(&s.b);
    for (unsigned int i = 0; i < 2; i++) {
        getattr_make(&s.a, 5);
        put_message(&s.a, 0);
        getattr_make(&s.b, 6);
        put_message(&s.b, 0);
        front_write(&s.a, "state", XenbusStateClosing);
        run(&s);
        again(&s.a);
        assert_true(outside(&s));
        assert_true(getattr_answered(&s.b, 0, 6));
        assert_false(outside(&s));
        connect(&s.a);
    }
    works(&s.a);
    end_shares(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_is_lost, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_byte_by_byte, fix_setup, fix_teardown),
        cmocka_unit_test(test_indices_overflow),
        cmocka_unit_test_setup_teardown(test_offers, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_impossible, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_too_short, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_dies_asking, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
