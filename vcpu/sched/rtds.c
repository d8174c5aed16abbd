// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The RTDS scheduler: real-time deferrable server.
 *
 * Concept: every vCPU is a server with a period and a budget: it may use `budget` of CPU time in every `period`, at any
 * time in it (deferrable: what it does not need now is kept until the period ends, then lost). Among those with budget
 * the one whose period ends first runs: global earliest deadline first. EDF is optimal on one pCPU: if the budgets fit
 * at all (sum of budget/period <= 1), every server gets its budget in time. Out of budget means depleted: waiting for
 * the next period, even if the pCPU idles then. With `extratime` a depleted server gets its budget again but one
 * priority level lower, so it uses what all others leave.
 *
 *     period    |<--------- 10 ms --------->|<--------- 10 ms ---------...
 *     running   ####      ####              ########
 *     budget    4 -> 2    2 -> 0, depleted  4 again: replenished
 *
 * What a server could not use in its period because others came first is lost as well, as in Xen: in an overloaded set
 * nobody's deadline lies further away than its period, and nobody gets more than its budget.
 *
 * Invariants: a vCPU is queued exactly when it is awake, not running and not depleted; its replenishment timer is
 * armed, for cur_deadline, exactly while it is awake; cur_budget > 0 unless depleted.
 *
 * Read: Sisu Xi et al., "Real-Time Multi-Core Virtual Machine Scheduling in Xen" (EMSOFT 2014; RT-Xen). Simplifies
 * xen/common/sched/rt.c: a timer per vCPU instead of a queue of its own behind one timer.
 */
#include <errno.h>
#include <stdio.h>

#include "vcpu/sched/runq.h"
#include "vcpu/sched/sched.h"
#include "vcpu/sched/snapshot.h"

#define DEFAULT_PERIOD MICROSECS(10000)
#define DEFAULT_BUDGET MICROSECS(4000)
#define MIN_PERIOD     MICROSECS(10)
#define MIN_BUDGET     MICROSECS(10)

struct rt {
    struct runq runq;
};

struct rt_vcpu {
    struct runq_node node;
    struct vcpu *v;
    s_time_t period, budget;
    bool extratime;
    s_time_t cur_deadline, cur_budget;
    unsigned int level; /* how often extratime refilled the budget in this period */
    bool depleted;
    bool
        /* running: used its budget up to the very end of the period, others with the same deadline come first */
        behind;
    s_time_t start; /* running: since then nothing was burnt */
    struct timer repl;
};

static struct rt *rt(const struct scheduler *ops) { return ops->sched_data; }
static struct rt_vcpu *svc_of(const struct vcpu *v) { return v->sched_priv; }

/*
 * The queue's order as one number: level first, then deadline.
 *
 *     62      56 55                                 0
 *    +----------+------------------------------------+
 *    |  level   |            deadline, ns            |      2^56 ns are two years of virtual time
 *    +----------+------------------------------------+
 */
static int64_t key_of(const struct rt_vcpu *svc)
{
    return ((int64_t)(svc->level < 63 ? svc->level : 63) << 56) + svc->cur_deadline;
}

static void enqueue(struct scheduler *ops, struct rt_vcpu *svc)
{
    runq_insert(&rt(ops)->runq, &svc->node, svc->v, key_of(svc));
}

static void dequeue(struct scheduler *ops, struct rt_vcpu *svc)
{
    if (runq_queued(&svc->node))
        runq_remove(&rt(ops)->runq, &svc->node);
}

/* A new period: the one that `now` lies in. Periods stay on the grid that began with the first. */
static void replenish(struct rt_vcpu *svc, s_time_t now)
{
    if (now >= svc->cur_deadline)
        svc->cur_deadline += svc->period * ((now - svc->cur_deadline) / svc->period + 1);
    svc->cur_budget = svc->budget;
    svc->level = 0;
    svc->depleted = false;
}

static void burn(struct rt_vcpu *svc, s_time_t now)
{
    if (!svc->v->is_running || now <= svc->start)
        return;
    svc->cur_budget -= now - svc->start;
    svc->start = now;
    if (svc->cur_budget > 0)
        return;
    if (svc->extratime) {
        svc->level++;
        svc->cur_budget = svc->budget;
    } else {
        svc->cur_budget = 0;
        svc->depleted = true;
    }
}

/* Somebody should look at svc, which was just queued: an idle pCPU, or the one with the latest deadline. */
static void tickle(struct scheduler *ops, struct rt_vcpu *svc)
{
    struct xen *xen = ops->xen;
    int64_t latest = key_of(svc);
    int victim = -1;

    if (sched_kick_idle(xen, vcpu_soft_cpumask(svc->v), svc->v->processor) ||
        sched_kick_idle(xen, vcpu_cpumask(svc->v), svc->v->processor))
        return;
    for_each_cpu_in(vcpu_cpumask(svc->v), cpu)
    {
        const struct vcpu *curr = xen->pcpu[cpu].curr;

        if (curr && !xen->pcpu[cpu].need_resched && key_of(svc_of(curr)) > latest) {
            latest = key_of(svc_of(curr));
            victim = (int)cpu;
        }
    }
    if (victim >= 0)
        sched_kick_cpu(xen, (unsigned int)victim);
}

static void repl_timer(void *data)
{
    struct rt_vcpu *svc = data;
    struct scheduler *ops = svc->v->domain->sched;
    const s_time_t now = NOW(ops->xen);

    burn(svc, now);
    svc->behind = svc->depleted;
    dequeue(ops, svc);
    replenish(svc, now);
    timer_set(&ops->xen->machine->clock, &svc->repl, svc->cur_deadline);
    if (svc->v->is_running) {
        /* Its deadline is later now: somebody who waits may come first. */
        sched_kick_cpu(ops->xen, svc->v->processor);
    } else {
        enqueue(ops, svc);
        tickle(ops, svc);
    }
}

/* --- hooks --- */

static int rt_init(struct scheduler *ops)
{
    ops->sched_data = xzalloc(ops->xen->machine->arena, struct rt);
    return ops->sched_data ? 0 : -ENOMEM;
}

static void rt_deinit(struct scheduler *ops)
{
    runq_destroy(&rt(ops)->runq);
    xfree(ops->sched_data);
}

static void *rt_alloc_udata(struct scheduler *ops, struct vcpu *v, void *dd)
{
    struct rt_vcpu *svc = xzalloc(ops->xen->machine->arena, struct rt_vcpu);

    if (!svc)
        return NULL;
    svc->v = v;
    svc->period = DEFAULT_PERIOD;
    svc->budget = DEFAULT_BUDGET;
    svc->extratime = true; /* unless it is told otherwise, as in Xen */
    svc->cur_deadline = NOW(ops->xen);
    timer_init(&svc->repl, repl_timer, svc);
    timer_label(&svc->repl, TIMER_SCHED, v->domain->domain_id, v->vcpu_id);
    return svc;
}

static void rt_free_udata(struct scheduler *ops, void *vd) { xfree(vd); }

static void rt_sleep(struct scheduler *ops, struct vcpu *v)
{
    timer_stop(&ops->xen->machine->clock, &svc_of(v)->repl);
    dequeue(ops, svc_of(v));
}

static void rt_wake(struct scheduler *ops, struct vcpu *v)
{
    struct rt_vcpu *svc = svc_of(v);
    const s_time_t now = NOW(ops->xen);

    burn(svc, now);
    if (now >= svc->cur_deadline)
        replenish(svc, now);
    timer_set(&ops->xen->machine->clock, &svc->repl, svc->cur_deadline);
    if (v->is_running || svc->depleted)
        return;
    enqueue(ops, svc);
    tickle(ops, svc);
}

static struct task_slice rt_do_schedule(struct scheduler *ops, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct rt_vcpu *cur = prev ? svc_of(prev) : NULL, *next = NULL;
    struct runq_node *first;

    if (cur)
        burn(cur, now);
    if (cur && (!vcpu_runnable(prev) || cur->depleted))
        cur = NULL;
    if (!sched_cpu_owned(ops, cpu))
        return (struct task_slice){ NULL, -1 };

    /* On a tie who runs goes on, unless its turn was over anyway. */
    first = runq_first(&rt(ops)->runq, cpu, false);
    if (first && (!cur || first->key < key_of(cur) + cur->behind))
        next = svc_of(first->v);
    if (cur)
        cur->behind = false;
    if (next) {
        dequeue(ops, next);
        if (cur) {
            enqueue(ops, cur);
            tickle(ops, cur); /* it may still be earlier than what runs on another pCPU */
        }
    } else {
        next = cur;
    }
    if (!next)
        return (struct task_slice){ NULL, -1 };
    next->start = now;
    return (struct task_slice){ next->v, next->cur_budget };
}

/* --- parameters --- */

static void params_get(const struct rt_vcpu *svc, struct xen_domctl_sched_rtds *p)
{
    p->period = (uint32_t)(svc->period / MICROSECS(1));
    p->budget = (uint32_t)(svc->budget / MICROSECS(1));
    p->flags = (p->flags & ~XEN_DOMCTL_SCHEDRT_extra) | (svc->extratime ? XEN_DOMCTL_SCHEDRT_extra : 0);
}

/* They count from the next period on. */
static int params_put(struct rt_vcpu *svc, const struct xen_domctl_sched_rtds *p)
{
    const s_time_t period = MICROSECS(p->period), budget = MICROSECS(p->budget);

    if (period < MIN_PERIOD || budget < MIN_BUDGET || budget > period)
        return -EINVAL;
    svc->period = period;
    svc->budget = budget;
    svc->extratime = p->flags & XEN_DOMCTL_SCHEDRT_extra;
    return 0;
}

static int adjust_vcpus(struct domain *d, struct xen_domctl_scheduler_op *op)
{
    int rc = 0;

    for (uint32_t i = 0; !rc && i < op->u.v.nr_vcpus; i++) {
        struct xen_domctl_schedparam_vcpu *p = &op->u.v.vcpus.p[i];

        if (p->vcpuid >= d->max_vcpus || !d->vcpu[p->vcpuid])
            return -EINVAL;
        if (op->cmd == XEN_DOMCTL_SCHEDOP_getvcpuinfo)
            params_get(svc_of(d->vcpu[p->vcpuid]), &p->u.rtds);
        else
            rc = params_put(svc_of(d->vcpu[p->vcpuid]), &p->u.rtds);
    }
    return rc;
}

static int rt_adjust(struct scheduler *ops, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    switch (op->cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo: /* the defaults; each vCPU may have its own */
        op->u.rtds.period = (uint32_t)(DEFAULT_PERIOD / MICROSECS(1));
        op->u.rtds.budget = (uint32_t)(DEFAULT_BUDGET / MICROSECS(1));
        return 0;
    case XEN_DOMCTL_SCHEDOP_putinfo: /* for all vCPUs; Xen checks no more than this here */
        if (!op->u.rtds.period || !op->u.rtds.budget)
            return -EINVAL;
        for_each_vcpu (d, v) {
            svc_of(v)->period = MICROSECS(op->u.rtds.period);
            svc_of(v)->budget = MICROSECS(op->u.rtds.budget);
        }
        return 0;
    case XEN_DOMCTL_SCHEDOP_getvcpuinfo:
    case XEN_DOMCTL_SCHEDOP_putvcpuinfo: return adjust_vcpus(d, op);
    default: return -EINVAL;
    }
}

static void rt_dump(struct scheduler *ops, char *buf, size_t len)
{
    snprintf(buf, len, "%zu vCPU%s with budget waiting\n", rt(ops)->runq.nr, PLURAL(rt(ops)->runq.nr));
}

static void rt_snapshot(const struct scheduler *ops, const struct vcpu *v, s_time_t now, struct sched_snapshot *out)
{
    const struct rt_vcpu *svc = svc_of(v);

    out->queue = 0;
    runq_snapshot(&svc->node, out);
    out->has_credit = true;
    out->credit = svc->cur_budget - (v->is_running && now > svc->start ? now - svc->start : 0);
    snprintf(out->text, sizeof(out->text), "%s%llu of each %llu us, deadline %llu us",
             svc->depleted ? "depleted; " : "", (unsigned long long)(svc->budget / MICROSECS(1)),
             (unsigned long long)(svc->period / MICROSECS(1)), (unsigned long long)(svc->cur_deadline / MICROSECS(1)));
}

const struct sched_ops sched_rtds_ops = {
    .name = "SMP RTDS Scheduler",
    .opt_name = "rtds",
    .sched_id = XEN_SCHEDULER_RTDS,
    .init = rt_init,
    .deinit = rt_deinit,
    .alloc_udata = rt_alloc_udata,
    .free_udata = rt_free_udata,
    .sleep = rt_sleep,
    .wake = rt_wake,
    .do_schedule = rt_do_schedule,
    .adjust = rt_adjust,
    .dump_settings = rt_dump,
    .snapshot = rt_snapshot,
};
