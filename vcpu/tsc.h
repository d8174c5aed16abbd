// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The TSC that a domain sees. The modes are explained in vcpu/tsc.c.
 */
#ifndef VCPU_TSC_H
#define VCPU_TSC_H

#include "vcpu/noun/domain.h"

/* xl.cfg's tsc_mode, XEN_DOMCTL_settscinfo and CPUID leaf 0x40000003. (3 was PVRDTSCP, which Xen 4.13 removed.) */
#define TSC_MODE_DEFAULT        0
#define TSC_MODE_ALWAYS_EMULATE 1
#define TSC_MODE_NEVER_EMULATE  2

/* RDTSC by v at the current virtual time. */
uint64_t guest_rdtsc(const struct vcpu *v);
/* What d's TSC is, or was, at system time `now`; and its scale: ns = (tsc << shift) * mul_frac / 2^32. */
uint64_t tsc_at(const struct domain *d, s_time_t now);
struct time_scale tsc_scale(const struct domain *d);
/* From ticks to ns by a domain's to_ns, or back by its from_ns. */
uint64_t scale_delta(uint64_t delta, struct time_scale s);
/* The TSCs of all pCPUs agree, so a guest may compare what it read on one with another's. */
static inline bool host_tsc_is_safe(const struct xen *xen) { return xen->nr_pcpus <= 1; }

/*
 * XEN_DOMCTL_settscinfo, gettscinfo. elapsed_nsec: how much time the domain has seen (0 for a new one); khz 0: the
 * machine's own frequency. -EINVAL: no such mode.
 */
struct xen_domctl_tsc_info;
int tsc_set_info(struct domain *d, const struct xen_domctl_tsc_info *info);
void tsc_get_info(const struct domain *d, struct xen_domctl_tsc_info *info);

#endif
