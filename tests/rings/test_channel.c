// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Channels, with the front end played here: bytes come through in order, both ways and around the end of the indices,
 * and what a front end cannot mean closes its channel, while another goes on.
 *
 * Budget: the front end, and a row for each thing that it may do.
 */
#include "tests/rings/front.h"
#include "tests/support/random.h"

#include "mmu/grant/private.h"
#include "rings/channel.h"
#include "tools/host_private.h"
#include "vcpu/native/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <xen/io/console.h>
#include <xen/io/xenbus.h>

#define UNUSED_REF 40

struct scene;

struct front {
    struct scene *s;
    uint32_t devid;
    grant_ref_t ref;
    mfn_t mfn;
    evtchn_port_t port;
    /* The other end, outside: what was heard there, and what is to be said. */
    char heard[8192], say[8192];
    size_t nr_heard, nr_say;
};

struct scene {
    struct fixture *f;
    struct store st;
    struct xenbus *bus;
    struct xenbus_kind kinds[2];
    struct channel_io io;
    struct front a, b; /* a is spoiled, b goes on */
    uint64_t prng;
};

static struct front *front_of(struct scene *s, unsigned int devid) { return devid == s->a.devid ? &s->a : &s->b; }

static void on_out(void *data, domid_t domid, unsigned int devid, const char *text, size_t len)
{
    struct front *t = front_of(data, devid);

    assert_int_equal(domid, t->s->f->d->domain_id);
    assert_true(t->nr_heard + len <= sizeof(t->heard));
    memcpy(t->heard + t->nr_heard, text, len);
    t->nr_heard += len;
}

static size_t on_in(void *data, domid_t domid, unsigned int devid, char *buf, size_t len)
{
    struct front *t = front_of(data, devid);
    const size_t n = t->nr_say < len ? t->nr_say : len;

    assert_int_equal(domid, t->s->f->d->domain_id);
    memcpy(buf, t->say, n);
    t->nr_say -= n;
    memmove(t->say, t->say + n, t->nr_say);
    return n;
}

static const char *front_path(const struct front *t, const char *node)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/device/console/%u/%s", t->s->st.own, t->devid, node);
    path[strlen(path) - !*node] = 0;
    return path;
}

static const char *back_path(const struct front *t, const char *node)
{
    static char path[128];

    snprintf(path, sizeof(path), "/local/domain/0/backend/console/%u/%u/%s", t->s->f->d->domain_id, t->devid, node);
    return path;
}

static void front_write(struct front *t, const char *node, uint64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    store_write(&t->s->st, front_path(t, node), text);
}

static char back_state(struct front *t)
{
    char value[64];

    return *store_read(&t->s->st, back_path(t, "state"), value);
}

static struct xencons_interface *page(struct front *t) { return ram_page(t->s->f->m, t->mfn); }

static void grant(struct front *t, uint16_t flags)
{
    *shared_entry_v1(t->s->f->d->grant_table, t->ref) =
        (grant_entry_v1_t){ .flags = flags, .domid = 0, .frame = (uint32_t)mfn_x(t->mfn) };
}

static void device_add(struct scene *s, struct front *t, uint32_t devid, unsigned int skip)
{
    struct page_info *pg = page_list_first(s->f->xen, &s->f->d->page_list);
    char id[16];

    *t = (struct front){ .s = s, .devid = devid, .ref = 8 + devid };
    for (; pg->type_info & PGT_count_mask || skip--; pg = page_list_next(s->f->xen, pg))
        assert_non_null(pg);
    t->mfn = page_to_mfn(s->f->xen, pg);
    t->port = port_offer(s->f);
    snprintf(id, sizeof(id), "%u", s->f->d->domain_id);
    store_write(&s->st, back_path(t, "frontend-id"), id);
    front_write(t, "state", XenbusStateInitialising);
    store_write(&s->st, back_path(t, "frontend"), front_path(t, ""));
    store_write(&s->st, back_path(t, "online"), "1");
    store_write(&s->st, back_path(t, "state"), "1");
    back_run(s->f);
    assert_int_equal(back_state(t), devid ? '2' : '1');
}

static void offer(struct front *t, uint32_t from)
{
    struct xencons_interface *p = page(t);

    memset(p, 0, PAGE_SIZE);
    p->in_cons = p->in_prod = p->out_cons = p->out_prod = from;
    grant(t, GTF_permit_access);
    front_write(t, "ring-ref", t->ref);
    front_write(t, "port", t->port);
}

static void ready(struct front *t)
{
    front_write(t, "state", XenbusStateInitialised);
    back_run(t->s->f);
}

static void put_text(struct front *t, const char *text)
{
    for (; *text; text++)
        page(t)->out[MASK_XENCONS_IDX(page(t)->out_prod++, page(t)->out)] = *text;
}

static void on_device(struct xenbus_device *dev, void *data)
{
    struct front *t = data;

    if (channelback_devid(dev) == t->devid && channelback_connected(dev))
        channelback_kick(dev);
}

/* Somebody outside says it. */
static void say(struct front *t, const char *text)
{
    memcpy(t->say + t->nr_say, text, strlen(text));
    t->nr_say += strlen(text);
    xenbus_each(t->s->bus, &channelback, on_device, t);
    back_run(t->s->f);
}

static void goes_on(struct front *t)
{
    const uint32_t was = page(t)->in_prod;

    t->nr_heard = 0;
    put_text(t, "still here");
    port_ring(t->s->f, t->port);
    assert_int_equal(t->nr_heard, 10);
    assert_memory_equal(t->heard, "still here", 10);
    say(t, "yes");
    assert_int_equal(page(t)->in_prod, was + 3);
    assert_int_equal(page(t)->in[MASK_XENCONS_IDX(was + 2, page(t)->in)], 's');
    page(t)->in_cons = page(t)->in_prod;
}

static void begin_scene(struct scene *s, struct fixture *f)
{
    memset(s, 0, sizeof(*s));
    s->f = f;
    s->prng = 7;
    assert_int_equal(native_timers_start(f->dom0), 0);
    assert_int_equal(gnttab_grow_table(f->d, 1), 0);
    begin(&s->st, f);
    s->io = (struct channel_io){ f->m->arena, s, on_out, on_in };
    s->kinds[0] = (struct xenbus_kind){ &channelback, &s->io };
    s->bus = xenbus_create(f->dom0, &s->st.x->store, s->kinds);
    assert_non_null(s->bus);
    device_add(s, &s->a, 1, 8);
    device_add(s, &s->b, 2, 9);
    offer(&s->b, 0);
    ready(&s->b);
    assert_int_equal(back_state(&s->b), '4');
}

static void end_scene(struct scene *s)
{
    xenbus_destroy(s->bus);
    for (grant_ref_t ref = 0; ref < 64; ref++)
        assert_int_equal(s->f->d->grant_table->active[ref].pin, 0);
    end(&s->st);
}

/* --- bytes --- */

static void check_heard(struct front *t, unsigned char *next)
{
    for (size_t i = 0; i < t->nr_heard; i++)
        assert_int_equal((unsigned char)t->heard[i], (*next)++);
    t->nr_heard = 0;
}

/* Both ways at once, in pieces of all sizes, past where the indices overflow; each side is told. */
static void bytes_in_order(void **state)
{
    struct scene s;
    struct front *t = &s.a;
    unsigned char out = 0, heard = 0, in = 0, got = 0;
    uint32_t total = 0;

    begin_scene(&s, *state);
    offer(t, UINT32_MAX - 5000);
    ready(t);
    assert_int_equal(back_state(t), '4');
    while (total < 20000) {
        const uint64_t n = random_of(&s.prng, sizeof(page(t)->out) + 1);

        for (uint64_t i = 0; i < n && page(t)->out_prod - page(t)->out_cons < sizeof(page(t)->out); i++)
            page(t)->out[MASK_XENCONS_IDX(page(t)->out_prod++, page(t)->out)] = (char)out++;
        for (uint64_t i = random_of(&s.prng, 2000); i && t->nr_say < sizeof(t->say); i--)
            t->say[t->nr_say++] = (char)in++;
        port_was_told(s.f, t->port);
        port_ring(s.f, t->port);
        if (n)
            assert_true(port_was_told(s.f, t->port));
        check_heard(t, &heard);
        for (uint64_t i = random_of(&s.prng, 2000); i && page(t)->in_cons != page(t)->in_prod; i--, total++)
            assert_int_equal((unsigned char)page(t)->in[MASK_XENCONS_IDX(page(t)->in_cons++, page(t)->in)], got++);
    }
    assert_int_equal(heard, out);
    assert_true(page(t)->in_prod < 5000000 && page(t)->out_prod < 50000000); /* both have overflowed */
    end_scene(&s);
}

/* What is in the ring before the other end looks is heard, and the last words too; then it connects again. */
static void comes_and_goes(void **state)
{
    struct scene s;

    begin_scene(&s, *state);
    for (unsigned int i = 0; i < 3; i++) {
        s.a.nr_heard = 0;
        offer(&s.a, 0);
        put_text(&s.a, "early");
        ready(&s.a);
        assert_memory_equal(s.a.heard, "early", 5);
        goes_on(&s.a);
        s.a.nr_heard = 0;
        put_text(&s.a, "late");
        front_write(&s.a, "state", i ? XenbusStateClosed : XenbusStateClosing);
        back_run(s.f);
        assert_int_equal(s.a.nr_heard, 4);
        say(&s.a, "nobody hears that yet");
        front_write(&s.a, "state", XenbusStateClosed);
        back_run(s.f);
        assert_int_equal(back_state(&s.a), '6');
        s.a.port = port_offer(s.f);
        front_write(&s.a, "state", XenbusStateInitialising);
        back_run(s.f);
        assert_int_equal(back_state(&s.a), '2');
        assert_int_equal(s.a.nr_say, 21);
        s.a.nr_say = 0;
    }
    goes_on(&s.b);
    end_scene(&s);
}

/* Console 0 is in the same directory, and no channel. */
static void console_0(void **state)
{
    struct scene s;
    struct front zero;
    char value[64];

    begin_scene(&s, *state);
    device_add(&s, &zero, 0, 10);
    front_write(&zero, "state", XenbusStateInitialised);
    back_run(s.f);
    assert_string_equal(store_read(&s.st, back_path(&zero, "state"), value), "1");
    goes_on(&s.b);
    end_scene(&s);
}

/* --- attacks --- */

enum spoil {
    NOTHING,
    NO_REF,
    REF_WORDS,
    REF_UNUSED,
    REF_READONLY,
    REF_ENDED,
    REF_HUGE,
    REF_BEYOND,
    NO_PORT,
    PORT_WORDS,
    PORT_UNKNOWN,
    PORT_TAKEN,
    /* when it is connected */
    OUT_FAR,
    OUT_BACK,
    IN_FAR,
    IN_BACK,
    /* and harmless */
    SAME_PAGE,
    OUR_INDICES,
    OTHER_REF,
    ENDS_GRANT,
    STORM,
    SILENT,
    STATE_99,
    FLAPS,
    CLOSES,
    VANISHES,
    NR_SPOILS
};

static void spoil_before(struct front *t, enum spoil what)
{
    const struct xs_access a = xenstored_toolstack(t->s->st.x);

    switch (what) {
    case NO_REF: xs_rm(&a, front_path(t, "ring-ref")); break;
    case REF_WORDS: store_write(&t->s->st, front_path(t, "ring-ref"), "9 or so"); break;
    case REF_UNUSED: front_write(t, "ring-ref", UNUSED_REF); break;
    case REF_READONLY: grant(t, GTF_permit_access | GTF_readonly); break;
    case REF_ENDED: grant(t, 0); break;
    case REF_HUGE: front_write(t, "ring-ref", UINT64_C(1) << 32); break;
    case REF_BEYOND: front_write(t, "ring-ref", UINT32_MAX); break;
    case NO_PORT: xs_rm(&a, front_path(t, "port")); break;
    case PORT_WORDS: store_write(&t->s->st, front_path(t, "port"), "-3"); break;
    case PORT_UNKNOWN: front_write(t, "port", 4000); break;
    case PORT_TAKEN: front_write(t, "port", t->s->b.port); break;
    case SAME_PAGE: front_write(t, "ring-ref", t->s->b.ref); break;
    default: break;
    }
}

static void spoil_after(struct front *t, enum spoil what)
{
    const struct xs_access a = xenstored_toolstack(t->s->st.x);
    struct xencons_interface *p = page(t);

    switch (what) {
    case OUT_FAR: p->out_prod += sizeof(p->out) + 1; break;
    case OUT_BACK: p->out_prod--; break;
    case IN_FAR: p->in_cons++; break;
    case IN_BACK: p->in_cons -= sizeof(p->in) + 1; break;
    case OUR_INDICES: p->out_cons -= 100, p->in_prod += 100; break;
    case OTHER_REF: front_write(t, "ring-ref", UNUSED_REF), front_write(t, "port", 4000); break;
    case ENDS_GRANT: grant(t, 0); break;
    case STORM:
        for (unsigned int i = 0; i < 300; i++)
            port_ring(t->s->f, t->port);
        break;
    case SILENT: put_text(t, "nobody is told"); break;
    case STATE_99: front_write(t, "state", 99); break;
    case FLAPS:
        for (unsigned int i = 0; i < 1000; i++)
            front_write(t, "state", i % 7);
        front_write(t, "state", XenbusStateClosed);
        break;
    case CLOSES: front_write(t, "state", XenbusStateClosing); break;
    case VANISHES: xs_rm(&a, front_path(t, "")); break;
    default: break;
    }
    if (what != SILENT)
        port_ring(t->s->f, t->port);
    say(t, "hello");
}

static char fate(enum spoil what)
{
    switch (what) {
    case CLOSES: return '5';
    case STATE_99:
    case FLAPS:
    case VANISHES: return '6';
    default: return what == NOTHING || what >= SAME_PAGE ? '4' : 'x';
    }
}

static void attack(enum spoil what)
{
    const char expected = fate(what);
    void *machine = NULL;
    char now, value[64], path[128];
    struct scene s;

    assert_int_equal(fix_setup(&machine), 0);
    begin_scene(&s, machine);
    offer(&s.a, 0);
    spoil_before(&s.a, what);
    ready(&s.a);
    now = back_state(&s.a);
    if (what == NOTHING || what >= OUT_FAR) {
        assert_int_equal(now, '4');
        front_write(&s.a, "state", XenbusStateConnected);
        back_run(s.f);
        spoil_after(&s.a, what);
        now = back_state(&s.a);
    }
    if (expected == 'x' ? now != '5' && now != '6' : now != expected)
        fail_msg("attack %d: state %c, not %c", what, now, expected);
    snprintf(path, sizeof(path), "/local/domain/0/error/backend/console/%u/1/error", s.f->d->domain_id);
    if ((expected == 'x') != (*store_read(&s.st, path, value) != '-'))
        fail_msg("attack %d: the error is %s", what, value);
    if (what == SAME_PAGE) { /* its own fault: it talks to itself */
        page(&s.b)->in_cons = page(&s.b)->in_prod;
        s.a.nr_heard = 0;
    }
    goes_on(&s.b);
    end_scene(&s);
    assert_int_equal(fix_teardown(&machine), 0);
}

static void attacks(void **state)
{
    (void)state;
    for (enum spoil what = NOTHING; what < NR_SPOILS; what++)
        attack(what);
}

/* Everything that a front end may do, at random, beside one that goes on. */
static void at_random(void **state)
{
    (void)state;
    for (unsigned int seed = 1; seed <= 30; seed++) {
        void *machine = NULL;
        struct scene s;

        assert_int_equal(fix_setup(&machine), 0);
        begin_scene(&s, machine);
        s.prng = seed;
        for (unsigned int i = 0; i < 60; i++) {
            const enum spoil what = (enum spoil)random_of(&s.prng, NR_SPOILS);
            uint32_t *index = &page(&s.a)->in_cons;

            s.a.nr_heard = 0;
            s.a.nr_say = s.a.nr_say > 4000 ? 0 : s.a.nr_say;
            if (random_of(&s.prng, 3) == 0) {
                offer(&s.a, (uint32_t)random_of(&s.prng, 3));
                s.a.port = random_of(&s.prng, 2) ? s.a.port : port_offer(s.f);
            }
            if (what != SAME_PAGE && what != STORM && what != PORT_TAKEN)
                what < OUT_FAR ? spoil_before(&s.a, what) : spoil_after(&s.a, what);
            if (random_of(&s.prng, 4) == 0)
                index[random_of(&s.prng, 4)] += (uint32_t)random_of(&s.prng, 5000);
            if (random_of(&s.prng, 2))
                front_write(&s.a, "state", random_of(&s.prng, 7));
            back_run(s.f);
        }
        goes_on(&s.b);
        end_scene(&s);
        assert_int_equal(fix_teardown(&machine), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(bytes_in_order, fix_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(comes_and_goes, fix_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(console_0, fix_setup, fix_teardown),
                                        cmocka_unit_test(attacks), cmocka_unit_test(at_random) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
