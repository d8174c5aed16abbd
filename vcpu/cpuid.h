// SPDX-License-Identifier: GPL-2.0-or-later
/* What guests are told about the processor. See vcpu/cpuid.c. */
#ifndef VCPU_CPUID_H
#define VCPU_CPUID_H

#include "vcpu/cpu_policy.h"
#include "vcpu/noun/domain.h"

struct cpuid_leaf guest_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t subleaf);

/* CR4 as a PV guest may have it: what it asks for, cut to what its CPUID offers, plus what Xen forces on. */
uint64_t pv_fixup_guest_cr4(const struct domain *d, uint64_t cr4);

#endif
