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
#include "vcpu/cpu_policy.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/tsc.h"

enum {
    MSR_TSC = 0x10,
    MSR_APIC_BASE = 0x1b,
    MSR_TSC_ADJUST = 0x3b,
    MSR_PATCH_LEVEL = 0x8b,
    MSR_MTRR_CAP = 0xfe,
    MSR_SYSENTER_CS = 0x174,
    MSR_SYSENTER_ESP,
    MSR_SYSENTER_EIP,
    MSR_MCG_CAP = 0x179,
    MSR_MCG_STATUS,
    MSR_MISC_ENABLE = 0x1a0,
    MSR_MTRR_PHYSBASE0 = 0x200,
    MSR_MTRR_PHYSMASK7 = 0x20f,
    MSR_MTRR_FIX64K = 0x250,
    MSR_MTRR_FIX16K_8 = 0x258,
    MSR_MTRR_FIX16K_A,
    MSR_MTRR_FIX4K_C = 0x268,
    MSR_MTRR_FIX4K_F8 = 0x26f,
    MSR_PAT = 0x277,
    MSR_MTRR_DEF_TYPE = 0x2ff,
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
    MSR_SYSCFG = 0xc0010010,
    MSR_NB_CFG = 0xc001001f,
    MSR_HWCR = 0xc0010015,
    MSR_DE_CFG = 0xc0011029,
};

#define PAT_VALID_TYPES 0xf3 /* 0, 1, 4 to 7 */

/* ----------------------------------------------------------------------------------------------------- MTRRs -- */

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

/* ---------------------------------------------------------------------------------------------------- reading -- */

bool hvm_read_msr(struct vcpu *v, uint32_t msr, uint64_t *val)
{
    const struct cpu_state *r = v->regs;

    switch (msr) {
    case MSR_TSC: *val = guest_rdtsc(v) + (uint64_t)v->hvm->tsc_adjust; return true;
    case MSR_APIC_BASE: *val = v->hvm->vlapic.apic_base_msr; return true;
    case MSR_SYSENTER_CS: *val = r->sysenter_cs; return true;
    case MSR_SYSENTER_ESP: *val = r->sysenter_esp; return true;
    case MSR_SYSENTER_EIP: *val = r->sysenter_eip; return true;
    case MSR_MTRR_CAP: *val = 0x508; return true; /* 8 variable ranges, fixed ones, write-combining */
    case MSR_PAT: *val = r->pat; return true;
    case MSR_EFER: *val = r->efer; return true;
    case MSR_STAR: *val = r->star; return true;
    case MSR_LSTAR: *val = r->lstar; return true;
    case MSR_CSTAR: *val = r->cstar; return true;
    case MSR_SFMASK: *val = r->sfmask; return true;
    case MSR_FS_BASE: *val = r->seg[CPU_SEG_FS].base; return true;
    case MSR_GS_BASE: *val = r->seg[CPU_SEG_GS].base; return true;
    case MSR_KERNEL_GS_BASE: *val = r->kernel_gs_base; return true;
    case MSR_TSC_AUX: *val = v->hvm->tsc_aux; return true;
    case MSR_PATCH_LEVEL:
    case MSR_MCG_CAP:
    case MSR_MCG_STATUS:
    case MSR_MISC_ENABLE:
    case MSR_SYSCFG:
    case MSR_HWCR:
    case MSR_NB_CFG: *val = 0; return true;
    case MSR_DE_CFG: *val = 2; return true; /* LFENCE serializes */
    default:
        if (!mtrr(v, msr))
            return false;
        *val = *mtrr(v, msr);
        return true;
    }
}

/* ---------------------------------------------------------------------------------------------------- writing -- */

static bool pat_valid(uint64_t val)
{
    for (unsigned int i = 0; i < 8; i++, val >>= 8)
        if ((val & 0xff) > 7 || !(PAT_VALID_TYPES >> (val & 7) & 1))
            return false;
    return true;
}

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
    case MSR_APIC_BASE: return hvm_apic_base_set(v, val);
    case MSR_SYSENTER_CS: r->sysenter_cs = (uint16_t)val; return true;
    case MSR_SYSENTER_ESP: return base_write(v, &r->sysenter_esp, val, 0);
    case MSR_SYSENTER_EIP: return base_write(v, &r->sysenter_eip, val, 0);
    case MSR_PAT:
        if (!pat_valid(val))
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
        if (val >> 32)
            return false;
        v->hvm->tsc_aux = (uint32_t)val;
        return true;
    case MSR_HYPERCALL_PAGE: return hypercall_page(v, val);
    case MSR_PATCH_LEVEL:
    case MSR_MCG_STATUS:
    case MSR_MISC_ENABLE:
    case MSR_SYSCFG:
    case MSR_HWCR:
    case MSR_NB_CFG:
    case MSR_DE_CFG: return true; /* taken, and of no effect */
    default:
        if (!mtrr(v, msr))
            return false;
        *mtrr(v, msr) = val;
        return true;
    }
}
