// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Affinity and migration.
 *
 * Concept: hard affinity is where a vCPU may run, soft affinity where it prefers to. Whenever the answer to "may it
 * stay where it is?" becomes no, the vCPU migrates, always in the same steps: it is put to sleep for the policy
 * (VPF_migrating), it leaves its pCPU if it was running, the policy picks a new pCPU, and it is woken there. So a
 * policy never finds on its queues a vCPU whose masks changed under it.
 *
 *   vcpu_migrate():  VPF_migrating set, sleep  --not running-->  vcpu_migrate_finish(): pick_resource, migrate, wake
 *                            |                                                ^
 *                            '------running: kick--> sched_context_switch() --'
 *
 * Invariants: outside these functions VPF_migrating is set only on a vCPU that is running and about to leave its pCPU.
 *
 * Corresponds to xen/common/sched/core.c (vcpu_set_affinity, vcpu_migrate_*).
 */
#include <errno.h>

#include "vcpu/sched/sched.h"

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
    if (hard)
        TRACE(v->domain->xen->machine, sched_param, v->domain->domain_id, v->vcpu_id, TRACE_SCHED_HARD, *hard);
    if (soft)
        TRACE(v->domain->xen->machine, sched_param, v->domain->domain_id, v->vcpu_id, TRACE_SCHED_SOFT, *soft);
    if (!v->is_running)
        vcpu_migrate_finish(v);
    return 0;
}
