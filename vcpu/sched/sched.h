// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scheduler framework.
 *
 * Concept: *when* a pCPU changes vCPU is mechanism (wake.c: blocking, waking, pausing, runstates; core.c: slices,
 * switches); *which* vCPU comes next is policy. A policy is one struct sched_ops, a file or a few of one prefix. The
 * core calls it with plain facts; it answers from its own data, hung on sched_priv pointers. It knows neither emulator
 * nor paging, so each can be driven by a unit test or the workbench with made-up vCPUs.
 *
 * What a policy sees of one vCPU, always in this order:
 *
 *   alloc_udata, insert_unit, { wake, { do_schedule picks it, do_schedule gets it back as prev }, sleep },
 *   remove_unit, free_udata
 *
 *  - wake and sleep alternate. After sleep the vCPU must not be picked until the next wake.
 *  - Either may find v->is_running: the vCPU has not left its pCPU yet. A running vCPU belongs on no queue; the core
 *    asks that pCPU to reschedule, and do_schedule gets it as prev, where vcpu_runnable(prev) tells whether it wants to
 *    go on.
 *  - A vCPU that leaves a pCPU does so through do_schedule(prev), which puts it back on a queue if it is still
 *    runnable.
 *
 * Contract, which the core checks (a policy that breaks it is named, see fault in struct scheduler): do_schedule
 * returns a runnable vCPU of its own pool that runs on no other pCPU and whose hard affinity holds this pCPU, or NULL
 * for idle. The answer must not be found by looking at every vCPU: 10,000 of them cost a policy no more than O(log n) a
 * decision.
 *
 * Time: each pCPU has its own position in virtual time, and the core may be entered for a pCPU that is a little behind
 * another. `now` never goes backwards for one pCPU, but across pCPUs it may, so differences are clamped at 0.
 *
 * Corresponds to struct scheduler in xen/common/sched/private.h, and to core.c. The hooks have Xen's names. Xen
 * schedules "units" of several vCPUs on "resources" of several pCPUs, so that hyperthreads of a core can be kept to one
 * domain; here a unit is a vCPU and a resource a pCPU number. No locks, hence no switch_sched; move_timers is not
 * needed, since timers belong to no pCPU; and one host thread serves several machines, so there is no global_init. What
 * differs besides: do_schedule returns its decision, as in Xen before 4.13; deinit_pdata is part of free_pdata; `set`
 * is xenlab's own.
 */
#ifndef VCPU_SCHED_SCHED_H
#define VCPU_SCHED_SCHED_H

#include "vcpu/noun/domain.h"

#include <xen/domctl.h>
#include <xen/sysctl.h>

struct scheduler;
struct sched_snapshot; /* vcpu/sched/snapshot.h */

/* What do_schedule decides: run `task` (NULL: idle) for at most `time` ns (< 0: until something changes). */
struct task_slice {
    struct vcpu *task;
    s_time_t time;
};

struct sched_ops {
    const char *name;     /* "SMP Credit Scheduler" */
    const char *opt_name; /* --sched credit */
    uint32_t sched_id;    /* XEN_SCHEDULER_*; rr: XENLAB_SCHEDULER_RR */

    /* Only do_schedule is required; a hook left NULL does nothing (alloc_*: succeeds with NULL). 0 or -errno. */
    int (*init)(struct scheduler *ops);
    void (*deinit)(struct scheduler *ops);
    void *(*alloc_pdata)(struct scheduler *ops, unsigned int cpu); /* NULL: out of memory */
    void (*free_pdata)(struct scheduler *ops, void *pdata, unsigned int cpu);
    void *(*alloc_domdata)(struct scheduler *ops, struct domain *d);
    void (*free_domdata)(struct scheduler *ops, void *dd);
    void *(*alloc_udata)(struct scheduler *ops, struct vcpu *v, void *dd);
    void (*free_udata)(struct scheduler *ops, void *vd);

    void (*insert_unit)(struct scheduler *ops, struct vcpu *v); /* a vCPU joins this scheduler */
    void (*remove_unit)(struct scheduler *ops, struct vcpu *v);
    void (*sleep)(struct scheduler *ops, struct vcpu *v);                 /* no longer runnable */
    void (*wake)(struct scheduler *ops, struct vcpu *v);                  /* runnable again */
    void (*yield)(struct scheduler *ops, struct vcpu *v);                 /* runs, and would rather let others run */
    void (*context_saved)(struct scheduler *ops, struct vcpu *v);         /* has left its pCPU */
    unsigned int (*pick_resource)(struct scheduler *ops, struct vcpu *v); /* where should it go, given its affinity? */
    void (*migrate)(struct scheduler *ops, struct vcpu *v, unsigned int new_cpu); /* sets v->processor; v is asleep */
    struct task_slice (*do_schedule)(struct scheduler *ops, unsigned int cpu, struct vcpu *prev, s_time_t now);

    /*
     * Parameters, XEN_DOMCTL_/XEN_SYSCTL_scheduler_op. Handles in op hold host pointers (params.c copies from the
     * guest); the per-vCPU commands come with one element. set: `--sched NAME,param=value`; -ENOENT: no such parameter.
     */
    int (*adjust)(struct scheduler *ops, struct domain *d, struct xen_domctl_scheduler_op *op);
    /* An affinity is about to change; NULL: that one stays. v is asleep, and will go where pick_resource says. */
    void (*adjust_affinity)(struct scheduler *ops, struct vcpu *v, const uint64_t *hard, const uint64_t *soft);
    int (*adjust_global)(struct scheduler *ops, struct xen_sysctl_scheduler_op *op);
    int (*set)(struct scheduler *ops, const char *param, long value);
    void (*dump_settings)(struct scheduler *ops, char *buf, size_t len);

    /* For the trace: what v, which do_schedule has just picked, has left before others come first. Changes nothing. */
    s_time_t (*credit)(const struct scheduler *ops, const struct vcpu *v);

    /*
     * For who looks: *out has been zeroed but for queue, which is -1. What is owed since somebody was last charged is
     * counted, and not charged: nothing changes. NULL: the policy has nothing to tell.
     */
    void (*snapshot)(const struct scheduler *ops, const struct vcpu *v, s_time_t now, struct sched_snapshot *out);
};

#define XENLAB_SCHEDULER_RR 64

/* One scheduler instance. Every CPU pool has exactly one, so it is the CPU pool as well; Pool-0 is xen->sched. */
struct scheduler {
    const struct sched_ops *ops;
    struct xen *xen;
    uint64_t cpus;     /* pCPUs it owns, bit each */
    void *sched_data;  /* the policy's */
    const char *fault; /* first broken rule, NULL: none */
    char fault_text[160];
    const struct vcpu *fault_vcpu; /* where it was broken; NULL: no vCPU's doing */
    int fault_cpu;                 /* -1: on no pCPU */

    uint32_t cpupool_id;
    unsigned int n_dom;     /* domains that live here */
    struct scheduler *next; /* next pool, by ascending id */
};

/* While a pCPU is being taken away do_schedule is called a last time, with its bit gone: the answer must be NULL. */
static inline bool sched_cpu_owned(const struct scheduler *s, unsigned int cpu) { return s->cpus >> cpu & 1; }

/* opt_name: "credit" or with parameters "credit,tslice_ms=5". NULL: no such policy, wrong parameter, no memory. */
struct scheduler *sched_create(struct xen *xen, const char *opt_name, uint64_t cpus);
/* The same with a policy's table in hand: what a student's shared object exports. */
struct scheduler *sched_create_ops(struct xen *xen, const struct sched_ops *ops, uint64_t cpus);
/* The domains are gone. Destroying xen->sched destroys the other CPU pools too. */
void sched_destroy(struct scheduler *s);
/* Find a policy by name or number; NULL: none. */
const struct sched_ops *sched_ops_by_name(const char *opt_name, size_t len);
const struct sched_ops *sched_ops_by_id(uint32_t sched_id);
/* Set one parameter of a policy by name ("tslice_ms", 5). -ENOENT: no such parameter, -EINVAL: out of range. */
int sched_set_param(struct scheduler *s, const char *param, long value);

/* Into that CPU pool. -ESRCH: there is none; -ENODEV: it has no pCPU. */
int sched_init_domain(struct domain *d, uint32_t cpupool_id);
void sched_destroy_domain(struct domain *d);
int sched_init_vcpu(struct vcpu *v);
void sched_destroy_vcpu(struct vcpu *v);

/*
 * Ask the policy what pCPU `cpu` runs next, do the accounting and bookkeeping of the switch (prev leaves, next enters)
 * and return it: NULL means idle. xen->pcpu[cpu].slice_end is set. The caller loads registers and runs it.
 */
struct vcpu *sched_schedule(struct xen *xen, unsigned int cpu);

/* Ask pCPU `cpu` to call sched_schedule() at its next chance (Xen: cpu_raise_softirq(SCHEDULE_SOFTIRQ)). */
void sched_kick_cpu(struct xen *xen, unsigned int cpu);

/* How long pCPU `cpu` has had nobody to run; 0 while it is offline. */
s_time_t get_cpu_idle_time(const struct xen *xen, unsigned int cpu);

void vcpu_yield(struct vcpu *v);
/*
 * v executed PAUSE. True: it has spun for long enough, and yields. (AMD APM volume 2, 15.14.4; Xen:
 * SVM_PAUSEFILTER_INIT, SVM_PAUSETHRESH_INIT.)
 */
bool vcpu_spins(struct vcpu *v);
/* SCHEDOP_block: sleeps unless an event is already deliverable (upcall mask is cleared first). */
void vcpu_block(struct vcpu *v);

/* Runstate bookkeeping: RUNSTATE_* since now. update_runstate_area() copies it to the guest's registered area. */
void vcpu_runstate_change(struct vcpu *v, int state, s_time_t now);
void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out);

/* --- affinity (affinity.c), pCPUs that come and go (cpupool.c), what policies ask (cpus.c) --- */

/* Where v may run now: its hard affinity, as far as its pool has those pCPUs. */
static inline uint64_t vcpu_cpumask(const struct vcpu *v) { return v->hard_affinity & v->domain->sched->cpus; }
/* Where it would like to run: the soft affinity inside that; when that is nowhere, all of it. */
static inline uint64_t vcpu_soft_cpumask(const struct vcpu *v)
{
    const uint64_t soft = vcpu_cpumask(v) & v->soft_affinity;

    return soft ? soft : vcpu_cpumask(v);
}

/* XEN_DOMCTL_setvcpuaffinity: NULL leaves one as it is. -EINVAL when no pCPU of the pool would be left (hard). */
int sched_set_affinity(struct vcpu *v, const uint64_t *hard, const uint64_t *soft);
/* Send v to another pCPU that its affinity allows: at once if it does not run, else when it has left its pCPU. */
void vcpu_migrate(struct vcpu *v);
/* Used by the core: a vCPU with VPF_migrating has left its pCPU and goes where pick_resource says. */
void vcpu_migrate_finish(struct vcpu *v);
/*
 * Take a pCPU out of its pool (it may be running a vCPU) or give a free one to a pool. Where the last pCPU of a vCPU's
 * hard affinity goes, the affinity is broken, as Xen does. -EBUSY: the last pCPU of a pool with domains; -ENODEV: not
 * free/owned.
 */
int sched_cpu_remove(struct scheduler *s, unsigned int cpu);
int sched_cpu_add(struct scheduler *s, unsigned int cpu);
/*
 * XEN_SYSCTL_cpu_hotplug: a pCPU goes offline, which must be free or in Pool-0, or comes back, into Pool-0. -EINVAL:
 * there is no such pCPU, or it is pCPU 0; -EEXIST: it is in that state already; -ENODEV: it is in another pool.
 */
int sched_cpu_hotplug(struct xen *xen, unsigned int cpu, bool online);
/* Default of pick_resource: stay if allowed and soft affinity agrees, else an idle pCPU, else the first allowed one. */
unsigned int sched_pick_default(struct vcpu *v);
/* Idle, and nobody has asked it to reschedule. */
static inline bool sched_cpu_waits(const struct xen *xen, unsigned int cpu)
{
    return !xen->pcpu[cpu].curr && !xen->pcpu[cpu].need_resched;
}
/*
 * Parts of a pool that compete for nothing: part[] (MACHINE_MAX_PCPUS of them, empty ones 0) holds disjoint sets of
 * pCPUs, each at the index of its first pCPU. Add one that a vCPU may use; sets that it touches become one.
 */
void sched_part_join(uint64_t *part, uint64_t cpus);
/* v runs where it would rather not, and a pCPU that it prefers is idle: vcpu_migrate() will take it there. */
bool sched_prefers_idle(const struct vcpu *v);
/* Kick one idle pCPU out of `mask` that nobody kicked yet, `prefer` if it is one. False: there is none. */
bool sched_kick_idle(struct xen *xen, uint64_t mask, unsigned int prefer);

/* --- hypercalls, v is the caller: params.c --- */

/*
 * A bitmap of which nr bits (1 to 64) mean something here: more of the guest's are passed over, and zeroed. 0 or
 * -EFAULT.
 */
int xenctl_bitmap_to_bitmap(struct vcpu *v, const struct xenctl_bitmap *map, unsigned int nr, uint64_t *bits);
int bitmap_to_xenctl_bitmap(struct vcpu *v, const struct xenctl_bitmap *map, unsigned int nr, uint64_t bits);
/* One of pCPUs: nr is the machine's. */
int xenctl_bitmap_to_cpumask(struct vcpu *v, const struct xenctl_bitmap *map, uint64_t *bits);
int cpumask_to_xenctl_bitmap(struct vcpu *v, const struct xenctl_bitmap *map, uint64_t bits);
int sched_adjust(struct vcpu *v, struct domain *d, struct xen_domctl_scheduler_op *op); /* XEN_DOMCTL_scheduler_op */
int sched_adjust_global(struct vcpu *v, struct xen_sysctl_scheduler_op *op);            /* XEN_SYSCTL_scheduler_op */
int cpupool_sysctl(struct vcpu *v, struct xen_sysctl_cpupool_op *op);                   /* XEN_SYSCTL_cpupool_op */

#define for_each_cpu_in(mask, cpu)                                                                                     \
    for (uint64_t cpu##_m = (mask); cpu##_m; cpu##_m &= cpu##_m - 1)                                                   \
        for (unsigned int cpu = (unsigned int)__builtin_ctzll(cpu##_m), cpu##_once = 1; cpu##_once; cpu##_once = 0)

/* --- the policies --- */
extern const struct sched_ops sched_rr_ops, sched_credit_ops, sched_credit2_ops, sched_rtds_ops, sched_null_ops,
    sched_arinc653_ops;

#endif
