// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A student's policy, kept at arm's length: every call into it is noted where another process can read it, and what it
 * returns is looked at before anybody follows the pointer.
 */
#ifndef TOOLS_WORKBENCH_GUARD_H
#define TOOLS_WORKBENCH_GUARD_H

#include "tools/workbench_sim.h"

/* Lies in memory shared with the parent process, which reads it when this one has crashed or does not come back. */
struct wb_watch {
    const char *volatile hook; /* the sched_ops hook that is running (a literal, so valid in both); NULL: none */
    volatile uint64_t calls;   /* so far */
    volatile s_time_t now;
    volatile bool finished;
};

/* Must outlive the scheduler. `ops` is what to hand to wb_create(). */
struct wb_guard {
    struct sched_ops ops; /* first: a scheduler's ops pointer leads back to the guard */
    const struct sched_ops *real;
    struct wb_watch *watch;
};

/* NULL: fine; else what is wrong with the table itself. */
const char *wb_guard_init(struct wb_guard *g, const struct sched_ops *real, struct wb_watch *watch);

#endif
