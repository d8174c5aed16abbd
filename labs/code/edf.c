// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A scheduling policy: reservations, by earliest deadline first, and only as many as can be kept. For one pCPU.
 *
 * Concept: a vCPU with a reservation is a *server*: it may run for its budget in every period, and by the period's end,
 * its deadline. Of those with budget left the one whose deadline is nearest runs. That keeps all promises as long as
 * budget / period, summed up over all, is at most 1; so what would make it more is refused. vCPUs without a reservation
 * are the background: they run, by turns, when no server wants to. (C. Liu and J. Layland, "Scheduling Algorithms for
 * Multiprogramming in a Hard-Real-Time Environment", 1973.)
 *
 *      wake(v)               a period that is over: replenish(); to the list; preempts(): the pCPU is asked to look
 *      do_schedule(prev)     burn(prev), back to the list; next_unit(); slice()
 *      a deadline            burn() who runs, replenish() whose it is; the pCPU is asked to look
 *
 * Invariants: a vCPU is on the list when it is runnable and does not run. What was run is burnt from the budget, all of
 * it. No server runs without budget. A server's periods follow each other without a gap since it first woke.
 */
#include <errno.h>
#include <stdlib.h>

#include "vcpu/sched/sched.h"

#define SLICE MILLISECS(10) /* of the background */

/* A vCPU. Times in ns. */
struct unit {
    struct vcpu *v;
    struct unit *next, *other; /* on the list; of all there are */
    bool waiting;              /* it is on the list */
    s_time_t period, budget;   /* its reservation; period 0: none, it is background */
    s_time_t deadline, left;   /* the present period's end, and what of its budget is left; deadline 0: never awake */
    s_time_t started;          /* burnt up to there */
};

struct edf {
    struct unit *list, *all;
    struct unit *runs; /* NULL: nobody */
    struct scheduler *s;
    struct timer timer; /* for the nearest deadline */
};

/* --- what is to be written --- */

/*
 * May u have a reservation of `budget` ns in each `period` ns (0 and 0: none)? Its present one, if it has one, is given
 * up for it. 0; -EINVAL: the budget is greater than the period, or one of the two alone is 0; -ENOSPC: the sum over all
 * would be more than 1. One that is above 1 by less than a millionth for each server may be taken for 1; 1 itself must
 * be. Periods are below 2^42 ns, which leaves 22 bits for a fraction.
 */
static int admit(const struct edf *l, const struct unit *u, s_time_t period, s_time_t budget)
{
    uint64_t sum = 0;

    if (budget > period || !period != !budget)
        return -EINVAL;
    for (const struct unit *o = l->all; o; o = o->other)
        if (o != u && o->period)
            sum += ((uint64_t)o->budget << 22) / (uint64_t)o->period;
    if (period)
        sum += ((uint64_t)budget << 22) / (uint64_t)period;
    return sum > UINT64_C(1) << 22 ? -ENOSPC : 0;
}

/* u, a server, ran from u->started to now (which may seem to be before it). */
static void burn(struct unit *u, s_time_t now)
{
    if (now > u->started)
        u->left -= now - u->started;
    u->started = now;
}

/* u, a server, has a deadline that is not after now: the period that now lies in begins. */
static void replenish(struct unit *u, s_time_t now)
{
    u->deadline += u->period * ((now - u->deadline) / u->period + 1);
    u->left = u->budget;
}

/*
 * `a` waits, `b` runs: should the pCPU be a's now? A server's instead of the background's, and the nearer deadline's
 * among servers. No if a is background, or has no budget left. With equal deadlines either will do.
 */
static bool preempts(const struct unit *a, const struct unit *b)
{
    if (!a->period || a->left <= 0)
        return false;
    return !b->period || a->deadline < b->deadline;
}

/*
 * Who of those on the list comes next; NULL: nobody may. It stays there. Of the background who has waited longest: the
 * list is in the order of arrival.
 */
static struct unit *next_unit(const struct edf *l)
{
    struct unit *best = NULL;

    for (struct unit *u = l->list; u; u = u->next)
        if ((!u->period || u->left > 0) && (!best || preempts(u, best)))
            best = u;
    return best;
}

/* For how long u, which was chosen, may run before the policy is asked again; more than 0. Background: about SLICE. */
static s_time_t slice(const struct unit *u) { return u->period ? u->left : SLICE; }

/* --- the list --- */

/* At its end. */
static void put(struct edf *l, struct unit *u)
{
    struct unit **link = &l->list;

    while (*link)
        link = &(*link)->next;
    u->waiting = true;
    u->next = NULL;
    *link = u;
}

static void take(struct edf *l, struct unit *u)
{
    struct unit **link = &l->list;

    if (!u->waiting)
        return;
    while (*link != u)
        link = &(*link)->next;
    *link = u->next;
    u->waiting = false;
}

/* --- deadlines --- */

static s_time_t now_of(const struct edf *l) { return l->s->xen->machine->clock.now; }

/*
 * For the nearest. One that is now, and was not seen to yet, counts: a vCPU may wake at that moment, before the timer
 * goes off.
 */
static void timer_arm(struct edf *l)
{
    s_time_t first = 0;

    for (const struct unit *u = l->all; u; u = u->other)
        if (u->period && u->deadline && (!first || u->deadline < first))
            first = u->deadline;
    if (first)
        timer_set(&l->s->xen->machine->clock, &l->timer, first);
}

/* Some period is over. A vCPU that sleeps has its periods, too. */
static void deadline_passed(void *data)
{
    struct edf *l = data;

    if (l->runs && l->runs->period)
        burn(l->runs, now_of(l));
    for (struct unit *u = l->all; u; u = u->other)
        if (u->period && u->deadline && now_of(l) >= u->deadline)
            replenish(u, now_of(l));
    timer_arm(l);
    sched_kick_cpu(l->s->xen, 0);
}

/* u's first period begins. */
static void begin(struct edf *l, struct unit *u)
{
    u->deadline = now_of(l) + u->period;
    u->left = u->budget;
    u->started = now_of(l);
}

/* --- hooks: vcpu/sched/sched.h says when each is called --- */

static int init(struct scheduler *s)
{
    struct edf *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->s = s;
    timer_init(&l->timer, deadline_passed, l);
    s->sched_data = l;
    return 0;
}

static void deinit(struct scheduler *s)
{
    struct edf *l = s->sched_data;

    timer_stop(&s->xen->machine->clock, &l->timer);
    free(l);
}

static void *alloc_udata(struct scheduler *s, struct vcpu *v, void *dd)
{
    struct edf *l = s->sched_data;
    struct unit *u = calloc(1, sizeof(*u));

    if (!u)
        return NULL;
    u->v = v;
    u->other = l->all;
    l->all = u;
    return u;
}

static void free_udata(struct scheduler *s, void *vd)
{
    struct edf *l = s->sched_data;
    struct unit **link = &l->all;

    while (*link != vd)
        link = &(*link)->other;
    *link = (*link)->other;
    free(vd);
}

static void sleep_unit(struct scheduler *s, struct vcpu *v) { take(s->sched_data, v->sched_priv); }

static void wake(struct scheduler *s, struct vcpu *v)
{
    struct edf *l = s->sched_data;
    struct unit *u = v->sched_priv;

    if (v->is_running)
        return;
    if (u->period && !u->deadline)
        begin(l, u);
    else if (u->period && now_of(l) >= u->deadline)
        replenish(u, now_of(l));
    timer_arm(l);
    put(l, u);
    if (!l->runs || preempts(u, l->runs))
        sched_kick_cpu(s->xen, 0);
}

static struct task_slice do_schedule(struct scheduler *s, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct edf *l = s->sched_data;
    struct unit *u = prev ? prev->sched_priv : NULL;

    l->runs = NULL;
    if (u && u->period)
        burn(u, now);
    if (u && vcpu_runnable(prev))
        put(l, u);
    u = sched_cpu_owned(s, cpu) ? next_unit(l) : NULL;
    if (!u)
        return (struct task_slice){ NULL, -1 };
    take(l, u);
    u->started = now;
    l->runs = u;
    return (struct task_slice){ u->v, slice(u) };
}

/* A new reservation begins with the next period; the first at once, or when the vCPU wakes. */
static int adjust(struct scheduler *s, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    struct edf *l = s->sched_data;
    struct xen_domctl_schedparam_vcpu *p;
    struct unit *u;
    int rc;

    if (op->cmd == XEN_DOMCTL_SCHEDOP_putinfo)
        return 0; /* weights and caps are nothing to it */
    if (op->cmd != XEN_DOMCTL_SCHEDOP_putvcpuinfo)
        return -EOPNOTSUPP;
    p = op->u.v.vcpus.p;
    u = d->vcpu[p->vcpuid]->sched_priv;
    rc = admit(l, u, MICROSECS(p->u.rtds.period), MICROSECS(p->u.rtds.budget));
    if (rc)
        return rc;
    u->period = MICROSECS(p->u.rtds.period);
    u->budget = MICROSECS(p->u.rtds.budget);
    if (!u->period) {
        u->deadline = 0;
    } else if (!u->deadline && (u->waiting || u == l->runs)) {
        begin(l, u);
        timer_arm(l);
        sched_kick_cpu(s->xen, 0);
    }
    return 0;
}

extern const struct sched_ops xenlab_sched_ops;
const struct sched_ops xenlab_sched_ops = {
    .name = "Earliest deadline first",
    .opt_name = "edf",
    .sched_id = 102,
    .init = init,
    .deinit = deinit,
    .alloc_udata = alloc_udata,
    .free_udata = free_udata,
    .sleep = sleep_unit,
    .wake = wake,
    .do_schedule = do_schedule,
    .adjust = adjust,
};
