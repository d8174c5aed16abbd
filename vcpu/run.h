// SPDX-License-Identifier: GPL-2.0-or-later
/* The exit loop: run guests until something outside is wanted. See vcpu/run.c. */
#ifndef VCPU_RUN_H
#define VCPU_RUN_H

#include "vcpu/noun/xen.h"

enum run_result {
    RUN_UNTIL, /* virtual time `until` is reached */
    RUN_IDLE,  /* no vCPU is runnable and no timer is armed: only outside input can change that */
    RUN_STOP,  /* *stop became true, or the machine is powered off */
    RUN_AT,    /* the position is reached, or the next one is beyond it */
    RUN_STEP,  /* behind a step of the hypervisor (run_limit.each_step) */
    RUN_ASKED, /* a back end has asked the outside something: nothing happens until there is an answer */
    RUN_BREAK, /* in front of an instruction at which an observer stops (sim/observe.h); *hit says why */
};

/* How far to go. What comes first counts; none of it has an influence on what happens until then, and afterwards. */
struct run_limit {
    s_time_t until; /* STIME_MAX: none. Of the pCPU that is stepped; time stands still while nobody runs */
    /*
     * The first position that is not before this one. insns UINT64_MAX: none. step UINT64_MAX: in front of the
     * instruction that follows these.
     */
    struct position at;
    const bool *stop;     /* looked at between steps */
    bool each_step;       /* stop behind the next step of the hypervisor */
    struct sim_exit *hit; /* an EXIT_STOP; NULL: nobody has set breakpoints or watches */
    bool resume;          /* the instruction that it stands in front of is no reason to stop: it was one */
    bool resume_break;    /* the same, but what it accesses may be a reason */
};

enum run_result xen_run_to(struct xen *xen, const struct run_limit *limit);
/* The same without a position. */
enum run_result xen_run(struct xen *xen, s_time_t until, const bool *stop);

/* It would answer RUN_IDLE at once. */
bool xen_is_idle(const struct xen *xen);

/*
 * Something comes from outside, at time `now` if nobody runs: the guest that runs, if any, comes out, so that whoever
 * is woken up by it need not wait for a slice's end. To be called in front of it, between two calls of the above.
 */
void xen_interrupt(struct xen *xen, s_time_t now);

/*
 * v, a guest's vCPU with a processor, has come out for e, which is made up: the hypervisor deals with it as if it had,
 * on the pCPU that v is on or was on last. To be called between two calls of the above, as xen_interrupt(), and it is
 * one; not where the guest has come out already (RUN_EXIT). What the instruction at RIP has to say to it is read there.
 */
void xen_exit_made_up(struct xen *xen, struct vcpu *v, const struct sim_exit *e, s_time_t now);

#endif
