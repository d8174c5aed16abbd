// SPDX-License-Identifier: GPL-2.0-or-later
/* CPU pools: XEN_SYSCTL_cpupool_op without its copying from and to the guest. */
#ifndef VCPU_SCHED_CPUPOOL_H
#define VCPU_SCHED_CPUPOOL_H

#include "vcpu/sched/sched.h"

struct scheduler *cpupool_find(struct xen *xen, uint32_t id);
/* pCPUs that are online and in no pool. */
uint64_t cpupool_free_cpus(const struct xen *xen);
/* Carry op out; *cpumap is the answer's bitmap for INFO and FREEINFO. 0 or -errno as sysctl.h documents. */
int cpupool_do_sysctl(struct xen *xen, struct xen_sysctl_cpupool_op *op, uint64_t *cpumap);

#endif
