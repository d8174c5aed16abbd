// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A scheduling policy: time by weight, and at once for who wakes and has used little.
 *
 * Concept: each vCPU has *credit*, and burns it while it runs: the slower the greater its weight is. Who has most runs.
 * When even the best has none left everybody gets another portion (a *reset*). Who sleeps burns nothing, so it has more
 * than those who compute when it wakes, and takes the pCPU of the one that has least. It is no priority: what it runs
 * it burns, like anybody else. Only the *rate limit* stands before that: who runs is let run for a millisecond.
 *
 *      credit                  A computes              B wakes: it has more     reset: all have some again
 *      10 ms  A,B==.            \        ___B_______________.   |                  .--- A
 *                   \___A sleeps .      B                    \  A                 /
 *       0 --------------------------------------------------- A,B ---------------
 *
 *      do_schedule(prev)     burn(prev); goes_on(), or back to the list and next_unit(); reset() if need be; slice()
 *      wake(v)               to the list; an idle pCPU is asked to look, or else victim()
 *
 * Invariants: a vCPU is on the list when it is runnable and runs nowhere. All that was run is burnt, to the nanosecond.
 * After a reset nobody has less than 0, or more than a portion.
 *
 * One run queue for all pCPUs, as Xen's for those that share a cache; no caps, and no soft affinity. Xen burns by the
 * heaviest weight of a queue, and here it is by 256. Corresponds to xen/common/sched/credit2.c, of which xenlab's
 * own, vcpu/sched/credit2.c, has all.
 */
#include <errno.h>
#include <stdlib.h>

#include "vcpu/sched/sched.h"

#define CREDIT    MILLISECS(10) /* a portion: what all begin with, and what a reset gives */
#define RATELIMIT MILLISECS(1)  /* so long a vCPU runs before another one may take its pCPU */
#define SLICE     MILLISECS(10) /* the longest */

/* A vCPU. */
struct unit {
    struct vcpu *v;
    const unsigned int *weight; /* its domain's; not 0 */
    struct unit *next, *sibling;
    bool waiting;     /* it is on the list */
    s_time_t since;   /* on its pCPU */
    s_time_t started; /* has burnt up to there */
    s_time_t credit;
};

struct latency {
    struct unit *list; /* those that wait, by next */
    struct unit *all;  /* by sibling */
    struct scheduler *s;
};

/* Who runs on a pCPU; NULL: nobody, or it has been asked already to look who comes next. */
static struct unit *running(const struct latency *l, unsigned int cpu)
{
    const struct xen_pcpu *p = &l->s->xen->pcpu[cpu];

    return p->curr && !p->need_resched ? p->curr->sched_priv : NULL;
}

/* --- what is to be written --- */

/* u has run from u->started to now. */
static void burn(struct unit *u, s_time_t now)
{
    const s_time_t ran = now > u->started ? now - u->started : 0;

    u->started = now;
    u->credit -= ran * 256 / *u->weight;
}

/* Another portion for u. It is done for all vCPUs at once, asleep or not. */
static void reset(struct unit *u)
{
    u->credit += CREDIT;
    if (u->credit < 0)
        u->credit = 0;
    if (u->credit > CREDIT)
        u->credit = CREDIT;
}

/* u has woken, and no pCPU is idle. Which one is to look who comes next? Its number, or -1: none. */
static int victim(const struct latency *l, const struct unit *u)
{
    s_time_t least = u->credit;
    int found = -1;

    for_each_cpu_in(vcpu_cpumask(u->v), cpu)
    {
        const struct unit *cur = running(l, cpu);

        if (cur && cur->credit < least) {
            least = cur->credit;
            found = (int)cpu;
        }
    }
    return found;
}

/* cur runs, and wants to go on; best has most credit of those that wait for this pCPU. Does cur keep it? */
static bool goes_on(const struct unit *cur, const struct unit *best, s_time_t now)
{
    return now - cur->since < RATELIMIT || cur->credit >= best->credit;
}

/* For how long u may run before the policy is asked again, in ns. best: the best of those that wait, or NULL. */
static s_time_t slice(const struct unit *u, const struct unit *best, s_time_t now)
{
    const s_time_t limited = u->since + RATELIMIT - now;
    s_time_t time = SLICE;

    if (best)
        time = (u->credit - best->credit) * *u->weight / 256;
    if (time > SLICE)
        time = SLICE;
    if (time < limited)
        time = limited;
    return time > RATELIMIT / 2 ? time : RATELIMIT / 2;
}

/* --- the list --- */

/* At its end. */
static void put(struct latency *l, struct unit *u)
{
    struct unit **link = &l->list;

    while (*link)
        link = &(*link)->next;
    u->waiting = true;
    u->next = NULL;
    *link = u;
}

static void take(struct latency *l, struct unit *u)
{
    struct unit **link = &l->list;

    if (!u->waiting)
        return;
    while (*link != u)
        link = &(*link)->next;
    *link = u->next;
    u->waiting = false;
}

/* Who of those that wait has most credit, and may run on this pCPU; of equals the one that waits longest. Or NULL. */
static struct unit *next_unit(const struct latency *l, unsigned int cpu)
{
    struct unit *best = NULL;

    for (struct unit *u = l->list; u; u = u->next)
        if (vcpu_cpumask(u->v) >> cpu & 1 && (!best || u->credit > best->credit))
            best = u;
    return best;
}

/* All who run have burnt what they ran. */
static void burn_all(const struct latency *l, s_time_t now)
{
    for_each_cpu_in(l->s->cpus, cpu) if (l->s->xen->pcpu[cpu].curr) burn(l->s->xen->pcpu[cpu].curr->sched_priv, now);
}

/* --- hooks: vcpu/sched/sched.h says when each is called --- */

static int init(struct scheduler *s)
{
    struct latency *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->s = s;
    s->sched_data = l;
    return 0;
}

static void deinit(struct scheduler *s) { free(s->sched_data); }

/* A domain is its weight. */
static void *alloc_domdata(struct scheduler *s, struct domain *d)
{
    unsigned int *weight = malloc(sizeof(*weight));

    if (weight)
        *weight = 256;
    return weight;
}

static void free_domdata(struct scheduler *s, void *dd) { free(dd); }

static void *alloc_udata(struct scheduler *s, struct vcpu *v, void *dd)
{
    struct latency *l = s->sched_data;
    struct unit *u = calloc(1, sizeof(*u));

    if (!u)
        return NULL;
    u->v = v;
    u->weight = dd;
    u->credit = CREDIT;
    u->sibling = l->all;
    l->all = u;
    return u;
}

static void free_udata(struct scheduler *s, void *vd)
{
    struct latency *l = s->sched_data;
    struct unit **link = &l->all, *u = vd;

    while (*link != u)
        link = &(*link)->sibling;
    *link = u->sibling;
    free(u);
}

static void sleep_unit(struct scheduler *s, struct vcpu *v) { take(s->sched_data, v->sched_priv); }

static void wake(struct scheduler *s, struct vcpu *v)
{
    struct latency *l = s->sched_data;
    struct unit *u = v->sched_priv;
    int cpu;

    if (v->is_running)
        return;
    put(l, u);
    if (sched_kick_idle(s->xen, vcpu_cpumask(v), v->processor))
        return;
    burn_all(l, NOW(s->xen));
    cpu = victim(l, u);
    if (cpu >= 0)
        sched_kick_cpu(s->xen, (unsigned int)cpu);
}

/* Who has a pCPU next. *best: the best of those that wait for it then, or NULL. */
static struct unit *choose(struct latency *l, unsigned int cpu, struct unit *cur, struct unit **best, s_time_t now)
{
    struct unit *u = next_unit(l, cpu);

    *best = u;
    if (cur && (!u || goes_on(cur, u, now)))
        return cur;
    if (u) {
        take(l, u);
        u->since = u->started = now;
    }
    if (cur)
        put(l, cur);
    *best = next_unit(l, cpu);
    return u;
}

static struct task_slice do_schedule(struct scheduler *s, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct latency *l = s->sched_data;
    struct unit *cur = NULL, *u, *best;

    if (prev) {
        burn(prev->sched_priv, now);
        if (vcpu_runnable(prev) && sched_cpu_owned(s, cpu) && vcpu_cpumask(prev) >> cpu & 1)
            cur = prev->sched_priv;
        else if (vcpu_runnable(prev))
            put(l, prev->sched_priv);
    }
    u = sched_cpu_owned(s, cpu) ? choose(l, cpu, cur, &best, now) : NULL;
    if (!u)
        return (struct task_slice){ NULL, -1 };
    if (u->credit <= 0 && (!best || best->credit <= 0)) {
        burn_all(l, now);
        for (struct unit *each = l->all; each; each = each->sibling)
            reset(each);
    }
    for (struct unit *w = l->list; w; w = w->next)
        sched_kick_idle(s->xen, vcpu_cpumask(w->v), w->v->processor);
    return (struct task_slice){ u->v, slice(u, best, now) };
}

static int adjust(struct scheduler *s, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    unsigned int *weight = d->sched_priv;

    if (op->cmd != XEN_DOMCTL_SCHEDOP_putinfo)
        return -EOPNOTSUPP;
    if (!op->u.credit2.weight || op->u.credit2.cap)
        return -EINVAL;
    *weight = op->u.credit2.weight;
    return 0;
}

extern const struct sched_ops xenlab_sched_ops;
const struct sched_ops xenlab_sched_ops = {
    .name = "Credit and latency",
    .opt_name = "latency",
    .sched_id = 102,
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
