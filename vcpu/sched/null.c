// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The null scheduler: no scheduling.
 *
 * Concept: every vCPU gets a pCPU of its own and keeps it. Nothing is ever decided at run time, so nothing is lost to
 * deciding, and no vCPU disturbs another: meant for machines that have enough pCPUs. vCPUs for which there is none wait, and
 * run only if a pCPU becomes free (a vCPU goes down or its domain ends). A blocked vCPU keeps its pCPU, which idles.
 *
 *     pCPU        0       1       2        waiting
 *     vCPU       a.0     a.1     b.0       b.1, c.0      a.1 blocks: pCPU 1 idles, b.1 goes on waiting
 *                a.0     b.1     b.0       c.0           a.1 goes down (VCPUOP_down): b.1 gets pCPU 1
 *
 * Invariants: assigned[c] == v exactly when v's data says cpu == c; a waiting vCPU is awake and there is no free pCPU that
 * it may use.
 *
 * Corresponds to xen/common/sched/null.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "vcpu/sched/runq.h"
#include "vcpu/sched/sched.h"

struct null_vcpu {
    struct runq_node node; /* in waitq */
    int cpu;               /* assigned; -1: none */
};

struct null {
    struct runq waitq;
    struct vcpu *assigned[MACHINE_MAX_PCPUS];
};

static struct null *null_of(const struct scheduler *ops) { return ops->sched_data; }
static struct null_vcpu *nvc_of(const struct vcpu *v) { return v->sched_priv; }

static void assign(struct scheduler *ops, struct vcpu *v, unsigned int cpu)
{
    if (runq_queued(&nvc_of(v)->node))
        runq_remove(&null_of(ops)->waitq, &nvc_of(v)->node);
    null_of(ops)->assigned[cpu] = v;
    nvc_of(v)->cpu = (int)cpu;
    if (!v->is_running)
        v->processor = cpu;
}

static void unassign(struct scheduler *ops, struct vcpu *v)
{
    const int cpu = nvc_of(v)->cpu;

    if (cpu < 0)
        return;
    null_of(ops)->assigned[cpu] = NULL;
    nvc_of(v)->cpu = -1;
    if (runq_first(&null_of(ops)->waitq, (unsigned int)cpu, false))
        sched_kick_cpu(ops->xen, (unsigned int)cpu);
}

/* A free pCPU for v: where it is, else one it prefers, else one it may use. -1: none. */
static int free_cpu(struct scheduler *ops, const struct vcpu *v)
{
    const uint64_t masks[] = { vcpu_soft_cpumask(v), vcpu_cpumask(v) };

    for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
        if (masks[i] >> v->processor & 1 && !null_of(ops)->assigned[v->processor])
            return (int)v->processor;
        for_each_cpu_in(masks[i], cpu) if (!null_of(ops)->assigned[cpu]) return (int)cpu;
    }
    return -1;
}

static int null_init(struct scheduler *ops)
{
    ops->sched_data = calloc(1, sizeof(struct null));
    return ops->sched_data ? 0 : -ENOMEM;
}

static void null_deinit(struct scheduler *ops)
{
    runq_destroy(&null_of(ops)->waitq);
    free(ops->sched_data);
}

static void *null_alloc_udata(struct scheduler *ops, struct vcpu *v, void *dd)
{
    struct null_vcpu *nvc = calloc(1, sizeof(*nvc));

    if (nvc)
        nvc->cpu = -1;
    return nvc;
}

static void null_free_udata(struct scheduler *ops, void *vd) { free(vd); }

static void null_remove(struct scheduler *ops, struct vcpu *v) { unassign(ops, v); }

static void null_wake(struct scheduler *ops, struct vcpu *v)
{
    int cpu = nvc_of(v)->cpu;

    if (cpu < 0)
        cpu = free_cpu(ops, v);
    if (cpu < 0) {
        if (!v->is_running)
            runq_insert(&null_of(ops)->waitq, &nvc_of(v)->node, v, 0);
        return;
    }
    if (nvc_of(v)->cpu < 0)
        assign(ops, v, (unsigned int)cpu);
    sched_kick_cpu(ops->xen, (unsigned int)cpu);
}

static void null_sleep(struct scheduler *ops, struct vcpu *v)
{
    if (runq_queued(&nvc_of(v)->node))
        runq_remove(&null_of(ops)->waitq, &nvc_of(v)->node);
    /* Blocked or paused it will be back. Down, or dying: somebody else can have the pCPU. */
    if (v->pause_flags & VPF_down || v->domain->is_dying || v->domain->is_shutting_down)
        unassign(ops, v);
}

static void null_migrate(struct scheduler *ops, struct vcpu *v, unsigned int new_cpu)
{
    unassign(ops, v);
    v->processor = new_cpu;
}

static unsigned int null_pick_resource(struct scheduler *ops, struct vcpu *v)
{
    const int own = nvc_of(v)->cpu, cpu = free_cpu(ops, v);

    if (own >= 0 && vcpu_soft_cpumask(v) >> own & 1)
        return (unsigned int)own;
    return cpu >= 0 ? (unsigned int)cpu : sched_pick_default(v);
}

static struct task_slice null_do_schedule(struct scheduler *ops, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct null *prv = null_of(ops);
    struct runq_node *first;

    /* It lost its pCPU while it was running, and was woken again before it left. */
    if (prev && vcpu_runnable(prev) && nvc_of(prev)->cpu < 0)
        runq_insert(&prv->waitq, &nvc_of(prev)->node, prev, 0);
    if (!sched_cpu_owned(ops, cpu))
        return (struct task_slice){ NULL, -1 };
    if (!prv->assigned[cpu]) {
        first = runq_first(&prv->waitq, cpu, true);
        if (!first)
            first = runq_first(&prv->waitq, cpu, false);
        if (first)
            assign(ops, first->v, cpu);
    }
    if (prv->assigned[cpu] && vcpu_runnable(prv->assigned[cpu]) &&
        (!prv->assigned[cpu]->is_running || prv->assigned[cpu] == prev))
        return (struct task_slice){ prv->assigned[cpu], -1 };
    return (struct task_slice){ NULL, -1 };
}

static void null_dump(struct scheduler *ops, char *buf, size_t len)
{
    snprintf(buf, len, "%zu vCPUs wait for a pCPU\n", null_of(ops)->waitq.nr);
}

const struct sched_ops sched_null_ops = {
    .name = "null Scheduler",
    .opt_name = "null",
    .sched_id = XEN_SCHEDULER_NULL,
    .init = null_init,
    .deinit = null_deinit,
    .alloc_udata = null_alloc_udata,
    .free_udata = null_free_udata,
    .remove_unit = null_remove,
    .wake = null_wake,
    .sleep = null_sleep,
    .migrate = null_migrate,
    .pick_resource = null_pick_resource,
    .do_schedule = null_do_schedule,
    .dump_settings = null_dump,
};
