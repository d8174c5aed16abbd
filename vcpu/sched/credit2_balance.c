// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Credit2's balance between run queues: where a vCPU is placed, and whether one is taken over from another queue.
 *
 * Concept: both go by the mean of a queue's load as it is and as it was lately (c2_load_of()), a pCPU: groups may
 * differ in size.
 *
 * Corresponds to csched2_res_pick() and balance_load() in xen/common/sched/credit2.c.
 */
#include "vcpu/sched/credit2.h"

/* The busiest other group's first vCPU that cpu may run, if it is so busy that moving one pays. NULL: none. */
static struct c2_vcpu *busiest_first(struct scheduler *ops, unsigned int cpu, bool idle, s_time_t now)
{
    struct c2_rqd *here = rqd_of(ops, cpu);
    struct c2_vcpu *best = NULL;
    double most = c2_load_of(here, now) + 1.5; /* moving one vCPU between 2 and 1 would gain nothing */

    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++) {
        struct c2_rqd *rqd = &c2(ops)->rqd[i];
        struct runq_node *n;
        double load;

        if (rqd == here || !rqd->runq.nr)
            continue;
        load = c2_load_of(rqd, now);
        /* Per pCPU, the groups may differ in size. An idle pCPU takes whatever waits anywhere. */
        if (!idle && load * __builtin_popcountll(here->cpus) < most * __builtin_popcountll(rqd->cpus))
            continue;
        n = runq_first(&rqd->runq, cpu, true);
        if (!n && idle)
            n = runq_first(&rqd->runq, cpu, false);
        if (n) {
            best = svc_of(n->v);
            most = load;
        }
    }
    return best;
}

struct c2_vcpu *c2_pull(struct scheduler *ops, unsigned int cpu, bool idle, s_time_t now)
{
    struct c2_vcpu *svc;

    do {
        svc = busiest_first(ops, cpu, idle, now);
        if (!svc)
            return NULL;
        c2_dequeue(svc);
    } while (idle && !c2_budget_ok(svc));
    c2_deassign(svc, now);
    svc->v->processor = cpu;
    c2_assign(svc, rqd_of(ops, cpu));
    c2_load_count(svc, true, now);
    return svc;
}

/* The group with the least load a pCPU; where it was before is worth half a vCPU. In it, as the default does. */
unsigned int c2_pick_resource(struct scheduler *ops, struct vcpu *v)
{
    struct c2 *prv = c2(ops);
    const uint64_t mask = vcpu_soft_cpumask(v);
    double least = 0;
    int best = -1;

    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++) {
        struct c2_rqd *rqd = &prv->rqd[i];
        double load;

        if (!(rqd->cpus & mask))
            continue;
        load = c2_load_of(rqd, NOW(ops->xen)) / __builtin_popcountll(rqd->cpus);
        if (rqd->cpus >> v->processor & 1)
            load -= 0.5 / __builtin_popcountll(rqd->cpus);
        if (best < 0 || load < least) {
            best = (int)i;
            least = load;
        }
    }
    if (best < 0 || (prv->rqd[best].cpus & mask) >> v->processor & 1)
        return v->processor;
    for_each_cpu_in(prv->rqd[best].cpus & mask, cpu) if (sched_cpu_waits(ops->xen, cpu)) return cpu;
    return (unsigned int)__builtin_ctzll(prv->rqd[best].cpus & mask);
}
