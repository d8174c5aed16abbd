// SPDX-License-Identifier: GPL-2.0-or-later
/* Data of the credit2 policy, shared by its two files: credit2.c (who runs) and credit2_cap.c (who may not run). */
#ifndef VCPU_SCHED_CREDIT2_H
#define VCPU_SCHED_CREDIT2_H

#include <sys/queue.h>

#include "vcpu/sched/runq.h"
#include "vcpu/sched/sched.h"

#define C2_MIN_TIMER MICROSECS(500)

/* A run queue: a group of pCPUs that share one order of vCPUs. */
struct c2_rqd {
    uint64_t cpus;
    struct runq runq;
    s_time_t given;          /* credit that resets have handed to everybody here, in total */
    unsigned int max_weight; /* of the vCPUs assigned; nr_max of them have it */
    unsigned int nr_max;
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
    LIST_HEAD(, c2_vcpu) vcpus;
};

struct c2_vcpu {
    struct runq_node node;
    struct vcpu *v;
    struct c2_dom *dom;
    struct c2_rqd *rqd;
    LIST_ENTRY(c2_vcpu) link;     /* rqd->assigned */
    LIST_ENTRY(c2_vcpu) dom_link; /* dom->vcpus */
    unsigned int weight;          /* the weight it is counted with in rqd */
    s_time_t credit;              /* valid for given == rqd->given, see credit_sync() */
    s_time_t given;
    s_time_t budget; /* taken out of the domain's, not used yet */
    s_time_t start, run_since;
    bool parked, yield, counted;
};

/* credit2_cap.c */

/* May svc run? A capped vCPU without budget takes some of the domain's, or is parked until the next period. */
bool c2_budget_ok(struct c2_vcpu *svc);
/* svc does not need the CPU: what it has left is for the other vCPUs of the domain. */
void c2_budget_return(struct c2_vcpu *svc);
void c2_cap_init(struct c2_dom *dom, struct scheduler *ops);
void c2_cap_set(struct c2_dom *dom, unsigned int cap);
void c2_cap_stop(struct c2_dom *dom);

/* credit2.c, for unparking: svc may run again, put it where it belongs. */
void c2_unpark(struct c2_vcpu *svc);

#endif
