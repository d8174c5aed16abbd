// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Data of the credit policy, shared by its files: credit_runq.c (who waits), credit_acct.c (who has credits), credit.c
 * (who runs).
 */
#ifndef VCPU_SCHED_CREDIT_H
#define VCPU_SCHED_CREDIT_H

#include <sys/queue.h>

#include "vcpu/sched/runq.h"
#include "vcpu/sched/sched.h"

/*
 * The order in which they run. OWED and DEEP are the ends of UNDER and OVER: more than a slice saved up, or overdrawn.
 */
enum pri { PRI_BOOST, PRI_OWED, PRI_UNDER, PRI_OVER, PRI_DEEP, PRI_IDLE };

#define MAX_CREDIT_SLICES 10 /* neither savings nor debts go beyond so many slices */

struct csched_dom {
    struct domain *d;
    unsigned int weight, cap;
    unsigned int nr_active;
    s_time_t cap_left, cap_at; /* with a cap: time that it may still run, at the moment cap_at; negative: overdrawn */
    bool parked;               /* overdrawn too much: none of its vCPUs is queued or runs, until the timer says so */
    struct timer unpark;
};

struct csched_vcpu {
    struct runq_node node;
    struct vcpu *v;
    struct csched_dom *dom;
    LIST_ENTRY(csched_vcpu) link; /* on the active list: earns credits */
    bool active, yield;
    bool migrated; /* or new: its next wake-up is no reason for a boost */
    enum pri pri;
    s_time_t credit;
    s_time_t start;      /* running: since then nothing has been burnt */
    s_time_t run_since;  /* for the rate limit */
    s_time_t slice_left; /* > 0: it was interrupted in its slice */
};

struct csched_pcpu {
    struct scheduler *ops;
    unsigned int cpu;
    struct runq runq;
    struct timer tick;
};

/*
 * Scratch of accounting: what it must know of an active vCPU to share credits out, side by side, however many they are.
 */
struct csched_share {
    struct csched_vcpu *svc;
    uint64_t mask; /* pCPUs that it may use */
    int64_t weight;
    s_time_t peak, earned; /* < 0: not known yet */
};

struct csched {
    struct timer acct;
    s_time_t tslice, tick, ratelimit, migr_delay;
    s_time_t unused; /* earned by sleepers, who may not keep it: for the others next time, or they would fall behind */
    LIST_HEAD(, csched_vcpu) active;
    size_t nr_active;
    struct csched_share *share; /* room for all of them */
    size_t cap_share;
};

static inline struct csched *csched(const struct scheduler *ops) { return ops->sched_data; }
static inline struct csched_vcpu *svc_of(const struct vcpu *v) { return v->sched_priv; }
static inline struct runq *runq_of(const struct scheduler *ops, unsigned int cpu)
{
    return &((struct csched_pcpu *)ops->xen->pcpu[cpu].sched_priv)->runq;
}

/* credit_runq.c: onto the queue of v->processor and off it. */
void csched_enqueue(struct scheduler *ops, struct csched_vcpu *svc);
/* svc yields; accounting puts the queue in order again (set_pri() in credit_acct.c). */
void csched_enqueue_yielding(struct scheduler *ops, struct csched_vcpu *svc);
void csched_dequeue(struct scheduler *ops, struct csched_vcpu *svc);
/* Somebody should look at svc, which was just queued: an idle pCPU, or one that runs something less important. */
void csched_tickle(struct scheduler *ops, struct csched_vcpu *svc);

/* credit_acct.c */

/* Charge svc, which runs, for the time since the last charge. */
void csched_burn(struct scheduler *ops, struct csched_vcpu *svc, s_time_t now);
/* svc has no savings: it earns from now on. And: it earns no more. */
void csched_activate(struct scheduler *ops, struct csched_vcpu *svc);
void csched_deactivate(struct scheduler *ops, struct csched_vcpu *svc);
/* The domain that runs on a pCPU, or did until now: park it if it has overdrawn its cap. */
void csched_cap_check(struct scheduler *ops, struct csched_dom *dom, s_time_t now);
/* Hook: a domain's weight and cap. */
int csched_adjust(struct scheduler *ops, struct domain *d, struct xen_domctl_scheduler_op *op);
/* Timer function, data is the domain's: it may run again. */
void csched_unpark(void *data);
/* Timer function, data is the pCPU's. */
void csched_tick(void *data);
/* Timer function, data is the scheduler: hand out a period's credits. */
void csched_acct(void *data);

#endif
