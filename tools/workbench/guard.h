// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A student's policy, kept at arm's length: every call into it is noted where another process can read it, and what it
 * returns, and what it did to the vCPU it was lent, is looked at before anybody relies on it.
 */
#ifndef TOOLS_WORKBENCH_GUARD_H
#define TOOLS_WORKBENCH_GUARD_H

#include "tools/workbench/sim.h"

/* Every hook that a policy may have. */
#define WB_HOOKS(X)                                                                                                    \
    X(init)                                                                                                            \
    X(deinit)                                                                                                          \
    X(alloc_pdata)                                                                                                     \
    X(free_pdata)                                                                                                      \
    X(alloc_domdata)                                                                                                   \
    X(free_domdata)                                                                                                    \
    X(alloc_udata)                                                                                                     \
    X(free_udata)                                                                                                      \
    X(insert_unit)                                                                                                     \
    X(remove_unit)                                                                                                     \
    X(sleep)                                                                                                           \
    X(wake)                                                                                                            \
    X(yield)                                                                                                           \
    X(context_saved)                                                                                                   \
    X(pick_resource)                                                                                                   \
    X(migrate)                                                                                                         \
    X(do_schedule)                                                                                                     \
    X(adjust)                                                                                                          \
    X(adjust_affinity)                                                                                                 \
    X(adjust_global)                                                                                                   \
    X(set)                                                                                                             \
    X(dump_settings)

/* What of the policy's is running. */
enum wb_where {
    WB_NOWHERE,
    WB_CONSTRUCTORS,
    WB_NAMES,
    WB_TIMER,
#define X(hook) WB_IN_##hook,
    WB_HOOKS(X)
#undef X
        WB_NR_WHERE,
};

/* "do_schedule"; any number will do. */
const char *wb_where_name(unsigned int where);

/* A call into the policy, and what it was about: nothing where a hook is given no pCPU, vCPU or domain. */
struct wb_call {
    unsigned int where; /* enum wb_where */
    struct wb_who who;
};

/*
 * Lies in memory shared with the parent process, which reads it when this one has crashed or does not come back. No
 * pointers: the policy may have written here as well.
 */
struct wb_watch {
    volatile unsigned int where; /* enum wb_where */
    struct wb_who who;           /* what that call is about */
    volatile uint64_t calls;     /* so far */
    uint64_t fault_call;         /* the one in which a rule was broken; 0: the last */
    volatile uint64_t beats;     /* grows as long as the simulation goes on */
    volatile s_time_t now;
    volatile bool loaded, simulated, finished;
    int output_lost; /* errno; EBADF: the policy's doing */
    char why[640];   /* what the child has to say: its stderr may be closed */
};

/* Must outlive the scheduler. `ops` is what to hand to wb_create(). */
struct wb_guard {
    struct sched_ops ops; /* first: a scheduler's ops pointer leads back to the guard */
    const struct sched_ops *real;
    struct wb_watch *watch;
    char name[64], opt_name[32];
    s_time_t last_decision;
    unsigned int decisions; /* moments in this virtual millisecond at which one was asked for */
};

/* NULL: fine; else what is wrong with the table itself. */
const char *wb_guard_init(struct wb_guard *g, const struct sched_ops *real, struct wb_watch *watch);
/* Timers may be the policy's own: watch over them as well. After wb_create(). */
void wb_guard_timers(struct wb *wb);

#endif
