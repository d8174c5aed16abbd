// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A policy of one's own: lottery scheduling.
 *
 * Concept: every runnable vCPU holds as many tickets as its weight, and each slice is drawn. Shares come out right on
 * average without any bookkeeping of the past, and nobody starves for ever; but only on average: compare the longest
 * wait with credit2's. (C. Waldspurger and W. Weihl, "Lottery Scheduling", OSDI 1994.)
 *
 *   cc -shared -fPIC -I. -D__XEN_TOOLS__ -o lottery.so docs/examples/sched/lottery.c
 *   xenlab sched --policy ./lottery.so --workload docs/examples/sched/weights.txt
 *
 * Start your own from this file. What each hook may expect is said in vcpu/sched/sched.h. The list makes a decision
 * O(n).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vcpu/sched/sched.h"

struct ticket_holder {
    struct vcpu *v;
    struct ticket_holder *next;
    bool waiting; /* on the list: awake and not running */
};

struct lottery {
    struct ticket_holder *list;
    s_time_t tslice;
};

static void put(struct scheduler *s, struct vcpu *v)
{
    struct lottery *l = s->sched_data;
    struct ticket_holder *t = v->sched_priv;

    t->waiting = true;
    t->next = l->list;
    l->list = t;
}

static void take(struct scheduler *s, struct vcpu *v)
{
    struct lottery *l = s->sched_data;
    struct ticket_holder *t = v->sched_priv, **link = &l->list;

    if (!t->waiting)
        return;
    while (*link != t)
        link = &(*link)->next;
    *link = t->next;
    t->waiting = false;
}

static unsigned int tickets(const struct vcpu *v) { return *(unsigned int *)v->domain->sched_priv; }

static int init(struct scheduler *s)
{
    struct lottery *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->tslice = MILLISECS(10);
    s->sched_data = l;
    return 0;
}
static void deinit(struct scheduler *s) { free(s->sched_data); }

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
    struct ticket_holder *t = calloc(1, sizeof(*t));

    if (t)
        t->v = v;
    return t;
}
static void free_udata(struct scheduler *s, void *vd) { free(vd); }

static void wake(struct scheduler *s, struct vcpu *v)
{
    if (v->is_running)
        return;
    put(s, v);
    sched_kick_idle(s->xen, vcpu_cpumask(v), v->processor);
}

static struct vcpu *draw(struct scheduler *s, unsigned int cpu)
{
    const struct lottery *l = s->sched_data;
    uint64_t sum = 0, winner;

    for (struct ticket_holder *t = l->list; t; t = t->next)
        sum += vcpu_cpumask(t->v) >> cpu & 1 ? tickets(t->v) : 0;
    if (!sum)
        return NULL;
    winner = machine_random(s->xen->machine) % sum;
    for (struct ticket_holder *t = l->list;; t = t->next) {
        if (!(vcpu_cpumask(t->v) >> cpu & 1))
            continue;
        if (winner < tickets(t->v))
            return t->v;
        winner -= tickets(t->v);
    }
}

static struct task_slice do_schedule(struct scheduler *s, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    const struct lottery *l = s->sched_data;
    struct vcpu *next;

    if (prev && vcpu_runnable(prev))
        put(s, prev);
    next = draw(s, cpu);
    if (next)
        take(s, next);
    return (struct task_slice){ next, next ? l->tslice : -1 };
}

static int adjust(struct scheduler *s, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    if (op->cmd != XEN_DOMCTL_SCHEDOP_putinfo)
        return -EOPNOTSUPP; /* periods: it has none */
    *(unsigned int *)d->sched_priv = op->u.credit2.weight;
    return 0;
}

/* --policy ./lottery.so,tslice_ms=5 */
static int set(struct scheduler *s, const char *param, long value)
{
    struct lottery *l = s->sched_data;

    if (strcmp(param, "tslice_ms"))
        return -ENOENT;
    if (value < 1 || value > 1000)
        return -EINVAL;
    l->tslice = MILLISECS(value);
    return 0;
}

extern const struct sched_ops xenlab_sched_ops;
const struct sched_ops xenlab_sched_ops = {
    .name = "Lottery Scheduler",
    .opt_name = "lottery",
    .sched_id = 100,
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
    .set = set,
};
