// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a scheduler gave real guests, beside what it gives their like on the workbench.
 *
 * Concept: the machine's figures come from whoever has counted them, as the workbench counts its own (figures.h): run
 * and wait are the times in these runstates, a switch is one onto a pCPU, a migration one onto another pCPU than the
 * last time, a decision one question to the policy who comes next. The workbench's come from one run of a workload
 * under the same policy with the same seed. vCPUs are the same if their names are.
 */
#ifndef TOOLS_WORKBENCH_BESIDE_H
#define TOOLS_WORKBENCH_BESIDE_H

#include <stdbool.h>
#include <stdio.h>

#include "vcpu/sched/sched.h"

#define BESIDE_WHY 1600
/* Shares agree if they differ by no more than this part of a pCPU. */
#define BESIDE_TOLERANCE 0.01

struct beside_vcpu {
    char name[72];      /* "web-d1.0", as the workload has it, */
    char also[72];      /* or "web.0" */
    s_time_t run, wait; /* ns */
    uint64_t switches, migrations;
};

struct beside {
    const char *policy; /* as --sched has it: "credit,tslice_ms=5", "./mine.so" */
    uint64_t seed;
    unsigned int pcpus; /* the machine's */
    FILE *workload;     /* can be read twice */
    const char *name;   /* of the workload, for messages */
    /* The machine's: */
    s_time_t time;
    uint64_t switches, decisions;
    const struct beside_vcpu *vcpu;
    size_t nr;
};

/*
 * Run the workload, and write the figures of both and their differences: a table, and if json is no NULL, an object.
 * 0; or why: 1, the workload cannot be read or run, 2: the policy is at fault there.
 */
int workbench_beside(const struct beside *b, FILE *table, FILE *json, char why[BESIDE_WHY]);

#endif
