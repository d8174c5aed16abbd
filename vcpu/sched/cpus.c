// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pCPUs of a pool as policies see them: who is idle, whom to tell, where a vCPU would rather be.
 *
 * Concept: a policy decides for the pCPU that asks. That another one should ask, too (somebody better is waiting), it
 * says by a kick: that pCPU then calls sched_schedule() at its next chance. This is below all policies and knows none.
 *
 * Simplifies xen/common/sched/core.c and private.h: cpumask arithmetic on 64 bits, and cpu_raise_softirq() as a flag.
 */
#include "vcpu/sched/sched.h"

void sched_kick_cpu(struct xen *xen, unsigned int cpu)
{
    struct xen_pcpu *p = &xen->pcpu[cpu];

    /* An idle pCPU's own time stands still. It goes on at the time of whoever wakes it up. */
    if (sched_cpu_waits(xen, cpu) && p->now < NOW(xen))
        p->now = NOW(xen);
    p->need_resched = true;
}

bool sched_kick_idle(struct xen *xen, uint64_t mask, unsigned int prefer)
{
    if (mask >> prefer & 1 && sched_cpu_waits(xen, prefer)) {
        sched_kick_cpu(xen, prefer);
        return true;
    }
    for_each_cpu_in(mask, cpu)
    {
        if (sched_cpu_waits(xen, cpu)) {
            sched_kick_cpu(xen, cpu);
            return true;
        }
    }
    return false;
}

s_time_t get_cpu_idle_time(const struct xen *xen, unsigned int cpu)
{
    const struct xen_pcpu *p = &xen->pcpu[cpu];
    const s_time_t now = NOW(xen);

    if (!p->online)
        return 0;
    return p->idle_time + (!p->curr && now > p->idle_since ? now - p->idle_since : 0);
}

unsigned int sched_pick_default(struct vcpu *v)
{
    const uint64_t masks[] = { vcpu_soft_cpumask(v), vcpu_cpumask(v) };

    for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
        if (masks[i] >> v->processor & 1)
            return v->processor;
        for_each_cpu_in(masks[i], cpu) if (sched_cpu_waits(v->domain->xen, cpu)) return cpu;
        if (masks[i])
            return (unsigned int)__builtin_ctzll(masks[i]);
    }
    return v->processor;
}

void sched_part_join(uint64_t *part, uint64_t cpus)
{
    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++) {
        if (!(part[i] & cpus))
            continue;
        cpus |= part[i];
        part[i] = 0;
    }
    if (cpus)
        part[__builtin_ctzll(cpus)] = cpus;
}

bool sched_prefers_idle(const struct vcpu *v)
{
    const uint64_t soft = vcpu_soft_cpumask(v);

    if (soft >> v->processor & 1)
        return false;
    for_each_cpu_in(soft, cpu) if (sched_cpu_waits(v->domain->xen, cpu)) return true;
    return false;
}
