// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The credit scheduler's queues: onto one and off it, and who is told.
 *
 * Concept: each pCPU has a queue, ordered by priority, then first come first served (credit.c has the picture). What
 * decides (credit.c) and what accounts (credit_acct.c) both put vCPUs there; what is the same for both is here.
 *
 * Corresponds to runq_insert() and __runq_tickle() in xen/common/sched/credit.c.
 */
#include "vcpu/sched/credit.h"

/* Does cpu run somebody less important than pri, and nobody has told it so yet? */
static bool runs(const struct xen *xen, unsigned int cpu, enum pri pri)
{
    const struct xen_pcpu *p = &xen->pcpu[cpu];

    return p->curr && !p->need_resched && svc_of(p->curr)->pri > pri;
}

void csched_tickle(struct scheduler *ops, struct csched_vcpu *svc)
{
    struct xen *xen = ops->xen;
    struct vcpu *v = svc->v;
    enum pri worst = svc->pri;
    int victim = -1;

    if (sched_kick_idle(xen, vcpu_soft_cpumask(v), v->processor) || sched_kick_idle(xen, vcpu_cpumask(v), v->processor))
        return;
    if (runs(xen, v->processor, worst)) {
        sched_kick_cpu(xen, v->processor);
        return;
    }
    for_each_cpu_in(vcpu_cpumask(v), cpu)
    {
        if (!runs(xen, cpu, worst))
            continue;
        worst = svc_of(xen->pcpu[cpu].curr)->pri;
        victim = (int)cpu;
    }
    if (victim >= 0)
        sched_kick_cpu(xen, (unsigned int)victim);
}

void csched_enqueue(struct scheduler *ops, struct csched_vcpu *svc)
{
    struct runq *q = runq_of(ops, svc->v->processor);

    /* Who was interrupted stays at the front for the rest of its slice. */
    if (svc->slice_left > 0)
        runq_insert_first(q, &svc->node, svc->v, svc->pri);
    else
        runq_insert(q, &svc->node, svc->v, svc->pri);
}

void csched_enqueue_yielding(struct scheduler *ops, struct csched_vcpu *svc)
{
    struct runq *q = runq_of(ops, svc->v->processor);
    struct runq_node *first = runq_first(q, svc->v->processor, false);
    const enum pri own = svc->pri == PRI_OWED ? PRI_UNDER : svc->pri == PRI_OVER ? PRI_DEEP : svc->pri;

    svc->slice_left = 0;
    if (!first || first->key <= (int64_t)own) {
        runq_insert(q, &svc->node, svc->v, own);
        return;
    }
    runq_remove(q, first);
    runq_insert_first(q, &svc->node, svc->v, first->key);
    runq_insert_first(q, first, first->v, first->key);
}

void csched_dequeue(struct scheduler *ops, struct csched_vcpu *svc)
{
    if (runq_queued(&svc->node))
        runq_remove(runq_of(ops, svc->v->processor), &svc->node);
}
