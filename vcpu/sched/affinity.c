// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Affinity, migration, and pCPUs that come and go.
 *
 * Concept: hard affinity is where a vCPU may run, soft affinity where it prefers to. Whenever the answer to "may it stay where
 * it is?" becomes no, the vCPU migrates, always in the same steps: it is put to sleep for the policy (VPF_migrating), it
 * leaves its pCPU if it was running, the policy picks a new pCPU, and it is woken there. So a policy never finds on its queues
 * a vCPU whose masks changed under it.
 *
 *   vcpu_migrate():  VPF_migrating set, sleep  --not running-->  vcpu_migrate_finish(): pick_resource, migrate, wake
 *                            |                                          ^
 *                            '------running: kick--> context_switch() --'
 *
 * Invariants: outside these functions VPF_migrating is set only on a vCPU that is running and about to leave its pCPU.
 *
 * Corresponds to xen/common/sched/core.c (vcpu_set_affinity, vcpu_migrate_*, cpu_disable_scheduler, sched_move_domain).
 */
#include <errno.h>
#include <stdlib.h>

#include "vcpu/sched/private.h"
#include "vcpu/sched/sched.h"

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

void vcpu_migrate(struct vcpu *v)
{
    v->pause_flags |= VPF_migrating;
    vcpu_sleep_nosync(v);
    if (!v->is_running)
        vcpu_migrate_finish(v);
}

void vcpu_migrate_finish(struct vcpu *v)
{
    struct scheduler *s = v->domain->sched;
    const unsigned int cpu = s->ops->pick_resource ? s->ops->pick_resource(s, v) : sched_pick_default(v);

    BUG_ON(v->is_running || cpu >= MACHINE_MAX_PCPUS);
    if (s->ops->migrate)
        s->ops->migrate(s, v, cpu);
    v->processor = cpu;
    v->pause_flags &= ~VPF_migrating;
    vcpu_wake(v);
}

int sched_set_affinity(struct vcpu *v, const uint64_t *hard, const uint64_t *soft)
{
    struct scheduler *s = v->domain->sched;

    if (hard && !(*hard & s->cpus))
        return -EINVAL;
    v->pause_flags |= VPF_migrating;
    vcpu_sleep_nosync(v);
    if (s->ops->adjust_affinity)
        s->ops->adjust_affinity(s, v, hard, soft);
    if (hard)
        v->hard_affinity = *hard;
    if (soft)
        v->soft_affinity = *soft;
    if (!v->is_running)
        vcpu_migrate_finish(v);
    return 0;
}

/* --- pCPUs --- */

/* The pool loses `cpu`: whoever is there goes elsewhere, and whoever may run nowhere else gets its affinity broken. */
static void cpu_evacuate(struct scheduler *s, unsigned int cpu)
{
    for_each_domain (s->xen, d) {
        if (d->sched != s)
            continue;
        for_each_vcpu (d, v) {
            if (!vcpu_cpumask(v)) {
                const uint64_t all = ~UINT64_C(0);

                printk(s->xen->machine, LOG_INFO, "Breaking affinity for d%dv%u", d->domain_id, v->vcpu_id);
                sched_set_affinity(v, &all, NULL);
            } else if (v->processor == cpu) {
                vcpu_migrate(v);
            }
        }
    }
}

int sched_cpu_remove(struct scheduler *s, unsigned int cpu)
{
    const uint64_t bit = cpu < 64 ? UINT64_C(1) << cpu : 0;

    if (!(s->cpus & bit))
        return -ENODEV;
    if (s->cpus == bit && s->n_dom)
        return -EBUSY;
    s->cpus &= ~bit;
    cpu_evacuate(s, cpu);
    /* The policy sees the running vCPU leave (and charges it); with the bit gone it can put nothing in its place. */
    sched_schedule(s->xen, cpu);
    BUG_ON(s->xen->pcpu[cpu].curr);
    sched_cpu_detach(s, cpu);
    return 0;
}

int sched_cpu_add(struct scheduler *s, unsigned int cpu)
{
    if (cpu >= s->xen->nr_pcpus)
        return -EINVAL;
    if (s->xen->pcpu[cpu].sched)
        return -ENODEV;
    return sched_cpu_attach(s, cpu);
}
