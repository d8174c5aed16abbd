// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The model-specific registers that a PV kernel sees.
 *
 * Concept: RDMSR and WRMSR fault outside ring 0, so each is an exit and every answer is made up. There are four kinds:
 *
 *   the guest's own    segment bases, TSC_AUX, MCG_STATUS: kept in the vCPU
 *   constants          EFER, APIC_BASE, PAT, and what reads 0 (PATCHLEVEL, PLATFORM_INFO...): what a kernel must know of the
 *                      machine; a write is #GP, but for EFER with the value that it has
 *   read 0, write lost performance counters, P-states, HWCR (and DE_CFG, which reads 2): kernels of this processor
 *   touch
 *                      them without asking
 *   #GP                the rest
 *
 * Two exceptions. A kernel that has no #GP handler yet reads 0 from a register that the processor has (public
 * arch-x86/xen.h, set_trap_table): its death would help nobody. And a domain made with XEN_X86_MSR_RELAXED has what the
 * processor has: it reads 0, and writes are lost.
 *
 * Invariant: nothing here changes the processor.
 *
 * Corresponds to xen/arch/x86/msr.c, read_msr() and write_msr() of pv/emul-priv-op.c, cpu/mcheck/vmce.c, cpu/vpmu.c
 * (off), on an AMD processor of family 15h (cpu_policy.c says why). Lab 00 shows it: guests/rings.c.
 */
#include "vcpu/cpu_policy.h"
#include "vcpu/pv/pv.h"
#include "vcpu/tsc.h"

#include <xen/domctl.h>

#define MSR_P5_MC_ADDR        0x0u
#define MSR_P5_MC_TYPE        0x1u
#define MSR_TSC               0x10u
#define MSR_APIC_BASE         0x1bu
#define MSR_PATCHLEVEL        0x8bu
#define MSR_PLATFORM_INFO     0xceu
#define MSR_MISC_FEATURES     0x140u
#define MSR_MCG_CAP           0x179u
#define MSR_MCG_STATUS        0x17au
#define MSR_MCG_CTL           0x17bu
#define MSR_CR_PAT            0x277u
#define MSR_MC0_CTL2          0x280u
#define MSR_MC31_CTL2         0x29fu
#define MSR_PERF_CAPABILITIES 0x345u
#define MSR_MC0_CTL           0x400u
#define MSR_MC31_MISC         0x47fu
#define MSR_HYPERCALL_PAGE    0x40000000u /* CPUID leaf 0x40000002 says so */
#define MSR_EFER              0xc0000080u
#define MSR_FS_BASE           0xc0000100u
#define MSR_GS_BASE           0xc0000101u
#define MSR_SHADOW_GS_BASE    0xc0000102u
#define MSR_TSC_AUX           0xc0000103u
#define MSR_LWP_CFG           0xc0000105u
#define MSR_LWP_CBADDR        0xc0000106u
#define MSR_K7_EVNTSEL0       0xc0010000u
#define MSR_K7_PERFCTR3       0xc0010007u
#define MSR_HWCR              0xc0010015u
#define MSR_NB_CFG            0xc001001fu
#define MSR_PATCHLOADER       0xc0010020u
#define MSR_FID_VID_CTL       0xc0010041u
#define MSR_FID_VID_STATUS    0xc0010042u
#define MSR_MMIO_CONF_BASE    0xc0010058u
#define MSR_PSTATE_LIMIT      0xc0010061u
#define MSR_PSTATE7           0xc001006bu
#define MSR_FAM15H_EVNTSEL0   0xc0010200u
#define MSR_FAM15H_PERFCTR5   0xc001020bu
#define MSR_PPIN_CTL          0xc00102f0u
#define MSR_PPIN              0xc00102f1u
#define MSR_DE_CFG            0xc0011029u
#define DE_CFG_LFENCE         0x2u /* LFENCE lets nothing behind it begin */
/* WB WT UC- UC WC WP UC UC: what Xen programs, and PTEs of guests mean */
#define XEN_MSR_PAT    UINT64_C(0x050100070406)
#define GUEST_MC_BANKS 2u /* machine check banks that each guest has */

/* --- the processor's own --- */

/* Registers that the processor has: what RDMSR would read there, if only to forget it (AMD BKDG 50742, 3.21 and on). */
static bool host_has(uint32_t msr)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0x0, 0x1 },               /* old machine check */
        { 0x10, 0x10 },             /* TSC */
        { 0x1b, 0x1b },             /* APIC_BAR */
        { 0x8b, 0x8b },             /* PATCH_LEVEL */
        { 0xe7, 0xe8 },             /* MPERF, APERF */
        { 0xfe, 0xfe },             /* MTRRcap */
        { 0x174, 0x176 },           /* SYSENTER */
        { 0x179, 0x17b },           /* MCG */
        { 0x1d9, 0x1d9 },           /* DBG_CTL */
        { 0x1db, 0x1de },           /* last branch, last interrupt */
        { 0x200, 0x20f },           /* MTRRs */
        { 0x250, 0x250 },           /* fixed MTRRs, to: */
        { 0x258, 0x259 },           /* */
        { 0x268, 0x26f },           /* */
        { 0x277, 0x277 },           /* PAT */
        { 0x2ff, 0x2ff },           /* MTRRdefType */
        { 0x400, 0x41b },           /* machine check banks */
        { 0xc0000080, 0xc0000084 }, /* EFER STAR LSTAR CSTAR SFMASK */
        { 0xc00000e7, 0xc00000e8 }, /* read-only MPERF, APERF */
        { 0xc0000100, 0xc0000106 }, /* bases, TSC_AUX, TSC ratio, LWP */
        { 0xc0000408, 0xc000040a }, /* more of machine check bank 4 */
        { 0xc0010000, 0xc0010007 }, /* performance counters */
        { 0xc0010010, 0xc0010010 }, /* SYSCFG */
        { 0xc0010015, 0xc001001a }, /* HWCR, IORRs, TOP_MEM */
        { 0xc001001d, 0xc001001d }, /* TOM2 */
        { 0xc001001f, 0xc001001f }, /* NB_CFG */
        { 0xc0010022, 0xc0010022 }, /* machine check redirection */
        { 0xc0010030, 0xc0010035 }, /* processor name */
        { 0xc001003e, 0xc001003e }, /* HTC */
        { 0xc0010050, 0xc0010056 }, /* SMI traps */
        { 0xc0010058, 0xc0010058 }, /* MMIO configuration */
        { 0xc0010061, 0xc001006b }, /* P-states */
        { 0xc0010070, 0xc0010074 }, /* COFVID, C-states, watchdog */
        { 0xc001007a, 0xc001007b }, /* power of a compute unit */
        { 0xc0010111, 0xc0010119 }, /* SMM, VM_CR, VM_HSAVE_PA */
        { 0xc0010140, 0xc0010141 }, /* OSVW */
        { 0xc0010200, 0xc001020b }, /* performance counters */
        { 0xc0010240, 0xc0010247 }, /* of the northbridge */
        { 0xc0011000, 0xc0011005 }, /* CPUID overrides */
        { 0xc0011019, 0xc0011023 }, /* breakpoint masks, LS_CFG to BU_CFG */
        { 0xc0011027, 0xc001102d }, /* breakpoint mask, FP_CFG, DE_CFG to LS_CFG2 */
        { 0xc0011030, 0xc001103d }, /* IBS */
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++)
        if (msr >= ranges[i].first && msr <= ranges[i].last)
            return true;
    return false;
}

/* What not even a domain with XEN_X86_MSR_RELAXED has. */
static bool never_offered(uint32_t msr)
{
    switch (msr) {
    case MSR_LWP_CFG:
    case MSR_LWP_CBADDR:
    case MSR_PATCHLOADER:
    case MSR_PPIN_CTL:
    case MSR_PPIN: return true;
    default: return msr >> 16 == MSR_HYPERCALL_PAGE >> 16;
    }
}

static bool relaxed(const struct domain *d, uint32_t msr)
{
    return d->msr_relaxed && !never_offered(msr) && host_has(msr);
}

/* Read as 0, and writes are lost: kernels of this processor touch them without asking. */
static bool is_ignored(uint32_t msr)
{
    return (msr >= MSR_K7_EVNTSEL0 && msr <= MSR_K7_PERFCTR3) ||
           (msr >= MSR_FAM15H_EVNTSEL0 && msr <= MSR_FAM15H_PERFCTR5) ||
           (msr >= MSR_PSTATE_LIMIT && msr <= MSR_PSTATE7) || msr == MSR_FID_VID_CTL || msr == MSR_FID_VID_STATUS ||
           msr == MSR_HWCR || msr == MSR_NB_CFG || msr == MSR_MMIO_CONF_BASE;
}

/* --- machine check: two banks that never have anything to report, and room for more --- */

static bool is_mce(uint32_t msr)
{
    return (msr >= MSR_MCG_CAP && msr <= MSR_MCG_CTL) || (msr >= MSR_MC0_CTL2 && msr <= MSR_MC31_CTL2) ||
           (msr >= MSR_MC0_CTL && msr <= MSR_MC31_MISC);
}

static bool is_mce_bank(uint32_t msr) { return msr >= MSR_MC0_CTL && msr < MSR_MC0_CTL + 4 * GUEST_MC_BANKS; }

static uint64_t mce_read(const struct vcpu *v, uint32_t msr)
{
    if (msr == MSR_MCG_CAP)
        return GUEST_MC_BANKS;
    if (msr == MSR_MCG_STATUS)
        return v->pv.mcg_status;
    return is_mce_bank(msr) && (msr & 3) == 0 ? ~UINT64_C(0) : 0; /* CTL: everything is reported */
}

/* A bank's status, address and misc can only be cleared. */
static bool mce_write(struct vcpu *v, uint32_t msr, uint64_t val)
{
    if (msr == MSR_MCG_STATUS)
        v->pv.mcg_status = val;
    return !is_mce_bank(msr) || (msr & 3) == 0 || val == 0;
}

/* --- the guest's --- */

static bool has_tsc_aux(const struct vcpu *v) { return cpu_policy_has(v->domain->cpu_policy, XEN_X86_FEATURE_RDTSCP); }

/* The MSRs FS_BASE, GS_BASE and its shadow. */
static bool has_bases(const struct domain *d) { return d->abi->efer & EFER_LMA; }

static bool read(struct vcpu *v, uint32_t msr, uint64_t *val)
{
    *val = 0;
    switch (msr) {
    case MSR_FS_BASE: *val = v->regs->seg[CPU_SEG_FS].base; return has_bases(v->domain);
    case MSR_GS_BASE: *val = v->regs->seg[CPU_SEG_GS].base; return has_bases(v->domain);
    case MSR_SHADOW_GS_BASE: *val = v->pv.gs_base_user; return has_bases(v->domain);
    case MSR_EFER: *val = v->domain->abi->efer; return true;
    case MSR_TSC: *val = guest_rdtsc(v); return true;
    case MSR_TSC_AUX: *val = has_tsc_aux(v) ? v->pv.tsc_aux : 0; return has_tsc_aux(v);
    case MSR_APIC_BASE: *val = 0xfee00800u | (v->vcpu_id == 0 ? 0x100u : 0); return true;
    case MSR_CR_PAT: *val = XEN_MSR_PAT; return true;
    case MSR_DE_CFG: *val = DE_CFG_LFENCE; return true;
    case MSR_P5_MC_ADDR:
    case MSR_P5_MC_TYPE:
    case MSR_PATCHLEVEL:
    case MSR_PLATFORM_INFO:
    case MSR_MISC_FEATURES:
    case MSR_PERF_CAPABILITIES:
    case MSR_HYPERCALL_PAGE: return true;
    default:
        if (is_mce(msr))
            *val = mce_read(v, msr);
        return is_mce(msr) || is_ignored(msr) || relaxed(v->domain, msr);
    }
}

bool pv_read_msr(struct vcpu *v, uint32_t msr, uint64_t *val)
{
    if (read(v, msr, val))
        return true;
    *val = 0;
    return v->pv.trap_ctxt[X86_EXC_GP].address == 0 && host_has(msr);
}

static bool write_base(struct vcpu *v, uint32_t msr, uint64_t val)
{
    if (!has_bases(v->domain) || !is_canonical(val))
        return false;
    if (msr == MSR_SHADOW_GS_BASE) {
        v->pv.gs_base_user = val;
        return true;
    }
    v->regs->seg[msr == MSR_FS_BASE ? CPU_SEG_FS : CPU_SEG_GS].base = val;
    v->regs->dirty |= CPU_DIRTY_BASE;
    return true;
}

bool pv_write_msr(struct vcpu *v, uint32_t msr, uint64_t val)
{
    switch (msr) {
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_SHADOW_GS_BASE: return write_base(v, msr, val);
    case MSR_TSC_AUX:
        if (val >> 32 || !has_tsc_aux(v))
            return false;
        v->pv.tsc_aux = (uint32_t)val;
        return true;
    case MSR_EFER: return val == v->domain->abi->efer; /* Linux writes back what it has read */
    case MSR_MISC_FEATURES: return val == 0;           /* no CPUID faulting */
    case MSR_DE_CFG: return true;
    case MSR_HYPERCALL_PAGE:
        return (val & (PAGE_SIZE - 1)) == 0 && hypercall_page_install(v->domain, val >> PAGE_SHIFT) == 0;
    case MSR_APIC_BASE:
    case MSR_CR_PAT:
    case MSR_PATCHLEVEL:
    case MSR_PLATFORM_INFO: return false;
    default: return is_mce(msr) ? mce_write(v, msr, val) : is_ignored(msr) || relaxed(v->domain, msr);
    }
}
