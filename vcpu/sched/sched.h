// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scheduler framework.
 *
 * Concept: *when* a pCPU changes vCPU is mechanism (core.c: blocking, waking, pausing, slices, runstate accounting); *which*
 * vCPU comes next is policy. A policy is one struct sched_ops and one file. The core calls it with plain facts; the
 * policy answers from its own data, hung on sched_priv pointers. A policy knows neither the emulator nor paging, so each
 * can be driven by a unit test or the workbench with made-up vCPUs.
 *
 * Contract, which the core checks (a policy that breaks it is named, see sched_fault in struct scheduler): do_schedule
 * returns a runnable vCPU that runs on no other pCPU and whose hard affinity holds this pCPU, or NULL for idle.
 *
 * Corresponds to xen/common/sched/private.h and core.c.
 */
#ifndef VCPU_SCHED_SCHED_H
#define VCPU_SCHED_SCHED_H

#include "vcpu/domain.h"

struct scheduler;

/* What do_schedule decides: run `task` (NULL: idle) for at most `time` ns (< 0: until something changes). */
struct task_slice {
    struct vcpu *task;
    s_time_t time;
};

struct sched_ops {
    const char *name;     /* "SMP Credit Scheduler" */
    const char *opt_name; /* --sched credit */
    uint32_t sched_id;    /* XEN_SCHEDULER_*; rr: XENLAB_SCHEDULER_RR */

    int (*init)(struct scheduler *ops);
    void (*deinit)(struct scheduler *ops);
    void *(*alloc_pdata)(struct scheduler *ops, unsigned int cpu);
    void (*free_pdata)(struct scheduler *ops, void *pdata, unsigned int cpu);
    void *(*alloc_domdata)(struct scheduler *ops, struct domain *d);
    void (*free_domdata)(struct scheduler *ops, void *dd);
    void *(*alloc_vdata)(struct scheduler *ops, struct vcpu *v, void *dd);
    void (*free_vdata)(struct scheduler *ops, void *vd);

    void (*insert)(struct scheduler *ops, struct vcpu *v);  /* a vCPU joins this scheduler */
    void (*remove)(struct scheduler *ops, struct vcpu *v);
    void (*sleep)(struct scheduler *ops, struct vcpu *v);   /* no longer runnable */
    void (*wake)(struct scheduler *ops, struct vcpu *v);    /* runnable again */
    void (*yield)(struct scheduler *ops, struct vcpu *v);
    void (*context_saved)(struct scheduler *ops, struct vcpu *v); /* has left its pCPU */
    unsigned int (*pick_cpu)(struct scheduler *ops, struct vcpu *v);
    void (*migrate)(struct scheduler *ops, struct vcpu *v, unsigned int new_cpu);
    struct task_slice (*do_schedule)(struct scheduler *ops, unsigned int cpu, struct vcpu *prev, s_time_t now);
    int (*adjust)(struct scheduler *ops, struct domain *d, struct xen_domctl_scheduler_op *op);
    int (*adjust_affinity)(struct scheduler *ops, struct vcpu *v);
    int (*adjust_global)(struct scheduler *ops, struct xen_sysctl_scheduler_op *op);
    void (*dump)(struct scheduler *ops, char *buf, size_t len);
};

#define XENLAB_SCHEDULER_RR 64

/* One scheduler instance (a CPU pool has one). */
struct scheduler {
    const struct sched_ops *ops;
    struct xen *xen;
    uint64_t cpus; /* pCPUs it owns, bit each */
    void *priv;
    const char *fault; /* first broken rule, NULL: none */
};

struct scheduler *sched_create(struct xen *xen, const char *opt_name, uint64_t cpus); /* NULL: no such policy */
void sched_destroy(struct scheduler *s);
/* "credit, credit2, ..." for messages. */
const char *sched_names(void);

int sched_init_domain(struct domain *d);
void sched_destroy_domain(struct domain *d);
int sched_init_vcpu(struct vcpu *v);
void sched_destroy_vcpu(struct vcpu *v);

/*
 * Ask the policy what pCPU `cpu` runs next, do the accounting and bookkeeping of the switch (prev leaves, next enters) and
 * return it: NULL means idle. xen->pcpu[cpu].slice_end is set. The caller loads registers and runs it.
 */
struct vcpu *sched_schedule(struct xen *xen, unsigned int cpu);

/* Ask pCPU `cpu` to call sched_schedule() at its next chance (Xen: cpu_raise_softirq(SCHEDULE_SOFTIRQ)). */
void sched_kick_cpu(struct xen *xen, unsigned int cpu);

void vcpu_yield(struct vcpu *v);
/* SCHEDOP_block: sleeps unless an event is already deliverable (upcall mask is cleared first). */
void vcpu_block(struct vcpu *v);

/* Runstate bookkeeping: RUNSTATE_* since now. runstate_update_area() copies it to the guest's registered area. */
void vcpu_runstate_change(struct vcpu *v, int state, s_time_t now);
void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out);

#endif
