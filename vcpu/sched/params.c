// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scheduler parameters and CPU pools as hypercalls see them.
 *
 * Concept: policies know nothing of guests' memory. Here the structures that a toolstack's hypercall points to are
 * copied in, the handles in them are replaced by host pointers for the policy, and results are copied out.
 *
 * Corresponds to sched_adjust() and sched_adjust_global() in xen/common/sched/core.c.
 */
#include <errno.h>
#include <string.h>

#include "mmu/guest_access.h"
#include "vcpu/sched/cpupool.h"
#include "vcpu/sched/sched.h"

#define HANDLE(h) ((uint64_t)(uintptr_t)(h).p)

/* --- bitmaps of pCPUs --- */

int xenctl_bitmap_to_bitmap(struct vcpu *v, const struct xenctl_bitmap *map, unsigned int nr, uint64_t *bits)
{
    const size_t ours = (nr + 7) / 8, bytes = ((size_t)map->nr_bits + 7) / 8;

    *bits = 0;
    if (bytes && copy_from_guest(v, bits, HANDLE(map->bitmap), bytes < ours ? bytes : ours))
        return -EFAULT;
    *bits &= ~UINT64_C(0) >> (64 - nr);
    if (map->nr_bits < 64)
        *bits &= (UINT64_C(1) << map->nr_bits) - 1;
    return 0;
}

int bitmap_to_xenctl_bitmap(struct vcpu *v, const struct xenctl_bitmap *map, unsigned int nr, uint64_t bits)
{
    const size_t ours = (nr + 7) / 8, bytes = ((size_t)map->nr_bits + 7) / 8;
    const uint8_t zero = 0;

    bits &= ~UINT64_C(0) >> (64 - nr);
    if (bytes && copy_to_guest(v, HANDLE(map->bitmap), &bits, bytes < ours ? bytes : ours))
        return -EFAULT;
    for (size_t i = ours; i < bytes; i++)
        if (copy_to_guest(v, HANDLE(map->bitmap) + i, &zero, 1))
            return -EFAULT;
    return 0;
}

int xenctl_bitmap_to_cpumask(struct vcpu *v, const struct xenctl_bitmap *map, uint64_t *bits)
{
    return xenctl_bitmap_to_bitmap(v, map, v->domain->xen->nr_pcpus, bits);
}

int cpumask_to_xenctl_bitmap(struct vcpu *v, const struct xenctl_bitmap *map, uint64_t bits)
{
    return bitmap_to_xenctl_bitmap(v, map, v->domain->xen->nr_pcpus, bits);
}

/* --- parameters --- */

static void told(const struct domain *d, unsigned int vcpu, enum trace_sched_param what, uint64_t value)
{
    TRACE(d->xen->machine, sched_param, d->domain_id, vcpu, what, value);
}

static void told_periods(const struct domain *d, const struct xen_domctl_schedparam_vcpu *p)
{
    told(d, p->vcpuid, TRACE_SCHED_PERIOD, p->u.rtds.period);
    told(d, p->vcpuid, TRACE_SCHED_BUDGET, p->u.rtds.budget);
    told(d, p->vcpuid, TRACE_SCHED_EXTRATIME, (p->u.rtds.flags & XEN_DOMCTL_SCHEDRT_extra) != 0);
}

/* A policy of one's own is told as credit2 is. A weight of 0, and a cap of 0xffff, leave it as it is. */
static void told_domain(const struct domain *d, const struct xen_domctl_scheduler_op *op)
{
    const bool one = op->sched_id == XEN_SCHEDULER_CREDIT, weighs = op->sched_id != XEN_SCHEDULER_RTDS;
    const uint16_t weight = one ? op->u.credit.weight : op->u.credit2.weight;
    const uint16_t cap = one ? op->u.credit.cap : op->u.credit2.cap;

    if (weighs && weight)
        told(d, 0, TRACE_SCHED_WEIGHT, weight);
    if (weighs && cap != 0xffff)
        told(d, 0, TRACE_SCHED_CAP, cap);
    for (unsigned int i = 0; op->sched_id == XEN_SCHEDULER_RTDS && i < d->max_vcpus; i++) {
        told(d, i, TRACE_SCHED_PERIOD, op->u.rtds.period);
        told(d, i, TRACE_SCHED_BUDGET, op->u.rtds.budget);
    }
}

/*
 * One element at a time. What has been done stays done when a later one is wrong. A long list may be cut short:
 * nr_vcpus says how many were done, and the caller comes again with the rest.
 */
static int adjust_vcpus(struct vcpu *v, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    const uint64_t array = HANDLE(op->u.v.vcpus);
    struct xen_domctl_schedparam_vcpu p;
    uint32_t i = 0;
    int rc = 0;

    while (!rc && i < op->u.v.nr_vcpus) {
        struct xen_domctl_scheduler_op one = { .sched_id = op->sched_id, .cmd = op->cmd };

        if (copy_from_guest(v, &p, array + i * sizeof(p), sizeof(p)))
            return -EFAULT;
        set_xen_guest_handle(one.u.v.vcpus, &p);
        one.u.v.nr_vcpus = 1;
        rc = d->sched->ops->adjust(d->sched, d, &one);
        if (!rc && op->cmd == XEN_DOMCTL_SCHEDOP_getvcpuinfo && copy_to_guest(v, array + i * sizeof(p), &p, sizeof(p)))
            rc = -EFAULT;
        if (!rc && op->cmd == XEN_DOMCTL_SCHEDOP_putvcpuinfo)
            told_periods(d, &p);
        if (++i > 63 && hypercall_preempt_check(v))
            break;
    }
    if (!rc)
        op->u.v.nr_vcpus = i;
    return rc;
}

int sched_adjust(struct vcpu *v, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    const struct sched_ops *ops;
    int rc;

    if (!d->sched || op->sched_id != d->sched->ops->sched_id || op->cmd > XEN_DOMCTL_SCHEDOP_getvcpuinfo)
        return -EINVAL;
    ops = d->sched->ops;
    if (!ops->adjust)
        return 0;
    if (op->sched_id == XEN_SCHEDULER_RTDS &&
        (op->cmd == XEN_DOMCTL_SCHEDOP_getvcpuinfo || op->cmd == XEN_DOMCTL_SCHEDOP_putvcpuinfo))
        return adjust_vcpus(v, d, op);
    rc = ops->adjust(d->sched, d, op);
    if (!rc && op->cmd == XEN_DOMCTL_SCHEDOP_putinfo)
        told_domain(d, op);
    return rc;
}

static int adjust_arinc653(struct vcpu *v, struct scheduler *s, struct xen_sysctl_scheduler_op *op)
{
    const uint64_t table = HANDLE(op->u.sched_arinc653.schedule);
    struct xen_sysctl_scheduler_op host = *op;
    struct xen_sysctl_arinc653_schedule t;
    int rc;

    set_xen_guest_handle(host.u.sched_arinc653.schedule, &t);
    if (op->cmd == XEN_SYSCTL_SCHEDOP_putinfo && copy_from_guest(v, &t, table, sizeof(t)))
        return -EFAULT;
    rc = s->ops->adjust_global(s, &host);
    if (!rc && op->cmd == XEN_SYSCTL_SCHEDOP_getinfo && copy_to_guest(v, table, &t, sizeof(t)))
        rc = -EFAULT;
    return rc;
}

int sched_adjust_global(struct vcpu *v, struct xen_sysctl_scheduler_op *op)
{
    struct scheduler *s;

    if (op->cmd != XEN_SYSCTL_SCHEDOP_putinfo && op->cmd != XEN_SYSCTL_SCHEDOP_getinfo)
        return -EINVAL;
    s = cpupool_find(v->domain->xen, op->cpupool_id);
    if (!s)
        return -ESRCH;
    if (op->sched_id != s->ops->sched_id)
        return -EINVAL;
    if (op->sched_id == XEN_SCHEDULER_ARINC653)
        return adjust_arinc653(v, s, op);
    return s->ops->adjust_global ? s->ops->adjust_global(s, op) : 0;
}

int cpupool_sysctl(struct vcpu *v, struct xen_sysctl_cpupool_op *op)
{
    uint64_t cpumap = 0;
    int rc;

    if (op->op == XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN && (domid_t)op->domid == v->domain->domain_id)
        return -EPERM;
    rc = cpupool_do_sysctl(v->domain->xen, op, &cpumap);
    if (rc || (op->op != XEN_SYSCTL_CPUPOOL_OP_INFO && op->op != XEN_SYSCTL_CPUPOOL_OP_FREEINFO))
        return rc;
    return cpumask_to_xenctl_bitmap(v, &op->cpumap, cpumap);
}
