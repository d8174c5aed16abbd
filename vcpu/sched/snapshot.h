// SPDX-License-Identifier: GPL-2.0-or-later
/* What a policy tells who looks: `snapshot` in struct sched_ops. */
#ifndef VCPU_SCHED_SNAPSHOT_H
#define VCPU_SCHED_SNAPSHOT_H

#include "vcpu/sched/sched.h"

/* What it knows of one vCPU. */
struct sched_snapshot {
    int queue;    /* the number of the run queue that is its; -1: none is */
    bool queued;  /* it waits there, */
    int64_t key;  /* the smallest first, */
    uint64_t seq; /* then the smallest of these */
    bool has_credit;
    s_time_t credit;     /* what it has left, now: of credit, of its budget, of its minor frames */
    unsigned int weight; /* its domain's; 0: the policy knows no weights */
    unsigned int cap;    /* percent of a pCPU; 0: none */
    char text[64];       /* what else there is to say, in the policy's words */
};

#endif
