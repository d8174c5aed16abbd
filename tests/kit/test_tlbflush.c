// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kit tlbflush: what it counts is what a list of all that ever came into a TLB says; policies that are right leave
 * no stale entry, in any short history and any workload, and wrong ones do; mistakes in workloads, and of policies, are
 * named. Most of it asks policies in this process. Budget: 680 lines, of which a table of wrong policies is a part.
 */
#include "tests/kit/fixture.h"

#include <dlfcn.h>

#include "tools/kit/run.h"
#include "tools/kit/tlbflush.h"

typedef uint64_t (*who_fn)(void *state, const struct tlb_now *now, const uint32_t *stamp, size_t n);

struct policy {
    who_fn who;
    uint64_t now, asked;
};

static bool ask(void *of, const struct tlb_now *now, const uint32_t *stamp, uint64_t n, uint64_t *mask)
{
    struct policy *p = of;

    assert_true(now->now >= p->now && now->here < n && (now->runs & ~now->ran) == 0);
    assert_true(now->cause == TLB_WRAP ? !now->clock : now->clock > 0);
    for (uint64_t i = 0; i < n; i++)
        assert_true(stamp[i] >> (now->bits - 1) <= 1);
    p->now = now->now;
    p->asked++;
    *mask = p->who(NULL, now, stamp, n) & (n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1);
    return true;
}

static void nothing(void *of, uint64_t now) { (void)of, (void)now; }

static struct tlb_model *model_load(const char *text, uint64_t seed, struct policy *p)
{
    char why[KIT_WHY] = "";
    FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    struct tlb_model *m = tlbflush_load(f, seed, why);

    fclose(f);
    if (!m)
        fail_msg("%s: %s", text, why);
    m->who = ask, m->passed = nothing, m->of = p;
    return m;
}

static uint64_t stale_of(const struct tlb_model *m)
{
    uint64_t stale = 0;

    for (unsigned int i = 0; i < m->nr_domains; i++)
        stale += m->domain[i].stale;
    return stale;
}

static void charts_have_all(const struct tlb_model *m)
{
    struct tlb_column all = { 0 };
    uint64_t fills = 0;

    for (unsigned int i = 0; i < TLB_COLUMNS; i++) {
        all.flushes += m->column[i].flushes;
        all.needed += m->column[i].needed;
        all.fills += m->column[i].fills;
        all.stale += m->column[i].stale;
        all.wraps += m->column[i].wraps;
    }
    for (unsigned int i = 0; i < m->nr_domains; i++)
        fills += m->domain[i].fills;
    assert_int_equal(all.flushes, m->flushes);
    assert_int_equal(all.needed, m->needed);
    assert_int_equal(all.fills, fills);
    assert_int_equal(all.stale, stale_of(m));
    assert_int_equal(all.wraps, m->wraps);
}

static who_fn reference(const char *name)
{
    char why[KIT_WHY], *file = kit_policy_path(&kit_tlbflush, name, why);
    void *lib = file ? dlopen(file, RTLD_NOW | RTLD_LOCAL) : NULL;
    const struct tlbflush_ops *ops = lib ? dlsym(lib, "xenlab_tlbflush_ops") : NULL;

    free(file);
    assert_non_null(ops);
    return ops->who;
}

/* --- right ones, and wrong ones: whether pCPU i has to flush --- */

#define WHO(name, rule)                                                                                                \
    static uint64_t name(void *state, const struct tlb_now *now, const uint32_t *stamp, size_t n)                      \
    {                                                                                                                  \
        uint64_t mask = 0;                                                                                             \
        (void)state, (void)now, (void)stamp;                                                                           \
        for (size_t i = 0; i < n; i++)                                                                                 \
            mask |= (uint64_t)(rule) << i;                                                                             \
        return mask;                                                                                                   \
    }
#define RAN     (now->ran >> i & 1)
#define RUNS    (now->runs >> i & 1)
#define WRAPS   (now->cause == TLB_WRAP)
#define NEEDS   (stamp[i] <= now->stamp && now->stamp <= now->clock)
#define REVOKES (now->cause == TLB_REVOKE)

WHO(all_that_ran, WRAPS || RAN)
WHO(ran_and_needs, WRAPS || (RAN && NEEDS))
WHO(nobody, false)
WHO(here_only, i == now->here)
WHO(not_here, i != now->here)
WHO(first_only, i == 0)
WHO(not_last, i + 1 < n || n == 1)
WHO(that_run, WRAPS || RUNS)
WHO(that_do_not_run, WRAPS || (RAN && !RUNS))
WHO(no_revoke, WRAPS || now->cause == TLB_REUSE)
WHO(no_reuse, WRAPS || REVOKES)
WHO(less, WRAPS || (stamp[i] < now->stamp && now->stamp <= now->clock))
WHO(other_way, WRAPS || stamp[i] > now->stamp)
WHO(no_wrap, NEEDS)
WHO(signed_only, !WRAPS && (int32_t)(stamp[i] - now->stamp) <= 0)
WHO(equal, WRAPS || stamp[i] == now->stamp)
WHO(not_now, WRAPS || (stamp[i] <= now->stamp && now->stamp < now->clock))
WHO(by_clock, WRAPS || (stamp[i] == now->clock && now->stamp == now->clock))
WHO(old_clock, WRAPS || stamp[i] + 3 < now->clock)
WHO(eight_bits, WRAPS || ((stamp[i] & 7) <= (now->stamp & 7) && NEEDS))
WHO(one_enough, WRAPS || (NEEDS && !(now->ran & ((UINT64_C(1) << i) - 1))))
WHO(wrap_here, WRAPS ? i == now->here : NEEDS)
WHO(revoke_by_run, WRAPS || (REVOKES ? RUNS : NEEDS))
WHO(even_pages, WRAPS || (NEEDS && !(now->page & 1)))

static const struct {
    const char *name;
    who_fn who;
} wrong_ones[] = {
    { "nobody", nobody },
    { "who asks", here_only },
    { "all but who asks", not_here },
    { "the first", first_only },
    { "all but the last", not_last },
    { "where it runs now", that_run },
    { "where it does not run now", that_do_not_run },
    { "not for a right", no_revoke },
    { "not for a page", no_reuse },
    { "less, not less or equal", less },
    { "the other way round", other_way },
    { "nobody at a wrap", no_wrap },
    { "signed, nobody at a wrap", signed_only },
    { "equal", equal },
    { "not of this time", not_now },
    { "only of this time", by_clock },
    { "by the clock alone", old_clock },
    { "three bits", eight_bits },
    { "one is enough", one_enough },
    { "who asks at a wrap", wrap_here },
    { "for a right, where it runs", revoke_by_run },
    { "even pages", even_pages },
};

static const char *const workloads[] = {
    "pcpus 3\ntlb 256\nswitch keep\nheap newest\nspare 2\nclock 12 bits 4\nslice 300us..900us\ntime 40ms\n"
    "domain a vcpus=2 pages=16 : touch 300000 recycle 900 revoke 700\n"
    "domain b vcpus=2 pages=16 : touch 300000 recycle 300 for 3ms, touch 0 for 2ms\n",
    "pcpus 6\ntlb 512\nclock 20 bits 5\nswitch keep\nheap oldest\nspare 6\nslice 1ms..3ms\ntime 40ms\n"
    "domain busy vcpus=3 pages=64 : touch 300000 recycle 900 revoke 600\n"
    "domain sleep vcpus=3 pages=48 : touch 300000 recycle 600 for 4ms, touch 0 for 5ms\n",
    "pcpus 4\ntlb 64\nclock 4294967200\nslice 2ms\ntime 30ms\ndomain a vcpus=4 pages=32 : touch 400000 revoke 2000\n",
};

static void test_wrong(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(wrong_ones); i++) {
        uint64_t stale = 0, left = 0;

        for (size_t w = 0; w < ARRAY_SIZE(workloads); w++) {
            struct policy p = { wrong_ones[i].who, 0, 0 };
            struct tlb_model *m = model_load(workloads[w], 1, &p);

            tlb_run(m);
            stale += stale_of(m);
            left += m->left;
            charts_have_all(m);
            tlbflush_free(m);
        }
        if (!stale || !left)
            fail_msg("%s: it has %llu stale uses, and has left %llu entries", wrong_ones[i].name,
                     (unsigned long long)stale, (unsigned long long)left);
    }
}

static uint64_t below(uint64_t *seed, uint64_t n) { return (*seed = workload_stir(*seed + 1)) % n; }

/* Right ones, in workloads that nobody has thought of. */
static void test_random(void **state)
{
    const who_fn right[] = { reference("everybody"), reference("stamps"), all_that_ran, ran_and_needs };
    uint64_t x = 3;

    for (unsigned int i = 0; i < 40; i++) {
        const unsigned int bits = (unsigned int)below(&x, 29) + 4;
        char text[1024];
        int n =
            snprintf(text, sizeof(text),
                     "pcpus %d\ntlb %d\nspare %d\nswitch %s\nheap %s\nclock %llu bits %u\nslice 50us..%dus\n"
                     "time 6ms\n",
                     (int)below(&x, 8) + 1, (int)below(&x, 200) + 1, (int)below(&x, 20),
                     below(&x, 2) ? "keep" : "flush", below(&x, 2) ? "newest" : "oldest",
                     (unsigned long long)((UINT64_C(1) << bits) - 1 - below(&x, 12)), bits, (int)below(&x, 900) + 50);
        uint64_t uses = 0;

        for (int d = 0; d < 3; d++)
            n += snprintf(text + n, sizeof(text) - (size_t)n,
                          "domain d%d vcpus=%d pages=%d : touch %d recycle %d revoke %d for 2ms, touch %d recycle %d\n",
                          d, (int)below(&x, 4) + 1, (int)below(&x, 60) + 1, (int)below(&x, 200000),
                          (int)below(&x, 9000), (int)below(&x, 9000), (int)below(&x, 100000), (int)below(&x, 9000));
        for (size_t p = 0; p < ARRAY_SIZE(right); p++) {
            struct policy policy = { right[p], 0, 0 };
            struct tlb_model *m = model_load(text, i, &policy);

            tlb_run(m);
            if (stale_of(m) || m->left)
                fail_msg("policy %zu has %llu stale uses in: %s", p, (unsigned long long)stale_of(m), text);
            assert_true(m->needed <= m->flushes && m->asked == policy.asked);
            charts_have_all(m);
            assert_true(!p || m->domain[0].uses == uses); /* what happens depends on nobody's decisions */
            uses = m->domain[0].uses;
            tlbflush_free(m);
        }
    }
}

/* --- all short histories --- */

enum { USE_0, USE_1, RECYCLE_A, RECYCLE_B, REVOKE, SWITCH_0, SWITCH_1, NR_OPS };

static void recycle(struct tlb_model *m, uint32_t domain)
{
    if (m->domain[domain].page[0] == TLB_NONE)
        tlb_take(m, domain, 0);
    else
        tlb_free(m, domain, 0);
}

static void op(struct tlb_model *m, int what)
{
    switch (what) {
    case USE_0:
    case USE_1: tlb_use(m, what == USE_1, tlb_domain_of(m, m->pcpu[what == USE_1].vcpu), 0, true); break;
    case RECYCLE_A:
    case RECYCLE_B: recycle(m, what == RECYCLE_B); break;
    case REVOKE:
        if (m->domain[0].page[0] != TLB_NONE)
            tlb_revoke(m, 0, 0);
        break;
    case SWITCH_0:
    case SWITCH_1: tlb_switch(m, what == SWITCH_1, m->pcpu[what == SWITCH_1].vcpu ^ 2); break;
    }
}

/* Domains a and b, of one page each, on two pCPUs; the clock is about to wrap. At the end each pCPU uses both. */
static uint64_t history_stale(struct policy *p, unsigned int ops, unsigned int nr)
{
    static const char text[] = "pcpus 2\ntlb 8\nspare 0\nswitch keep\nclock 13 bits 4\n"
                               "domain a vcpus=2 pages=1 : touch 1\ndomain b vcpus=2 pages=1 : touch 1\n";
    struct tlb_model *m = model_load(text, 1, p);
    uint64_t stale;

    tlb_switch(m, 0, 0);
    tlb_switch(m, 1, 1);
    op(m, USE_0);
    for (; nr; nr--, ops /= NR_OPS)
        op(m, (int)(ops % NR_OPS));
    for (unsigned int i = 0; i < 4; i++) {
        op(m, USE_0 + (int)(i % 2));
        if (i % 2)
            op(m, SWITCH_0), op(m, SWITCH_1);
    }
    stale = stale_of(m);
    tlbflush_free(m);
    return stale;
}

static void test_histories(void **state)
{
    const who_fn right[] = { reference("everybody"), reference("stamps") };
    const unsigned int nr = 4, all = NR_OPS * NR_OPS * NR_OPS * NR_OPS;
    uint64_t stale = 0;

    for (size_t p = 0; p < ARRAY_SIZE(right); p++)
        for (unsigned int ops = 0; ops < all; ops++) {
            struct policy policy = { right[p], 0, 0 };

            if (history_stale(&policy, ops, nr))
                fail_msg("policy %zu: history %u has stale uses", p, ops);
        }
    for (unsigned int ops = 0; ops < all; ops++) {
        struct policy policy = { here_only, 0, 0 };

        stale += history_stale(&policy, ops, nr) > 0;
    }
    assert_true(stale > 0 && stale < all);
}

/* --- reckoned anew: a list of all that ever came into a TLB --- */

struct fill {
    uint64_t pcpu, number;
    uint32_t domain, address, page;
    bool writable, there;
};

struct list {
    struct tlb_model *m;
    struct fill fill[20000];
    size_t nr;
    uint64_t number[64], x;
    bool table[64];
    uint64_t stale, left, needed, flushes, fills, have; /* have: pCPUs that have what was asked of, still */
};

static void list_flush(struct list *l, uint64_t pcpu)
{
    l->have &= ~(UINT64_C(1) << pcpu);
    for (size_t i = 0; i < l->nr; i++)
        l->fill[i].there &= l->fill[i].pcpu != pcpu;
}

static bool random_who(void *of, const struct tlb_now *now, const uint32_t *stamp, uint64_t n, uint64_t *mask)
{
    struct list *l = of;

    (void)stamp;
    *mask = below(&l->x, 3) ? below(&l->x, UINT64_C(1) << n) : 0;
    for (uint64_t c = 0; c < n; c++) {
        bool has = false;

        for (size_t i = 0; i < l->nr && now->cause != TLB_WRAP; i++) {
            const struct fill *f = &l->fill[i];

            has |= f->there && f->pcpu == c && f->page == now->page && f->number == l->number[now->page] &&
                   (now->cause == TLB_REUSE || f->writable);
        }
        l->have |= (uint64_t)has << c;
        if (*mask >> c & 1)
            l->needed += has, l->flushes += now->cause != TLB_WRAP, list_flush(l, c);
    }
    l->number[now->page] += now->cause == TLB_REUSE;
    l->table[now->page] = now->cause == TLB_REVOKE || (now->cause == TLB_WRAP && l->table[now->page]);
    return true;
}

static void list_use(struct list *l, uint64_t pcpu, uint32_t domain, uint32_t address, bool store)
{
    const struct tlb_domain *d = &l->m->domain[domain];

    for (size_t i = l->nr; i-- > 0;) {
        struct fill *f = &l->fill[i];

        if (!f->there || f->pcpu != pcpu || f->domain != domain || f->address != address)
            continue;
        if (store && !f->writable && d->writable[address]) { /* a fault, and a walk */
            f->there = d->page[address] == TLB_NONE;
            break;
        }
        l->stale += f->number != l->number[f->page] || (store && f->writable && l->table[f->page]);
        return;
    }
    if (d->page[address] == TLB_NONE)
        return;
    l->fill[l->nr++] = (struct fill){
        pcpu, l->number[d->page[address]], domain, address, d->page[address], d->writable[address], true
    };
    l->fills++;
}

static void list_op(struct list *l, unsigned int i)
{
    const uint32_t domain = (uint32_t)below(&l->x, 2), address = (uint32_t)below(&l->x, 6);
    const uint64_t pcpu = below(&l->x, 3), what = below(&l->x, 12);
    struct tlb_domain *d = &l->m->domain[domain];
    const uint32_t page = d->page[address];

    l->m->now = i;
    if (what < 7) {
        const bool store = below(&l->x, 2);

        list_use(l, pcpu, domain, address, store);
        tlb_use(l->m, pcpu, domain, address, store);
    } else if (what < 9) {
        if (page == TLB_NONE)
            tlb_take(l->m, domain, address);
        else
            tlb_free(l->m, domain, address);
    } else if (what < 11 && page != TLB_NONE) {
        tlb_revoke(l->m, domain, address);
        l->table[page] = false; /* its right is taken, and nobody relies on that yet; or it is given back */
    }
    l->left += (uint64_t)__builtin_popcountll(l->have);
    l->have = 0;
}

static void test_reckoned(void **state)
{
    static const char text[] = "pcpus 3\ntlb 1024\nspare 4\nswitch keep\nclock 9 bits 4\ntime 1ms\n"
                               "domain a pages=6 : touch 1\ndomain b pages=6 : touch 1\n";
    struct list *l = calloc(1, sizeof(*l));

    assert_non_null(l);
    for (unsigned int seed = 1; seed <= 6; seed++) {
        uint64_t fills = 0;

        memset(l, 0, sizeof(*l));
        l->m = model_load(text, seed, NULL);
        l->m->who = random_who, l->m->of = l;
        l->x = seed;
        for (unsigned int i = 0; i < 2500; i++)
            list_op(l, i);
        for (unsigned int i = 0; i < l->m->nr_domains; i++)
            fills += l->m->domain[i].fills;
        assert_int_equal(fills, l->fills);
        assert_int_equal(l->m->flushes, l->flushes);
        assert_int_equal(l->m->needed, l->needed);
        assert_int_equal(l->m->left, l->left);
        assert_int_equal(stale_of(l->m), l->stale);
        assert_true(l->stale > 5 && l->left > 20 && l->needed > 20 && l->m->wraps > 3);
        tlbflush_free(l->m);
    }
    free(l);
}

/* By hand: the clock, stamps, who ran where, and what a wrap does. */
static void test_clock(void **state)
{
    struct policy p = { all_that_ran, 0, 0 };
    struct tlb_model *m = model_load("pcpus 2\nclock 14 bits 4\nspare 0\ndomain a vcpus=2 pages=4 : touch 1\n"
                                     "domain b pages=4 : touch 1\n",
                                     1, &p);

    assert_int_equal(m->nr_pages, 6); /* the last quarter of addresses has none */
    tlb_switch(m, 0, 0);
    tlb_switch(m, 1, 2);
    assert_int_equal(m->domain[0].ran, 1);
    assert_int_equal(m->domain[1].runs, 2);
    tlb_switch(m, 0, TLB_NONE); /* it idles, keeps its TLB, and goes on with it */
    assert_int_equal(m->domain[0].runs, 0);
    assert_int_equal(m->domain[0].ran, 1);
    tlb_switch(m, 0, 0);
    assert_int_equal(m->switches, 0);
    tlb_switch(m, 0, 1); /* another vCPU: a flush */
    assert_int_equal(m->clock, 15);
    assert_int_equal(m->pcpu[0].stamp, 15);
    assert_int_equal(m->pcpu[1].stamp, 14);
    tlb_use(m, 0, 0, 2, true);
    tlb_free(m, 0, 2);
    assert_int_equal(m->page[2].stamp, 15);
    tlb_take(m, 1, 3); /* pCPU 0 flushes: the clock wraps, and all that ran flush for that */
    assert_int_equal(m->flushes, 1);
    assert_int_equal(m->needed, 1);
    assert_int_equal(m->wraps, 1);
    assert_int_equal(m->wrap_flushes, 2);
    assert_int_equal(m->clock, 1);
    assert_int_equal(m->pcpu[0].stamp, 0);
    assert_int_equal(m->pcpu[1].stamp, 0);
    assert_int_equal(m->ipis, 1);
    assert_int_equal(m->page[2].domain, 1);
    tlb_use(m, 0, 0, 2, true); /* nothing is there */
    assert_int_equal(m->domain[0].fills, 1);
    assert_int_equal(stale_of(m), 0);
    tlbflush_free(m);
}

/* By hand: `ran`, and pages that nobody has had. Domain a has page 0, b 1 to 3, and an address without; 4 is spare. */
static void test_ran(void **state)
{
    struct policy p = { all_that_ran, 0, 0 };
    struct tlb_model *m = model_load("pcpus 2\nclock 5\nspare 1\nswitch keep\ndomain a pages=1 : touch 1\n"
                                     "domain b pages=4 : touch 1\n",
                                     1, &p);

    assert_int_equal(m->nr_pages, 5);
    assert_int_equal(m->page[4].stamp, 4); /* freed before any pCPU has begun, which is at 5 */
    tlb_switch(m, 0, 0);
    tlb_switch(m, 0, 1);
    assert_int_equal(m->domain[0].ran, 1);
    assert_int_equal(m->domain[0].runs, 0);
    tlb_free(m, 0, 0);
    tlb_take(m, 1, 3); /* it was a's: pCPU 0 flushes, where b runs still */
    assert_int_equal(m->flushes, 1);
    assert_int_equal(m->domain[0].ran, 0);
    assert_int_equal(m->domain[1].ran, 1);
    tlbflush_free(m);
}

static struct tlb_model *ran(const char *text, struct policy *p)
{
    struct tlb_model *m = model_load(text, 1, p);

    for (uint64_t i = 0; i < m->nr_pages; i++)
        m->page[i].table = true; /* a store to it is a stale use */
    tlb_run(m);
    return m;
}

#define NEAR(value, ought, by) assert_in_range(value, (ought) - (by), (ought) + (by))

/* How often things happen. What is N times a second has half to one and a half of 1/N between, 1/N on average: of 1,000
 * the standard deviation is sqrt(1000 / 12) = 9, of heads or tails 16. */
static void test_time(void **state)
{
    struct policy p = { nobody, 0, 0 };
    struct tlb_model *m = ran("pcpus 1\ntime 10ms\ndomain a pages=4 : touch 100000\n", &p);

    NEAR(m->domain[0].uses, 1000, 40);
    NEAR(m->domain[0].stale, 375, 60); /* half of the uses of three pages; the fourth address has none */
    assert_int_equal(m->domain[0].fills, 3);
    assert_int_equal(m->switches, 0); /* the one that there is goes on */
    tlbflush_free(m);
    /* At 1 ms, and so on up to 9 ms, both pCPUs go on to another one of three vCPUs. */
    m = ran("pcpus 2\nswitch keep\ntime 10ms\ndomain a vcpus=3 : touch 1000\n", &p);
    assert_int_equal(m->switches, 2 * 9);
    tlbflush_free(m);
    /* Steps, in a slice: on two pCPUs two times 2 ms are touched in. */
    m = ran("pcpus 2\nslice 1s\ntime 10ms\ndomain a vcpus=2 : touch 100000 for 2ms, touch 0 for 3ms\n", &p);
    NEAR(m->domain[0].uses, 800, 40);
    tlbflush_free(m);
    /* 2,000 a second, every other one frees a page, and the one behind it takes one, of which there is always one. */
    p = (struct policy){ nobody, 0, 0 };
    m = ran("pcpus 1\ntime 500ms\nspare 1\ndomain a pages=8 : recycle 1000\n", &p);
    NEAR(m->domain[0].taken, 500, 20);
    assert_int_equal(p.asked, m->domain[0].taken);
    assert_in_range(m->nr_heap, 1, 2);
    tlbflush_free(m);
    /* Of a domain's only page: its right goes; somebody relies on that, and it is given back; and so on. */
    p = (struct policy){ nobody, 0, 0 };
    m = ran("pcpus 1\ntime 500ms\ndomain a pages=1 : revoke 1000\n", &p);
    NEAR(p.asked, 250, 15);
    tlbflush_free(m);
}

/* --- through the command --- */

#define SMALL "pcpus 2\ntime 2ms\ndomain a vcpus=2 pages=16 : touch 50000 recycle 5000\n"

static const struct fault faults[] = {
    { 1, 2, "gave the mask 0x4, and there are pCPUs 0 to 1,@" },
    { 2, 2, "gave the mask 0xffffffffffffffff, and there are pCPUs 0 to 1,@" },
    { 3, 2, "crashed (Segmentation fault)@" },
    { 12, 0, "" },
    { 14, 2, "answered what is no answer (it answers another call)@" },
    { 23, 1, "exports no `const struct tlbflush_ops xenlab_tlbflush_ops`" },
    { 28, 1, "xenlab_tlbflush_ops has no who" },
};

static void test_faults(void **state)
{
    static const char source[] = "tests/kit/bad_tlbflush.c";

    file_write("w", SMALL);
    if (!faults_can_be_tried("tlbflush", source))
        skip();
    faults_tried("tlbflush", source, faults, ARRAY_SIZE(faults), " in who, call 4, at ", "stale", "", 0);
}

static const struct {
    const char *workload, *says;
} mistakes[] = {
    { "", "w:1: there is no domain: domain NAME vcpus=2 pages=64 : touch 100000 recycle 500" },
    { "cpus 4\n", "w:1: \"cpus\" is no statement: pcpus, tlb, switch, spare, heap, clock, slice, flush, ipi, walk," },
    { "pcpus 0\n", "w:1: pcpus: at least 1 is wanted" },
    { "pcpus 65\n", "w:1: pcpus: \"65\" is no number up to 64" },
    { "tlb 2048\n", "w:1: tlb: \"2048\" is no number up to 1024" },
    { "spare lots\n", "w:1: spare: \"lots\" is no number up to 4096" },
    { "switch maybe\n", "w:1: switch: \"maybe\" is neither flush nor keep" },
    { "heap random\n", "w:1: heap: \"random\" is neither newest nor oldest" },
    { "clock\n", "w:1: a clock is \"clock 65530 bits 16\": its time, and its size" },
    { "clock 5 bits\n", "w:1: a clock is" },
    { "clock 5 size 8\n", "w:1: a clock is" },
    { "clock 0\n", "w:1: clock: from 1 to what fits into its bits, of which there are 4 to 32" },
    { "clock 256 bits 8\n", "w:1: clock: from 1 to what fits into its bits" },
    { "clock 1 bits 3\n", "w:1: clock: from 1 to what fits" },
    { "clock 1 bits 33\n", "w:1: bits: \"33\" is no number up to 32" },
    { "slice 2ms..1ms\n", "w:1: slice: the range ends before it begins" },
    { "slice 500ns\n", "w:1: slice: \"500ns\" is no time of whole us" },
    { "flush 0s\n", "w:1: flush: \"0s\" is no time of whole ns, up to 10s" },
    { "time 1h\n", "w:1: time: \"1h\" is no time" },
    { "domain a touch 5\n", "w:1: a domain is \"domain NAME vcpus=2 pages=64 : PROGRAM\"" },
    { "domain : touch 5\n", "w:1: a domain needs a name" },
    { "domain a cpus=2 : touch 5\n", "w:1: a domain has vcpus= and pages=, not \"cpus\"" },
    { "domain a pages=0 : touch 5\n", "w:1: pages: at least 1 is wanted" },
    { "domain a : poke 5\n", "w:1: a step is \"touch 100000 recycle 500 revoke 50 for 20ms\": so many a second" },
    { "domain a : touch\n", "w:1: a step is" },
    { "domain a :\n", "w:1: a step is" },
    { "domain a : touch 5 for 1ms recycle 5\n", "w:1: a step is" },
    { "domain a : touch 1000001\n", "w:1: touch: \"1000001\" is no number up to 1000000" },
    { "domain a : touch 5, touch 6\n", "w:1: only a program's last step may be without a time" },
    { "domain a : touch 5\ndomain a : touch 5\n", "w:2: there is a domain a already" },
    { "domain a vcpus=40 : touch 5\ndomain b vcpus=40 : touch 5\n", "w:2: 80 vCPUs, and 64 are the most" },
    { SMALL "expect flushes a < 3\n", "w:4: expect: there is no flushes of a" },
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        file_write("w", mistakes[i].workload);
        assert_int_equal(KIT("tlbflush", "--policy", "/nowhere.so", "--workload", path("w")), 1);
        assert_true(in_file("err", mistakes[i].says));
    }
    assert_int_equal(KIT("tlbflush", "--help"), 0);
    assert_true(in_file("out", "stale"));
}

/* The examples: stamps save flushes; the same twice, another seed otherwise; windows; the chart. */
static void test_examples(void **state)
{
    static const char *const files[] = { "docs/examples/kit/tenants.txt", "docs/examples/kit/tagged.txt",
                                         "docs/examples/kit/ages.txt" };
    char *one, *two;

    if (KIT("tlbflush", "--policy", "everybody", "--workload", files[0]))
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        double spent;

        assert_int_equal(KIT("tlbflush", "--policy", "everybody", "--workload", files[i], "--json"), 0);
        spent = figure("spent", "");
        assert_int_equal(KIT("tlbflush", "--policy", "stamps", "--workload", files[i], "--json"), 0);
        assert_true(figure("spent", "") < spent);
        assert_true(figure("wraps", "") >= 1 && figure("stale", "") == 0);
        assert_true(figure("spent", "") == figure("flushes", "") + figure("wrapflushes", "") + 2 * figure("ipis", "") +
                                               figure("fills", "") / 10);
    }
    one = file_read("out");
    assert_int_equal(KIT("tlbflush", "--policy", "stamps", "--workload", files[2], "--json", "--svg", path("svg")), 0);
    two = file_read("out");
    assert_string_equal(one, two);
    free(two);
    assert_int_equal(KIT("tlbflush", "--policy", "stamps", "--workload", files[2], "--json", "--seed", "2"), 0);
    two = file_read("out");
    assert_string_not_equal(one, two);
    assert_true(in_file("svg", "stale uses</text>"));
    free(one);
    free(two);
    file_write("w", SMALL "domain b pages=8 : touch 9000 recycle 900\n");
    assert_int_equal(KIT("tlbflush", "--policy", "stamps", "--workload", path("w"), "--json"), 0);
    assert_true(figure("uses", "") == figure("uses", "a") + figure("uses", "b") && figure("uses", "b") > 0);
    assert_true(figure("taken", "") == figure("taken", "a") + figure("taken", "b") && figure("taken", "b") > 0);
    file_write("w", SMALL "expect taken >= 2 from 500us to 1500us\nexpect flushes <= 1*everybody seeds 1..2\n");
    assert_int_equal(KIT("tlbflush", "--policy", "stamps", "--workload", path("w")), 0);
    assert_true(in_file("out", "2 of 2 held"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),     cmocka_unit_test(test_reckoned), cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_random),    cmocka_unit_test(test_faults),   cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_histories), cmocka_unit_test(test_examples), cmocka_unit_test(test_ran),
        cmocka_unit_test(test_time),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
