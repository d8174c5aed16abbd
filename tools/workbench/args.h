// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of `xenlab sched`. */
#ifndef TOOLS_WORKBENCH_ARGS_H
#define TOOLS_WORKBENCH_ARGS_H

#include <stdio.h>

#include "tools/sweep/sweep.h"
#include "tools/workbench/sim.h"

struct wb_args {
    const char *policy, *workload, *svg, *expect, *junit, *asked; /* NULL: not given */
    unsigned int pcpus, limit;                                    /* 0: as the workload says; seconds */
    unsigned int decisions;  /* for each pCPU and second of virtual time; 0: no limit */
    s_time_t time, from, to; /* 0: as the workload says; to 0: the whole run */
    uint64_t seed;
    bool json, tap, bench, help, seeded; /* seeded: --seed was given */
    struct sweep sweep;
};

/* Options, from argv[1] on. True: fine, or only help was asked for. False: why says what would be right. */
bool wb_args_parse(struct wb_args *a, int argc, char **argv, char *why, size_t len);
void wb_args_help(const char *command, FILE *f);
/* The i-th option; NULL: there are no more. */
const char *wb_args_word(size_t i);

#endif
