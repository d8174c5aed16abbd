// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Round robin: the teaching baseline.
 *
 * Concept: one queue for the pool, first come first served. A pCPU runs the vCPU at the front for one slice (10 ms) and
 * puts it at the back. Everybody gets the same, nobody has priority, and a vCPU that wakes waits for its turn: compare
 * the wake-up latency of an interactive vCPU here with credit's BOOST. Read this file first; the other policies have
 * the same hooks.
 *
 *     time      0          10     14         24         34     38 ms         b computes for 4 ms and sleeps for 8;
 *     runs      |--- a ----|- b --|--- c ----|--- a ----|- b --| ...         it wakes at 22
 *     waiting   b c        c a    a, a b     b c        c a
 *
 * Invariants: a vCPU is queued exactly when it is awake and not running.
 *
 * Xen has no such policy. Parameter: tslice_ms.
 */
#include "vcpu/sched/runq.h"
#include "vcpu/sched/sched.h"
#include "vcpu/sched/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RR_TSLICE MILLISECS(10)

struct rr {
    struct runq runq;
    s_time_t tslice;
};

static int rr_init(struct scheduler *ops)
{
    struct rr *rr = xzalloc(ops->xen->machine->arena, struct rr);

    if (!rr)
        return -ENOMEM;
    rr->tslice = RR_TSLICE;
    ops->sched_data = rr;
    return 0;
}

static void rr_deinit(struct scheduler *ops)
{
    struct rr *rr = ops->sched_data;

    runq_destroy(&rr->runq);
    xfree(rr);
}

static void *rr_alloc_udata(struct scheduler *ops, struct vcpu *v, void *dd)
{
    return xzalloc(ops->xen->machine->arena, struct runq_node);
}

static void rr_free_udata(struct scheduler *ops, void *vd) { xfree(vd); }

static void rr_wake(struct scheduler *ops, struct vcpu *v)
{
    struct rr *rr = ops->sched_data;

    if (v->is_running)
        return;
    runq_insert(&rr->runq, v->sched_priv, v, 0);
    sched_kick_idle(ops->xen, vcpu_cpumask(v), v->processor);
}

static void rr_sleep(struct scheduler *ops, struct vcpu *v)
{
    struct rr *rr = ops->sched_data;

    if (runq_queued(v->sched_priv))
        runq_remove(&rr->runq, v->sched_priv);
}

static struct task_slice rr_do_schedule(struct scheduler *ops, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct rr *rr = ops->sched_data;
    struct runq_node *next;

    if (prev && vcpu_runnable(prev))
        runq_insert(&rr->runq, prev->sched_priv, prev, 0);
    next = sched_cpu_owned(ops, cpu) ? runq_first(&rr->runq, cpu, false) : NULL;
    if (!next)
        return (struct task_slice){ NULL, -1 };
    runq_remove(&rr->runq, next);
    runq_kick_idle(&rr->runq, ops->xen, ops->cpus); /* prev may be able to go on elsewhere */
    return (struct task_slice){ next->v, rr->tslice };
}

static int rr_set(struct scheduler *ops, const char *param, long value)
{
    struct rr *rr = ops->sched_data;

    if (strcmp(param, "tslice_ms"))
        return -ENOENT;
    if (value < 1 || value > 1000)
        return -EINVAL;
    rr->tslice = MILLISECS(value);
    return 0;
}

static void rr_dump(struct scheduler *ops, char *buf, size_t len)
{
    const struct rr *rr = ops->sched_data;

    snprintf(buf, len, "tslice %lld ms, %zu vCPU%s waiting\n", (long long)(rr->tslice / MILLISECS(1)), rr->runq.nr,
             PLURAL(rr->runq.nr));
}

static void rr_snapshot(const struct scheduler *ops, const struct vcpu *v, s_time_t now, struct sched_snapshot *out)
{
    out->queue = 0;
    runq_snapshot(v->sched_priv, out);
}

const struct sched_ops sched_rr_ops = {
    .name = "Round-robin Scheduler",
    .opt_name = "rr",
    .sched_id = XENLAB_SCHEDULER_RR,
    .init = rr_init,
    .deinit = rr_deinit,
    .alloc_udata = rr_alloc_udata,
    .free_udata = rr_free_udata,
    .wake = rr_wake,
    .sleep = rr_sleep,
    .do_schedule = rr_do_schedule,
    .set = rr_set,
    .dump_settings = rr_dump,
    .snapshot = rr_snapshot,
};
