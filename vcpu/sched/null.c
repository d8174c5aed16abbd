// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The null scheduler: no scheduling.
 *
 * Concept: every vCPU gets a pCPU of its own and keeps it. Nothing is ever decided at run time, so nothing is lost to
 * deciding, and no vCPU disturbs another: meant for machines that have enough pCPUs. vCPUs for which there is none
 * wait, and run only if a pCPU becomes free (a vCPU goes down or its domain is gone). A blocked or paused vCPU keeps
 * its pCPU, which idles, and so do those of a domain that has shut down.
 *
 *     pCPU        0       1       2        waiting
 *     vCPU       a.0     a.1     b.0       b.1, c.0      a.1 blocks: pCPU 1 idles, b.1 goes on waiting
 *                a.0     b.1     b.0       c.0           a.1 goes down (VCPUOP_down): b.1 gets pCPU 1
 *
 * A pCPU that becomes free goes to the first who waits and prefers it by soft affinity, if there is one, else to the
 * first who may use it. Who waits is found by looking at all who do: that is when vCPUs and pCPUs come and go, not at
 * run time.
 *
 * Invariants: assigned[c] == v exactly when v's data says cpu == c. A vCPU that has been awake since it came up is
 * assigned or waits, in the order of arrival, unless it is about to leave a pCPU; while one waits no pCPU that it may
 * use stays free.
 *
 * Corresponds to xen/common/sched/null.c. There a vCPU that comes up and whose old pCPU is taken asks all free ones, of
 * which the first to look gets it; here it is one that it prefers, or the first.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "vcpu/sched/sched.h"
#include "vcpu/sched/snapshot.h"

struct null_vcpu {
    TAILQ_ENTRY(null_vcpu) link; /* on waitq */
    struct vcpu *v;
    bool waits;
    int cpu; /* assigned; -1: none */
};

struct null {
    TAILQ_HEAD(, null_vcpu) waitq;
    unsigned int nr_waiting;
    struct vcpu *assigned[MACHINE_MAX_PCPUS];
};

static struct null *null_of(const struct scheduler *ops) { return ops->sched_data; }
static struct null_vcpu *nvc_of(const struct vcpu *v) { return v->sched_priv; }
static bool is_online(const struct vcpu *v) { return !(v->pause_flags & VPF_down); }

static void wait_end(struct null *prv, struct null_vcpu *nvc)
{
    if (!nvc->waits)
        return;
    TAILQ_REMOVE(&prv->waitq, nvc, link);
    prv->nr_waiting--;
    nvc->waits = false;
}

static void assign(struct scheduler *ops, struct vcpu *v, unsigned int cpu)
{
    wait_end(null_of(ops), nvc_of(v));
    null_of(ops)->assigned[cpu] = v;
    nvc_of(v)->cpu = (int)cpu;
    v->processor = cpu;
    sched_kick_cpu(ops->xen, cpu);
}

/* cpu is free: who gets it? */
static void hand_over(struct scheduler *ops, unsigned int cpu)
{
    struct null_vcpu *nvc, *first = NULL;

    TAILQ_FOREACH(nvc, &null_of(ops)->waitq, link)
    {
        const uint64_t mask = vcpu_cpumask(nvc->v), soft = vcpu_soft_cpumask(nvc->v);

        if (soft != mask && soft >> cpu & 1) {
            assign(ops, nvc->v, cpu);
            return;
        }
        if (!first && mask >> cpu & 1)
            first = nvc;
    }
    if (first)
        assign(ops, first->v, cpu);
}

static void unassign(struct scheduler *ops, struct vcpu *v)
{
    const int cpu = nvc_of(v)->cpu;

    if (cpu < 0)
        return;
    null_of(ops)->assigned[cpu] = NULL;
    nvc_of(v)->cpu = -1;
    if (sched_cpu_owned(ops, (unsigned int)cpu))
        hand_over(ops, (unsigned int)cpu);
}

/*
 * Where v should be: where it is, if that is its own or free, else a free one; first among those it prefers. All taken:
 * any.
 */
static unsigned int null_pick_resource(struct scheduler *ops, struct vcpu *v)
{
    const uint64_t masks[] = { vcpu_soft_cpumask(v), vcpu_cpumask(v) };
    struct vcpu *const *assigned = null_of(ops)->assigned;

    for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
        if (masks[i] >> v->processor & 1 && (!assigned[v->processor] || assigned[v->processor] == v))
            return v->processor;
        for_each_cpu_in(masks[i], cpu) if (!assigned[cpu]) return cpu;
    }
    return masks[1] ? (unsigned int)__builtin_ctzll(masks[1]) : v->processor;
}

/* v is online and has no pCPU: this one is its own, or it waits. */
static void place(struct scheduler *ops, struct vcpu *v, unsigned int cpu)
{
    struct null *prv = null_of(ops);

    if (!prv->assigned[cpu] && vcpu_cpumask(v) >> cpu & 1) {
        assign(ops, v, cpu);
    } else if (!nvc_of(v)->waits) {
        TAILQ_INSERT_TAIL(&prv->waitq, nvc_of(v), link);
        prv->nr_waiting++;
        nvc_of(v)->waits = true;
    }
}

/* --- hooks --- */

static int null_init(struct scheduler *ops)
{
    struct null *prv = xzalloc(ops->xen->machine->arena, struct null);

    if (!prv)
        return -ENOMEM;
    TAILQ_INIT(&prv->waitq);
    ops->sched_data = prv;
    return 0;
}

static void null_deinit(struct scheduler *ops) { xfree(ops->sched_data); }

/* A pCPU has no data of its own, only somebody who may have waited for it; any pointer will do. */
static void *null_alloc_pdata(struct scheduler *ops, unsigned int cpu)
{
    hand_over(ops, cpu);
    return null_of(ops);
}

static void *null_alloc_udata(struct scheduler *ops, struct vcpu *v, void *dd)
{
    struct null_vcpu *nvc = xzalloc(ops->xen->machine->arena, struct null_vcpu);

    if (nvc)
        *nvc = (struct null_vcpu){ .v = v, .cpu = -1 };
    return nvc;
}

static void null_free_udata(struct scheduler *ops, void *vd) { xfree(vd); }

static void null_insert(struct scheduler *ops, struct vcpu *v)
{
    if (is_online(v))
        place(ops, v, v->processor);
}

static void null_remove(struct scheduler *ops, struct vcpu *v)
{
    wait_end(null_of(ops), nvc_of(v));
    unassign(ops, v);
}

static void null_wake(struct scheduler *ops, struct vcpu *v)
{
    struct null_vcpu *nvc = nvc_of(v);

    if (v->is_running || nvc->waits)
        return;
    if (nvc->cpu >= 0)
        sched_kick_cpu(ops->xen, (unsigned int)nvc->cpu);
    else
        place(ops, v, null_pick_resource(ops, v));
}

static void null_sleep(struct scheduler *ops, struct vcpu *v)
{
    if (!is_online(v))
        null_remove(ops, v);
}

/* It went down, and came up again before it had left its pCPU. */
static void null_context_saved(struct scheduler *ops, struct vcpu *v)
{
    if (is_online(v) && nvc_of(v)->cpu < 0 && !nvc_of(v)->waits)
        place(ops, v, null_pick_resource(ops, v));
}

static void null_migrate(struct scheduler *ops, struct vcpu *v, unsigned int new_cpu)
{
    if (nvc_of(v)->cpu == (int)new_cpu)
        return;
    unassign(ops, v);
    v->processor = new_cpu;
    if (is_online(v))
        place(ops, v, new_cpu);
}

static struct task_slice null_do_schedule(struct scheduler *ops, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct vcpu *v = null_of(ops)->assigned[cpu];

    return (struct task_slice){ sched_cpu_owned(ops, cpu) && v && vcpu_runnable(v) ? v : NULL, -1 };
}

static void null_dump(struct scheduler *ops, char *buf, size_t len)
{
    snprintf(buf, len, "%u vCPU%s without a pCPU\n", null_of(ops)->nr_waiting, PLURAL(null_of(ops)->nr_waiting));
}

/* Who waits is told by how many came before. */
static void null_snapshot(const struct scheduler *ops, const struct vcpu *v, s_time_t now, struct sched_snapshot *out)
{
    const struct null_vcpu *nvc = nvc_of(v), *other;

    if (nvc->cpu >= 0)
        snprintf(out->text, sizeof(out->text), "has pCPU %d to itself", nvc->cpu);
    if (!nvc->waits)
        return;
    out->queue = 0;
    out->queued = true;
    TAILQ_FOREACH(other, &null_of(ops)->waitq, link)
    {
        if (other == nvc)
            break;
        out->key++;
    }
    snprintf(out->text, sizeof(out->text), "waits for a pCPU of its own");
}

const struct sched_ops sched_null_ops = {
    .name = "null Scheduler",
    .opt_name = "null",
    .sched_id = XEN_SCHEDULER_NULL,
    .init = null_init,
    .deinit = null_deinit,
    .alloc_pdata = null_alloc_pdata,
    .alloc_udata = null_alloc_udata,
    .free_udata = null_free_udata,
    .insert_unit = null_insert,
    .remove_unit = null_remove,
    .wake = null_wake,
    .sleep = null_sleep,
    .context_saved = null_context_saved,
    .migrate = null_migrate,
    .pick_resource = null_pick_resource,
    .do_schedule = null_do_schedule,
    .dump_settings = null_dump,
    .snapshot = null_snapshot,
};
