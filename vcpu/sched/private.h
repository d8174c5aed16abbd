// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of the scheduler core share among themselves; policies and callers use vcpu/sched/sched.h. */
#ifndef VCPU_SCHED_PRIVATE_H
#define VCPU_SCHED_PRIVATE_H

#include "vcpu/sched/sched.h"

/* wake.c: the state of a vCPU that is not on a pCPU. */
int sched_runstate_off_cpu(const struct vcpu *v);

/*
 * core.c: whoever runs on cpu leaves it at once. Its policy learns by context_saved() only: it is about to lose the
 * vCPU.
 */
void sched_force_idle(struct xen *xen, unsigned int cpu);

/* init.c: the policy's data of a pCPU, a domain, a vCPU is made or freed. */
int sched_cpu_attach(struct scheduler *s, unsigned int cpu);
void sched_cpu_detach(struct scheduler *s, unsigned int cpu);
int sched_join_domain(struct scheduler *s, struct domain *d);
int sched_join_vcpu(struct vcpu *v);
void sched_leave_vcpu(struct vcpu *v);

#endif
