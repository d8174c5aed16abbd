// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A student's policy, kept at arm's length: every call into it is noted where another process can read it, and what it
 * returns, and what it did to the vCPU it was lent, is looked at before anybody relies on it.
 */
#ifndef TOOLS_WORKBENCH_GUARD_H
#define TOOLS_WORKBENCH_GUARD_H

#include "tools/workbench_sim.h"

/* Lies in memory shared with the parent process, which reads it when this one has crashed or does not come back. */
struct wb_watch {
    const char *volatile hook; /* what of the policy's is running (a literal, so valid in both); NULL: nothing */
    volatile uint64_t calls;   /* so far */
    volatile uint64_t beats;   /* grows as long as the simulation goes on */
    volatile s_time_t now;
    volatile bool loaded, simulated, finished, output_lost;
    char why[400]; /* what the child has to say: its stderr may be closed */
};

/* Must outlive the scheduler. `ops` is what to hand to wb_create(). */
struct wb_guard {
    struct sched_ops ops; /* first: a scheduler's ops pointer leads back to the guard */
    const struct sched_ops *real;
    struct wb_watch *watch;
    char name[64], opt_name[32];
};

/* NULL: fine; else what is wrong with the table itself. */
const char *wb_guard_init(struct wb_guard *g, const struct sched_ops *real, struct wb_watch *watch);
/* Timers may be the policy's own: watch over them as well. After wb_create(). */
void wb_guard_timers(struct wb *wb);

#endif
