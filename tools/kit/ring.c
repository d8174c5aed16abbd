// SPDX-License-Identifier: GPL-2.0-or-later
/* ring: who decides is asked, and what came of it. ring.h says what happens between questions. */
#include "tools/kit/ring.h"

#include <stdlib.h>
#include <string.h>

#include "sim/bug.h"

/* --- asking --- */

static bool asked(void *of, const struct ring *r, enum ring_hook hook, uint32_t *answer)
{
    struct kit_asked *a = of;
    const bool notify = hook == RING_NOTIFY;
    const size_t len = notify ? 1 : sizeof(*answer);
    const struct ring_question q = { r->told, notify ? r->old : 0, notify ? r->prod : 0, notify ? r->event : 0,
                                     notify ? 0 : r->cons };

    if (r->told.life) {
        snprintf(a->at, sizeof(a->at), "step %llu of order %llu", (unsigned long long)r->told.now,
                 (unsigned long long)r->told.life);
    } else {
        snprintf(a->at, sizeof(a->at), "%.3f us", (double)r->told.now / 1e3);
        a->now = (int64_t)r->told.now;
    }
    if (!kit_ask(a, hook, &q, sizeof(q), len, len))
        return false;
    *answer = 0;
    memcpy(answer, a->message.bytes, len);
    return true;
}

static bool notify(void *of, const struct ring *r, uint32_t *answer) { return asked(of, r, RING_NOTIFY, answer); }

static bool next_event(void *of, const struct ring *r, uint32_t *answer)
{
    return asked(of, r, RING_NEXT_EVENT, answer);
}

static void passed(void *of, uint64_t now) { kit_passed(of, (int64_t)now); }

static void run(void *model, struct kit_asked *a)
{
    struct ring_model *m = model;

    m->notify = notify;
    m->next_event = next_event;
    m->passed = passed;
    m->of = a;
    ring_time_run(m);
    for (unsigned int i = 0; i < m->nr_orders && !m->gone; i++)
        ring_orders_run(m, i);
}

/* --- figures --- */

enum { REQUESTS, NOTIFICATIONS, RATIO, SPURIOUS, LOST, P99, WORST, THROUGHPUT, SPENT, DROPPED, ORDERS, FIRST, ASKED };

static const struct kit_figure figures[] = {
    [REQUESTS] = { "requests", "", "that the consumer took" },
    [NOTIFICATIONS] = { "notifications", "", "that the producer sent" },
    [RATIO] = { "ratio", "", "notifications a request" },
    [SPURIOUS] = { "spurious", "", "notifications that nobody slept for: merged, or nothing was there" },
    [LOST] = { "lost", "", "sleepers whom nobody would have woken; of orders, those that end so" },
    [P99] = { "p99", "us", "99 of 100 requests were taken within this time, from when they came" },
    [WORST] = { "worst", "us", "and all of them within this" },
    [THROUGHPUT] = { "throughput", "/s", "requests a second, until the last was taken" },
    [SPENT] = { "spent", "us", "of both sides' time on notifications and on waking up" },
    [DROPPED] = { "dropped", "", "came while 4096 waited for a slot" },
    [ORDERS] = { "orders", "", "of the two sides' steps, all that a side can tell apart: they were tried" },
    [FIRST] = { "first", "", "`life` of the first of them; 0: there is none" },
    [ASKED] = { "asked", "", "times, both functions together" },
    { NULL, NULL, NULL },
};

static double per(uint64_t n, uint64_t of) { return of ? (double)n / (double)of : 0; }

/* What rings have, and orders. */
static void common(struct kit_metrics *list, const char *name, uint64_t requests, uint64_t notifications,
                   uint64_t spurious, uint64_t lost)
{
    kit_metric_add(list, &figures[REQUESTS], name, (double)requests);
    kit_metric_add(list, &figures[NOTIFICATIONS], name, (double)notifications);
    kit_metric_add(list, &figures[RATIO], name, per(notifications, requests));
    kit_metric_add(list, &figures[SPURIOUS], name, (double)spurious);
    kit_metric_add(list, &figures[LOST], name, (double)lost);
}

static int less(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Of several rings' latencies, ns: by nearest rank. */
static uint64_t p99(const struct ring_timed *first, const struct ring_timed *end)
{
    uint64_t *all, nr = 0, value = 0;

    for (const struct ring_timed *t = first; t < end; t++)
        nr += t->r.taken;
    if (!nr)
        return 0;
    all = calloc(nr, sizeof(*all));
    BUG_ON(!all);
    nr = 0;
    for (const struct ring_timed *t = first; t < end; nr += t++->r.taken)
        if (t->r.taken)
            memcpy(all + nr, t->lasted, t->r.taken * sizeof(*all));
    qsort(all, nr, sizeof(*all), less);
    value = all[nr - nr / 100 - 1];
    free(all);
    return value;
}

/* Of several rings; `lost` are there beside theirs. */
static void timed(struct kit_metrics *list, const char *name, const struct ring_timed *first,
                  const struct ring_timed *end, uint64_t lost)
{
    uint64_t taken = 0, sent = 0, spurious = 0, worst = 0, spent = 0, dropped = 0, last = 0;

    for (const struct ring_timed *t = first; t < end; t++) {
        taken += t->r.taken, sent += t->r.notifications, spurious += t->r.spurious;
        lost += t->lost, spent += t->spent, dropped += t->dropped;
        worst = t->worst > worst ? t->worst : worst;
        last = t->last > last ? t->last : last;
    }
    common(list, name, taken, sent, spurious, lost);
    kit_metric_add(list, &figures[P99], name, (double)p99(first, end) / 1e3);
    kit_metric_add(list, &figures[WORST], name, (double)worst / 1e3);
    kit_metric_add(list, &figures[THROUGHPUT], name, per(taken, last) * 1e9);
    kit_metric_add(list, &figures[SPENT], name, (double)spent / 1e3);
    kit_metric_add(list, &figures[DROPPED], name, (double)dropped);
}

static void metrics(const void *model, struct kit_metrics *list)
{
    const struct ring_model *m = model;
    uint64_t orders = 0, lost = 0;

    for (const struct ring_timed *t = m->ring; t < m->ring + m->nr_rings; t++)
        timed(list, t->name, t, t + 1, 0);
    for (const struct ring_orders *o = m->orders; o < m->orders + m->nr_orders; o++) {
        common(list, o->name, o->taken, o->notifications, o->spurious, o->lost);
        kit_metric_add(list, &figures[ORDERS], o->name, (double)o->nr);
        kit_metric_add(list, &figures[FIRST], o->name, (double)o->first_lost);
        orders += o->nr, lost += o->lost;
    }
    timed(list, "", m->ring, m->ring + m->nr_rings, lost);
    kit_metric_add(list, &figures[ORDERS], "", (double)orders);
    kit_metric_add(list, &figures[ASKED], "", (double)m->asked);
}

static int64_t time_of(const void *model) { return (int64_t)((const struct ring_model *)model)->time; }

#define ONE(figure) (UINT64_C(1) << (figure))

static const char *const references[] = { "event", "holdoff", NULL };
static const char *const hooks[] = { "init", "notify", "next_event", NULL };

const struct kit_model kit_ring = {
    .name = "ring",
    .what = "when the other side of a ring is notified",
    .example = "docs/examples/kit/net.txt",
    .hooks = hooks,
    .required = UINT32_C(1) << RING_NOTIFY | UINT32_C(1) << RING_NEXT_EVENT,
    .figures = figures,
    .sums = ONE(REQUESTS) | ONE(NOTIFICATIONS) | ONE(SPURIOUS) | ONE(LOST) | ONE(SPENT) | ONE(DROPPED) | ONE(ASKED),
    .references = references,
    .load = ring_load,
    .time = time_of,
    .run = run,
    .metrics = metrics,
    .svg = ring_svg,
    .free = ring_free,
};
