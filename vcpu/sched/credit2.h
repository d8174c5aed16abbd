// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Data of the credit2 policy, shared by its files: credit2_rqd.c (run queues), credit2_cap.c (who may not run),
 * credit2_balance.c (who goes to another queue) and credit2.c (who runs).
 */
#ifndef VCPU_SCHED_CREDIT2_H
#define VCPU_SCHED_CREDIT2_H

#include <sys/queue.h>

#include "vcpu/sched/runq.h"
#include "vcpu/sched/sched.h"

#define C2_MIN_TIMER   MICROSECS(500)
#define C2_CREDIT_INIT MILLISECS(10)     /* what everybody begins with, and what a reset gives */
#define C2_CREDIT_MIN  (-C2_CREDIT_INIT) /* deeper debts are forgotten */
#define C2_CREDIT_MAX                                                                                                  \
    (C2_CREDIT_INIT + C2_MIN_TIMER) /* savings above it too (Xen's CSCHED2_CARRYOVER_MAX is MIN_TIMER) */

/* A run queue: a group of pCPUs that share one order of vCPUs. */
struct c2_rqd {
    uint64_t cpus;
    struct runq runq;
    uint64_t part[MACHINE_MAX_PCPUS]; /* what affinity divides it into, see sched_part_join() */
    bool parts_stale; /* affinities or pCPUs have changed: c2_parts_rebuild() before the next decision */
    s_time_t given[MACHINE_MAX_PCPUS];          /* credit that resets have handed to everybody in that part, in total */
    unsigned int max_weight[MACHINE_MAX_PCPUS]; /* of the vCPUs in that part; nr_max of them have it */
    unsigned int nr_max[MACHINE_MAX_PCPUS];
    LIST_HEAD(, c2_vcpu) assigned;
    int load;         /* vCPUs that run or want to */
    double avgload;   /* that, smoothed over about a second */
    s_time_t load_at; /* when avgload was brought up to date */
};

struct c2_dom {
    struct scheduler *ops;
    unsigned int weight, cap;
    unsigned int nr_vcpus;
    s_time_t tot_budget; /* a period; 0: no cap */
    s_time_t budget;     /* left for its vCPUs to take; negative: overrun, paid back first */
    struct timer repl;
    s_time_t next_repl;
    TAILQ_HEAD(, c2_vcpu) vcpus; /* whose last helping of the budget is longest ago comes first */
};

struct c2_vcpu {
    struct runq_node node;
    struct vcpu *v;
    struct c2_dom *dom;
    struct c2_rqd *rqd;
    LIST_ENTRY(c2_vcpu) link;      /* rqd->assigned */
    TAILQ_ENTRY(c2_vcpu) dom_link; /* dom->vcpus */
    unsigned int weight;           /* the weight it is counted with in rqd */
    uint64_t mask;                 /* where it may run in rqd, as it was when part was found */
    unsigned int part;             /* its index in rqd->part */
    s_time_t credit;               /* valid for given == rqd->given[part], see c2_credit_sync() */
    s_time_t given;
    s_time_t budget; /* taken out of the domain's, not used yet */
    s_time_t start, run_since;
    bool parked, yield, counted;
};

struct c2 {
    struct c2_rqd rqd[MACHINE_MAX_PCPUS];
    unsigned int cpus_per_rqd;
    s_time_t ratelimit;
};

static inline struct c2 *c2(const struct scheduler *ops) { return ops->sched_data; }
static inline struct c2_vcpu *svc_of(const struct vcpu *v) { return v->sched_priv; }
static inline struct c2_rqd *rqd_of(const struct scheduler *ops, unsigned int cpu)
{
    return &c2(ops)->rqd[cpu / c2(ops)->cpus_per_rqd];
}

/* credit2_rqd.c */

/* Resets since the last look are added, clipped at C2_CREDIT_MAX. */
void c2_credit_sync(struct c2_vcpu *svc);
static inline s_time_t c2_credit_of_waiting(const struct c2_vcpu *svc)
{
    const s_time_t credit = svc->rqd->given[svc->part] - svc->node.key;

    return credit < C2_CREDIT_MAX ? credit : C2_CREDIT_MAX;
}
/* The most that anybody who waits in svc's part has; C2_CREDIT_MIN: nobody waits. */
s_time_t c2_most_waiting(const struct c2_vcpu *svc);
/* Even svc, the best of its part, has nothing left: everybody there gets another portion. */
void c2_reset(struct c2_vcpu *svc, s_time_t now);
/* Charge svc, if it runs, for the time since the last charge. */
void c2_burn(struct c2_vcpu *svc, s_time_t now);
/* svc wants the CPU, or no longer. */
void c2_load_count(struct c2_vcpu *svc, bool counted, s_time_t now);
/* What placing decisions go by: how it has been lately, and how it is now. */
double c2_load_of(struct c2_rqd *rqd, s_time_t now);
void c2_assign(struct c2_vcpu *svc, struct c2_rqd *rqd);
void c2_deassign(struct c2_vcpu *svc, s_time_t now);
/* Hook: v goes to a pCPU, perhaps of another run queue. */
void c2_migrate(struct scheduler *ops, struct vcpu *v, unsigned int new_cpu);
/* Find the parts of rqd anew. */
void c2_parts_rebuild(struct c2_rqd *rqd);
/* The domain's weight has changed. */
void c2_reweigh(struct c2_vcpu *svc, s_time_t now);
void c2_enqueue(struct c2_vcpu *svc);
void c2_dequeue(struct c2_vcpu *svc);
/* Somebody should look at svc, which was just queued. */
void c2_tickle(struct scheduler *ops, struct c2_vcpu *svc);
/* svc has budget again: put it where it belongs. */
void c2_unpark(struct c2_vcpu *svc);
/* credit2_cap.c */

/* May svc run? A capped vCPU without budget takes some of the domain's, or is parked until there is some again. */
bool c2_budget_ok(struct c2_vcpu *svc);
/* svc leaves the CPU: what it has left is for the domain's vCPUs that are parked. */
void c2_budget_return(struct c2_vcpu *svc);
void c2_cap_init(struct c2_dom *dom, struct scheduler *ops);
void c2_cap_set(struct c2_dom *dom, unsigned int cap);
void c2_cap_stop(struct c2_dom *dom);

/* credit2_balance.c */

/* Take a vCPU over from a busier group (idle: from any where somebody waits). It is not queued. NULL: none. */
struct c2_vcpu *c2_pull(struct scheduler *ops, unsigned int cpu, bool idle, s_time_t now);
/* Hook: the best group for v, and a pCPU in it. */
unsigned int c2_pick_resource(struct scheduler *ops, struct vcpu *v);

#endif
