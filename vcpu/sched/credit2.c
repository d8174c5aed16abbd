// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The credit2 scheduler: fair by credit order, on shared run queues.
 *
 * Concept: everybody starts with the same credit and burns it while running, slowly with a high weight and fast with a
 * low one. The one with the most credit runs. So those who sleep keep credit and run at once when they wake, without
 * any special priority, and those who compute all day burn in proportion. When even the best has none left, everybody
 * gets another portion (a *reset*). A slice lasts until the credits of the runner and of the next in the queue meet,
 * but not less than the rate limit (1 ms) and not more than 10 ms.
 *
 *     credit                     A runs     B runs      reset: both + 10 ms
 *     10 ms  A===B                \           |             .---
 *                                  \___A       \___ B      /
 *      0 ---------------------------------------------A,B-'
 *
 * Nobody has more than 10.5 ms or less than -10. So who was kept back (by a cap, a pause, its affinity) cannot keep
 * others waiting for long afterwards, however long it was. The price: who has a pCPU to itself gets no further ahead of
 * those who share one, so on several pCPUs shares follow weights only roughly; and a weight 20 times less than another
 * still gets a slice in each reset's 10 ms.
 *
 * pCPUs are grouped into run queues that share one order (Xen: by socket or cache; here `cpus_per_runqueue`
 * neighbours), so inside a group fairness needs no stealing. Between groups load balancing moves vCPUs, by the smoothed
 * number of those who want to run: at each reset, and when a pCPU would go idle (credit2_balance.c). Caps are in
 * credit2_cap.c.
 *
 * Invariants: a vCPU is queued exactly when it is awake, not running and not parked; svc->rqd is the group of
 * v->processor.
 *
 * A reset visits only those who run: given[] counts what resets have handed out, and the others catch up when they are
 * looked at next (c2_credit_sync). Queued vCPUs all gain the same, so their order does not change.
 *
 * Read: G. Dunlap, "Credit2 scheduler" (Xen wiki and Xen Summit 2010). Corresponds to xen/common/sched/credit2.c:
 * credits, resets, slices and yielding are as there, but for what credit2_rqd.c and credit2_cap.c say of parts and of
 * helpings. Besides:
 *  - a waker marks a pCPU whose vCPU is within its rate limit, and gets it when that is over. Xen leaves such a pCPU
 *    alone, so a waker may wait to the end of a slice; here wake-up latency is the rate limit, as its name says;
 *  - when the first in the queue finds no budget the next is asked. Xen leaves the pCPU idle until it is asked again;
 *  - MIGRATE_RESIST holds for who is to be preempted, not for whom an idle or yielding pCPU takes, and there is no
 *    compensation for having moved; no hyperthread awareness; balancing moves one vCPU instead of weighing all pairs.
 */
#include "vcpu/sched/credit2.h"
#include "vcpu/sched/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_WEIGHT            256
#define MAX_TIMER                 MILLISECS(10)
#define DEFAULT_RATELIMIT         MICROSECS(1000)
#define DEFAULT_CPUS_PER_RUNQUEUE 16 /* sched_credit2_max_cpus_runqueue, within a socket; the machine has one */

/* --- choosing --- */

/*
 * The best waiting vCPU that has budget and more credit than cur (unless it yields). Those without budget are parked.
 */
static struct c2_vcpu *first_waiting(struct c2_rqd *rqd, unsigned int cpu, const struct c2_vcpu *cur, bool yields)
{
    struct runq_node *n;

    while ((n = runq_first(&rqd->runq, cpu, false))) {
        struct c2_vcpu *svc = svc_of(n->v);

        if (cur && !yields && cur->credit >= c2_credit_of_waiting(svc))
            return NULL;
        if (c2_budget_ok(svc))
            return svc;
        c2_dequeue(svc);
    }
    return NULL;
}

/* How long svc may run before the next in the queue deserves it more. */
static s_time_t slice(const struct c2 *prv, const struct c2_vcpu *svc, unsigned int cpu, s_time_t now)
{
    const struct runq_node *next = runq_first(&svc->rqd->runq, cpu, false);
    const s_time_t limited = svc->run_since + prv->ratelimit - now,
                   min = limited > C2_MIN_TIMER ? limited : C2_MIN_TIMER;
    s_time_t credit = svc->credit, time;

    if (next && c2_credit_of_waiting(svc_of(next->v)) > 0)
        credit -= c2_credit_of_waiting(svc_of(next->v));
    time = credit > 0 ? credit * svc->weight / svc->rqd->max_weight[svc->part] : 0;
    if (time > MAX_TIMER)
        time = MAX_TIMER;
    if (time < min)
        time = min;
    return svc->dom->tot_budget && svc->budget < time ? svc->budget : time;
}

static struct task_slice run(struct scheduler *ops, unsigned int cpu, struct c2_vcpu *svc, struct vcpu *prev,
                             s_time_t now)
{
    svc->start = now;
    if (svc->v != prev)
        svc->run_since = now;
    if (svc->credit <= 0 && c2_most_waiting(svc) <= 0) {
        struct c2_vcpu *pulled;

        c2_reset(svc, now);
        pulled = c2_pull(ops, cpu, false, now);
        if (pulled)
            c2_enqueue(pulled);
    }
    runq_kick_idle(&svc->rqd->runq, ops->xen, ops->cpus);
    return (struct task_slice){ svc->v, slice(c2(ops), svc, cpu, now) };
}

static s_time_t c2_credit(const struct scheduler *ops, const struct vcpu *v) { return svc_of(v)->credit; }

/* As c2_credit_sync() and c2_burn() would make it. */
static void c2_snapshot(const struct scheduler *ops, const struct vcpu *v, s_time_t now, struct sched_snapshot *out)
{
    const struct c2_vcpu *svc = svc_of(v);
    s_time_t credit;

    out->weight = svc->dom->weight;
    out->cap = svc->dom->cap;
    if (!svc->rqd)
        return;
    out->queue = (int)(svc->rqd - c2(ops)->rqd);
    runq_snapshot(&svc->node, out);
    credit = svc->credit + svc->rqd->given[svc->part] - svc->given;
    credit = credit < C2_CREDIT_MAX ? credit : C2_CREDIT_MAX;
    if (v->is_running && now > svc->start)
        credit -= (now - svc->start) * svc->rqd->max_weight[svc->part] / svc->weight;
    out->has_credit = true;
    out->credit = credit > C2_CREDIT_MIN ? credit : C2_CREDIT_MIN;
    snprintf(out->text, sizeof(out->text), "load %d%s%s", svc->rqd->load, svc->yield ? ", yields" : "",
             svc->parked ? ", parked: beyond its cap" : "");
}

static struct task_slice c2_do_schedule(struct scheduler *ops, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct c2_vcpu *cur = prev ? svc_of(prev) : NULL, *next;
    const bool yields = cur && cur->yield;

    if (rqd_of(ops, cpu)->parts_stale)
        c2_parts_rebuild(rqd_of(ops, cpu));
    if (cur) {
        cur->yield = false;
        c2_burn(cur, now);
    }
    if (cur && (!vcpu_runnable(prev) || !c2_budget_ok(cur)))
        cur = NULL;
    if (cur && !yields && now - cur->run_since < c2(ops)->ratelimit)
        return run(ops, cpu, cur, prev, now);
    if (cur && sched_prefers_idle(prev)) {
        vcpu_migrate(prev);
        cur = NULL;
    }
    if (!sched_cpu_owned(ops, cpu))
        return (struct task_slice){ NULL, -1 };

    next = first_waiting(rqd_of(ops, cpu), cpu, cur, yields);
    if (!next && cur)
        return run(ops, cpu, cur, prev, now);
    if (next)
        c2_dequeue(next);
    else
        next = c2_pull(ops, cpu, true, now);
    if (cur)
        c2_enqueue(cur);
    if (!next)
        return (struct task_slice){ NULL, -1 };
    return run(ops, cpu, next, prev, now);
}

/* --- hooks --- */

static int c2_init(struct scheduler *ops)
{
    struct c2 *prv = xzalloc(ops->xen->machine->arena, struct c2);

    if (!prv)
        return -ENOMEM;
    prv->cpus_per_rqd = DEFAULT_CPUS_PER_RUNQUEUE;
    prv->ratelimit = DEFAULT_RATELIMIT;
    ops->sched_data = prv;
    return 0;
}

static void c2_deinit(struct scheduler *ops)
{
    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++)
        runq_destroy(&c2(ops)->rqd[i].runq);
    xfree(ops->sched_data);
}

/* A pCPU has no data of its own, only membership; any pointer will do. */
static void *c2_alloc_pdata(struct scheduler *ops, unsigned int cpu)
{
    rqd_of(ops, cpu)->cpus |= UINT64_C(1) << cpu;
    rqd_of(ops, cpu)->parts_stale = true;
    return c2(ops);
}

static void c2_free_pdata(struct scheduler *ops, void *pdata, unsigned int cpu)
{
    rqd_of(ops, cpu)->cpus &= ~(UINT64_C(1) << cpu);
    rqd_of(ops, cpu)->parts_stale = true;
}

static void *c2_alloc_domdata(struct scheduler *ops, struct domain *d)
{
    struct c2_dom *dom = xzalloc(ops->xen->machine->arena, struct c2_dom);

    if (!dom)
        return NULL;
    dom->weight = DEFAULT_WEIGHT;
    c2_cap_init(dom, ops);
    return dom;
}

static void c2_free_domdata(struct scheduler *ops, void *dd)
{
    c2_cap_stop(dd);
    xfree(dd);
}

static void *c2_alloc_udata(struct scheduler *ops, struct vcpu *v, void *dd)
{
    struct c2_vcpu *svc = xzalloc(ops->xen->machine->arena, struct c2_vcpu);

    if (!svc)
        return NULL;
    svc->v = v;
    svc->dom = dd;
    svc->credit = C2_CREDIT_INIT;
    return svc;
}

static void c2_free_udata(struct scheduler *ops, void *vd) { xfree(vd); }

static void c2_insert(struct scheduler *ops, struct vcpu *v)
{
    struct c2_vcpu *svc = svc_of(v);

    TAILQ_INSERT_HEAD(&svc->dom->vcpus, svc, dom_link);
    svc->dom->nr_vcpus++;
    c2_assign(svc, rqd_of(ops, v->processor));
}

static void c2_remove(struct scheduler *ops, struct vcpu *v)
{
    struct c2_vcpu *svc = svc_of(v);

    c2_budget_return(svc);
    c2_deassign(svc, NOW(ops->xen));
    TAILQ_REMOVE(&svc->dom->vcpus, svc, dom_link);
    svc->dom->nr_vcpus--;
}

static void c2_sleep(struct scheduler *ops, struct vcpu *v)
{
    struct c2_vcpu *svc = svc_of(v);

    if (v->is_running)
        return; /* c2_context_saved() does it */
    c2_dequeue(svc);
    c2_load_count(svc, false, NOW(ops->xen));
}

static void c2_context_saved(struct scheduler *ops, struct vcpu *v)
{
    c2_budget_return(svc_of(v));
    if (!v->sched_awake)
        c2_load_count(svc_of(v), false, NOW(ops->xen));
}

static void c2_wake(struct scheduler *ops, struct vcpu *v)
{
    struct c2_vcpu *svc = svc_of(v);

    c2_load_count(svc, true, NOW(ops->xen));
    if (v->is_running || svc->parked)
        return;
    c2_enqueue(svc);
    c2_tickle(ops, svc);
}

static void c2_yield(struct scheduler *ops, struct vcpu *v) { svc_of(v)->yield = true; }

/* --- parameters --- */

static int c2_adjust(struct scheduler *ops, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    struct c2_dom *dom = d->sched_priv;
    struct c2_vcpu *svc;

    switch (op->cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo:
        op->u.credit2.weight = (uint16_t)dom->weight;
        op->u.credit2.cap = (uint16_t)dom->cap;
        return 0;
    case XEN_DOMCTL_SCHEDOP_putinfo: /* weight 0: leave as it is */
        if (op->u.credit2.weight && op->u.credit2.weight != dom->weight) {
            dom->weight = op->u.credit2.weight;
            TAILQ_FOREACH(svc, &dom->vcpus, dom_link)
            c2_reweigh(svc, NOW(ops->xen));
        }
        if (op->u.credit2.cap > 100 * dom->nr_vcpus) /* the weight is set all the same */
            return -EINVAL;
        c2_cap_set(dom, op->u.credit2.cap);
        return 0;
    default: return -EINVAL;
    }
}

static int c2_adjust_global(struct scheduler *ops, struct xen_sysctl_scheduler_op *op)
{
    const uint32_t us = op->u.sched_credit2.ratelimit_us;

    if (op->cmd == XEN_SYSCTL_SCHEDOP_putinfo) {
        if (us && (us < XEN_SYSCTL_SCHED_RATELIMIT_MIN || us > XEN_SYSCTL_SCHED_RATELIMIT_MAX))
            return -EINVAL;
        c2(ops)->ratelimit = MICROSECS(us);
    }
    op->u.sched_credit2.ratelimit_us = (uint32_t)(c2(ops)->ratelimit / MICROSECS(1));
    return 0;
}

static int c2_set(struct scheduler *ops, const char *param, long value)
{
    struct xen_sysctl_scheduler_op op = { .cmd = XEN_SYSCTL_SCHEDOP_putinfo };

    if (!strcmp(param, "ratelimit_us")) {
        op.u.sched_credit2.ratelimit_us = (uint32_t)value;
        return value < 0 || value > UINT32_MAX ? -EINVAL : c2_adjust_global(ops, &op);
    }
    if (strcmp(param, "cpus_per_runqueue"))
        return -ENOENT;
    if (value < 1 || value > MACHINE_MAX_PCPUS || ops->n_dom)
        return -EINVAL;
    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++)
        c2(ops)->rqd[i].cpus = 0;
    c2(ops)->cpus_per_rqd = (unsigned int)value;
    for_each_cpu_in(ops->cpus, cpu) rqd_of(ops, cpu)->cpus |= UINT64_C(1) << cpu;
    return 0;
}

static void c2_dump(struct scheduler *ops, char *buf, size_t len)
{
    int n = snprintf(buf, len, "ratelimit %lld us\n", (long long)(c2(ops)->ratelimit / MICROSECS(1)));

    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++) {
        const struct c2_rqd *rqd = &c2(ops)->rqd[i];

        if (rqd->cpus && n >= 0 && (size_t)n < len)
            n += snprintf(buf + n, len - (size_t)n, "  run queue %u: load %d, average %.2f, %zu vCPU%s waiting\n", i,
                          rqd->load, rqd->avgload, rqd->runq.nr, PLURAL(rqd->runq.nr));
    }
}

const struct sched_ops sched_credit2_ops = {
    .name = "SMP Credit Scheduler rev2",
    .opt_name = "credit2",
    .sched_id = XEN_SCHEDULER_CREDIT2,
    .init = c2_init,
    .deinit = c2_deinit,
    .alloc_pdata = c2_alloc_pdata,
    .free_pdata = c2_free_pdata,
    .alloc_domdata = c2_alloc_domdata,
    .free_domdata = c2_free_domdata,
    .alloc_udata = c2_alloc_udata,
    .free_udata = c2_free_udata,
    .insert_unit = c2_insert,
    .remove_unit = c2_remove,
    .sleep = c2_sleep,
    .wake = c2_wake,
    .yield = c2_yield,
    .context_saved = c2_context_saved,
    .pick_resource = c2_pick_resource,
    .migrate = c2_migrate,
    .do_schedule = c2_do_schedule,
    .credit = c2_credit,
    .snapshot = c2_snapshot,
    .adjust = c2_adjust,
    .adjust_global = c2_adjust_global,
    .set = c2_set,
    .dump_settings = c2_dump,
};
