// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Time as guests see it. What they read is explained in vcpu/time_info.c, their timers in vcpu/time.c.
 */
#ifndef VCPU_TIME_H
#define VCPU_TIME_H

#include "vcpu/noun/domain.h"

void vcpu_time_init(struct vcpu *v);
void vcpu_time_destroy(struct vcpu *v);
void vcpu_periodic_timer_start(struct vcpu *v);
void vcpu_periodic_timer_stop(struct vcpu *v);
void watchdog_domain_init(struct domain *d, unsigned int id);

/*
 * Bring vcpu_time_info (and a secondary copy, if registered) up to date: before each entry that follows a switch or a
 * jump. The copy's address is one of `space`'s: that of v itself, or of the vCPU that registers it on behalf of v.
 */
void update_vcpu_system_time(struct vcpu *v, struct vcpu *space);
/* v entered its kernel: write the copy, if that could not be done while user mode's page tables were loaded. */
void vcpu_time_catch_up(struct vcpu *v);
/* Wallclock in shared_info: seconds and nanoseconds of 1970 at system time 0. */
void update_domain_wallclock_time(struct domain *d);

hypercall_fn do_set_timer_op, compat_set_timer_op;
long do_sched_watchdog(struct vcpu *v, uint32_t id, uint32_t timeout);
long vcpuop_timer(struct vcpu *v, unsigned int cmd, struct vcpu *target, uint64_t arg);
/* Start waiting in SCHEDOP_poll until `timeout` (0: none). */
void vcpu_poll_start_timer(struct vcpu *v, s_time_t timeout);

#endif
