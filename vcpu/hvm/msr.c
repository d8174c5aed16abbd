// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RDMSR and WRMSR of an HVM guest's kernel.
 *
 * Concept: a model-specific register is one of four things: the guest's own state (segment bases, SYSCALL's targets,
 * PAT, EFER), a means of the hypervisor's (0x40000000, which installs a hypercall page), something that PCs have and
 * that means nothing here, which is kept or reads as a constant (MTRRs, microcode, machine checks), or nothing: #GP, as
 * on a processor without it.
 *
 * Sources: AMD APM volume 2, appendix A (which there are), 7.7 (MTRRs), 16.3.1 (APIC base).
 * Corresponds to hvm_msr_read_intercept() of xen/arch/x86/hvm/hvm.c, svm_msr_read_intercept() of svm/svm.c, msr.c.
 */
#include "mmu/hvm/p2m.h"
#include "sim/frame.h"
#include "sim/nested.h"
#include "vcpu/cpu_policy.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/tsc.h"

#include <errno.h>
#include <string.h>
#include <xen/hvm/save.h>

enum {
    MSR_P5_MC_ADDR = 0x0,
    MSR_P5_MC_TYPE,
    MSR_TSC = 0x10,
    MSR_APIC_BASE = 0x1b,
    MSR_EBC_FREQUENCY_ID = 0x2c,
    MSR_TSC_ADJUST = 0x3b,
    MSR_PATCH_LEVEL = 0x8b,
    MSR_PLATFORM_INFO = 0xce,
    MSR_MTRR_CAP = 0xfe,
    MSR_MISC_FEATURES = 0x140,
    MSR_SYSENTER_CS = 0x174,
    MSR_SYSENTER_ESP,
    MSR_SYSENTER_EIP,
    MSR_MCG_CAP = 0x179,
    MSR_MCG_STATUS,
    MSR_MCG_CTL,
    MSR_DEBUGCTL = 0x1d9,
    MSR_LASTBRANCHFROM = 0x1db,
    MSR_LASTINTTO = 0x1de,
    MSR_MTRR_PHYSBASE0 = 0x200,
    MSR_MTRR_PHYSMASK7 = 0x20f,
    MSR_MTRR_FIX64K = 0x250,
    MSR_MTRR_FIX16K_8 = 0x258,
    MSR_MTRR_FIX16K_A,
    MSR_MTRR_FIX4K_C = 0x268,
    MSR_MTRR_FIX4K_F8 = 0x26f,
    MSR_PAT = 0x277,
    MSR_MC0_CTL2 = 0x280,
    MSR_MC31_CTL2 = 0x29f,
    MSR_MTRR_DEF_TYPE = 0x2ff,
    MSR_MC0_CTL = 0x400,
    MSR_MC31_MISC = 0x47f,
    MSR_TSC_DEADLINE = 0x6e0,
};
enum {
    MSR_HYPERCALL_PAGE = 0x40000000,
    MSR_EFER = 0xc0000080,
    MSR_STAR,
    MSR_LSTAR,
    MSR_CSTAR,
    MSR_SFMASK,
    MSR_FS_BASE = 0xc0000100,
    MSR_GS_BASE,
    MSR_KERNEL_GS_BASE,
    MSR_TSC_AUX,
    MSR_MC4_MISC1 = 0xc0000408,
    MSR_MC4_MISC3 = 0xc000040a,
    MSR_K7_EVNTSEL0 = 0xc0010000,
    MSR_K7_PERFCTR3 = 0xc0010007,
    MSR_SYSCFG = 0xc0010010,
    MSR_HWCR = 0xc0010015,
    MSR_TOP_MEM1 = 0xc001001a,
    MSR_TOP_MEM2 = 0xc001001d,
    MSR_NB_CFG = 0xc001001f,
    MSR_ENABLE_C1E = 0xc0010055,
    MSR_VM_CR = 0xc0010114,
    MSR_FAM15H_EVNTSEL0 = 0xc0010200,
    MSR_FAM15H_PERFCTR5 = 0xc001020b,
    MSR_BU_CFG = 0xc0011023,
    MSR_DE_CFG = 0xc0011029,
    MSR_BU_CFG2 = 0xc001102a,
};

#define PAT_VALID_TYPES            0xf3                /* 0, 1, 4 to 7 */
#define MTRR_VALID_TYPES           0x73                /* 0, 1, 4 to 6 */
#define MTRR_CAP                   0x508               /* 8 variable ranges, fixed ones, write-combining */
#define HWCR_TSC_FREQ              (UINT64_C(1) << 24) /* the TSC counts at P0's frequency */
#define MC4_MISC_LOCKED            (UINT64_C(1) << 61)
#define DE_CFG_LFENCE              2 /* LFENCE lets nothing behind it begin */
#define GUEST_MC_BANKS             2u
#define MISC_FEATURES_CPUID_FAULTS 1u

/* --------------------------------------------------------------------------------------------------------- MTRRs -- */

/* Where a memory type range register is kept: they are read and written, and no memory is of another type for it. */
static uint64_t *mtrr(struct vcpu *v, uint32_t msr)
{
    struct hvm_mtrr *m = &v->hvm->mtrr;

    switch (msr) {
    case MSR_MTRR_PHYSBASE0 ... MSR_MTRR_PHYSMASK7: return &m->variable[msr - MSR_MTRR_PHYSBASE0];
    case MSR_MTRR_FIX64K: return &m->fixed[0];
    case MSR_MTRR_FIX16K_8 ... MSR_MTRR_FIX16K_A: return &m->fixed[1 + msr - MSR_MTRR_FIX16K_8];
    case MSR_MTRR_FIX4K_C ... MSR_MTRR_FIX4K_F8: return &m->fixed[3 + msr - MSR_MTRR_FIX4K_C];
    case MSR_MTRR_DEF_TYPE: return &m->def_type;
    default: return NULL;
    }
}

static bool types_valid(uint64_t val, uint8_t valid)
{
    for (unsigned int i = 0; i < 8; i++, val >>= 8)
        if ((val & 0xff) > 7 || !(valid >> (val & 7) & 1))
            return false;
    return true;
}

/* What it may be: types that there are, addresses of the processor's width. */
static bool mtrr_valid(uint32_t msr, uint64_t val)
{
    const bool type = (val & 0xff) <= 7 && MTRR_VALID_TYPES >> (val & 7) & 1;

    if (msr == MSR_MTRR_DEF_TYPE)
        return type && !(val & ~UINT64_C(0xcff));
    if (msr > MSR_MTRR_PHYSMASK7)
        return types_valid(val, MTRR_VALID_TYPES);
    return type && !(val >> NESTED_PADDR_BITS) && !(val & (msr & 1 ? 0x7ff : 0xf00));
}

/* --------------------------------------------------------------------- machine checks, and what PCs have besides -- */

static bool is_mce(uint32_t msr)
{
    return msr == MSR_P5_MC_ADDR || msr == MSR_P5_MC_TYPE || (msr >= MSR_MCG_CAP && msr <= MSR_MCG_CTL) ||
           (msr >= MSR_MC0_CTL2 && msr <= MSR_MC31_CTL2) || (msr >= MSR_MC0_CTL && msr <= MSR_MC31_MISC);
}

static bool is_mce_bank(uint32_t msr) { return msr >= MSR_MC0_CTL && msr < MSR_MC0_CTL + 4 * GUEST_MC_BANKS; }

/* Two banks that never have anything to report. */
static uint64_t mce_read(const struct vcpu *v, uint32_t msr)
{
    if (msr == MSR_MCG_CAP)
        return GUEST_MC_BANKS;
    if (msr == MSR_MCG_STATUS)
        return v->hvm->mcg_status;
    return is_mce_bank(msr) && (msr & 3) == 0 ? ~UINT64_C(0) : 0; /* CTL: everything is reported */
}

/* A bank's status, address and misc can only be cleared. */
static bool mce_write(struct vcpu *v, uint32_t msr, uint64_t val)
{
    if (msr == MSR_MCG_STATUS)
        v->hvm->mcg_status = val;
    return msr != MSR_MCG_CAP && (!is_mce_bank(msr) || (msr & 3) == 0 || val == 0);
}

/* Read as 0, and writes are lost. */
static bool is_ignored(uint32_t msr)
{
    switch (msr) {
    case MSR_TSC_DEADLINE: /* the timer is never in that mode */
    case MSR_K7_EVNTSEL0 ... MSR_K7_PERFCTR3:
    case MSR_FAM15H_EVNTSEL0 ... MSR_FAM15H_PERFCTR5:
    case MSR_SYSCFG:
    case MSR_TOP_MEM1:
    case MSR_TOP_MEM2:
    case MSR_NB_CFG:
    case MSR_VM_CR:
    case MSR_BU_CFG:
    case MSR_BU_CFG2: return true;
    default: return false;
    }
}

/* ------------------------------------------------------------------------------------------------------- reading -- */

static bool has_tsc_aux(const struct vcpu *v) { return cpu_policy_has(v->domain->cpu_policy, XEN_X86_FEATURE_RDTSCP); }

/* What is the same on each processor; false: it is not that. */
static bool read_constant(uint32_t msr, uint64_t *val)
{
    switch (msr) {
    case MSR_EBC_FREQUENCY_ID:
    case MSR_PATCH_LEVEL:
    case MSR_ENABLE_C1E:
    case MSR_HYPERCALL_PAGE: *val = 0; return true;
    case MSR_MTRR_CAP: *val = MTRR_CAP; return true;
    case MSR_HWCR: *val = HWCR_TSC_FREQ; return true;
    case MSR_DE_CFG: *val = DE_CFG_LFENCE; return true;
    case MSR_MC4_MISC1 ... MSR_MC4_MISC3: *val = MC4_MISC_LOCKED; return true;
    default: *val = 0; return is_ignored(msr);
    }
}

bool hvm_read_msr(struct vcpu *v, uint32_t msr, uint64_t *val)
{
    const struct cpu_state *r = v->regs;

    switch (msr) {
    case MSR_TSC: *val = guest_rdtsc(v) + (uint64_t)v->hvm->tsc_adjust; return true;
    case MSR_TSC_ADJUST: *val = (uint64_t)v->hvm->tsc_adjust; return true;
    case MSR_DEBUGCTL: *val = v->hvm->debugctl; return true;
    case MSR_LASTBRANCHFROM ... MSR_LASTINTTO: *val = v->hvm->last_branch[msr - MSR_LASTBRANCHFROM]; return true;
    case MSR_APIC_BASE: *val = v->hvm->vlapic.apic_base_msr; return true;
    case MSR_X2APIC_FIRST ... MSR_X2APIC_LAST: return vlapic_x2apic_read(&v->hvm->vlapic, msr, val);
    case MSR_SYSENTER_CS: *val = r->sysenter_cs; return true;
    case MSR_SYSENTER_ESP: *val = r->sysenter_esp; return true;
    case MSR_SYSENTER_EIP: *val = r->sysenter_eip; return true;
    case MSR_PAT: *val = r->pat; return true;
    case MSR_EFER: *val = r->efer; return true;
    case MSR_STAR: *val = r->star; return true;
    case MSR_LSTAR: *val = r->lstar; return true;
    case MSR_CSTAR: *val = r->cstar; return true;
    case MSR_SFMASK: *val = r->sfmask; return true;
    case MSR_FS_BASE: *val = r->seg[CPU_SEG_FS].base; return true;
    case MSR_GS_BASE: *val = r->seg[CPU_SEG_GS].base; return true;
    case MSR_KERNEL_GS_BASE: *val = r->kernel_gs_base; return true;
    case MSR_TSC_AUX: *val = v->hvm->tsc_aux; return has_tsc_aux(v);
    case MSR_PLATFORM_INFO: *val = v->domain->cpu_policy->platform_info; return true;
    case MSR_MISC_FEATURES: *val = v->hvm->cpuid_faults; return true;
    default:
        if (is_mce(msr))
            *val = mce_read(v, msr);
        else if (mtrr(v, msr))
            *val = *mtrr(v, msr);
        else
            return read_constant(msr, val);
        return true;
    }
}

/* ------------------------------------------------------------------------------------------------------- writing -- */

/* The page that the guest names becomes its hypercall page; bits 0 to 11 number it, and there is one. */
static bool hypercall_page(struct vcpu *v, uint64_t val)
{
    struct domain *d = v->domain;
    struct machine *m = d->xen->machine;
    struct page_info *pg;
    p2m_type_t t;
    mfn_t mfn;

    if (PAGE_OFFSET(val))
        return false;
    pg = get_page_from_gfn(d, PFN_DOWN(val), &t);
    if (!pg)
        return false;
    mfn = page_to_mfn(d->xen, pg);
    d->guest->init_hypercall_page(frame_write_begin(m, mfn));
    frame_write_end(m, mfn);
    put_page(d->xen, pg);
    hvm_latch_shinfo_size(v);
    return true;
}

static bool base_write(struct vcpu *v, uint64_t *base, uint64_t val, uint32_t dirty)
{
    if (!is_canonical(val))
        return false;
    *base = val;
    v->regs->dirty |= dirty;
    return true;
}

bool hvm_write_msr(struct vcpu *v, uint32_t msr, uint64_t val)
{
    struct cpu_state *r = v->regs;

    switch (msr) {
    case MSR_TSC: v->hvm->tsc_adjust += (int64_t)(val - guest_rdtsc(v) - (uint64_t)v->hvm->tsc_adjust); return true;
    case MSR_TSC_ADJUST: v->hvm->tsc_adjust = (int64_t)val; return true;
    case MSR_DEBUGCTL: v->hvm->debugctl = val; return true;
    case MSR_LASTBRANCHFROM ... MSR_LASTINTTO: v->hvm->last_branch[msr - MSR_LASTBRANCHFROM] = val; return true;
    case MSR_APIC_BASE: return hvm_apic_base_set(v, val);
    case MSR_X2APIC_FIRST ... MSR_X2APIC_LAST: return vlapic_x2apic_write(&v->hvm->vlapic, msr, val);
    case MSR_SYSENTER_CS: r->sysenter_cs = (uint16_t)val; return true;
    case MSR_SYSENTER_ESP: return base_write(v, &r->sysenter_esp, val, 0);
    case MSR_SYSENTER_EIP: return base_write(v, &r->sysenter_eip, val, 0);
    case MSR_PAT:
        if (!types_valid(val, PAT_VALID_TYPES))
            return false;
        r->pat = val;
        return true;
    case MSR_EFER: return hvm_set_efer(v, val);
    case MSR_STAR: r->star = val; return true;
    case MSR_LSTAR: return base_write(v, &r->lstar, val, 0);
    case MSR_CSTAR: return base_write(v, &r->cstar, val, 0);
    case MSR_SFMASK: r->sfmask = (uint32_t)val; return true;
    case MSR_FS_BASE: return base_write(v, &r->seg[CPU_SEG_FS].base, val, CPU_DIRTY_SEGS);
    case MSR_GS_BASE: return base_write(v, &r->seg[CPU_SEG_GS].base, val, CPU_DIRTY_SEGS);
    case MSR_KERNEL_GS_BASE: return base_write(v, &r->kernel_gs_base, val, CPU_DIRTY_MSR);
    case MSR_TSC_AUX:
        if (val >> 32 || !has_tsc_aux(v))
            return false;
        v->hvm->tsc_aux = (uint32_t)val;
        return true;
    case MSR_HYPERCALL_PAGE: return hypercall_page(v, val);
    case MSR_MISC_FEATURES:
        if (val & ~(uint64_t)(v->domain->cpu_policy->platform_info & CPUID_FAULTING ? MISC_FEATURES_CPUID_FAULTS : 0))
            return false;
        v->hvm->cpuid_faults = val;
        return true;
    case MSR_HWCR:
    case MSR_DE_CFG:
    case MSR_MC4_MISC1 ... MSR_MC4_MISC3: return true; /* lost */
    default:
        if (is_mce(msr))
            return mce_write(v, msr, val);
        if (!mtrr(v, msr) || !mtrr_valid(msr, val))
            return is_ignored(msr);
        *mtrr(v, msr) = val;
        return true;
    }
}

/* ------------------------------------------------------------------------------------------------- as a record -- */

static uint32_t fixed_msr(unsigned int i)
{
    return i == 0 ? MSR_MTRR_FIX64K : i < 3 ? MSR_MTRR_FIX16K_8 + i - 1 : MSR_MTRR_FIX4K_C + i - 3;
}

void hvm_mtrr_save(const struct vcpu *v, struct hvm_hw_mtrr *r)
{
    const struct hvm_mtrr *m = &v->hvm->mtrr;

    *r = (struct hvm_hw_mtrr){ .msr_pat_cr = v->regs->pat, .msr_mtrr_cap = MTRR_CAP, .msr_mtrr_def_type = m->def_type };
    memcpy(r->msr_mtrr_var, m->variable, sizeof(r->msr_mtrr_var));
    memcpy(r->msr_mtrr_fixed, m->fixed, sizeof(r->msr_mtrr_fixed));
}

int hvm_mtrr_load(struct vcpu *v, const struct hvm_hw_mtrr *r)
{
    if ((r->msr_mtrr_cap & 0xff) > MTRR_VCNT)
        return -EINVAL;
    hvm_write_msr(v, MSR_PAT, r->msr_pat_cr);
    for (unsigned int i = 0; i < 2 * MTRR_VCNT; i++)
        hvm_write_msr(v, MSR_MTRR_PHYSBASE0 + i, r->msr_mtrr_var[i]);
    for (unsigned int i = 0; i < NUM_FIXED_MSR; i++)
        hvm_write_msr(v, fixed_msr(i), r->msr_mtrr_fixed[i]);
    hvm_write_msr(v, MSR_MTRR_DEF_TYPE, r->msr_mtrr_def_type);
    return 0;
}

void hvm_vmce_save(const struct vcpu *v, struct hvm_vmce_vcpu *r)
{
    *r = (struct hvm_vmce_vcpu){ .caps = mce_read(v, MSR_MCG_CAP) };
}

int hvm_vmce_load(const struct vcpu *v, const struct hvm_vmce_vcpu *r)
{
    return r->caps & ~mce_read(v, MSR_MCG_CAP) ? -EPERM : 0;
}
