// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An HVM guest's control and debug registers, and EFER: what they may be, and what follows.
 *
 * Concept: the guest chooses its own mode, so these are its own registers; the hypervisor looks on because the
 * processor shown must refuse what it does not have (a bit of a feature that CPUID does not offer) and combinations
 * that cannot be, and because a change of paging makes or ends long mode: EFER.LMA is set when paging is turned on with
 * EFER.LME, and cleared when it is turned off.
 *
 * Invariants: EFER.LMA == (CR0.PG && EFER.LME). What is refused changes nothing.
 *
 * Sources: AMD APM volume 2, 3.1.1 to 3.1.7, 14.6 and 14.7 (entering and leaving long mode), 13.1.1 (debug registers).
 * Corresponds to hvm_set_cr0(), hvm_set_cr4(), hvm_set_efer() of xen/arch/x86/hvm/hvm.c.
 */
#include "mmu/guest_access.h"
#include "sim/insn.h"
#include "vcpu/cpu_policy.h"
#include "vcpu/hvm/hvm.h"

#include <string.h>

#define CR0_VALID                                                                                                      \
    (X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM |           \
     X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)

static bool set_cr0(struct vcpu *v, uint64_t val)
{
    struct cpu_state *r = v->regs;

    if (val >> 32)
        return false;
    val = (val & CR0_VALID) | X86_CR0_ET;
    if ((val & (X86_CR0_PE | X86_CR0_PG)) == X86_CR0_PG || (val & (X86_CR0_CD | X86_CR0_NW)) == X86_CR0_NW)
        return false;
    if (val & ~r->cr0 & X86_CR0_PG && r->efer & EFER_LME) {
        if (!(r->cr4 & X86_CR4_PAE) || r->seg[CPU_SEG_CS].attr & SEG_ATTR_L)
            return false;
        r->efer |= EFER_LMA;
    }
    if (r->cr0 & ~val & X86_CR0_PG) {
        if (r->efer & EFER_LMA && r->seg[CPU_SEG_CS].attr & SEG_ATTR_L)
            return false; /* from 64-bit code there is no way back */
        r->efer &= ~(uint64_t)EFER_LMA;
    }
    r->cr0 = val;
    r->dirty |= CPU_DIRTY_CR | CPU_DIRTY_SEGS; /* what the processor makes of segments depends on the mode */
    shadow_flush(v->domain);
    return true;
}

/* The bits of CR4 whose features the domain's CPUID offers. */
static uint64_t cr4_valid(const struct domain *d)
{
    static const struct {
        uint32_t bit;
        unsigned int feature;
    } of[] = {
        { X86_CR4_VME | X86_CR4_PVI, XEN_X86_FEATURE_VME },
        { X86_CR4_TSD, XEN_X86_FEATURE_TSC },
        { X86_CR4_DE, XEN_X86_FEATURE_DE },
        { X86_CR4_PSE, XEN_X86_FEATURE_PSE },
        { X86_CR4_PAE, XEN_X86_FEATURE_PAE },
        { X86_CR4_PGE, XEN_X86_FEATURE_PGE },
        { X86_CR4_OSFXSR, XEN_X86_FEATURE_FXSR },
        { X86_CR4_OSXMMEXCPT, XEN_X86_FEATURE_SSE },
        { X86_CR4_FSGSBASE, XEN_X86_FEATURE_FSGSBASE },
        { X86_CR4_SMEP, XEN_X86_FEATURE_SMEP },
    };
    uint64_t valid = X86_CR4_MCE | X86_CR4_PCE;

    for (size_t i = 0; i < ARRAY_SIZE(of); i++)
        if (cpu_policy_has(d->cpu_policy, of[i].feature))
            valid |= of[i].bit;
    return valid;
}

static bool set_cr4(struct vcpu *v, uint64_t val)
{
    struct cpu_state *r = v->regs;

    if (val & ~cr4_valid(v->domain))
        return false;
    if (!(val & X86_CR4_PAE) && r->efer & EFER_LMA)
        return false;
    r->cr4 = val;
    r->dirty |= CPU_DIRTY_CR;
    shadow_flush(v->domain);
    return true;
}

/* Only without nested paging: with it the processor does so alone. */
static bool set_cr3(struct vcpu *v, uint64_t val)
{
    v->regs->cr3 = val;
    v->regs->dirty |= CPU_DIRTY_CR3;
    shadow_flush(v->domain);
    return true;
}

static uint64_t efer_valid(const struct domain *d)
{
    const struct cpu_policy *p = d->cpu_policy;

    return EFER_LMA | (cpu_policy_has(p, XEN_X86_FEATURE_SYSCALL) ? EFER_SCE : 0) |
           (cpu_policy_has(p, XEN_X86_FEATURE_LM) ? EFER_LME : 0) |
           (cpu_policy_has(p, XEN_X86_FEATURE_NX) ? EFER_NXE : 0);
}

bool hvm_set_efer(struct vcpu *v, uint64_t val)
{
    struct cpu_state *r = v->regs;

    if (val & ~efer_valid(v->domain))
        return false;
    if ((val ^ r->efer) & EFER_LME && r->cr0 & X86_CR0_PG)
        return false;
    r->efer = (val & ~(uint64_t)EFER_LMA) | (r->efer & EFER_LMA);
    r->dirty |= CPU_DIRTY_CR;
    return true;
}

bool hvm_mode_valid(const struct domain *d, const struct cpu_state *r)
{
    const bool paging = r->cr0 & X86_CR0_PG, lma = r->efer & EFER_LMA;
    const uint16_t cs = r->seg[CPU_SEG_CS].attr;

    return !(r->cr0 & ~(uint64_t)CR0_VALID) && !(paging && !(r->cr0 & X86_CR0_PE)) &&
           (r->cr0 & (X86_CR0_CD | X86_CR0_NW)) != X86_CR0_NW && !(r->cr4 & ~cr4_valid(d)) &&
           !(r->efer & ~efer_valid(d)) && lma == (paging && r->efer & EFER_LME) &&
           !(lma && (!(r->cr4 & X86_CR4_PAE) || (cs & SEG_ATTR_L && cs & SEG_ATTR_D)));
}

/* ------------------------------------------------------------------------------------------------ instructions -- */

static bool dr_write(struct vcpu *v, unsigned int dr, uint64_t val)
{
    struct cpu_state *r = v->regs;

    switch (dr) {
    case 0 ... 3: r->dr[dr] = val; break;
    case 6:
        if (val >> 32)
            return false;
        r->dr[6] = (val & 0xe00f) | X86_DR6_DEFAULT;
        break;
    default:
        if (val >> 32)
            return false;
        r->dr[7] = (val & 0xffff2bff) | X86_DR7_DEFAULT;
        break;
    }
    r->dirty |= CPU_DIRTY_DR;
    return true;
}

/* 4 and 5 are other names of 6 and 7, unless CR4.DE takes them away. */
static bool dr_access(struct vcpu *v, const struct insn *in, bool write)
{
    struct cpu_state *r = v->regs;
    const unsigned int dr = in->sys_reg == 4 || in->sys_reg == 5 ? in->sys_reg + 2 : in->sys_reg;

    if ((in->sys_reg != dr && r->cr4 & X86_CR4_DE) || dr > 7) {
        hvm_inject_hw_exception(v, X86_EXC_UD, 0);
        return false;
    }
    if (r->dr[7] & X86_DR7_GD) {
        r->dr[7] &= ~(uint64_t)X86_DR7_GD;
        r->dr[6] |= 0x2000; /* BD */
        r->dirty |= CPU_DIRTY_DR;
        hvm_inject_hw_exception(v, X86_EXC_DB, 0);
        return false;
    }
    if (!write)
        r->gpr[in->opnd[0].gpr & 15] = r->dr[dr];
    else if (!dr_write(v, dr, r->gpr[in->opnd[1].gpr & 15]))
        goto gp;
    return true;
gp:
    hvm_inject_hw_exception(v, X86_EXC_GP, 0);
    return false;
}

static bool cr_write(struct vcpu *v, unsigned int cr, uint64_t val)
{
    switch (cr) {
    case 0: return set_cr0(v, val);
    case 3: return set_cr3(v, val);
    case 4: return set_cr4(v, val);
    case 8:
        if (val >> 4)
            return false;
        vlapic_set_cr8(&v->hvm->vlapic, (unsigned int)val);
        return true;
    default: return false;
    }
}

/* LMSW: the lower four bits; PE can be set so, and not cleared. Its operand is a register's, or in memory. */
static bool lmsw(struct vcpu *v, const struct insn *in)
{
    uint16_t msw = 0;
    struct hvm_fault f;

    if (in->opnd[0].kind == INSN_REG) {
        msw = (uint16_t)v->regs->gpr[in->opnd[0].gpr & 15];
    } else if (!hvm_linear(v, in->opnd[0].addr, &msw, 2, HVM_ACCESS_READ, false, &f)) {
        if (f.vector == X86_EXC_PF)
            hvm_inject_page_fault(v, f.addr, f.error_code);
        else
            hvm_inject_hw_exception(v, X86_EXC_GP, 0);
        return false;
    }
    return set_cr0(v, (v->regs->cr0 & ~UINT64_C(0xe)) | (msw & 0xf));
}

void hvm_cr_access(struct vcpu *v)
{
    struct cpu_state *r = v->regs;
    uint8_t code[INSN_MAX_LEN];
    const size_t n = guest_fetch_insn(v, insn_linear_rip(r), code, sizeof(code));
    const struct insn in = insn_decode(v->domain->xen->machine->edges->decoder, r, code, n);
    bool ok = false;

    switch (in.op) {
    case INSN_MOV_FROM_CR:
        ok = in.sys_reg == 8 || in.sys_reg == 3;
        if (ok)
            r->gpr[in.opnd[0].gpr & 15] = in.sys_reg == 3 ? r->cr3 : vlapic_get_cr8(&v->hvm->vlapic);
        break;
    case INSN_MOV_TO_CR: {
        uint64_t val = r->gpr[in.opnd[1].gpr & 15];

        if (!(r->seg[CPU_SEG_CS].attr & SEG_ATTR_L) || !(r->efer & EFER_LMA))
            val = (uint32_t)val;
        ok = cr_write(v, in.sys_reg, val);
        break;
    }
    case INSN_CLTS: ok = set_cr0(v, r->cr0 & ~(uint64_t)X86_CR0_TS); break;
    case INSN_LMSW: {
        const uint64_t rip = r->rip;

        ok = lmsw(v, &in);
        if (!ok && r->rip != rip)
            return; /* it stands at a handler */
        break;
    }
    case INSN_MOV_FROM_DR:
    case INSN_MOV_TO_DR:
        if (dr_access(v, &in, in.op == INSN_MOV_TO_DR))
            hvm_insn_done(v, in.len);
        return;
    default: break;
    }
    if (ok)
        hvm_insn_done(v, in.len);
    else
        hvm_inject_hw_exception(v, X86_EXC_GP, 0);
}
