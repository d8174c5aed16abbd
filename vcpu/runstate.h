// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Publishing a vCPU's runstate (how long it ran, waited, was blocked) in guest memory: what guests compute steal time
 * from.
 */
#ifndef VCPU_RUNSTATE_H
#define VCPU_RUNSTATE_H

#include "vcpu/noun/domain.h"

/* Copy rs to v's address space in its layout (32-bit guests have a packed one). 0 or -EFAULT. */
int runstate_copy_to_guest(struct vcpu *v, uint64_t addr, const struct vcpu_runstate_info *rs);
/* v leaves its pCPU, or is about to run again: bring its registered area up to date. */
void update_runstate_area(struct vcpu *v);
/* v entered its kernel: do what could not be done while user mode's page tables were loaded. */
void runstate_catch_up(struct vcpu *v);

#endif
