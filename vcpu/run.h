// SPDX-License-Identifier: GPL-2.0-or-later
/* The exit loop: run guests until something outside is wanted. See vcpu/run.c. */
#ifndef VCPU_RUN_H
#define VCPU_RUN_H

#include "vcpu/noun/xen.h"

enum run_result {
    RUN_UNTIL, /* virtual time `until` is reached */
    RUN_IDLE,  /* no vCPU is runnable and no timer is armed: only outside input can change that */
    RUN_STOP,  /* *stop became true */
};

/*
 * Run the machine up to virtual time `until`, at most; returns sooner when nothing can run, or when *stop (looked at
 * between exits) is set. Call again to go on.
 */
enum run_result xen_run(struct xen *xen, s_time_t until, const bool *stop);

/* For rows of guest_ops (run): v executes its code on the processor of pCPU `cpu`. */
struct vcpu;
void run_on_pcpu(struct vcpu *v, unsigned int cpu, s_time_t end, const bool *stop);

#endif
