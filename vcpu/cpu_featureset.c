// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Featuresets: the bits of CPUID that stand for features, in words of 32.
 *
 * Concept: public arch-x86/cpufeatureset.h numbers the features (XEN_X86_FEATURE_SSE2 is 0 * 32 + 26), and word n is
 * one register of one leaf. Features stand on others, some by nature (SSE2 computes in the registers of SSE), some
 * because there is no processor with one and without the other. Who takes one away must take away what stands on it, or
 * a guest meets a processor that cannot be.
 *
 * Source: the manuals' descriptions of each feature; Xen's tools/gen-cpuid.py has the same relation.
 */
#include "sim/types.h"
#include "vcpu/cpu_policy.h"

#include <string.h>

#define F(name) XEN_X86_FEATURE_##name

// clang-format off
/* The first is the ground that the others stand on. */
static const uint16_t deps[][8] = {
    { F(FPU), F(MMX), F(RSTR_FP_ERR_PTRS) },
    { F(PSE), F(PSE36) },
    { F(PAE), F(LM), F(NX) },
    { F(TSC), F(TSC_DEADLINE), F(RDTSCP), F(TSC_ADJUST), F(ITSC) },
    { F(APIC), F(X2APIC), F(TSC_DEADLINE), F(EXTAPIC) },
    { F(MMX), F(MMXEXT), F(3DNOW) },
    { F(FXSR), F(FFXSR), F(SSE) },
    { F(SSE), F(SSE2), F(MISALIGNSSE) },
    { F(SSE2), F(SSE3), F(LM), F(AESNI), F(PCLMULQDQ), F(SHA), F(GFNI) },
    { F(SSE3), F(SSSE3), F(SSE4A) },
    { F(SSSE3), F(SSE4_1) },
    { F(SSE4_1), F(SSE4_2) },
    { F(XSAVE), F(XSAVEOPT), F(XSAVEC), F(XGETBV1), F(XSAVES), F(AVX), F(MPX), F(PKU) },
    { F(XSAVE), F(LWP) },
    { F(AVX), F(FMA), F(FMA4), F(F16C), F(AVX2), F(XOP) },
    { F(NX), F(SMAP) },
    { F(LM), F(CX16), F(PCID), F(LAHF_LM), F(PAGE1GB), F(PKU), F(NO_LMSL) },
    { F(3DNOW), F(3DNOWEXT) },
    { F(AVX2), F(AVX512F), F(VAES), F(VPCLMULQDQ), F(AVX_VNNI) },
    { F(AVX512F), F(AVX512DQ), F(AVX512_IFMA), F(AVX512PF), F(AVX512ER), F(AVX512CD), F(AVX512BW), F(AVX512VL) },
    { F(AVX512F), F(AVX512_4VNNIW), F(AVX512_4FMAPS), F(AVX512_VNNI), F(AVX512_VPOPCNTDQ), F(AVX512_VP2INTERSECT) },
    { F(AVX512BW), F(AVX512_VBMI), F(AVX512_VBMI2), F(AVX512_BITALG), F(AVX512_BF16), F(AVX512_FP16) },
    { F(PCLMULQDQ), F(VPCLMULQDQ) },
    { F(AESNI), F(VAES) },
    { F(IBRSB), F(STIBP), F(SSBD), F(INTEL_PSFD), F(EIBRS), F(IPRED_CTRL), F(RRSBA_CTRL), F(BHI_CTRL) },
    { F(IBRS), F(AMD_STIBP), F(AMD_SSBD), F(PSFD), F(IBRS_ALWAYS), F(IBRS_FAST), F(IBRS_SAME_MODE) },
    { F(IBPB), F(IBPB_RET), F(SBPB), F(IBPB_BRTYPE) },
    { F(AMD_STIBP), F(STIBP_ALWAYS) },
    { F(RTM), F(TSXLDTRK) },
    { F(EIBRS), F(RRSBA) },
};
// clang-format on

/* Where word n of a featureset lies in the leaves. */
static uint32_t *feature_word(struct cpu_policy *p, unsigned int n)
{
    uint32_t *const words[FEATURESET_NR_ENTRIES] = {
        &p->basic[1].d, &p->basic[1].c,   &p->extd[1].d,    &p->extd[1].c,    &p->xstate_1a,
        &p->feat[0].b,  &p->feat[0].c,    &p->extd[7].d,    &p->extd[8].b,    &p->feat[0].d,
        &p->feat[1].a,  &p->extd[0x21].a, &p->feat[1].b,    &p->feat[2].d,    &p->feat[1].c,
        &p->feat[1].d,  &p->arch_caps[0], &p->arch_caps[1], &p->extd[0x21].c,
    };

    return words[n];
}

/* For reading alone. */
static uint32_t feature_read(const struct cpu_policy *p, unsigned int n)
{
    return *feature_word((struct cpu_policy *)(uintptr_t)p, n);
}

void cpuid_policy_to_featureset(const struct cpu_policy *p, uint32_t fs[FEATURESET_NR_ENTRIES])
{
    for (unsigned int i = 0; i < FEATURESET_NR_ENTRIES; i++)
        fs[i] = feature_read(p, i);
}

void cpuid_featureset_to_policy(const uint32_t fs[FEATURESET_NR_ENTRIES], struct cpu_policy *p)
{
    for (unsigned int i = 0; i < FEATURESET_NR_ENTRIES; i++)
        *feature_word(p, i) = fs[i];
}

bool cpu_policy_has(const struct cpu_policy *p, unsigned int feature)
{
    return feature_read(p, feature / 32) >> (feature % 32) & 1;
}

static void known_features(uint32_t fs[FEATURESET_NR_ENTRIES])
{
    memset(fs, 0, FEATURESET_NR_ENTRIES * sizeof(fs[0]));
#define XEN_CPUFEATURE(name, value) featureset_set(fs, value);
#include <xen/arch-x86/cpufeatureset.h>
#undef XEN_CPUFEATURE
}

/* One round of deps[]; whether anything fell. */
static bool dependents_clear(uint32_t *fs)
{
    uint32_t before[FEATURESET_NR_ENTRIES];

    memcpy(before, fs, sizeof(before));
    for (size_t i = 0; i < ARRAY_SIZE(deps); i++)
        for (size_t j = 1; j < ARRAY_SIZE(deps[i]) && deps[i][j] && !featureset_has(fs, deps[i][0]); j++)
            featureset_clear(fs, deps[i][j]);
    if (!featureset_has(fs, F(ARCH_CAPS))) /* the bit says that the MSR is there, whose bits these words are */
        fs[F(RDCL_NO) / 32] = fs[F(RDCL_NO) / 32 + 1] = 0;
    return memcmp(before, fs, sizeof(before)) != 0;
}

void sanitise_featureset(uint32_t fs[FEATURESET_NR_ENTRIES])
{
    uint32_t known[FEATURESET_NR_ENTRIES];

    known_features(known);
    for (unsigned int i = 0; i < FEATURESET_NR_ENTRIES; i++)
        fs[i] &= known[i];
    while (dependents_clear(fs))
        ;
}
