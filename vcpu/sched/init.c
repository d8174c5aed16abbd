// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Schedulers, and domains and vCPUs in them, come and go.
 *
 * Concept: a policy keeps its own data for the pool, for each of its pCPUs, for each domain and for each vCPU, and
 * hangs it on the sched_priv pointers. All of these are created and freed here, in one order, so a policy never has to
 * ask what exists.
 *
 * Invariants: xen->pcpu[c].sched == s exactly when bit c is in s->cpus; d->sched_priv and v->sched_priv belong to
 * d->sched.
 *
 * Corresponds to xen/common/sched/core.c (scheduler_init, sched_init_vcpu and so on).
 */
#include <errno.h>

#include "vcpu/sched/private.h"

/* --- schedulers --- */

static int pdata_create(struct scheduler *s, unsigned int cpu)
{
    struct xen_pcpu *p = &s->xen->pcpu[cpu];

    p->sched_priv = s->ops->alloc_pdata ? s->ops->alloc_pdata(s, cpu) : NULL;
    if (s->ops->alloc_pdata && !p->sched_priv)
        return -ENOMEM;
    p->sched = s;
    p->need_resched = false; /* a kick from before does not count: its time is long past */
    sched_kick_cpu(s->xen, cpu);
    return 0;
}

static void pdata_destroy(struct scheduler *s, unsigned int cpu)
{
    struct xen_pcpu *p = &s->xen->pcpu[cpu];

    if (p->sched != s)
        return;
    timer_stop(&s->xen->machine->clock, &p->idle_timer);
    if (s->ops->free_pdata)
        s->ops->free_pdata(s, p->sched_priv, cpu);
    p->sched_priv = NULL;
    p->sched = NULL;
}

struct scheduler *sched_create_ops(struct xen *xen, const struct sched_ops *ops, uint64_t cpus)
{
    struct scheduler *s = xzalloc(xen->machine->arena, struct scheduler);

    if (!s)
        return NULL;
    s->ops = ops;
    s->xen = xen;
    if (ops->init && ops->init(s)) {
        xfree(s);
        return NULL;
    }
    for_each_cpu_in(cpus, cpu)
    {
        s->cpus |= UINT64_C(1) << cpu;
        if (pdata_create(s, cpu)) {
            sched_destroy(s);
            return NULL;
        }
    }
    return s;
}

void sched_destroy(struct scheduler *s)
{
    if (!s)
        return;
    if (s == s->xen->sched) {
        struct scheduler *next = s->next;

        s->xen->sched = NULL;
        while (next) {
            struct scheduler *pool = next;

            next = pool->next;
            sched_destroy(pool);
        }
    }
    for_each_cpu_in(s->cpus, cpu) pdata_destroy(s, cpu);
    if (s->ops->deinit)
        s->ops->deinit(s);
    xfree(s);
}

int sched_set_param(struct scheduler *s, const char *param, long value)
{
    return s->ops->set ? s->ops->set(s, param, value) : -ENOENT;
}

int sched_cpu_attach(struct scheduler *s, unsigned int cpu)
{
    int rc;

    s->cpus |= UINT64_C(1) << cpu;
    rc = pdata_create(s, cpu);
    if (rc)
        s->cpus &= ~(UINT64_C(1) << cpu);
    return rc;
}

void sched_cpu_detach(struct scheduler *s, unsigned int cpu)
{
    s->cpus &= ~(UINT64_C(1) << cpu);
    pdata_destroy(s, cpu);
    sched_kick_cpu(s->xen, cpu);
}

/* --- domains and vCPUs --- */

int sched_join_domain(struct scheduler *s, struct domain *d)
{
    void *dd = s->ops->alloc_domdata ? s->ops->alloc_domdata(s, d) : NULL;

    if (s->ops->alloc_domdata && !dd)
        return -ENOMEM;
    d->sched = s;
    d->sched_priv = dd;
    s->n_dom++;
    return 0;
}

void sched_destroy_domain(struct domain *d)
{
    struct scheduler *s = d->sched;

    if (!s)
        return;
    if (s->ops->free_domdata)
        s->ops->free_domdata(s, d->sched_priv);
    d->sched_priv = NULL;
    d->sched = NULL;
    s->n_dom--;
}

int sched_join_vcpu(struct vcpu *v)
{
    struct scheduler *s = v->domain->sched;

    v->sched_priv = s->ops->alloc_udata ? s->ops->alloc_udata(s, v, v->domain->sched_priv) : NULL;
    if (s->ops->alloc_udata && !v->sched_priv)
        return -ENOMEM;
    v->processor = s->ops->pick_resource ? s->ops->pick_resource(s, v) : sched_pick_default(v);
    if (s->ops->insert_unit)
        s->ops->insert_unit(s, v);
    v->sched_joined = true;
    return 0;
}

int sched_init_vcpu(struct vcpu *v)
{
    if (!v->hard_affinity)
        v->hard_affinity = ~UINT64_C(0);
    if (!v->soft_affinity)
        v->soft_affinity = ~UINT64_C(0);
    v->processor = v->domain->sched->cpus ? (unsigned int)__builtin_ctzll(v->domain->sched->cpus) : 0;
    v->runstate.state = RUNSTATE_offline;
    v->runstate.state_entry_time = (uint64_t)NOW(v->domain->xen);
    return sched_join_vcpu(v);
}

void sched_leave_vcpu(struct vcpu *v)
{
    struct scheduler *s = v->domain->sched;

    if (!v->sched_joined)
        return;
    v->sched_joined = false;
    if (v->sched_awake) {
        v->sched_awake = false;
        if (s->ops->sleep)
            s->ops->sleep(s, v);
    }
    if (s->ops->remove_unit)
        s->ops->remove_unit(s, v);
    if (s->ops->free_udata)
        s->ops->free_udata(s, v->sched_priv);
    v->sched_priv = NULL;
}

void sched_destroy_vcpu(struct vcpu *v)
{
    struct xen *xen = v->domain->xen;

    if (!v->domain->sched)
        return;
    /* Off its pCPU first: nobody may look at it later. */
    if (v->is_running) {
        v->pause_count++;
        vcpu_sleep_nosync(v);
        sched_force_idle(xen, v->processor);
    }
    sched_leave_vcpu(v);
}
