// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU policies: which processor is shown to whom.
 *
 * Concept: a guest decides by CPUID what it will execute, so CPUID is a promise. Four policies are worked out when the
 * hypervisor starts, and each domain has one of its own:
 *
 *      raw      the machine's processor: what its CPUID says
 *       | - what the hypervisor itself keeps from everybody, + what it adds (LFENCE is serialising)
 *      host
 *       | - what no PV guest can have: large and global pages, MTRRs (its page tables are Xen's business)
 *      pv_max
 *       | - what is given on request only (an invariant TSC, since it is in the way of migration)
 *      pv_def --- copy --> the domain's <-- XEN_DOMCTL_set_cpu_policy, cut to pv_max (recalculate_cpuid_policy)
 *
 * A policy is made of leaves. Of those the bits that stand for features are also numbered, in words of 32, by public
 * arch-x86/cpufeatureset.h; there a feature that is gone takes along what is built upon it (vcpu/cpu_featureset.c).
 *
 * Invariants: what is announced executes, and what is not is #UD: raw is what the engine does right, and
 * sim/engine/gate.c refuses the rest (guests/features.c tries both). No AVX, XSAVE (nobody switches that state),
 * RDRAND, RDSEED (runs would differ). What a domain's own policy lacks but the processor has does execute, as on
 * hardware.
 *
 * The processor: AMD family 15h model 60h ("Excavator"), the youngest that fits the set of instructions. Not Zen (17h
 * and later): Linux of version 7 reads a register of the chip set there, which no PV guest can map, and dies of it. It
 * executes what is written and nothing ahead of it, and says so where there is a bit for that: a kernel need not take
 * detours around what it cannot do.
 *
 * Simplifies Xen's arch/x86/cpu-policy.c and lib/x86/cpuid.c: no processors of other makers, no
 * microcode.
 */
#include "vcpu/cpu_policy.h"

#include "vcpu/noun/domain.h"
#include "vcpu/noun/guest_abi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define F(name)   XEN_X86_FEATURE_##name
#define EXCAVATOR 0x00660f01u
#define AMD_EBX   0x68747541u /* "Auth" "enti" "cAMD" */
#define AMD_EDX   0x69746e65u
#define AMD_ECX   0x444d4163u
#define INTEL_EBX 0x756e6547u
#define BRAND     "xenlab virtual CPU (emulated AMD x86-64)"
#define COMMON_1D 0x0183f3ffu /* bits that 1.edx and 0x80000001.edx share, on AMD */

// clang-format off
/* What the machine's processor has. */
static const uint16_t processor[] = {
    F(FPU), F(VME), F(DE), F(PSE), F(TSC), F(MSR), F(PAE), F(MCE), F(CX8), F(APIC), F(SEP), F(MTRR), F(PGE), F(MCA), F(CMOV), F(PAT),
    F(PSE36), F(CLFLUSH), F(MMX), F(FXSR), F(SSE), F(SSE2),
    F(SSE3), F(PCLMULQDQ), F(SSSE3), F(CX16), F(SSE4_1), F(SSE4_2), F(MOVBE), F(POPCNT), F(AESNI),
    F(SYSCALL), F(NX), F(MMXEXT), F(RDTSCP), F(LM),
    F(LAHF_LM), F(ABM), F(3DNOWPREFETCH),
    F(FSGSBASE), F(SMEP), F(ERMS), F(ADX), F(CLFLUSHOPT),
    F(SSB_NO), F(BTC_NO), /* it does not speculate */
    F(ITSC),
};

/*
 * What a PV guest can have, if the host has it: in public cpufeatureset.h these are marked A and a. (AVX-512, transactions and
 * the controls of speculation are left out: this processor has nothing of the kind.)
 */
static const uint16_t pv_default[] = {
    F(FPU), F(DE), F(TSC), F(MSR), F(PAE), F(MCE), F(CX8), F(APIC), F(SEP), F(MCA), F(CMOV), F(PAT), F(CLFLUSH), F(ACPI), F(MMX),
    F(FXSR), F(SSE), F(SSE2), F(SS), F(HTT),
    F(SSE3), F(PCLMULQDQ), F(SSSE3), F(FMA), F(CX16), F(SSE4_1), F(SSE4_2), F(MOVBE), F(POPCNT), F(AESNI), F(XSAVE), F(AVX), F(F16C),
    F(RDRAND), F(HYPERVISOR),
    F(SYSCALL), F(NX), F(MMXEXT), F(FFXSR), F(RDTSCP), F(LM), F(3DNOWEXT), F(3DNOW),
    F(LAHF_LM), F(CMP_LEGACY), F(ABM), F(SSE4A), F(MISALIGNSSE), F(3DNOWPREFETCH), F(XOP), F(FMA4), F(TBM), F(DBEXT),
    F(XSAVEOPT), F(XSAVEC), F(XGETBV1),
    F(FSGSBASE), F(BMI1), F(AVX2), F(BMI2), F(ERMS), F(RDSEED), F(ADX), F(CLFLUSHOPT), F(CLWB), F(SHA),
    F(PREFETCHWT1), F(GFNI), F(VAES), F(VPCLMULQDQ), F(RDPID), F(CLDEMOTE),
    F(CLZERO), F(RSTR_FP_ERR_PTRS), F(SSB_NO), F(BTC_NO), F(FSRM), F(SERIALIZE),
    F(FZRM), F(FSRS), F(FSRCS), F(LFENCE_DISPATCH), F(NSCB),
};
/* What an HVM guest can have besides (marked H and h, S and s): its page tables are its own business. */
static const uint16_t hvm_besides[] = { F(VME), F(PSE), F(MTRR), F(PGE), F(PSE36), F(SMEP) };
static const uint16_t pv_on_request[] = { F(MOVDIRI), F(MOVDIR64B), F(ITSC) };
// clang-format on

/* --- leaves that are no features --- */

static bool is_amd(const struct cpu_policy *p)
{
    return p->basic[0].b == AMD_EBX && p->basic[0].c == AMD_ECX && p->basic[0].d == AMD_EDX;
}

static void zero(struct cpuid_leaf *l, unsigned int first, unsigned int last)
{
    memset(&l[first], 0, (last - first + 1) * sizeof(*l));
}

static void recalculate_amd(struct cpu_policy *p)
{
    zero(p->basic, 2, 3);
    memset(p->cache, 0, sizeof(p->cache));
    zero(p->basic, 9, 0xa);
    p->extd[0].b = p->basic[0].b;
    p->extd[0].c = p->basic[0].c;
    p->extd[0].d = p->basic[0].d;
    p->extd[1].a = p->basic[1].a;
    p->extd[1].b &= 0xff00ffff;
    p->extd[1].d |= p->basic[1].d & COMMON_1D;
    p->extd[8].a &= 0xffff;
    p->extd[8].c &= 0x3f0ff;
    zero(p->extd, 9, 9);
    zero(p->extd, 0xb, 0x18);
    zero(p->extd, 0x1b, 0x20);
    p->extd[0x21].b = p->extd[0x21].d = 0;
}

static void recalculate_intel(struct cpu_policy *p)
{
    p->basic[2].a = (p->basic[2].a & ~0xffu) | 1; /* asked once, leaf 2 tells all */
    zero(p->basic, 3, 3);
    zero(p->basic, 9, 9);
    p->extd[0].b = p->extd[0].c = p->extd[0].d = 0;
    p->extd[1].a = p->extd[1].b = 0;
    zero(p->extd, 5, 5);
    p->extd[6].a = p->extd[6].b = p->extd[6].d = 0;
    p->extd[8].a &= 0xffff;
    p->extd[8].c = 0;
}

/* What nobody is shown (power, monitoring, APIC numbers), what is reserved, what is said twice. */
static void recalculate_misc(struct cpu_policy *p)
{
    p->basic[1].a &= 0x0fff0fff;
    p->basic[1].b &= 0x00ffffff;
    zero(p->basic, 5, 6);
    zero(p->basic, 8, 8);
    memset(p->topo, 0, sizeof(p->topo));
    zero(p->basic, 0xc, 0xc);
    p->extd[1].d &= ~COMMON_1D;
    p->extd[7].a = p->extd[7].b = p->extd[7].c = 0;
    p->extd[8].d = 0;
    if (is_amd(p))
        recalculate_amd(p);
    else if (p->basic[0].b == INTEL_EBX)
        recalculate_intel(p);
}

/* --- the host's policies --- */

static void set_features(uint32_t *fs, const uint16_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        featureset_set(fs, list[i]);
}

/*
 * All processors are cores of one, without threads (sysctl's physinfo says the same): CMP_LEGACY makes nc valid, HTT
 * lppp.
 */
static void raw_topology(struct cpu_policy *p, uint32_t *fs, unsigned int nr_pcpus)
{
    unsigned int id_size = 0;

    while (1u << id_size < nr_pcpus)
        id_size++;
    if (nr_pcpus > 1) {
        featureset_set(fs, F(HTT));
        featureset_set(fs, F(CMP_LEGACY));
    }
    p->basic[1].b = nr_pcpus << 16;
    p->extd[8].c = id_size << 12 | (nr_pcpus - 1);
}

static void calculate_raw_policy(struct cpu_policy *p, unsigned int nr_pcpus)
{
    uint32_t fs[FEATURESET_NR_ENTRIES] = { 0 };

    p->basic[0] = (struct cpuid_leaf){ 7, AMD_EBX, AMD_ECX, AMD_EDX };
    p->extd[0] = (struct cpuid_leaf){ 0x80000008, AMD_EBX, AMD_ECX, AMD_EDX };
    memcpy(&p->extd[2], BRAND, sizeof(BRAND));
    /*
     * L1: TLBs of 64 and 48 entries, 32 KiB of data in 8 ways, 96 KiB of code in 3; L2: TLBs of 1024, 1 MiB in 16 ways.
     */
    p->extd[5] = (struct cpuid_leaf){ 0xff40ff18, 0xff40ff30, 0x20080140, 0x60030140 };
    p->extd[6] = (struct cpuid_leaf){ 0x64006400, 0x64006400, 0x04008140, 0 };
    p->extd[8].a = 48 << 8 | 40; /* bits of linear and of physical addresses */
    raw_topology(p, fs, nr_pcpus);
    p->basic[1].a = p->extd[1].a = EXCAVATOR;
    p->basic[1].b |= 64 / 8 << 8; /* CLFLUSH: quadwords of a line */
    set_features(fs, processor, ARRAY_SIZE(processor));
    cpuid_featureset_to_policy(fs, p);
    p->extd[1].d |= p->basic[1].d & COMMON_1D;
}

/*
 * No SYSENTER on an AMD processor in long mode. LFENCE is made serialising on those before Zen 3, and said in a leaf
 * that those lack.
 */
static void calculate_host_policy(struct cpu_policy *p)
{
    uint32_t fs[FEATURESET_NR_ENTRIES];

    p->extd[0].a = 0x80000000 + CPUID_GUEST_NR_EXTD_AMD - 1;
    cpuid_policy_to_featureset(p, fs);
    featureset_clear(fs, F(SEP));
    featureset_set(fs, F(LFENCE_DISPATCH));
    sanitise_featureset(fs);
    cpuid_featureset_to_policy(fs, p);
    recalculate_misc(p);
}

/* Of p's features those in fs, and a hypervisor: what a guest is always told. */
static void calculate_guest_policy(struct cpu_policy *p, uint32_t *mask, const uint32_t *always)
{
    uint32_t fs[FEATURESET_NR_ENTRIES];

    cpuid_policy_to_featureset(p, fs);
    for (unsigned int i = 0; i < FEATURESET_NR_ENTRIES; i++)
        fs[i] = (fs[i] & mask[i]) | always[i];
    featureset_set(fs, F(HYPERVISOR));
    sanitise_featureset(fs);
    cpuid_featureset_to_policy(fs, p);
    recalculate_misc(p);
}

struct cpu_policies *cpu_policies_create(struct arena *arena, unsigned int nr_pcpus)
{
    struct cpu_policies *c = xzalloc(arena, struct cpu_policies);
    uint32_t mask[FEATURESET_NR_ENTRIES] = { 0 }, always[FEATURESET_NR_ENTRIES] = { 0 };

    if (!c)
        return NULL;
    calculate_raw_policy(&c->raw, nr_pcpus);
    c->host = c->raw;
    calculate_host_policy(&c->host);

    set_features(mask, pv_default, ARRAY_SIZE(pv_default));
    c->pv_def = c->host;
    calculate_guest_policy(&c->pv_def, mask, always);

    /* Topology is the toolstack's to make up, and more subleaves of 7 than the host has are borne. */
    set_features(mask, pv_on_request, ARRAY_SIZE(pv_on_request));
    featureset_set(always, F(HTT));
    featureset_set(always, F(CMP_LEGACY));
    c->pv_max = c->host;
    c->pv_max.feat[0].a = CPUID_GUEST_NR_FEAT - 1;
    calculate_guest_policy(&c->pv_max, mask, always);
    set_features(mask, hvm_besides, ARRAY_SIZE(hvm_besides));
    featureset_set(always, F(SEP));    /* outside long mode they have it */
    featureset_set(always, F(X2APIC)); /* the hypervisor's, whatever the machine's APICs are */
    c->hvm_max = c->host;
    c->hvm_max.feat[0].a = CPUID_GUEST_NR_FEAT - 1;
    calculate_guest_policy(&c->hvm_max, mask, always);
    c->hvm_def = c->pv_def;
    c->hvm_max.platform_info = c->hvm_def.platform_info = CPUID_FAULTING;
    c->hvm_def.basic[1].d |= c->hvm_max.basic[1].d;
    c->hvm_def.basic[1].c |= 1u << F(X2APIC) % 32;
    c->hvm_def.feat[0].b |= c->hvm_max.feat[0].b & c->host.feat[0].b & 1u << F(SMEP) % 32;
    return c;
}

/* --- a domain's --- */

static uint32_t min32(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* The sizes of addresses: within what the processor has, and not below what PAE makes of it. */
static void recalculate_addresses(struct cpu_policy *p, const struct cpu_policy *max)
{
    uint32_t physical = min32(p->extd[8].a & 0xff, max->extd[8].a & 0xff);
    uint32_t least = cpu_policy_has(p, F(PAE)) || cpu_policy_has(p, F(PSE36)) ? 36 : 32;

    p->extd[8].a =
        (p->extd[8].a & ~0xffffu) | (cpu_policy_has(p, F(LM)) ? 48 : 32) << 8 | (physical > least ? physical : least);
}

/* The subleaves of 4 end with the first whose type is none: 1 to 3 are data, instructions, both. */
static void recalculate_cache(struct cpu_policy *p)
{
    for (unsigned int i = 0; i < CPUID_GUEST_NR_CACHE; i++) {
        const uint32_t type = p->cache[i].a & 0x1f;

        if (type < 1 || type > 3) {
            zero(p->cache, i, CPUID_GUEST_NR_CACHE - 1);
            return;
        }
        p->cache[i].a &= 0xffffc3ff;
        p->cache[i].d &= 7;
    }
}

void recalculate_cpuid_policy(struct domain *d)
{
    struct cpu_policy *p = d->cpu_policy;
    const struct cpu_policy *max = is_hvm_domain(d) ? &d->xen->cpu_policies->hvm_max : &d->xen->cpu_policies->pv_max;
    const uint32_t last = (is_amd(p) ? CPUID_GUEST_NR_EXTD_AMD : CPUID_GUEST_NR_EXTD_INTEL) - 1;
    uint32_t fs[FEATURESET_NR_ENTRIES], max_fs[FEATURESET_NR_ENTRIES];

    p->basic[0].a = min32(p->basic[0].a, max->basic[0].a);
    p->feat[0].a = min32(p->feat[0].a, max->feat[0].a);
    p->extd[0].a = 0x80000000 | min32(p->extd[0].a & 0xffff, last);
    cpuid_policy_to_featureset(p, fs);
    cpuid_policy_to_featureset(max, max_fs);
    if (!(d->abi->efer & EFER_LMA)) /* no long mode, and what stands on it */
        featureset_clear(max_fs, F(LM));
    for (unsigned int i = 0; i < FEATURESET_NR_ENTRIES; i++)
        fs[i] &= max_fs[i];
    sanitise_featureset(fs);
    cpuid_featureset_to_policy(fs, p);

    p->basic[1].b = (p->basic[1].b & ~0xff00u) | (max->basic[1].b & 0xff00); /* lines of a cache are the host's */
    recalculate_addresses(p, max);
    recalculate_misc(p);
    recalculate_cache(p);
    zero(p->basic, 0xa, 0xa);  /* no PMU, */
    zero(p->extd, 0xa, 0xa);   /* no SVM, */
    zero(p->extd, 0x19, 0x19); /* no pages of 1 GiB */
}

int init_domain_cpu_policy(struct domain *d)
{
    d->cpu_policy = xzalloc(d->xen->machine->arena, struct cpu_policy);
    if (!d->cpu_policy)
        return -ENOMEM;
    *d->cpu_policy = is_hvm_domain(d) ? d->xen->cpu_policies->hvm_def : d->xen->cpu_policies->pv_def;
    if (is_control_domain(d)) /* it never migrates */
        d->cpu_policy->extd[7].d |= 1u << (F(ITSC) % 32);
    recalculate_cpuid_policy(d);
    return 0;
}
