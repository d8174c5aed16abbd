// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPUID and CR4 as a domain sees them.
 *
 * Concept: every CPUID of a guest comes here, and is answered from the domain's policy (vcpu/cpu_policy.c). Worked out
 * at the moment are only the leaves from 0x40000000, by which Xen introduces itself, and what depends on the vCPU. Of
 * CR4 a PV guest chooses a few bits, as far as its policy has the feature behind them, and sees a few of Xen's own.
 *
 * Source: AMD APM vol. 3 appendix E; public arch-x86/cpuid.h; Xen arch/x86/cpuid.c (guest_cpuid), traps.c
 * (cpuid_hypervisor_leaves), pv/domain.c (pv_fixup_guest_cr4).
 */
#include "vcpu/cpuid.h"

#include "vcpu/pv/pv.h"
#include "vcpu/tsc.h"

#include <xen/arch-x86/cpuid.h>

#define XEN_VERSION_LEAF ((4u << 16) | 17u)

/* Leaf 0x40000003: how the TSC is made, and how to convert it. */
static struct cpuid_leaf time_leaf(const struct domain *d, uint32_t subleaf)
{
    const struct domain_tsc *t = &d->tsc;
    const uint64_t offset = t->emulated ? 0 : (uint64_t)t->offset; /* what is emulated starts at 0 */

    switch (subleaf) {
    case 0: /* emulated? do the pCPUs agree? is there RDTSCP? */
        return (struct cpuid_leaf){ t->emulated | host_tsc_is_safe(d->xen) << 1 | 1 << 2, t->mode, t->khz,
                                    t->incarnation };
    case 1:
        return (struct cpuid_leaf){ (uint32_t)offset, (uint32_t)(offset >> 32), t->to_ns.mul_frac,
                                    (uint32_t)t->to_ns.shift };
    case 2: return (struct cpuid_leaf){ .a = (uint32_t)d->xen->tsc_khz };
    default: return (struct cpuid_leaf){ 0 };
    }
}

/* The last of Xen's leaves: all there are, or what the toolstack has set, but the version is always told. */
static uint32_t xen_leaf_limit(const struct domain *d)
{
    const uint32_t limit = d->cpu_policy->hv_limit;

    if (limit == 0 || limit > XEN_CPUID_MAX_NUM_LEAVES)
        return XEN_CPUID_MAX_NUM_LEAVES;
    return limit < 2 ? 2 : limit;
}

static struct cpuid_leaf xen_leaf(const struct vcpu *v, uint32_t n, uint32_t subleaf)
{
    bool hvm = is_hvm_domain(v->domain);

    if (n > xen_leaf_limit(v->domain))
        return (struct cpuid_leaf){ 0 };
    switch (n) {
    case 0:
        return (struct cpuid_leaf){ 0x40000000 + xen_leaf_limit(v->domain), XEN_CPUID_SIGNATURE_EBX,
                                    XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX };
    case 1: return (struct cpuid_leaf){ .a = XEN_VERSION_LEAF };
    case 2: /* hypercall pages, the MSR that installs one, features */
        return (struct cpuid_leaf){ 1, 0x40000000, hvm ? 0 : XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD, 0 };
    case 3: return time_leaf(v->domain, subleaf);
    case 4: /* HVM: the numbers of its vCPU and domain */
        return hvm ? (struct cpuid_leaf){ XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT |
                                              XEN_HVM_CPUID_UPCALL_VECTOR,
                                          v->vcpu_id, v->domain->domain_id, 0 }
                   : (struct cpuid_leaf){ 0 };
    case 5: return (struct cpuid_leaf){ .b = hvm ? 0 : 36 }; /* PV: bits of the largest machine address it may see */
    default: return (struct cpuid_leaf){ 0 };
    }
}

static struct cpuid_leaf basic_leaf(const struct cpu_policy *p, uint32_t leaf, uint32_t subleaf)
{
    const struct cpuid_leaf none = { 0 };

    if (leaf > p->basic[0].a || leaf >= CPUID_GUEST_NR_BASIC)
        return none;
    switch (leaf) {
    case 4: return subleaf < CPUID_GUEST_NR_CACHE ? p->cache[subleaf] : none;
    case 7: return subleaf <= p->feat[0].a && subleaf < CPUID_GUEST_NR_FEAT ? p->feat[subleaf] : none;
    case 0xb: return subleaf < CPUID_GUEST_NR_TOPO ? p->topo[subleaf] : none;
    case 0xd: return none; /* no XSAVE */
    default: return p->basic[leaf];
    }
}

/* A leaf beyond the last of its range is all zeroes, as on AMD processors. */
struct cpuid_leaf guest_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t subleaf)
{
    const struct cpu_policy *p = v->domain->cpu_policy;
    const uint32_t n = leaf & 0xffff;

    switch (leaf >> 16) {
    case 0x0000: return basic_leaf(p, leaf, subleaf);
    case 0x4000: return xen_leaf(v, n, subleaf);
    case 0x8000:
        return n <= (p->extd[0].a & 0xffff) && n < CPUID_GUEST_NR_EXTD_AMD ? p->extd[n] : (struct cpuid_leaf){ 0 };
    default: return (struct cpuid_leaf){ 0 };
    }
}

uint64_t pv_fixup_guest_cr4(const struct domain *d, uint64_t cr4)
{
    const struct cpu_policy *p = d->cpu_policy;
    const uint64_t own = (cpu_policy_has(p, XEN_X86_FEATURE_TSC) ? X86_CR4_TSD : 0) |
                         (cpu_policy_has(p, XEN_X86_FEATURE_DE) ? X86_CR4_DE : 0) |
                         (cpu_policy_has(p, XEN_X86_FEATURE_FSGSBASE) ? X86_CR4_FSGSBASE : 0);

    return (cr4 & own) | X86_CR4_MCE | PV_CR4_FIXED;
}
