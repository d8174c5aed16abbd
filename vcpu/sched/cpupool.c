// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU pools: a machine divided among schedulers.
 *
 * Concept: a pool is a set of pCPUs with a scheduler of its own; every domain lives in exactly one pool and its vCPUs run on the
 * pool's pCPUs only. Pool-0 is there from the start. To give another pool a pCPU it must first be taken out of the pool it
 * is in; in between it is free and runs nothing. One structure is both: struct scheduler.
 *
 * Invariants: pools are listed by ascending id, Pool-0 (xen->sched) first and never removed; a pCPU belongs to at most one.
 *
 * Corresponds to xen/common/sched/cpupool.c; the errors are those that xen/include/public/sysctl.h documents.
 */
#include "vcpu/sched/cpupool.h"

#include <errno.h>

#include "vcpu/sched/private.h"

struct scheduler *cpupool_find(struct xen *xen, uint32_t id)
{
    for (struct scheduler *s = xen->sched; s; s = s->next)
        if (s->cpupool_id == id)
            return s;
    return NULL;
}

uint64_t cpupool_free_cpus(const struct xen *xen)
{
    uint64_t free = 0;

    for (unsigned int cpu = 0; cpu < xen->nr_pcpus; cpu++)
        if (xen->pcpu[cpu].online && !xen->pcpu[cpu].sched)
            free |= UINT64_C(1) << cpu;
    return free;
}

static int cpupool_create(struct xen *xen, uint32_t *id, uint32_t sched_id)
{
    const struct sched_ops *ops = sched_ops_by_id(sched_id);
    struct scheduler *s, **link;

    if (*id == XEN_SYSCTL_CPUPOOL_PAR_ANY) {
        *id = 0;
        for (s = xen->sched; s && s->cpupool_id == *id; s = s->next)
            ++*id;
    }
    if (cpupool_find(xen, *id))
        return -EEXIST;
    if (!ops)
        return -ENOENT;
    s = sched_create_ops(xen, ops, 0);
    if (!s)
        return -ENOMEM;
    s->cpupool_id = *id;
    for (link = &xen->sched; *link && (*link)->cpupool_id < *id; link = &(*link)->next)
        ;
    s->next = *link;
    *link = s;
    return 0;
}

static int cpupool_destroy(struct xen *xen, struct scheduler *s)
{
    struct scheduler **link = &xen->sched;

    if (s == xen->sched || s->n_dom)
        return -EBUSY;
    for_each_cpu_in(s->cpus, cpu) sched_cpu_remove(s, cpu);
    while (*link != s)
        link = &(*link)->next;
    *link = s->next;
    sched_destroy(s);
    return 0;
}

/* The pCPU that the caller names, or with XEN_SYSCTL_CPUPOOL_PAR_ANY the first (add) or last (remove) of `cpus`. */
static int pick(const struct xen *xen, uint64_t cpus, uint32_t cpu, bool last)
{
    if (cpu == XEN_SYSCTL_CPUPOOL_PAR_ANY) {
        if (!cpus)
            return -ENODEV;
        return last ? 63 - __builtin_clzll(cpus) : __builtin_ctzll(cpus);
    }
    return cpu < xen->nr_pcpus ? (int)cpu : -EINVAL;
}

static int cpupool_cpu_add(struct scheduler *s, uint32_t which)
{
    const int cpu = pick(s->xen, cpupool_free_cpus(s->xen), which, false);

    if (cpu >= 0 && !(cpupool_free_cpus(s->xen) >> cpu & 1))
        return -ENODEV;
    return cpu < 0 ? cpu : sched_cpu_add(s, (unsigned int)cpu);
}

static int cpupool_cpu_remove(struct scheduler *s, uint32_t which)
{
    const int cpu = pick(s->xen, s->cpus, which, true);

    return cpu < 0 ? cpu : sched_cpu_remove(s, (unsigned int)cpu);
}

static int cpupool_move(struct xen *xen, struct scheduler *to, uint32_t domid)
{
    struct domain *d;

    for (d = xen->domain_list; d && d->domain_id != domid; d = d->next)
        ;
    if (!d || !d->sched)
        return -EINVAL;
    if (d->sched == to)
        return 0;
    return to->cpus ? sched_move_domain(d, to) : -EINVAL;
}

int cpupool_do_sysctl(struct xen *xen, struct xen_sysctl_cpupool_op *op, uint64_t *cpumap)
{
    struct scheduler *s = NULL;
    int rc;

    switch (op->op) {
    case XEN_SYSCTL_CPUPOOL_OP_CREATE: return cpupool_create(xen, &op->cpupool_id, op->sched_id);
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO: *cpumap = cpupool_free_cpus(xen); return 0;
    case XEN_SYSCTL_CPUPOOL_OP_INFO: /* the first pool with this id or a higher one, so that pools can be listed */
        for (s = xen->sched; s && s->cpupool_id < op->cpupool_id; s = s->next)
            ;
        break;
    default: s = cpupool_find(xen, op->cpupool_id);
    }
    if (!s)
        return -ENOENT;

    switch (op->op) {
    case XEN_SYSCTL_CPUPOOL_OP_DESTROY: rc = cpupool_destroy(xen, s); break;
    case XEN_SYSCTL_CPUPOOL_OP_INFO:
        op->cpupool_id = s->cpupool_id;
        op->sched_id = s->ops->sched_id;
        op->n_dom = s->n_dom;
        *cpumap = s->cpus;
        rc = 0;
        break;
    case XEN_SYSCTL_CPUPOOL_OP_ADDCPU: rc = cpupool_cpu_add(s, op->cpu); break;
    case XEN_SYSCTL_CPUPOOL_OP_RMCPU: rc = cpupool_cpu_remove(s, op->cpu); break;
    case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN: rc = cpupool_move(xen, s, op->domid); break;
    default: rc = -ENOSYS;
    }
    return rc;
}

/* --- pCPUs go and come --- */

int sched_cpu_hotplug(struct xen *xen, unsigned int cpu, bool online)
{
    struct xen_pcpu *p = &xen->pcpu[cpu < MACHINE_MAX_PCPUS ? cpu : 0];
    int rc = 0;

    /* The boot processor cannot be taken away. */
    if (cpu >= xen->nr_pcpus || (!online && cpu == 0) || p->online == online)
        return -EINVAL;
    if (!online && p->sched)
        rc = sched_cpu_remove(p->sched, cpu);
    if (rc)
        return rc;
    p->online = online;
    return online ? sched_cpu_add(xen->sched, cpu) : 0;
}

/* --- moving a domain --- */

/* Nobody runs any more, and the old policy forgets them. */
static void leave_all(struct domain *d)
{
    for_each_vcpu (d, v) {
        v->pause_count++;
        vcpu_sleep_nosync(v);
        if (v->is_running)
            sched_force_idle(d->xen, v->processor);
        sched_leave_vcpu(v);
    }
}

static int join_all(struct domain *d)
{
    int rc = 0;

    for_each_vcpu (d, v) {
        if (!(v->hard_affinity & d->sched->cpus))
            v->hard_affinity = ~UINT64_C(0);
        v->processor = (unsigned int)__builtin_ctzll(d->sched->cpus);
        rc = sched_join_vcpu(v);
        if (rc)
            break;
    }
    return rc;
}

int sched_move_domain(struct domain *d, struct scheduler *to)
{
    int rc;

    BUG_ON(!to->cpus);
    leave_all(d);
    sched_destroy_domain(d);
    rc = sched_join_domain(to, d);
    if (!rc)
        rc = join_all(d);
    BUG_ON(rc); /* out of host memory in the middle: there is no way back */
    for_each_vcpu (d, v) {
        v->pause_count--;
        vcpu_wake(v);
    }
    return 0;
}
