// SPDX-License-Identifier: GPL-2.0-or-later
/* evtchn: ports in time, and in all orders. evtchn.h says what the model is. */
#include "tools/kit/evtchn.h"

#define ONE(metric) (UINT64_C(1) << (metric))

/* --- in time --- */

static uint64_t wait_of(struct evtchn_kit_port *p)
{
    return p->from + workload_stir(p->random++) % (p->to - p->from + 1);
}

static bool timed(const struct evtchn_model *m)
{
    for (unsigned int p = 1; p <= m->nr_ports; p++)
        if (m->port[p].to)
            return true;
    return false;
}

/* Sends that are due come into the queue, one of each port at most; returns when the next ones are. */
static uint64_t sends_due(struct evtchn_model *m)
{
    uint64_t next = UINT64_MAX;

    for (unsigned int i = 1; i <= m->nr_ports; i++) {
        struct evtchn_kit_port *p = &m->port[i];

        if (!p->to)
            continue;
        if (p->next <= m->now && m->nr_queue < EVTCHN_MAX_PORTS) {
            events_send(m, i);
            p->next = m->now + wait_of(p);
        }
        next = p->next < next ? p->next : next;
    }
    return next;
}

static void run_timed(struct evtchn_model *m)
{
    events_begin(m);
    m->in_orders = false;
    m->random = workload_stir(m->seed);
    for (unsigned int i = 1; i <= m->nr_ports; i++) {
        m->port[i].random = workload_stir(m->seed + i * UINT64_C(0x1000003));
        m->port[i].next = m->port[i].to ? wait_of(&m->port[i]) : UINT64_MAX;
    }
    while (m->now < m->time && !m->a->gone) {
        const uint64_t next = sends_due(m);

        if (events_step(m)) {
            kit_passed(m->a, (int64_t)m->now);
            continue;
        }
        events_quiet(m);
        m->now = next < m->time ? next : m->time;
    }
    while (events_step(m) && !m->a->gone)
        continue;
    if (!m->a->gone)
        events_quiet(m);
}

/* --- in all orders --- */

static void one_order(struct evtchn_model *m, const struct evtchn_orders *o)
{
    events_begin(m);
    m->schedules++;
    for (unsigned int i = 0; i < o->nr; i++)
        events_send(m, o->port[i]);
    while (events_step(m) && !m->a->gone)
        continue;
    if (!m->a->gone)
        events_quiet(m);
}

/* So many choices, of which up to `more` are preemptions: are those too many orders? */
static bool too_many(struct evtchn_model *m, const struct evtchn_orders *o, uint64_t nr, uint64_t more)
{
    const uint64_t n[EVTCHN_MAX_SWITCH + 1] = { 1, nr, nr * (nr - 1) / 2, nr * (nr - 1) / 2 * (nr - 2) / 3 };
    uint64_t sum = 0;

    for (uint64_t i = 0; i <= more && (!i || nr >= i); i++)
        sum += n[i];
    if (sum <= EVTCHN_MAX_TRIED)
        return false;
    kit_fault(m->a, "makes %llu orders of %s, and %d are tried at most: fewer accesses, sends or switches would do,",
              (unsigned long long)sum, o->name, EVTCHN_MAX_TRIED);
    return true;
}

/* All with up to `more` preemptions behind those that m->deviation has. */
static void search(struct evtchn_model *m, const struct evtchn_orders *o, uint64_t more)
{
    const unsigned int depth = m->nr_deviations, from = depth ? m->deviation[depth - 1] + 1 : 0;
    unsigned int nr;

    one_order(m, o);
    nr = m->nr_choices;
    if (!depth && !m->a->gone && too_many(m, o, nr, more))
        return;
    for (unsigned int at = from; more && at < nr && !m->a->gone; at++) {
        m->deviation[depth] = at;
        m->nr_deviations = depth + 1;
        search(m, o, more - 1);
        m->nr_deviations = depth;
    }
}

static void run(void *model, struct kit_asked *a)
{
    struct evtchn_model *m = model;

    m->a = a;
    if (timed(m))
        run_timed(m);
    m->in_orders = true;
    for (unsigned int i = 1; i <= m->nr_ports; i++)
        m->port[i].random = workload_stir(m->seed + i * UINT64_C(0x1000003));
    for (unsigned int i = 0; i < m->nr_orders && !a->gone; i++)
        search(m, &m->orders[i], m->switches);
}

/* --- figures --- */

enum { SENDS, DELIVERED, LOST, SPURIOUS, REORDERED, INVERSIONS, LATENCY, WORST, UPCALLS, TOUCHES, SCHEDULES, FIRST };

static const struct kit_figure figures[] = {
    [SENDS] = { "sends", "", "to ports" },
    [DELIVERED] = { "delivered", "", "ports taken by the guest: several sends may be one" },
    [LOST] = { "lost", "", "times that the guest slept with a port sent to, not masked, and not taken" },
    [SPURIOUS] = { "spurious", "", "ports taken that nobody had sent to, or that were masked" },
    [REORDERED] = { "reordered", "", "ports taken before one as high that was sent before" },
    [INVERSIONS] = { "inversions", "", "ports taken while a higher one was there" },
    [LATENCY] = { "latency", "deliveries", "of other ports between send and delivery, on average" },
    [WORST] = { "worst", "deliveries", "of other ports between them, at most" },
    [UPCALLS] = { "upcalls", "", "asked for" },
    [TOUCHES] = { "touches", "", "accesses to words" },
    [SCHEDULES] = { "schedules", "", "orders that were tried" },
    [FIRST] = { "first", "us", "when what was lost or in vain first was sent, or taken; 0: nothing was" },
    { NULL, NULL, NULL },
};

static double of(const struct evtchn_kit_port *p, unsigned int figure)
{
    const uint64_t good = p->delivered - p->spurious;

    switch (figure) {
    case SENDS: return (double)p->sends;
    case DELIVERED: return (double)p->delivered;
    case LOST: return (double)p->lost;
    case SPURIOUS: return (double)p->spurious;
    case REORDERED: return (double)p->reordered;
    case INVERSIONS: return (double)p->inversions;
    case LATENCY: return good ? (double)p->waited / (double)good : 0;
    default: return (double)p->worst;
    }
}

static void metrics(const void *model, struct kit_metrics *list)
{
    const struct evtchn_model *m = model;
    struct evtchn_kit_port all = { .name = "" };

    for (unsigned int i = 1; i <= m->nr_ports; i++) {
        const struct evtchn_kit_port *p = &m->port[i];

        for (unsigned int n = 0; n <= WORST; n++)
            kit_metric_add(list, &figures[n], p->name, of(p, n));
        all.sends += p->sends, all.delivered += p->delivered, all.lost += p->lost, all.spurious += p->spurious;
        all.reordered += p->reordered, all.inversions += p->inversions, all.waited += p->waited;
        all.worst = p->worst > all.worst ? p->worst : all.worst;
    }
    for (unsigned int n = 0; n <= WORST; n++)
        kit_metric_add(list, &figures[n], "", of(&all, n));
    kit_metric_add(list, &figures[UPCALLS], "", (double)m->upcalls);
    kit_metric_add(list, &figures[TOUCHES], "", (double)m->accesses);
    kit_metric_add(list, &figures[SCHEDULES], "", (double)m->schedules);
    kit_metric_add(list, &figures[FIRST], "", (double)m->first / 1e3);
}

static const char *const hooks[] = { "init", "set_pending", "unmask", "mask", "take", NULL };
static const char *const references[] = { "twolevel", "fifo", NULL };

static int64_t time_of(const void *model) { return (int64_t)((const struct evtchn_model *)model)->time; }

const struct kit_model kit_evtchn = {
    .name = "evtchn",
    .what = "how a guest is told that a port is pending",
    .example = "docs/examples/kit/ports.txt",
    .hooks = hooks,
    .required = UINT32_C(1) << EVTCHN_SET_PENDING | UINT32_C(1) << EVTCHN_UNMASK | UINT32_C(1) << EVTCHN_MASK |
                UINT32_C(1) << EVTCHN_TAKE,
    .figures = figures,
    .sums = ONE(SENDS) | ONE(DELIVERED) | ONE(LOST) | ONE(SPURIOUS) | ONE(REORDERED) | ONE(INVERSIONS) | ONE(UPCALLS) |
            ONE(TOUCHES),
    .references = references,
    .time = time_of,
    .load = events_load,
    .run = run,
    .metrics = metrics,
    .svg = events_svg,
    .free = events_free,
};
