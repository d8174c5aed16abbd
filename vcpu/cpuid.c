// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The CPUID policy.
 *
 * Concept: the emulated processor would answer CPUID itself, but a guest must only be promised what the whole machine keeps:
 * no AVX or XSAVE (the hypervisor does not switch that state), no RDRAND (it would break determinism), no PSE, PGE or
 * global pages in a PV guest (its page tables are Xen's business). The leaves from 0x40000000 introduce Xen itself.
 *
 * Source: AMD APM vol. 3 appendix E; public arch-x86/cpuid.h; Xen arch/x86/cpuid.c (recalculate_cpuid_policy, pv masks).
 */
#include "vcpu/cpuid.h"

#include "vcpu/tsc.h"

#include <string.h>
#include <xen/arch-x86/cpuid.h>

#define MAX_BASIC        0x7u
#define MAX_EXTENDED     0x80000008u
#define MAX_XEN          0x40000005u
#define XEN_VERSION_LEAF ((4u << 16) | 17u)

#define BIT(n) (1u << (n))
/* Leaf 1 EDX: FPU DE TSC MSR PAE MCE CX8 SEP? CMOV PAT CLFLUSH MMX FXSR SSE SSE2; PSE (3), PGE (13), MTRR (12), VME (1) are not for PV */
#define LEAF1_EDX_PV                                                                                                   \
    (BIT(0) | BIT(2) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(15) | BIT(16) | BIT(19) | BIT(23) | BIT(24) |  \
     BIT(25) | BIT(26))
#define LEAF1_EDX_HVM (LEAF1_EDX_PV | BIT(1) | BIT(3) | BIT(9) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(17))
/* Leaf 1 ECX: SSE3 PCLMULQDQ SSSE3 CX16 SSE4.1 SSE4.2 MOVBE POPCNT AES HYPERVISOR */
#define LEAF1_ECX   (BIT(0) | BIT(1) | BIT(9) | BIT(13) | BIT(19) | BIT(20) | BIT(22) | BIT(23) | BIT(25) | BIT(31))
#define LEAF7_EBX   BIT(9)                              /* ERMS */
#define EXT1_EDX_32 (BIT(20) | BIT(27))                 /* NX RDTSCP */
#define EXT1_EDX_64 (EXT1_EDX_32 | BIT(11) | BIT(29))   /* SYSCALL LM */
#define EXT1_ECX    (BIT(0) | BIT(5) | BIT(6) | BIT(8)) /* LAHF ABM SSE4A PREFETCHW */

#define FAMILY_17H_MODEL_1 0x00800f12u

static struct cpuid_leaf leaf_of_text(const char text[static 16])
{
    struct cpuid_leaf l;

    memcpy(&l, text, sizeof(l));
    return l;
}

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

static struct cpuid_leaf xen_leaf(const struct vcpu *v, uint32_t n, uint32_t subleaf)
{
    bool hvm = is_hvm_domain(v->domain);

    switch (n) {
    case 0:
        return (struct cpuid_leaf){ MAX_XEN, XEN_CPUID_SIGNATURE_EBX, XEN_CPUID_SIGNATURE_ECX,
                                    XEN_CPUID_SIGNATURE_EDX };
    case 1: return (struct cpuid_leaf){ .a = XEN_VERSION_LEAF };
    case 2: /* hypercall pages, the MSR that installs one, features */
        return (struct cpuid_leaf){ 1, 0x40000000, hvm ? 0 : XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD, 0 };
    case 3: return time_leaf(v->domain, subleaf);
    case 5: return (struct cpuid_leaf){ .b = hvm ? 0 : 36 }; /* PV: bits of the largest machine address it may see */
    default: return (struct cpuid_leaf){ 0 };
    }
}

static struct cpuid_leaf leaf_1(const struct vcpu *v)
{
    bool hvm = is_hvm_domain(v->domain);

    return (struct cpuid_leaf){
        .a = FAMILY_17H_MODEL_1,
        .b = (hvm ? v->vcpu_id * 2u : 0) << 24 |
             8u << 8, /* APIC id (PV guests have no APIC); CLFLUSH line in quadwords */
        .c = LEAF1_ECX,
        .d = hvm ? LEAF1_EDX_HVM : LEAF1_EDX_PV,
    };
}

struct cpuid_leaf cpuid_guest(const struct vcpu *v, uint32_t leaf, uint32_t subleaf)
{
    /* Beyond the last leaf of a range AMD processors answer zeroes. */
    if (leaf >= 0x40000000 && leaf <= MAX_XEN)
        return xen_leaf(v, leaf - 0x40000000, subleaf);
    switch (leaf) {
    case 0x0:
        return (struct cpuid_leaf){ MAX_BASIC, 0x68747541, 0x444d4163, 0x69746e65 }; /* "AuthenticAMD" in EBX EDX ECX */
    case 0x1: return leaf_1(v);
    case 0x7: return (struct cpuid_leaf){ .b = subleaf == 0 ? LEAF7_EBX : 0 };
    case 0x80000000: return (struct cpuid_leaf){ MAX_EXTENDED, 0x68747541, 0x444d4163, 0x69746e65 };
    case 0x80000001:
        return (struct cpuid_leaf){
            .a = FAMILY_17H_MODEL_1,
            .c = EXT1_ECX,
            .d = (leaf_1(v).d & 0x0183f3ff) | (is_pv_32bit_domain(v->domain) ? EXT1_EDX_32 : EXT1_EDX_64),
        };
    case 0x80000002: return leaf_of_text("xenlab virtual C");
    case 0x80000003: return leaf_of_text("PU (emulated AMD");
    case 0x80000004: return leaf_of_text(" x86-64)\0\0\0\0\0\0\0");
    case 0x80000008: return (struct cpuid_leaf){ .a = 48 << 8 | 40 };
    default: return (struct cpuid_leaf){ 0 };
    }
}

#define CR4_DE         0x8u
#define CR4_PAE        0x20u
#define CR4_MCE        0x40u
#define CR4_OSFXSR     0x200u
#define CR4_OSXMMEXCPT 0x400u
#define CR4_TSD        0x4u

uint64_t cpuid_guest_cr4(const struct domain *d, uint64_t cr4)
{
    (void)d;
    return (cr4 & (CR4_DE | CR4_TSD)) | CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;
}
