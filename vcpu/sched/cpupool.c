// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU pools: a machine divided among schedulers.
 *
 * Concept: a pool is a set of pCPUs with a scheduler of its own; every domain lives in exactly one pool and its vCPUs
 * run on the pool's pCPUs only. Pool-0 is there from the start. To give another pool a pCPU it must first be taken out
 * of the pool it is in; in between it is free and runs nothing. One structure is both: struct scheduler.
 *
 * Invariants: pools are listed by ascending id, Pool-0 (xen->sched) first and never removed; a pCPU belongs to at most
 * one, and pCPU 0 to Pool-0 always.
 *
 * Corresponds to xen/common/sched/cpupool.c. The errors are those that Xen 4.17 returns. In three places they are not
 * what xen/include/public/sysctl.h says: a pCPU that the pool does not have cannot be removed with -EADDRNOTAVAIL, a
 * domain that does not exist cannot be moved with -ESRCH, and a pool that has pCPUs cannot be destroyed.
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

int sched_init_domain(struct domain *d, uint32_t cpupool_id)
{
    struct scheduler *s = cpupool_find(d->xen, cpupool_id);

    if (!s)
        return -ESRCH;
    return s->cpus ? sched_join_domain(s, d) : -ENODEV;
}

/* --- pCPUs go and come --- */

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

int sched_cpu_hotplug(struct xen *xen, unsigned int cpu, bool online)
{
    struct xen_pcpu *p;
    int rc = 0;

    /* The boot processor cannot be taken away. */
    if (cpu >= xen->nr_pcpus || (!online && cpu == 0))
        return -EINVAL;
    p = &xen->pcpu[cpu];
    if (p->online == online)
        return -EEXIST;
    if (!online && p->sched)
        rc = p->sched == xen->sched ? sched_cpu_remove(p->sched, cpu) : -ENODEV;
    if (rc)
        return rc;
    p->online = online;
    p->idle_since = NOW(xen); /* time offline is not idle time */
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
        v->hard_affinity = v->soft_affinity = ~UINT64_C(0); /* the old pool's pCPUs mean nothing here */
        v->processor = (unsigned int)__builtin_ctzll(d->sched->cpus);
        rc = sched_join_vcpu(v);
        if (rc)
            break;
    }
    return rc;
}

/* Move a domain with all vCPUs to another pool, which must have pCPUs. Affinities become "all". */
static int sched_move_domain(struct domain *d, struct scheduler *to)
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

/* --- what is asked of pools --- */

/* An id that no pool has: one more than the last, or when there are no more the first that is free. */
static uint32_t id_choose(const struct xen *xen)
{
    const struct scheduler *s = xen->sched;

    while (s->next)
        s = s->next;
    if (s->cpupool_id + 1 == XEN_SYSCTL_CPUPOOL_PAR_ANY)
        for (s = xen->sched; s->next && s->next->cpupool_id == s->cpupool_id + 1;)
            s = s->next;
    return s->cpupool_id + 1;
}

static int cpupool_create(struct xen *xen, uint32_t *id, uint32_t sched_id)
{
    const struct sched_ops *ops = sched_ops_by_id(sched_id);
    struct scheduler *s, **link;
    unsigned int nr = 0;

    for (s = xen->sched; s; s = s->next)
        nr++;
    if (nr >= 2 * xen->nr_pcpus)
        return -ENOSPC;
    if (*id == XEN_SYSCTL_CPUPOOL_PAR_ANY)
        *id = id_choose(xen);
    for (link = &xen->sched; *link && (*link)->cpupool_id < *id; link = &(*link)->next)
        ;
    if (*link && (*link)->cpupool_id == *id)
        return -EEXIST;
    if (!ops)
        return -ENOENT;
    s = sched_create_ops(xen, ops, 0);
    if (!s)
        return -ENOMEM;
    s->cpupool_id = *id;
    s->next = *link;
    *link = s;
    return 0;
}

static int cpupool_destroy(struct xen *xen, struct scheduler *s)
{
    struct scheduler **link = &xen->sched;

    if (s->n_dom || s->cpus)
        return -EBUSY;
    while (*link != s)
        link = &(*link)->next;
    *link = s->next;
    sched_destroy(s);
    return 0;
}

/* The pCPU that the caller names, or the first free one. */
static int cpupool_cpu_add(struct scheduler *s, uint32_t cpu)
{
    const uint64_t free = cpupool_free_cpus(s->xen);

    if (cpu == XEN_SYSCTL_CPUPOOL_PAR_ANY && free)
        cpu = (uint32_t)__builtin_ctzll(free);
    else if (cpu == XEN_SYSCTL_CPUPOOL_PAR_ANY)
        return -ENODEV;
    if (cpu >= s->xen->nr_pcpus)
        return -EINVAL;
    return free >> cpu & 1 ? sched_cpu_add(s, cpu) : -ENODEV;
}

/*
 * The last pCPU of a pool goes only when nobody needs it any more; those who are dying do it in Pool-0 (and stay
 * there).
 */
static int dying_leave(struct scheduler *s)
{
    for_each_domain (s->xen, d) {
        if (d->sched != s)
            continue;
        if (!d->is_dying)
            return -EBUSY;
        sched_move_domain(d, s->xen->sched);
    }
    return 0;
}

/* The pCPU that the caller names, or the pool's last one. */
static int cpupool_cpu_remove(struct scheduler *s, uint32_t cpu)
{
    int rc = 0;

    if (cpu == XEN_SYSCTL_CPUPOOL_PAR_ANY && s->cpus)
        cpu = 63 - (uint32_t)__builtin_clzll(s->cpus);
    if (cpu >= s->xen->nr_pcpus || (s == s->xen->sched && cpu == 0) || !s->xen->pcpu[cpu].online)
        return -EINVAL;
    if (!sched_cpu_owned(s, cpu))
        return -EADDRNOTAVAIL;
    if (s->cpus == UINT64_C(1) << cpu)
        rc = dying_leave(s);
    return rc ? rc : sched_cpu_remove(s, cpu);
}

/* Of the 32 bits for the domain 16 are looked at: domid_t. */
static int cpupool_move(struct xen *xen, uint32_t id, domid_t domid)
{
    struct scheduler *to = cpupool_find(xen, id);
    struct domain *d;

    for (d = xen->domain_list; d && d->domain_id != domid; d = d->next)
        ;
    if (!d)
        return -ESRCH;
    if (!d->sched)
        return -EINVAL;
    if (d->sched->cpupool_id == id)
        return 0;
    return to && to->cpus ? sched_move_domain(d, to) : -ENOENT;
}

int cpupool_do_sysctl(struct xen *xen, struct xen_sysctl_cpupool_op *op, uint64_t *cpumap)
{
    struct scheduler *s = NULL;
    int rc;

    switch (op->op) {
    case XEN_SYSCTL_CPUPOOL_OP_CREATE: return cpupool_create(xen, &op->cpupool_id, op->sched_id);
    case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN: return cpupool_move(xen, op->cpupool_id, (domid_t)op->domid);
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO: *cpumap = cpupool_free_cpus(xen); return 0;
    case XEN_SYSCTL_CPUPOOL_OP_INFO: /* the first pool with this id or a higher one, so that pools can be listed */
        for (s = xen->sched; s && s->cpupool_id < op->cpupool_id; s = s->next)
            ;
        break;
    case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
    case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
    case XEN_SYSCTL_CPUPOOL_OP_RMCPU: s = cpupool_find(xen, op->cpupool_id); break;
    default: return -ENOSYS;
    }
    if (!s)
        return -ENOENT;

    switch (op->op) {
    case XEN_SYSCTL_CPUPOOL_OP_DESTROY: rc = cpupool_destroy(xen, s); break;
    case XEN_SYSCTL_CPUPOOL_OP_ADDCPU: rc = cpupool_cpu_add(s, op->cpu); break;
    case XEN_SYSCTL_CPUPOOL_OP_RMCPU: rc = cpupool_cpu_remove(s, op->cpu); break;
    default:
        op->cpupool_id = s->cpupool_id;
        op->sched_id = s->ops->sched_id;
        op->n_dom = s->n_dom - (xen->boot && xen->boot->sched == s); /* which nobody is to see */
        *cpumap = s->cpus;
        rc = 0;
    }
    return rc;
}
