// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The credit scheduler: proportional share with priorities.
 *
 * Concept: credits are CPU time. Every accounting period (30 ms) the pool hands out as many as its pCPUs can run in
 * that time, in proportion to the weights of the vCPUs that want to run; running burns them. Who has credits left is
 * UNDER, who has overdrawn is OVER, and OVER runs only when nobody is UNDER: that is all it takes for shares to follow
 * weights. Inside a priority it is round robin with 30 ms slices. A vCPU that wakes and is UNDER gets BOOST, ahead of
 * the others, until the next tick finds it running: this is why an interactive guest is served at once although
 * spinners fill the machine. Who is new, or has only been moved to another pCPU, has not waited for anything and gets
 * none.
 *
 *     BOOST   woke up, has credits          each pCPU has a queue ordered by priority, then first come first
 *     UNDER   has credits                   served; a pCPU with nothing better than OVER of its own looks into
 *     OVER    has none                      the other queues and steals (soft affinity first, then hard)
 *
 * Two spinners on one pCPU, b with twice a's weight; a slice is 30 ms, and so is a period, in which a earns 10 and b
 * 20:
 *
 *     time      0          30         60         90         120        150        180        210 ms
 *     runs      |--- a ----|--- b ----|--- b ----|--- a ----|--- b ----|--- b ----|--- a ----|
 *     a has     0         -20        -10         0         -20        -10         0         -20
 *     b has     0          20         10         0          20         10         0          20
 *
 * With several pCPUs that is not enough: the slices of others in the same queue can keep a heavy vCPU from what it
 * earns while a light one next door overdraws. So UNDER and OVER have two steps each. Who has saved more than a slice
 * is owed time and goes first (PRI_OWED); who has overdrawn more than one goes last (PRI_DEEP).
 *
 * A cap limits a domain even if pCPUs idle: it is parked (not queued) when it has overdrawn more than one period's cap.
 * The rate limit keeps wake-ups from preempting somebody who has run for less than 1 ms. Who yields goes behind those
 * of its priority; when there are none, behind one of the next lower, who gets a slice although it is less important:
 * yielding has its price.
 *
 * Invariants: a vCPU is queued exactly when it is awake, not running and not parked, on the queue of v->processor,
 * under its current priority or, after a yield and until accounting, that of those whom it lets go first. Neither debts
 * nor savings last for ever: credit lies within MAX_CREDIT_SLICES slices of 0 (a capped one may go lower), and a
 * sleeper has at most one slice's.
 *
 * Read: the Xen wiki, "Credit Scheduler"; docs/misc/xen-command-line (sched_credit_tslice_ms, sched_ratelimit_us).
 * Simplifies xen/common/sched/credit.c: credits are ns instead of 10 a ms; Xen forgets debts and savings beyond one
 * slice and has no steps in UNDER and OVER, so its shares are rougher; a preempted vCPU keeps its place and the rest of
 * its slice; in Xen who yields lets one of lower priority go first also if there are some of its own; no power-aware
 * placement; the tick of an idle pCPU and the accounting of an idle pool are stopped. Accounting is the only part that
 * looks at all active vCPUs, once a period.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vcpu/sched/credit.h"
#include "vcpu/sched/snapshot.h"

#define DEFAULT_WEIGHT       256
#define DEFAULT_TSLICE_MS    30
#define DEFAULT_RATELIMIT_US 1000
#define TICKS_PER_TSLICE     3

/* --- hooks --- */

static int csched_init(struct scheduler *ops)
{
    struct csched *prv = xzalloc(ops->xen->machine->arena, struct csched);

    if (!prv)
        return -ENOMEM;
    prv->tslice = MILLISECS(DEFAULT_TSLICE_MS);
    prv->tick = prv->tslice / TICKS_PER_TSLICE;
    prv->ratelimit = MICROSECS(DEFAULT_RATELIMIT_US);
    timer_init(&prv->acct, csched_acct, ops);
    timer_label(&prv->acct, TIMER_SCHED, TRACE_NO_DOMAIN, 0);
    ops->sched_data = prv;
    return 0;
}

static void csched_deinit(struct scheduler *ops)
{
    timer_stop(&ops->xen->machine->clock, &csched(ops)->acct);
    xfree(csched(ops)->share);
    xfree(ops->sched_data);
}

static void *csched_alloc_pdata(struct scheduler *ops, unsigned int cpu)
{
    struct csched_pcpu *spc = xzalloc(ops->xen->machine->arena, struct csched_pcpu);

    if (!spc)
        return NULL;
    spc->ops = ops;
    spc->cpu = cpu;
    timer_init(&spc->tick, csched_tick, spc);
    timer_label(&spc->tick, TIMER_SCHED, TRACE_NO_DOMAIN, 0);
    return spc;
}

static void csched_free_pdata(struct scheduler *ops, void *pdata, unsigned int cpu)
{
    struct csched_pcpu *spc = pdata;

    timer_stop(&ops->xen->machine->clock, &spc->tick);
    runq_destroy(&spc->runq);
    xfree(spc);
}

static void *csched_alloc_domdata(struct scheduler *ops, struct domain *d)
{
    struct csched_dom *dom = xzalloc(ops->xen->machine->arena, struct csched_dom);

    if (!dom)
        return NULL;
    dom->d = d;
    dom->weight = DEFAULT_WEIGHT;
    timer_init(&dom->unpark, csched_unpark, dom);
    timer_label(&dom->unpark, TIMER_SCHED, d->domain_id, 0);
    return dom;
}

static void csched_free_domdata(struct scheduler *ops, void *dd)
{
    timer_stop(&ops->xen->machine->clock, &((struct csched_dom *)dd)->unpark);
    xfree(dd);
}

static void *csched_alloc_udata(struct scheduler *ops, struct vcpu *v, void *dd)
{
    struct csched_vcpu *svc = xzalloc(ops->xen->machine->arena, struct csched_vcpu);

    if (!svc)
        return NULL;
    svc->v = v;
    svc->dom = dd;
    svc->pri = PRI_UNDER;
    svc->migrated = true;
    return svc;
}

static void csched_free_udata(struct scheduler *ops, void *vd) { xfree(vd); }

static void csched_remove(struct scheduler *ops, struct vcpu *v) { csched_deactivate(ops, svc_of(v)); }

static void csched_sleep(struct scheduler *ops, struct vcpu *v)
{
    csched_dequeue(ops, svc_of(v));
    svc_of(v)->slice_left = 0;
}

static void csched_wake(struct scheduler *ops, struct vcpu *v)
{
    struct csched_vcpu *svc = svc_of(v);

    if (svc->credit <= 0)
        csched_activate(ops, svc);
    if (v->is_running || svc->dom->parked)
        return;
    if (!svc->migrated && (svc->pri == PRI_OWED || svc->pri == PRI_UNDER))
        svc->pri = PRI_BOOST;
    svc->migrated = false;
    csched_enqueue(ops, svc);
    csched_tickle(ops, svc);
}

static void csched_migrate(struct scheduler *ops, struct vcpu *v, unsigned int new_cpu) { svc_of(v)->migrated = true; }

static void csched_yield(struct scheduler *ops, struct vcpu *v) { svc_of(v)->yield = true; }

/*
 * The best vCPU on another pCPU's queue that cpu may run and that is better than `than`. One that left its pCPU less
 * than migr_delay ago is left there, its data is in that pCPU's cache; *again: when the first of these may be taken.
 */
static struct csched_vcpu *steal(struct scheduler *ops, unsigned int cpu, int64_t than, s_time_t now, s_time_t *again)
{
    const struct csched *prv = csched(ops);
    const uint64_t peers = ops->cpus & ~(UINT64_C(1) << cpu);
    struct runq_node *best = NULL;

    for (int soft = 1; soft >= 0 && !best; soft--) {
        for_each_cpu_in(peers, peer)
        {
            struct runq_node *first = runq_first(runq_of(ops, peer), cpu, soft);

            if (!first || first->key >= than || (best && first->key >= best->key))
                continue;
            if (now < first->v->last_run + prv->migr_delay)
                *again = *again < first->v->last_run + prv->migr_delay ? *again : first->v->last_run + prv->migr_delay;
            else
                best = first;
        }
    }
    return best ? svc_of(best->v) : NULL;
}

static s_time_t csched_credit(const struct scheduler *ops, const struct vcpu *v) { return svc_of(v)->credit; }

static void csched_snapshot(const struct scheduler *ops, const struct vcpu *v, s_time_t now, struct sched_snapshot *out)
{
    static const char *const names[] = { "BOOST", "OWED", "UNDER", "OVER", "DEEP", "IDLE" };
    const struct csched_vcpu *svc = svc_of(v);

    out->queue = (int)v->processor;
    runq_snapshot(&svc->node, out);
    out->has_credit = true;
    out->credit = svc->credit - (v->is_running && now > svc->start ? now - svc->start : 0);
    out->weight = svc->dom->weight;
    out->cap = svc->dom->cap;
    snprintf(out->text, sizeof(out->text), "%s%s%s", names[svc->pri], svc->yield ? ", yields" : "",
             svc->dom->parked ? ", parked: beyond its cap" : "");
}

static struct task_slice csched_run(struct scheduler *ops, unsigned int cpu, struct csched_vcpu *svc, s_time_t now,
                                    s_time_t slice)
{
    struct csched_pcpu *spc = ops->xen->pcpu[cpu].sched_priv;

    svc->start = now;
    if (!timer_armed(&spc->tick))
        timer_set(&ops->xen->machine->clock, &spc->tick, now + csched(ops)->tick);
    return (struct task_slice){ svc->v, slice };
}

static struct task_slice csched_do_schedule(struct scheduler *ops, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct csched *prv = csched(ops);
    struct csched_vcpu *svc = NULL;
    struct runq_node *first;
    s_time_t again = STIME_MAX;

    if (prev) {
        const bool yields = svc_of(prev)->yield;

        svc = svc_of(prev);
        svc->yield = false;
        csched_burn(ops, svc, now);
        csched_cap_check(ops, svc->dom, now);
        if (vcpu_runnable(prev) && !svc->dom->parked) {
            const s_time_t ran = now - svc->run_since;

            if (ran < prv->ratelimit && !yields)
                return csched_run(ops, cpu, svc, now, prv->ratelimit - (ran < 0 ? 0 : ran));
            if (yields)
                csched_enqueue_yielding(ops, svc);
            else
                csched_enqueue(ops, svc);
        }
    }
    if (!sched_cpu_owned(ops, cpu))
        return (struct task_slice){ NULL, -1 };
    first = runq_first(runq_of(ops, cpu), cpu, false);
    svc = NULL;
    if (!first || first->key >= PRI_OVER)
        svc = steal(ops, cpu, first ? first->key : PRI_IDLE, now, &again);
    if (!svc && first)
        svc = svc_of(first->v);
    if (!svc) {
        timer_stop(&ops->xen->machine->clock, &((struct csched_pcpu *)ops->xen->pcpu[cpu].sched_priv)->tick);
        return (struct task_slice){ NULL, again == STIME_MAX ? -1 : again - now };
    }
    csched_dequeue(ops, svc);
    /* What is left behind (prev, perhaps) may be able to go on elsewhere. */
    runq_kick_idle(runq_of(ops, cpu), ops->xen, ops->cpus);
    if (prev && svc->v != prev && runq_queued(&svc_of(prev)->node))
        csched_tickle(ops, svc_of(prev));
    if (svc->v != prev)
        svc->run_since = now;
    if (svc->slice_left <= 0)
        svc->slice_left = prv->tslice;
    return csched_run(ops, cpu, svc, now, svc->slice_left);
}

/* --- parameters --- */

static int csched_adjust_global(struct scheduler *ops, struct xen_sysctl_scheduler_op *op)
{
    struct csched *prv = csched(ops);
    struct xen_sysctl_credit_schedule *p = &op->u.sched_credit;

    if (op->cmd == XEN_SYSCTL_SCHEDOP_putinfo) {
        if (p->tslice_ms < XEN_SYSCTL_CSCHED_TSLICE_MIN || p->tslice_ms > XEN_SYSCTL_CSCHED_TSLICE_MAX ||
            (p->ratelimit_us &&
             (p->ratelimit_us < XEN_SYSCTL_SCHED_RATELIMIT_MIN || p->ratelimit_us > XEN_SYSCTL_SCHED_RATELIMIT_MAX)) ||
            MICROSECS(p->ratelimit_us) > MILLISECS(p->tslice_ms) ||
            p->vcpu_migr_delay_us > XEN_SYSCTL_CSCHED_MGR_DLY_MAX_US)
            return -EINVAL;
        prv->tslice = MILLISECS(p->tslice_ms);
        prv->tick = prv->tslice / TICKS_PER_TSLICE;
        prv->ratelimit = MICROSECS(p->ratelimit_us);
        prv->migr_delay = MICROSECS(p->vcpu_migr_delay_us);
    }
    p->tslice_ms = (uint32_t)(prv->tslice / MILLISECS(1));
    p->ratelimit_us = (uint32_t)(prv->ratelimit / MICROSECS(1));
    p->vcpu_migr_delay_us = (uint32_t)(prv->migr_delay / MICROSECS(1));
    return 0;
}

static int csched_set(struct scheduler *ops, const char *param, long value)
{
    struct xen_sysctl_scheduler_op op = { .cmd = XEN_SYSCTL_SCHEDOP_getinfo };
    uint32_t *field = !strcmp(param, "tslice_ms")            ? &op.u.sched_credit.tslice_ms
                      : !strcmp(param, "ratelimit_us")       ? &op.u.sched_credit.ratelimit_us
                      : !strcmp(param, "vcpu_migr_delay_us") ? &op.u.sched_credit.vcpu_migr_delay_us
                                                             : NULL;

    if (!field)
        return -ENOENT;
    if (value < 0 || value > UINT32_MAX)
        return -EINVAL;
    csched_adjust_global(ops, &op);
    *field = (uint32_t)value;
    op.cmd = XEN_SYSCTL_SCHEDOP_putinfo;
    return csched_adjust_global(ops, &op);
}

static void csched_dump(struct scheduler *ops, char *buf, size_t len)
{
    const struct csched *prv = csched(ops);
    int n = snprintf(buf, len, "tslice %lld ms, ratelimit %lld us\n", (long long)(prv->tslice / MILLISECS(1)),
                     (long long)(prv->ratelimit / MICROSECS(1)));

    for_each_cpu_in(ops->cpus, cpu) if (n >= 0 && (size_t)n < len) n +=
        snprintf(buf + n, len - (size_t)n, "  pCPU %u: %zu vCPU%s waiting\n", cpu, runq_of(ops, cpu)->nr,
                 PLURAL(runq_of(ops, cpu)->nr));
}

const struct sched_ops sched_credit_ops = {
    .name = "SMP Credit Scheduler",
    .opt_name = "credit",
    .sched_id = XEN_SCHEDULER_CREDIT,
    .init = csched_init,
    .deinit = csched_deinit,
    .alloc_pdata = csched_alloc_pdata,
    .free_pdata = csched_free_pdata,
    .alloc_domdata = csched_alloc_domdata,
    .free_domdata = csched_free_domdata,
    .alloc_udata = csched_alloc_udata,
    .free_udata = csched_free_udata,
    .remove_unit = csched_remove,
    .sleep = csched_sleep,
    .wake = csched_wake,
    .yield = csched_yield,
    .migrate = csched_migrate,
    .do_schedule = csched_do_schedule,
    .credit = csched_credit,
    .snapshot = csched_snapshot,
    .adjust = csched_adjust,
    .adjust_global = csched_adjust_global,
    .set = csched_set,
    .dump_settings = csched_dump,
};
