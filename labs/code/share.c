// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A scheduling policy: time by weight, and no more than a cap.
 *
 * Concept: each vCPU has a clock of its own, which goes while it runs, and the slower the greater its weight is. Who is
 * furthest behind comes next. Besides, a domain with a cap has a budget for each period, which all its vCPUs draw on;
 * with nothing left they wait for the next one. (C. Waldspurger and W. Weihl, "Stride Scheduling", 1995.)
 *
 *      do_schedule(prev)     charge(prev), back to the list; next_unit(); slice()
 *      wake(v)               join(v), to the list; an idle pCPU is asked to look
 *      every PERIOD          refill(), and idle pCPUs are asked to look
 *
 * Invariants: a vCPU is on the list when it is runnable and runs nowhere. What was run is charged, all of it, to the
 * vCPU and to its domain. Who slept has saved up nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "vcpu/sched/sched.h"

#define SLICE  MILLISECS(10)
#define PERIOD MILLISECS(30)

/* A domain. */
struct account {
    struct account *next;
    unsigned int weight, cap; /* cap: in percent of one pCPU; 0: none */
    s_time_t budget;          /* what it may run in this period, all its vCPUs together; < 0: it had too much */
};

/* A vCPU. */
struct unit {
    struct vcpu *v;
    struct account *account;
    struct unit *next;
    bool waiting;     /* it is on the list */
    s_time_t started; /* charged up to there */
    s_time_t clock;
};

struct share {
    struct unit *list;
    struct account *accounts;
    s_time_t clock; /* of who was chosen last */
    struct scheduler *s;
    struct timer timer;
    bool ticks;
};

/* --- what is to be written --- */

/* u has run from u->started to now. */
static void charge(struct unit *u, s_time_t now)
{
    const s_time_t ran = now > u->started ? now - u->started : 0;

    u->started = now;
    u->clock += ran * 256 / u->account->weight;
    u->account->budget -= ran;
}

/* u was asleep, and is about to be on the list. l->clock is how far those have come that were not. */
static void join(const struct share *l, struct unit *u)
{
    if (u->clock < l->clock)
        u->clock = l->clock;
}

/* A period begins, for domain a, which has a cap. */
static void refill(struct account *a)
{
    const s_time_t full = PERIOD * a->cap / 100;

    a->budget = a->budget + full < full ? a->budget + full : full;
}

/* Who of those on the list comes next on this pCPU; NULL: nobody. It stays on the list. */
static struct unit *next_unit(const struct share *l, unsigned int cpu)
{
    struct unit *best = NULL;

    for (struct unit *u = l->list; u; u = u->next) {
        if (!(vcpu_cpumask(u->v) >> cpu & 1) || (u->account->cap && u->account->budget <= 0))
            continue;
        if (!best || u->clock < best->clock)
            best = u;
    }
    return best;
}

/* For how long u may run before the policy is asked again, in ns. */
static s_time_t slice(const struct unit *u)
{
    const s_time_t left = u->account->budget;

    if (!u->account->cap || left > SLICE)
        return SLICE;
    return left > MICROSECS(100) ? left : MICROSECS(100);
}

/* --- the list --- */

/* At its end. */
static void put(struct share *l, struct unit *u)
{
    struct unit **link = &l->list;

    while (*link)
        link = &(*link)->next;
    u->waiting = true;
    u->next = NULL;
    *link = u;
}

static void take(struct share *l, struct unit *u)
{
    struct unit **link = &l->list;

    if (!u->waiting)
        return;
    while (*link != u)
        link = &(*link)->next;
    *link = u->next;
    u->waiting = false;
}

/* --- hooks: vcpu/sched/sched.h says when each is called --- */

/* A pCPU that idles looks again, for each that waits. */
static void kick(struct share *l)
{
    for (struct unit *u = l->list; u; u = u->next)
        sched_kick_idle(l->s->xen, vcpu_cpumask(u->v), u->v->processor);
}

static void tick(void *data)
{
    struct share *l = data;

    for (struct account *a = l->accounts; a; a = a->next)
        if (a->cap)
            refill(a);
    kick(l);
    timer_set(&l->s->xen->machine->clock, &l->timer, l->s->xen->machine->clock.now + PERIOD);
}

static int init(struct scheduler *s)
{
    struct share *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->s = s;
    timer_init(&l->timer, tick, l);
    s->sched_data = l;
    return 0;
}

static void deinit(struct scheduler *s)
{
    struct share *l = s->sched_data;

    timer_stop(&s->xen->machine->clock, &l->timer);
    free(l);
}

static void *alloc_domdata(struct scheduler *s, struct domain *d)
{
    struct share *l = s->sched_data;
    struct account *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    a->weight = 256;
    a->next = l->accounts;
    l->accounts = a;
    return a;
}

static void free_domdata(struct scheduler *s, void *dd)
{
    struct share *l = s->sched_data;
    struct account **link = &l->accounts;

    while (*link != dd)
        link = &(*link)->next;
    *link = (*link)->next;
    free(dd);
}

static void *alloc_udata(struct scheduler *s, struct vcpu *v, void *dd)
{
    struct unit *u = calloc(1, sizeof(*u));

    if (u) {
        u->v = v;
        u->account = dd;
    }
    return u;
}

static void free_udata(struct scheduler *s, void *vd) { free(vd); }

static void sleep_unit(struct scheduler *s, struct vcpu *v) { take(s->sched_data, v->sched_priv); }

static void wake(struct scheduler *s, struct vcpu *v)
{
    struct share *l = s->sched_data;
    struct unit *u = v->sched_priv;

    if (v->is_running)
        return;
    join(l, u);
    put(l, u);
    sched_kick_idle(s->xen, vcpu_cpumask(v), v->processor);
}

static struct task_slice do_schedule(struct scheduler *s, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct share *l = s->sched_data;
    struct unit *u;

    if (prev) {
        charge(prev->sched_priv, now);
        if (vcpu_runnable(prev))
            put(l, prev->sched_priv);
    }
    u = sched_cpu_owned(s, cpu) ? next_unit(l, cpu) : NULL;
    if (!u)
        return (struct task_slice){ NULL, -1 };
    take(l, u);
    u->started = now;
    if (u->clock > l->clock)
        l->clock = u->clock;
    if (prev && prev != u->v)
        kick(l);
    return (struct task_slice){ u->v, slice(u) };
}

static int adjust(struct scheduler *s, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    struct share *l = s->sched_data;
    struct account *a = d->sched_priv;

    if (op->cmd != XEN_DOMCTL_SCHEDOP_putinfo)
        return -EOPNOTSUPP;
    if (!op->u.credit2.weight)
        return -EINVAL;
    a->weight = op->u.credit2.weight;
    a->cap = op->u.credit2.cap;
    if (a->cap && !l->ticks) {
        l->ticks = true;
        tick(l);
    }
    return 0;
}

extern const struct sched_ops xenlab_sched_ops;
const struct sched_ops xenlab_sched_ops = {
    .name = "Shares and caps",
    .opt_name = "share",
    .sched_id = 101,
    .init = init,
    .deinit = deinit,
    .alloc_domdata = alloc_domdata,
    .free_domdata = free_domdata,
    .alloc_udata = alloc_udata,
    .free_udata = free_udata,
    .sleep = sleep_unit,
    .wake = wake,
    .do_schedule = do_schedule,
    .adjust = adjust,
};
