// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The team's scheduler: stride scheduling (C. Waldspurger and W. Weihl, MIT LCS TM-528, 1995).
 *
 * Concept: a vCPU's *pass* goes forward while it runs, the slower the more weight it has. Who is furthest behind comes
 * next. Who has slept begins where the others are, so that it has saved nothing up.
 *
 * Invariant: a vCPU is on the list if and only if it is awake and does not run. What hooks may expect is said in
 * vcpu/sched/sched.h, which `pkg-config --cflags xenlab-sched` finds.
 */
#include <errno.h>
#include <stdlib.h>

#include "vcpu/sched/sched.h"

#define SLICE  MILLISECS(5)
#define WEIGHT 256 /* of who says nothing: a pass that goes as time does */

struct runner {
    struct vcpu *v;
    struct runner *next;
    bool waiting;
    s_time_t pass, since; /* since: when it came onto its pCPU */
};

struct stride {
    struct runner *list;
    s_time_t front; /* the pass of whoever came last */
};

static void put(struct scheduler *s, struct runner *r)
{
    struct stride *p = s->sched_data;

    r->waiting = true;
    r->next = p->list;
    p->list = r;
}

static void take(struct scheduler *s, struct vcpu *v)
{
    struct stride *p = s->sched_data;
    struct runner *r = v->sched_priv, **link = &p->list;

    if (!r->waiting)
        return;
    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    r->waiting = false;
}

static int init(struct scheduler *s)
{
    s->sched_data = calloc(1, sizeof(struct stride));
    return s->sched_data ? 0 : -ENOMEM;
}
static void deinit(struct scheduler *s) { free(s->sched_data); }

static void *alloc_domdata(struct scheduler *s, struct domain *d)
{
    unsigned int *weight = malloc(sizeof(*weight));

    if (weight)
        *weight = WEIGHT;
    return weight;
}
static void free_domdata(struct scheduler *s, void *dd) { free(dd); }

static void *alloc_udata(struct scheduler *s, struct vcpu *v, void *dd)
{
    struct runner *r = calloc(1, sizeof(*r));

    if (r)
        r->v = v;
    return r;
}
static void free_udata(struct scheduler *s, void *vd) { free(vd); }

static void wake(struct scheduler *s, struct vcpu *v)
{
    const struct stride *p = s->sched_data;
    struct runner *r = v->sched_priv;

    if (v->is_running)
        return;
    if (r->pass < p->front)
        r->pass = p->front;
    put(s, r);
    sched_kick_idle(s->xen, vcpu_cpumask(v), v->processor);
}

/* It has run until now. */
static void charge(struct runner *r, s_time_t now)
{
    const unsigned int weight = *(unsigned int *)r->v->domain->sched_priv;

    if (now > r->since)
        r->pass += (now - r->since) * WEIGHT / weight;
    r->since = now;
}

static struct runner *behind(struct scheduler *s, unsigned int cpu)
{
    const struct stride *p = s->sched_data;
    struct runner *best = NULL;

    for (struct runner *r = p->list; r; r = r->next)
        if (vcpu_cpumask(r->v) >> cpu & 1 && (!best || r->pass < best->pass))
            best = r;
    return best;
}

static struct task_slice do_schedule(struct scheduler *s, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct stride *p = s->sched_data;
    struct runner *next;

    if (prev) {
        charge(prev->sched_priv, now);
        if (vcpu_runnable(prev))
            put(s, prev->sched_priv);
    }
    next = sched_cpu_owned(s, cpu) ? behind(s, cpu) : NULL;
    if (!next)
        return (struct task_slice){ NULL, -1 };
    take(s, next->v);
    next->since = now;
    p->front = next->pass;
    return (struct task_slice){ next->v, SLICE };
}

static int adjust(struct scheduler *s, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    if (op->cmd != XEN_DOMCTL_SCHEDOP_putinfo)
        return -EOPNOTSUPP;
    if (!op->u.credit2.weight)
        return -EINVAL;
    *(unsigned int *)d->sched_priv = op->u.credit2.weight;
    return 0;
}

extern const struct sched_ops xenlab_sched_ops;
const struct sched_ops xenlab_sched_ops = {
    .name = "Stride Scheduler",
    .opt_name = "stride",
    .sched_id = 101,
    .init = init,
    .deinit = deinit,
    .alloc_domdata = alloc_domdata,
    .free_domdata = free_domdata,
    .alloc_udata = alloc_udata,
    .free_udata = free_udata,
    .wake = wake,
    .sleep = take,
    .do_schedule = do_schedule,
    .adjust = adjust,
};
