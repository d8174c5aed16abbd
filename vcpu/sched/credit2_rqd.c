// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Credit2's run queues: who belongs to them and who waits, and what both have of credit and make of load.
 *
 * Concept: a run queue's load is the number of its vCPUs that run or want to; avgload follows it with a time constant
 * of about a second, so that a short burst moves nobody. Where a vCPU is placed, and whether one is taken over from
 * another queue, goes by the mean of the two. Burning depends on the queue as well: its heaviest vCPU burns credit at
 * the speed of time and a lighter one faster, by the ratio of weights.
 *
 * pCPUs whose vCPUs cannot run on each other's (by affinity) are parts. Each is as if it had a run queue to itself: it
 * has its own resets and its own heaviest vCPU. In Xen parts share them, and then pinning takes the meaning from
 * weights: with 256 and 1024 pinned to one pCPU and 64, 64 and 128 to another, those get 37, 37 and 25 %, since a reset
 * waits for the first pCPU's vCPUs while those of the second are all at C2_CREDIT_MIN. That pinned vCPUs compete where
 * they are pinned is worth a student's seeing; that they do not is an accident of who shares a queue.
 *
 * Invariants: svc->part is the part that svc->mask lies in. rqd->load counts the vCPUs with svc->counted; max_weight[]
 * is the largest weight in a part and nr_max[] how many have it.
 *
 * Corresponds to update_runq_load(), t2c_update(), reset_credit() and runq_tickle() in xen/common/sched/credit2.c.
 */
#include "vcpu/sched/credit2.h"

#define LOAD_WINDOW    SECONDS(1)
#define MIGRATE_RESIST MICROSECS(500) /* a waker must be better by this to preempt on another pCPU than its own */

/* --- credit --- */

void c2_credit_sync(struct c2_vcpu *svc)
{
    svc->credit += svc->rqd->given[svc->part] - svc->given;
    svc->given = svc->rqd->given[svc->part];
    if (svc->credit > C2_CREDIT_MAX)
        svc->credit = C2_CREDIT_MAX;
}

s_time_t c2_most_waiting(const struct c2_vcpu *svc)
{
    s_time_t most = C2_CREDIT_MIN;

    for_each_cpu_in(svc->rqd->part[svc->part], cpu)
    {
        const struct runq_node *first = runq_first(&svc->rqd->runq, cpu, false);

        if (first && c2_credit_of_waiting(svc_of(first->v)) > most)
            most = c2_credit_of_waiting(svc_of(first->v));
    }
    return most;
}

void c2_reset(struct c2_vcpu *svc, s_time_t now)
{
    const struct xen *xen = svc->dom->ops->xen;
    struct c2_rqd *rqd = svc->rqd;

    /* Others take what is given when they are looked at next, but those who run must have been charged before. */
    for_each_cpu_in(rqd->part[svc->part] & rqd->cpus, cpu) if (xen->pcpu[cpu].curr)
        c2_burn(svc_of(xen->pcpu[cpu].curr), now);
    rqd->given[svc->part] += svc->credit > C2_CREDIT_MIN ? C2_CREDIT_INIT : 2 * C2_CREDIT_INIT;
    c2_credit_sync(svc);
}

void c2_burn(struct c2_vcpu *svc, s_time_t now)
{
    const s_time_t delta = now - svc->start;

    c2_credit_sync(svc);
    if (!svc->v->is_running || delta <= 0)
        return;
    svc->credit -= delta * svc->rqd->max_weight[svc->part] / svc->weight;
    if (svc->credit < C2_CREDIT_MIN)
        svc->credit = C2_CREDIT_MIN;
    if (svc->dom->tot_budget)
        svc->budget -= delta;
    svc->start = now;
}

/* --- load --- */

static void load_update(struct c2_rqd *rqd, int change, s_time_t now)
{
    const double passed = now > rqd->load_at ? (double)(now - rqd->load_at) / (double)LOAD_WINDOW : 0;

    rqd->avgload += (rqd->load - rqd->avgload) * (passed < 1 ? passed : 1);
    if (now > rqd->load_at)
        rqd->load_at = now;
    rqd->load += change;
}

double c2_load_of(struct c2_rqd *rqd, s_time_t now)
{
    load_update(rqd, 0, now);
    return (rqd->avgload + rqd->load) / 2;
}

void c2_load_count(struct c2_vcpu *svc, bool counted, s_time_t now)
{
    if (svc->counted != counted)
        load_update(svc->rqd, counted ? 1 : -1, now);
    svc->counted = counted;
}

/* --- parts --- */

static uint64_t mask_of(const struct c2_vcpu *svc) { return vcpu_cpumask(svc->v) & svc->rqd->cpus; }

/* The part that svc's mask touches; one that can run nowhere at present belongs to any. */
static unsigned int part_of(const struct c2_vcpu *svc)
{
    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++)
        if (svc->rqd->part[i] & svc->mask)
            return i;
    return 0;
}

static void weight_count(const struct c2_vcpu *svc)
{
    unsigned int *max = &svc->rqd->max_weight[svc->part], *nr = &svc->rqd->nr_max[svc->part];

    if (svc->weight > *max) {
        *max = svc->weight;
        *nr = 0;
    }
    *nr += svc->weight == *max;
}

static void part_enter(struct c2_vcpu *svc, unsigned int part)
{
    svc->part = part;
    svc->given = svc->rqd->given[part];
    weight_count(svc);
}

/*
 * rqd->assigned holds those who stay. Usually others have the same weight; if not, the new maximum must be looked for.
 */
static void part_leave(const struct c2_vcpu *svc)
{
    struct c2_rqd *rqd = svc->rqd;
    struct c2_vcpu *other;

    if (svc->weight < rqd->max_weight[svc->part] || --rqd->nr_max[svc->part])
        return;
    rqd->max_weight[svc->part] = 1;
    LIST_FOREACH(other, &rqd->assigned, link)
    if (other->part == svc->part)
        weight_count(other);
}

void c2_parts_rebuild(struct c2_rqd *rqd)
{
    struct c2_vcpu *svc;

    rqd->parts_stale = false;
    LIST_FOREACH(svc, &rqd->assigned, link)
    c2_burn(svc, NOW(svc->dom->ops->xen)); /* in terms of the old part */
    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++) {
        rqd->part[i] = 0;
        rqd->max_weight[i] = 1;
        rqd->nr_max[i] = 0;
    }
    LIST_FOREACH(svc, &rqd->assigned, link)
    {
        svc->mask = mask_of(svc);
        sched_part_join(rqd->part, svc->mask);
    }
    LIST_FOREACH(svc, &rqd->assigned, link)
    {
        const bool queued = runq_queued(&svc->node);
        const unsigned int part = part_of(svc);

        if (queued && part != svc->part)
            runq_remove(&rqd->runq, &svc->node);
        part_enter(svc, part);
        if (queued && !runq_queued(&svc->node))
            runq_insert(&rqd->runq, &svc->node, svc->v, svc->given - svc->credit);
    }
}

/* svc has come to its run queue. */
static void part_find(struct c2_vcpu *svc)
{
    uint64_t touched = 0;

    svc->mask = mask_of(svc);
    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++)
        if (svc->rqd->part[i] & svc->mask)
            touched |= svc->rqd->part[i];
    if (!touched)
        sched_part_join(svc->rqd->part, svc->mask); /* all for itself */
    part_enter(svc, part_of(svc));
    if (touched && svc->mask & ~svc->rqd->part[svc->part])
        svc->rqd->parts_stale = true; /* it joins what was apart */
}

/* --- belonging to a run queue --- */

void c2_assign(struct c2_vcpu *svc, struct c2_rqd *rqd)
{
    svc->rqd = rqd;
    svc->weight = svc->dom->weight;
    LIST_INSERT_HEAD(&rqd->assigned, svc, link);
    part_find(svc);
}

void c2_deassign(struct c2_vcpu *svc, s_time_t now)
{
    c2_burn(svc, now);
    c2_load_count(svc, false, now);
    LIST_REMOVE(svc, link);
    part_leave(svc);
    svc->rqd = NULL;
}

void c2_reweigh(struct c2_vcpu *svc, s_time_t now)
{
    struct c2_rqd *rqd = svc->rqd;
    const bool counted = svc->counted;

    c2_deassign(svc, now);
    c2_assign(svc, rqd);
    c2_load_count(svc, counted, now);
}

void c2_migrate(struct scheduler *ops, struct vcpu *v, unsigned int new_cpu)
{
    struct c2_vcpu *svc = svc_of(v);
    const s_time_t now = NOW(ops->xen);

    v->processor = new_cpu;
    if (svc->rqd == rqd_of(ops, new_cpu)) {
        if (svc->mask != mask_of(svc))
            svc->rqd->parts_stale = true;
        return;
    }
    c2_deassign(svc, now);
    c2_assign(svc, rqd_of(ops, new_cpu));
}

/* --- waiting --- */

void c2_dequeue(struct c2_vcpu *svc)
{
    if (runq_queued(&svc->node))
        runq_remove(&svc->rqd->runq, &svc->node);
    c2_credit_sync(svc);
}

void c2_enqueue(struct c2_vcpu *svc)
{
    c2_credit_sync(svc);
    runq_insert(&svc->rqd->runq, &svc->node, svc->v, svc->given - svc->credit); /* smallest first: most credit */
}

void c2_tickle(struct scheduler *ops, struct c2_vcpu *svc)
{
    struct xen *xen = ops->xen;
    const uint64_t here = svc->rqd->cpus & vcpu_cpumask(svc->v);
    s_time_t lowest = svc->credit;
    int victim = -1;

    if (sched_kick_idle(xen, here & vcpu_soft_cpumask(svc->v), svc->v->processor) ||
        sched_kick_idle(xen, here, svc->v->processor) ||
        sched_kick_idle(xen, vcpu_cpumask(svc->v), svc->v->processor)) /* another group's: it will pull */
        return;
    for_each_cpu_in(here, cpu)
    {
        struct c2_vcpu *cur = xen->pcpu[cpu].curr ? svc_of(xen->pcpu[cpu].curr) : NULL;
        s_time_t credit;

        if (!cur || xen->pcpu[cpu].need_resched)
            continue;
        c2_burn(cur, NOW(xen));
        credit = cur->credit + (cpu != svc->v->processor ? MIGRATE_RESIST : 0);
        if (credit < lowest) {
            lowest = credit;
            victim = (int)cpu;
        }
    }
    if (victim >= 0)
        sched_kick_cpu(xen, (unsigned int)victim);
}

void c2_unpark(struct c2_vcpu *svc)
{
    svc->parked = false;
    if (!svc->v->sched_awake || svc->v->is_running)
        return;
    c2_enqueue(svc);
    c2_tickle(svc->v->domain->sched, svc);
}
