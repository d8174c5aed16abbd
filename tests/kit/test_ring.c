// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kit ring: its figures are those of a reckoning of its own, nanosecond by nanosecond; policies that are right lose
 * no sleeper in any order and any workload, and wrong ones do; mistakes in workloads, and of policies, are named.
 *
 * Most of it asks policies in this process. Budget: 680 lines, of which a table of wrong policies is a part.
 */
#include "tests/kit/fixture.h"

#include <dlfcn.h>

#include "tools/kit/ring.h"
#include "tools/kit/run.h"

/* --- policies in this process --- */

typedef bool (*notify_fn)(void *state, const struct ring_now *now, uint32_t old, uint32_t prod, uint32_t event);
typedef uint32_t (*event_fn)(void *state, const struct ring_now *now, uint32_t cons);

struct policy {
    notify_fn notify;
    event_fn event;
    uint64_t now;             /* the last that was told */
    uint64_t notified, asked; /* how often each was called */
    bool mixed;               /* a ring has requests that were asked for, and others */
};

static bool ask_notify(void *of, const struct ring *r, uint32_t *answer)
{
    struct policy *p = of;

    assert_true(r->told.life || r->told.now >= p->now);
    assert_true(r->prod - r->old >= 1 && r->prod - r->cons <= r->told.slots);
    if (r->asked && !p->mixed) /* that is all that may come here: what is not in the ring is still to come */
        assert_int_equal(r->told.due, r->asked - (r->prod - r->cons));
    p->now = r->told.now;
    p->notified++;
    *answer = p->notify(NULL, &r->told, r->old, r->prod, r->event);
    return true;
}

static bool ask_event(void *of, const struct ring *r, uint32_t *answer)
{
    struct policy *p = of;

    assert_true(r->told.life || r->told.now >= p->now);
    assert_int_equal(r->told.due, r->asked);
    p->now = r->told.now;
    p->asked++;
    *answer = p->event(NULL, &r->told, r->cons);
    return true;
}

static void nothing(void *of, uint64_t now) { (void)of, (void)now; }

static struct ring_model *model_load(const char *text, uint64_t seed)
{
    char why[KIT_WHY] = "";
    FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    struct ring_model *m = ring_load(f, seed, why);

    fclose(f);
    if (!m)
        fail_msg("%s: %s", text, why);
    return m;
}

/* What has come of it. free: ring_free(). */
static struct ring_model *played(const char *text, uint64_t seed, struct policy *p)
{
    struct ring_model *m = model_load(text, seed);

    m->notify = ask_notify, m->next_event = ask_event, m->passed = nothing, m->of = p;
    ring_time_run(m);
    for (unsigned int i = 0; i < m->nr_orders; i++)
        ring_orders_run(m, i);
    return m;
}

static struct policy reference(const char *name)
{
    char why[KIT_WHY], *file = kit_policy_path(&kit_ring, name, why);
    void *lib = file ? dlopen(file, RTLD_NOW | RTLD_LOCAL) : NULL;
    const struct ring_ops *ops = lib ? dlsym(lib, "xenlab_ring_ops") : NULL;

    free(file);
    assert_non_null(ops);
    return (struct policy){ ops->notify, ops->next_event, 0, 0, 0, false };
}

/* --- right ones, and wrong ones --- */

#define NOTIFY(name, rule)                                                                                             \
    static bool name(void *state, const struct ring_now *now, uint32_t old, uint32_t prod, uint32_t event)             \
    {                                                                                                                  \
        (void)state, (void)now, (void)old, (void)prod, (void)event;                                                    \
        return rule;                                                                                                   \
    }
#define EVENT(name, rule)                                                                                              \
    static uint32_t name(void *state, const struct ring_now *now, uint32_t cons)                                       \
    {                                                                                                                  \
        (void)state, (void)now;                                                                                        \
        return rule;                                                                                                   \
    }

NOTIFY(right, prod - event < prod - old)
NOTIFY(always, true)
NOTIFY(never, false)
NOTIFY(greater, old < event && event <= prod)
NOTIFY(at_event, prod == event)
NOTIFY(behind_event, prod - event < prod - old && prod != event)
NOTIFY(at_old, prod - event <= prod - old && event != prod)
NOTIFY(sign_16, (int16_t)(prod - event) >= 0 && (int16_t)(event - old) > 0 && prod > old)
NOTIFY(low_bits, (prod & 0xff) - (event & 0xff) < prod - old)
NOTIFY(signed_less, (int32_t)prod >= (int32_t)event && (int32_t)old < (int32_t)event)
NOTIFY(half, prod - event < (prod - old) / 2)
NOTIFY(several, prod - old > 1 && prod - event < prod - old)
NOTIFY(even, !(prod & 1) && prod - event < prod - old)
NOTIFY(last, prod - event < prod - old && !now->due)
NOTIFY(masked, ((prod - event) & (now->slots - 1)) < ((prod - old) & (now->slots - 1)))
NOTIFY(from_event, event - old <= prod - event)
EVENT(next, cons + 1)
EVENT(held, cons + 1 + (uint32_t)now->due / 2)
EVENT(all_due, cons + (now->due ? (uint32_t)now->due : 1))
EVENT(late, cons + 2)
EVENT(early, cons)
EVENT(far, cons + 1 + (uint32_t)now->slots / 2)
EVENT(more_than_due, cons + 1 + (uint32_t)now->due)
EVENT(zero, 0)
EVENT(saturated, cons == UINT32_MAX ? cons : cons + 1)
EVENT(sixteen, (uint16_t)(cons + 1))
EVENT(backwards, cons - 1)

static const struct {
    const char *name;
    notify_fn notify;
    event_fn event;
} right_ones[] = {
    { "right", right, next }, { "hold-off", right, held }, { "all that is due", right, all_due },
    { "always", always, next }, { "always, any event", always, zero },
}, wrong_ones[] = {
    { "never", never, next },
    { "greater and less", greater, next },
    { "greater and less, signed", signed_less, next },
    { "just at the event", at_event, next },
    { "not at the event", behind_event, next },
    { "off by one", at_old, next },
    { "16 bits", sign_16, next },
    { "8 bits", low_bits, sixteen },
    { "half of a push", half, next },
    { "several only", several, next },
    { "even indices", even, next },
    { "masked by slots", masked, next },
    { "the wrong distance", from_event, next },
    { "event too late", right, late },
    { "event is cons", right, early },
    { "half of the ring", right, far },
    { "more than is due", right, more_than_due },
    { "event is 0", right, zero },
    { "event does not wrap", right, saturated },
    { "event of 16 bits", right, sixteen },
    { "event behind", right, backwards },
    { "hold-off, at the event only", at_event, held },
    { "when nothing more is to come", last, next },
};

static int less_than(const void *a, const void *b)
{
    return (*(const uint64_t *)a > *(const uint64_t *)b) - (*(const uint64_t *)a < *(const uint64_t *)b);
}

/* --- all orders --- */

static const char *const shapes[] = {
    "orders a index=4294967295 : put 1, put 1\n",
    "orders a index=4294967294 asked=yes : put 2, put 1\n",
    "orders a index=65534 slots=4 : put 1, put 3\n",
    "orders a index=2147483646 asked=yes : put 3, put 2\n",
    "orders a slots=4 : put 4\n",
};

struct naive {
    const struct ring_orders *o;
    struct ring_model *m;
    uint64_t nr, lost;
    char touched[3][64]; /* of prod, event, pending: which side's steps have, in their order */
    size_t nr_touched[3];
    uint64_t *trace; /* a number for each order: the same for those that no side can tell apart */
};
#define MAX_TRACES 20000

static uint64_t trace_of(const struct naive *n)
{
    uint64_t x = 1;

    for (int w = 0; w < 3; w++)
        for (size_t i = 0; i <= n->nr_touched[w]; i++)
            x = workload_stir(x ^ (uint64_t)(i < n->nr_touched[w] ? n->touched[w][i] : '|'));
    return x;
}

static void touch(struct naive *n, int what, char who)
{
    assert_true(n->nr_touched[what] < sizeof(n->touched[0]));
    n->touched[what][n->nr_touched[what]++] = who;
}

/* Each order of all steps, one by one: without a thought of which of them are the same. */
static void naive(struct naive *n, struct ring r, unsigned int puts)
{
    if (r.producer == RING_P_IDLE && puts < n->o->nr_puts) {
        r.put += (uint32_t)n->o->put[puts];
        r.promised -= n->o->put[puts++];
        r.producer = RING_P_WRITE;
    }
    if (r.producer != RING_P_IDLE) {
        struct ring next = r;
        const int what = (int)(r.producer - RING_P_WRITE);

        touch(n, what, 'p');
        ring_producer_step(n->m, &next);
        naive(n, next, puts);
        n->nr_touched[what]--;
    }
    if (!ring_asleep(&r)) {
        struct ring next = r;
        const int what = r.consumer == RING_C_EVENT ? 1 : r.consumer >= RING_C_SLEEP ? 2 : 0;

        touch(n, what, 'c');
        do {
            const uint32_t cons = next.cons;

            ring_consumer_step(n->m, &next);
            next.asked -= n->o->asked ? next.cons - cons : 0;
        } while (next.consumer == RING_C_TAKE);
        naive(n, next, puts);
        n->nr_touched[what]--;
    } else if (r.producer == RING_P_IDLE) {
        assert_true(n->nr < MAX_TRACES);
        n->trace[n->nr++] = trace_of(n);
        n->lost += r.prod != r.cons;
    }
}

/* Of nr numbers, which are sorted by that. */
static uint64_t distinct(uint64_t *number, uint64_t nr)
{
    uint64_t n = 0;

    qsort(number, nr, sizeof(*number), less_than);
    for (uint64_t i = 0; i < nr; i++)
        n += !i || number[i] != number[i - 1];
    return n;
}

/* Of those that no side can tell apart one is tried; they find a lost sleeper where there is one among all. */
static bool orders_lose(const char *shape, notify_fn notify, event_fn event, const char *name)
{
    struct policy p = { notify, event, 0, 0, 0, false };
    struct ring_model *m = played(shape, 1, &p);
    const struct ring_orders *o = m->orders;
    static uint64_t trace[MAX_TRACES];
    struct naive n = { .o = o, .m = m, .trace = trace };
    struct ring r = { .told = { .life = 1, .slots = o->slots } };
    const bool lost = o->lost;

    ring_begin(&r, (uint32_t)o->index);
    for (unsigned int i = 0; i < o->nr_puts; i++)
        r.promised += o->put[i];
    r.asked = o->asked ? r.promised : 0;
    naive(&n, r, 0);
    if (o->nr != distinct(trace, n.nr) || (o->lost > 0) != (n.lost > 0) || (o->first_lost > 0) != lost)
        fail_msg("%s, %s: %llu of %llu orders lose a sleeper, and %llu of all %llu", name, shape,
                 (unsigned long long)o->lost, (unsigned long long)o->nr, (unsigned long long)n.lost,
                 (unsigned long long)n.nr);
    ring_free(m);
    return lost;
}

/* --- in time --- */

static const char slow[] = "time 3ms\npatience 1ms\nring a slots=8 index=4294967280 : put 1 every 7us..40us\n"
                           "ring b slots=16 index=2147483640 : put 1..5 every 30us..90us\n"
                           "ring c slots=8 index=65520 : serve 6 every 1us..9us\nring d index=240 : put 3 every 20us\n";

static uint64_t lost_in(const struct ring_model *m)
{
    uint64_t lost = 0;

    for (unsigned int i = 0; i < m->nr_rings; i++) {
        uint64_t sent = 0, shown = 0;

        for (unsigned int c = 0; c < RING_COLUMNS; c++) { /* charts have all of it */
            assert_true(m->ring[i].column[c].most <= m->ring[i].slots);
            sent += m->ring[i].column[c].notifications;
            shown += m->ring[i].column[c].lost;
        }
        assert_int_equal(sent, m->ring[i].r.notifications);
        assert_int_equal(shown, m->ring[i].lost);
        assert_int_equal(m->ring[i].backlog, 0); /* who is lost is woken at last, and takes all */
        assert_int_equal(m->ring[i].r.prod, m->ring[i].r.cons);
        assert_true(m->ring[i].r.spurious + m->ring[i].r.wakes >= m->ring[i].r.notifications);
        lost += m->ring[i].lost;
    }
    return lost;
}

static void test_right(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(right_ones); i++) {
        for (size_t s = 0; s < ARRAY_SIZE(shapes); s++)
            assert_false(orders_lose(shapes[s], right_ones[i].notify, right_ones[i].event, right_ones[i].name));
        for (uint64_t seed = 1; seed <= 8; seed++) {
            struct policy p = { right_ones[i].notify, right_ones[i].event, 0, 0, 0, false };
            struct ring_model *m = played(slow, seed, &p);

            assert_int_equal(lost_in(m), 0);
            ring_free(m);
        }
    }
}

static void test_wrong(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(wrong_ones); i++) {
        struct policy p = { wrong_ones[i].notify, wrong_ones[i].event, 0, 0, 0, false };
        struct ring_model *m = played(slow, 1, &p);
        bool lost = lost_in(m) > 0;

        ring_free(m);
        for (size_t s = 0; s < ARRAY_SIZE(shapes); s++)
            lost |= orders_lose(shapes[s], wrong_ones[i].notify, wrong_ones[i].event, wrong_ones[i].name);
        if (!lost)
            fail_msg("%s: it loses no sleeper", wrong_ones[i].name);
    }
}

static uint64_t below(uint64_t *seed, uint64_t n) { return (*seed = workload_stir(*seed + 1)) % n; }

/* The reference policies, in workloads that nobody has thought of. */
static void test_random(void **state)
{
    struct policy ref[] = { reference("event"), reference("holdoff") };
    uint64_t x = 17;

    for (unsigned int i = 0; i < 60; i++) {
        char text[1024];
        int n = snprintf(text, sizeof(text), "time %dus\npatience 300us\nstep 1ns..%dns\ntake %dns\nlatency %dns\n",
                         (int)below(&x, 400) + 50, (int)below(&x, 300) + 1, (int)below(&x, 900) + 1,
                         (int)below(&x, 9000) + 1);
        uint64_t sent[2];

        for (int r = 0; r < 3; r++)
            n += snprintf(
                text + n, sizeof(text) - (size_t)n,
                "ring r%d slots=%d index=%llu : put 1..%d every %dns..5us for %dus, serve %d every 200ns..%dus "
                "for 80us\n",
                r, 1 << below(&x, 7), (unsigned long long)(UINT32_MAX - below(&x, 60)), (int)below(&x, 9) + 1,
                (int)below(&x, 3000) + 100, (int)below(&x, 90) + 1, (int)below(&x, 70) + 1, (int)below(&x, 4) + 1);
        snprintf(text + n, sizeof(text) - (size_t)n, "orders o asked=yes index=%llu : put %d, put %d\n",
                 (unsigned long long)(UINT32_MAX - below(&x, 4)), (int)below(&x, 3) + 1, (int)below(&x, 3) + 1);
        for (int p = 0; p < 2; p++) {
            struct ring_model *m;

            ref[p].mixed = true;
            ref[p].now = ref[p].notified = ref[p].asked = 0;
            m = played(text, i, &ref[p]);
            if (lost_in(m) || m->orders[0].lost)
                fail_msg("a sleeper is lost in: %s", text);
            sent[p] = m->ring[0].r.taken;
            ring_free(m);
        }
        assert_true(sent[0] && sent[1]);
    }
}

/* --- the same, reckoned anew: nanosecond by nanosecond, with indices that do not wrap --- */

struct reckoned {
    uint64_t time, every, each, slots, cost, latency, wake, take, step; /* given */
    uint64_t sent, wasted, spent, taken, p99, worst, end;
};

static void reckon(struct reckoned *k)
{
    static uint64_t came[4096], took[4096];
    enum { LOOK, TAKE, EVENT, CHECK, SLEEP, ASLEEP } c = LOOK;
    enum { IDLE, WRITE, READ, SEND } p = IDLE;
    uint64_t in = 0, prod = 0, old = 0, event = 1, cons = 0, seen = 0, p_at = 0, c_at = k->step, bell_at = 0;
    bool bell = false, woken = false;

    for (uint64_t t = 1; t < k->time || in != cons || p != IDLE || c != ASLEEP || bell; t++) {
        for (uint64_t i = 0; t < k->time && t % k->every == 0 && i < k->each; i++)
            came[in++] = t;
        if (p == WRITE && t == p_at) {
            old = prod;
            while (prod < in && prod - cons < k->slots)
                prod++;
            p = READ, p_at = t + k->step;
        } else if (p == READ && t == p_at) {
            p = old < event && event <= prod ? SEND : IDLE, p_at = t + k->cost;
        } else if (p == SEND && t == p_at) {
            k->sent++, k->spent += k->cost, k->wasted += bell;
            bell_at = bell ? bell_at : t + k->latency;
            bell = true, p = IDLE;
        }
        if (p == IDLE && in > prod && prod - cons < k->slots)
            p = WRITE, p_at = t + k->step;
        if ((c == SLEEP && t >= c_at && !bell)) {
            c = ASLEEP;
        } else if (((c == SLEEP && t >= c_at) || c == ASLEEP) && bell && t >= bell_at) {
            bell = false, woken = true, c = LOOK, c_at = t + k->wake + k->step, k->spent += k->wake;
        } else if ((c == LOOK || c == CHECK) && t == c_at) {
            seen = prod, k->wasted += woken && seen == cons, woken = false;
            c_at = t + (seen > cons ? k->take : k->step);
            c = seen > cons ? TAKE : c == LOOK ? EVENT : SLEEP;
        } else if (c == TAKE && t == c_at) {
            took[cons] = t - came[cons], k->end = t;
            c = ++cons == seen ? LOOK : TAKE, c_at = t + (c == LOOK ? k->step : k->take);
        } else if (c == EVENT && t == c_at) {
            event = cons + 1, c = CHECK, c_at = t + k->step;
        }
        if (p == IDLE && in > prod && prod - cons < k->slots)
            p = WRITE, p_at = t + k->step;
    }
    qsort(took, cons, sizeof(*took), less_than);
    k->taken = cons;
    k->p99 = took[(cons * 99 + 99) / 100 - 1];
    k->worst = took[cons - 1];
}

static double metric(const struct kit_metrics *list, const char *name)
{
    for (size_t i = 0; i < list->nr; i++)
        if (!strcmp(list->metric[i].figure->name, name) && !list->metric[i].subject[0])
            return list->metric[i].value;
    fail_msg("there is no %s", name);
    return 0;
}

static void test_reckoned(void **state)
{
    uint64_t x = 5;

    for (unsigned int i = 0; i < 60; i++) {
        struct reckoned k = { below(&x, 60000) + 9000,
                              below(&x, 3000) + 100,
                              below(&x, 5) + 1,
                              1 << below(&x, 6),
                              below(&x, 900) + 1,
                              below(&x, 4000) + 1,
                              below(&x, 900) + 1,
                              below(&x, 90) + 1,
                              below(&x, 80) + 1,
                              0,
                              0,
                              0,
                              0,
                              0,
                              0,
                              0 };
        struct kit_metrics list = { .nr = 0 };
        struct policy p = { right, next, 0, 0, 0, false };
        struct ring_model *m;
        char text[400];

        snprintf(text, sizeof(text),
                 "time %lluns\ncost %lluns\nlatency %lluns\nwake %lluns\ntake %lluns\nstep %lluns\n"
                 "ring a slots=%llu index=%llu : put %llu every %lluns\n",
                 (unsigned long long)k.time, (unsigned long long)k.cost, (unsigned long long)k.latency,
                 (unsigned long long)k.wake, (unsigned long long)k.take, (unsigned long long)k.step,
                 (unsigned long long)k.slots, (unsigned long long)(UINT32_MAX - below(&x, 40)),
                 (unsigned long long)k.each, (unsigned long long)k.every);
        reckon(&k);
        m = played(text, 1, &p);
        kit_ring.metrics(m, &list);
        assert_true(metric(&list, "asked") == (double)(p.notified + p.asked));
        if (metric(&list, "requests") != (double)k.taken || metric(&list, "notifications") != (double)k.sent ||
            metric(&list, "spurious") != (double)k.wasted || metric(&list, "p99") != (double)k.p99 / 1e3 ||
            metric(&list, "worst") != (double)k.worst / 1e3 || metric(&list, "spent") != (double)k.spent / 1e3 ||
            metric(&list, "throughput") != (double)k.taken / (double)k.end * 1e9 ||
            metric(&list, "ratio") != (double)k.sent / (double)k.taken || metric(&list, "lost") != 0)
            fail_msg("%s: requests %g %llu, notifications %g %llu, spurious %g %llu, p99 %g %llu, spent %g %llu", text,
                     metric(&list, "requests"), (unsigned long long)k.taken, metric(&list, "notifications"),
                     (unsigned long long)k.sent, metric(&list, "spurious"), (unsigned long long)k.wasted,
                     metric(&list, "p99"), (unsigned long long)k.p99, metric(&list, "spent"),
                     (unsigned long long)k.spent);
        free(list.metric);
        ring_free(m);
    }
}

/* --- through the command --- */

#define SMALL "time 200us\nring a slots=4 : put 1 every 20us\n"

static const struct fault faults[] = {
    { 3, 2, "crashed (Segmentation fault)@" },
    { 12, 0, "" },
    { 13, 2, "answered what is no answer (it has another length)@" },
    { 23, 1, "exports no `const struct ring_ops xenlab_ring_ops`" },
    { 25, 1, "xenlab_ring_ops has abi 99 and size 40, where 1 and 40 are wanted" },
    { 28, 1, "xenlab_ring_ops has no notify" },
    { 29, 1, "xenlab_ring_ops has no next_event" },
};

/* init 1, the first event 2, a notification 3, the second event 4. */
static void test_faults(void **state)
{
    static const char source[] = "tests/kit/bad_ring.c";

    file_write("w", SMALL);
    if (!faults_can_be_tried("ring", source))
        skip();
    faults_tried("ring", source, faults, ARRAY_SIZE(faults), " in next_event, call 4, at 28.750 us", "requests", "", 9);
}

static const struct {
    const char *workload, *says;
} mistakes[] = {
    { "", "w:1: there is no ring: ring NAME slots=32 index=0 : put 1 every 20us" },
    { "rings a : put 1 every 5us\n", "w:1: \"rings\" is no statement: cost, latency, wake, take, step, patience," },
    { "cost 0s\n", "w:1: cost: \"0s\" is no time of whole ns, up to 10s" },
    { "time 11s\n", "w:1: time: \"11s\" is no time" },
    { "latency soon\n", "w:1: latency: \"soon\" is no time" },
    { "step 80ns..20ns\n", "w:1: step: the range ends before it begins" },
    { "ring a put 1 every 5us\n", "w:1: a ring is \"ring NAME slots=32 index=0 : PROGRAM\"" },
    { "ring : put 1 every 5us\n", "w:1: a ring needs a name" },
    { "ring a size=5 : put 1 every 5us\n",
      "w:1: a ring has slots=, index=, cost=, latency=, wake= and take=, not \"size\"" },
    { "ring a slots : put 1 every 5us\n",
      "w:1: a ring has slots=, index=, cost=, latency=, wake= and take=, not \"slots\"" },
    { "ring a slots=12 : put 1 every 5us\n", "w:1: slots: 12 is no power of 2" },
    { "ring a slots=0 : put 1 every 5us\n", "w:1: slots: 0 is no power of 2" },
    { "ring a slots=8192 : put 1 every 5us\n", "w:1: slots: \"8192\" is no number up to 4096" },
    { "ring a index=4294967296 : put 1 every 5us\n", "w:1: index: \"4294967296\" is no number up to 4294967295" },
    { "ring a : put 1\n", "w:1: a step is \"put 1..4 every 20us..60us for 10ms\", \"put 3 after 7us\" or \"serve" },
    { "ring a : serve 1 after 5us\n", "w:1: a step is" },
    { "ring a : put 1 after 5us for 5us\n", "w:1: a step is" },
    { "ring a : ask 1 every 5us\n", "w:1: a step is" },
    { "ring a : put 1 after 99ns\n", "w:1: after: \"99ns\" is less than 100ns" },
    { "ring a take=soon : put 1 every 5us\n", "w:1: take: \"soon\" is no time" },
    { "ring a : send 1 every 5us\n", "w:1: a step is" },
    { "ring a : put 1 every 5us for\n", "w:1: a step is" },
    { "ring a : put 1 every 5us for 3us now\n", "w:1: a step is" },
    { "ring a : put 0 every 5us\n", "w:1: put: at least 1 is wanted" },
    { "ring a : serve 4097 every 5us\n", "w:1: serve: \"4097\" is no number up to 4096" },
    { "ring a : put 3..1 every 5us\n", "w:1: put: the range ends before it begins" },
    { "ring a : put 1 every 50ns\n", "w:1: every: \"50ns\" is less than 100ns" },
    { "ring a : put 1 every 5us, put 1 every 5us\n", "w:1: only a program's last step may be without a time" },
    { "ring a : put 1 every 5us\nring a : put 1 every 5us\n", "w:2: there is a ring a already" },
    { "orders a : put 1\nring a : put 1 every 5us\n", "w:2: there is a ring a already" },
    { "orders a : put 1 for 5us\n", "w:1: what is tried in all orders is \"put 1, put 2\"" },
    { "orders a : serve 1\n", "w:1: what is tried in all orders is" },
    { "orders a asked=maybe : put 1\n", "w:1: asked: \"maybe\" is neither yes nor no" },
    { "orders a queue=5 : put 1\n", "w:1: orders have slots=, index= and asked=, not \"queue\"" },
    { "orders a : put 1, put 1, put 1, put 1, put 1\n", "w:1: more than 4 steps" },
    { "orders a slots=2 : put 1, put 2\n", "w:1: a: 3 requests, and the ring has 2 slots" },
    { "orders a : put 1\nexpect p99 a < 3\n", "w:2: expect: there is no p99 of a" },
    { SMALL "expect p99 < 3 from 1us to 2us\n", "w:3: expect: p99 is of a whole run" },
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        file_write("w", mistakes[i].workload);
        assert_int_equal(KIT("ring", "--policy", "/nowhere.so", "--workload", path("w")), 1);
        assert_true(in_file("err", mistakes[i].says));
    }
    assert_int_equal(KIT("ring", "--help"), 0);
    assert_true(in_file("out", "spurious"));
}

/*
 * Steps that come once, in a ring with times of its own. Each 28 us: 3 at 7, told, awake at 12, taken by 15; 1 at 27,
 * told; with that notification on its way, 2 at 28; all three taken by 35, when the 3 of the next turn come, and find
 * the consumer awake. So 3 and 1 of the first turn are told of, and the 1s of the others.
 */
static void test_once(void **state)
{
    static const char once[] =
        "time 197us\nstep 1ns\nring a cost=1us latency=3us wake=2us take=1us : put 3 after 7us, put 1 after 20us, "
        "put 2 after 1us\n",
                      asked[] = "time 11us\nstep 1ns\ntake 1ns\nlatency 1ns\nwake 1ns\ncost 1ns\n"
                                "ring a : put 1 after 1us, "
                                "ask 9 after 1us, put 1 after 3us, put 4 after 3us, put 4 after 9us\n";
    struct policy p = reference("event"), h = reference("holdoff");
    struct ring_model *m = played(once, 1, &p);

    assert_int_equal(m->ring[0].r.taken, 42);
    assert_int_equal(m->ring[0].r.notifications, 8);
    assert_int_equal(m->ring[0].worst, 9003);
    ring_free(m);
    h.mixed = true;
    m = played(asked, 1, &h); /* told of 1; of 1; then 8 are due: of the 4 that are still to come when time is over */
    assert_int_equal(m->ring[0].r.taken, 10);
    assert_int_equal(m->ring[0].r.notifications, 3);
    assert_int_equal(m->ring[0].lost, 0);
    assert_int_equal(m->ring[0].r.asked, 0);
    ring_free(m);
}

/* The examples: hold-off wakes less often, and later; the same twice, another seed otherwise; windows; the chart. */
static void test_examples(void **state)
{
    static const char wrap[] = "docs/examples/kit/wrap.txt";
    double ratio, p99;
    char *one, *two;

    if (KIT("ring", "--policy", "event", "--workload", wrap, "--json"))
        skip();
    ratio = figure("ratio", "many"), p99 = figure("p99", "many");
    assert_int_equal(figure("lost", ""), 0);
    assert_int_equal(KIT("ring", "--policy", "holdoff", "--workload", wrap, "--json"), 0);
    assert_true(figure("ratio", "many") < ratio / 2);
    assert_true(figure("p99", "many") > p99);
    assert_int_equal(figure("lost", ""), 0);
    one = file_read("out");
    assert_int_equal(KIT("ring", "--policy", "holdoff", "--workload", wrap, "--json", "--svg", path("svg")), 0);
    two = file_read("out");
    assert_string_equal(one, two);
    free(two);
    assert_int_equal(KIT("ring", "--policy", "holdoff", "--workload", wrap, "--json", "--seed", "2"), 0);
    two = file_read("out");
    assert_string_not_equal(one, two);
    assert_true(in_file("svg", "32 slots</text>"));
    free(one);
    free(two);
    file_write("w", SMALL "expect requests == 5 from 50us to 150us\nexpect notifications <= 1*holdoff seeds 1..2\n");
    assert_int_equal(KIT("ring", "--policy", "event", "--workload", path("w")), 0);
    assert_true(in_file("out", "2 of 2 held"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),    cmocka_unit_test(test_wrong),    cmocka_unit_test(test_random),
        cmocka_unit_test(test_reckoned), cmocka_unit_test(test_faults),   cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_once),     cmocka_unit_test(test_examples),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
