// SPDX-License-Identifier: GPL-2.0-or-later
/* A policy of a student's once more, for who wants to look. */
#ifndef TOOLS_LAB_FORM_P_H
#define TOOLS_LAB_FORM_P_H

#include "tools/lab/check.h"

/* Where in a run something goes wrong. */
struct policy_again {
    uint64_t call; /* that is the call in which the run ends; 0: none */
    long long from,
        to; /* nanoseconds: what is expected is not so any more at `to`, and was so at `from`; 0, 0: it is */
};

/*
 * That step, as it is checked: its workload is left in .build/workload, and in .build/asked what the policy was asked
 * (tools/sandbox/asked.h). 0, -1: c->err.
 */
int policy_again(struct check *c, uint64_t seed, unsigned int number, struct policy_again *a);

#endif
