// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Behind an instruction that the hypervisor has carried out.
 *
 * Concept: what the processor does at the end of each instruction that it executes itself: RIP goes on, RF and an
 * interrupt shadow end, and a program that is being single-stepped gets its #DB (AMD APM volume 2, 13.1.4).
 */
#include "vcpu/hvm/hvm.h"

void hvm_inject_step_trap(struct vcpu *v)
{
    v->regs->dr[6] |= X86_DR6_BS;
    v->regs->dirty |= CPU_DIRTY_DR;
    hvm_inject_hw_exception(v, X86_EXC_DB, 0);
}

void hvm_insn_done(struct vcpu *v, unsigned int len)
{
    struct cpu_state *r = v->regs;

    hvm_io_forget(v);
    r->rip += len;
    if (!(r->seg[CPU_SEG_CS].attr & SEG_ATTR_L) || !(r->efer & EFER_LMA))
        r->rip = (uint32_t)r->rip;
    r->rflags &= ~(uint64_t)X86_EFLAGS_RF;
    r->int_shadow = false;
    if (r->rflags & X86_EFLAGS_TF)
        hvm_inject_step_trap(v);
}
